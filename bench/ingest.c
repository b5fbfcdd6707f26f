/* ingest.c -- how fast folders become an index, and what of it is parsing.
 *
 *     bench_ingest MODEL PATH...     MODEL: a GGUF that embeds, or "fake:"
 *
 * Three passes: reading, parsing and cutting alone, one file after the other (the model
 * counts tokens, nothing is embedded or stored); indexing into a new store; a second
 * visit, in which nothing has changed. */
#include "index/document.h"
#include "index/read.h"
#include "index/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct Sum {
    uint64_t bytes;
} Sum;

static void on_progress(void *arg, const IndexProgress *p)
{
    ((Sum *)arg)->bytes = p->bytes_done;
}

static void on_problem(void *arg, const char *path, const char *reason)
{
    (void)arg;
    fprintf(stderr, "%s: %s\n", path, reason);
}

static double cpu_of(int who)
{
    struct rusage r;
    getrusage(who, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
           (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) * 1e-6;
}

/* Ours, and of the readers that have ended with their queue. */
static double cpu_seconds(void)
{
    return cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
}

static long peak_mib(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_maxrss / 1024;
}

typedef struct Figures {
    size_t files, chunks, tokens, bytes;
} Figures;

typedef struct Cut {
    Queue *q;
    Chunker chunker;
    Figures *f;
} Cut;

static Status cut_window(void *arg, const Parsed *window)
{
    Cut *k = arg;
    Chunk *chunks;
    size_t n;
    k->chunker.section = NULL;
    TRY(chunk_parts(&k->q->work, &k->chunker, window, &chunks, &n));
    k->f->chunks += n;
    for (size_t i = 0; i < n; i++) k->f->tokens += (size_t)chunks[i].tokens;
    return OK;
}

static Status cut_file(Queue *q, const Entry *e, Figures *f)
{
    Source src;
    Extract *x;
    Cut k = { .q = q, .f = f };
    k.chunker = (Chunker){ .embedder = q->embedder, .words = q->words,
                           .aim = q->opt.chunk_tokens };
    TRY(source_open(&q->work, e->path.p, q->opt.max_file_bytes, &src));
    Origin o = { .uri = e->path, .bytes = src.bytes, .kind = src.kind };
    TRY(document_begin(&q->work, q, &o, src.fd, &x));
    f->files++;
    f->bytes += src.bytes;
    return extract_end(&q->work, x, &(Sink){ cut_window, &k });
}

static void cut_all(Queue *q, const Walk *w, Figures *f)
{
    for (size_t i = 0; i < w->n; i++) {
        if (cut_file(q, &w->at[i], f) != OK)
            fprintf(stderr, "%s: %s\n", w->at[i].path.p, q->work.reason);
        ctx_end(&q->work);
    }
}

static Status parse(Ctx *cx, Store *s, Model *m, char **paths, size_t n)
{
    IndexReport r;
    Queue q;
    Walk w;
    Figures f = { 0 };
    Status st = queue_open(cx, s, m, NULL, &r, &q);
    double t = now_ms(), cpu = cpu_seconds();
    for (size_t i = 0; i < n && st == OK; i++) {
        st = walk(cx, paths[i], &w);
        if (st == OK) cut_all(&q, &w, &f);
    }
    double seconds = (now_ms() - t) / 1000;
    queue_close(&q);
    if (st != OK || f.chunks == 0) return st;
    printf("%-9s %zu files, %zu chunks, %zu tokens (%.1f a chunk): %.3f s "
           "(%.2f s of CPU), %.2f MB/s\n", "parse", f.files, f.chunks, f.tokens,
           (double)f.tokens / (double)f.chunks, seconds, cpu_seconds() - cpu,
           (double)f.bytes / 1e6 / seconds);
    return OK;
}

static Status visit(Ctx *cx, Store *s, Model *m, char **paths, size_t n, const char *name)
{
    Sum sum = { 0 };
    IndexReport r;
    IndexOptions opt = { .on_progress = on_progress, .on_problem = on_problem,
                         .arg = &sum };
    double t = now_ms(), cpu = cpu_seconds();
    TRY(index_paths(cx, s, m, (const char *const *)paths, n, &opt, &r));
    double seconds = (now_ms() - t) / 1000;
    printf("%-9s %zu added, %zu unchanged, %zu skipped, %zu failed, %zu chunks: %.3f s "
           "(%.2f s of CPU), %.1f chunks/s, %.2f MB/s, peak %ld MiB\n", name, r.added,
           r.unchanged, r.skipped, r.failed, r.chunks, seconds, cpu_seconds() - cpu,
           (double)r.chunks / seconds, (double)sum.bytes / 1e6 / seconds, peak_mib());
    return OK;
}

static Status run(Ctx *cx, const char *model, const char *store, char **paths, size_t n)
{
    Model *m = NULL;
    Store *s = NULL;
    StoreOptions create = { .create = true };
    Status st = model_open(cx, model, NULL, &m);
    if (st == OK) st = store_open(cx, store, &create, &s);
    if (st == OK) printf("engine    %.*s\n", (int)model_info(m)->engine.n,
                         model_info(m)->engine.p);
    if (st == OK) st = parse(cx, s, m, paths, n);
    if (st == OK) st = visit(cx, s, m, paths, n, "new");
    if (st == OK) st = visit(cx, s, m, paths, n, "unchanged");
    store_close(s);
    model_close(m);
    return st;
}

int main(int argc, char **argv)
{
    char folder[] = "/tmp/bench_ingest.XXXXXX", store[64], remove[96];
    Ctx cx = CTX_INIT;
    if (argc < 3) return fputs("usage: bench_ingest MODEL PATH...\n", stderr), 2;
    if (!mkdtemp(folder)) return perror(folder), 3;
    snprintf(store, sizeof store, "%s/store.db", folder);
    Status st = run(&cx, argv[1], store, argv + 2, (size_t)argc - 2);
    if (st != OK) fprintf(stderr, "%s\n", cx.reason);
    ctx_end(&cx);
    snprintf(remove, sizeof remove, "rm -r '%s'", folder);
    return system(remove) || st != OK ? 3 : 0;
}
