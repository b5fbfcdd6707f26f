/* search.c -- how fast a store of many chunks is searched and written.
 *
 *     bench_search [chunks] [folder] [embedder]
 *
 * Chunks (100000 where none are named) of about 100 words are sentences drawn anew: from
 * a vocabulary by Zipf's law, or, where a folder is named, from the sentences of its
 * files. Vectors are random and of 384 components. Queries are 5 to 20 words of one
 * chunk. Beside the vectors' rate stands the rate at which this machine reads memory.
 * Where an embedder (a GGUF of 384 components) is named, 200 of the queries are searched
 * through pith_search, too: embedding, both searches, fusion and reading the passages.
 * The last line is a row for table.sh then. */
#include "base/words.h"
#include "model/machine.h"
#include "model/model.h"
#include "model/read_speed.h"
#include "pith.h"
#include "store/made.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DIM = 384, QUERIES = 400, WHOLE = 200 };

typedef struct Figures {
    double p50, p99;                // ms, of pith_search
    double codes_gb_s, memory_gb_s; // read by a search of vectors, by all cores
} Figures;

static void read_file(const char *path, Buf *b)
{
    char piece[65536];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f) return;
    while ((n = fread(piece, 1, sizeof piece, f)) > 0) buf_add(b, (Str){ piece, n });
    fclose(f);
}

/* The sentences borrow from all. */
static Status read_folder(Ctx *cx, Words *w, const char *folder, Buf *all, Made *made)
{
    Span *span;
    Str *sentence;
    size_t n;
    struct dirent *e;
    DIR *d = opendir(folder);
    if (!d) return fail(cx, E_IO, "%s: cannot be opened", folder);
    while ((e = readdir(d))) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (*e->d_name != '.') read_file(path, all);
    }
    closedir(d);
    Str text = buf_str(all);
    double t = now_ms();
    TRY(words_sentences(cx, w, text, &span, &n));
    printf("sentences  %8.1f MB/s\n", (double)text.n / 1e3 / (now_ms() - t));
    TRY_NEW(sentence = ctx_new(cx, Str, n));
    for (size_t i = 0; i < n; i++)
        sentence[i] = (Str){ text.p + span[i].start, span[i].end - span[i].start };
    made->sentence = sentence;
    made->n_sentences = n;
    return n ? OK : fail(cx, E_ARG, "%s: no text", folder);
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

static Status fill(Ctx *cx, Store *s, Made *made, size_t chunks)
{
    double ms = 0, t;
    for (size_t i = 0; i < chunks / MADE_CHUNKS; i++)
        TRY(made_put(cx, s, made, i, &ms));
    t = now_ms();
    TRY(store_flush(cx, s));
    ms += now_ms() - t;
    printf("put        %8.0f chunks/s\n", (double)chunks / ms * 1e3);
    return OK;
}

/* A document changes, is durable and found. */
static Status edit(Ctx *cx, Store *s, Made *made, size_t chunks)
{
    static double ms[QUERIES];
    Hits h;
    for (int i = 0; i < QUERIES; i++) {
        TRY(made_put(cx, s, made, made_draw(made) % (chunks / MADE_CHUNKS), &ms[i]));
        double t = now_ms();
        TRY(store_flush(cx, s));
        TRY(store_words(cx, s, STR("title"), 1, &h));
        ms[i] += now_ms() - t;
    }
    report("edit", ms, QUERIES);
    return OK;
}

static Status search(Ctx *cx, Store *s, Made *made, size_t chunks, double *gb_s)
{
    static double words[QUERIES], vectors[QUERIES], both[QUERIES];
    double sum = 0;
    for (int i = -5; i < QUERIES; i++) {
        Ctx one = CTX_INIT;
        Chunk c;
        Hits h;
        float v[DIM];
        do {
            int64_t id = 1 + made_draw(made) % (int64_t)chunks;
            TRY(store_chunks(cx, s, &id, 1, &c, NULL));
        } while (!c.id);   // an edited one
        made_vector(made, v);
        double t0 = now_ms();
        TRY(store_words(&one, s, made_query(made, c.text), 50, &h));
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
    *gb_s = (double)chunks * DIM / (sum / QUERIES) / 1e6;
    printf("vectors    %8.1f GB/s of codes\n", *gb_s);
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
static Status whole(Ctx *cx, Made *made, const char *path, const char *embedder,
                    Figures *f)
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
        Str query = ctx_dup(&one, made_query(made, made_text(made, &text)));
        double *one_ms = &ms[i < 0 ? 0 : i];
        st = ask_whole(cx, p, query, one_ms);
        i += *one_ms >= 0;
        ctx_end(&one);
    }
    pith_close(p);
    buf_free(&text);
    if (st != OK) return st;
    report("pith.h", ms, WHOLE);
    f->p50 = ms[WHOLE / 2];
    f->p99 = ms[WHOLE * 99 / 100];
    return OK;
}

static Status read_memory(Ctx *cx, double *gb_s)
{
    double rate[5];
    TRY(read_speed(cx, (size_t)machine_cores(), 5, rate));
    qsort(rate, 5, sizeof *rate, ascending);
    *gb_s = rate[2];
    printf("memory     %8.1f GB/s read by all cores\n", *gb_s);
    return OK;
}

static Status run(Ctx *cx, size_t chunks, const char *path, const char *folder,
                  const char *embedder)
{
    Store *s = NULL;
    Words *w = NULL;
    Buf all = BUF(1u << 30);
    Made made = { .random = 42, .words = 100, .by = { STR("random"), STR("0"), DIM } };
    StoreOptions write = { .create = true }, read = { .read_only = true };
    Figures f = { 0 };
    Status st = words_open(cx, &w);
    if (st == OK && folder) st = read_folder(cx, w, folder, &all, &made);
    if (st == OK && embedder) st = same_as(cx, embedder, &made.by);
    if (st == OK) st = store_open(cx, path, &write, &s);
    if (st == OK) st = fill(cx, s, &made, chunks);
    if (st == OK) st = edit(cx, s, &made, chunks);
    store_close(s);
    s = NULL;
    double t = now_ms();
    if (st == OK) st = store_open(cx, path, &read, &s);
    if (st == OK) {
        Hits h;
        st = store_words(cx, s, STR("first"), 1, &h);
        printf("open       %8.1f ms, first search included\n", now_ms() - t);
    }
    if (st == OK) st = search(cx, s, &made, chunks, &f.codes_gb_s);
    store_close(s);
    if (st == OK && embedder) st = whole(cx, &made, path, embedder, &f);
    if (st == OK) st = read_memory(cx, &f.memory_gb_s);
    if (st == OK && embedder)
        printf("= p50 %.1f ms, p99 %.1f ms | codes of vectors read at %.1f GB/s, memory "
               "gives %.1f | %.2f\n", f.p50, f.p99, f.codes_gb_s, f.memory_gb_s,
               f.codes_gb_s / f.memory_gb_s);
    words_close(w);
    buf_free(&all);
    return st;
}

int main(int argc, char **argv)
{
    Ctx cx = CTX_INIT;
    char folder[] = "/tmp/pith-bench-XXXXXX", path[64], command[64];
    size_t chunks = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
    if (chunks < MADE_CHUNKS || !mkdtemp(folder)) return 2;
    chunks -= chunks % MADE_CHUNKS;
    snprintf(path, sizeof path, "%s/store.db", folder);
    Status st = run(&cx, chunks, path, argc > 2 && *argv[2] ? argv[2] : NULL,
                    argc > 3 ? argv[3] : NULL);
    if (st != OK) fprintf(stderr, "%s\n", cx.reason);
    ctx_end(&cx);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 || st != OK;
}
