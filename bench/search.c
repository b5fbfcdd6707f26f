/* search.c -- how fast a store of many chunks is searched and written.
 *
 *     bench_search [chunks] [folder] [embedder]
 *
 * Chunks (100000 where none are named) of about 100 words are sentences drawn anew: from
 * a vocabulary by Zipf's law, or, where a folder is named, from the sentences of its
 * files. Vectors are random and of 384 components. Queries are 5 to 20 words of one
 * chunk. Beside the vectors' rate stands the rate at which this machine reads memory.
 * Where an embedder (a GGUF of 384 components) is named, 200 of the queries are searched
 * through pith_search, too: embedding, both searches, fusion and reading the passages. */
#include "base/words.h"
#include "model/model.h"
#include "pith.h"
#include "store/write.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM = 384, QUERIES = 400, WHOLE = 200, VOCABULARY = 200000,
       CHUNKS_A_DOCUMENT = 10 };

typedef struct Random { uint64_t s; } Random;

static uint32_t draw(Random *r)
{
    r->s = r->s * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->s >> 33);
}

static float uniform(Random *r) { return (float)draw(r) / 2147483648.0f; }

typedef struct Source {
    Str *sentence;      // of the folder; NULL: words by Zipf's law
    size_t n;
    Buf text;
    EmbedderId by;
} Source;

static void read_file(const char *path, Buf *b)
{
    char piece[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f) return;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0) buf_add(b, (Str){ piece, n });
    fclose(f);
}

static Status read_folder(Ctx *cx, Words *w, const char *folder, Source *src)
{
    Span *span;
    struct dirent *e;
    src->text = BUF(1u << 30);
    DIR *d = opendir(folder);
    if (!d) return fail(cx, E_IO, "%s: cannot be opened", folder);
    while ((e = readdir(d))) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (*e->d_name != '.') read_file(path, &src->text);
    }
    closedir(d);
    Str text = buf_str(&src->text);
    double t = now_ms();
    TRY(words_sentences(cx, w, text, &span, &src->n));
    printf("sentences  %8.1f MB/s\n", (double)text.n / 1e3 / (now_ms() - t));
    TRY_NEW(src->sentence = ctx_new(cx, Str, src->n));
    for (size_t i = 0; i < src->n; i++)
        src->sentence[i] = (Str){ text.p + span[i].start, span[i].end - span[i].start };
    return src->n ? OK : fail(cx, E_ARG, "%s: no text", folder);
}

/* A rank of 1 / rank frequency, as a word of letters. */
static void zipf_word(Random *r, Buf *b)
{
    char word[16];
    uint32_t rank = (uint32_t)powf(VOCABULARY, uniform(r)), n = 0;
    do {
        word[n++] = "aeioubdfgklmnprstvwz"[rank % 20];
        rank /= 20;
    } while (rank);
    word[n++] = 'q';    // no ending that a stemmer would cut
    buf_add(b, (Str){ word, n });
}

static Str make_text(Random *r, const Source *src, Buf *b)
{
    b->n = 0;
    for (int words = 0; words < 100;) {
        if (src->sentence) {
            Str s = src->sentence[draw(r) % src->n];
            if (s.n > 600) s.n = 600;
            buf_add(b, s);
            words += (int)s.n / 6;
        } else {
            zipf_word(r, b);
            words++;
        }
        buf_add(b, STR(" "));
    }
    return buf_str(b);
}

static void make_vector(Random *r, float *v)
{
    float sum = 0;
    for (int i = 0; i < DIM; i++) {
        v[i] = uniform(r) + uniform(r) + uniform(r) - 1.5f;
        sum += v[i] * v[i];
    }
    for (int i = 0; i < DIM; i++) v[i] /= sqrtf(sum);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(const char *name, double *ms, size_t n)
{
    qsort(ms, n, sizeof *ms, ascending);
    printf("%-10s p50 %7.2f ms  p99 %7.2f ms\n", name, ms[n / 2], ms[n * 99 / 100]);
}

/* Puts a document of ten chunks, replacing the one of that number. *ms grows by what it
 * took the store. */
static Status put_one(Ctx *cx, Store *s, Random *r, const Source *src, size_t number,
                      double *ms)
{
    static float v[CHUNKS_A_DOCUMENT * DIM];
    Buf text = BUF(1 << 20);
    Chunk c[CHUNKS_A_DOCUMENT] = { 0 };
    Ctx one = CTX_INIT;
    for (int j = 0; j < CHUNKS_A_DOCUMENT; j++) {
        c[j].text = ctx_dup(&one, make_text(r, src, &text));
        make_vector(r, v + j * DIM);
    }
    Document d = { .uri = ctx_printf(&one, "doc/%zu", number), .title = STR("A title") };
    double t = now_ms();
    Status st = store_put(&one, s, &d, c, CHUNKS_A_DOCUMENT, v, &src->by);
    *ms += now_ms() - t;
    if (st != OK) fail(cx, st, "%s", one.reason);
    ctx_end(&one);
    buf_free(&text);
    return st;
}

static Status fill(Ctx *cx, Store *s, Random *r, const Source *src, size_t chunks)
{
    double ms = 0, t;
    for (size_t i = 0; i < chunks / CHUNKS_A_DOCUMENT; i++)
        TRY(put_one(cx, s, r, src, i, &ms));
    t = now_ms();
    TRY(store_flush(cx, s));
    ms += now_ms() - t;
    printf("put        %8.0f chunks/s\n", (double)chunks / ms * 1e3);
    return OK;
}

/* A document changes, is durable and found. */
static Status edit(Ctx *cx, Store *s, Random *r, const Source *src, size_t chunks)
{
    static double ms[QUERIES];
    Hits h;
    for (int i = 0; i < QUERIES; i++) {
        TRY(put_one(cx, s, r, src, draw(r) % (chunks / CHUNKS_A_DOCUMENT), &ms[i]));
        double t = now_ms();
        TRY(store_flush(cx, s));
        TRY(store_words(cx, s, STR("title"), 1, &h));
        ms[i] += now_ms() - t;
    }
    report("edit", ms, QUERIES);
    return OK;
}

/* 5 to 20 words in a row from a random place of a chunk. */
static Str make_query(Random *r, Str text)
{
    size_t words = 5 + draw(r) % 16, i = text.n ? draw(r) % text.n : 0, start;
    while (i > 0 && text.p[i - 1] != ' ') i--;
    for (start = i; i < text.n && words; i++) words -= text.p[i] == ' ';
    return (Str){ text.p + start, i - start };
}

static Status search(Ctx *cx, Store *s, Random *r, size_t chunks)
{
    static double words[QUERIES], vectors[QUERIES], both[QUERIES];
    double sum = 0;
    for (int i = -5; i < QUERIES; i++) {
        Ctx one = CTX_INIT;
        Chunk c;
        Hits h;
        float v[DIM];
        do {
            int64_t id = 1 + draw(r) % (int64_t)chunks;
            TRY(store_chunks(cx, s, &id, 1, &c, NULL));
        } while (!c.id);   // an edited one
        make_vector(r, v);
        double t0 = now_ms();
        TRY(store_words(&one, s, make_query(r, c.text), 50, &h));
        double t1 = now_ms();
        TRY(store_vectors(&one, s, v, 50, &h));
        double t2 = now_ms();
        ctx_end(&one);
        if (i < 0) continue;   // warms up
        words[i] = t1 - t0;
        vectors[i] = t2 - t1;
        both[i] = t2 - t0;
        sum += vectors[i];
    }
    report("words", words, QUERIES);
    report("vectors", vectors, QUERIES);
    report("both", both, QUERIES);
    printf("vectors    %8.1f GB/s of codes\n",
           (double)chunks * DIM / (sum / QUERIES) / 1e6);
    return OK;
}

static Status same_as(Ctx *cx, const char *embedder, EmbedderId *by)
{
    Model *m = NULL;
    TRY(model_open(cx, embedder, NULL, &m));
    const ModelInfo *i = model_info(m);
    *by = (EmbedderId){ ctx_dup(cx, i->name), ctx_dup(cx, i->fingerprint), i->dim };
    model_close(m);
    if (by->dim == DIM) return OK;
    return fail(cx, E_MODEL, "%s: %d components, not %d", embedder, by->dim, DIM);
}

/* *ms < 0: a query of blanks alone, which is refused. */
static Status ask_whole(Ctx *cx, pith *p, Str query, double *ms)
{
    pith_results *found = NULL;
    pith_error why;
    double t = now_ms();
    int code = pith_search(p, query.p, NULL, &found, &why);
    *ms = now_ms() - t;
    pith_results_free(found);
    if (code == PITH_E_ARG) return *ms = -1, OK;
    return code ? fail(cx, E_INTERNAL, "%s", why.message) : OK;
}

/* As a program of pith.h searches. */
static Status whole(Ctx *cx, Random *r, const Source *src, const char *path,
                    const char *embedder)
{
    static double ms[WHOLE];
    pith_options opt = { .store = path, .embedder = embedder, .read_only = 1 };
    pith_error why;
    pith *p = NULL;
    Buf text = BUF(1 << 20);
    Status st = OK;
    if (pith_open(&opt, &p, &why)) return fail(cx, E_INTERNAL, "%s", why.message);
    for (int i = -5; i < WHOLE && st == OK;) {   // five warm up
        Ctx one = CTX_INIT;
        Str query = ctx_dup(&one, make_query(r, make_text(r, src, &text)));
        double *one_ms = &ms[i < 0 ? 0 : i];
        st = ask_whole(cx, p, query, one_ms);
        i += *one_ms >= 0;
        ctx_end(&one);
    }
    pith_close(p);
    buf_free(&text);
    if (st == OK) report("pith.h", ms, WHOLE);
    return st;
}

static void read_memory(void)
{
    size_t n = (size_t)1 << 28;
    uint64_t *p = malloc(n), sum = 0;
    if (!p) return;
    memset(p, 1, n);
    double t = now_ms();
    for (size_t i = 0; i < n / 8; i += 8)
        for (int j = 0; j < 8; j++) sum += p[i + j];
    t = now_ms() - t;
    printf("memory     %8.1f GB/s read by one thread%s\n", (double)n / t / 1e6,
           sum ? "" : "?");
    free(p);
}

static Status run(Ctx *cx, size_t chunks, const char *path, const char *folder,
                  const char *embedder)
{
    Store *s = NULL;
    Words *w = NULL;
    Random r = { 42 };
    Source src = { .by = { STR("random"), STR("0"), DIM } };
    StoreOptions write = { .create = true }, read = { .read_only = true };
    Status st = words_open(cx, &w);
    if (st == OK && folder) st = read_folder(cx, w, folder, &src);
    if (st == OK && embedder) st = same_as(cx, embedder, &src.by);
    if (st == OK) st = store_open(cx, path, &write, &s);
    if (st == OK) st = fill(cx, s, &r, &src, chunks);
    if (st == OK) st = edit(cx, s, &r, &src, chunks);
    store_close(s);
    s = NULL;
    double t = now_ms();
    if (st == OK) st = store_open(cx, path, &read, &s);
    if (st == OK) {
        Hits h;
        st = store_words(cx, s, STR("first"), 1, &h);
        printf("open       %8.1f ms, first search included\n", now_ms() - t);
    }
    if (st == OK) st = search(cx, s, &r, chunks);
    store_close(s);
    if (st == OK && embedder) st = whole(cx, &r, &src, path, embedder);
    read_memory();
    words_close(w);
    buf_free(&src.text);
    return st;
}

int main(int argc, char **argv)
{
    Ctx cx = CTX_INIT;
    char folder[] = "/tmp/pith-bench-XXXXXX", path[64], command[64];
    size_t chunks = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    if (chunks < CHUNKS_A_DOCUMENT || !mkdtemp(folder)) return 2;
    chunks -= chunks % CHUNKS_A_DOCUMENT;
    snprintf(path, sizeof path, "%s/store.db", folder);
    Status st = run(&cx, chunks, path, argc > 2 && *argv[2] ? argv[2] : NULL,
                    argc > 3 ? argv[3] : NULL);
    if (st != OK) fprintf(stderr, "%s\n", cx.reason);
    ctx_end(&cx);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 || st != OK;
}
