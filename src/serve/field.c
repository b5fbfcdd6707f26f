/* field.c -- see field.h. r->json is the object whose fields are read: the body, or one
 * inside it while field_object or field_objects runs; r->inside is the way to it. */
#include "serve/field.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static json_t *field(const Request *r, const char *name)
{
    json_t *j = json_object_get(r->json, name);
    return json_is_null(j) ? NULL : j;
}

bool field_wrong(Request *r, const char *name, const char *wanted, ...)
{
    char param[sizeof r->inside + 64], what[256];
    va_list ap;
    va_start(ap, wanted);
    vsnprintf(what, sizeof what, wanted, ap);
    va_end(ap);
    snprintf(param, sizeof param, "%s%.60s", r->inside, name);
    reply_error(r, 400, param, "%s: %s", param, what);
    return false;
}

bool field_int(Request *r, const char *name, int low, int high, int *out)
{
    const json_t *j = field(r, name);
    double v = json_number_value(j);        // 5.0 is a whole number too
    if (!j) return true;
    if (!json_is_number(j) || !(v >= low && v <= high) || v != (double)(int)v)
        return field_wrong(r, name, "a whole number from %d to %d was expected", low,
                           high);
    *out = (int)v;
    return true;
}

bool field_real(Request *r, const char *name, double low, double high, double *out)
{
    const json_t *j = field(r, name);
    double v = json_number_value(j);
    if (!j) return true;
    if (!json_is_number(j) || !(v >= low && v <= high))
        return field_wrong(r, name, "a number from %g to %g was expected", low, high);
    *out = v;
    return true;
}

bool field_flag(Request *r, const char *name, bool *out)
{
    const json_t *j = field(r, name);
    if (!j) return true;
    if (!json_is_boolean(j)) return field_wrong(r, name, "true or false was expected");
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
    if (!has_text(j)) return field_wrong(r, name, "a string with text was expected");
    *out = json_string_value(j);
    return true;
}

bool field_ignored(Request *r, const char *name)
{
    const json_t *j = field(r, name);
    if (!j || json_is_string(j)) return true;
    return field_wrong(r, name, "a string was expected");
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
        return field_wrong(r, name, "a string, or 1 to %zu strings, none of them empty, "
                           "were expected", max);
    }
    *out = texts;
    *n = count;
    return true;
}

/* "a, b or c was expected". */
static const char *names_text(const char *const *names, char *text, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; names[i] && n < max; i++)
        n += (size_t)snprintf(text + n, max - n, "%s\"%s\"",
                              i == 0 ? "" : names[i + 1] ? ", " : " or ", names[i]);
    if (n < max) snprintf(text + n, max - n, " was expected");
    return text;
}

bool field_choice(Request *r, const char *name, const char *const *names, int *out)
{
    char text[160];
    const json_t *j = field(r, name);
    const char *z = json_string_value(j);
    if (!j) return true;
    for (int i = 0; z && names[i]; i++)
        if (strcmp(z, names[i]) == 0) return *out = i, true;
    return field_wrong(r, name, "%s", names_text(names, text, sizeof text));
}

bool field_refuse(Request *r, const char *name)
{
    const json_t *j = field(r, name);
    bool empty = !j || json_is_false(j) || (json_is_array(j) && json_array_size(j) == 0)
        || (json_is_string(j) && json_string_length(j) == 0)
        || (json_is_number(j) && json_number_value(j) == 0);
    return empty || field_wrong(r, name, "this is not supported here: leave it out");
}

bool field_only(Request *r, const char *const *names)
{
    const char *name;
    json_t *j;
    json_object_foreach(r->json, name, j) {
        size_t i = 0;
        while (names[i] && strcmp(names[i], name) != 0) i++;
        if (!names[i])
            return field_wrong(r, name, "no such field is known here: leave it out");
    }
    return true;
}

/* ---- objects inside --------------------------------------------------------------- */

/* Reads j, which is called name in the object that is read now. */
static bool inside(Request *r, const char *name, json_t *j, FieldRead *read, void *to)
{
    json_t *outer = r->json;
    size_t n = strlen(r->inside);
    if (!json_is_object(j)) return field_wrong(r, name, "an object was expected");
    snprintf(r->inside + n, sizeof r->inside - n, "%s.", name);
    r->json = j;
    bool good = read(r, to);
    r->json = outer;
    r->inside[n] = '\0';
    return good;
}

bool field_object(Request *r, const char *name, FieldRead *read, void *to)
{
    json_t *j = field(r, name);
    return !j || inside(r, name, j, read, to);
}

bool field_objects(Request *r, const char *name, size_t max, FieldRead *read, void *to)
{
    const json_t *all = field(r, name);
    char label[48];
    size_t n = json_array_size(all);
    if (n < 1 || n > max)
        return field_wrong(r, name, "an array of 1 to %zu objects was expected", max);
    for (size_t i = 0; i < n; i++) {
        snprintf(label, sizeof label, "%s[%zu]", name, i);
        if (!inside(r, label, json_array_get(all, i), read, to)) return false;
    }
    return true;
}
