/* Any bytes as an entry: it is what its checksum says, or a miss, and the file is gone;
 * the store goes on. The first byte says whether the checksum is made to fit. */
#include "model/kv_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HEAD = 128, CHECK = 48, BUDGET = 8192 };   // CHECK: where it stands

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[64];

static void must(bool ok)
{
    if (!ok) abort();
}

static void clear(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    must(system(command) == 0);
}

static KvStore *open_store(Ctx *cx)
{
    KvStore *s;
    if (!folder[0]) {
        strcpy(folder, "/tmp/pith-fuzz-kv-XXXXXX");
        must(mkdtemp(folder) != NULL);
        atexit(clear);
    }
    must(kv_store_open(cx, folder, BUDGET, &s) == OK);
    return s;
}

static void write_entry(Blake2bHex key, uint8_t *file, size_t n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s.kv", folder, key.z);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    must(fd >= 0 && write(fd, file, n) == (ssize_t)n && close(fd) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Blake2bHex key = blake2b_bytes(STR("key"));
    if (n < 1 || n > BUDGET / 2) return 0;
    KvStore *s = open_store(&cx);
    uint8_t *file = malloc(n);
    must(file != NULL);
    memcpy(file, data + 1, n - 1);
    if (data[0] == 'M' && n > HEAD) {
        uint64_t check = checksum64(file, CHECK)
                       ^ checksum64(file + HEAD, n - 1 - HEAD);
        memcpy(file + CHECK, &check, sizeof check);
    }
    write_entry(key, file, n - 1);
    KvEntry e;
    size_t bytes = n - 1 > HEAD ? n - 1 - HEAD : 0;
    bool found = kv_store_find(s, key, bytes, &e);
    must(found == kv_store_has(s, key));
    if (found) must(memcmp(e.data, file + HEAD, bytes) == 0);
    kv_entry_close(&e);
    (void)kv_store_put(s, &(KvNew){ key, data, n, 1, false });
    (void)kv_store_put(s, &(KvNew){ blake2b_bytes(STR("other")), data, n, 2, true });
    must(kv_store_bytes(s) <= BUDGET);
    kv_store_close(s);
    free(file);
    ctx_end(&cx);
    return 0;
}
