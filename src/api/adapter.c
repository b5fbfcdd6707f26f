/* adapter.c -- see adapter.h. */
#include "api/adapter.h"

#include "base/file.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 20 };

static Status path_of(Ctx *cx, const pith *p, Str *out)
{
    *out = ctx_printf(cx, "%s.adapter.json", p->store_path);
    return out->p ? OK : E_MEMORY;
}

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
    TRY(path_of(cx, p, &path));
    Status st = file_read(cx, path.p, MAX_FILE, &text);
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

static Status write_json(Ctx *cx, const char *path, json_t *j)
{
    char *text = j ? json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) : NULL;
    if (!text) return fail(cx, E_MEMORY, "out of memory for the record of an adapter");
    Str line = ctx_printf(cx, "%s\n", text);
    free(text);
    return line.p ? file_write(cx, path, line) : E_MEMORY;
}

static json_t *record(const char *adapter, const char *generator, json_t *figures)
{
    char made[32];
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &t);
    return json_pack("{ss ss ss ss sO}", "pith", PITH_VERSION, "made", made, "adapter",
                     adapter, "generator", generator, "figures", figures);
}

static Status keep(Ctx *cx, const char *path, const char *adapter, const char *generator,
                   const char *figures)
{
    char whole[PATH_MAX], model[PATH_MAX];
    if (!realpath(adapter, whole))
        return fail(cx, E_NOTFOUND, "%s: %s", adapter, strerror(errno));
    if (file_is_here(generator, NULL) && realpath(generator, model)) generator = model;
    json_t *f = figures ? json_loads(figures, 0, NULL) : json_object();
    json_t *j = json_is_object(f) ? record(whole, generator, f) : NULL;
    Status st = json_is_object(f) ? write_json(cx, path, j)
                                  : fail(cx, E_ARG, "the figures are no JSON object");
    json_decref(j);
    json_decref(f);
    return st;
}

static Status set(Ctx *cx, pith *p, const char *adapter, const char *figures)
{
    Str path, name, model;
    if (p->read_only) return fail(cx, E_ARG, "this handle was opened for reading only");
    TRY(path_of(cx, p, &path));
    if (!adapter) {
        if (unlink(path.p) == 0 || errno == ENOENT) return OK;
        return fail(cx, E_IO, "cannot remove %s: %s", path.p, strerror(errno));
    }
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
