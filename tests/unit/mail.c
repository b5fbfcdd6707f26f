/* Messages, mailboxes and archives. */
#include "packed.h"

static const char letter[] =
    "Return-Path: <ada@example.org>\r\n"
    "From: =?utf-8?Q?Ada_L=C3=B6velace?= <ada@example.org>\r\n"
    "To: Charles\r\n"
    "Subject: =?iso-8859-1?B?R3L832U=?=\r\n =?utf-8?q?_from?= me\r\n"
    "Date: Tue, 5 Mar 2024 14:30:00 +0000\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: multipart/mixed; boundary=\"b 1\"\r\n"
    "\r\n"
    "preamble\r\n"
    "--b 1\r\n"
    "Content-Type: multipart/alternative; boundary=b2\r\n"
    "\r\n"
    "--b2\r\n"
    "Content-Type: text/plain; charset=\"iso-8859-1\"\r\n"
    "Content-Transfer-Encoding: quoted-printable\r\n"
    "\r\n"
    "Dear Charles,\r\n"
    "\r\n"
    "the engine is gr=FCn and=\r\n"
    " works.\r\n"
    "- one\r\n"
    "- two\r\n"
    "> You asked\r\n"
    "> for more.\r\n"
    "-- \r\n"
    "Ada\r\n"
    "--b2\r\n"
    "Content-Type: text/html\r\n"
    "\r\n"
    "<p>Dear Charles, in HTML</p>\r\n"
    "--b2--\r\n"
    "--b 1\r\n"
    "Content-Type: application/octet-stream\r\n"
    "Content-Disposition: attachment; filename*0*=utf-8''n%C3%B6; filename*1=tes.md\r\n"
    "Content-Transfer-Encoding: base64\r\n"
    "\r\n"
    "IyBIZWFkCgpCb2R5Lgo=\r\n"
    "--b 1--\r\n";

#define LETTER "H1 Gr\xC3\xBC\xC3\x9F" "e from me\nI From: Ada L\xC3\xB6velace " \
    "<ada@example.org>\nI To: Charles\nI Date: Tue, 5 Mar 2024 14:30:00 +0000\n" \
    "P Dear Charles,\nP the engine is gr\xC3\xBCn and works.\nI - one\nI - two\n" \
    "P > You asked for more.\nH2 n\xC3\xB6tes.md\nH3 Head\nP Body.\n"

static void a_message_is_its_best_text_and_its_attachments(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.eml", str_z(letter)),
                        "= Gr\xC3\xBC\xC3\x9F" "e from me\n" LETTER);
    assert_string_equal(said(&cx, "cur/1709:2,S", str_z(letter)),
                        "= Gr\xC3\xBC\xC3\x9F" "e from me\n" LETTER);
    ctx_end(&cx);
}

static void the_html_is_read_where_the_text_is_a_stub(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str mail = ctx_printf(&cx, "Subject: S\nContent-Type: multipart/alternative; "
                          "boundary=x\n\n--x\n\nHTML only.\n--x\n"
                          "Content-Type: text/html\n\n<h2>News</h2>"
                          "<p>%0900d</p>\n--x--\n", 7);
    const char *out = said(&cx, "a.eml", mail);
    assert_non_null(strstr(out, "H2 News\nP 000"));
    assert_null(strstr(out, "HTML only"));
    ctx_end(&cx);
}

static void a_mailbox_holds_messages(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str box = ctx_printf(&cx, "From ada@example.org Tue Mar  5 14:30:00 2024\n%s\nFrom "
                         "x Tue Mar  5 14:30:00 2024\nSubject: Two\n\nFrom here on\n\n"
                         ">From the start\n______________________________________\n"
                         "the-list mailing list\n", letter);
    assert_string_equal(said(&cx, "archive", box), LETTER "H1 Two\nP From here on\n"
                        "P > From the start\n");
    ctx_end(&cx);
}

static void a_message_that_is_cut_off_or_nested_too_deep_ends(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(1 << 20);
    for (int i = 0; i < 2000; i++)
        buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
    assert_string_equal(said(&cx, "a.eml", buf_str(&b)), "= (no subject)\n"
                        "H1 (no subject)\n");
    buf_free(&b);
    survives("a.eml", str_z(letter), 500);
    ctx_end(&cx);
}

/* ---- archives ---------------------------------------------------------------------- */

static void members_are_sections_with_harmless_names(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = {
        { "../../etc/notes.md", "# Title\n\nWords.\n", 0 }, { ".git/config", "no", 0 },
        { "image.png", "\x89PNG\r\n\x1A\n\0\0\0\0", 12 }, { "/b/letter.txt", "Dear,", 0 },
    };
    const char *wanted = "H1 etc/notes.md\nH2 Title\nP Words.\n"
                         "H1 b/letter.txt\nP Dear,\n";
    static const char *const filters[] = { NULL, "gzip", "xz", "zstd", "bzip2" };
    assert_string_equal(said(&cx, "a.zip", ZIP(&cx, members)), wanted);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
        assert_string_equal(
            said(&cx, "a.tar", pack(&cx, "ustar", filters[i], members, 4)), wanted);
    ctx_end(&cx);
}

static void a_compressed_file_is_what_is_in_it(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed one[] = { { "x", "# Title\n\nWords.\n", 0 } };
    assert_string_equal(said(&cx, "notes.md.gz", pack(&cx, "raw", "gzip", one, 1)),
                        "H1 Title\nP Words.\n");
    ctx_end(&cx);
}

/* Depth counts containers: the text of the fourth is not read. */
static void archives_in_archives_are_read_to_a_depth(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str inner = STR("Deep words.");
    for (int i = 0; i < INPUT_DEPTH; i++) {
        const Packed m[] = { { i ? "in.zip" : "a.txt", inner.p, inner.n } };
        inner = ZIP(&cx, m);
    }
    assert_string_equal(said(&cx, "a.zip", inner),
                        "H1 in.zip\nH2 in.zip\nH3 a.txt\nP Deep words.\n");
    const Packed outer[] = { { "in.zip", inner.p, inner.n } };
    assert_string_equal(said(&cx, "a.zip", ZIP(&cx, outer)),
                        "! no document in it that is read\n");
    ctx_end(&cx);
}

static void a_bomb_is_refused_inside_an_archive_too(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    char *zeros = calloc(80, 1 << 20);
    assert_non_null(zeros);
    const Packed big[] = { { "a.txt", zeros, (size_t)80 << 20 } };
    Str bomb = ZIP(&cx, big);
    assert_string_equal(said(&cx, "a.zip", bomb),
                        "! it unpacks to more than 64 MiB, which is not read\n");
    const Packed outer[] = { { "a.txt", "Words.", 0 }, { "in.zip", bomb.p, bomb.n },
                             { "b.txt", "More.", 0 } };
    assert_non_null(strstr(said(&cx, "a.zip", ZIP(&cx, outer)), "! it unpacks to more"));
    const Packed book[] = { { "word/document.xml", zeros, (size_t)80 << 20 } };
    assert_non_null(strstr(said(&cx, "a.docx", ZIP(&cx, book)), "! it unpacks to more"));
    free(zeros);
    ctx_end(&cx);
}

static void a_damaged_member_does_not_cost_the_others(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed members[] = { { "a.txt", "First.", 0 }, { "b.docx", "PK\3\4 no", 0 },
                               { "c.txt", "Last.", 0 } };
    assert_string_equal(said(&cx, "a.zip", ZIP(&cx, members)),
                        "H1 a.txt\nP First.\nH1 c.txt\nP Last.\n");
    survives("a.zip", ZIP(&cx, members), 500);
    survives("a.tar.gz", pack(&cx, "ustar", "gzip", members, 3), 500);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_its_best_text_and_its_attachments),
        cmocka_unit_test(the_html_is_read_where_the_text_is_a_stub),
        cmocka_unit_test(a_mailbox_holds_messages),
        cmocka_unit_test(a_message_that_is_cut_off_or_nested_too_deep_ends),
        cmocka_unit_test(members_are_sections_with_harmless_names),
        cmocka_unit_test(a_compressed_file_is_what_is_in_it),
        cmocka_unit_test(archives_in_archives_are_read_to_a_depth),
        cmocka_unit_test(a_bomb_is_refused_inside_an_archive_too),
        cmocka_unit_test(a_damaged_member_does_not_cost_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
