/* Any bytes as a query to a store of texts in several languages: hits are in order and of
 * the store, and so is what vectors would find. */
#include "store/write.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DIM = 4, TEXTS = 6, WANTED = 10 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[] = "/tmp/pith-query-XXXXXX";
static Store *store;        // made once: a target has no other place to keep it

static void leave(void)
{
    static const char *const end[] = { "", "-wal", "-shm", ".vectors", ".lock" };
    char name[64];
    store_close(store);
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        snprintf(name, sizeof name, "%s/s.db%s", folder, end[i]);
        unlink(name);
    }
    rmdir(folder);
}

static void make_store(void)
{
    static const char *const text[TEXTS] = {
        "The lighthouse was built in 1871, and read_file reads it.",
        "Der Dampfschiffsfahrplan h\u00E4ngt im B\u00FCro der Hafenmeisterei.",
        "\u041C\u0430\u044F\u043A \u0441\u0442\u043E\u0438\u0442 \u043D\u0430 "
        "\u0431\u0435\u0440\u0435\u0433\u0443.",
        "\u706F\u53F0\u306F\u6D77\u8FBA\u306B\u3042\u308B\u3002",
        "\u0627\u0644\u0645\u0646\u0627\u0631\u0629 \u0639\u0644\u0649 \u0627\u0644\u0634"
        "\u0627\u0637\u0626", "L'h\u00F4pital est ouvert; le phare aussi.",
    };
    static const EmbedderId by = { { "toy", 3 }, { "f00", 3 }, DIM };
    static const float v[DIM] = { 1, 0, 0, 0 };
    Ctx cx = CTX_INIT;
    StoreOptions opt = { .create = true };
    char path[64], uri[8];
    if (!mkdtemp(folder)) abort();
    snprintf(path, sizeof path, "%s/s.db", folder);
    if (store_open(&cx, path, &opt, &store) != OK) abort();
    for (int i = 0; i < TEXTS; i++) {
        snprintf(uri, sizeof uri, "%d", i);
        Document d = { .uri = str_z(uri), .hash = str_z(uri), .title = STR("Title") };
        Chunk c = { .text = str_z(text[i]), .end = strlen(text[i]), .tokens = 9 };
        if (store_put(&cx, store, &d, &c, 1, v, &by) != OK) abort();
    }
    if (store_flush(&cx, store) != OK) abort();
    ctx_end(&cx);
    atexit(leave);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Hits h;
    if (!store) make_store();
    Status st = store_words(&cx, store, (Str){ (const char *)data, n }, WANTED, &h);
    assert(st == OK || (st == E_LIMIT && cx.reason[0] != '\0'));
    for (size_t i = 0; st == OK && i < h.n; i++) {
        assert(h.at[i].chunk > 0 && h.at[i].chunk <= TEXTS);
        assert(i == 0 || h.at[i].score <= h.at[i - 1].score);
    }
    ctx_end(&cx);
    return 0;
}
