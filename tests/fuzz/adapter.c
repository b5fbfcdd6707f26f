/* Any bytes as a LoRA adapter: whether it belongs to a model is said or refused, and
 * where it takes another scale, what is written takes the scale 1 without a change. */
#include "base/file.h"
#include "model/lineage.h"
#include "tune/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[64];

static void must(bool ok)
{
    if (!ok) abort();
}

static void clear(void)
{
    Ctx cx = CTX_INIT;
    must(folder_remove(&cx, folder) == OK);
    ctx_end(&cx);
}

static const char *file_named(Ctx *cx, const char *name)
{
    Str path = ctx_printf(cx, "%s/%s", folder, name);
    must(path.p != NULL);
    return path.p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Str once, twice;
    if (n > LARGEST) return 0;
    if (!folder[0]) {
        strcpy(folder, "/tmp/pith-fuzz-adapter-XXXXXX");
        must(mkdtemp(folder) != NULL);
        atexit(clear);
    }
    const char *from = file_named(&cx, "a"), *a = file_named(&cx, "b"),
               *b = file_named(&cx, "c");
    must(file_write(&cx, from, (Str){ (const char *)data, n }) == OK);
    if (lineage_check(&cx, from, from) != OK) must(cx.reason[0] != '\0');
    ctx_forgive(&cx);
    if (adapter_scale(&cx, from, a, 0.5) == OK) {
        must(adapter_scale(&cx, a, b, 1) == OK);
        must(file_read(&cx, a, 2 * LARGEST, &once) == OK);
        must(file_read(&cx, b, 2 * LARGEST, &twice) == OK);
        must(str_eq(once, twice));
    } else {
        must(cx.reason[0] != '\0');
    }
    ctx_end(&cx);
    return 0;
}
