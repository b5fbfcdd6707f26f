/* table.c -- see table.h. */
#include "parse/table.h"

#include <string.h>

enum { ROW_BYTES = 4 << 20, LAYOUT_BYTES = 1000 };

void table_open(Table *t)
{
    *t = (Table){ .row = BUF(ROW_BYTES) };
}

void table_close(Table *t)
{
    buf_free(&t->row);
}

void table_begin(Table *t)
{
    memset(t->n, 0, sizeof t->n);
    t->column = t->span = 0;
}

void table_row(Table *t)
{
    t->row.n = t->cell = t->cells = t->longest = 0;
    t->row.failed = false;      // of a row too long, what fitted was written
    t->column = t->span = 0;
    t->merged = t->dropped = false;
}

/* What the open cell says from here on belongs to the cells that merge with it. */
static void keep(Table *t, int column)
{
    if (column >= TABLE_COLUMNS) return;
    Str text = t->row.p ? (Str){ t->row.p + t->cell, t->row.n - t->cell } : STR("");
    size_t n = text.n < TABLE_KEPT ? text.n : TABLE_KEPT;
    while (n < text.n && n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80) n--;
    memcpy(t->above[column], text.p, n);
    t->n[column] = (unsigned short)n;
}

static void end_cell(Table *t)
{
    if (t->cells == 0) return;
    if (!t->merged) keep(t, t->column);
    else if (t->column < TABLE_COLUMNS && t->row.n == t->cell)
        buf_add(&t->row, (Str){ t->above[t->column], t->n[t->column] });
    size_t n = t->row.n - t->cell;
    if (n > t->longest) t->longest = n;
    buf_add(&t->row, (Str){ "", 1 });
}

void table_cell(Table *t)
{
    end_cell(t);
    t->column += t->span;
    t->span = 1;
    t->merged = false;
    t->cell = t->row.n;
    t->cells++;
}

void table_span(Table *t, long columns)
{
    if (columns > 1 && columns < TABLE_COLUMNS) t->span = (int)columns;
}

void table_merged(Table *t, bool begins)
{
    t->merged = !begins;
}

void table_drop(Table *t)
{
    t->dropped = true;
}

void table_text(Table *t, Str text)
{
    text = str_trim(text);
    if (t->cells == 0 || text.n == 0) return;
    if (t->row.n > t->cell) buf_add(&t->row, STR("\n"));
    buf_add(&t->row, text);
}

/* Every paragraph of every cell on its own. */
static Status write_layout(Edition *e, Str row)
{
    Status st = OK;
    for (size_t i = 0, n; i < row.n && st == OK; i += n + 1) {
        for (n = 0; i + n < row.n && row.p[i + n] && row.p[i + n] != '\n';) n++;
        st = edition_add(e, PART_PARAGRAPH, 0, (Str){ row.p + i, n });
    }
    return st;
}

/* Cells in one line; a row of empty cells is none. */
static Status write_row(Edition *e, Str row)
{
    Buf b = BUF(2 * (size_t)ROW_BYTES);
    bool said = false;
    for (size_t i = 0, n; i < row.n; i += n + 1) {
        n = strnlen(row.p + i, row.n - i);
        if (i > 0) buf_add(&b, STR(" | "));
        buf_add(&b, (Str){ row.p + i, n });
        said |= n > 0;
    }
    Status st = b.failed ? fail(&e->own, E_MEMORY, "out of memory for a row")
              : said ? edition_add(e, PART_ROW, 0, buf_str(&b)) : OK;
    buf_free(&b);
    return st;
}

Status table_end_row(Table *t, Edition *e)
{
    end_cell(t);
    size_t cells = t->cells;
    t->cells = 0;
    if (t->row.starved) return fail(&e->own, E_MEMORY, "out of memory for a row");
    if (t->dropped || cells == 0) return OK;
    bool layout = cells == 1 || t->longest > LAYOUT_BYTES;
    Str row = buf_str(&t->row);
    return layout ? write_layout(e, row) : write_row(e, row);
}
