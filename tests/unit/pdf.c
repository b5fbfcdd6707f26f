/* PDFs that the tests write, to parts. */
#include "parse/parse.h"
#include "support/pdf_file.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* One line a part: its page, what it is, its text. */
static Status show(void *arg, const Parsed *w)
{
    static const char *const kinds[] = { "heading", "text", "code", "item", "row" };
    if (w->base == 0 && w->title.n)
        buf_addf(arg, "title: %.*s\n", (int)w->title.n, w->title.p);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        buf_addf(arg, "%d %s", p->page, kinds[p->kind]);
        if (p->level) buf_addf(arg, " %d", p->level);
        buf_addf(arg, ": %.*s\n", (int)p->text.n, p->text.p);
    }
    return OK;
}

static Status parse(Str bytes, Buf *out, char reason[512])
{
    Ctx cx = CTX_INIT;
    *out = BUF(1 << 24);
    buf_add(out, STR(""));
    Status st = parse_document(&cx, KIND_PDF, &(Input){ .bytes = bytes, .name =
        STR("a.pdf") },
                               &(Sink){ show, out });
    snprintf(reason, 512, "%s", cx.reason);
    ctx_end(&cx);
    return st;
}

static void assert_parts(PdfFile *f, const char *wanted)
{
    char reason[512];
    Buf got;
    assert_int_equal(parse(pdf_file(f), &got, reason), OK);
    assert_string_equal(got.p ? got.p : "", wanted);
    buf_free(&got);
    pdf_file_free(f);
}

static void assert_refused(Str bytes, const char *wanted)
{
    char reason[512];
    Buf got;
    assert_int_equal(parse(bytes, &got, reason), E_FORMAT);
    if (!strstr(reason, wanted)) fail_msg("'%s' says nothing of '%s'", reason, wanted);
    buf_free(&got);
}

/* ---- order ------------------------------------------------------------------------- */

static void reads_two_columns_one_after_the_other(void **state)
{
    (void)state;
    static const char *const left[] = { "The first column begins here and it goes",
        "on for some lines of ordinary prose, as", "the columns of a journal do, until "
        "it is",
        "at its end and the eye moves up again to", NULL };
    static const char *const right[] = { "the second column, in which the sentence",
        "that was begun in the first one comes to", "its end after three more lines of "
        "prose,",
        "which nobody needs but the test of order.", NULL };
    PdfFile f = PDF_FILE;
    pdf_at(&f, PDF_SANS, 10, 72, 700, "A line across both of the columns stands above "
                                      "them, "
           "as an abstract does, and is read first.");
    pdf_lines_at(&f, 72, 660, left);
    pdf_lines_at(&f, 320, 660, right);
    pdf_page(&f, NULL);
    assert_parts(&f,
        "1 text: A line across both of the columns stands above them, as an abstract "
        "does, "
        "and is read first.\n"
        "1 text: The first column begins here and it goes on for some lines of ordinary "
        "prose, as the columns of a journal do, until it is at its end and the eye "
        "moves up "
        "again to the second column, in which the sentence that was begun in the first "
        "one "
        "comes to its end after three more lines of prose, which nobody needs but the "
        "test "
        "of order.\n");
}

static void reads_a_page_that_is_turned(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    buf_addf(&f.content, "BT /F1 10 Tf 0 1 -1 0 100 72 Tm (Turned to the left,) Tj ET\n"
             "BT /F1 10 Tf 0 1 -1 0 112 72 Tm (line by line.) Tj ET\n");
    pdf_page(&f, "/Rotate 90");
    assert_parts(&f, "1 text: Turned to the left, line by line.\n");
}

/* ---- pages ------------------------------------------------------------------------- */

static void drops_headers_and_footers_and_tells_the_pages(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    for (int i = 1; i <= 4; i++) {
        char number[32], text[64];
        snprintf(number, sizeof number, "Page %d of 4", i);
        snprintf(text, sizeof text, "Only page %d says %d.", i, i * i);
        pdf_at(&f, PDF_SANS, 9, 72, 750, i % 2 ? "The Manual" : "Chapter the First");
        pdf_at(&f, PDF_SANS, 10, 72, 600, text);
        pdf_at(&f, PDF_SANS, 9, 280, 40, number);
        pdf_page(&f, NULL);
    }
    assert_parts(&f, "1 text: Only page 1 says 1.\n2 text: Only page 2 says 4.\n"
                     "3 text: Only page 3 says 9.\n4 text: Only page 4 says 16.\n");
}

static void goes_on_with_a_paragraph_on_the_next_page(void **state)
{
    (void)state;
    static const char *const first[] = { "A paragraph that is begun on a page may well "
                                         "end on "
        "the next one, where", "it is one part nevertheless, and its footnote waits "
        "until "
        "it has come to", NULL };
    PdfFile f = PDF_FILE;
    pdf_lines_at(&f, 72, 120, first);
    pdf_at(&f, PDF_SANS, 6, 72, 73, "1");
    pdf_at(&f, PDF_SANS, 8, 76, 70, "The note below it.");
    pdf_page(&f, NULL);
    pdf_at(&f, PDF_SANS, 10, 72, 700, "its end.");
    pdf_page(&f, NULL);
    assert_parts(&f, "1 text: A paragraph that is begun on a page may well end on the "
                     "next "
                     "one, where it is one part nevertheless, and its footnote waits "
                     "until it "
                     "has come to its end.\n1 text: [1] The note below it.\n");
}

/* ---- words ------------------------------------------------------------------------- */

static void joins_what_a_hyphen_cut_and_keeps_real_hyphens(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "An information desk has time-consuming forms, and some more words to make it "
        "in-",
        "formation enough; the work at it is said by all who were ever there to be time-",
        "consuming, and a word that stands nowhere else is joined as well: it is unfor-",
        "gettable.", NULL };
    PdfFile f = PDF_FILE;
    pdf_lines_at(&f, 72, 700, lines);
    pdf_page(&f, NULL);
    assert_parts(&f, "1 text: An information desk has time-consuming forms, and some "
                     "more "
                     "words to make it information enough; the work at it is said by "
                     "all who "
                     "were ever there to be time-consuming, and a word that stands "
                     "nowhere "
                     "else is joined as well: it is unforgettable.\n");
}

static void finds_the_spaces_that_a_file_has_not(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    buf_addf(&f.content, "BT /F1 10 Tf 72 700 Td [(Spa) 10 (ces) -300 (by) -300 (g) -20 "
             "(aps)] TJ ET\n");
    pdf_page(&f, NULL);
    assert_parts(&f, "1 text: Spaces by gaps\n");
}

/* ---- parts ------------------------------------------------------------------------- */

static void finds_headings_by_the_outline(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    pdf_mark_here(&f, "Of lamps");
    pdf_at(&f, PDF_SANS, 10, 72, 700, "1.1 Of lamps");
    pdf_at(&f, PDF_SANS, 10, 72, 680, "They burn.");
    pdf_page(&f, NULL);
    assert_parts(&f, "1 heading 1: 1.1 Of lamps\n1 text: They burn.\n");
}

static void finds_headings_and_the_title_by_size(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    f.title = "untitled.doc";
    pdf_at(&f, PDF_BOLD, 24, 72, 740, "The Lighthouse");
    pdf_at(&f, PDF_BOLD, 14, 72, 700, "The lamp");
    pdf_at(&f, PDF_SANS, 10, 72, 680, "It burns 40 litres of oil each night, as the "
                                      "keepers "
           "wrote down.");
    pdf_at(&f, PDF_BOLD, 14, 72, 640, "The keepers");
    pdf_at(&f, PDF_SANS, 10, 72, 620, "They are two.");
    pdf_page(&f, NULL);
    assert_parts(&f, "title: The Lighthouse\n1 heading 1: The Lighthouse\n"
                     "1 heading 2: The lamp\n"
                     "1 text: It burns 40 litres of oil each night, as the keepers wrote "
                     "down.\n1 heading 2: The keepers\n1 text: They are two.\n");
}

static void makes_rows_of_aligned_cells(void **state)
{
    (void)state;
    static const char *const cells[4][3] = { { "Name", "Height", "Lamp" },
        { "Skerry", "42 m", "oil" }, { "Old Head", "31 m", "gas" }, { "Ness", "18 m",
            "oil" } };
    PdfFile f = PDF_FILE;
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < 3; k++)
            pdf_at(&f, PDF_SANS, 10, 72 + 120 * k, 700 - 14 * i, cells[i][k]);
    pdf_page(&f, NULL);
    assert_parts(&f, "1 row: Name | Height | Lamp\n1 row: Skerry | 42 m | oil\n"
                     "1 row: Old Head | 31 m | gas\n1 row: Ness | 18 m | oil\n");
}

static void keeps_the_lines_of_a_ruled_cell_together(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    for (int i = 0; i < 4; i++) pdf_rule(&f, 70, 712 - 30 * i, 400, 712 - 30 * i);
    for (int i = 0; i < 3; i++) {
        pdf_at(&f, PDF_SANS, 10, 72, 700 - 30 * i, i == 1 ? "fog" : i ? "night" : "when");
        pdf_at(&f, PDF_SANS, 10, 180, 700 - 30 * i, i == 1 ? "the horn, twice" : "what");
        if (i == 1) pdf_at(&f, PDF_SANS, 10, 180, 688 - 30 * i, "a minute");
    }
    pdf_page(&f, NULL);
    assert_parts(&f, "1 row: when | what\n1 row: fog | the horn, twice a minute\n"
                     "1 row: night | what\n");
}

static void makes_items_and_code(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    pdf_at(&f, PDF_SANS, 10, 72, 700, "To light the lamp, do this, and do it in that "
                                      "order:");
    pdf_at(&f, PDF_SANS, 10, 90, 684, "1. Fill it.");
    pdf_at(&f, PDF_SANS, 10, 90, 672, "2. Light it.");
    pdf_at(&f, PDF_MONO, 10, 72, 640, "if (dark)");
    pdf_at(&f, PDF_MONO, 10, 96, 628, "light();   /* now */");
    pdf_page(&f, NULL);
    assert_parts(&f, "1 text: To light the lamp, do this, and do it in that order:\n"
                     "1 item: 1. Fill it.\n1 item: 2. Light it.\n"
                     "1 code: if (dark)\n    light();   /* now */\n");
}

/* ---- what cannot be read ----------------------------------------------------------- */

static void one_page(PdfFile *f)
{
    pdf_at(f, PDF_SANS, 10, 72, 700, "One page.");
    pdf_page(f, NULL);
}

static void says_that_a_password_is_wanted(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    f.trailer = "/Encrypt<</Filter/Standard/V 1/R 2/P "
                "-4/O<00112233445566778899AABBCCDDEEFF"
        "00112233445566778899AABBCCDDEEFF>/U<FFEEDDCCBBAA99887766554433221100"
        "FFEEDDCCBBAA99887766554433221100>>>/ID[<00112233><00112233>]";
    one_page(&f);
    assert_refused(pdf_file(&f), "password");
    pdf_file_free(&f);
}

static void says_that_pages_may_be_scanned(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    pdf_rule(&f, 10, 10, 300, 300);
    pdf_page(&f, NULL);
    pdf_page(&f, NULL);
    assert_refused(pdf_file(&f), "no text on 2 pages: they may be scanned");
    pdf_file_free(&f);
}

static void refuses_what_is_no_pdf(void **state)
{
    (void)state;
    assert_refused(STR("%PDF-1.7\nnothing of the kind"), "no PDF that can be opened");
    assert_refused(STR(""), "no PDF that can be opened");
}

static void reads_a_file_whose_table_of_objects_is_broken(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    f.broken = true;
    one_page(&f);
    assert_parts(&f, "1 text: One page.\n");
}

static void is_known_by_its_first_bytes(void **state)
{
    (void)state;
    assert_int_equal(kind_of(STR("notes.txt"), STR("%PDF-1.4\n")), KIND_PDF);
    assert_int_equal(kind_of(STR("x"), STR("@PJL ENTER LANGUAGE=PDF\n%PDF-1.4\n")),
        KIND_PDF);
    assert_int_equal(kind_of(STR("a.txt"), STR("PDF is a format.")), KIND_TEXT);
    assert_true(kind_is_binary(KIND_PDF));
}

/* ---- a whole document -------------------------------------------------------------- */

static void manual(PdfFile *f)
{
    static const char *const prose[] = {
        "The lamp of the lighthouse burns 40 litres of oil each night. In fog the horn "
        "is",
        "sounded twice a minute, and the keepers write down when it began and who heard",
        "it. What is written down is kept for ten years in the dry room below the "
        "gal-", NULL };
    static const char *const rest[] = {
        "lery, where it can be read by all.", NULL };
    f->title = "Manual of the Lighthouse";
    for (int i = 0; i < 3; i++) {
        char number[32];
        snprintf(number, sizeof number, "%d", i + 1);
        pdf_mark_here(f, i == 0 ? "The lamp" : i == 1 ? "The gallery" : "Stores");
        pdf_at(f, PDF_SANS, 9, 72, 750, "Manual of the Lighthouse");
        pdf_at(f, PDF_SANS, 9, 300, 40, number);
        if (i == 1) pdf_lines_at(f, 72, 700, rest);
        pdf_at(f, PDF_BOLD, 14, 72, 660, i == 0 ? "1 The lamp" : i == 1 ? "2 The gallery"
                                                                         : "3 Stores");
        if (i == 0) pdf_lines_at(f, 72, 640, prose);
        if (i == 1) pdf_at(f, PDF_SANS, 10, 72, 640, "The gallery is swept.");
        for (int row = 0; i == 2 && row < 3; row++) {
            pdf_at(f, PDF_SANS, 10, 72, 640 - 14 * row, row ? "oil" : "what");
            pdf_at(f, PDF_SANS, 10, 200, 640 - 14 * row, row ? "40" : "litres");
            pdf_at(f, PDF_SANS, 10, 300, 640 - 14 * row, row ? "cellar" : "where");
        }
        pdf_page(f, NULL);
    }
}

static void gives_the_golden_edition(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    char wanted[4096];
    FILE *golden = fopen(TESTS_DIR "/golden/parse/pdf.txt", "rb");
    assert_non_null(golden);
    wanted[fread(wanted, 1, sizeof wanted - 1, golden)] = '\0';
    fclose(golden);
    manual(&f);
    assert_parts(&f, wanted);
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    return *seed ^= *seed << 17;
}

/* Each ends within ten seconds: a clock would kill the test. */
static void hostile(Str bytes)
{
    char reason[512];
    Buf got;
    alarm(10);
    Status st = parse(bytes, &got, reason);
    alarm(0);
    if (st != OK) assert_true(reason[0] != '\0');
    buf_free(&got);
}

static void survives_being_cut_short_anywhere(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    manual(&f);
    Str all = pdf_file(&f);
    for (size_t i = 0; i < 100; i++) {
        char *exact = malloc(all.n * i / 100 + 1);
        assert_non_null(exact);
        memcpy(exact, all.p, all.n * i / 100);
        hostile((Str){ exact, all.n * i / 100 });
        free(exact);
    }
    pdf_file_free(&f);
}

static void survives_300_mutations(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    uint64_t seed = 88172645463325252u;
    manual(&f);
    Str all = pdf_file(&f);
    char *bad = malloc(all.n);
    assert_non_null(bad);
    for (int i = 0; i < 300; i++) {
        memcpy(bad, all.p, all.n);
        for (uint64_t n = next_random(&seed) % 20 + 1; n > 0; n--) {
            uint64_t r = next_random(&seed);
            size_t at = r % all.n, from = (r >> 20) % all.n;
            bad[at] = r >> 60 < 8 ? (char)(r >> 40) : all.p[from];
        }
        hostile((Str){ bad, all.n });
    }
    free(bad);
    pdf_file_free(&f);
}

/* ---- in a child that may not open anything ----------------------------------------- */

/* Opening a file, making a socket, a thread or a process kills it. */
static void forbid(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_openat, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_clone, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    struct sock_fprog program = { sizeof code / sizeof *code, code };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) _exit(77);
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) _exit(77);
}

static void opens_nothing_and_makes_no_thread(void **state)
{
    (void)state;
    PdfFile f = PDF_FILE;
    char reason[512];
    int how;
    Buf got;
    manual(&f);
    Str all = pdf_file(&f);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        forbid();
        _exit(parse(all, &got, reason) == OK && got.n > 100 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &how, 0), child);
    pdf_file_free(&f);
    if (WIFEXITED(how) && WEXITSTATUS(how) == 77) skip();
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_two_columns_one_after_the_other),
        cmocka_unit_test(reads_a_page_that_is_turned),
        cmocka_unit_test(drops_headers_and_footers_and_tells_the_pages),
        cmocka_unit_test(goes_on_with_a_paragraph_on_the_next_page),
        cmocka_unit_test(joins_what_a_hyphen_cut_and_keeps_real_hyphens),
        cmocka_unit_test(finds_the_spaces_that_a_file_has_not),
        cmocka_unit_test(finds_headings_by_the_outline),
        cmocka_unit_test(finds_headings_and_the_title_by_size),
        cmocka_unit_test(makes_rows_of_aligned_cells),
        cmocka_unit_test(keeps_the_lines_of_a_ruled_cell_together),
        cmocka_unit_test(makes_items_and_code),
        cmocka_unit_test(says_that_a_password_is_wanted),
        cmocka_unit_test(says_that_pages_may_be_scanned),
        cmocka_unit_test(refuses_what_is_no_pdf),
        cmocka_unit_test(reads_a_file_whose_table_of_objects_is_broken),
        cmocka_unit_test(is_known_by_its_first_bytes),
        cmocka_unit_test(gives_the_golden_edition),
        cmocka_unit_test(survives_being_cut_short_anywhere),
        cmocka_unit_test(survives_300_mutations),
        cmocka_unit_test(opens_nothing_and_makes_no_thread),
    };
    char reason[512];
    Buf none;
    (void)parse(STR(""), &none, reason);
    buf_free(&none);
    if (strstr(reason, "this build reads no PDF")) {
        fprintf(stderr, "skipped: %s\n", reason);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
