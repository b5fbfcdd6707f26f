/* pdf_text.c -- the text of a line, and how it is put to the one before. */
#include "parse/pdf_flow_impl.h"

#include <math.h>
#include <string.h>

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* ---- joining ----------------------------------------------------------------------- */

static Str last_word(Str s)
{
    size_t from = s.n;
    while (from && s.p[from - 1] != ' ' && s.p[from - 1] != '\n') from--;
    return (Str){ s.p + from, s.n - from };
}

static Str first_word(Str s)
{
    size_t n = 0;
    while (n < s.n && s.p[n] != ' ') n++;
    return (Str){ s.p, n };
}

/* Does the hyphen between a and b stay? Not where the document has the word without it;
 * yes where it has the word with it, or both halves as words. */
static bool keeps_hyphen(const PdfLearn *doc, Str a, Str b)
{
    if (pdf_seen(doc, a, b, false)) return false;
    if (!is_lower(*b.p)) return true;
    if (pdf_seen(doc, a, b, true)) return true;
    return a.n > 2 && b.n > 2 && pdf_seen(doc, a, STR(""), false)
        && pdf_seen(doc, b, STR(""), false);
}

static bool is_address(Str word)
{
    return memmem(word.p, word.n, "://", 3) != NULL;
}

static bool goes_on_as_address(Str a, Str b)
{
    return a.n && is_address(a) && strchr("/._=&?%#", a.p[a.n - 1]) && is_word(*b.p);
}

/* Han and Kana are written without spaces: U+3000 to U+9FFF. */
static bool is_wide(Str s, bool at_end)
{
    size_t at = at_end ? s.n : 3;
    if (s.n < 3) return false;
    while (at_end && at > 0 && ((unsigned char)s.p[at - 1] & 0xC0) == 0x80) at--;
    unsigned char c = (unsigned char)(at_end ? at ? s.p[at - 1] : 0 : s.p[0]);
    return c >= 0xE3 && c <= 0xE9;
}

void flow_join(const PdfLearn *doc, Buf *text, Str line)
{
    Str before = buf_str(text);
    if (line.n == 0) return;
    bool fresh = before.n == 0 || before.p[before.n - 1] == '\n';
    Str a = fresh ? STR("") : last_word(before), b = first_word(line);
    if (a.n > 1 && a.p[a.n - 1] == '-' && is_word(a.p[a.n - 2]) && is_word(*b.p)) {
        a.n--;
        if (!is_address(a) && !keeps_hyphen(doc, a, b)) text->n--;
    } else if (!fresh && !goes_on_as_address(a, b)
               && !(is_wide(before, true) && is_wide(line, false))) {
        buf_add(text, STR(" "));
    }
    buf_add(text, line);
}

/* ---- marks of a list --------------------------------------------------------------- */

Marker flow_marker(Str w)
{
    static const char *const bullets[] = { "\xE2\x80\xA2", "\xE2\x97\xA6", "\xE2\x96\xAA",
        "\xE2\x80\xA3", "\xE2\x97\x8F", "\xE2\x97\x8B", "\xE2\x96\xA0", "\xE2\x96\xA1",
        "\xC2\xB7", "\xE2\x88\x99", "\xE2\x9E\xA2", "\xE2\x9C\x93", "\xE2\x97\xBC",
        "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x88\x97", "*", "-" };
    for (size_t i = 0; i < sizeof bullets / sizeof *bullets; i++)
        if (str_eq(w, str_z(bullets[i]))) return MARKER_BULLET;
    bool bracket = w.n && *w.p == '(';
    if (bracket) w.p++, w.n--;
    if (w.n < 2 || w.n > 4 || !strchr(bracket ? ")" : ".)", w.p[w.n - 1]))
        return MARKER_NONE;
    size_t digits = 0, roman = 0;
    for (size_t i = 0; i + 1 < w.n; i++) {
        digits += w.p[i] >= '0' && w.p[i] <= '9';
        roman += strchr("ivx", w.p[i]) != NULL;
    }
    bool letter = w.n == 2 && w.p[0] >= 'a' && w.p[0] <= 'z';
    return letter || digits + 1 == w.n || roman + 1 == w.n ? MARKER_NUMBER : MARKER_NONE;
}

/* ---- leaders ----------------------------------------------------------------------- */

bool flow_cut_leaders(Buf *line)
{
    enum { LEAST = 4 };
    size_t n = 0, dots = 0, from = 0;
    bool cut = false;
    for (size_t i = 0; i <= line->n; i++) {
        char c = i < line->n ? line->p[i] : '\0';
        if (c == '.' || (c == ' ' && dots)) {
            if (dots == 0) from = n;
            dots += c == '.';
        } else {
            if (dots >= LEAST) n = from, cut = true, line->p[n++] = ' ';
            dots = 0;
        }
        if (i < line->n) line->p[n++] = c;
    }
    line->n = n;
    return cut;
}

/* ---- code -------------------------------------------------------------------------- */

void flow_code_measure(PdfFlow *f, size_t i)
{
    const PdfPage *p = f->page;
    const PdfLine *first = &p->lines[i];
    const PdfWord *w = &p->words[first->first];
    f->code_x = first->x0;
    f->code_step = w->chars ? (w->x1 - w->x0) / (float)w->chars : 0;
    if (!(f->code_step > .2f * first->size)) f->code_step = .6f * first->size;
    for (; i < p->n_lines; i++) {
        const PdfLine *l = &p->lines[i];
        if (l->block != first->block || !flow_is_code(l)) break;
        if (l->x0 < f->code_x) f->code_x = l->x0;
    }
}

static void put_spaces(Buf *b, float n, size_t least)
{
    enum { MOST = 60 };
    size_t wanted = n > 0 && n < MOST ? (size_t)(n + .5f) : n > 0 ? MOST : 0;
    if (wanted < least) wanted = least;
    for (size_t i = 0; i < wanted; i++) buf_add(b, STR(" "));
}

void flow_code_line(PdfFlow *f, const PdfLine *l)
{
    float x = f->code_x;
    for (uint32_t i = 0; i < l->n; i++) {
        const PdfWord *w = &f->page->words[l->first + i];
        put_spaces(&f->text, (w->x0 - x) / f->code_step, i > 0);
        buf_add(&f->text, pdf_word(f->page, w));
        x = w->x1;
    }
}

/* ---- headings of the outline ------------------------------------------------------- */

enum { HEADING_LINES = 3, PREFIX = 20, MARKS_MAX = 200, LINES_MAX = 4000 };

/* Is key the title's, but for a number in front of one of them? */
static bool key_matches(Str key, Str title)
{
    if (key.n >= title.n) return str_ends(key, title) && key.n - title.n <= PREFIX;
    return key.n >= 4 && str_ends(title, key) && title.n - key.n <= PREFIX / 2;
}

/* The lines from i on that are the title; 0: none are. */
static size_t matching(Ctx *cx, PdfPage *p, const Str *keys, size_t i, Str title)
{
    Str all = { NULL, 0 };
    for (size_t n = 1; n <= HEADING_LINES && i + n <= p->n_lines; n++) {
        const PdfLine *l = &p->lines[i + n - 1];
        if (l->level || l->table || l->block != p->lines[i].block) return 0;
        if (fabsf(l->size - p->lines[i].size) > .05f * l->size) return 0;
        all = n == 1 ? keys[i] : ctx_printf(cx, "%.*s%.*s", (int)all.n, all.p,
                                            (int)keys[i + n - 1].n, keys[i + n - 1].p);
        if (!all.p || all.n > title.n + PREFIX) return 0;
        if (key_matches(all, title)) return n;
    }
    return 0;
}

static void mark(Ctx *cx, PdfPage *p, const Str *keys, const PdfMark *m)
{
    for (size_t i = 0; i < p->n_lines; i++) {
        if (p->lines[i].level || keys[i].n == 0) continue;
        size_t n = matching(cx, p, keys, i, m->key);
        for (size_t k = i; k < i + n; k++) {
            p->lines[k].level = m->level;
            p->lines[k].more = k + 1 < i + n;
        }
        if (n) return;
    }
}

static Status line_keys(Ctx *cx, const PdfPage *p, Str **out)
{
    Buf b = BUF(1 << 20);
    Str *keys = ctx_new(cx, Str, p->n_lines);
    TRY_NEW(keys);
    for (size_t i = 0; i < p->n_lines; i++) {
        b.n = 0;
        if (p->lines[i].chars < 400) pdf_line_text(p, &p->lines[i], &b);
        keys[i] = pdf_key(cx, buf_str(&b));
        if (!keys[i].p) break;
    }
    bool lost = b.failed || cx->status != OK;
    buf_free(&b);
    *out = keys;
    return lost ? fail(cx, E_MEMORY, "out of memory for headings") : OK;
}

Status flow_mark_headings(Ctx *cx, const PdfOutline *o, PdfPage *p, int number)
{
    size_t low = 0, high = o->n;
    Str *keys;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (o->at[mid].page < number - 1) low = mid + 1;
        else high = mid;
    }
    high = low + MARKS_MAX < o->n ? low + MARKS_MAX : o->n;
    if (low == o->n || o->at[low].page != number - 1 || p->n_lines > LINES_MAX) return OK;
    TRY(line_keys(cx, p, &keys));
    for (size_t i = low; i < high && o->at[i].page == number - 1; i++)
        mark(cx, p, keys, &o->at[i]);
    return OK;
}
