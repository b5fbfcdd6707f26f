/* llama_known.c -- excerpts of a prompt whose keys and values are had without reading
 * them in it.
 *
 * An excerpt (a passage) is read once, behind what stands before the first excerpt of
 * all (the instruction and the opening of the user's turn) and a text that stands for the
 * excerpts before it: read by itself it would be a first passage, and a small model then
 * answers from the wrong one. That is kept in the store, under all that the numbers hang
 * on, and turned to where the excerpt stands in a prompt. What it does not know of are
 * the excerpts that are before it now. Its first tokens, which draw most attention (Xiao
 * et al., arXiv 2309.17453), are therefore read in the prompt itself. The first excerpt
 * has an entry of its own, behind the instruction alone, and is what reading would make
 * it, to the bit.
 *
 * Whether an entry was there or has just been computed makes no difference: the same
 * prompt gives the same answer. */
#include "model/llama_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 2,             // of the arithmetic: a change makes entries strangers
    HEAD = 64,               // tokens read anew: see docs/ABLATION.md, "Chunk KV"
    SHORTEST = HEAD + 32,    // tokens of an excerpt that is worth it
};

/* What is in front of the first excerpt. */
static size_t home_of(const Reading *r)
{
    return r->n ? r->stretch[0].begin : 0;
}

/* An excerpt, and what it is read behind besides what is in front of all. */
typedef struct Part {
    Stretch at;
    Tokens before;
} Part;

static Part part_of(const Reading *r, size_t i)
{
    return (Part){ r->stretch[i], i ? r->before : (Tokens){ 0 } };
}

static size_t size_of(Part p)
{
    return p.at.end - p.at.begin;
}

/* What is in front of all, what stands before the part, and the part, as one row of
 * tokens with one more behind it. */
static Status row_of(Ctx *cx, const Reading *r, Part part, Tokens *out)
{
    size_t home = home_of(r), n = size_of(part), size = sizeof *out->at;
    size_t all = home + part.before.n + n;
    *out = (Tokens){ ctx_new(cx, llama_token, all + 1), all, all + 1 };
    TRY_NEW(out->at);
    memcpy(out->at, r->t.at, home * size);
    if (part.before.n) memcpy(out->at + home, part.before.at, part.before.n * size);
    memcpy(out->at + all - n, r->t.at + part.at.begin, n * size);
    return OK;
}

static Status key_of(Ctx *cx, const LlamaModel *m, const Prefill *p, const Reading *r,
                     Part part, Blake2bHex *out)
{
    uint64_t what[4] = { VERSION, (uint64_t)prefill_kind(p), home_of(r), part.before.n };
    Tokens row;
    TRY(row_of(cx, r, part, &row));
    Buf b = BUF((size_t)1 << 28);
    buf_add(&b, (Str){ (const char *)what, sizeof what });
    buf_add(&b, m->base.info.fingerprint);
    buf_add(&b, (Str){ (const char *)row.at, row.n * sizeof *row.at });
    bool failed = b.failed;
    if (!failed) *out = blake2b_bytes(buf_str(&b));
    buf_free(&b);
    return failed ? fail(cx, E_MEMORY, "no memory for the name of %zu tokens", row.n)
                  : OK;
}

static Status compute(Ctx *cx, Batch *b, const Reading *r, Part part, uint16_t *out)
{
    size_t reused, n = size_of(part);
    Tokens row;
    Seat *seat;
    TRY(row_of(cx, r, part, &row));
    BatchPrompt p = { .token = row.at, .n = row.n + 1 };   // the last one is not read
    TRY(batch_sit(cx, b, &p, &reused, &seat));
    prefill_take_out(batch_seq(seat), row.n - n, n, out);
    batch_leave(seat);
    return OK;
}

/* Computes an entry and offers it to the store. *data is to be freed. */
static Status make(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Part part,
                   KvNew *new, KvPut *put, void **data)
{
    uint16_t *x = *data = malloc(new->bytes);
    if (!x) return fail(cx, E_MEMORY, "no memory for the keys of a passage");
    new->data = x;
    TRY(compute(cx, b, r, part, x));
    *put = kv_store_put(m->kv, new);
    return OK;
}

static Status describe(Ctx *cx, const LlamaModel *m, const Prefill *p, const Reading *r,
                       Part part, KvNew *out)
{
    size_t n = size_of(part);
    *out = (KvNew){ .bytes = prefill_values(p, n) * sizeof(uint16_t),
                    .cost = (double)n * (double)m->base.info.file_bytes };
    return key_of(cx, m, p, r, part, &out->key);
}

/* Out of the store, or computed; what the store takes is mapped like one that was
 * there. */
static Status have(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Part part,
                   Known *out)
{
    KvEntry *entry = &out->entry[out->n];
    void **own = &out->own[out->n++];
    KvNew new;
    KvPut put = KV_NOT_NOW;
    TRY(describe(cx, m, batch_prefill(b), r, part, &new));
    if (kv_store_find(m->kv, new.key, new.bytes, entry)) {
        out->restored += size_of(part);
        return OK;
    }
    TRY(make(cx, m, b, r, part, &new, &put, own));
    if (put != KV_KEPT || !kv_store_find(m->kv, new.key, new.bytes, entry)) return OK;
    free(*own);
    *own = NULL;
    return OK;
}

static Status add(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, size_t which,
                  Known *out)
{
    Part part = part_of(r, which);
    size_t home = home_of(r) + part.before.n, i = out->n, skip = which ? HEAD : 0;
    TRY(have(cx, m, b, r, part, out));
    const void *data = out->own[i] ? out->own[i] : out->entry[i].data;
    out->at[i] = (PrefillKnown){ data, size_of(part), home, skip, part.at.begin + skip };
    return OK;
}

static Status find_all(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Known *out)
{
    out->at = ctx_new(cx, PrefillKnown, r->n);
    out->entry = ctx_new(cx, KvEntry, r->n);
    out->own = ctx_new(cx, void *, r->n);
    if (!out->at || !out->entry || !out->own) return E_MEMORY;
    for (size_t i = 0; i < r->n; i++)
        if (size_of(part_of(r, i)) >= SHORTEST) TRY(add(cx, m, b, r, i, out));
    return OK;
}

Status known_find(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Known *out)
{
    *out = (Known){ 0 };
    if (!m->kv || r->n == 0) return OK;
    Status st = find_all(cx, m, b, r, out);
    if (st == OK || st == E_CANCELLED) return st;
    ctx_forgive(cx);
    known_close(out);
    return OK;
}

void known_close(Known *k)
{
    for (size_t i = 0; i < k->n; i++) {
        kv_entry_close(&k->entry[i]);
        free(k->own[i]);
    }
    *k = (Known){ 0 };
}

Status llama_read_ahead(Ctx *cx, Model *base, const Message *msg, size_t n,
                        const Excerpts *excerpts, ReadAhead *out)
{
    LlamaModel *m = (LlamaModel *)base;
    Reading r;
    Batch *b = NULL;
    KvNew new;
    KvPut put = KV_NOT_NOW;
    void *data = NULL;
    TRY(chat_reading(cx, m, msg, n, excerpts, &r));
    *out = READ_SHORT;
    if (r.n == 0) return fail(cx, E_ARG, "no excerpt to read ahead");
    Part part = { r.stretch[0], r.before };
    if (size_of(part) < SHORTEST) return OK;
    if (m->kv) TRY(talk_batch(cx, m, r.t, &b));
    if (!b)
        return fail(cx, E_MODEL, "%s: our own pass does not read it here, or there is no "
                    "place to keep what was read", base->info.path.p);
    TRY(describe(cx, m, batch_prefill(b), &r, part, &new));
    new.ahead = true;
    *out = READ_BEFORE;
    if (kv_store_has(m->kv, new.key)) return OK;
    Status st = make(cx, m, b, &r, part, &new, &put, &data);
    *out = put == KV_KEPT ? READ_KEPT : READ_NO_ROOM;
    free(data);
    return st;
}
