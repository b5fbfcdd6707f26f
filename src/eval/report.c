/* report.c -- results that --json wrote, side by side on one HTML page. */
#include "eval/html.h"
#include "eval/lines.h"
#include "eval/verbs.h"

#include <string.h>

/* The file's name without its folders and ".json". */
static const char *label_of(Ctx *cx, const char *path)
{
    const char *slash = strrchr(path, '/');
    Str name = str_z(slash ? slash + 1 : path);
    if (str_ends(name, STR(".json"))) name.n -= 5;
    return ctx_dup(cx, name).p;
}

static Status load(Ctx *cx, const char *path, HtmlResult *out)
{
    Str text;
    json_error_t e;
    TRY_NEW(out->label = label_of(cx, path));
    TRY(lines_read(cx, path, &text));
    out->object = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e);
    if (!out->object)
        return fail(cx, E_FORMAT, "%s line %d: %s", path, e.line, e.text);
    if (!json_is_object(out->object))
        return fail(cx, E_FORMAT, "%s holds no object as --json prints it", path);
    return OK;
}

Status eval_report(const Job *j)
{
    HtmlResult r[OPERANDS_MAX] = { 0 };
    size_t n = (size_t)j->opt->n_operands;
    Status st = OK;
    for (size_t i = 0; i < n && st == OK; i++)
        st = load(j->cx, j->opt->operand[i], &r[i]);
    if (st == OK) html_write(j->env->out, r, n);
    if (st == OK && fflush(j->env->out) != 0)
        st = fail(j->cx, E_IO, "the page cannot be written");
    for (size_t i = 0; i < n; i++) json_decref(r[i].object);
    return st;
}
