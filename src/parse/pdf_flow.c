/* pdf_flow.c -- the lines of the pages become parts.
 *
 * A line goes on with the open part unless something speaks against it: a gap, an indent,
 * another size, a mark of a list, or that its first word would have fitted into the line
 * before, so that the author must have ended that one. A part that is open at the end of
 * a page waits for the next page, and so do the footnotes below it. */
#include "parse/pdf_flow_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PART_BYTES = 4 << 20 };      // a part is ended there, whatever follows

Status pdf_flow_new(Ctx *cx, const PdfFlowOptions *opt, PdfFlow **out)
{
    PdfFlow *f = ctx_new(cx, PdfFlow, 1);
    TRY_NEW(f);
    f->cx = cx;
    f->opt = *opt;
    f->text = f->notes = f->line = BUF(2 * PART_BYTES);
    *out = f;
    return OK;
}

void pdf_flow_free(PdfFlow *f)
{
    if (!f) return;
    buf_free(&f->text);
    buf_free(&f->notes);
    buf_free(&f->line);
}

/* ---- parts ------------------------------------------------------------------------- */

static Status flush_notes(PdfFlow *f)
{
    Str all = buf_str(&f->notes);
    edition_page(f->opt.to, f->notes_page);
    for (size_t at = 0; at < all.n;) {
        Str note = line_at(all, at, &at);
        TRY(edition_add(f->opt.to, PART_PARAGRAPH, 0, note));
    }
    f->notes.n = 0;
    return OK;
}

static Status flow_close(PdfFlow *f)
{
    if (f->text.failed || f->notes.failed || f->line.failed)
        return fail(f->cx, E_MEMORY, "out of memory for a part");
    if (f->open) {
        edition_page(f->opt.to, f->begun);
        TRY(edition_add(f->opt.to, f->kind, f->level, buf_str(&f->text)));
    }
    f->open = false;
    f->text.n = 0;
    return f->notes.n ? flush_notes(f) : OK;
}

static Status flow_open(PdfFlow *f, PartKind kind, int level, const PdfLine *l)
{
    TRY(flow_close(f));
    f->open = true;
    f->kind = kind;
    f->level = level;
    f->begun = f->number;
    f->lines = 0;
    f->first_x = f->left = l->x0;
    return OK;
}

static void took(PdfFlow *f, const PdfLine *l)
{
    bool moved = f->last_page != f->number || f->last.block != l->block;
    if (f->lines && moved) {                // the next column, or page: its own borders
        f->first_x += l->x0 - f->left;
        f->left = l->x0;
        f->lines = 2;
    }
    f->last = *l;
    f->ends_mono = f->page->words[l->first + l->n - 1].mono;
    f->last_page = f->number;
    f->last_right = f->blocks[l->block].right;
    if (++f->lines == 2) f->left = l->x0;
}

/* ---- what a line is ---------------------------------------------------------------- */

static Str first_word(const PdfFlow *f, const PdfLine *l)
{
    return pdf_word(f->page, &f->page->words[l->first]);
}

bool flow_is_code(const PdfLine *l)
{
    return !l->table && l->mono > 0 && 5 * l->mono >= 4 * l->chars;
}

static bool is_note(const PdfFlow *f, const PdfLine *l)
{
    return l->size < .93f * f->opt.doc->body && f->page->words[l->first].mark && l->n > 1;
}

/* A heading by its looks: large; or bold and alone, where no outline tells. */
static int heading_level(const PdfFlow *f, const PdfLine *l, size_t i)
{
    const PdfLearn *doc = f->opt.doc;
    const PdfBlock *b = &f->blocks[l->block];
    bool known = f->opt.outline->n >= 3;
    if (l->level) return l->level;
    if (l->table || l->mono || l->chars < 3 || l->chars > 120) return 0;
    if (l->size >= 1.14f * doc->body) return pdf_size_level(doc, l->size);
    if (known || l->bold < l->chars || l->chars > 80 || l->hang) return 0;
    if (l->size < .97f * doc->body) return 0;
    if (l->x1 - l->x0 > .8f * (b->right - b->left)) return 0;
    const PdfLine *next = i + 1 < f->page->n_lines ? l + 1 : NULL;
    if (next && next->block == l->block && next->bold == next->chars) return 0;
    Str last = pdf_word(f->page, &f->page->words[l->first + l->n - 1]);
    if (str_ends(last, STR(".")) || str_ends(last, STR(":")) || str_ends(last, STR(",")))
        return 0;
    return pdf_size_level(doc, doc->body);
}

/* ---- does it go on? ---------------------------------------------------------------- */

static bool is_lower(Str s)
{
    return s.n && *s.p >= 'a' && *s.p <= 'z';
}

static bool ends_sentence(Str s)
{
    while (s.n && strchr("\")']}", s.p[s.n - 1])) s.n--;
    if (s.n && strchr(".?!:;", s.p[s.n - 1])) return true;
    return s.n >= 3 && (memcmp(s.p + s.n - 3, "\xE3\x80\x82", 3) == 0);   // U+3002
}

/* Would the first word of l have fitted behind the last line? Then the author ended that
 * one, unless they are set alike, or both are of one sentence with a ragged edge. */
static bool would_have_fitted(const PdfFlow *f, const PdfLine *l)
{
    const PdfWord *w = &f->page->words[l->first];
    float em = f->last.size, room = f->last_right - f->last.x1;
    bool below = fabsf(f->last.x0 - l->x0) < .3f * em;
    bool justified = below && fabsf(f->last.x1 - l->x1) < .15f * em;
    bool ragged = below && f->last.x1 - f->last.x0 > 3 * room
        && is_lower(pdf_word(f->page, w)) && !ends_sentence(buf_str(&f->text));
    return !justified && !ragged && room > (w->x1 - w->x0) + .6f * em;
}

static bool same_size(const PdfLine *a, const PdfLine *b, float by)
{
    return fabsf(a->size - b->size) <= by * a->size;
}

static bool indent_speaks_against(const PdfFlow *f, const PdfLine *l)
{
    float em = l->size;
    float out = f->kind == PART_ITEM ? .3f : 4;
    if (f->lines < 2) return l->x0 < f->first_x - out * em;
    return fabsf(l->x0 - f->left) > .8f * em;
}

static bool begins_item(const PdfFlow *f, const PdfLine *l)
{
    float em = l->size;
    Marker m = flow_marker(first_word(f, l));
    bool aligned = fabsf(l->x0 - f->first_x) < .5f * em;
    if (m == MARKER_BULLET) return l->n > 1;
    if (m == MARKER_NUMBER)
        return l->hang || (f->kind == PART_ITEM && aligned)
            || l->x0 > f->first_x + .5f * em || str_ends(buf_str(&f->text), STR(":"));
    return l->hang && (aligned || f->kind != PART_ITEM);
}

static bool goes_on_below(const PdfFlow *f, const PdfLine *l)
{
    float gap = l->y - f->last.y, usual = f->blocks[l->block].gap;
    if (gap <= 0 || gap > 1.35f * usual + .5f) return false;
    if (!same_size(&f->last, l, .15f)) return false;
    if (begins_item(f, l) || indent_speaks_against(f, l)) return false;
    if (f->last.bold == f->last.chars && f->lines == 1 && 2 * l->bold < l->chars
        && would_have_fitted(f, l)) return false;
    return !would_have_fitted(f, l);
}

/* On the next page, or at the top of the next column. */
static bool goes_on_elsewhere(const PdfFlow *f, const PdfLine *l)
{
    Str text = buf_str(&f->text), word = first_word(f, l);
    if (f->last_page == f->number && l->y >= f->last.y) return false;
    if (!same_size(&f->last, l, .06f) || begins_item(f, l)) return false;
    if (str_ends(text, STR("-"))) return true;
    if (ends_sentence(text)) return false;
    return is_lower(word) || f->last_right - f->last.x1 < 2 * l->size;
}

static bool goes_on(const PdfFlow *f, const PdfLine *l)
{
    if (!f->open || f->text.n > PART_BYTES) return false;
    if (f->kind != PART_PARAGRAPH && f->kind != PART_ITEM) return false;
    bool here = f->last_page == f->number && f->last.block == l->block;
    return here ? goes_on_below(f, l) : goes_on_elsewhere(f, l);
}

/* ---- lines ------------------------------------------------------------------------- */

static Status take_row(PdfFlow *f, const PdfLine *l)
{
    TRY(flow_open(f, PART_ROW, 0, l));
    Str cells = l->cells;
    for (size_t at = 0; at < cells.n;)
        flow_join(f->opt.doc, &f->text, line_at(cells, at, &at));
    TRY(flow_close(f));
    took(f, l);
    return OK;
}

static Str text_of(PdfFlow *f, const PdfLine *l)
{
    f->line.n = 0;
    pdf_line_text(f->page, l, &f->line);
    return buf_str(&f->line);
}

static Status take_heading(PdfFlow *f, const PdfLine *l, int level)
{
    bool on = f->open && f->kind == PART_HEADING && f->last_page == f->number
        && f->last.block == l->block;
    if (l->level || f->last.level) on &= f->last.more;
    else on &= same_size(&f->last, l, .05f) && l->y - f->last.y < 1.8f * l->size;
    if (!on) TRY(flow_open(f, PART_HEADING, level, l));
    flow_join(f->opt.doc, &f->text, text_of(f, l));
    took(f, l);
    return OK;
}

static Status take_code(PdfFlow *f, const PdfLine *l, size_t i)
{
    bool on = f->open && f->kind == PART_CODE && f->text.n < PART_BYTES;
    bool here = on && f->last_page == f->number;
    float gap = l->y - f->last.y, usual = f->blocks[l->block].gap;
    if (here && (f->last.block != l->block || gap > 4 * usual || gap <= 0)) on = false;
    if (!on || !here) flow_code_measure(f, i);
    if (!on) TRY(flow_open(f, PART_CODE, 0, l));
    else buf_add(&f->text, here && gap > 1.7f * usual ? STR("\n\n") : STR("\n"));
    flow_code_line(f, l);
    took(f, l);
    return OK;
}

static void take_note(PdfFlow *f, const PdfLine *l)
{
    bool begins = f->page->words[l->first].mark;
    if (f->notes.n == 0) f->notes_page = f->number;
    if (begins && f->notes.n) buf_add(&f->notes, STR("\n"));
    flow_join(f->opt.doc, &f->notes, text_of(f, l));
    f->in_note = true;
    f->last_note = *l;
}

/* A note begins with its number, and goes on in lines of its size right below. */
static bool belongs_to_note(const PdfFlow *f, const PdfLine *l)
{
    if (l->table || l->level) return false;
    if (is_note(f, l)) return true;
    return f->in_note && same_size(&f->last_note, l, .12f) && l->y > f->last_note.y
        && l->y - f->last_note.y < 1.6f * l->size;
}

/* A name in typewriter type, cut behind a sign at the end of the line. */
static bool cut_in_code(const PdfFlow *f, const PdfLine *l)
{
    return f->ends_mono && f->page->words[l->first].mono && f->text.n
        && strchr("./_=:@", f->text.p[f->text.n - 1]);
}

static Status take_text(PdfFlow *f, const PdfLine *l)
{
    text_of(f, l);
    Marker m = flow_marker(first_word(f, l));
    bool leaders = flow_cut_leaders(&f->line);
    Str text = buf_str(&f->line);
    if (!goes_on(f, l)) {
        bool item = m != MARKER_NONE && l->n > 1;
        TRY(flow_open(f, item || leaders || l->hang ? PART_ITEM : PART_PARAGRAPH, 0, l));
        if (m == MARKER_BULLET && l->n > 1) {
            Str bullet = first_word(f, l);
            text = (Str){ text.p + bullet.n, text.n - bullet.n };
        }
    }
    if (f->lines && cut_in_code(f, l)) buf_add(&f->text, str_trim(text));
    else flow_join(f->opt.doc, &f->text, str_trim(text));
    took(f, l);
    return OK;
}

static Status take(PdfFlow *f, size_t i)
{
    const PdfLine *l = &f->page->lines[i];
    if (belongs_to_note(f, l)) {
        take_note(f, l);
        return OK;
    }
    f->in_note = false;
    if (l->table) return take_row(f, l);
    int level = heading_level(f, l, i);
    if (level && (l->level || !goes_on(f, l))) return take_heading(f, l, level);
    if (flow_is_code(l) && !(f->kind != PART_CODE && goes_on(f, l)))
        return take_code(f, l, i);
    return take_text(f, l);
}

/* ---- pages ------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The usual distance of baselines, of the lines [from, to). */
static float usual_gap(const PdfLine *l, size_t from, size_t to, float *scratch)
{
    size_t n = 0;
    for (size_t i = from + 1; i < to; i++) {
        float gap = l[i].y - l[i - 1].y;
        if (gap > .8f * l[i].size && gap < 1.9f * l[i].size) scratch[n++] = gap;
    }
    if (n == 0) return 1.25f * l[from].size;
    qsort(scratch, n, sizeof *scratch, by_value);
    return scratch[n / 3];
}

/* The margin of the lines [from, to): the furthest that three of them reach, for a word
 * too long for its line may go past it; else the furthest of all. */
static float margin(const PdfLine *l, size_t from, size_t to, float *scratch)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        if (!flow_is_code(&l[i])) scratch[n++] = l[i].x1;
    if (n == 0) return -1e6f;
    qsort(scratch, n, sizeof *scratch, by_value);
    for (size_t i = n; i >= 3; i--)
        if (scratch[i - 1] - scratch[i - 3] < 1.5f) return scratch[i - 1];
    return scratch[n - 1];
}

static Status measure_blocks(Ctx *cx, PdfFlow *f)
{
    const PdfPage *p = f->page;
    size_t most = 0;
    float *scratch = ctx_new(cx, float, p->n_lines);
    for (size_t i = 0; i < p->n_lines; i++)
        if (p->lines[i].block > most) most = p->lines[i].block;
    f->blocks = ctx_new(cx, PdfBlock, most + 1);
    if (!scratch || !f->blocks) return E_MEMORY;
    for (size_t i = 0, to; i < p->n_lines; i = to) {
        PdfBlock *b = &f->blocks[p->lines[i].block];
        *b = (PdfBlock){ .left = 1e6f };
        for (to = i; to < p->n_lines && p->lines[to].block == p->lines[i].block; to++) {
            const PdfLine *l = &p->lines[to];
            if (l->x0 < b->left) b->left = l->x0;
        }
        b->right = margin(p->lines, i, to, scratch);
        b->gap = usual_gap(p->lines, i, to, scratch);
    }
    return OK;
}

Status pdf_flow_page(Ctx *cx, PdfFlow *f, PdfPage *page, int number)
{
    f->cx = cx;
    f->page = page;
    f->number = number;
    f->in_note = false;
    TRY(flow_mark_headings(cx, f->opt.outline, page, number));
    TRY(measure_blocks(cx, f));
    for (size_t i = 0; i < page->n_lines; i++) TRY(take(f, i));
    f->page = NULL;
    return OK;
}

Status pdf_flow_end(PdfFlow *f)
{
    return flow_close(f);
}
