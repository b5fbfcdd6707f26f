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
    HEAD = 16,               // tokens read anew
    SHORTEST = 2 * HEAD,     // an excerpt that is worth it
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

/* Computes an entry and keeps it. What the store takes is mapped like one that was
 * there. */
static Status make(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Stretch s,
                   KvNew *new, KvEntry *entry, void **own)
{
    uint16_t *data = malloc(new->bytes);
    if (!data) return fail(cx, E_MEMORY, "no memory for the keys of a passage");
    Status st = compute(cx, b, r, s, data);
    new->data = data;
    bool kept = st == OK && kv_store_put(m->kv, new) == KV_KEPT
             && kv_store_find(m->kv, new->key, new->bytes, entry);
    if (st == OK && !kept) *own = data;
    else free(data);
    return st;
}

static Status add(Ctx *cx, LlamaModel *m, Batch *b, const Reading *r, Stretch s,
                  Known *out)
{
    const Prefill *p = batch_prefill(b);
    size_t home = home_of(r), n = s.end - s.begin, i = out->n;
    size_t skip = s.begin == home ? 0 : HEAD;
    KvNew new = { .bytes = prefill_values(p, n) * sizeof(uint16_t),
                  .cost = (double)n * (double)m->base.info.file_bytes };
    TRY(key_of(cx, m, p, r, s, &new.key));
    out->n++;
    if (kv_store_find(m->kv, new.key, new.bytes, &out->entry[i]))
        out->restored += n - skip;
    else TRY(make(cx, m, b, r, s, &new, &out->entry[i], &out->own[i]));
    const void *data = out->own[i] ? out->own[i] : out->entry[i].data;
    out->at[i] = (PrefillKnown){ data, n, home, skip, s.begin + skip };
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
