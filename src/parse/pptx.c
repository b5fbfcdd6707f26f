/* pptx.c -- PowerPoint's slides (ECMA-376 part 1, PresentationML): a slide is a page with
 * its title as heading, then its text, its tables and the speaker's notes.
 *
 * A slide is read twice: its shapes lie in the order in which they are painted, and the
 * title need not be the first. */
#include "parse/package.h"
#include "parse/parse.h"
#include "parse/table.h"

#include <stdio.h>
#include <string.h>

enum { SLIDES_MAX = 16384, TEXT_BYTES = 1 << 20, TITLE_BYTES = 400 };

typedef struct Slides {
    Ctx *cx;
    Edition *e;
    Str *ids;                   // of the slides' relationships, in order, in the arena
    size_t n, room;
    Table table;
    Buf text, title;            // of the open paragraph; of the slide
    char shape[16];             // what the open shape holds: "title", "body", ...
    int tables;                 // open
    bool want_title;            // else all but the title
    bool notes;
    bool reading;
} Slides;

static Status presentation_open(void *arg, const XmlTag *tag)
{
    Slides *s = arg;
    if (strcmp(tag->name, "sldId") != 0 || s->n == SLIDES_MAX) return OK;
    TRY(ctx_grow(s->cx, &s->ids, s->n, &s->room, sizeof *s->ids));
    TRY_NEW((s->ids[s->n] = ctx_dup(s->cx, xml_attribute(tag, ":id"))).p);
    s->n++;
    return OK;
}

/* ---- shapes ------------------------------------------------------------------------ */

static bool is_title(const Slides *s)
{
    return strcmp(s->shape, "title") == 0 || strcmp(s->shape, "ctrTitle") == 0;
}

/* Numbers, dates and footers of the slide's frame are not its text; of a page of notes
 * only the notes are. */
static bool is_wanted(const Slides *s)
{
    static const char *const frame[] = { "sldNum", "ftr", "dt", "hdr", "sldImg", NULL };
    if (s->notes) return strcmp(s->shape, "body") == 0;
    return is_title(s) == s->want_title && !xml_is(s->shape, frame);
}

static void open_placeholder(Slides *s, const XmlTag *tag)
{
    Str type = xml_attribute(tag, "type");
    if (type.n == 0) type = STR("body");
    size_t n = type.n < sizeof s->shape ? type.n : sizeof s->shape - 1;
    memcpy(s->shape, type.p, n);
    s->shape[n] = '\0';
}

static void open_cell(Slides *s, const XmlTag *tag)
{
    table_cell(&s->table);
    table_span(&s->table, xml_number(tag, "gridSpan", 1));
    if (xml_attribute(tag, "rowSpan").n) table_merged(&s->table, true);
    if (str_eq(xml_attribute(tag, "vMerge"), STR("1"))) table_merged(&s->table, false);
}

static Status on_open(void *arg, const XmlTag *tag)
{
    static const char *const shapes[] = { "sp", "graphicFrame", "pic", "cxnSp", NULL };
    Slides *s = arg;
    const char *name = tag->name;
    if (xml_is(name, shapes)) s->shape[0] = '\0';
    else if (strcmp(name, "ph") == 0) open_placeholder(s, tag);
    else if (strcmp(name, "t") == 0) s->reading = true;
    else if (strcmp(name, "br") == 0) buf_add(&s->text, STR(" "));
    else if (strcmp(name, "tbl") == 0 && s->tables++ == 0) table_begin(&s->table);
    else if (strcmp(name, "tr") == 0) table_row(&s->table);
    else if (strcmp(name, "tc") == 0 && !str_eq(xml_attribute(tag, "hMerge"), STR("1")))
        open_cell(s, tag);
    return OK;
}

static Status end_paragraph(Slides *s)
{
    Str text = str_trim(buf_str(&s->text));
    Status st = OK;
    if (s->text.failed) st = fail(s->cx, E_LIMIT, "a paragraph of more than a MiB");
    else if (text.n == 0 || !is_wanted(s)) st = OK;
    else if (s->tables) table_text(&s->table, text);
    else if (s->want_title) {
        if (s->title.n) buf_add(&s->title, STR(" "));
        buf_add(&s->title, text);
    } else {
        bool item = !s->notes && strcmp(s->shape, "body") == 0;
        st = edition_add(s->e, item ? PART_ITEM : PART_PARAGRAPH, 0, text);
    }
    s->text.n = 0;
    return st;
}

static Status on_close(void *arg, const char *name)
{
    Slides *s = arg;
    s->reading = false;
    if (strcmp(name, "p") == 0) return end_paragraph(s);
    if (strcmp(name, "tbl") == 0 && s->tables > 0) s->tables--;
    if (strcmp(name, "tr") != 0 || s->want_title) return OK;
    return table_end_row(&s->table, s->e);
}

static Status on_text(void *arg, Str text)
{
    Slides *s = arg;
    if (s->reading) buf_add(&s->text, text);
    return OK;
}

/* ---- slides ------------------------------------------------------------------------ */

/* A part as text: a slide that is missing or damaged does not cost the others. */
static Status read_part(Slides *s, Pack *p, Str part, bool want_title, bool notes)
{
    static const XmlEvents events = { on_open, on_close, on_text };
    s->want_title = want_title;
    s->notes = notes;
    s->tables = 0;
    s->shape[0] = '\0';
    s->text.n = 0;
    Status st = pack_xml(p, part, &events, s);
    s->reading = false;
    if (st != E_NOTFOUND && st != E_FORMAT) return st;
    ctx_forgive(s->cx);
    return OK;
}

static Status add_title(Slides *s, int number)
{
    Str title = str_trim(buf_str(&s->title));
    char name[32];
    int n = snprintf(name, sizeof name, "Slide %d", number);
    if (title.n == 0 || title.n > TITLE_BYTES) title = (Str){ name, (size_t)n };
    return edition_add(s->e, PART_HEADING, 1, title);
}

static Status add_slide(Slides *s, Pack *p, Str part, int number)
{
    Ctx *cx = s->cx;
    Rels rels;
    edition_page(s->e, number);
    s->title.n = 0;
    s->title.failed = false;    // of a title too long, the number is its name
    TRY(read_part(s, p, part, true, false));
    TRY(add_title(s, number));
    TRY(read_part(s, p, part, false, false));
    TRY(package_rels(p, part, &rels));
    const Rel *notes = rels_by_type(&rels, "notesSlide");
    if (notes) TRY(read_part(s, p, notes->path, false, true));
    return ctx_check(cx);
}

static Status read_slides(Slides *s, Pack *p)
{
    static const XmlEvents events = { .open = presentation_open };
    Rels rels;
    Str part;
    TRY(package_main(p, "ppt/presentation.xml", &part));
    TRY(package_title(p, STR("docProps/core.xml"), s->e));
    TRY(package_rels(p, part, &rels));
    Status st = pack_xml(p, part, &events, s);
    if (st == E_NOTFOUND)
        return fail(s->cx, E_FORMAT, "it holds no %.*s: these are no PowerPoint slides",
                    (int)(part.n < 80 ? part.n : 80), part.p);
    TRY(st);
    for (size_t i = 0; i < s->n; i++) {
        const Rel *r = rels_by_id(&rels, s->ids[i]);
        if (r) TRY(add_slide(s, p, r->path, (int)i + 1));
    }
    return OK;
}

Status pptx_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    Pack pack;
    Slides s = { .cx = cx, .e = &e, .text = BUF(TEXT_BYTES), .title = BUF(TEXT_BYTES) };
    edition_open(&e, cx, to);
    table_open(&s.table);
    Status st = pack_open(cx, in, PACK_ZIP, &pack);
    if (st == OK) st = read_slides(&s, &pack);
    if (st == OK && s.title.starved) st = fail(cx, E_MEMORY, "out of memory for a title");
    pack_close(&pack);
    buf_free(&s.text);
    buf_free(&s.title);
    table_close(&s.table);
    return edition_finish(&e, cx, st);
}
