/* output.c -- see output.h. Plain values are lines "name value"; an object of objects and
 * a list of objects are tables, whose columns are the keys of the first; an object within
 * a row stands below it. */
#include "eval/output.h"

static void write_value(FILE *to, const json_t *v, int width)
{
    if (json_is_integer(v))
        fprintf(to, "%*" JSON_INTEGER_FORMAT, width, json_integer_value(v));
    else if (json_is_real(v)) fprintf(to, "%*.4f", width, json_real_value(v));
    else if (json_is_string(v)) fprintf(to, "%*s", width, json_string_value(v));
    else fprintf(to, "%*s", width, "-");
}

static void write_cells(FILE *to, json_t *row, bool names)
{
    const char *key;
    json_t *v;
    json_object_foreach(row, key, v) {
        if (json_is_object(v)) continue;
        if (names) fprintf(to, "  %13s", key);
        else fputs("  ", to), write_value(to, v, 13);
    }
    fputc('\n', to);
}

static void write_below(FILE *to, json_t *row)
{
    const char *key, *name;
    json_t *v, *below;
    json_object_foreach(row, key, below) {
        if (!json_is_object(below)) continue;
        json_object_foreach(below, name, v) {
            fprintf(to, "  %12s  ", name);
            write_value(to, v, 0);
            fputc('\n', to);
        }
    }
}

static void write_rows(FILE *to, const char *name, json_t *rows)
{
    size_t i = 0;
    const char *key;
    json_t *row;
    fprintf(to, "\n%-14s", name);
    if (json_is_array(rows)) {
        json_array_foreach(rows, i, row) {
            if (i == 0) write_cells(to, row, true);
            fprintf(to, "%-14s", "");
            write_cells(to, row, false);
            write_below(to, row);
        }
        return;
    }
    json_object_foreach(rows, key, row) {
        if (i++ == 0) write_cells(to, row, true);
        fprintf(to, "%-14s", key);
        write_cells(to, row, false);
    }
}

static void write_table(FILE *to, json_t *result)
{
    const char *key;
    json_t *v;
    json_object_foreach(result, key, v) {
        if (json_is_object(v) || json_is_array(v)) continue;
        fprintf(to, "%-26s", key);
        write_value(to, v, 12);
        fputc('\n', to);
    }
    json_object_foreach(result, key, v)
        if (json_is_object(v) || json_is_array(v)) write_rows(to, key, v);
}

bool output_write(FILE *to, json_t *result, bool json)
{
    if (json) json_dumpf(result, to, JSON_COMPACT | JSON_REAL_PRECISION(8));
    else write_table(to, result);
    if (json) fputc('\n', to);
    return fflush(to) == 0 && !ferror(to);
}
