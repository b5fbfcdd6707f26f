/* pdf_page.c -- the glyphs of a page become words.
 *
 * A word ends where the next glyph does not follow at its side: whether the file has a
 * space there says little, for some have none and others have them within words. Raised
 * digits behind a word are the number of a footnote and a word of their own. */
#include "parse/pdf_impl.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* More of one page is not read: it is no page for people. */
enum { GLYPHS_MAX = 1 << 20, OBJECTS_MAX = 1 << 16, RULES_MAX = 1024 };

/* In ems. */
static const float WORD_GAP = .13f, SPACE_GAP = .04f, TIGHT_GAP = .1f, BACK = -.6f;

typedef struct Style {
    FPDF_PAGEOBJECT of;     // the run of text that it was read from
    float size;             // points
    int turn;
    bool mono, bold;
} Style;

typedef struct Glyph {
    uint32_t c;
    float x0, x1, y, size;
    bool tight;             // x1 is of its ink, not of its advance
    bool super;             // a raised digit that the font has as such
} Glyph;

typedef struct Reader {
    Ctx *cx;
    FPDF_TEXTPAGE from;
    PdfPage *page;
    int turn;
    Style style;
    Glyph last;             // of the open word
    bool open, space;       // space: one was read behind the last glyph
} Reader;

/* ---- style ------------------------------------------------------------------------- */

static bool named(const char *font, const char *const *parts)
{
    for (; *parts; parts++)
        if (strcasestr(font, *parts)) return true;
    return false;
}

static void style_font(Reader *r, int i)
{
    static const char *const monos[] = {
        "mono", "courier", "typewriter", "cmtt", "consol", "menlo", "fixed",
        "inconsolata", "lmtt", "sftt", "ectt", "txtt", "nimbusmon", "sourcecode",
        "lettergothic", NULL };
    static const char *const bolds[] = { "bold", "black", "heavy", "cmbx", "-medi",
        "sfbx", NULL };
    char name[128] = "";
    int flags = 0;
    if (FPDFText_GetFontInfo(r->from, i, name, sizeof name, &flags) > sizeof name)
        name[0] = '\0';
    name[sizeof name - 1] = '\0';
    r->style.mono = (flags & 1) || named(name, monos);
    r->style.bold = named(name, bolds) || FPDFText_GetFontWeight(r->from, i) >= 700;
}

/* Runs of text share a style: it is read once for each. */
static void style_of(Reader *r, int i)
{
    FPDF_PAGEOBJECT of = FPDFText_GetTextObject(r->from, i);
    FS_MATRIX m = { 1, 0, 0, 1, 0, 0 };
    if (of && of == r->style.of) return;
    r->style.of = of;
    FPDFText_GetMatrix(r->from, i, &m);
    r->style.size = (float)FPDFText_GetFontSize(r->from, i) * hypotf(m.c, m.d);
    if (fabsf(m.a) >= fabsf(m.b)) r->style.turn = m.a < 0 ? 2 : 0;
    else r->style.turn = m.b > 0 ? 1 : 3;
    style_font(r, i);
}

void pdf_turns(FPDF_TEXTPAGE text, size_t chars[PDF_TURNS])
{
    Reader r = { .from = text };
    int n = FPDFText_CountChars(text);
    memset(chars, 0, PDF_TURNS * sizeof *chars);
    for (int i = 0; i < n && i < GLYPHS_MAX; i++) {
        if (FPDFText_IsGenerated(text, i)) continue;
        style_of(&r, i);
        chars[r.style.turn]++;
    }
}

/* ---- characters -------------------------------------------------------------------- */

void pdf_put(Buf *b, uint32_t c)
{
    char u[4] = { (char)c };
    size_t n = 1;
    if (c >= 0x10000) {
        u[0] = (char)(0xF0 | (c >> 18)), u[1] = (char)(0x80 | ((c >> 12) & 63));
        u[2] = (char)(0x80 | ((c >> 6) & 63)), u[3] = (char)(0x80 | (c & 63)), n = 4;
    } else if (c >= 0x800) {
        u[0] = (char)(0xE0 | (c >> 12)), u[1] = (char)(0x80 | ((c >> 6) & 63));
        u[2] = (char)(0x80 | (c & 63)), n = 3;
    } else if (c >= 0x80) {
        u[0] = (char)(0xC0 | (c >> 6)), u[1] = (char)(0x80 | (c & 63)), n = 2;
    }
    buf_add(b, (Str){ u, n });
}

static bool is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0xA0 || c == 0x202F
        || c == 0x3000 || (c >= 0x2000 && c <= 0x200A) || c == 0x205F;
}

/* 0: nothing that a reader sees, or what has no meaning outside of its font. */
static uint32_t cleaned(uint32_t c)
{
    if (c == 0xAD || c == 2 || c == 0x2010 || c == 0x2011 || c == 0xFFFE) return '-';
    if (c == 0xF0B7 || c == 0xF0A7 || c == 0xF0D8 || c == 0xF076) return 0x2022;
    if (c < ' ' || (c >= 0x7F && c < 0xA0) || c == 0xFEFF || c == 0x200B) return 0;
    if ((c >= 0xD800 && c < 0xF900) || c >= 0xF0000 || c == 0xFFFF) return 0;
    return c;
}

static void put_cleaned(Buf *b, uint32_t c)
{
    static const char ligatures[][4] = { "ff", "fi", "fl", "ffi", "ffl", "st", "st" };
    if (c >= 0xFB00 && c <= 0xFB06) buf_add(b, str_z(ligatures[c - 0xFB00]));
    else pdf_put(b, c);
}

static bool is_rtl(uint32_t c)
{
    return (c >= 0x590 && c < 0x900) || (c >= 0xFB1D && c < 0xFE00)
        || (c >= 0xFE70 && c < 0xFEFF);
}

static bool is_letter(uint32_t c)
{
    return ((c | 32) >= 'a' && (c | 32) <= 'z') || c >= 0xC0;
}

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

/* ---- words ------------------------------------------------------------------------- */

/* A box of the page as it stands once the page is turned. */
static PdfRule turned(int turn, float left, float right, float bottom, float top)
{
    if (turn == 0) return (PdfRule){ left, right, -top, -bottom };
    if (turn == 1) return (PdfRule){ bottom, top, left, right };
    if (turn == 2) return (PdfRule){ -right, -left, bottom, top };
    return (PdfRule){ -top, -bottom, -right, -left };
}

/* PDFium gives some of them as plain digits: their ink tells. */
static void superscript(Reader *r, int i, Glyph *g)
{
    double left, right, bottom, top;
    if (g->c >= 0x2070 && g->c <= 0x2079 && (g->c == 0x2070 || g->c > 0x2073)) {
        g->super = true;
        g->c = '0' + (g->c - 0x2070);
    } else if (g->c == 0xB9 || g->c == 0xB2 || g->c == 0xB3) {
        g->super = true;
        g->c = g->c == 0xB9 ? '1' : '0' + (g->c - 0xB0);
    } else if (g->c >= '1' && g->c <= '3'
               && FPDFText_GetCharBox(r->from, i, &left, &right, &bottom, &top)) {
        PdfRule ink = turned(r->turn, (float)left, (float)right, (float)bottom,
                             (float)top);
        g->super = ink.y1 < g->y - .2f * g->size && ink.y1 > g->y - g->size;
    }
}

static bool glyph_at(Reader *r, int i, uint32_t c, Glyph *g)
{
    double x = 0, y = 0;
    FS_RECTF box = { 0 };
    if (!FPDFText_GetCharOrigin(r->from, i, &x, &y)) return false;
    if (!FPDFText_GetLooseCharBox(r->from, i, &box)) return false;
    PdfRule at = turned(r->turn, (float)x, (float)x, (float)y, (float)y);
    PdfRule room = turned(r->turn, box.left, box.right, box.bottom, box.top);
    *g = (Glyph){ .c = c, .x0 = at.x0, .x1 = room.x1, .y = at.y0, .size = r->style.size };
    if (!(g->size > .5f && g->size < 2000)) g->size = fabsf(room.y1 - room.y0);
    g->tight = room.x0 > at.x0 + .02f * g->size;
    if (g->x1 < g->x0) g->x1 = g->x0;
    superscript(r, i, g);
    /* A hostile page has glyphs at the end of the world, or at no number. */
    return fabsf(g->x0) < 1e5f && fabsf(g->x1) < 1e5f && fabsf(g->y) < 1e5f
        && g->size > .1f && g->size < 1e4f;
}

static PdfWord *last_word(Reader *r)
{
    return r->page->n_words ? &r->page->words[r->page->n_words - 1] : NULL;
}

static Status word_begin(Reader *r, const Glyph *g)
{
    PdfPage *p = r->page;
    TRY(ctx_grow(r->cx, &p->words, p->n_words, &p->words_room, sizeof *p->words));
    p->words[p->n_words++] = (PdfWord){ .x0 = g->x0, .x1 = g->x1, .y = g->y,
        .size = g->size, .at = (uint32_t)p->text.n, .mono = r->style.mono,
        .bold = r->style.bold };
    p->words[p->n_words - 1].mark = g->super;
    r->open = true;
    return OK;
}

static void word_add(Reader *r, const Glyph *g)
{
    PdfWord *w = last_word(r);
    put_cleaned(&r->page->text, g->c);
    w->n = (uint32_t)(r->page->text.n - w->at);
    w->chars++;
    if (g->x1 > w->x1) w->x1 = g->x1;
    if (g->x0 < w->x0) w->x0 = g->x0;
    if (g->c >= 0x2E80) w->mono = false;    // these are wide in every font
    w->rtl |= is_rtl(g->c);
    r->last = *g;
    r->space = false;
}

typedef enum Border { NO_BORDER, BORDER, MARK, RAISED, LOWERED } Border;

/* A number behind a word is a footnote's, behind a number or a unit it is a power. */
static Border raised(const Reader *r, const Glyph *g)
{
    const PdfWord *w = &r->page->words[r->page->n_words - 1];
    return is_digit(g->c) && !is_digit(r->last.c) && w->chars > 2 ? MARK : RAISED;
}

/* What lies between the last glyph and this one? */
static Border border(const Reader *r, const Glyph *g)
{
    const Glyph *l = &r->last;
    float em = l->size > g->size ? l->size : g->size, dy = g->y - l->y;
    float gap = g->x0 > l->x1 ? g->x0 - l->x1 : l->x0 > g->x1 ? l->x0 - g->x1 : 0;
    float least = WORD_GAP + (g->tight || l->tight ? TIGHT_GAP : 0);
    bool back = g->x1 - l->x0 < BACK * em && !is_rtl(g->c) && !is_rtl(l->c);
    if (g->super != l->super) {
        if (l->super || back || r->space || gap > .25f * em) return BORDER;
        return raised(r, g);
    }
    if (fabsf(dy) > .12f * em) {
        bool small = g->size < .88f * l->size && fabsf(dy) < .7f * l->size;
        if (!small || r->space || back || gap > .25f * em) return BORDER;
        if (dy > 0) return LOWERED;
        return raised(r, g);
    }
    if (back || gap > least * em) return BORDER;
    return r->space && gap > SPACE_GAP * em ? BORDER : NO_BORDER;
}

/* The number at the front of a footnote was read before it could be known as one: its
 * text stands lower and is larger. */
static void settle_front(Reader *r, const Glyph *g)
{
    PdfWord *w = last_word(r);
    const char *p = r->page->text.p + w->at;
    float dy = g->y - w->y, gap = g->x0 - w->x1;
    if (w->mark || w->size >= .88f * g->size || w->chars > 4) return;
    if (dy < .12f * g->size || dy > .7f * g->size || gap < -.2f * g->size) return;
    if (gap > 1.2f * g->size) return;
    for (uint32_t i = 0; i < w->n; i++)
        if (!is_digit((unsigned char)p[i])) return;
    w->mark = true;
    w->y = g->y;
    w->size = g->size;
}

/* Within a footnote's number, which stands on the line's baseline by now. */
static bool goes_on_mark(const Reader *r, const PdfWord *w, const Glyph *g)
{
    return w->mark && is_digit(g->c) && !r->space && g->size < .88f * w->size
        && fabsf(g->x0 - r->last.x1) < .3f * g->size;
}

static Status word_border(Reader *r, Glyph *g, Border b)
{
    PdfWord *w = last_word(r);
    float y = w->y, size = w->size, gap = g->x0 - w->x1;
    bool mark = w->mark;
    if (b == BORDER) settle_front(r, g);
    TRY(word_begin(r, g));
    w = last_word(r);
    if (b == MARK) {
        w->mark = true;
        w->y = y;
        w->size = size;
    } else if (mark && fabsf(g->y - y) < .1f * size && fabsf(gap) < WORD_GAP * size
               && !is_letter(g->c)) {
        w->glued = true;    // the full stop behind a footnote's number
    }
    return OK;
}

static Status put_glyph(Reader *r, Glyph *g)
{
    PdfWord *w = r->open ? last_word(r) : NULL;
    if (!w) {
        TRY(word_begin(r, g));
        word_add(r, g);
        return OK;
    }
    if (goes_on_mark(r, w, g)) {
        g->y = r->last.y, g->size = r->last.size;
        word_add(r, g);
        return OK;
    }
    Border b = border(r, g);
    if (b == NO_BORDER && w->mark && !g->super) b = BORDER;
    if (b == RAISED && is_digit(g->c)) buf_add(&r->page->text, STR("^"));
    if (b == BORDER || b == MARK) TRY(word_border(r, g, b));
    if (b != BORDER && b != NO_BORDER) g->y = r->last.y, g->size = r->last.size;
    word_add(r, g);
    return OK;
}

/* The next character, and how many of PDFium's it takes: two where it is a pair of
 * surrogates. */
static int character(Reader *r, int i, int n, uint32_t *c)
{
    *c = FPDFText_GetUnicode(r->from, i);
    if (FPDFText_IsHyphen(r->from, i) == 1) *c = '-';
    if (*c < 0xD800 || *c > 0xDBFF || i + 1 >= n) return 1;
    uint32_t low = FPDFText_GetUnicode(r->from, i + 1);
    if (low < 0xDC00 || low > 0xDFFF) return 1;
    *c = 0x10000 + ((*c - 0xD800) << 10) + (low - 0xDC00);
    return 2;
}

Status pdf_words(Ctx *cx, FPDF_TEXTPAGE text, int turn, PdfPage *page)
{
    Reader r = { .cx = cx, .from = text, .page = page, .turn = turn };
    int n = FPDFText_CountChars(text), step;
    if (n > GLYPHS_MAX) n = GLYPHS_MAX;
    for (int i = 0; i < n; i += step) {
        uint32_t c;
        Glyph g;
        step = character(&r, i, n, &c);
        if (FPDFText_IsGenerated(text, i)) continue;
        style_of(&r, i);
        if (r.style.turn != turn) continue;
        if (is_space(c)) r.space = true;
        else if (cleaned(c) && glyph_at(&r, i, cleaned(c), &g)) TRY(put_glyph(&r, &g));
    }
    if (page->text.failed) return fail(cx, E_MEMORY, "out of memory for a page's text");
    return OK;
}

Str pdf_word(const PdfPage *page, const PdfWord *w)
{
    return (Str){ page->text.p + w->at, w->n };
}

/* ---- the sheet --------------------------------------------------------------------- */

void pdf_sheet(FPDF_PAGE from, int turn, PdfPage *page)
{
    FS_RECTF box = { 0, 792, 612, 0 };
    FPDF_GetPageBoundingBox(from, &box);
    PdfRule sheet = turned(turn, box.left, box.right, box.bottom, box.top);
    page->top = sheet.y0;
    page->bottom = sheet.y1;
}

static void add_rule(PdfPage *p, PdfRule r)
{
    float w = r.x1 - r.x0, h = r.y1 - r.y0;
    if (h < 2.5f && w > 10 && p->n_across < RULES_MAX) p->across[p->n_across++] = r;
    else if (w < 2.5f && h > 5 && p->n_down < RULES_MAX) p->down[p->n_down++] = r;
}

/* A frame is four rules. */
static void add_frame(PdfPage *p, PdfRule r)
{
    add_rule(p, (PdfRule){ r.x0, r.x1, r.y0, r.y0 });
    add_rule(p, (PdfRule){ r.x0, r.x1, r.y1, r.y1 });
    add_rule(p, (PdfRule){ r.x0, r.x0, r.y0, r.y1 });
    add_rule(p, (PdfRule){ r.x1, r.x1, r.y0, r.y1 });
}

Status pdf_rules(Ctx *cx, FPDF_PAGE from, int turn, PdfPage *page)
{
    int n = FPDFPage_CountObjects(from);
    page->across = ctx_new(cx, PdfRule, RULES_MAX);
    page->down = ctx_new(cx, PdfRule, RULES_MAX);
    if (!page->across || !page->down) return E_MEMORY;
    for (int i = 0; i < n && i < OBJECTS_MAX; i++) {
        FPDF_PAGEOBJECT o = FPDFPage_GetObject(from, i);
        float left, bottom, right, top;
        int fill = 0, stroke = 0;
        if (!o || FPDFPageObj_GetType(o) != FPDF_PAGEOBJ_PATH) continue;
        if (!FPDFPageObj_GetBounds(o, &left, &bottom, &right, &top)) continue;
        PdfRule r = turned(turn, left, right, bottom, top);
        if (r.x1 - r.x0 < 2.5f || r.y1 - r.y0 < 2.5f) add_rule(page, r);
        else if (FPDFPath_GetDrawMode(o, &fill, &stroke) && stroke) add_frame(page, r);
    }
    return OK;
}
