/* The store: what is put in comes out, ranked as a store built afresh would rank it. */
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <signal.h>
#include <fcntl.h>
#include <cmocka.h>

enum { DIM = 8 };
static const EmbedderId by = { { "toy", 3 }, { "f00", 3 }, DIM };

typedef struct Place {
    char folder[64], path[96];
    Ctx cx;
} Place;

static int make_place(void **state)
{
    Place *p = calloc(1, sizeof *p);
    strcpy(p->folder, "/tmp/pith-store-XXXXXX");
    if (!p || !mkdtemp(p->folder)) return 1;
    snprintf(p->path, sizeof p->path, "%s/a/store.db", p->folder);
    *state = p;
    return 0;
}

static int leave_place(void **state)
{
    Place *p = *state;
    char command[256];
    ctx_end(&p->cx);
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", p->folder, p->folder);
    int rc = system(command);
    free(p);
    return rc;
}

#define good(call) do { Status st_ = (call); \
    if (st_ != OK) fail_msg("%s: %d %s", #call, st_, p->cx.reason); } while (0)
#define bad(status, call) do { Status st_ = (call); \
    if (st_ != (status)) fail_msg("%s: %d %s", #call, st_, p->cx.reason); \
    ctx_forgive(&p->cx); } while (0)

static Store *opened(Place *p, const char *path, bool read_only)
{
    Store *s = NULL;
    StoreOptions opt = { .read_only = read_only, .create = !read_only };
    good(store_open(&p->cx, path, &opt, &s));
    return s;
}

/* A vector that depends on the text alone. */
static void vector_of(const char *text, float *v)
{
    uint32_t h = 7;
    for (const char *c = text; *c; c++) h = h * 31 + (uint8_t)*c;
    for (int i = 0; i < DIM; i++) {
        h = h * 1664525 + 1013904223;
        v[i] = (float)(int32_t)h / 2147483648.0f;
    }
}

static void put(Place *p, Store *s, const char *uri, const char *title,
                const char *const *texts, size_t n)
{
    Chunk c[16] = { 0 };
    float v[16 * DIM];
    for (size_t i = 0; i < n; i++) {
        c[i].text = str_z(texts[i]);
        c[i].end = strlen(texts[i]);
        c[i].tokens = (int)i + 1;
        vector_of(texts[i], v + i * DIM);
    }
    Document d = { .uri = str_z(uri), .title = str_z(title), .hash = STR("h"), .bytes = 5,
                   .mtime_ns = 77, .root = STR("/r") };
    good(store_put(&p->cx, s, &d, c, n, v, &by));
}

static void put_one(Place *p, Store *s, const char *uri, const char *text)
{
    put(p, s, uri, "", &text, 1);
}

static Hits words(Place *p, Store *s, const char *query, size_t k)
{
    Hits h;
    good(store_words(&p->cx, s, str_z(query), k, &h));
    return h;
}

static Hits vectors(Place *p, Store *s, const char *text, size_t k)
{
    Hits h;
    float v[DIM];
    vector_of(text, v);
    good(store_vectors(&p->cx, s, v, k, &h));
    return h;
}

static Chunk chunk(Place *p, Store *s, int64_t id)
{
    Chunk c;
    good(store_chunks(&p->cx, s, &id, 1, &c, NULL));
    return c;
}

static void assert_str(Str s, const char *z)
{
    assert_int_equal(s.n, strlen(z));
    assert_memory_equal(s.p, z, s.n);
}

/* ---- ---- */

static void gives_back_what_was_put(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    const char *texts[] = { "the quick brown fox", "jumps over", "the lazy dog" };
    put(p, s, "/d/one", "Animals", texts, 3);
    good(store_flush(&p->cx, s));
    store_close(s);
    s = opened(p, p->path, true);

    Document d, *all;
    size_t n;
    good(store_find(&p->cx, s, STR("/d/one"), &d));
    assert_str(d.title, "Animals");
    assert_str(d.hash, "h");
    assert_str(d.root, "/r");
    assert_int_equal(d.chunks, 3);
    assert_int_equal(d.mtime_ns, 77);
    bad(E_NOTFOUND, store_find(&p->cx, s, STR("/d/two"), &d));
    good(store_list(&p->cx, s, &all, &n));
    assert_int_equal(n, 1);

    Hits h = words(p, s, "lazy dogs", 5);
    assert_int_equal(h.n, 1);
    int64_t ids[2] = { h.at[0].chunk, 999 };
    Chunk c[2];
    float v[2 * DIM], want[DIM];
    good(store_chunks(&p->cx, s, ids, 2, c, v));
    assert_str(c[0].text, texts[2]);
    assert_str(c[0].uri, "/d/one");
    assert_int_equal(c[0].tokens, 3);
    assert_int_equal(c[1].id, 0);
    vector_of(texts[2], want);
    assert_memory_equal(v, want, sizeof want);
    assert_int_equal(words(p, s, "animal", 5).n, 3);
    assert_int_equal(vectors(p, s, texts[1], 1).at[0].chunk, 2);

    StoreStats st;
    good(store_stats(&p->cx, s, &st));
    assert_int_equal(st.documents, 1);
    assert_int_equal(st.chunks, 3);
    assert_int_equal(st.text_bytes, 19 + 10 + 12);
    assert_int_equal(st.dim, DIM);
    assert_str(st.embedder, "toy");
    assert_true(st.file_bytes > 4096);
    store_close(s);
}

static void replaces_a_document_as_a_whole(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put(p, s, "a", "", (const char *[]){ "alpha beta", "gamma" }, 2);
    assert_int_equal(words(p, s, "gamma", 5).n, 1);
    put_one(p, s, "a", "delta");
    assert_int_equal(words(p, s, "alpha gamma", 5).n, 0);
    assert_int_equal(words(p, s, "delta", 5).n, 1);
    assert_int_equal(vectors(p, s, "gamma", 5).n, 1);
    good(store_remove(&p->cx, s, STR("a")));
    assert_int_equal(vectors(p, s, "gamma", 5).n, 0);
    assert_int_equal(words(p, s, "delta", 5).n, 0);
    bad(E_NOTFOUND, store_remove(&p->cx, s, STR("a")));
    store_close(s);
}

static void orders_equal_scores_by_uri_then_position(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put(p, s, "z", "", (const char *[]){ "same", "same" }, 2);
    put_one(p, s, "m", "same");
    put_one(p, s, "a", "same");
    Hits w = words(p, s, "same", 3), v = vectors(p, s, "same", 3);
    const char *uri[] = { "a", "m", "z" };
    for (int i = 0; i < 3; i++) {
        assert_str(chunk(p, s, w.at[i].chunk).uri, uri[i]);
        assert_str(chunk(p, s, v.at[i].chunk).uri, uri[i]);
    }
    assert_int_equal(w.at[2].chunk, 1);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, leave_place)
        T(gives_back_what_was_put),
        T(replaces_a_document_as_a_whole),
        T(orders_equal_scores_by_uri_then_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
