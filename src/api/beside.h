/* beside.h -- the small files beside a store, STORE.KIND, in which what was found out for
 * it is kept: its adapter, its calibration, its map of queries, its glossary. */
#ifndef PITH_API_BESIDE_H
#define PITH_API_BESIDE_H

#include "api/handle.h"

#include <jansson.h>

#define BESIDE_ADAPTER "adapter.json"
#define BESIDE_CALIBRATION "calibration.json"
#define BESIDE_GLOSSARY "glossary"
#define BESIDE_QUERY_MAP "querymap"

/* Where the file is or would be. */
MUST_USE Status beside_path(Ctx *cx, const pith *p, const char *kind, Str *out);
/* The same, to write to or to remove. E_ARG: the handle was opened for reading only. */
MUST_USE Status beside_writable(Ctx *cx, const pith *p, const char *kind, Str *out);
/* The file's path and bytes. E_NOTFOUND: there is none; and as file_read. */
MUST_USE Status beside_read(Ctx *cx, const pith *p, const char *kind, size_t max,
                            Str *path, Str *bytes);

/* {"pith", "made"}: by which version this is, and when; more is to be added. NULL: no
 * memory. */
json_t *beside_record(void);
/* Adds "figures", a JSON object's text; NULL is an empty one. E_ARG: it is none. */
MUST_USE Status beside_add_figures(Ctx *cx, json_t *record, const char *figures);
/* The record as a person reads it. E_MEMORY, also where record is NULL. */
MUST_USE Status beside_text(Ctx *cx, const json_t *record, Str *out);

#endif
