/* job.c -- see job.h. */
#include "eval/job.h"

#include <stdarg.h>
#include <stdio.h>

Status job_why(const Job *j, const pith_error *why)
{
    Status st = why->code > 0 && why->code <= E_INTERNAL ? (Status)why->code : E_INTERNAL;
    if (st == E_ARG) st = E_INTERNAL;   // not the command line: what we asked pith for
    return fail(j->cx, st, "%s", why->message);   // PITH_E_ and E_ count alike
}

void job_warn(const Job *j, const char *format, ...)
{
    char message[600];
    va_list ap;
    va_start(ap, format);
    vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    if (j->env->on_message) j->env->on_message(j->env->arg, message);
}

void job_progress(const Job *j, size_t done, size_t total, const char *unit)
{
    if (j->env->on_progress)
        j->env->on_progress(j->env->arg, (double)done, (double)total, unit, "");
}

void job_figure(const Job *j, const char *name, double value)
{
    json_object_set_new(j->result, name, json_real(value));
}

void job_count(const Job *j, const char *name, size_t value)
{
    json_object_set_new(j->result, name, json_integer((json_int_t)value));
}

Status job_per_query(const Job *j, const Table *t)
{
    return j->opt->per_query ? table_write(j->cx, j->opt->per_query, t) : OK;
}

/* ---- collection -------------------------------------------------------------------- */

/* The file that an option names, else the one of the collection's folder. */
static const char *file_of(const Job *j, const char *named, const char *usual)
{
    return named ? named : ctx_printf(j->cx, "%s/%s", j->opt->operand[0], usual).p;
}

static int by_bytes(const void *a, const void *b)
{
    return str_cmp(*(const Str *)a, *(const Str *)b);
}

/* Judgements whose question is not among the questions asked. */
static Status unasked(const Job *j, const Set *s, size_t *out)
{
    Str *id = ctx_new(j->cx, Str, s->questions.n);
    TRY_NEW(id);
    for (size_t i = 0; i < s->questions.n; i++) id[i] = s->questions.at[i].id;
    qsort(id, s->questions.n, sizeof *id, by_bytes);
    *out = 0;
    for (size_t i = 0; i < s->qrels.n; i++)
        *out += !bsearch(&s->qrels.at[i].query, id, s->questions.n, sizeof *id, by_bytes);
    return OK;
}

static Status read_qrels(const Job *j, bool need, Set *out)
{
    const char *path = file_of(j, j->opt->qrels, "qrels.tsv");
    size_t unknown = 0, strange;
    TRY_NEW(path);
    Status st = qrels_read(j->cx, path, &out->qrels);
    if (st == E_NOTFOUND && !need && !j->opt->qrels) return ctx_forgive(j->cx), OK;
    TRY(st);
    strange = corpus_unknown(&out->corpus, &out->qrels);
    TRY(unasked(j, out, &unknown));
    if (strange == out->qrels.n)
        return fail(j->cx, E_FORMAT, "%s: not one judgement names a document of the "
                    "corpus", path);
    if (strange)
        job_warn(j, "%s: %zu of %zu judgements name documents that the corpus lacks; "
                 "they count as not found", path, strange, out->qrels.n);
    if (unknown)
        job_warn(j, "%s: %zu of %zu judgements are for questions that are not there; "
                 "they are left out", path, unknown, out->qrels.n);
    return OK;
}

Status job_cut(const Job *j, Questions *qs)
{
    size_t skip = (size_t)j->opt->skip, limit = (size_t)j->opt->limit;
    if (limit && limit < qs->n) qs->n = limit;
    if (skip >= qs->n && skip)
        return fail(j->cx, E_FORMAT, "--skip %zu leaves none of %zu questions", skip,
                    qs->n);
    qs->at += skip;
    qs->n -= skip;
    return OK;
}

Status job_read(const Job *j, bool need_qrels, Set *out)
{
    *out = (Set){ 0 };
    const char *corpus = file_of(j, NULL, "corpus.jsonl");
    const char *queries = file_of(j, j->opt->queries, "queries.jsonl");
    if (!corpus || !queries) return E_MEMORY;
    TRY(corpus_read(j->cx, corpus, &out->corpus));
    TRY(questions_read(j->cx, queries, &out->questions));
    TRY(read_qrels(j, need_qrels, out));
    return job_cut(j, &out->questions);
}
