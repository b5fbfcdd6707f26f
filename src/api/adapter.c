/* adapter.c -- see adapter.h. */
#include "api/adapter.h"

#include "api/beside.h"
#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE = 1 << 20 };

/* ---- reading ----------------------------------------------------------------------- */

static const char *text_at(const json_t *j, const char *key)
{
    const char *s = json_string_value(json_object_get(j, key));
    return s && *s ? s : NULL;
}

/* The file as JSON, which the caller lets go of; NULL with OK: there is none. */
static Status read_file(Ctx *cx, const pith *p, json_t **out)
{
    Str path, text;
    json_error_t why;
    *out = NULL;
    Status st = beside_read(cx, p, BESIDE_ADAPTER, MAX_FILE, &path, &text);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(st);
    json_t *j = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &why);
    if (!j) return fail(cx, E_FORMAT, "%s line %d: %s", path.p, why.line, why.text);
    if (text_at(j, "adapter") && text_at(j, "generator")) return *out = j, OK;
    json_decref(j);
    return fail(cx, E_FORMAT, "%s: \"adapter\" and \"generator\" are wanted; --adapter "
                "none does without", path.p);
}

Status adapter_use(Ctx *cx, pith *p)
{
    json_t *j;
    if (p->adapter || p->adapter_known) return OK;
    TRY(read_file(cx, p, &j));
    p->adapter_known = true;
    if (!j) return OK;
    char **generator = &p->model_name[ROLE_GENERATOR];
    p->adapter = strdup(text_at(j, "adapter"));
    if (!*generator) *generator = strdup(text_at(j, "generator"));
    p->adapter_of_store = true;
    json_decref(j);
    return p->adapter && *generator ? OK : fail(cx, E_MEMORY, "out of memory for a name");
}

const char *adapter_path(const pith *p)
{
    return p->adapter && strcmp(p->adapter, "none") != 0 ? p->adapter : NULL;
}

Status adapter_explain(Ctx *cx, const pith *p, Status st)
{
    if (!p->adapter_of_store) return st;
    Str reason = ctx_dup(cx, str_z(cx->reason));
    TRY_NEW(reason.p);
    ctx_forgive(cx);
    return fail(cx, st, "%s (%s.adapter.json names this adapter; --adapter none does "
                "without)", reason.p, p->store_path);
}

/* ---- writing ----------------------------------------------------------------------- */

static Status write_record(Ctx *cx, const char *path, json_t *j, const char *adapter,
                           const char *generator, const char *figures)
{
    Str text;
    json_object_set_new(j, "adapter", json_string(adapter));
    json_object_set_new(j, "generator", json_string(generator));
    TRY(beside_add_figures(cx, j, figures));
    TRY(beside_text(cx, j, &text));
    return file_write(cx, path, text);
}

static Status keep(Ctx *cx, const char *path, const char *adapter, const char *generator,
                   const char *figures)
{
    char whole[PATH_MAX], model[PATH_MAX];
    if (!realpath(adapter, whole))
        return fail(cx, E_NOTFOUND, "%s: %s", adapter, strerror(errno));
    if (file_is_here(generator, NULL) && realpath(generator, model)) generator = model;
    json_t *j = beside_record();
    Status st = write_record(cx, path, j, whole, generator, figures);
    json_decref(j);
    return st;
}

static Status set(Ctx *cx, pith *p, const char *adapter, const char *figures)
{
    Str path, name, model;
    TRY(beside_writable(cx, p, BESIDE_ADAPTER, &path));
    if (!adapter) return file_remove(cx, path.p, NULL);
    const char *named = p->model_name[ROLE_GENERATOR];
    if (!named) {
        TRY(handle_model_path(cx, p, ROLE_GENERATOR, &name, &model));
        named = name.p;
    }
    return keep(cx, path.p, adapter, named, figures);
}

int pith_adapter_set(pith *p, const char *adapter, const char *figures, pith_error *why)
{
    Ctx cx;
    call_begin(p, &cx);
    return call_end(p, &cx, set(&cx, p, adapter, figures), false, why);
}

static Status show(Ctx *cx, const pith *p, char **out)
{
    json_t *j;
    TRY(read_file(cx, p, &j));
    if (!j) return OK;
    *out = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(j);
    return *out ? OK : fail(cx, E_MEMORY, "out of memory for JSON");
}

int pith_adapter_json(pith *p, char **json, pith_error *why)
{
    Ctx cx;
    *json = NULL;
    call_begin(p, &cx);
    return call_end(p, &cx, show(&cx, p, json), false, why);
}
