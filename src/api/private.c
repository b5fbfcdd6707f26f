/* private.c -- see private.h. */
#include "api/private.h"

#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_LIST = 1 << 20 };

/* ---- the list ---------------------------------------------------------------------- */

/* As written, with "~/" opened, and where a folder of that name really lies. */
static Status add_prefix(Ctx *cx, Str line, Str *list, size_t *n)
{
    const char *home = getenv("HOME");
    Str z = str_starts(line, STR("~/")) && home
                ? ctx_printf(cx, "%s%.*s", home, (int)line.n - 1, line.p + 1)
                : ctx_dup(cx, line);
    TRY_NEW(z.p);
    list[(*n)++] = z;
    char *real = realpath(z.p, NULL);
    if (!real) return OK;
    Str copy = ctx_dup(cx, str_z(real));
    free(real);
    TRY_NEW(copy.p);
    if (!str_eq(copy, z)) list[(*n)++] = copy;
    return OK;
}

static Status split_prefixes(Ctx *cx, Str text, RouteRules *r)
{
    size_t lines = 1, n = 0;
    for (size_t i = 0; i < text.n; i++) lines += text.p[i] == '\n';
    Str *list = ctx_new(cx, Str, 2 * lines);
    TRY_NEW(list);
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        size_t used = nl ? (size_t)(nl - text.p) + 1 : text.n;
        Str line = str_trim((Str){ text.p, used });
        if (line.n && line.p[0] != '#') TRY(add_prefix(cx, line, list, &n));
        text = (Str){ text.p + used, text.n - used };
    }
    r->private_below = list;
    r->n_private = n;
    return OK;
}

Status private_read(Ctx *cx, RouteRules *r)
{
    Str folder, path, text;
    if (folder_config(cx, &folder) == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(cx->status);
    TRY(path_join(cx, folder, STR("private"), &path));
    Status st = file_read(cx, path.p, MAX_LIST, &text);
    if (st == OK) return split_prefixes(cx, text, r);
    if (st == E_MEMORY) return st;
    ctx_forgive(cx);
    if (st != E_NOTFOUND) r->forbidden = "the list of what is private cannot be read";
    return OK;
}

/* ---- models elsewhere -------------------------------------------------------------- */

static Status check_store(Ctx *cx, pith *p, const RouteRules *rules, Role r)
{
    Store *s;
    bool any = false;
    if (rules->n_private == 0) return OK;
    Status st = handle_store(cx, p, p->store_writes, &s);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(st);
    for (size_t i = 0; i < rules->n_private && !any; i++)
        TRY(store_any_below(cx, s, rules->private_below[i], &any));
    if (!any) return OK;
    return fail(cx, E_ARG, "this store has private documents, whose text stays here: "
                "choose another %s than %s", role_name(r), p->model_name[r]);
}

Status private_check(Ctx *cx, pith *p, Role r)
{
    const char *named = p->model_name[r];
    RouteRules rules = { 0 };
    if (!named || !model_is_elsewhere(named)) return OK;
    if (r == ROLE_GENERATOR)
        return fail(cx, E_ARG, "%s: a model elsewhere writes by --remote, under its "
                    "rules; the generator is a model here", named);
    TRY(private_read(cx, &rules));
    if (rules.forbidden) return fail(cx, E_ARG, "%s: %s", named, rules.forbidden);
    return check_store(cx, p, &rules, r);
}
