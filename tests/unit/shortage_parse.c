/* Memory that runs out while a document is parsed: each request of the parser and of its
 * library in turn is refused, alone or with all that come after it. What comes out is the
 * whole document, or an error in words; never a crash, never a part of it as if it were
 * the whole.
 *
 *     PITH_SHORTAGE_STEP=1 test_unit_shortage_parse
 *
 * tries every request (each 7th without it). */
#include "support/shortage.h"

#include "packed.h"
#include "support/pdf_file.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP = 7 };

enum { SAID_MAX = 1 << 16 };

/* Of the processes that parse one document. */
typedef struct Told {
    long requests;              // of a parse without an accident
    long at;                    // the accident in work
    bool lasts;
    long accidents, whole, told, other, foreign, bad;
    char said[SAID_MAX];        // the parts of that parse, a line each
    char last[512];             // a reason that does not speak of memory
    char crash[CRASH_MAX];
} Told;

static Told *told;

/* Libraries that use what they were not given, or exit. A crash costs its process, which
 * has nothing but this document (extract.h). */
static bool is_foreign(void)
{
    static const char *const known[] = { "CharsetDetector", "CharsetRecog", "libarchive",
                                         "libpdfium" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strstr(told->crash, known[i])) return true;
    return false;
}

/* Memory is not short while we look at what came. */
static Status take(void *arg, const Parsed *w)
{
    bool armed = atomic_exchange(&shortage.armed, false);
    Status st = said_take(arg, w);
    atomic_store(&shortage.armed, armed);
    return st;
}

static Status parse(Ctx *cx, const char *name, Str bytes, long at, bool lasts, Buf *lines)
{
    enum { PATIENCE_S = 2 };
    Said said = { .lines = BUF(SAID_MAX - 1) };
    Input in = { .bytes = bytes, .name = str_z(name) };
    Kind kind = kind_of(in.name, bytes);
    crash_after(PATIENCE_S);
    shortage_begin(at, lasts);
    Status st = parse_document(cx, kind, &in, &(Sink){ take, &said });
    long requests = shortage_end();
    if (at == 0) told->requests = requests;
    *lines = said.lines;
    return st;
}

static void have_accident(const char *name, Str bytes, long at, bool lasts)
{
    Ctx cx = CTX_INIT;
    Buf lines;
    told->at = at;
    told->lasts = lasts;
    told->accidents++;
    Status st = parse(&cx, name, bytes, at, lasts, &lines);
    bool memory = st == E_MEMORY || st == E_LIMIT;
    bool whole = st == OK && str_eq(buf_str(&lines), str_z(told->said));
    whole |= st == OK && str_ends(str_z(name), STR(".pdf"));    // PDFium drops a glyph
    bool mute = st != OK && cx.reason[0] == '\0';
    told->whole += whole;
    told->told += st != OK;
    told->other += st != OK && !memory;
    if (st != OK && !memory) snprintf(told->last, sizeof told->last, "%s", cx.reason);
    told->bad += mute || (st == OK && !whole);
    if (mute || (st == OK && !whole))
        print_error("%s, request %ld%s: %s\n%s", name, at,
                    lasts ? " and all after it" : "", mute ? "no reason" : "not all of "
                            "it",
                    lines.p ? lines.p : "");
    buf_free(&lines);
    ctx_end(&cx);
}

static void parse_once(const char *name, Str bytes)
{
    Ctx cx = CTX_INIT;
    Buf lines;
    Status st = parse(&cx, name, bytes, 0, false, &lines);
    if (st == OK) snprintf(told->said, sizeof told->said, "%s", lines.p ? lines.p : "");
    buf_free(&lines);
    ctx_end(&cx);
}

/* In a process of its own: the accidents that told->at comes before, up to a crash. */
static int go_on(const char *name, Str bytes, long step)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        crash_watch(told->crash);
        parse_end_without_memory();
        if (told->requests == 0) parse_once(name, bytes);
        for (; told->at <= told->requests; told->at += step)
            have_accident(name, bytes, told->at, told->lasts);
        exit(0);                // and a sanitizer looks for leaks
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static long all_bad;            // since the test began

static void survive(const char *name, Str bytes)
{
    const char *asked = getenv("PITH_SHORTAGE_STEP");
    long step = asked ? strtol(asked, NULL, 10) : STEP;
    memset(told, 0, sizeof *told);
    for (int lasts = 0; lasts < 2; lasts++) {
        told->lasts = lasts;
        told->at = 1 + lasts * step / 2;
        for (int status; (status = go_on(name, bytes, step)) != 0; told->at += step) {
            if (WIFEXITED(status) && WEXITSTATUS(status) == PARSE_NO_MEMORY) {
                told->told++;
                continue;
            }
            bool crashed = WIFEXITED(status) && WEXITSTATUS(status) == CRASHED;
            if (crashed && is_foreign()) {
                told->foreign++;
                continue;
            }
            told->bad++;
            print_error("%s, request %ld%s: status %x %s\n", name, told->at,
                        lasts ? " and all after it" : "", (unsigned)status, told->crash);
        }
    }
    print_message("%-9s %ld requests, %ld accidents: %ld read, %ld told (%ld not as "
                  "want of "
                  "memory: %s), %ld in a library, %ld bad\n", name, told->requests,
                  told->accidents, told->whole, told->told, told->other, told->last,
                  told->foreign, told->bad);
    all_bad += told->bad;
    assert_true(told->told > 0);
}

static int begin(void **state)
{
    (void)state;
    all_bad = 0;
    return 0;
}

static int end(void **state)
{
    (void)state;
    return all_bad != 0;
}

static void texts(void **state)
{
    (void)state;
    survive("a.txt", STR("One line.\n\nAnother, \xE9t\xE9 in Latin-1.\n"));
    survive("a.md", STR("# Light\n\nWords *here*.\n\n- a\n- b\n\n```\nx\n```\n\n|a|b|\n"
                        "|-|-|\n|1|2|\n"));
    survive("a.html", STR("<title>Light &amp; lamp</title><h1>Light</h1><p>Words "
                          "<b>of</b> it.<table><tr><th>a<th>b<tr><td>1<td>2</table>"
                          "<ul><li>x</ul>"));
    survive("a.c", STR("/* A file. */\n#include <a.h>\n\nint f(void)\n{\n"
                       "    return 1;\n}\n"));
    survive("a.csv", STR("ship,year\nAda,1871\n\"Bo, of\",1872\n"));
    survive("a.jsonl", STR("{\"ship\": \"Ada\", \"note\": \"n\\u00e9\"}\n{\"ship\": [1, "
                           "{\"a\": null}]}\n"));
    survive("a.eml", STR("From: Ada <a@example.org>\nSubject: =?utf-8?q?L=C3=A4mp?=\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; "
        "charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n"
        "Some=E9 words."
        "\n--b\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
        "PHA+QSBwYWdlIG9mIHdvcmRzLjwvcD4=\n--b--\n"));
    survive("a.mbox", STR("From a@example.org Mon Jan  1 12:00:00 2024\nFrom: a@b.c\n"
                          "Subject: x\n\nWords of it.\n"));
}

#define R "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

static void packages(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const Packed docx[] = { { "word/document.xml", "<w:document xmlns:w='urn:w'><w:body>"
        "<w:p><w:pPr><w:outlineLvl w:val='0'/></w:pPr><w:r><w:t>One</w:t></w:r></w:p>"
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
        "</w:body></w:document>", 0 },
        { "docProps/core.xml", "<c><dc:title xmlns:dc='d'>A</dc:title></c>", 0 } };
    const Packed xlsx[] = {
        { "xl/workbook.xml", "<workbook xmlns:r='" R "'><sheets><sheet name='Ships' "
          "sheetId='1' r:id='a'/></sheets></workbook>", 0 },
        { "xl/_rels/workbook.xml.rels", "<r><Relationship Id='a' Type='" R "/worksheet' "
          "Target='s.xml'/></r>", 0 },
        { "xl/s.xml", "<worksheet><sheetData><row r='1'><c r='A1' t='inlineStr'><is>"
          "<t>ship</t></is></c><c r='B1'><v>7</v></c></row></sheetData></worksheet>",
          0 } };
    const Packed pptx[] = {
        { "ppt/presentation.xml", "<p xmlns:r='" R "'><sldIdLst><sldId id='1' r:id='a'/>"
          "</sldIdLst></p>", 0 },
        { "ppt/_rels/presentation.xml.rels", "<r><Relationship Id='a' Type='" R "/slide' "
          "Target='s.xml'/></r>", 0 },
        { "ppt/s.xml", "<sld xmlns:a='urn:a'><cSld><spTree><sp><txBody><a:p><a:r>"
          "<a:t>Words</a:t></a:r></a:p></txBody></sp></spTree></cSld></sld>", 0 } };
    const Packed odt[] = {
        { "mimetype", "application/vnd.oasis.opendocument.text", 0 },
        { "content.xml", "<o:document-content xmlns:o='urn:o' xmlns:text='urn:t'><o:body>"
          "<o:text><text:h text:outline-level='1'>One</text:h><text:p>Words</text:p>"
          "</o:text></o:body></o:document-content>", 0 } };
    const Packed epub[] = {
        { "mimetype", "application/epub+zip", 0 },
        { "META-INF/container.xml", "<c><rootfiles>"
          "<rootfile full-path='a.opf'/></rootfiles></c>", 0 },
        { "a.opf", "<p><manifest><item id='a' href='a.xhtml' media-type='application/"
          "xhtml+xml'/></manifest><spine><itemref idref='a'/></spine></p>", 0 },
        { "a.xhtml", "<html><body><h1>Light</h1><p>Words.</p></body></html>", 0 } };
    const Packed plain[] = { { "a.md", "# Light\n\nWords.\n", 0 },
                             { "b.html", "<p>Words of it.", 0 } };
    survive("a.docx", ZIP(&cx, docx));
    survive("a.xlsx", ZIP(&cx, xlsx));
    survive("a.pptx", ZIP(&cx, pptx));
    survive("a.odt", ZIP(&cx, odt));
    survive("a.epub", ZIP(&cx, epub));
    survive("a.zip", ZIP(&cx, plain));
    survive("a.tar.gz", pack(&cx, "ustar", "gzip", plain, 2));
    ctx_end(&cx);
}

static void pages(void **state)
{
    PdfFile pdf = PDF_FILE;
    static const char *const lines[] = { "The ferry to Brekke leaves at seven.", NULL };
    (void)state;
    pdf_lines_at(&pdf, 72, 700, lines);
    pdf_page(&pdf, NULL);
    survive("a.pdf", pdf_file(&pdf));
    pdf_file_free(&pdf);
}

static int open_told(void **state)
{
    (void)state;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return told == MAP_FAILED;
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(texts), T(packages), T(pages),
    };
    if (!SHORTAGE) {
        puts("skipped: memory is the sanitizer's");
        return 77;
    }
    return cmocka_run_group_tests(tests, open_told, NULL);
}
