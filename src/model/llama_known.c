/* llama_known.c -- excerpts of a prompt whose keys and values are had without reading
 * them in it.
 *
 * An excerpt (a passage) is read once, behind what stands before the first excerpt of
 * all: the instruction and the opening of the user's turn. That is kept in the store,
 * under all that the numbers hang on, and turned to where the excerpt stands in a prompt.
 * What it does not know of are the excerpts before it. Its first tokens, which draw most
 * attention (Xiao et al., arXiv 2309.17453), are therefore read in the prompt itself; the
 * first excerpt needs none of this, and is what reading would make it, to the bit.
 *
 * Whether an entry was there or has just been computed makes no difference: the same
 * prompt gives the same answer. */
#include "model/llama_impl.h"

#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 1,             // of the arithmetic: a change makes entries strangers
    HEAD = 64,               // tokens read anew: see docs/ABLATION.md, "Chunk KV"
    SHORTEST = HEAD + 32,    // tokens of an excerpt that is worth it
};

/* What is in front of the first excerpt. */
static size_t home_of(const Reading *r)
{
    return r->n ? r->stretch[0].begin : 0;
}

static Status key_of(Ctx *cx, const LlamaModel *m, const Prefill *p, const Reading *r,
                     Stretch s, Blake2bHex *out)
{
    size_t home = home_of(r), n = s.end - s.begin, size = sizeof *r->t.at;
    Str model = m->base.info.fingerprint;
    uint64_t what[3] = { VERSION, (uint64_t)prefill_kind(p), home };
    Buf b = BUF((size_t)1 << 28);
    buf_add(&b, (Str){ (const char *)what, sizeof what });
    buf_add(&b, model);
    buf_add(&b, (Str){ (const char *)r->t.at, home * size });
    buf_add(&b, (Str){ (const char *)(r->t.at + s.begin), n * size });
    bool failed = b.failed;
    if (!failed) *out = blake2b_bytes(buf_str(&b));
    buf_free(&b);
    return failed ? fail(cx, E_MEMORY, "no memory for the name of %zu tokens", n) : OK;
}

/* The excerpt behind what is in front of all excerpts. */
static Status compute(Ctx *cx, Batch *b, const Reading *r, Stretch s, uint16_t *out)
{
    size_t home = home_of(r), n = s.end - s.begin, reused;
    int32_t *token = ctx_new(cx, int32_t, home + n + 1);   // one more: it is not read
    TRY_NEW(token);
    memcpy(token, r->t.at, home * sizeof *token);
    memcpy(token + home, r->t.at + s.begin, n * sizeof *token);
    BatchPrompt p = { .token = token, .n = home + n + 1 };
    Seat *seat;
    TRY(batch_sit(cx, b, &p, &reused, &seat));
    prefill_take_out(batch_seq(seat), home, n, out);
    batch_leave(seat);
    return OK;
}

/* Computes an entry and offers it to the store. *data is to be freed. */
static Status make(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Stretch s,
                   KvNew *new, KvPut *put, void **data)
{
    uint16_t *x = *data = malloc(new->bytes);
    if (!x) return fail(cx, E_MEMORY, "no memory for the keys of a passage");
    new->data = x;
    TRY(compute(cx, b, r, s, x));
    *put = kv_store_put(m->kv, new);
    return OK;
}

static Status describe(Ctx *cx, const LlamaModel *m, const Prefill *p, const Reading *r,
                       Stretch s, KvNew *out)
{
    size_t n = s.end - s.begin;
    *out = (KvNew){ .bytes = prefill_values(p, n) * sizeof(uint16_t),
                    .cost = (double)n * (double)m->base.info.file_bytes };
    return key_of(cx, m, p, r, s, &out->key);
}

/* Out of the store, or computed; what the store takes is mapped like one that was
 * there. */
static Status have(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Stretch s,
                   Known *out)
{
    KvEntry *entry = &out->entry[out->n];
    void **own = &out->own[out->n++];
    KvNew new;
    KvPut put = KV_NOT_NOW;
    TRY(describe(cx, m, batch_prefill(b), r, s, &new));
    if (kv_store_find(m->kv, new.key, new.bytes, entry)) {
        out->restored += s.end - s.begin;
        return OK;
    }
    TRY(make(cx, m, b, r, s, &new, &put, own));
    if (put != KV_KEPT || !kv_store_find(m->kv, new.key, new.bytes, entry)) return OK;
    free(*own);
    *own = NULL;
    return OK;
}

static Status add(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Stretch s,
                  Known *out)
{
    size_t home = home_of(r), i = out->n, skip = s.begin == home ? 0 : HEAD;
    TRY(have(cx, m, b, r, s, out));
    const void *data = out->own[i] ? out->own[i] : out->entry[i].data;
    out->at[i] = (PrefillKnown){ data, s.end - s.begin, home, skip, s.begin + skip };
    return OK;
}

static Status find_all(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Known *out)
{
    out->at = ctx_new(cx, PrefillKnown, r->n);
    out->entry = ctx_new(cx, KvEntry, r->n);
    out->own = ctx_new(cx, void *, r->n);
    if (!out->at || !out->entry || !out->own) return E_MEMORY;
    for (size_t i = 0; i < r->n; i++)
        if (r->stretch[i].end - r->stretch[i].begin >= SHORTEST)
            TRY(add(cx, m, b, r, r->stretch[i], out));
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
                        Excerpt excerpt, ReadAhead *out)
{
    LlamaModel *m = (LlamaModel *)base;
    Reading r;
    Batch *b = NULL;
    KvNew new;
    KvPut put = KV_NOT_NOW;
    void *data = NULL;
    TRY(chat_reading(cx, m, msg, n, &(Excerpts){ &excerpt, 1 }, &r));
    Stretch s = r.stretch[0];
    *out = READ_SHORT;
    if (s.end - s.begin < SHORTEST) return OK;
    if (m->kv) TRY(talk_batch(cx, m, r.t, &b));
    if (!b)
        return fail(cx, E_MODEL, "%s: our own pass does not read it here, or there is no "
                    "place to keep what was read", base->info.path.p);
    TRY(describe(cx, m, batch_prefill(b), &r, s, &new));
    new.ahead = true;
    *out = READ_BEFORE;
    if (kv_store_has(m->kv, new.key)) return OK;
    Status st = make(cx, m, b, &r, s, &new, &put, &data);
    *out = put == KV_KEPT ? READ_KEPT : READ_NO_ROOM;
    free(data);
    return st;
}
