/* catalog.h -- the models pith knows by name: where they come from, and where they are.
 *
 * The manifest is part of the program. A model is fetched from its sources in order, its
 * parts joined or converted, its hash checked, and moved into the models' folder in one
 * step: a model that is there is whole. */
#ifndef PITH_MODEL_CATALOG_H
#define PITH_MODEL_CATALOG_H

#include "base/ctx.h"

typedef struct CatalogEntry {
    const char *name;       // "qwen2.5-coder-0.5b", ...
    const char *role;       // "generator", "embedder", "reranker"
    const char *licence;    // SPDX
    const char *about;      // one line
    uint64_t bytes;         // of the GGUF
    bool by_default;        // what its role uses when nothing is named
} CatalogEntry;

/* All entries; *n of them. Static memory. */
const CatalogEntry *catalog_entries(size_t *n);
/* The default of a role, or NULL. */
const CatalogEntry *catalog_default(const char *role);

/* The path of a model given by catalogue name or as a path of a GGUF. The address of a
 * server ("https://...") is one, too.
 * E_NOTFOUND: not pulled yet (the reason names the command), or no such name or file. */
MUST_USE Status catalog_resolve(Ctx *cx, const char *name_or_path, Str *path);
/* Where pulled models lie: $PITH_MODELS, else $XDG_DATA_HOME/pith/models. */
MUST_USE Status catalog_folder(Ctx *cx, Str *path);

typedef struct PullOptions {
    /* Called often; total is 0 while unknown. */
    void (*on_progress)(void *arg, const char *what, uint64_t done, uint64_t total);
    void *arg;
    bool again;             // fetch and check even if it is there
} PullOptions;

/* E_NOTFOUND: no such name. E_NET: no source could be reached. E_FORMAT: a wrong hash;
 * nothing is kept of it. An interrupted pull resumes. */
MUST_USE Status catalog_pull(Ctx *cx, const char *name, const PullOptions *opt,
                             Str *path);
/* E_NOTFOUND: not there. */
MUST_USE Status catalog_remove(Ctx *cx, const char *name);

#endif
