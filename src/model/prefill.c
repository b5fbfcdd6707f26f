/* prefill.c -- see prefill.h: opening, closing, and a call. prefill_room.c has the memory
 * that a call needs. */
#include "model/prefill_impl.h"

#include <stdlib.h>

enum { STEP_PERCENT = 125 };

bool prefill_way(MatmulWay *out)
{
    *out = matmul_best();
    return *out == MATMUL_INT8 || *out == MATMUL_BF16;
}

/* ---- open and close --------------------------------------------------------------- */

static void block_close(PrefillBlock *b)
{
    matmul_close(b->qkv);
    matmul_close(b->o);
    matmul_close(b->down);
    for (int i = 0; i < PREFILL_SLICES; i++) matmul_close(b->gate_up[i]);
    for (Norm n = 0; n < NORMS; n++) free(b->norm[n]);
}

void prefill_close(Prefill *p)
{
    if (!p) return;
    prefill_room_close(p);
    for (size_t i = 0; p->block && i < p->shape.layers; i++) block_close(&p->block[i]);
    free(p->block);
    free(p->rope_scale);
    prefill_head_close(p);
    free(p->step);
    free(p->logits);
    lm_file_close(&p->file);
    free(p);
}

static Status open_all(Ctx *cx, Prefill *p, const char *path)
{
    TRY(lm_file_open(cx, path, &p->file));
    p->shape = p->file.shape;
    if (p->shape.head_dim > PREFILL_HEAD_DIM)
        return fail(cx, E_MODEL, "%s: heads of %zu values; %d are read here at most",
                    path, p->shape.head_dim, PREFILL_HEAD_DIM);
    p->packed_bytes = prefill_pack_bytes(p);
    if (p->packed_bytes > p->max_bytes)
        return fail(cx, E_LIMIT, "%s: packed weights would take %.0f MiB, %.0f are "
                    "allowed", path, prefill_mib(p->packed_bytes),
                    prefill_mib(p->max_bytes));
    TRY(lm_tensor(cx, &p->file, "token_embd.weight", p->shape.dim, p->shape.vocab,
                  &p->embed));
    p->rope_scale = malloc(p->shape.rope_dims / 2 * sizeof *p->rope_scale);
    if (!p->rope_scale) return fail(cx, E_MEMORY, "no memory for positions");
    TRY(lm_rope_scale(cx, &p->file, p->rope_scale));
    p->block = calloc(p->shape.layers, sizeof *p->block);
    if (!p->block) return fail(cx, E_MEMORY, "%s: no memory", path);
    return prefill_pack(cx, p);
}

Status prefill_open(Ctx *cx, const char *path, const PrefillOptions *opt, Prefill **out)
{
    Prefill *p = calloc(1, sizeof *p);
    *out = NULL;
    if (!p) return fail(cx, E_MEMORY, "%s: no memory", path);
    p->way = opt->way;
    p->gemm_way = opt->way == MATMUL_PLAIN ? GEMM_WAY_PLAIN : gemm_best();
    p->threads = opt->threads > CREW_MAX ? CREW_MAX : (size_t)opt->threads;
    p->max_bytes = opt->max_bytes;
    p->step_percent = opt->step_percent > 0 ? (size_t)opt->step_percent : STEP_PERCENT;
    Status st = open_all(cx, p, path);
    if (st == OK) *out = p;
    else prefill_close(p);
    return st;
}

/* ---- the call --------------------------------------------------------------------- */

/* Those of a text's tokens that have to be computed; room for all. */
static size_t rows_wanted(const PrefillText *t, int32_t *token, uint32_t *at)
{
    size_t rows = 0, k = 0;
    for (size_t i = 0; i < t->n; i++) {
        size_t here = t->past + i;
        while (k < t->n_known && here >= prefill_known_end(&t->known[k])) k++;
        if (k < t->n_known && here >= t->known[k].at) continue;
        token[rows] = t->token[i];
        at[rows++] = (uint32_t)here;
    }
    return rows;
}

/* As many rows at a time as the threads have room for, equally many. */
static Status compute(Ctx *cx, PrefillSeq *s, PrefillRows all)
{
    size_t most = PREFILL_ROWS * s->of->threads, calls = (all.n + most - 1) / most;
    for (size_t i = 0; i < calls; i++) {
        PrefillRows some = { all.token, all.at, all.n / (calls - i) };
        TRY(prefill_pass(cx, s, &some));
        all = (PrefillRows){ all.token + some.n, all.at + some.n, all.n - some.n };
    }
    return OK;
}

Status prefill_read(Ctx *cx, PrefillSeq *s, const PrefillText *t)
{
    TRY(prefill_room(cx, s, t->token, t->past, t->n));
    if (t->n == 0) return OK;
    PrefillRows rows = { 0 };
    int32_t *token = malloc(t->n * sizeof *token);
    uint32_t *at = malloc(t->n * sizeof *at);
    Status st = token && at ? OK : fail(cx, E_MEMORY, "no memory for %zu tokens", t->n);
    if (st == OK) {
        for (size_t i = 0; i < t->n_known; i++)
            prefill_put_back(s, &t->known[i], t->past, t->past + t->n);
        rows = (PrefillRows){ token, at, rows_wanted(t, token, at) };
        st = compute(cx, s, rows);
    }
    if (st == OK) s->n = t->past + t->n;
    free(token);
    free(at);
    return st;
}

Status prefill_run(Ctx *cx, PrefillSeq *s, const int32_t *token, size_t past, size_t n)
{
    return prefill_read(cx, s, &(PrefillText){ token, past, n, NULL, 0 });
}

size_t prefill_tokens(const PrefillSeq *s)
{
    return s->n;
}
