/* docx.c -- Word's documents (ECMA-376 part 1, WordprocessingML), in the final text: what
 * was deleted or moved away is left out, what was inserted stands.
 *
 * The body is one stream of paragraphs. A paragraph inside a cell goes to the cell, one
 * in a text box is written before the paragraph that the box hangs on, and a footnote
 * behind the paragraph that names it. Headers, footers and comments are members of their
 * own, which are not opened. */
#include "parse/docx_lists.h"
#include "parse/docx_styles.h"
#include "parse/package.h"
#include "parse/parse.h"
#include "parse/table.h"

#include <stdlib.h>
#include <string.h>

enum {
    BOXES = 8,              // text boxes in text boxes
    NOTES = 32,             // of one paragraph
    NOTES_MAX = 65536, NOTE_BYTES = 16 << 20,
    HEADING_BYTES = 400,    // a longer one is a paragraph in a heading's style
    LEVELS = 6,
};

typedef struct Paragraph {
    Buf text;
    Style style;
    bool joined;            // its end was deleted: the next one goes on in it
    long notes[NOTES];      // ids; endnotes are negative
    int n_notes;
} Paragraph;

/* Footnotes and endnotes, by their id. */
typedef struct Note {
    long id;
    size_t at, n;           // in Notes.text
} Note;

typedef struct Notes {
    Note *at;
    size_t n, room;
    Buf text;
    bool inside;
    long sign;              // 1: footnotes are read, -1: endnotes
} Notes;

typedef struct Word {
    Ctx *cx;
    Edition *e;
    Styles styles;
    Lists lists;
    Notes notes;
    Table table;
    Paragraph at[BOXES];    // the open paragraph and those around its text box
    int box;
    int skip;               // elements open that are left out with all inside
    int tables;             // open
    bool properties;        // of a paragraph are read
    bool row_properties;
    bool run_properties;
    bool hidden;            // the run is
    bool reading;           // inside an element whose characters are text
    bool titled;
} Word;

/* ---- notes ------------------------------------------------------------------------- */

static Status note_open(void *arg, const XmlTag *tag)
{
    Word *w = arg;
    Notes *all = &w->notes;
    bool text = strcmp(tag->name, "t") == 0;
    if (text || strcmp(tag->name, "p") == 0) {
        w->reading = text;
        buf_add(&all->text, text ? STR("") : STR(" "));
        return OK;
    }
    if (strcmp(tag->name, "footnote") != 0 && strcmp(tag->name, "endnote") != 0)
        return OK;
    if (all->n == NOTES_MAX) return fail(w->cx, E_LIMIT, "too many footnotes");
    TRY(ctx_grow(w->cx, &all->at, all->n, &all->room, sizeof *all->at));
    long id = xml_number(tag, "id", 0);
    all->at[all->n++] = (Note){ .id = id * all->sign, .at = all->text.n };
    all->inside = true;
    return OK;
}

static Status note_close(void *arg, const char *name)
{
    Word *w = arg;
    w->reading = false;
    if (strcmp(name, "footnote") != 0 && strcmp(name, "endnote") != 0) return OK;
    if (w->notes.n)
        w->notes.at[w->notes.n - 1].n = w->notes.text.n - w->notes.at[w->notes.n - 1].at;
    w->notes.inside = false;
    return OK;
}

static Status note_text(void *arg, Str text)
{
    Word *w = arg;
    if (w->reading && w->notes.inside) buf_add(&w->notes.text, text);
    return OK;
}

static Status read_notes(Word *w, Pack *p, const Rel *rel, long sign)
{
    static const XmlEvents events = { note_open, note_close, note_text };
    if (!rel) return OK;
    w->notes.sign = sign;
    Status st = pack_xml(p, rel->path, &events, w);
    w->reading = w->notes.inside = false;
    if (st != E_NOTFOUND && st != E_FORMAT) return st;
    ctx_forgive(w->cx);
    return OK;
}

static Status add_note(Word *w, long id)
{
    const Notes *all = &w->notes;
    for (size_t i = 0; i < all->n; i++)
        if (all->at[i].id == id && all->at[i].n > 0)
            return edition_add(w->e, PART_PARAGRAPH, 0,
                               (Str){ all->text.p + all->at[i].at, all->at[i].n });
    return OK;
}

/* ---- paragraphs -------------------------------------------------------------------- */

static Paragraph *paragraph(Word *w)
{
    return &w->at[w->box];
}

static void begin_paragraph(Word *w)
{
    Paragraph *p = paragraph(w);
    bool goes_on = p->joined && p->text.n > 0;
    p->joined = false;
    if (goes_on) return;
    p->text.n = 0;
    p->style = (Style){ 0 };
    if (!w->tables) p->n_notes = 0;
}

/* Words with their number, where the list or the heading has one. */
static Status add_numbered(Word *w, PartKind kind, int level, Str text)
{
    char to[LIST_MARK];
    const Style *s = &paragraph(w)->style;
    if (s->list <= 0) return edition_add(w->e, kind, level, text);
    Str mark = lists_mark(&w->lists, s->list, s->depth, to);
    if (kind == PART_HEADING && mark.n && mark.p[0] == '-') mark.n = 0;
    Buf b = BUF(EDITION_PART_MAX + LIST_MARK);
    buf_add(&b, mark);
    buf_add(&b, text);
    Status st = b.failed ? fail(w->cx, E_MEMORY, "out of memory for a paragraph")
                         : edition_add(w->e, kind, level, buf_str(&b));
    buf_free(&b);
    return st;
}

static Status write_paragraph(Word *w)
{
    Paragraph *p = paragraph(w);
    Str text = str_trim(buf_str(&p->text));
    int level = p->style.level > LEVELS ? LEVELS : p->style.level;
    if (p->text.failed) return fail(w->cx, E_MEMORY, "out of memory for a paragraph");
    if (text.n == 0 || p->style.contents) return OK;
    if (level == 0 || text.n > HEADING_BYTES)
        return add_numbered(w, p->style.list > 0 ? PART_ITEM : PART_PARAGRAPH, 0, text);
    if (!w->titled && w->e->window.base == 0 && w->e->window.title.n == 0)
        TRY(edition_title(w->e, text));
    w->titled = true;
    return add_numbered(w, PART_HEADING, level, text);
}

static Status write_notes(Word *w)
{
    Paragraph *p = paragraph(w);
    for (int i = 0; i < p->n_notes; i++) TRY(add_note(w, p->notes[i]));
    p->n_notes = 0;
    return OK;
}

static Status end_paragraph(Word *w)
{
    Paragraph *p = paragraph(w);
    if (p->joined) return OK;
    if (w->tables) table_text(&w->table, buf_str(&p->text));
    else TRY(write_paragraph(w));
    p->text.n = 0;
    return w->tables ? OK : write_notes(w);
}

/* There is no next paragraph that one could go on in. */
static Status end_joined(Word *w)
{
    bool open = paragraph(w)->joined;
    paragraph(w)->joined = false;
    return open ? end_paragraph(w) : OK;
}

/* ---- elements ---------------------------------------------------------------------- */

static void open_property(Word *w, const XmlTag *tag)
{
    Style *s = &paragraph(w)->style;
    const char *name = tag->name;
    if (strcmp(name, "pStyle") == 0) {
        *s = styles_find(&w->styles, xml_attribute(tag, "val"));
    } else if (strcmp(name, "outlineLvl") == 0) {
        long level = xml_number(tag, "val", 9);
        s->level = level >= 0 && level < 9 ? (int)level + 1 : 0;
    } else if (strcmp(name, "numId") == 0) {
        s->list = xml_number(tag, "val", 0);
    } else if (strcmp(name, "ilvl") == 0) {
        s->depth = (int)xml_number(tag, "val", 0) & 15;
    } else if (strcmp(name, "del") == 0 || strcmp(name, "moveFrom") == 0) {
        paragraph(w)->joined = true;
    } else if (strcmp(name, "pPrChange") == 0) {
        w->skip++;
    }
}

static void open_cell_property(Word *w, const XmlTag *tag)
{
    Str value = xml_attribute(tag, "val");
    if (w->tables != 1) return;
    if (strcmp(tag->name, "gridSpan") == 0)
        table_span(&w->table, xml_number(tag, "val", 1));
    if (strcmp(tag->name, "vMerge") == 0)
        table_merged(&w->table, str_eq(value, STR("restart")));
}

static void open_note(Word *w, const XmlTag *tag, long sign)
{
    Paragraph *p = paragraph(w);
    if (p->n_notes < NOTES) p->notes[p->n_notes++] = sign * xml_number(tag, "id", 0);
}

static void put(Word *w, Str text)
{
    if (!w->hidden) buf_add(&paragraph(w)->text, text);
}

/* Elements of a run that stand for characters, and notes. */
static void open_in_run(Word *w, const XmlTag *tag)
{
    const char *name = tag->name;
    if (strcmp(name, "t") == 0) w->reading = true;
    else if (strcmp(name, "tab") == 0 || strcmp(name, "br") == 0 ||
             strcmp(name, "cr") == 0 || strcmp(name, "ptab") == 0) put(w, STR(" "));
    else if (strcmp(name, "noBreakHyphen") == 0) put(w, STR("-"));
    else if (strcmp(name, "footnoteReference") == 0) open_note(w, tag, 1);
    else if (strcmp(name, "endnoteReference") == 0) open_note(w, tag, -1);
    else if (strcmp(name, "r") == 0) w->hidden = false;
}

static void open_table(Word *w, const char *name)
{
    if (strcmp(name, "tbl") == 0 && w->tables++ == 0) table_begin(&w->table);
    if (w->tables != 1) return;
    if (strcmp(name, "tr") == 0) table_row(&w->table);
    if (strcmp(name, "tc") == 0) table_cell(&w->table);
}

/* A box of text in a paragraph: a fresh one is begun inside it. */
static void open_box(Word *w)
{
    if (w->box + 1 == BOXES) {
        w->skip++;
        return;
    }
    w->box++;
    begin_paragraph(w);
}

static Status on_open(void *arg, const XmlTag *tag)
{
    static const char *const dropped[] = { "del", "moveFrom", "Fallback", "instrText",
                                           "delText", "rt", NULL };
    Word *w = arg;
    const char *name = tag->name;
    if (w->skip) {
        w->skip++;
        return OK;
    }
    if (strcmp(name, "pPr") == 0) w->properties = true;
    else if (strcmp(name, "trPr") == 0) w->row_properties = true;
    else if (strcmp(name, "rPr") == 0) w->run_properties = true;
    else if (w->properties) open_property(w, tag);
    else if (w->row_properties && strcmp(name, "del") == 0) table_drop(&w->table);
    else if (w->run_properties)
        w->hidden |= strcmp(name, "vanish") == 0 &&
                     !str_eq(xml_attribute(tag, "val"), STR("0")) &&
                     !str_eq(xml_attribute(tag, "val"), STR("false"));
    else if (xml_is(name, dropped)) w->skip++;
    else if (strcmp(name, "p") == 0) begin_paragraph(w);
    else if (strcmp(name, "txbxContent") == 0) open_box(w);
    else {
        open_table(w, name);
        open_cell_property(w, tag);
        open_in_run(w, tag);
    }
    return OK;
}

static Status close_table(Word *w, const char *name)
{
    if (w->tables == 0) return OK;
    if (strcmp(name, "tbl") == 0) w->tables--;
    if (w->tables != 1 || strcmp(name, "tr") != 0) return OK;
    TRY(table_end_row(&w->table, w->e));
    return write_notes(w);
}

static Status on_close(void *arg, const char *name)
{
    static const char *const ends[] = { "tc", "txbxContent", "body", NULL };
    Word *w = arg;
    w->reading = false;
    if (w->skip) {
        w->skip--;
        return OK;
    }
    if (strcmp(name, "pPr") == 0) w->properties = false;
    else if (strcmp(name, "trPr") == 0) w->row_properties = false;
    else if (strcmp(name, "rPr") == 0) w->run_properties = false;
    else if (w->properties) return OK;
    else if (strcmp(name, "r") == 0) w->hidden = false;
    else if (strcmp(name, "p") == 0) return end_paragraph(w);
    else if (xml_is(name, ends)) TRY(end_joined(w));
    if (strcmp(name, "txbxContent") == 0 && w->box > 0) w->box--;
    return close_table(w, name);
}

static Status on_text(void *arg, Str text)
{
    Word *w = arg;
    if (w->reading && !w->skip) put(w, text);
    return OK;
}

/* ---- the file ---------------------------------------------------------------------- */

static Status read_word(Word *w, Pack *p)
{
    static const XmlEvents events = { on_open, on_close, on_text };
    Rels rels;
    Str part;
    TRY(package_main(p, "word/document.xml", &part));
    TRY(package_title(p, STR("docProps/core.xml"), w->e));
    TRY(package_rels(p, part, &rels));
    const Rel *styles = rels_by_type(&rels, "styles");
    const Rel *lists = rels_by_type(&rels, "numbering");
    if (styles) TRY(styles_read(p, styles->path, &w->styles));
    if (lists) TRY(lists_read(p, lists->path, &w->lists));
    TRY(read_notes(w, p, rels_by_type(&rels, "footnotes"), 1));
    TRY(read_notes(w, p, rels_by_type(&rels, "endnotes"), -1));
    Status st = pack_xml(p, part, &events, w);
    if (st != E_NOTFOUND) return st;
    return fail(w->cx, E_FORMAT, "it holds no %.*s: this is no Word document",
                (int)(part.n < 80 ? part.n : 80), part.p);
}

static Status read_package(Ctx *cx, const Input *in, Word *w)
{
    Pack pack;
    Status st = pack_open(cx, in, PACK_ZIP, &pack);
    if (st == OK) st = read_word(w, &pack);
    pack_close(&pack);
    return st;
}

Status docx_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    edition_open(&e, cx, to);
    Word *w = calloc(1, sizeof *w);
    if (!w) return edition_finish(&e, cx, fail(cx, E_MEMORY, "out of memory"));
    w->cx = cx;
    w->e = &e;
    w->notes.text = BUF(NOTE_BYTES);
    for (int i = 0; i < BOXES; i++) w->at[i].text = BUF(EDITION_PART_MAX);
    table_open(&w->table);
    Status st = read_package(cx, in, w);
    for (int i = 0; i < BOXES; i++) buf_free(&w->at[i].text);
    buf_free(&w->notes.text);
    table_close(&w->table);
    free(w);
    return edition_finish(&e, cx, st);
}
