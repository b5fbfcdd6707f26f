/* Any bytes as the store's file: it is refused, or read as far as it goes. */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[] = "/tmp/pith-fuzz-XXXXXX";
static char path[64];

static void clean(void)
{
    static const char *const end[] = { "", "-wal", "-shm", "-journal" };
    char name[80];
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        snprintf(name, sizeof name, "%s%s", path, end[i]);
        unlink(name);
    }
}

static void leave(void)
{
    clean();
    rmdir(folder);
}

static void place_file(const uint8_t *data, size_t n)
{
    if (!*path) {
        if (!mkdtemp(folder)) abort();
        snprintf(path, sizeof path, "%s/store.db", folder);
        atexit(leave);
    }
    clean();
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0) abort();
}

static void read_all(Ctx *cx, Store *s)
{
    Document *d;
    Hits h;
    Chunk c[3];
    StoreStats st;
    size_t n;
    const int64_t ids[3] = { 1, 2, INT64_MAX };
    if (store_list(cx, s, &d, &n) != OK) ctx_forgive(cx);
    if (store_words(cx, s, STR("alpha beta the"), 5, &h) != OK) ctx_forgive(cx);
    if (store_chunks(cx, s, ids, 3, c, NULL) != OK) ctx_forgive(cx);
    if (store_stats(cx, s, &st) != OK) ctx_forgive(cx);
    else if (st.dim > 0) {
        float *v = ctx_new(cx, float, (size_t)st.dim);
        if (!v || store_vectors(cx, s, v, 5, &h) != OK) ctx_forgive(cx);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Store *s;
    StoreOptions opt = { .read_only = true };
    place_file(data, n);
    if (store_open(&cx, path, &opt, &s) == OK) {
        read_all(&cx, s);
        store_close(s);
    }
    ctx_end(&cx);
    return 0;
}
