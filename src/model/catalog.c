/* catalog.c -- see catalog.h: names to paths. manifest.c says what there is, pull.c
 * fetches it. */
#include "base/file.h"
#include "model/manifest.h"
#include "model/model.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const ModelSpec *find(const char *name)
{
    size_t n;
    const CatalogEntry *e = catalog_entries(&n);
    for (size_t i = 0; i < n; i++)
        if (str_ieq(str_z(e[i].name), str_z(name))) return &MODEL_SPECS[i];
    return NULL;
}

const CatalogEntry *catalog_default(const char *role)
{
    size_t n;
    const CatalogEntry *e = catalog_entries(&n);
    for (size_t i = 0; i < n; i++)
        if (e[i].by_default && strcmp(e[i].role, role) == 0) return &e[i];
    return NULL;
}

Status catalog_folder(Ctx *cx, Str *path)
{
    const char *named = getenv("PITH_MODELS");
    if (named && named[0]) {
        *path = ctx_dup(cx, str_z(named));
        return path->p ? OK : E_MEMORY;
    }
    TRY(folder_data(cx, path));
    return path_join(cx, *path, STR("models"), path);
}

static Status unknown(Ctx *cx, const char *name)
{
    return fail(cx, E_NOTFOUND,
                "%s is neither a model of the catalogue nor a GGUF file: `pith "
                "model ls` shows the catalogue", name);
}

/* The files in the models' folder whose names begin with name: how many, and the last. */
static Status search(Ctx *cx, DIR *folder, Str name, size_t *n, Str *found)
{
    *n = 0;
    for (struct dirent *e; (e = readdir(folder)) != NULL;) {
        Str file = str_z(e->d_name);
        if (file.p[0] == '.' || !str_ends(file, STR(".gguf")) || file.n < name.n ||
            !str_ieq((Str){ file.p, name.n }, name)) continue;
        bool exact = file.n == name.n || file.n == name.n + strlen(".gguf");
        *found = ctx_dup(cx, file);
        TRY_NEW(found->p);
        if (exact) return *n = 1, OK;
        ++*n;
    }
    return OK;
}

static Status resolve_file(Ctx *cx, const char *name, Str *path)
{
    Str folder, found = { "", 0 };
    size_t n = 0;
    TRY(catalog_folder(cx, &folder));
    DIR *d = opendir(folder.p);
    if (!d) return unknown(cx, name);
    Status st = search(cx, d, str_z(name), &n, &found);
    closedir(d);
    if (st != OK) return st;
    if (n == 0) return unknown(cx, name);
    if (n > 1)
        return fail(cx, E_NOTFOUND,
                    "%s fits %zu files in %s, %s among them: write more of the "
                    "name", name, n, folder.p, found.p);
    return path_join(cx, folder, found, path);
}

static Status resolve_spec(Ctx *cx, const ModelSpec *m, Str *path)
{
    Str folder;
    TRY(catalog_folder(cx, &folder));
    TRY(path_join(cx, folder, str_z(m->file), path));
    if (file_is_here(path->p, NULL)) return OK;
    return fail(cx, E_NOTFOUND, "%s %s is not here yet: pith model pull %s",
                m->entry->role,
                m->entry->name, m->entry->name);
}

Status catalog_resolve(Ctx *cx, const char *name_or_path, Str *path)
{
    const char *name = name_or_path;
    if (!name || !name[0]) return fail(cx, E_ARG, "no model is named");
    const ModelSpec *m = find(name);
    if (m) return resolve_spec(cx, m, path);
    bool fake = str_starts(str_z(name), STR("fake:"));   // for tests: model.h
    if (fake || model_is_elsewhere(name) || file_is_here(name, NULL)) {
        *path = ctx_dup(cx, str_z(name));
        return path->p ? OK : E_MEMORY;
    }
    if (strchr(name, '/')) return fail(cx, E_NOTFOUND, "%s: no such file", name);
    return resolve_file(cx, name, path);
}

Status catalog_pull(Ctx *cx, const char *name, const PullOptions *opt, Str *path)
{
    const ModelSpec *m = find(name);
    if (m) return model_pull(cx, m, opt, path);
    return fail(cx, E_NOTFOUND,
                "the catalogue has no model %s: `pith model ls` shows it", name);
}

Status catalog_remove(Ctx *cx, const char *name)
{
    Str path;
    const ModelSpec *m = find(name);
    if (!m) return unknown(cx, name);
    TRY(resolve_spec(cx, m, &path));
    if (unlink(path.p) == 0) return OK;
    return fail(cx, E_IO, "%s: %s", path.p, strerror(errno));
}
