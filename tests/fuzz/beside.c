/* Any bytes as one of the files that lie beside a store or among the settings: the first
 * byte chooses the adapter that won, the times of this machine, the folders that are
 * private, the day's account with a remote model, the keys of the server, or the run of a
 * training. A question is answered, or refused with a reason. */
#include "base/file.h"
#include "pith.h"
#include "serve/keys.h"
#include "tune/adapter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NUMBERS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char folder[] = "/tmp/pith-beside-XXXXXX", store[48];

static void must(bool ok)
{
    if (!ok) abort();
}

static void leave(void)
{
    Ctx cx = CTX_INIT;
    must(folder_remove(&cx, folder) == OK);
    ctx_end(&cx);
}

static pith *open_store(void)
{
    pith_options opt = { .store = store, .generator = "fake:", .embedder = "fake:",
                         .reranker = "none", .threads = 1, .remote = "http://127.0.0.1:9",
                         .remote_policy = PITH_REMOTE_AUTO, .remote_day_tokens = 1 };
    pith *p = NULL;
    must(pith_open(&opt, &p, NULL) == 0);
    return p;
}

static void make_store(void)
{
    static const pith_text doc = { "a.md", NULL, "The lighthouse was built in 1871.\n",
                                   "text", 0 };
    char settings[48];
    must(mkdtemp(folder) != NULL);
    snprintf(settings, sizeof settings, "%s/pith", folder);
    must(mkdir(settings, 0700) == 0);
    snprintf(store, sizeof store, "%s/store.db", folder);
    setenv("XDG_CONFIG_HOME", folder, 1);
    setenv("XDG_CACHE_HOME", folder, 1);
    setenv("XDG_STATE_HOME", folder, 1);
    setenv("XDG_DATA_HOME", folder, 1);
    setenv("PITH_EXTRACT", EXTRACT, 1);
    atexit(leave);
    pith *p = open_store();
    must(pith_add_texts(p, &doc, 1, NULL, NULL, NULL) == 0);
    pith_close(p);
}

static void ask(void)
{
    pith_ask_options opt = { .budget_ms = 60000, .no_log = 1, .route = PITH_ROUTE_SLM };
    pith_answer *a = NULL;
    pith_error why = { 0 };
    pith *p = open_store();
    int code = pith_ask(p, "When was the lighthouse built?", &opt, &a, &why);
    must(code ? why.message[0] != '\0' : a->text != NULL);
    pith_answer_free(a);
    pith_close(p);
}

static void read_keys(void)
{
    Ctx cx = CTX_INIT;
    Keys keys;
    if (keys_read(&cx, &keys) != OK) must(cx.reason[0] != '\0');
    else must(!keys_find(&keys, STR("pith_x")) || keys.n);
    ctx_end(&cx);
}

static void read_state(const char *path)
{
    Ctx cx = CTX_INIT;
    float numbers[3][NUMBERS], *part[3] = { numbers[0], numbers[1], numbers[2] };
    TrainState s = { .key = "0123456789abcdef0123456789abcdef", .n = NUMBERS };
    if (state_read(&cx, path, &s, part) != OK) must(cx.reason[0] != '\0');
    ctx_end(&cx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const name[] = { "store.db.adapter.json", "pith/machine.json",
        "pith/private", "pith/remote-usage.json", "pith/keys.json", "run.state" };
    Ctx cx = CTX_INIT;
    char path[96];
    if (n == 0) return 0;
    if (!*store) make_store();
    size_t which = data[0] % (sizeof name / sizeof *name);
    snprintf(path, sizeof path, "%s/%s", folder, name[which]);
    must(file_write(&cx, path, (Str){ (const char *)data + 1, n - 1 }) == OK);
    if (which == 4) read_keys();
    else if (which == 5) read_state(path);
    else ask();
    unlink(path);
    ctx_end(&cx);
    return 0;
}
