/* After any sequence of writing, editing, renaming, moving, deleting and touching files,
 * of adding, synchronizing and being killed, a store finds what one built afresh from the
 * same files finds: the same passages with the same scores, by words, vectors and both.
 *
 *     PITH_EXACT_SEQUENCES=1000 PITH_EXACT_SEED=1 test_unit_exact_files
 *
 * says how many random sequences are tried (30 without it) and where they begin. */
#include "support/fault.h"

#include "ask/retrieve.h"
#include "index/index.h"
#include "support/sequence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

enum { SEQUENCES = 30, ROUNDS = 6, TEXTS = 3, PATHS = 9 };

static const char *const name[PATHS] = {   // of files that come and go
    "a.md", "b.md", "c.txt", "d.html", "sub/a.md", "sub/b.txt", "sub/deep/c.md",
    "other/a.md", "other/e.html",
};

typedef struct Tally {
    size_t sequences, changes, visits, kills, comparisons;
} Tally;

typedef struct Desk {
    char folder[64], docs[80], path[96], fresh[96];
    uint64_t r;                     // draws
    Store *s;
    Model *m;
    uint32_t text[TEXTS];           // versions of documents from memory; 0: absent
    Tally *tally;
} Desk;

#define sound(call) do { Status st_ = (call); \
    if (st_ != OK) fail_msg("%s: %d %s", #call, st_, cx->reason); } while (0)

static uint32_t draw(uint64_t *r)
{
    *r = *r * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*r >> 40);
}

/* ---- files ------------------------------------------------------------------------- */

static const char *path_of(Desk *d, Ctx *cx, int i)
{
    return ctx_printf(cx, "%s/%s", d->docs, name[i]).p;
}

/* Always of one size, a page of words among few. */
static void write_text(uint64_t r, const char *kind, Buf *b)
{
    static const char *const some[] = { "alpha", "beta", "gamma", "delta", "the", "Run",
        "running", "x_y", "omega", "permit", "ferry", "budget" };
    bool html = strcmp(kind, "html") == 0;
    buf_addf(b, html ? "<html><body><h1>Page</h1><p>" : "# Page\n\n");
    while (b->n < 900) {
        uint32_t w = draw(&r);
        if (w % 17 == 0)
            buf_addf(b, html ? ".</p>\n<h2>Part</h2><p>" : ".\n\n## Part\n\n");
        buf_addf(b, w % 11 ? "%s " : "%srare%u ", some[w / 64 % 12], w % 500);
        if (w % 7 == 0) buf_add(b, STR(". "));
    }
    while (b->n < 960) buf_add(b, STR("."));
    b->n = 960;
}

static void write_file(Desk *d, int i)
{
    Ctx own = CTX_INIT, *cx = &own;
    Buf b = BUF(1 << 16);
    const char *path = path_of(d, cx, i);
    write_text(draw(&d->r), strrchr(path, '.') + 1, &b);
    FILE *f = fopen(path, "wb");
    if (f) {    // its folder may have been moved away
        fwrite(b.p, 1, b.n, f);
        fclose(f);
    }
    buf_free(&b);
    ctx_end(cx);
}

/* Two files of one size may have one time, as unpacking an archive leaves them. */
static void touch_file(const char *path, uint32_t when)
{
    struct timespec t[2] = { { .tv_sec = 1000000000 + when % 3 },
                             { .tv_sec = 1000000000 + when % 3 } };
    utimensat(AT_FDCWD, path, t, 0);
}

static void change_files(Desk *d)
{
    Ctx own = CTX_INIT, *cx = &own;
    uint32_t what = draw(&d->r) % 10;
    int i = (int)(draw(&d->r) % PATHS), j = (int)(draw(&d->r) % PATHS);
    const char *a = path_of(d, cx, i), *b = path_of(d, cx, j);
    const char *sub = ctx_printf(cx, "%s/sub", d->docs).p;
    const char *moved = ctx_printf(cx, "%s/moved", d->docs).p;
    if (what < 4) write_file(d, i);
    else if (what < 6) touch_file(a, draw(&d->r));
    else if (what == 6) unlink(a);
    else if (what < 9) rename(a, b);
    else if (access(moved, F_OK) == 0) rename(moved, sub);
    else rename(sub, moved);
    d->tally->changes++;
    ctx_end(cx);
}

static void make_folders(Desk *d)
{
    static const char *const folder[] = { "", "/sub", "/sub/deep", "/other" };
    char path[128];
    for (size_t i = 0; i < sizeof folder / sizeof *folder; i++) {
        snprintf(path, sizeof path, "%s%s", d->docs, folder[i]);
        assert_int_equal(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof path, "%s/stays.md", d->docs);
    FILE *f = fopen(path, "wb");    // an empty folder would be taken for a lost disk
    assert_non_null(f);
    fputs("# Stays\n\nalpha omega\n", f);
    fclose(f);
}

/* ---- visits ------------------------------------------------------------------------ */

static const IndexOptions options = { .chunk_tokens = 40 };

static Status add_text(Desk *d, Ctx *cx, Store *s, int i)
{
    Buf b = BUF(1 << 16);
    IndexReport report;
    write_text(d->text[i], "md", &b);
    IndexText t = { .uri = ctx_printf(cx, "text:%d", i), .text = buf_str(&b) };
    Status st = index_texts(cx, s, d->m, &t, 1, &options, &report);
    buf_free(&b);
    return st;
}

static Status add_folder(Desk *d, Ctx *cx, Store *s)
{
    const char *docs = d->docs;
    IndexReport report;
    return index_paths(cx, s, d->m, &docs, 1, &options, &report);
}

static Status open_store(Ctx *cx, const char *path, Store **out)
{
    StoreOptions create = { .create = true };
    return store_open(cx, path, &create, out);
}

static Status visit(Desk *d, Ctx *cx, Store *s, uint32_t what)
{
    IndexReport report;
    if (what % 4 == 0) return add_folder(d, cx, s);
    return index_sync(cx, s, d->m, &options, &report);
}

/* A visit by a process that dies at one of its writes, or ends whole. */
static void visit_and_die(Desk *d)
{
    uint32_t what = draw(&d->r);
    long dies_at = 1 + (long)(draw(&d->r) % 60);
    int status;
    store_close(d->s);
    d->s = NULL;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        Ctx cx = CTX_INIT;
        Store *s;
        fault = (struct Fault){ .armed = true, .at = dies_at,
                                .kind = what % 2 ? FAULT_KILL : FAULT_TORN };
        if (open_store(&cx, d->path, &s) == OK && visit(d, &cx, s, what) == OK)
            store_close(s);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    d->tally->kills += WIFSIGNALED(status);
}

/* ---- the comparison ---------------------------------------------------------------- */

static void rank_into(Desk *d, Ctx *cx, Store *s, Buf *out)
{
    static const char *const query[] = { "alpha permit", "the running ferry",
        "rare7 omega", "budget of a part that nobody has" };
    for (size_t i = 0; i < sizeof query / sizeof *query; i++)
        for (int mode = RETRIEVE_HYBRID; mode <= RETRIEVE_VECTORS; mode++) {
            RetrieveOptions opt = { .mode = (RetrieveMode)mode, .k = i % 2 ? 5 : 40 };
            Passages found;
            sound(retrieve(cx, s, d->m, &opt, str_z(query[i]), &found));
            buf_addf(out, "%s, mode %d: %zu\n", query[i], mode, found.n);
            for (size_t j = 0; j < found.n; j++) {
                const Passage *p = &found.at[j];
                const Chunk *c = &p->chunk;
                buf_addf(out, "%a %a %a %.*s %zu %zu %.*s | %.*s\n", (double)p->score,
                         (double)p->words, (double)p->vector, (int)c->uri.n, c->uri.p,
                         c->start, c->end, (int)c->section.n, c->section.p,
                         (int)c->text.n, c->text.p);
            }
        }
}

static Buf ranking_of(Desk *d, Store *s)
{
    Ctx own = CTX_INIT, *cx = &own;
    Buf out = BUF(1 << 24);
    rank_into(d, cx, s, &out);
    assert_false(out.failed);
    ctx_end(cx);
    return out;
}

static void remove_store(const char *path)
{
    static const char *const end[] = { "", "-wal", "-shm", ".matrix", ".matrix.new",
                                       ".lock" };
    char file[128];
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        snprintf(file, sizeof file, "%s%s", path, end[i]);
        unlink(file);
    }
}

static void compare(Desk *d)
{
    Ctx own = CTX_INIT, *cx = &own;
    Store *fresh = NULL;
    remove_store(d->fresh);
    sound(open_store(cx, d->fresh, &fresh));
    for (int i = TEXTS - 1; i >= 0; i--)
        if (d->text[i]) sound(add_text(d, cx, fresh, i));
    sound(add_folder(d, cx, fresh));
    Buf want = ranking_of(d, fresh), got = ranking_of(d, d->s);
    if (want.n != got.n || memcmp(want.p, got.p, got.n) != 0)
        fail_msg("found\n%s\nand a store built afresh\n%s", got.p, want.p);
    buf_free(&want);
    buf_free(&got);
    store_close(fresh);
    ctx_end(cx);
    d->tally->comparisons++;
}

/* ---- lives ------------------------------------------------------------------------- */

static void begin(Desk *d)
{
    Ctx own = CTX_INIT, *cx = &own;
    bool memory = access("/dev/shm", W_OK | X_OK) == 0;
    snprintf(d->folder, sizeof d->folder, "%s/pith-exact-XXXXXX",
             memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(d->folder));
    snprintf(d->docs, sizeof d->docs, "%s/docs", d->folder);
    snprintf(d->path, sizeof d->path, "%s/store.db", d->folder);
    snprintf(d->fresh, sizeof d->fresh, "%s/fresh.db", d->folder);
    make_folders(d);
    sound(model_open(cx, "fake:dim=16", NULL, &d->m));
    sound(open_store(cx, d->path, &d->s));
    sound(add_folder(d, cx, d->s));
    ctx_end(cx);
}

static void end(Desk *d)
{
    char command[128];
    store_close(d->s);
    model_close(d->m);
    snprintf(command, sizeof command, "rm -r '%s'", d->folder);
    assert_int_equal(system(command), 0);
}

static void live_a_round(Desk *d)
{
    Ctx own = CTX_INIT, *cx = &own;
    int text = (int)(draw(&d->r) % TEXTS);
    for (uint32_t n = draw(&d->r) % 6; n > 0; n--) change_files(d);
    if (draw(&d->r) % 2) visit_and_die(d);
    if (!d->s) sound(open_store(cx, d->path, &d->s));
    for (uint32_t n = draw(&d->r) % 3; n > 0; n--) change_files(d);
    if (draw(&d->r) % 3 == 0) {
        d->text[text] = draw(&d->r) | 1;
        sound(add_text(d, cx, d->s, text));
    }
    /* To add is to look for what is new and changed, to synchronize for what is gone. */
    sound(visit(d, cx, d->s, draw(&d->r)));
    sound(visit(d, cx, d->s, 1));
    d->tally->visits += 2;
    compare(d);
    ctx_end(cx);
}

static uint64_t number_of(const char *variable, uint64_t usual)
{
    const char *value = getenv(variable);
    return value ? strtoull(value, NULL, 10) : usual;
}

static void finds_what_a_store_built_afresh_finds(void **state)
{
    Tally t = { 0 };
    uint64_t n = number_of("PITH_EXACT_SEQUENCES", SEQUENCES);
    uint64_t first = number_of("PITH_EXACT_SEED", 1), *now = *state;
    for (*now = first; *now < first + n; ++*now) {
        Desk d = { .r = *now * 104729 + 3, .tally = &t };
        begin(&d);
        for (int i = 0; i < ROUNDS; i++) live_a_round(&d);
        end(&d);
        t.sequences++;
    }
    *now = 0;
    print_message("%zu sequences, %zu changes of files, %zu visits, %zu processes "
                  "killed, %zu comparisons with a store built afresh: 0 differences\n",
                  t.sequences, t.changes, t.visits, t.kills, t.comparisons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_what_a_store_built_afresh_finds,
                                        make_number, tell_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
