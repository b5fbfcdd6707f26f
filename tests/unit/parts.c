/* A document put in parts: the same as one put at once, seen as a whole or not at all. */
#include "store/write.h"

#include <math.h>
#include <sqlite3.h>

#include "../support/folder.h"

enum { DIM = 4, CHUNKS = 7 };
static const EmbedderId by = { { "toy", 3 }, { "f00", 3 }, DIM };
static const float vector[CHUNKS * DIM] = { 1, [5] = 1, [10] = 1, [15] = 1, [16] = 1 };

#define good(call) do { Status st_ = (call); \
    if (st_ != OK) fail_msg("%s: %d %s", #call, st_, d->cx.reason); } while (0)
#define bad(status, call) do { assert_int_equal(call, status); \
    ctx_forgive(&d->cx); } while (0)

static Store *opened(Desk *d, const char *name, bool read_only)
{
    Store *s = NULL;
    StoreOptions opt = { .read_only = read_only, .create = !read_only };
    good(store_open(&d->cx, at(d, name), &opt, &s));
    return s;
}

static Document named(const char *uri)
{
    return (Document){ .uri = str_z(uri), .title = STR("Title"), .hash = STR("h"),
                       .bytes = 9, .mtime_ns = 77, .root = STR("/r") };
}

/* CHUNKS chunks; each has the word, and one of its own. */
static const Chunk *chunks_of(Desk *d, const char *word)
{
    Chunk *c = ctx_new(&d->cx, Chunk, CHUNKS);
    for (int i = 0; i < CHUNKS; i++)
        c[i] = (Chunk){ .text = ctx_printf(&d->cx, "%s w%d", word, i), .start = i,
                        .end = i + 1, .section = STR("Part"), .tokens = i + 2,
                        .page = i / 2 + 1, .page_end = i / 2 + 1 + i % 2 };
    return c;
}

static void put_whole(Desk *d, Store *s, const char *uri, const char *word)
{
    Document doc = named(uri);
    good(store_put(&d->cx, s, &doc, chunks_of(d, word), CHUNKS, vector, &by));
}

/* Begins and appends the first n chunks, one or two at a time. */
static void put_first(Desk *d, Store *s, const char *uri, const char *word, size_t n)
{
    Document doc = named(uri);
    const Chunk *c = chunks_of(d, word);
    good(store_begin(&d->cx, s, &doc, &by));
    for (size_t i = 0, some; i < n; i += some) {
        some = n - i < 2 ? 1 : 1 + i % 2;
        good(store_append(&d->cx, s, c + i, some, vector + i * DIM));
    }
}

static size_t found(Desk *d, Store *s, const char *word)
{
    Hits h;
    good(store_words(&d->cx, s, str_z(word), 99, &h));
    return h.n;
}

static void assert_equal(Str a, Str b)
{
    assert_int_equal(a.n, b.n);
    assert_memory_equal(a.p, b.p, a.n);
}

static void assert_same_chunks(Desk *d, Store *a, Store *b)
{
    Document x, y;
    int64_t *ids, *others;
    size_t n, m;
    Chunk c[CHUNKS], e[CHUNKS];
    float v[CHUNKS * DIM], w[CHUNKS * DIM];
    good(store_find(&d->cx, a, STR("doc"), &x));
    good(store_find(&d->cx, b, STR("doc"), &y));
    assert_int_equal(x.chunks, CHUNKS);
    assert_int_equal(y.chunks, CHUNKS);
    good(store_chunk_ids(&d->cx, a, x.id, &ids, &n));
    good(store_chunk_ids(&d->cx, b, y.id, &others, &m));
    assert_int_equal(n, CHUNKS);
    assert_int_equal(m, CHUNKS);
    good(store_chunks(&d->cx, a, ids, n, c, v));
    good(store_chunks(&d->cx, b, others, n, e, w));
    assert_memory_equal(v, w, sizeof v);
    for (size_t i = 0; i < n; i++) {
        assert_equal(c[i].text, e[i].text);
        assert_int_equal(c[i].page, i / 2 + 1);
        assert_int_equal(e[i].page_end, i / 2 + 1 + i % 2);
    }
}

static void is_what_a_whole_put_makes(void **state)
{
    Desk *d = *state;
    Store *a = opened(d, "a.db", false), *b = opened(d, "b.db", false);
    Hits x, y;
    StoreStats p, q;
    put_whole(d, a, "doc", "alpha");
    put_whole(d, b, "doc", "replaced");
    put_first(d, b, "doc", "alpha", CHUNKS);
    good(store_end(&d->cx, b));
    assert_same_chunks(d, a, b);
    good(store_words(&d->cx, a, STR("alpha w2 title part"), 9, &x));
    good(store_words(&d->cx, b, STR("alpha w2 title part"), 9, &y));
    assert_int_equal(x.n, y.n);
    for (size_t i = 0; i < x.n; i++) assert_true(x.at[i].score == y.at[i].score);
    good(store_stats(&d->cx, a, &p));
    good(store_stats(&d->cx, b, &q));
    assert_int_equal(p.documents, q.documents);
    assert_int_equal(p.chunks, q.chunks);
    assert_int_equal(p.text_bytes, q.text_bytes);
    store_close(a);
    store_close(b);
}

static void is_seen_when_it_is_whole(void **state)
{
    Desk *d = *state;
    Store *s = opened(d, "a.db", false);
    put_whole(d, s, "doc", "old");
    good(store_flush(&d->cx, s));
    Store *reader = opened(d, "a.db", true);
    put_first(d, s, "doc", "fresh", CHUNKS - 1);
    assert_int_equal(found(d, reader, "old"), CHUNKS);
    assert_int_equal(found(d, reader, "fresh"), 0);
    good(store_end(&d->cx, s));
    assert_int_equal(found(d, reader, "old"), 0);
    assert_int_equal(found(d, reader, "fresh"), CHUNKS - 1);
    store_close(reader);
    store_close(s);
}

/* Ended by the caller, by closing, by a failure. */
static void leaves_no_trace_when_it_is_abandoned(void **state)
{
    Desk *d = *state;
    Store *s = opened(d, "a.db", false);
    const float wrong[DIM] = { [1] = NAN };
    put_whole(d, s, "doc", "old");
    put_whole(d, s, "other", "kept");
    put_first(d, s, "doc", "fresh", 3);
    store_abandon(s);
    store_abandon(s);
    bad(E_ARG, store_end(&d->cx, s));
    put_first(d, s, "new", "fresh", 3);
    bad(E_ARG, store_append(&d->cx, s, chunks_of(d, "fresh"), 1, wrong));
    bad(E_ARG, store_append(&d->cx, s, chunks_of(d, "fresh"), 1, vector));
    put_first(d, s, "doc", "fresh", 3);
    store_close(s);
    s = opened(d, "a.db", false);
    assert_int_equal(found(d, s, "fresh"), 0);
    assert_int_equal(found(d, s, "old"), CHUNKS);
    assert_int_equal(found(d, s, "kept"), CHUNKS);
    store_close(s);
}

static void goes_on_while_all_else_is_refused(void **state)
{
    Desk *d = *state;
    Store *s = opened(d, "a.db", false);
    Hits h;
    Document other = named("other");
    put_whole(d, s, "old", "old");
    put_first(d, s, "doc", "alpha", 5);
    bad(E_ARG, store_put(&d->cx, s, &other, NULL, 0, NULL, &by));
    bad(E_ARG, store_begin(&d->cx, s, &other, &by));
    bad(E_ARG, store_remove(&d->cx, s, STR("old")));
    bad(E_ARG, store_touch(&d->cx, s, STR("old"), 1));
    bad(E_ARG, store_words(&d->cx, s, STR("old"), 1, &h));
    bad(E_ARG, store_vectors(&d->cx, s, vector, 1, &h));
    bad(E_ARG, store_commit(&d->cx, s));
    bad(E_ARG, store_flush(&d->cx, s));
    good(store_end(&d->cx, s));
    assert_int_equal(found(d, s, "alpha"), 5);
    assert_int_equal(found(d, s, "old"), CHUNKS);
    store_close(s);
}

/* ---- more words than the postings in memory may have ------------------------------ */

enum { WORDS = 20000, MANY = 40 };   // of a chunk; chunks

static void append_many(Desk *d, Store *s, int from)
{
    Buf text = BUF(1 << 20);
    for (int i = 0; i < MANY; i++) {
        text.n = 0;
        for (int j = 0; j < WORDS; j++) buf_addf(&text, "x%d ", i * WORDS + j + from);
        Chunk c = { .text = buf_str(&text) };
        good(store_append(&d->cx, s, &c, 1, vector));
    }
    buf_free(&text);
}

static int64_t segments(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT count(*) FROM segment", -1, &q, NULL);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

static void takes_more_words_than_memory_may_hold(void **state)
{
    Desk *d = *state;
    Store *s = opened(d, "a.db", false);
    Document doc = named("doc");
    put_whole(d, s, "doc", "x1");
    good(store_commit(&d->cx, s));
    int64_t before = segments(at(d, "a.db"));
    good(store_begin(&d->cx, s, &doc, &by));
    append_many(d, s, 0);
    store_abandon(s);
    assert_int_equal(found(d, s, "x1"), CHUNKS);
    assert_int_equal(found(d, s, "x77777"), 0);
    good(store_begin(&d->cx, s, &doc, &by));
    append_many(d, s, 0);
    good(store_end(&d->cx, s));
    assert_int_equal(found(d, s, "x1"), 1);
    assert_int_equal(found(d, s, "x77777"), 1);
    assert_int_equal(found(d, s, "title"), MANY);
    assert_true(segments(at(d, "a.db")) > before + 1);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_what_a_whole_put_makes),
        TEST(is_seen_when_it_is_whole),
        TEST(leaves_no_trace_when_it_is_abandoned),
        TEST(goes_on_while_all_else_is_refused),
        TEST(takes_more_words_than_memory_may_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
