/* csv.c -- tables in text (RFC 4180, and its kin with ';', tabs or '|'): a row is a
 * record whose values carry the names of their columns.
 *
 * A quote that is not closed within a MiB is none, and no later one is: else a stray mark
 * would swallow the rest of the file. */
#include "parse/charset.h"
#include "parse/parse.h"
#include "parse/record.h"
#include "parse/sheet.h"

#include <string.h>

enum { SNIFFED = 20, QUOTED_MAX = 1 << 20, NAMES = 256 };

typedef struct Cell {
    size_t at, n;           // of the value in the source
    bool doubled;           // it has "" in it
} Cell;

typedef struct Table {
    Str s;
    size_t at;              // where the reader stands
    char separator;
    bool quotes;            // marks are marks
    Str names[NAMES];       // of the columns
    size_t n_names;
    Buf value;
    Record out;
} Table;

/* ---- reading ----------------------------------------------------------------------- */

/* Where the mark that closes a value beginning at `at` stands; false where none does. */
static bool find_close(const Table *t, size_t at, size_t *close, bool *doubled)
{
    size_t most = t->s.n - at > QUOTED_MAX ? at + QUOTED_MAX : t->s.n;
    *doubled = false;
    for (size_t i = at; i < most; i++) {
        if (t->s.p[i] != '"') continue;
        if (i + 1 < t->s.n && t->s.p[i + 1] == '"') {
            *doubled = true;
            i++;
            continue;
        }
        *close = i;
        return true;
    }
    return false;
}

static bool ends_cell(const Table *t, size_t i)
{
    return i >= t->s.n || t->s.p[i] == t->separator || t->s.p[i] == '\n' ||
           t->s.p[i] == '\r';
}

/* The cell at t->at; the reader stands at what ends it. */
static Cell read_cell(Table *t)
{
    Cell c = { .at = t->at };
    size_t close;
    if (t->quotes && t->at < t->s.n && t->s.p[t->at] == '"') {
        if (find_close(t, t->at + 1, &close, &c.doubled)) {
            c.at = t->at + 1;
            c.n = close - c.at;
            for (t->at = close + 1; !ends_cell(t, t->at);) t->at++;
            return c;
        }
        t->quotes = false;
    }
    while (!ends_cell(t, t->at)) t->at++;
    c.n = t->at - c.at;
    return c;
}

/* Passes what ends a cell; false where that ends the row. */
static bool next_cell(Table *t)
{
    if (t->at >= t->s.n) return false;
    bool more = t->s.p[t->at] == t->separator;
    if (t->s.p[t->at] == '\r' && t->at + 1 < t->s.n && t->s.p[t->at + 1] == '\n') t->at++;
    t->at++;
    return more;
}

/* ---- the separator ----------------------------------------------------------------- */

/* How many of the first rows have as many cells as the first, times the cells. */
static size_t score(Str s, size_t from, char separator)
{
    Table t = { .s = s, .at = from, .separator = separator, .quotes = true };
    size_t first = 0, agree = 0;
    for (int row = 0; row < SNIFFED && t.at < s.n; row++) {
        size_t cells = 1;
        for (read_cell(&t); next_cell(&t); read_cell(&t)) cells++;
        if (row == 0) first = cells;
        agree += cells == first;
    }
    return first > 1 ? agree * 64 + (first < 64 ? first : 63) : 0;
}

static char sniff(Str s, size_t from)
{
    static const char candidates[] = ",;\t|";
    char best = ',';
    size_t most = 0;
    for (const char *c = candidates; *c; c++) {
        size_t now = score(s, from, *c);
        if (now > most) most = now, best = *c;
    }
    return best;
}

/* ---- rows -------------------------------------------------------------------------- */

static Str without_doubles(Table *t, Str raw)
{
    t->value.n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        buf_add(&t->value, (Str){ raw.p + i, 1 });
        if (raw.p[i] == '"' && i + 1 < raw.n && raw.p[i + 1] == '"') i++;
    }
    return buf_str(&t->value);
}

static Status add_cell(Table *t, const Cell *c, size_t column, bool named)
{
    Str raw = str_trim((Str){ t->s.p + c->at, c->n });
    if (raw.n == 0) return OK;
    Str name = named && column < t->n_names ? t->names[column] : STR("");
    Str value = c->doubled ? without_doubles(t, raw) : raw;
    if (t->out.text.n) record_name(&t->out, STR(" | "));
    record_name(&t->out, name);
    if (name.n) record_name(&t->out, STR(": "));
    return record_value(&t->out, value, (size_t)(raw.p - t->s.p), raw.n);
}

static Status read_row(Table *t, bool named)
{
    size_t column = 0;
    do {
        Cell c = read_cell(t);
        TRY(add_cell(t, &c, column++, named));
    } while (next_cell(t));
    return record_end(&t->out);
}

/* The first row's cells become names where they look like names. */
static void read_names(Table *t)
{
    size_t begin = t->at, n = 0;
    do {
        Cell c = read_cell(t);
        if (n < NAMES) t->names[n] = str_trim((Str){ t->s.p + c.at, c.n });
        n++;
    } while (next_cell(t));
    t->at = begin;
    t->n_names = n <= NAMES && sheet_is_header(t->names, n) ? n : 0;
}

static Status read_table(Table *t)
{
    t->at = mark_length(t->s);
    t->separator = sniff(t->s, t->at);
    read_names(t);
    if (t->n_names) TRY(read_row(t, false));
    while (t->at < t->s.n) TRY(read_row(t, true));
    return OK;
}

Status csv_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Table t = { .quotes = true, .value = BUF(QUOTED_MAX + 1) };
    TRY(charset_utf8(cx, in->bytes, &t.s));
    record_open(&t.out, cx, t.s, to);
    Status st = record_close(&t.out, cx, read_table(&t));
    if (st == OK && t.value.starved)
        st = fail(cx, E_MEMORY, "out of memory for a record");
    buf_free(&t.value);
    return st;
}
