/* pdf.c -- a PDF by PDFium: opened, looked at, read.
 *
 * Every page is loaded twice and closed at once: first to learn what only the whole
 * document tells, then for its parts. Nothing is kept of a page but a few numbers, so
 * that memory does not grow with the pages. PDFium is given an empty list of fonts and
 * the whole file in memory: it has nothing to open. */
#include "parse/parse.h"
#include "parse/pdf_impl.h"

#include <stdlib.h>
#include <string.h>

enum { MARKS_MAX = 20000, OUTLINE_DEPTH = 12, TITLE_UNITS = 1024 };

typedef struct Pdf {
    Ctx *cx;
    FPDF_DOCUMENT doc;
    int pages, unread;      // unread: pages that do not load
    PdfLearn learn;         // in cx's arena
    PdfOutline outline;
    Ctx of_page;            // what lives as long as a page
} Pdf;

/* ---- texts ------------------------------------------------------------------------- */

/* UTF-16LE of n units to UTF-8 in the arena. */
static Str from_utf16(Ctx *cx, const unsigned char *p, size_t n)
{
    Buf b = BUF(8 * TITLE_UNITS);
    for (size_t i = 0; i < n; i++) {
        uint32_t c = p[2 * i] | (uint32_t)p[2 * i + 1] << 8;
        if (c == 0) break;
        if (c >= 0xD800 && c < 0xDC00 && i + 1 < n) {
            uint32_t low = p[2 * i + 2] | (uint32_t)p[2 * i + 3] << 8;
            if (low >= 0xDC00 && low < 0xE000) {
                c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
                i++;
            }
        }
        pdf_put(&b, c >= 0xD800 && c < 0xE000 ? 0xFFFD : c < ' ' ? ' ' : c);
    }
    Str s = b.failed ? (Str){ NULL, 0 } : ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    return s;
}

/* ---- title ------------------------------------------------------------------------- */

/* What programs write there that were told no title: a file's name, or nothing. */
static bool is_sensible(Str t)
{
    static const char *const ends[] = { ".doc", ".docx", ".tex", ".dvi", ".pdf", ".ps",
        ".qxd", ".indd", ".odt", ".rtf", ".txt", ".ppt", ".pptx", ".xls", ".xlsx" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        Str end = str_z(ends[i]);
        if (t.n >= end.n && str_ieq((Str){ t.p + t.n - end.n, end.n }, end)) return false;
    }
    return t.n > 2 && !(t.n >= 8 && str_ieq((Str){ t.p, 8 }, STR("untitled")));
}

static Status set_title(Pdf *p, Edition *e)
{
    unsigned char raw[2 * TITLE_UNITS];
    unsigned long n = FPDF_GetMetaText(p->doc, "Title", raw, sizeof raw);
    Str t = n > 2 && n <= sizeof raw ? from_utf16(p->cx, raw, n / 2) : STR("");
    if (t.n == 0 && p->cx->status != OK) return p->cx->status;
    t = str_trim(t);
    if (str_starts(t, STR("Microsoft Word - "))) t.p += 17, t.n -= 17;
    if (!is_sensible(t)) t = p->learn.title;
    return t.n ? edition_title(e, t) : OK;
}

/* ---- outline ----------------------------------------------------------------------- */

static Status outline_add(Pdf *p, FPDF_BOOKMARK b, int level)
{
    PdfOutline *o = &p->outline;
    unsigned char raw[2 * TITLE_UNITS];
    unsigned long n = FPDFBookmark_GetTitle(b, raw, sizeof raw);
    FPDF_DEST to = FPDFBookmark_GetDest(p->doc, b);
    FPDF_ACTION action = to ? NULL : FPDFBookmark_GetAction(b);
    if (action) to = FPDFAction_GetDest(p->doc, action);
    int page = to ? FPDFDest_GetDestPageIndex(p->doc, to) : -1;
    if (page < 0 || n <= 2 || n > sizeof raw) return OK;
    Str title = from_utf16(&p->of_page, raw, n / 2);
    Str key = title.p ? pdf_key(p->cx, title) : title;
    if (!key.p) return fail(p->cx, E_MEMORY, "out of memory for its outline");
    TRY(ctx_grow(p->cx, &o->at, o->n, &o->room, sizeof *o->at));
    if (key.n) o->at[o->n++] = (PdfMark){ page, level, key };
    return OK;
}

/* A hostile outline goes in circles: entries are counted. */
static Status outline_walk(Pdf *p, FPDF_BOOKMARK above, int level, int *left)
{
    FPDF_BOOKMARK b = FPDFBookmark_GetFirstChild(p->doc, above);
    for (; b && *left > 0; b = FPDFBookmark_GetNextSibling(p->doc, b)) {
        --*left;
        TRY(outline_add(p, b, level < 6 ? level : 6));
        if (level < OUTLINE_DEPTH) TRY(outline_walk(p, b, level + 1, left));
    }
    return OK;
}

static int by_page(const void *pa, const void *pb)
{
    const PdfMark *a = pa, *b = pb;
    if (a->page != b->page) return a->page < b->page ? -1 : 1;
    return a->key.p < b->key.p ? -1 : a->key.p > b->key.p;
}

static Status outline_read(Pdf *p)
{
    int left = MARKS_MAX;
    Status st = outline_walk(p, NULL, 1, &left);
    if (p->outline.n) qsort(p->outline.at, p->outline.n, sizeof *p->outline.at, by_page);
    ctx_end(&p->of_page);
    return st;
}

/* ---- pages ------------------------------------------------------------------------- */

typedef struct Open {
    FPDF_PAGE page;
    FPDF_TEXTPAGE text;
    int number;             // from 1
    PdfFlow *flow;          // NULL: to be learnt from
} Open;

/* The words of a page that run one way. `most`: as most of its words do. */
static Status read_turn(Pdf *p, const Open *o, int turn, bool most)
{
    Ctx *cx = &p->of_page;
    PdfPage page = { .text = BUF(64 << 20) };
    pdf_sheet(o->page, turn, &page);
    Status st = pdf_words(cx, o->text, turn, &page);
    if (st == OK) st = pdf_rules(cx, o->page, turn, &page);
    if (st == OK) st = pdf_lines(cx, &page);
    if (st == OK && !o->flow && most) st = pdf_learn(p->cx, &p->learn, &page, o->number);
    if (st == OK && o->flow && most) pdf_strip(&p->learn, &page, o->number);
    if (st == OK && o->flow) st = pdf_order(cx, &page);
    if (st == OK && o->flow) st = pdf_flow_page(cx, o->flow, &page, o->number);
    buf_free(&page.text);
    return st;
}

/* What runs as most of the page does, then the rest: labels along an axis, a stamp. */
static Status read_turns(Pdf *p, const Open *o)
{
    size_t chars[PDF_TURNS];
    int most = 0;
    pdf_turns(o->text, chars);
    for (int t = 1; t < PDF_TURNS; t++)
        if (chars[t] > chars[most]) most = t;
    TRY(read_turn(p, o, most, true));
    for (int t = 0; t < PDF_TURNS && o->flow; t++)
        if (t != most && chars[t]) TRY(read_turn(p, o, t, false));
    return OK;
}

static Status read_page(Pdf *p, int number, PdfFlow *flow)
{
    Open o = { .number = number, .flow = flow };
    Status st = ctx_check(p->cx);
    if (st != OK) return st;
    o.page = FPDF_LoadPage(p->doc, number - 1);
    o.text = o.page ? FPDFText_LoadPage(o.page) : NULL;
    if (o.text) st = read_turns(p, &o);
    else p->unread += flow == NULL;
    if (st != OK && p->of_page.status != OK)
        st = fail(p->cx, st, "page %d: %s", number, p->of_page.reason);
    if (o.text) FPDFText_ClosePage(o.text);
    if (o.page) FPDF_ClosePage(o.page);
    ctx_end(&p->of_page);
    return st;
}

static Status read_parts(Pdf *p, const Sink *to)
{
    Edition e;
    PdfFlow *flow = NULL;
    edition_open(&e, p->cx, to);
    Status st = set_title(p, &e);
    if (st == OK)
        st = pdf_flow_new(p->cx, &(PdfFlowOptions){ &p->learn, &p->outline, &e }, &flow);
    for (int i = 1; st == OK && i <= p->pages; i++) st = read_page(p, i, flow);
    if (st == OK) st = pdf_flow_end(flow);
    if (st == OK) st = edition_end(&e);
    if (st != OK && p->cx->status == OK && e.own.status == st)
        st = fail(p->cx, st, "%s", e.own.reason);
    pdf_flow_free(flow);
    edition_close(&e);
    return st;
}

/* ---- document ---------------------------------------------------------------------- */

static Status refuse(Ctx *cx)
{
    unsigned long why = FPDF_GetLastError();
    if (why == FPDF_ERR_PASSWORD)
        return fail(cx, E_FORMAT, "it is encrypted and opens with a password only; save "
                    "a copy without one (qpdf --decrypt) and add that");
    if (why == FPDF_ERR_SECURITY)
        return fail(cx, E_FORMAT, "it is encrypted in a way that is not read here");
    return fail(cx, E_FORMAT, "no PDF that can be opened: its cross-reference table or "
                "its page tree is damaged beyond repair");
}

static Status read_document(Pdf *p, const Sink *to)
{
    p->pages = FPDF_GetPageCount(p->doc);
    if (p->pages <= 0) return fail(p->cx, E_FORMAT, "a PDF without pages");
    for (int i = 1; i <= p->pages; i++) TRY(read_page(p, i, NULL));
    if (p->unread == p->pages)
        return fail(p->cx, E_FORMAT, "none of its %d pages can be read: the file is "
                    "damaged", p->pages);
    if (p->learn.chars == 0)
        return fail(p->cx, E_FORMAT, "no text on %d pages: they may be scanned; "
                    "recognise the text first (ocrmypdf) and add that", p->pages);
    TRY(pdf_learned(p->cx, &p->learn));
    TRY(outline_read(p));
    return read_parts(p, to);
}

Status pdf_parse(Ctx *cx, const Input *in, const Sink *to)
{
    const char *no_fonts[] = { NULL };
    Ctx own = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    Pdf p = { .cx = &own };
    FPDF_InitLibraryWithConfig(&(FPDF_LIBRARY_CONFIG){ .version = 2,
                                                       .m_pUserFontPaths = no_fonts });
    p.doc = FPDF_LoadMemDocument64(in->bytes.p, in->bytes.n, NULL);
    Status st = p.doc ? read_document(&p, to) : refuse(&own);
    if (p.doc) FPDF_CloseDocument(p.doc);
    FPDF_DestroyLibrary();
    if (st == E_MEMORY) fail(&own, st, "out of memory for a page");
    if (st != OK && own.status != OK) st = fail(cx, st, "%s", own.reason);
    ctx_end(&own);
    ctx_end(&p.of_page);
    return st;
}
