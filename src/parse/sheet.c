/* sheet.c -- see sheet.h. */
#include "parse/sheet.h"

#include <stdlib.h>

enum { ROW_BYTES = 8 << 20, NAME_BYTES = 80, NAMES_MAX = 256 };

static Status open_row(Sheet *s, SheetRow *r)
{
    *r = (SheetRow){ .text = BUF(ROW_BYTES) };
    r->cells = calloc(SHEET_CELLS, sizeof *r->cells);
    return r->cells ? OK : fail(&s->e->own, E_MEMORY, "out of memory for a row");
}

Status sheet_open(Sheet *s, Edition *e)
{
    *s = (Sheet){ .e = e };
    Status st = open_row(s, &s->row);
    return st == OK ? open_row(s, &s->header) : st;
}

void sheet_close(Sheet *s)
{
    buf_free(&s->row.text);
    buf_free(&s->header.text);
    free(s->row.cells);
    free(s->header.cells);
    *s = (Sheet){ 0 };
}

void sheet_begin(Sheet *s)
{
    s->row.n = s->header.n = s->row.text.n = 0;
    s->decided = false;
}

void sheet_cell(Sheet *s, size_t column, Str value)
{
    SheetRow *r = &s->row;
    value = str_trim(value);
    if (value.n == 0 || r->n == SHEET_CELLS || value.n > ROW_BYTES - r->text.n) return;
    r->cells[r->n++] = (SheetCell){ column, r->text.n, value.n };
    buf_add(&r->text, value);
}

static Str cell(const SheetRow *r, size_t i)
{
    return (Str){ r->text.p + r->cells[i].at, r->cells[i].n };
}

/* The name of a column, empty where it has none. Both go up: *from is where the last was
 * found. */
static Str name_of(const Sheet *s, size_t column, size_t *from)
{
    const SheetRow *h = &s->header;
    while (*from < h->n && h->cells[*from].column < column) ++*from;
    return *from < h->n && h->cells[*from].column == column ? cell(h, *from) : STR("");
}

/* ---- the header -------------------------------------------------------------------- */

static bool is_number(Str s)
{
    bool digit = false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        digit |= c >= '0' && c <= '9';
        bool sign = c == '.' || c == ',' || c == '-' || c == '+' || c == '%' ||
                    c == ' ' || c == ':' || c == '/' || c == 'e' || c == 'E';
        if (!sign && !(c >= '0' && c <= '9')) return false;
    }
    return digit;
}

bool sheet_is_header(const Str *cells, size_t n)
{
    if (n < 2 || n > NAMES_MAX) return false;
    for (size_t i = 0; i < n; i++) {
        Str c = str_trim(cells[i]);
        if (c.n == 0 || c.n > NAME_BYTES || is_number(c)) return false;
        for (size_t k = 0; k < i; k++)
            if (str_eq(c, str_trim(cells[k]))) return false;
    }
    return true;
}

/* The row in hand becomes the header, where it is one. */
static void decide(Sheet *s)
{
    Str cells[NAMES_MAX];
    SheetRow *r = &s->row;
    s->decided = true;
    for (size_t i = 0; i < r->n && i < NAMES_MAX; i++) cells[i] = cell(r, i);
    if (!sheet_is_header(cells, r->n)) return;
    SheetRow swapped = s->header;
    s->header = s->row;
    s->row = swapped;
}

/* ---- rows -------------------------------------------------------------------------- */

static Status write_row(Sheet *s, const SheetRow *r, bool named)
{
    Buf b = BUF(4 * (size_t)ROW_BYTES);
    size_t from = 0;
    for (size_t i = 0; i < r->n; i++) {
        Str name = named ? name_of(s, r->cells[i].column, &from) : STR("");
        if (i > 0) buf_add(&b, STR(" | "));
        buf_add(&b, name);
        if (name.n) buf_add(&b, STR(": "));
        buf_add(&b, cell(r, i));
    }
    Status st = b.failed ? fail(&s->e->own, E_MEMORY, "out of memory for a row")
                         : edition_add(s->e, PART_ROW, 0, buf_str(&b));
    buf_free(&b);
    return st;
}

Status sheet_end_row(Sheet *s)
{
    Status st = OK;
    bool named = s->header.n > 0;
    if (s->row.text.failed) return fail(&s->e->own, E_MEMORY, "out of memory for a row");
    if (s->row.n > 1 && !s->decided) decide(s);
    if (s->header.n > 0 && !named) st = write_row(s, &s->header, false);
    else if (s->row.n > 0) st = write_row(s, &s->row, named);
    s->row.n = s->row.text.n = 0;
    return st;
}
