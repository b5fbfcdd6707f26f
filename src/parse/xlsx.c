/* xlsx.c -- Excel's workbooks (ECMA-376 part 1, SpreadsheetML): a sheet is a heading and
 * rows.
 *
 * Cells are what was computed last (<v>), never formulas. Strings shared by all sheets
 * are held in memory; sheets pass as streams. A number that its format shows as a date is
 * written as one (ISO 8601), a share as per cent. */
#include "parse/package.h"
#include "parse/parse.h"
#include "parse/sheet.h"
#include "parse/xlsx_format.h"

#include <stdlib.h>
#include <string.h>

enum { STRINGS_BYTES = 128 << 20, STRINGS_MAX = 16 << 20, SHEETS_MAX = 4096,
       VALUE_BYTES = 1 << 20 };

typedef struct SheetName {
    Str name, id;               // id: of its relationship
} SheetName;

typedef struct Workbook {
    Ctx *cx;
    Edition *e;
    Sheet rows;
    XlsxFormats formats;
    SheetName *sheets;          // (SHEETS_MAX), in the arena
    size_t n_sheets;
    Buf strings;                // one behind the other
    uint32_t *ends;             // of each string, on the heap
    size_t n_strings, strings_room;
    Buf value;                  // of the open cell
    char type[16];              // of the open cell: "s", "inlineStr", ...
    size_t column, style;
    bool reading;               // inside an element whose characters are text
    int skip;                   // inside of how a word is pronounced
} Workbook;

/* ---- shared strings ---------------------------------------------------------------- */

static Status keep_string(Workbook *w)
{
    if (w->strings.failed || w->n_strings == STRINGS_MAX)
        return fail(w->cx, E_LIMIT, "strings of more than %d MiB", STRINGS_BYTES >> 20);
    if (w->n_strings == w->strings_room) {
        size_t room = w->strings_room ? 2 * w->strings_room : 1024;
        uint32_t *to = realloc(w->ends, room * sizeof *to);
        if (!to) return fail(w->cx, E_MEMORY, "out of memory for strings");
        w->ends = to;
        w->strings_room = room;
    }
    w->ends[w->n_strings++] = (uint32_t)w->strings.n;
    return OK;
}

static Str shared_string(const Workbook *w, Str index)
{
    size_t i = index.n ? strtoul(index.p, NULL, 10) : w->n_strings;
    if (i >= w->n_strings || !w->strings.p) return STR("");
    size_t from = i ? w->ends[i - 1] : 0;
    return (Str){ w->strings.p + from, w->ends[i] - from };
}

static Status strings_open(void *arg, const XmlTag *tag)
{
    Workbook *w = arg;
    if (w->skip || strcmp(tag->name, "rPh") == 0) w->skip++;
    else w->reading = strcmp(tag->name, "t") == 0;
    return OK;
}

static Status strings_close(void *arg, const char *name)
{
    Workbook *w = arg;
    w->reading = false;
    if (w->skip) w->skip--;
    else if (strcmp(name, "si") == 0) return keep_string(w);
    return OK;
}

static Status strings_text(void *arg, Str text)
{
    Workbook *w = arg;
    if (w->reading) buf_add(&w->strings, text);
    return OK;
}

/* ---- the workbook ------------------------------------------------------------------ */

static Status workbook_open(void *arg, const XmlTag *tag)
{
    Workbook *w = arg;
    if (strcmp(tag->name, "workbookPr") == 0) {
        Str old = xml_attribute(tag, "date1904");
        w->formats.from_1904 = str_eq(old, STR("1")) || str_eq(old, STR("true"));
    }
    if (strcmp(tag->name, "sheet") != 0 || w->n_sheets == SHEETS_MAX) return OK;
    SheetName *s = &w->sheets[w->n_sheets++];
    s->name = ctx_dup(w->cx, xml_attribute(tag, "name"));
    s->id = ctx_dup(w->cx, xml_attribute(tag, ":id"));
    return s->name.p && s->id.p ? OK : E_MEMORY;
}

/* ---- cells ------------------------------------------------------------------------- */

/* "AB12" is column 27; what is none comes behind the last cell. */
static size_t column_of(Str cell, size_t last)
{
    size_t n = 0, i = 0;
    for (; i < cell.n && i < 4 && cell.p[i] >= 'A' && cell.p[i] <= 'Z'; i++)
        n = n * 26 + (size_t)(cell.p[i] - 'A') + 1;
    return i ? n - 1 : last + 1;
}

static void open_cell(Workbook *w, const XmlTag *tag)
{
    Str type = xml_attribute(tag, "t");
    size_t n = type.n < sizeof w->type ? type.n : 0;
    if (n) memcpy(w->type, type.p, n);
    w->type[n] = '\0';
    w->column = column_of(xml_attribute(tag, "r"), w->column);
    w->style = (size_t)xml_number(tag, "s", 0);
    w->value.n = 0;
}

static Status close_cell(Workbook *w)
{
    char to[XLSX_SHOWN];
    Str v = buf_str(&w->value);
    if (w->value.starved) return fail(w->cx, E_MEMORY, "out of memory for a cell");
    if (w->value.failed) w->value = (buf_free(&w->value), BUF(VALUE_BYTES));
    else if (strcmp(w->type, "s") == 0) v = shared_string(w, v);
    else if (strcmp(w->type, "b") == 0)
        v = str_eq(v, STR("1")) ? STR("TRUE") : STR("FALSE");
    else if (strcmp(w->type, "") == 0 || strcmp(w->type, "n") == 0)
        v = xlsx_shown(&w->formats, w->style, v, to);
    sheet_cell(&w->rows, w->column, v);
    w->value.n = 0;
    return OK;
}

static Status sheet_on_open(void *arg, const XmlTag *tag)
{
    Workbook *w = arg;
    const char *name = tag->name;
    if (w->skip || strcmp(name, "rPh") == 0) w->skip++;
    else if (strcmp(name, "row") == 0) w->column = (size_t)-1;
    else if (strcmp(name, "c") == 0) open_cell(w, tag);
    else w->reading = strcmp(name, "v") == 0 || strcmp(name, "t") == 0;
    return OK;
}

static Status sheet_on_close(void *arg, const char *name)
{
    Workbook *w = arg;
    w->reading = false;
    if (w->skip) w->skip--;
    else if (strcmp(name, "c") == 0) return close_cell(w);
    else if (strcmp(name, "row") == 0) return sheet_end_row(&w->rows);
    return OK;
}

static Status sheet_on_text(void *arg, Str text)
{
    Workbook *w = arg;
    if (w->reading) buf_add(&w->value, text);
    return OK;
}

/* ---- the file ---------------------------------------------------------------------- */

static Status read_strings(Workbook *w, Pack *p, const Rel *rel)
{
    static const XmlEvents events = { strings_open, strings_close, strings_text };
    if (!rel) return OK;
    Status st = pack_xml(p, rel->path, &events, w);
    w->skip = 0;
    if (st != E_NOTFOUND && st != E_FORMAT) return st;
    ctx_forgive(w->cx);
    return OK;
}

static Status read_sheet(Workbook *w, Pack *p, const SheetName *s, const Rel *rel)
{
    static const XmlEvents events = { sheet_on_open, sheet_on_close, sheet_on_text };
    bool grid = rel && str_eq(rel->type, STR("worksheet"));
    if (!grid) return OK;       // a chart, say
    TRY(edition_add(w->e, PART_HEADING, 1, s->name));
    sheet_begin(&w->rows);
    w->skip = 0;
    Status st = pack_xml(p, rel->path, &events, w);
    if (st != E_NOTFOUND) return st;
    ctx_forgive(w->cx);
    return OK;
}

static Status read_workbook(Workbook *w, Pack *p)
{
    static const XmlEvents events = { .open = workbook_open };
    Rels rels;
    Str part;
    TRY_NEW((w->sheets = ctx_new(w->cx, SheetName, SHEETS_MAX)));
    TRY(package_main(p, "xl/workbook.xml", &part));
    TRY(package_title(p, STR("docProps/core.xml"), w->e));
    TRY(package_rels(p, part, &rels));
    Status st = pack_xml(p, part, &events, w);
    if (st == E_NOTFOUND)
        return fail(w->cx, E_FORMAT, "it holds no %.*s: this is no Excel workbook",
                    (int)(part.n < 80 ? part.n : 80), part.p);
    TRY(st);
    TRY(xlsx_formats_read(p, rels_by_type(&rels, "styles"), &w->formats));
    TRY(read_strings(w, p, rels_by_type(&rels, "sharedStrings")));
    for (size_t i = 0; i < w->n_sheets; i++)
        TRY(read_sheet(w, p, &w->sheets[i], rels_by_id(&rels, w->sheets[i].id)));
    return OK;
}

static Status read_package(Ctx *cx, const Input *in, Workbook *w)
{
    Pack pack;
    Status st = pack_open(cx, in, PACK_ZIP, &pack);
    if (st == OK) st = sheet_open(&w->rows, w->e);
    if (st == OK) st = read_workbook(w, &pack);
    pack_close(&pack);
    return st;
}

Status xlsx_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    Workbook w = { .cx = cx, .e = &e, .strings = BUF(STRINGS_BYTES),
                   .value = BUF(VALUE_BYTES) };
    edition_open(&e, cx, to);
    Status st = read_package(cx, in, &w);
    buf_free(&w.strings);
    buf_free(&w.value);
    free(w.ends);
    sheet_close(&w.rows);
    return edition_finish(&e, cx, st);
}
