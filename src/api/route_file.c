/* route_file.c -- see route_file.h. */
#include "api/route_file.h"

#include "base/file.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };
#define LARGEST 1e6     // of any number; further out a float's arithmetic is no use

typedef struct Reading {
    Ctx *cx;
    const char *name;
} Reading;

/* The number under key; `other` where it is absent, NAN: it must be there. */
static Status number(const Reading *r, const char *of, const json_t *j, const char *key,
                     double other, float *out)
{
    const json_t *v = json_object_get(j, key);
    double x = json_is_number(v) ? json_number_value(v) : v ? NAN : other;
    *out = (float)x;
    if (fabs(x) <= LARGEST) return OK;
    return fail(r->cx, E_FORMAT, "%s: \"%s\" of %s: a number within 1e6 was wanted",
                r->name, key, of);
}

static int feature_of(const char *name)
{
    for (int f = 0; f < ROUTE_FEATURES; f++)
        if (strcmp(route_feature_name((RouteFeature)f), name) == 0) return f;
    return -1;
}

static Status read_feature(const Reading *r, const char *name, const json_t *j,
                           RouteModel *m)
{
    float weight, scale;
    int f = feature_of(name);
    if (f < 0)
        return fail(r->cx, E_FORMAT, "%s: the router has no feature \"%.40s\"", r->name,
                    name);
    TRY(number(r, name, j, "weight", NAN, &weight));
    TRY(number(r, name, j, "usual", 0, &m->usual[f]));
    TRY(number(r, name, j, "scale", 1, &scale));
    if (!(scale >= 1 / LARGEST))
        return fail(r->cx, E_FORMAT, "%s: \"scale\" of %s: above 0 was wanted", r->name,
                    name);
    m->weight[f] = weight / scale;
    return OK;
}

static Status read_model(const Reading *r, const json_t *j, RouteModel *out)
{
    const json_t *features = json_object_get(j, "features");
    const char *name;
    json_t *one;
    RouteModel m = { 0 };
    TRY(number(r, "the model", j, "bias", NAN, &m.bias));
    TRY(number(r, "the model", j, "threshold", NAN, &m.threshold));
    if (!json_is_object(features))
        return fail(r->cx, E_FORMAT, "%s: \"features\" is no object", r->name);
    json_object_foreach((json_t *)features, name, one)
        TRY(read_feature(r, name, one, &m));
    *out = m;
    return OK;
}

Status route_model_parse(Ctx *cx, const char *name, Str text, RouteModel *out)
{
    json_error_t why;
    const Reading r = { cx, name };
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!j)
        return fail(cx, E_FORMAT, "%s: no JSON in line %d: %s", name, why.line, why.text);
    Status st = read_model(&r, j, out);
    json_decref(j);
    return st;
}

Status route_model_read(Ctx *cx, const char *path, RouteModel *out)
{
    Str text;
    TRY(file_read(cx, path, MAX_FILE, &text));
    return route_model_parse(cx, path, text, out);
}
