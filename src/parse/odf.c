/* odf.c -- OpenDocument (ISO/IEC 26300): texts, spreadsheets and slides, which share one
 * vocabulary in content.xml.
 *
 * Paragraphs come as in docx.c: those of a cell go to the cell, those of a text box
 * before the paragraph that it hangs on, a note behind its paragraph. What was deleted
 * lies in <tracked-changes>, which is left out. */
#include "parse/package.h"
#include "parse/parse.h"
#include "parse/sheet.h"
#include "parse/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BOXES = 8, NOTE_BYTES = 1 << 20, LEVELS = 6, REPEATS = 16, SPACES = 64 };

typedef struct Office {
    Ctx *cx;
    Edition *e;
    Buf text[BOXES];        // of the open paragraph and of those around its box or note
    Buf notes;              // of the open paragraph, a line each
    Table table;
    Sheet rows;
    int box, skip;
    int level;              // of the open heading; 0: a paragraph
    int inside;             // paragraphs open
    int lists, tables, note;
    bool grid;              // a spreadsheet
    size_t column;          // of the open cell of a grid
    long repeated;          // the cell stands in so many columns
    char date[32];          // of the open cell
    int page;
    bool page_named;        // its heading stands
    bool title;             // a frame with the slide's title is open
} Office;

/* ---- paragraphs -------------------------------------------------------------------- */

static Status name_page(Office *o, Str title)
{
    char name[32];
    int n = snprintf(name, sizeof name, "Slide %d", o->page);
    o->page_named = true;
    return edition_add(o->e, PART_HEADING, 1, title.n ? title : (Str){ name, (size_t)n });
}

static Status write_paragraph(Office *o, Str text)
{
    bool unnamed = o->page > 0 && !o->page_named;
    if (unnamed && o->title) return name_page(o, text);
    if (unnamed) TRY(name_page(o, STR("")));
    if (o->level) return edition_add(o->e, PART_HEADING,
                                     o->level < LEVELS ? o->level : LEVELS, text);
    if (o->lists == 0) return edition_add(o->e, PART_PARAGRAPH, 0, text);
    Buf b = BUF(EDITION_PART_MAX + 4);
    buf_add(&b, STR("- "));
    buf_add(&b, text);
    Status st = b.failed ? fail(o->cx, E_MEMORY, "out of memory for a paragraph")
                         : edition_add(o->e, PART_ITEM, 0, buf_str(&b));
    buf_free(&b);
    return st;
}

static Status write_notes(Office *o)
{
    Str notes = buf_str(&o->notes);
    size_t next = 0;
    for (size_t at = 0; at < notes.n; at = next)
        TRY(edition_add(o->e, PART_PARAGRAPH, 0, line_at(notes, at, &next)));
    o->notes.n = 0;
    return OK;
}

static Status end_paragraph(Office *o)
{
    Buf *b = &o->text[o->box];
    Str text = str_trim(buf_str(b));
    if (b->failed) return fail(o->cx, E_MEMORY, "out of memory for a paragraph");
    if (o->inside > 0) o->inside--;
    if (o->grid) {
        buf_add(b, STR(" "));   // a cell goes on
        return OK;
    }
    if (o->note) {
        if (o->notes.n + text.n + 1 < NOTE_BYTES) {
            buf_add(&o->notes, text);
            buf_add(&o->notes, STR("\n"));
        }
    } else if (o->tables) table_text(&o->table, text);
    else if (text.n) TRY(write_paragraph(o, text));
    b->n = 0;
    return o->note || o->tables || o->box ? OK : write_notes(o);
}

/* ---- boxes and notes: paragraphs in paragraphs ------------------------------------- */

static void open_box(Office *o)
{
    if (o->box + 1 == BOXES) {
        o->skip++;
        return;
    }
    o->text[++o->box].n = 0;
}

static void close_box(Office *o)
{
    if (o->box > 0) o->box--;
}

/* ---- tables ------------------------------------------------------------------------ */

static void open_grid_cell(Office *o, const XmlTag *tag)
{
    long repeated = xml_number(tag, "number-columns-repeated", 1);
    Str date = xml_attribute(tag, "date-value");
    o->repeated = repeated > 0 && repeated < (1 << 24) ? repeated : 1;
    o->text[0].n = 0;
    if (str_ends(date, STR("T00:00:00"))) date.n -= 9;
    snprintf(o->date, sizeof o->date, "%.*s", (int)(date.n < 31 ? date.n : 0), date.p);
}

static void close_grid_cell(Office *o)
{
    Str text = o->date[0] ? str_z(o->date) : str_trim(buf_str(&o->text[0]));
    for (long i = 0; i < o->repeated && i < REPEATS; i++)
        sheet_cell(&o->rows, o->column + (size_t)i, text);
    o->column += (size_t)o->repeated;
    o->text[0].n = 0;
}

static void open_cell(Office *o, const XmlTag *tag, bool covered)
{
    if (o->grid) {
        open_grid_cell(o, tag);
        return;
    }
    if (o->tables != 1) return;
    table_cell(&o->table);
    if (xml_number(tag, "number-rows-spanned", 1) > 1) table_merged(&o->table, true);
    if (covered) table_merged(&o->table, false);
}

static Status open_table(Office *o, const XmlTag *tag)
{
    if (o->grid) {
        sheet_begin(&o->rows);
        return edition_add(o->e, PART_HEADING, 1, xml_attribute(tag, "name"));
    }
    if (o->tables++ == 0) table_begin(&o->table);
    return OK;
}

static void open_row(Office *o)
{
    o->column = 0;
    if (!o->grid && o->tables == 1) table_row(&o->table);
}

static Status close_row(Office *o)
{
    if (o->grid) return sheet_end_row(&o->rows);
    if (o->tables != 1) return OK;
    TRY(table_end_row(&o->table, o->e));
    return write_notes(o);
}

/* ---- elements ---------------------------------------------------------------------- */

static void put_spaces(Office *o, long n)
{
    for (long i = 0; i < n && i < SPACES; i++) buf_add(&o->text[o->box], STR(" "));
}

static void open_page(Office *o)
{
    o->page++;
    o->page_named = false;
    edition_page(o->e, o->page);
}

static void open_paragraph(Office *o, const XmlTag *tag, bool heading)
{
    if (!o->grid && !o->note) o->text[o->box].n = 0;
    o->level = heading ? (int)(xml_number(tag, "outline-level", 1) & 15) : 0;
    if (heading && o->level == 0) o->level = 1;
    o->inside++;
}

static Status on_open(void *arg, const XmlTag *tag)
{
    static const char *const dropped[] = {
        "tracked-changes", "annotation", "note-citation", "table-of-content", "ruby-text",
        "illustration-index", "table-index", "alphabetical-index", "desc", "title",
        "page-number", "scripts", "forms", NULL };
    static const char *const spaces[] = { "tab", "line-break", NULL };
    Office *o = arg;
    const char *name = tag->name;
    if (o->skip || xml_is(name, dropped)) o->skip++;
    else if (strcmp(name, "h") == 0 || strcmp(name, "p") == 0)
        open_paragraph(o, tag, name[0] == 'h');
    else if (strcmp(name, "s") == 0) put_spaces(o, xml_number(tag, "c", 1));
    else if (xml_is(name, spaces)) put_spaces(o, 1);
    else if (strcmp(name, "list") == 0) o->lists++;
    else if (strcmp(name, "note-body") == 0) open_box(o), o->note++;
    else if (strcmp(name, "text-box") == 0) open_box(o);
    else if (strcmp(name, "frame") == 0)
        o->title = str_eq(xml_attribute(tag, "class"), STR("title"));
    else if (strcmp(name, "page") == 0) open_page(o);
    else if (strcmp(name, "spreadsheet") == 0) o->grid = true;
    else if (strcmp(name, "table") == 0) return open_table(o, tag);
    else if (strcmp(name, "table-row") == 0) open_row(o);
    else if (strcmp(name, "table-cell") == 0) open_cell(o, tag, false);
    else if (strcmp(name, "covered-table-cell") == 0) open_cell(o, tag, true);
    return OK;
}

static void less(int *n)
{
    if (*n > 0) --*n;
}

/* A slide without a paragraph is a slide nonetheless. */
static Status close_page(Office *o)
{
    return o->page > 0 && !o->page_named ? name_page(o, STR("")) : OK;
}

static Status on_close(void *arg, const char *name)
{
    Office *o = arg;
    if (o->skip) less(&o->skip);
    else if (strcmp(name, "h") == 0 || strcmp(name, "p") == 0) return end_paragraph(o);
    else if (strcmp(name, "list") == 0) less(&o->lists);
    else if (strcmp(name, "note-body") == 0) close_box(o), less(&o->note);
    else if (strcmp(name, "text-box") == 0) close_box(o);
    else if (strcmp(name, "frame") == 0) o->title = false;
    else if (strcmp(name, "page") == 0) return close_page(o);
    else if (strcmp(name, "spreadsheet") == 0) o->grid = false;
    else if (strcmp(name, "table") == 0) less(&o->tables);
    else if (strcmp(name, "table-row") == 0) return close_row(o);
    else if (o->grid && (strcmp(name, "table-cell") == 0 ||
                         strcmp(name, "covered-table-cell") == 0)) close_grid_cell(o);
    return OK;
}

static Status on_text(void *arg, Str text)
{
    Office *o = arg;
    if (o->inside && !o->skip) buf_add(&o->text[o->box], text);
    return OK;
}

/* ---- the file ---------------------------------------------------------------------- */

static Status manifest_open(void *arg, const XmlTag *tag)
{
    Office *o = arg;
    if (strcmp(tag->name, "encryption-data") != 0) return OK;
    return fail(o->cx, E_FORMAT, "it is encrypted: save it without a password");
}

static Status read_office(Office *o, Pack *p)
{
    static const XmlEvents content = { on_open, on_close, on_text };
    static const XmlEvents manifest = { .open = manifest_open };
    Status st = pack_xml(p, STR("META-INF/manifest.xml"), &manifest, o);
    if (st != OK && st != E_NOTFOUND) return st;
    TRY(package_title(p, STR("meta.xml"), o->e));
    st = pack_xml(p, STR("content.xml"), &content, o);
    if (st != E_NOTFOUND) return st;
    return fail(o->cx, E_FORMAT, "it holds no content.xml: this is no OpenDocument file");
}

Status odf_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    Pack pack;
    Office o = { .cx = cx, .e = &e, .notes = BUF(NOTE_BYTES) };
    for (int i = 0; i < BOXES; i++) o.text[i] = BUF(EDITION_PART_MAX);
    edition_open(&e, cx, to);
    table_open(&o.table);
    Status st = pack_open(cx, in, PACK_ZIP, &pack);
    if (st == OK) st = sheet_open(&o.rows, &e);
    if (st == OK) st = read_office(&o, &pack);
    pack_close(&pack);
    for (int i = 0; i < BOXES; i++) buf_free(&o.text[i]);
    buf_free(&o.notes);
    table_close(&o.table);
    sheet_close(&o.rows);
    return edition_finish(&e, cx, st);
}
