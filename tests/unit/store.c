/* The store: what is put in comes out, ranked as a store built afresh would rank it. */
#include "store/write.h"

#include <fcntl.h>
#include <math.h>
#include <sqlite3.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
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
    snprintf(command, sizeof command, "chmod -R u+w '%s'; rm -rf '%s'", p->folder,
             p->folder);
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

/* A unit vector that depends on the text alone. */
static void vector_of(const char *text, float *v)
{
    uint32_t h = 7;
    float sum = 0;
    for (const char *c = text; *c; c++) h = h * 31 + (uint8_t)*c;
    for (int i = 0; i < DIM; i++) {
        h = h * 1664525 + 1013904223;
        v[i] = (float)(int32_t)h / 2147483648.0f;
        sum += v[i] * v[i];
    }
    for (int i = 0; i < DIM; i++) v[i] /= sqrtf(sum);
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
        c[i].map = (Str){ "\0m", (size_t)(i == 1) * 2 };
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
    assert_int_equal(c[0].map.n, 0);
    assert_str(c[0].uri, "/d/one");
    assert_int_equal(c[0].tokens, 3);
    assert_int_equal(c[1].id, 0);
    vector_of(texts[2], want);
    assert_memory_equal(v, want, sizeof want);
    assert_int_equal(words(p, s, "animal", 5).n, 3);
    assert_int_equal(vectors(p, s, texts[1], 1).at[0].chunk, 2);
    Str map = chunk(p, s, 2).map;
    assert_int_equal(map.n, 2);
    assert_memory_equal(map.p, "\0m", 2);

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

static void counts_the_words_that_no_chunk_has(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "The ferry leaves the harbour.");
    put_one(p, s, "b", "Passports are renewed here.");
    assert_int_equal(words(p, s, "Where does the ferry leave from?", 3).unknown, 0);
    assert_int_equal(words(p, s, "renew a passport for a drone", 3).unknown, 1);
    assert_int_equal(words(p, s, "drone drones airport", 3).unknown, 2);
    good(store_remove(&p->cx, s, STR("b")));
    assert_int_equal(words(p, s, "renew a passport", 3).unknown, 2);
    assert_int_equal(words(p, s, "渡船はどこから", 3).unknown, 1);
    assert_int_equal(words(p, s, "どこから", 3).unknown, 0);
    store_close(s);
}

static void finds_a_word_that_every_chunk_has(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "alpha");
    put_one(p, s, "b", "alpha");
    good(store_commit(&p->cx, s));
    good(store_remove(&p->cx, s, STR("b")));    // in the postings, never in the matrix
    assert_int_equal(words(p, s, "alpha", 9).n, 1);
    store_close(s);
}

static void finds_a_compound_by_its_parts_and_no_other_word(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "Das Krankenhaus ist am Fluss, und die Hausordnung ist neu.");
    put_one(p, s, "b", "Der Verstand ist nicht das, was wir mit der Ordnung meinen.");
    put_one(p, s, "c", "The hospital stands by the river.");
    assert_int_equal(words(p, s, "Häuser", 9).n, 1);
    assert_int_equal(words(p, s, "Stand", 9).n, 1);          // c, not Verstand
    assert_int_equal(words(p, s, "Ordnung", 9).n, 2);
    assert_int_equal(words(p, s, "Ordnung", 9).at[0].chunk,
                     words(p, s, "Verstand", 9).at[0].chunk);
    assert_int_equal(words(p, s, "Krankenhausordnung", 9).unknown, 0);
    assert_int_equal(words(p, s, "Wie ist der Fluss?", 9).n, 1);
    good(store_remove(&p->cx, s, STR("b")));
    assert_int_equal(words(p, s, "Haus", 9).n, 1);
    assert_int_equal(words(p, s, "standing", 9).n, 1);
    store_close(s);
}

/* ---- a store that lived against one built afresh ---------------------------------- */

enum { NAMES = 40, STEPS = 3000, PIECES = 5 };

typedef struct Kept { char text[PIECES][192]; int n; } Kept;   // n < 0: absent

static uint32_t draw(uint32_t *r) { return *r = *r * 1664525 + 1013904223, *r >> 8; }

static void make_kept(uint32_t *r, Kept *k)
{
    static const char *const some[] = { "alpha", "beta", "gamma", "delta", "the", "Run",
                                        "running", "x_y", "fooBar", "caf\xC3\xA9",
                                        "und das ist der Haushahn", "Hahn",
                                        "\u732B\u306F" };
    k->n = (int)(draw(r) % (PIECES + 1));
    for (int i = 0; i < k->n; i++) {
        *k->text[i] = '\0';
        for (uint32_t w = draw(r) % 6; w < 6; w++) {
            strcat(k->text[i], some[draw(r) % (sizeof some / sizeof *some)]);
            strcat(k->text[i], " ");
        }
    }
}

static void put_kept(Place *p, Store *s, int name, const Kept *k)
{
    char uri[16];
    const char *texts[PIECES];
    snprintf(uri, sizeof uri, "n%d", name);
    for (int i = 0; i < k->n; i++) texts[i] = k->text[i];
    put(p, s, uri, name % 3 ? "" : "Title alpha", texts, (size_t)k->n);
}

/* Equal in score to the last bit, and in the document and the text of each rank. */
static void assert_same_hits(Place *p, Store *a, Hits x, Store *b, Hits y)
{
    assert_int_equal(x.n, y.n);
    for (size_t i = 0; i < x.n; i++) {
        Chunk c = chunk(p, a, x.at[i].chunk), d = chunk(p, b, y.at[i].chunk);
        assert_memory_equal(&x.at[i].score, &y.at[i].score, sizeof(float));
        assert_true(str_eq(c.uri, d.uri));
        assert_true(str_eq(c.text, d.text));
        assert_int_equal(c.tokens, d.tokens);   // its position
    }
}

static void assert_ranks_as_built_afresh(Place *p, Store *s, const Kept *kept,
                                         uint32_t *r)
{
    static const char *const query[] = { "alpha", "die Hähne", "猫", "beta gamma runs",
                                         "the", "foo x cafe",
                                         "delta delta alpha", "none of these" };
    char path[128];
    snprintf(path, sizeof path, "%s/fresh%u.db", p->folder, draw(r));
    Store *fresh = opened(p, path, false);
    for (int i = NAMES - 1; i >= 0; i--)
        if (kept[i].n >= 0) put_kept(p, fresh, i, &kept[i]);
    for (size_t i = 0; i < sizeof query / sizeof *query; i++) {
        size_t k = 1 + draw(r) % 30;
        assert_same_hits(p, s, words(p, s, query[i], k), fresh,
                         words(p, fresh, query[i], k));
        assert_same_hits(p, s, vectors(p, s, query[i], k), fresh,
                         vectors(p, fresh, query[i], k));
    }
    StoreStats a, b;
    good(store_stats(&p->cx, s, &a));
    good(store_stats(&p->cx, fresh, &b));
    assert_int_equal(a.documents, b.documents);
    assert_int_equal(a.chunks, b.chunks);
    assert_int_equal(a.text_bytes, b.text_bytes);
    store_close(fresh);
}

/* A reader that stays open, and one that comes anew, see what the writer sees. */
static void assert_readers_agree(Place *p, Store *s, Store *reader)
{
    Store *late = opened(p, p->path, true);
    Hits w = words(p, s, "alpha running", 20), v = vectors(p, s, "alpha", 20);
    assert_same_hits(p, s, w, reader, words(p, reader, "alpha running", 20));
    assert_same_hits(p, s, v, reader, vectors(p, reader, "alpha", 20));
    assert_same_hits(p, s, w, late, words(p, late, "alpha running", 20));
    assert_same_hits(p, s, v, late, vectors(p, late, "alpha", 20));
    store_close(late);
}

static void ranks_as_a_store_built_afresh_after_any_history(void **state)
{
    Place *p = *state;
    static Kept kept[NAMES];
    uint32_t r = 2024;
    for (int i = 0; i < NAMES; i++) kept[i].n = -1;
    Store *s = opened(p, p->path, false), *reader = opened(p, p->path, true);
    for (int step = 1; step <= STEPS; step++) {
        int i = (int)(draw(&r) % NAMES);
        char uri[16];
        snprintf(uri, sizeof uri, "n%d", i);
        if (draw(&r) % 4) {
            make_kept(&r, &kept[i]);
            put_kept(p, s, i, &kept[i]);
        } else if (kept[i].n >= 0) {
            good(store_remove(&p->cx, s, str_z(uri)));
            kept[i].n = -1;
        }
        if (draw(&r) % 20 == 0) good(store_flush(&p->cx, s));
        if (draw(&r) % 200 == 0) {
            store_close(s);
            s = opened(p, p->path, false);
        }
        if (draw(&r) % 100 == 0) {
            assert_ranks_as_built_afresh(p, s, kept, &r);
            assert_readers_agree(p, s, reader);
            ctx_end(&p->cx);
        }
    }
    assert_ranks_as_built_afresh(p, s, kept, &r);
    store_close(reader);
    store_close(s);
}

/* ---- failure ---------------------------------------------------------------------- */

static void takes_back_a_document_that_fails_and_no_other(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "alpha");
    Chunk c = { .text = STR("alpha beta") };
    float v[DIM] = { [3] = NAN };
    Document d = { .uri = STR("b") };
    const EmbedderId other = { { "other", 5 }, { "f00", 3 }, DIM };
    bad(E_ARG, store_put(&p->cx, s, &d, &c, 1, v, &by));
    v[3] = 1;
    bad(E_MODEL, store_put(&p->cx, s, &d, &c, 1, v, &other));
    d.uri.n = 0;
    bad(E_ARG, store_put(&p->cx, s, &d, &c, 1, v, &by));
    assert_int_equal(words(p, s, "alpha", 9).n, 1);
    assert_int_equal(words(p, s, "beta", 9).n, 0);
    store_close(s);
}

static bool yes(void *arg) { (void)arg; return true; }

static void takes_back_a_document_that_was_cancelled(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put(p, s, "a", "", (const char *[]){ "alpha", "gamma" }, 2);
    Ctx cx = { .cancelled = yes };
    Chunk c[2] = { { .text = STR("alpha beta") }, { .text = STR("beta") } };
    float v[2 * DIM] = { 1 };
    Document d = { .uri = STR("a") };
    assert_int_equal(store_put(&cx, s, &d, c, 2, v, &by), E_CANCELLED);
    ctx_end(&cx);
    put_one(p, s, "b", "alpha");
    assert_int_equal(words(p, s, "alpha", 9).n, 2);
    assert_int_equal(words(p, s, "gamma", 9).n, 1);
    assert_int_equal(words(p, s, "beta", 9).n, 0);
    assert_int_equal(vectors(p, s, "beta", 9).n, 3);
    store_close(s);
}

static void accepts_another_embedder_once_it_is_empty(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    const EmbedderId wide = { { "wide", 4 }, { "f", 1 }, 100 };
    float v[100] = { 1 };
    Chunk c = { .text = STR("alpha") };
    Document d = { .uri = STR("b") };
    put_one(p, s, "a", "alpha");
    good(store_remove(&p->cx, s, STR("a")));
    good(store_put(&p->cx, s, &d, &c, 1, v, &wide));
    Hits h;
    good(store_vectors(&p->cx, s, v, 5, &h));
    assert_int_equal(h.n, 1);
    assert_true(h.at[0].score == 1);
    store_close(s);
}

static void tells_who_is_writing(void **state)
{
    Place *p = *state;
    char pid[24];
    Store *s = opened(p, p->path, false), *t = NULL;
    StoreOptions opt = { .create = true };
    snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_int_equal(store_open(&p->cx, p->path, &opt, &t), E_BUSY);
    assert_non_null(strstr(p->cx.reason, pid));
    assert_null(t);
    ctx_forgive(&p->cx);
    store_close(s);
    store_close(opened(p, p->path, false));
}

static void refuses_what_is_no_store(void **state)
{
    Place *p = *state;
    StoreOptions read = { .read_only = true }, write = { .create = false };
    Store *s;
    char path[128];
    bad(E_NOTFOUND, store_open(&p->cx, p->path, &read, &s));
    bad(E_NOTFOUND, store_open(&p->cx, p->path, &write, &s));
    bad(E_FORMAT, store_open(&p->cx, p->folder, &read, &s));
    snprintf(path, sizeof path, "%s/notes.txt", p->folder);
    FILE *f = fopen(path, "wb");
    for (int i = 0; i < 5000; i++) fputs("words ", f);
    fclose(f);
    bad(E_FORMAT, store_open(&p->cx, path, &read, &s));
    bad(E_FORMAT, store_open(&p->cx, path, &write, &s));
}

static void write_at(const char *path, long at, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "r+b");
    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    fclose(f);
}

static void refuses_a_newer_version_and_says_so(void **state)
{
    Place *p = *state;
    StoreOptions read = { .read_only = true };
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "alpha");
    store_close(s);
    write_at(p->path, 60, "\0\0\0\x09", 4);   // SQLite file format, 1.3: the user version
    assert_int_equal(store_open(&p->cx, p->path, &read, &s), E_FORMAT);
    assert_non_null(strstr(p->cx.reason, "newer"));
    ctx_forgive(&p->cx);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Of version 1, which had no offsets within a passage: pages are to be read again. */
static void brings_an_older_store_up_to_date(void **state)
{
    Place *p = *state;
    StoreOptions read = { .read_only = true };
    Store *s = opened(p, p->path, false);
    Document slice, page;
    put_one(p, s, "slice.md", "alpha");
    put_one(p, s, "page.html", "beta");
    store_close(s);
    execute(p->path, "UPDATE chunk SET end = end + 7 WHERE text = 'beta';"
                     "UPDATE posting SET word = 'otherwise' WHERE word = 'beta';"
                     "ALTER TABLE chunk DROP COLUMN map;"
                     "ALTER TABLE chunk DROP COLUMN page;"
                     "ALTER TABLE chunk DROP COLUMN page_end; PRAGMA user_version = 1");
    assert_int_equal(store_open(&p->cx, p->path, &read, &s), E_FORMAT);
    assert_non_null(strstr(p->cx.reason, "`pith sync`"));
    ctx_forgive(&p->cx);
    s = opened(p, p->path, false);
    good(store_find(&p->cx, s, STR("slice.md"), &slice));
    good(store_find(&p->cx, s, STR("page.html"), &page));
    assert_str(slice.hash, "h");
    assert_int_equal(page.hash.n + (size_t)page.mtime_ns, 0);
    Hits h = words(p, s, "beta", 9);
    assert_int_equal(h.n, 1);
    assert_int_equal(chunk(p, s, h.at[0].chunk).map.n, 0);
    store_close(s);
}

/* Of version 2, which had no pages: nothing is read again for them. */
static void keeps_what_an_older_store_knows(void **state)
{
    Place *p = *state;
    StoreOptions read = { .read_only = true };
    Document d;
    Store *s = opened(p, p->path, false);
    put_one(p, s, "page.html", "beta");
    store_close(s);
    execute(p->path, "UPDATE chunk SET end = end + 7;"
                     "ALTER TABLE chunk DROP COLUMN page;"
                     "ALTER TABLE chunk DROP COLUMN page_end; PRAGMA user_version = 2");
    bad(E_FORMAT, store_open(&p->cx, p->path, &read, &s));
    s = opened(p, p->path, false);
    good(store_find(&p->cx, s, STR("page.html"), &d));
    assert_str(d.hash, "h");
    assert_int_equal(d.mtime_ns, 77);
    Hits h = words(p, s, "beta", 9);
    assert_int_equal(h.n, 1);
    assert_int_equal(chunk(p, s, h.at[0].chunk).page, 0);
    store_close(s);
    s = opened(p, p->path, true);
    assert_int_equal(words(p, s, "beta", 9).n, 1);
    store_close(s);
}

static void makes_a_damaged_matrix_file_anew(void **state)
{
    Place *p = *state;
    char file[128], text[32];
    Store *s = opened(p, p->path, false);
    for (int i = 0; i < 700; i++) {
        snprintf(text, sizeof text, "word%d", i);
        put_one(p, s, text, text);
    }
    good(store_flush(&p->cx, s));
    Hits want = vectors(p, s, "word5", 30);
    store_close(s);
    snprintf(file, sizeof file, "%s.matrix", p->path);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    for (long at = 0; at < st.st_size; at += 8111) {
        write_at(file, at, "\xA5\x5A\xA5", 3);
        s = opened(p, p->path, at % 2);
        assert_same_hits(p, s, vectors(p, s, "word5", 30), s, want);
        if (at % 2 == 0) good(store_flush(&p->cx, s));
        store_close(s);
    }
    assert_int_equal(truncate(file, st.st_size / 2), 0);
    s = opened(p, p->path, true);
    assert_same_hits(p, s, vectors(p, s, "word5", 30), s, want);
    store_close(s);
    assert_int_equal(unlink(file), 0);
    s = opened(p, p->path, true);
    assert_same_hits(p, s, vectors(p, s, "word5", 30), s, want);
    store_close(s);
}

/* Copies the store's file alone: a backup. */
static void copy_file(const char *from, const char *to)
{
    char command[300];
    snprintf(command, sizeof command, "cp '%s' '%s'", from, to);
    assert_int_equal(system(command), 0);
}

static void survives_going_back_to_a_backup(void **state)
{
    Place *p = *state;
    char backup[128];
    snprintf(backup, sizeof backup, "%s/backup", p->folder);
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "alpha");
    store_close(s);
    copy_file(p->path, backup);
    s = opened(p, p->path, false);
    put_one(p, s, "b", "beta");
    good(store_flush(&p->cx, s));
    store_close(s);
    copy_file(backup, p->path);
    s = opened(p, p->path, false);
    put_one(p, s, "c", "gamma");
    Hits h = vectors(p, s, "gamma", 1);
    assert_str(chunk(p, s, h.at[0].chunk).uri, "c");
    assert_int_equal(vectors(p, s, "beta", 9).n, 2);
    store_close(s);
}

/* What was flushed stays, and the file that is full is named. */
static void fill_a_small_disk(const char *path)
{
    Ctx cx = CTX_INIT;
    Store *s;
    StoreOptions opt = { .create = true };
    const struct rlimit small = { 400000, 400000 };   // bytes a file may have
    float v[DIM] = { 1 };
    Chunk c = { .text = STR("some words that take some room in the file") };
    signal(SIGXFSZ, SIG_IGN);
    if (store_open(&cx, path, &opt, &s) != OK) _exit(1);
    for (int i = 0; i < 2000; i++) {
        char uri[16];
        snprintf(uri, sizeof uri, "d%d", i);
        if (i == 100 && setrlimit(RLIMIT_FSIZE, &small) != 0) _exit(2);
        Document d = { .uri = str_z(uri), .title = str_z(uri) };
        Status st = store_put(&cx, s, &d, &c, 1, v, &by);
        if (st == OK && i == 99) st = store_flush(&cx, s);
        if (st == OK) continue;
        bool said = st == E_IO && strstr(cx.reason, path);
        ctx_forgive(&cx);
        bool reads = store_find(&cx, s, STR("d50"), &d) == OK;
        store_close(s);
        _exit(!said ? 3 : reads ? 0 : 4);
    }
    _exit(5);
}

static void loses_nothing_when_the_disk_is_full(void **state)
{
    Place *p = *state;
    int how;
    pid_t child = fork();
    if (child == 0) fill_a_small_disk(p->path);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    assert_int_equal(WEXITSTATUS(how), 0);
    Store *s = opened(p, p->path, false);
    Document d;
    StoreStats st;
    good(store_find(&p->cx, s, STR("d99"), &d));
    good(store_stats(&p->cx, s, &st));
    assert_true(st.documents >= 100);
    assert_int_equal(vectors(p, s, "x", 5000).n, st.chunks);
    assert_int_equal(words(p, s, "room", 5000).n, st.chunks);
    put_one(p, s, "more", "words");
    good(store_flush(&p->cx, s));
    store_close(s);
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

static void finds_exactly_the_nearest(void **state)
{
    Place *p = *state;
    enum { WIDE = 96, MANY = 3000, K = 10 };
    static float v[MANY][WIDE], score[MANY];
    const EmbedderId wide = { { "wide", 4 }, { "f", 1 }, WIDE };
    uint32_t r = 3;
    Store *s = opened(p, p->path, false);
    static Chunk c[MANY];
    for (int i = 0; i < MANY; i++)
        for (int j = 0; j < WIDE; j++) v[i][j] = (float)(draw(&r) % 2001) / 1000 - 1;
    Document d = { .uri = STR("all") };
    good(store_put(&p->cx, s, &d, c, MANY, v[0], &wide));
    for (int q = 0; q < 50; q++) {
        float query[WIDE];
        Hits h;
        for (int j = 0; j < WIDE; j++) query[j] = (float)(draw(&r) % 2001) / 1000 - 1;
        for (int i = 0; i < MANY; i++) {
            score[i] = 0;
            for (int j = 0; j < WIDE; j++) score[i] += v[i][j] * query[j];
        }
        good(store_vectors(&p->cx, s, query, K, &h));
        qsort(score, MANY, sizeof *score, descending);
        assert_int_equal(h.n, K);
        for (int i = 0; i < K; i++) assert_true(fabsf(h.at[i].score - score[i]) < 1e-4f);
    }
    store_close(s);
}

/* ---- processes -------------------------------------------------------------------- */

/* Writes generation after generation of ten documents, each of which says one number. */
static void write_until_killed(const char *path)
{
    Ctx cx = CTX_INIT;
    Store *s;
    StoreOptions opt = { .create = true };
    if (store_open(&cx, path, &opt, &s) != OK) _exit(1);
    for (int g = 0;; g++) {
        char uri[8], text[32];
        float v[2 * DIM];
        snprintf(uri, sizeof uri, "d%d", g % 10);
        snprintf(text, sizeof text, "number%d", g);
        vector_of(text, v);
        vector_of(text, v + DIM);
        Chunk c[2] = { { .text = str_z(text) }, { .text = str_z(text) } };
        Document d = { .uri = str_z(uri), .title = str_z(text) };
        if (store_put(&cx, s, &d, c, 2, v, &by) != OK) _exit(2);
        if (g % 7 == 0 && store_flush(&cx, s) != OK) _exit(3);
        ctx_end(&cx);
    }
}

/* Every document is whole: two chunks that say its title, found by word and by vector. */
static void assert_whole(Place *p)
{
    Store *s = opened(p, p->path, false);
    Document *d;
    size_t n;
    good(store_list(&p->cx, s, &d, &n));
    for (size_t i = 0; i < n; i++) {
        char title[32] = { 0 };
        memcpy(title, d[i].title.p, d[i].title.n);
        Hits w = words(p, s, title, 9), v = vectors(p, s, title, 2);
        assert_int_equal(w.n, 2);
        assert_int_equal(v.n, 2);
        for (int j = 0; j < 2; j++) {
            assert_str(chunk(p, s, w.at[j].chunk).text, title);
            assert_str(chunk(p, s, v.at[j].chunk).text, title);
        }
    }
    assert_int_equal(vectors(p, s, "x", 99).n, 2 * n);
    store_close(s);
}

static void leaves_whole_documents_when_killed(void **state)
{
    Place *p = *state;
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0) write_until_killed(p->path);
        usleep(20000 + 13337 * (useconds_t)round);
        assert_int_equal(kill(child, SIGKILL), 0);
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        if (access(p->path, F_OK) == 0) assert_whole(p);
        ctx_end(&p->cx);
    }
}

static void reads_while_another_process_writes(void **state)
{
    Place *p = *state;
    Store *s = opened(p, p->path, false);
    put(p, s, "d0", "number0", (const char *[]){ "number0", "number0" }, 2);
    store_close(s);
    pid_t child = fork();
    if (child == 0) write_until_killed(p->path);
    s = opened(p, p->path, true);
    for (int i = 0; i < 300; i++) {
        Hits w = words(p, s, "number0 number1", 9), v = vectors(p, s, "y", 50);
        assert_true(v.n >= 2 && v.n <= 20 && v.n % 2 == 0);
        assert_true(w.n % 2 == 0);
        ctx_end(&p->cx);
    }
    store_close(s);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void reads_from_a_folder_that_may_not_be_written_to(void **state)
{
    Place *p = *state;
    if (getuid() == 0) skip();   // root may write anywhere
    char folder[80];
    Store *s = opened(p, p->path, false);
    put_one(p, s, "a", "alpha");
    store_close(s);
    snprintf(folder, sizeof folder, "%s/a", p->folder);
    chmod(folder, 0500);
    s = opened(p, p->path, true);
    assert_int_equal(words(p, s, "alpha", 9).n, 1);
    assert_int_equal(vectors(p, s, "alpha", 9).n, 1);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, leave_place)
        T(gives_back_what_was_put),
        T(replaces_a_document_as_a_whole),
        T(orders_equal_scores_by_uri_then_position),
        T(counts_the_words_that_no_chunk_has),
        T(finds_a_word_that_every_chunk_has),
        T(finds_a_compound_by_its_parts_and_no_other_word),
        T(ranks_as_a_store_built_afresh_after_any_history),
        T(takes_back_a_document_that_fails_and_no_other),
        T(takes_back_a_document_that_was_cancelled),
        T(accepts_another_embedder_once_it_is_empty),
        T(tells_who_is_writing),
        T(refuses_what_is_no_store),
        T(refuses_a_newer_version_and_says_so),
        T(brings_an_older_store_up_to_date),
        T(keeps_what_an_older_store_knows),
        T(makes_a_damaged_matrix_file_anew),
        T(survives_going_back_to_a_backup),
        T(loses_nothing_when_the_disk_is_full),
        T(finds_exactly_the_nearest),
        T(leaves_whole_documents_when_killed),
        T(reads_while_another_process_writes),
        T(reads_from_a_folder_that_may_not_be_written_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
