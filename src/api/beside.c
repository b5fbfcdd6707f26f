/* beside.c -- see beside.h. */
#include "api/beside.h"

#include "base/file.h"

#include <stdlib.h>
#include <time.h>

Status beside_path(Ctx *cx, const pith *p, const char *kind, Str *out)
{
    *out = ctx_printf(cx, "%s.%s", p->store_path, kind);
    return out->p ? OK : E_MEMORY;
}

Status beside_writable(Ctx *cx, const pith *p, const char *kind, Str *out)
{
    if (p->read_only) return fail(cx, E_ARG, "this handle was opened for reading only");
    return beside_path(cx, p, kind, out);
}

Status beside_read(Ctx *cx, const pith *p, const char *kind, size_t max, Str *path,
                   Str *bytes)
{
    TRY(beside_path(cx, p, kind, path));
    return file_read(cx, path->p, max, bytes);
}

json_t *beside_record(void)
{
    char made[32];
    time_t now = time(NULL);
    struct tm t;
    gmtime_r(&now, &t);
    strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &t);
    return json_pack("{ss ss}", "pith", PITH_VERSION, "made", made);
}

Status beside_add_figures(Ctx *cx, json_t *record, const char *figures)
{
    json_t *f = figures ? json_loads(figures, 0, NULL) : json_object();
    if (figures && !json_is_object(f)) {
        json_decref(f);
        return fail(cx, E_ARG, "the figures are no JSON object");
    }
    if (json_object_set_new(record, "figures", f) == 0) return OK;   // takes f
    return fail(cx, E_MEMORY, "out of memory for figures");
}

Status beside_text(Ctx *cx, const json_t *record, Str *out)
{
    char *text = record ? json_dumps(record, JSON_INDENT(2) | JSON_REAL_PRECISION(9))
                        : NULL;
    if (!text) return fail(cx, E_MEMORY, "out of memory for a file beside the store");
    *out = ctx_printf(cx, "%s\n", text);
    free(text);
    return out->p ? OK : E_MEMORY;
}
