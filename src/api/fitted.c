/* fitted.c -- see fitted.h. */
#include "api/fitted.h"

#include "base/file.h"
#include "model/catalog.h"
#include "model/gguf_file.h"
#include "model/machine.h"

#include <string.h>

enum { MAX_FILE = 1 << 20, PRINT = 8 };     // digits of the fingerprint in a name

Status fitted_paths(Ctx *cx, const char *source, FittedPaths *out)
{
    GgufFile file;
    Str models;
    const char *slash = strrchr(source, '/'), *name = slash ? slash + 1 : source;
    Str stem = str_z(name);
    TRY(gguf_file_check(cx, source, &file));
    TRY(catalog_folder(cx, &models));
    if (str_ends(stem, STR(".gguf"))) stem.n -= strlen(".gguf");
    Str name_of = ctx_printf(cx, "%s/fitted/%.*s-%.*s", models.p, (int)stem.n, stem.p,
                             PRINT, file.fingerprint);
    TRY_NEW(name_of.p);
    *out = (FittedPaths){
        .folder = ctx_printf(cx, "%s/fitted", models.p),
        .work = ctx_printf(cx, "%s/fitted/.work", models.p),
        .lock = ctx_printf(cx, "%s/fitted/.lock", models.p),
        .print = ctx_dup(cx, str_z(file.fingerprint)),
        .record = ctx_printf(cx, "%s.json", name_of.p),
        .model = ctx_printf(cx, "%s.gguf", name_of.p),
    };
    return cx->status;
}

static const char *text_at(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s ? s : "";
}

static json_int_t number_at(const json_t *j, const char *key)
{
    return json_integer_value(json_object_get(j, key));
}

Status fitted_read(Ctx *cx, const FittedPaths *at, json_t **out)
{
    Str text;
    *out = NULL;
    Status st = file_read(cx, at->record.p, MAX_FILE, &text);
    if (st == E_MEMORY) return st;
    if (st != OK) return ctx_forgive(cx), OK;
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, NULL);
    bool sound = j && strcmp(text_at(j, "original"), at->print.p) == 0
        && json_is_string(json_object_get(j, "machine_key"))
        && json_is_string(json_object_get(j, "chosen"));
    if (sound) *out = j;
    else json_decref(j);
    return OK;
}

const char *fitted_stale(Ctx *cx, const FittedPaths *at, const json_t *record)
{
    bool own_file = json_is_string(json_object_get(record, "path"));
    uint64_t bytes = 0;
    Str why = { NULL, 0 };
    if (strcmp(text_at(record, "machine_key"), machine_key().z) != 0)
        why = ctx_printf(cx, "it was fitted to another machine, \"%s\" with %lld cores",
                         text_at(record, "cpu"), number_at(record, "cores"));
    else if (own_file && (!file_is_here(at->model.p, &bytes)
                          || bytes != (uint64_t)number_at(record, "file_bytes")))
        why = ctx_printf(cx, "%s is gone or cut short", at->model.p);
    return why.p;
}

Status fitted_use(Ctx *cx, Str *path, FittedUse *out)
{
    FittedPaths at;
    json_t *j = NULL;
    *out = (FittedUse){ 0 };
    if (fitted_paths(cx, path->p, &at) != OK)
        return ctx_forgive(cx), OK;         // who opens the file says it better
    TRY(fitted_read(cx, &at, &j));
    if (j && !fitted_stale(cx, &at, j)) {
        if (json_is_string(json_object_get(j, "path"))) *path = at.model;
        out->threads = (int)number_at(j, "threads");
        out->flash = json_is_true(json_object_get(j, "flash"));
        if (out->threads < 0 || out->threads > machine_cores()) out->threads = 0;
    }
    json_decref(j);
    return cx->status;
}

Status fitted_remove(Ctx *cx, const FittedPaths *at, bool *removed)
{
    bool record = false, model = false;
    TRY(file_remove(cx, at->record.p, &record));
    TRY(file_remove(cx, at->model.p, &model));
    *removed = record || model;
    return OK;
}
