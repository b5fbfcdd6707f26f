/* stored.h -- random documents in a store, a plain record of what it should hold, and the
 * comparison with a store built afresh. Include it last: cmocka.h has a macro fail.
 *
 * A document is named by its version: a number from which all of it is drawn, and which
 * stands in the store as its hash. So a record of a store is one number a name, and what
 * is read back can be checked to the last byte. */
#ifndef PITH_TESTS_STORED_H
#define PITH_TESTS_STORED_H

#include "store/write.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NAMES = 10, DIM = 8, TEXT_MOST = 160, MOST_CHUNKS = 512 };
static const EmbedderId by = { { "toy", 3 }, { "f00", 3 }, DIM };

/* ---- documents -------------------------------------------------------------------- */

typedef struct Shelf {
    uint32_t version[NAMES];    // 0: absent
    int64_t mtime[NAMES];
} Shelf;

/* 24 bits. */
static inline uint32_t draw(uint64_t *r)
{
    *r = *r * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*r >> 40);
}

static inline uint32_t version_of(size_t chunks, uint32_t seed)
{
    return (uint32_t)chunks << 20 | (seed & 0xFFFFF) | 1;
}

static inline size_t chunks_of(uint32_t version) { return version >> 20; }

/* Few words, many of them equal: ties and long lists. */
static void text_of(uint64_t *r, char *out)
{
    static const char *const some[] = { "alpha", "beta", "gamma", "delta", "the", "Run",
        "running", "x_y", "fooBar", "caf\xC3\xA9", "\xE6\xB8\xA1\xE8\x88\xB9", "omega" };
    size_t n = 0;
    *out = '\0';
    for (uint32_t w = draw(r) % 9; w < 8 && n < TEXT_MOST - 32; w++)
        n += (size_t)(draw(r) % 8 ? sprintf(out + n, "%s ", some[draw(r) % 12])
                                  : sprintf(out + n, "rare%u ", draw(r) % 4000));
}

/* A unit vector that depends on the text alone. */
static void vector_of(const char *text, float *v)
{
    uint64_t r = 7;
    float sum = 0;
    for (const char *c = text; *c; c++) r = r * 31 + (uint8_t)*c;
    for (int i = 0; i < DIM; i++) {
        v[i] = (float)draw(&r) / 8388608.0f - 1;
        sum += v[i] * v[i];
    }
    for (int i = 0; i < DIM; i++) v[i] /= sqrtf(sum);
}

typedef struct Copy {
    char uri[16], hash[16];
    Document doc;
    size_t n;
    Chunk *chunk;               // (n)
    float *vector;              // (n, DIM)
} Copy;

/* All of a document, in the arena. */
static inline Copy *copy_of(Ctx *cx, int name, uint32_t version, int64_t mtime)
{
    uint64_t r = version * 2654435761u + 1;
    Copy *c = ctx_new(cx, Copy, 1);
    c->n = chunks_of(version);
    c->chunk = ctx_new(cx, Chunk, c->n);
    c->vector = ctx_new(cx, float, c->n * DIM);
    snprintf(c->uri, sizeof c->uri, "/d/%c", 'a' + name);
    snprintf(c->hash, sizeof c->hash, "%u", version);
    c->doc = (Document){ .uri = str_z(c->uri), .hash = str_z(c->hash), .mtime_ns = mtime,
                         .title = str_z(version % 3 ? "" : "Title alpha"),
                         .root = STR("/d"), .bytes = (int64_t)version };
    for (size_t i = 0; i < c->n; i++) {
        char text[TEXT_MOST];
        text_of(&r, text);
        vector_of(text, c->vector + i * DIM);
        c->chunk[i] = (Chunk){ .text = ctx_dup(cx, str_z(text)), .start = i,
                               .end = i + strlen(text), .tokens = (int)i + 1,
                               .section = str_z(i % 4 ? "" : "Part beta"),
                               .page = (int)i, .page_end = (int)i + 1 };
    }
    return c;
}

/* ---- steps ------------------------------------------------------------------------ */

typedef enum StepKind {
    STEP_PUT, STEP_PARTS, STEP_ABANDON, STEP_REMOVE, STEP_TOUCH, STEP_COMMIT, STEP_FLUSH,
    STEP_REOPEN, STEP_SEARCH
} StepKind;

typedef struct Step {
    StepKind kind;
    int name;
    uint32_t version;           // STEP_TOUCH: the time
} Step;

/* What a shelf is after a step. */
static inline void shelf_step(Shelf *s, const Step *x)
{
    bool there = s->version[x->name] != 0;
    if (x->kind == STEP_PUT || x->kind == STEP_PARTS) {
        s->version[x->name] = x->version;
        s->mtime[x->name] = x->version;
    }
    if (x->kind == STEP_REMOVE) s->version[x->name] = 0, s->mtime[x->name] = 0;
    if (x->kind == STEP_TOUCH && there) s->mtime[x->name] = x->version;
}

static inline Status open_store(Ctx *cx, const char *path, bool read_only, Store **out)
{
    StoreOptions opt = { .read_only = read_only, .create = !read_only };
    return store_open(cx, path, &opt, out);
}

static Status put_parts(Ctx *cx, Store *s, const Copy *c, bool abandon)
{
    TRY(store_begin(cx, s, &c->doc, &by));
    for (size_t i = 0, n; i < c->n; i += n) {
        n = c->n - i < 5 ? c->n - i : 5;
        TRY(store_append(cx, s, c->chunk + i, n, c->vector + i * DIM));
    }
    if (!abandon) return store_end(cx, s);
    store_abandon(s);
    return OK;
}

/* Does a step in a store, which is closed and opened by STEP_REOPEN; *s may be NULL after
 * a failure of that. The absent document of a step is no failure. */
static inline Status store_step(Ctx *cx, const char *path, Store **s, const Step *x)
{
    Hits h;
    float v[DIM] = { 1 };
    Copy *c = copy_of(cx, x->name, x->kind == STEP_TOUCH ? 1 : x->version, x->version);
    Status st = OK;
    switch (x->kind) {
    case STEP_PUT:
        return store_put(cx, *s, &c->doc, c->chunk, c->n, c->vector, &by);
    case STEP_PARTS:
    case STEP_ABANDON:
        return put_parts(cx, *s, c, x->kind == STEP_ABANDON);
    case STEP_REMOVE: st = store_remove(cx, *s, c->doc.uri); break;
    case STEP_TOUCH: st = store_touch(cx, *s, c->doc.uri, x->version); break;
    case STEP_COMMIT: return store_commit(cx, *s);
    case STEP_FLUSH: return store_flush(cx, *s);
    case STEP_REOPEN:
        store_close(*s);
        *s = NULL;
        return open_store(cx, path, false, s);
    case STEP_SEARCH:
        TRY(store_words(cx, *s, STR("alpha rare7"), 5, &h));
        return store_vectors(cx, *s, v, 5, &h);
    }
    if (st == E_NOTFOUND) ctx_forgive(cx);
    return st == E_NOTFOUND ? OK : st;
}

/* ---- what a store holds ----------------------------------------------------------- */

#define sound(call) do { Status st_ = (call); \
    if (st_ != OK) fail_msg("%s: %d %s", #call, st_, cx->reason); } while (0)

static inline bool same_str(Str a, Str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* Every chunk of d is what its version says. */
static void assert_whole(Ctx *cx, Store *s, const Document *d, const Copy *want)
{
    int64_t *ids;
    size_t n;
    sound(store_chunk_ids(cx, s, d->id, &ids, &n));
    assert_int_equal(n, want->n);
    assert_int_equal(d->chunks, want->n);
    assert_true(same_str(d->title, want->doc.title));
    Chunk *c = ctx_new(cx, Chunk, n);
    float *v = ctx_new(cx, float, n * DIM);
    sound(store_chunks(cx, s, ids, n, c, v));
    for (size_t i = 0; i < n; i++) {
        assert_true(same_str(c[i].text, want->chunk[i].text));
        assert_true(same_str(c[i].section, want->chunk[i].section));
        assert_int_equal(c[i].tokens, want->chunk[i].tokens);
        assert_int_equal(c[i].page_end, want->chunk[i].page_end);
    }
    if (n) assert_memory_equal(v, want->vector, n * DIM * sizeof *v);
}

/* Reads all, and asserts that every document is whole and the totals are true. */
static inline Shelf shelf_of(Store *s)
{
    Ctx own = CTX_INIT, *cx = &own;
    Shelf shelf = { 0 };
    Document *d;
    StoreStats stats;
    size_t n, chunks = 0;
    sound(store_list(cx, s, &d, &n));
    sound(store_stats(cx, s, &stats));
    for (size_t i = 0; i < n; i++) {
        int name = d[i].uri.p[3] - 'a';
        uint32_t version = (uint32_t)strtoul(d[i].hash.p, NULL, 10);
        assert_whole(cx, s, &d[i], copy_of(cx, name, version, 0));
        shelf.version[name] = version;
        shelf.mtime[name] = d[i].mtime_ns;
        chunks += (size_t)d[i].chunks;
    }
    assert_int_equal(stats.documents, n);
    assert_int_equal(stats.chunks, chunks);
    ctx_end(cx);
    return shelf;
}

static void rank_into(Ctx *cx, Store *s, const Hits *h, Buf *out)
{
    int64_t *ids = ctx_new(cx, int64_t, h->n);
    Chunk *c = ctx_new(cx, Chunk, h->n);
    for (size_t i = 0; i < h->n; i++) ids[i] = h->at[i].chunk;
    sound(store_chunks(cx, s, ids, h->n, c, NULL));
    buf_addf(out, "%zu hits, %zu unknown\n", h->n, h->unknown);
    for (size_t i = 0; i < h->n; i++)
        buf_addf(out, "%a %.*s %d %.*s\n", (double)h->at[i].score, (int)c[i].uri.n,
                 c[i].uri.p, c[i].tokens, (int)c[i].text.n, c[i].text.p);
}

/* How a store ranks: scores to the last bit, documents, places. Free the buffer. */
static inline Buf ranking_of(Store *s)
{
    static const char *const query[] = { "alpha", "beta gamma runs", "the", "foo x cafe",
        "rare1 rare2 rare3 \xE6\xB8\xA1\xE8\x88\xB9", "part title omega" };
    Ctx own = CTX_INIT, *cx = &own;
    Buf out = BUF(1 << 26);
    Hits h;
    for (size_t i = 0; i < sizeof query / sizeof *query; i++) {
        float v[DIM];
        size_t k = i % 2 ? 7 : 60;
        sound(store_words(cx, s, str_z(query[i]), k, &h));
        rank_into(cx, s, &h, &out);
        vector_of(query[i], v);
        sound(store_vectors(cx, s, v, k, &h));
        rank_into(cx, s, &h, &out);
    }
    ctx_end(cx);
    assert_false(out.failed);
    return out;
}

/* The ranking of a store built afresh at path from what the shelf says. */
static inline Buf ranking_afresh(const char *path, const Shelf *shelf)
{
    Ctx own = CTX_INIT, *cx = &own;
    Store *s = NULL;
    sound(open_store(cx, path, false, &s));
    for (int i = NAMES - 1; i >= 0; i--) {
        if (shelf->version[i] == 0) continue;
        Copy *c = copy_of(cx, i, shelf->version[i], shelf->mtime[i]);
        sound(store_put(cx, s, &c->doc, c->chunk, c->n, c->vector, &by));
    }
    Buf out = ranking_of(s);
    store_close(s);
    ctx_end(cx);
    return out;
}

static inline void assert_ranks(Store *s, const Buf *want)
{
    Buf got = ranking_of(s);
    if (got.n != want->n || memcmp(got.p, want->p, got.n) != 0)
        fail_msg("ranks\n%s\nand not as a store built afresh\n%s", got.p, want->p);
    buf_free(&got);
}

/* A new folder, in memory where the machine allows it: what is tested here is what was
 * written, not the disk. */
static inline void make_folder(char out[64])
{
    bool memory = access("/dev/shm", W_OK | X_OK) == 0;
    snprintf(out, 64, "%s/pith-stored-XXXXXX", memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(out));
}

static inline void remove_store(const char *path)
{
    static const char *const end[] = { "", "-wal", "-shm", "-journal", ".matrix",
                                       ".matrix.new", ".lock" };
    char name[128];
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        snprintf(name, sizeof name, "%s%s", path, end[i]);
        unlink(name);
    }
}

#endif
