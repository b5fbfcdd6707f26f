/* store_edit.c -- what it costs to edit and to remove one document in a large store.
 *
 *     bench_store_edit [DIM [EDITS [CHUNKS...]]]     384, 400, 1000 10000 100000
 *
 * For each size: EDITS documents of 10 chunks are replaced, each by an open, a put, a
 * flush and a close, as `pith add FILE` does it without the model; and as many within one
 * opening, a flush each. Printed are milliseconds: the median, the mean, which has the
 * compactions and merges in it, and the longest. Then the document is put in parts. */
#include "store/made.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WORDS = 100 };

typedef struct Bench {
    char path[96];
    Made made;
    size_t documents;
    int edits;
    double *ms;             // (edits)
} Bench;

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void tell(const Bench *b, const char *what)
{
    double sum = 0;
    for (int i = 0; i < b->edits; i++) sum += b->ms[i];
    qsort(b->ms, (size_t)b->edits, sizeof *b->ms, by_size);
    printf("%8zu chunks  %-22s median %7.2f  mean %7.2f  longest %8.2f ms\n",
           b->documents * MADE_CHUNKS, what, b->ms[b->edits / 2], sum / b->edits,
           b->ms[b->edits - 1]);
    fflush(stdout);
}

static Status open_it(Ctx *cx, const Bench *b, Store **s)
{
    StoreOptions opt = { .create = true };
    return store_open(cx, b->path, &opt, s);
}

static Status fill(Ctx *cx, Bench *b, Store *s)
{
    double ms = 0;
    for (size_t i = 0; i < b->documents; i++) TRY(made_put(cx, s, &b->made, i, &ms));
    TRY(store_flush(cx, s));
    printf("%8zu chunks  filled in %.1f s\n", b->documents * MADE_CHUNKS, ms / 1000);
    return OK;
}

static Status edit(Ctx *cx, Bench *b, Store *s, int i)
{
    double made = 0;
    TRY(made_put(cx, s, &b->made, made_draw(&b->made) % b->documents, &made));
    double t = now_ms();
    TRY(store_flush(cx, s));
    b->ms[i] = made + now_ms() - t;
    return OK;
}

static Status edit_within(Ctx *cx, Bench *b, Store *s)
{
    for (int i = 0; i < b->edits; i++) TRY(edit(cx, b, s, i));
    tell(b, "edit, store open");
    return OK;
}

static Status edit_anew(Ctx *cx, Bench *b)
{
    for (int i = 0; i < b->edits; i++) {
        Store *s;
        double t = now_ms();
        TRY(open_it(cx, b, &s));
        double opened = now_ms() - t;
        Status st = edit(cx, b, s, i);
        t = now_ms();
        store_close(s);
        b->ms[i] += opened + now_ms() - t;
        if (st != OK) return st;
    }
    tell(b, "edit, opened for it");
    return OK;
}

static Status remove_some(Ctx *cx, Bench *b, Store *s)
{
    size_t number = made_draw(&b->made) % b->documents;
    for (int i = 0; i < b->edits; i++) {
        Str uri = ctx_printf(cx, "doc/%zu", (number + (size_t)i) % b->documents);
        TRY_NEW(uri.p);
        double t = now_ms(), ms = 0;
        TRY(store_remove(cx, s, uri));
        TRY(store_flush(cx, s));
        b->ms[i] = now_ms() - t;
        TRY(made_put(cx, s, &b->made, (number + (size_t)i) % b->documents, &ms));
        TRY(store_flush(cx, s));
    }
    tell(b, "remove, store open");
    return OK;
}

static long peak_mib(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_maxrss / 1024;
}

/* One document of as many chunks as the store has. */
static Status put_parts(Ctx *cx, Bench *b, Store *s)
{
    Document d = { .uri = STR("large"), .title = STR("A title") };
    Buf text = BUF(1 << 20);
    size_t bytes = 0;
    float *v = ctx_new(cx, float, (size_t)b->made.by.dim);
    TRY_NEW(v);
    double t = now_ms();
    Status st = store_begin(cx, s, &d, &b->made.by);
    for (size_t i = 0; i < b->documents * MADE_CHUNKS && st == OK; i++) {
        Chunk c = { .text = made_text(&b->made, &text) };
        made_vector(&b->made, v);
        st = store_append(cx, s, &c, 1, v);
        bytes += c.text.n;
    }
    long before = peak_mib();
    if (st == OK) st = store_end(cx, s);
    if (st == OK) st = store_flush(cx, s);
    buf_free(&text);
    printf("%8zu chunks  one document of as many, %.0f MB, in parts: %.1f s, peak %ld "
           "MiB (%ld before its end)\n", b->documents * MADE_CHUNKS, (double)bytes / 1e6,
           (now_ms() - t) / 1000, peak_mib(), before);
    return st;
}

static Status measure(Ctx *cx, Bench *b)
{
    Store *s;
    TRY(open_it(cx, b, &s));
    Status st = fill(cx, b, s);
    if (st == OK) st = edit_within(cx, b, s);
    if (st == OK) st = remove_some(cx, b, s);
    store_close(s);
    if (st == OK) st = edit_anew(cx, b);
    if (st != OK) return st;
    TRY(open_it(cx, b, &s));
    st = put_parts(cx, b, s);
    store_close(s);
    return st;
}

int main(int argc, char **argv)
{
    static char *usual[] = { "1000", "10000", "100000" };
    char folder[] = "bench_store_edit.XXXXXX", command[64];
    char **size = argc > 3 ? argv + 3 : usual;
    int sizes = argc > 3 ? argc - 3 : 3, edits = argc > 2 ? atoi(argv[2]) : 400;
    Bench b = { .made = { .random = 1, .words = WORDS,
                          .by = { STR("made"), STR("0"), 384 } },
                .edits = edits > 0 ? edits : 1 };
    Ctx cx = CTX_INIT;
    if (argc > 1) b.made.by.dim = atoi(argv[1]);
    if (!mkdtemp(folder)) return perror(folder), 3;
    b.ms = calloc((size_t)b.edits, sizeof *b.ms);
    Status st = b.ms ? OK : fail(&cx, E_MEMORY, "no memory");
    for (int i = 0; i < sizes && st == OK; i++) {
        snprintf(b.path, sizeof b.path, "%s/%s.db", folder, size[i]);
        b.documents = strtoul(size[i], NULL, 10) / MADE_CHUNKS;
        if (b.documents > 0) st = measure(&cx, &b);
    }
    if (st != OK) fprintf(stderr, "%s\n", cx.reason);
    ctx_end(&cx);
    free(b.ms);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    return system(command) || st != OK ? 3 : 0;
}
