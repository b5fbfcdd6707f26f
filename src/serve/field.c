/* field.c -- see field.h. */
#include "serve/field.h"

#include <stdlib.h>
#include <string.h>

static json_t *field(const Request *r, const char *name)
{
    json_t *j = json_object_get(r->json, name);
    return json_is_null(j) ? NULL : j;
}

bool field_int(Request *r, const char *name, int low, int high, int *out)
{
    const json_t *j = field(r, name);
    double v = json_number_value(j);        // 5.0 is a whole number too
    if (!j) return true;
    if (!json_is_number(j) || !(v >= low && v <= high) || v != (double)(int)v) {
        reply_error(r, 400, name, "%s: a whole number from %d to %d was expected", name,
                    low, high);
        return false;
    }
    *out = (int)v;
    return true;
}

bool field_real(Request *r, const char *name, double low, double high, double *out)
{
    const json_t *j = field(r, name);
    double v = json_number_value(j);
    if (!j) return true;
    if (!json_is_number(j) || !(v >= low && v <= high)) {
        reply_error(r, 400, name, "%s: a number from %g to %g was expected", name, low,
                    high);
        return false;
    }
    *out = v;
    return true;
}

bool field_flag(Request *r, const char *name, bool *out)
{
    const json_t *j = field(r, name);
    if (!j) return true;
    if (!json_is_boolean(j)) {
        reply_error(r, 400, name, "%s: true or false was expected", name);
        return false;
    }
    *out = json_is_true(j);
    return true;
}

static bool has_text(const json_t *j)
{
    const char *z = json_string_value(j);
    return z && z[strspn(z, " \t\r\n\f\v")] != '\0';
}

bool field_text(Request *r, const char *name, bool needed, const char **out)
{
    const json_t *j = field(r, name);
    if (!j && !needed) return true;
    if (!has_text(j)) {
        reply_error(r, 400, name, "%s: a string with text in it was expected", name);
        return false;
    }
    *out = json_string_value(j);
    return true;
}

bool field_ignored(Request *r, const char *name)
{
    const json_t *j = field(r, name);
    if (!j || json_is_string(j)) return true;
    reply_error(r, 400, name, "%s: a string was expected", name);
    return false;
}

static const char *text_of(const json_t *j)
{
    if (json_is_object(j)) j = json_object_get(j, "text");
    return has_text(j) ? json_string_value(j) : NULL;
}

bool field_texts(Request *r, const char *name, size_t max, const char ***out, size_t *n)
{
    json_t *j = field(r, name);
    bool many = json_is_array(j), good = j != NULL;
    size_t count = many ? json_array_size(j) : 1;
    good &= count >= 1 && count <= max;
    const char **texts = good ? malloc(count * sizeof *texts) : NULL;
    for (size_t i = 0; texts && good && i < count; i++)
        good = (texts[i] = text_of(many ? json_array_get(j, i) : j)) != NULL;
    if (!texts || !good) {
        free(texts);
        reply_error(r, 400, name, "%s: a string, or 1 to %zu strings, none of them "
                    "empty, were expected", name, max);
        return false;
    }
    *out = texts;
    *n = count;
    return true;
}

bool field_choice(Request *r, const char *name, const char *const *names, int *out)
{
    const json_t *j = field(r, name);
    const char *z = json_string_value(j);
    if (!j) return true;
    for (int i = 0; z && names[i]; i++)
        if (strcmp(z, names[i]) == 0) return *out = i, true;
    reply_error(r, 400, name, "%s: one of \"%s\", \"%s\"%s was expected", name, names[0],
                names[1], names[2] ? ", ..." : "");
    return false;
}

bool field_refuse(Request *r, const char *name)
{
    const json_t *j = field(r, name);
    bool empty = !j || json_is_false(j) || (json_is_array(j) && json_array_size(j) == 0)
        || (json_is_string(j) && json_string_length(j) == 0)
        || (json_is_number(j) && json_number_value(j) == 0);
    if (!empty) reply_error(r, 400, name, "%s is not supported here: leave it out", name);
    return empty;
}
