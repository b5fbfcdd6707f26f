/* After any sequence of adding, editing, renaming, deleting, touching, compacting and
 * being killed, a store ranks as one built afresh from what it holds: the same passages
 * with the same scores, to the last bit.
 *
 *     PITH_EXACT_SEQUENCES=10000 PITH_EXACT_SEED=1 test_unit_exact
 *
 * says how many random sequences are tried (100 without it) and where they begin. What a
 * sequence does depends on its number alone, which is told when it fails. */
#include "support/fault.h"
#include "support/stored.h"
#include "support/sequence.h"

#include <sqlite3.h>

enum { SEQUENCES = 100, FEW_STEPS = 24, MOST_STEPS = 72 };

typedef struct Progress {
    int begun, done, durable;       // steps
} Progress;

typedef struct Tally {
    size_t sequences, steps, kills, comparisons, compactions;
} Tally;

typedef struct Life {
    char folder[64], path[96], fresh[96];
    uint64_t r;                     // draws
    size_t most;                    // chunks of a document
    uint32_t names;                 // that are in use
    Step step[MOST_STEPS];
    int steps;
    Shelf shelf;
    int64_t epoch;                  // of the store when it was last looked at
    Store *s;                       // NULL while another process may write
    int request, reply;             // pipes of the reader; -1: none
    pid_t reader;
    Buf *heard;                     // what the reader ranked, shared
    Progress *progress;             // shared
    Tally *tally;
} Life;

/* ---- a reader in a process of its own --------------------------------------------- */

enum { HEARD = 1 << 22 };

static void read_on(const char *path, int request, int reply, char *heard)
{
    Ctx own = CTX_INIT, *cx = &own;
    Store *s = NULL;
    char c;
    while (read(request, &c, 1) == 1) {
        if (!s) sound(open_store(cx, path, true, &s));
        Buf got = ranking_of(s);
        assert_true(got.n < HEARD);
        memcpy(heard, got.p, got.n + 1);
        buf_free(&got);
        if (write(reply, &c, 1) != 1) break;
    }
    store_close(s);
    _exit(0);
}

static void *shared(size_t n)
{
    void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);
    return p;
}

static void start_reader(Life *l)
{
    int ask[2], answer[2];
    l->heard = shared(HEARD);
    assert_int_equal(pipe(ask), 0);
    assert_int_equal(pipe(answer), 0);
    l->reader = fork();
    assert_true(l->reader >= 0);
    if (l->reader == 0) {
        close(ask[1]);
        close(answer[0]);
        read_on(l->path, ask[0], answer[1], (char *)l->heard);
    }
    close(ask[0]);
    close(answer[1]);
    l->request = ask[1];
    l->reply = answer[0];
}

static void assert_reader_agrees(Life *l, const Buf *want)
{
    char c = 0;
    if (l->request < 0) return;
    assert_int_equal(write(l->request, &c, 1), 1);
    assert_int_equal(read(l->reply, &c, 1), 1);
    if (strcmp((char *)l->heard, want->p) != 0)
        fail_msg("a reader ranks\n%s\nand not\n%s", (char *)l->heard, want->p);
}

static void stop_reader(Life *l)
{
    if (l->request < 0) return;
    close(l->request);
    close(l->reply);
    waitpid(l->reader, NULL, 0);
    munmap(l->heard, HEARD);
}

/* ---- the life of a store ---------------------------------------------------------- */

static void draw_steps(Life *l)
{
    static const StepKind kind[] = { STEP_PUT, STEP_PUT, STEP_PUT, STEP_PUT, STEP_PUT,
        STEP_PARTS, STEP_PARTS, STEP_ABANDON, STEP_REMOVE, STEP_REMOVE, STEP_TOUCH,
        STEP_COMMIT, STEP_COMMIT, STEP_FLUSH, STEP_FLUSH, STEP_REOPEN, STEP_SEARCH };
    for (int i = 0; i < l->steps; i++) {
        Step *x = &l->step[i];
        x->kind = kind[draw(&l->r) % (sizeof kind / sizeof *kind)];
        x->name = (int)(draw(&l->r) % l->names);
        x->version = version_of(draw(&l->r) % l->most, draw(&l->r));
        if (i + 1 == l->steps || draw(&l->r) % 8) continue;
        /* Renaming: what has one name is taken away and comes back under another. */
        *x = (Step){ STEP_REMOVE, x->name, 0 };
        l->step[++i] = (Step){ STEP_PUT, (x->name + 1) % (int)l->names,
                               version_of(draw(&l->r) % l->most, draw(&l->r)) };
    }
}

static void open_own(Life *l)
{
    Ctx own = CTX_INIT, *cx = &own;
    if (!l->s) sound(open_store(cx, l->path, false, &l->s));
    ctx_end(cx);
}

static void live(Life *l, int from, int to)
{
    Ctx own = CTX_INIT, *cx = &own;
    open_own(l);
    for (int i = from; i < to; i++) {
        sound(store_step(cx, l->path, &l->s, &l->step[i]));
        shelf_step(&l->shelf, &l->step[i]);
        ctx_end(cx);
    }
}

/* The same in a process that dies at some write, or ends without a word. */
static void die(Life *l, int from, int to, long at, FaultKind kind)
{
    Ctx cx = CTX_INIT;
    Store *s = NULL;
    fault = (struct Fault){ .armed = true, .at = at, .kind = kind };
    if (open_store(&cx, l->path, false, &s) != OK) _exit(1);
    for (int i = from; i < to; i++) {
        StepKind kind_of = l->step[i].kind;
        l->progress->begun = i + 1;
        if (store_step(&cx, l->path, &s, &l->step[i]) != OK) _exit(1);
        l->progress->done = i + 1;
        bool keeps = kind_of == STEP_COMMIT || kind_of == STEP_FLUSH ||
                     kind_of == STEP_REOPEN || kind_of == STEP_PARTS;
        if (keeps) l->progress->durable = i + 1;
        ctx_end(&cx);
    }
    kill(getpid(), SIGKILL);
}

/* What is there must be what some of the steps begun had made, none of the durable
 * missing. */
static void take_stock(Life *l, int from)
{
    Shelf found = shelf_of(l->s), want = l->shelf;
    bool same = false;
    for (int i = from;; i++) {
        if (i >= l->progress->durable && memcmp(&found, &want, sizeof want) == 0)
            same = true;
        if (same || i == l->progress->begun) break;
        shelf_step(&want, &l->step[i]);
    }
    if (!same) fail_msg("steps %d to %d, %d durable: what is left is none of them", from,
                        l->progress->begun, l->progress->durable);
    l->shelf = found;
}

static void live_and_die(Life *l, int from, int to)
{
    long at = 1 + (long)(draw(&l->r) % 160);
    FaultKind kind = draw(&l->r) % 2 ? FAULT_KILL : FAULT_TORN;
    int status;
    store_close(l->s);
    l->s = NULL;
    *l->progress = (Progress){ from, from, from };
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) die(l, from, to, at, kind);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    l->tally->kills++;
    open_own(l);
    take_stock(l, from);
}

/* Another epoch: it was compacted, or had its first document, which is not counted. */
static void count_compactions(Life *l)
{
    static const Shelf empty;
    if (memcmp(&empty, &l->shelf, sizeof empty) == 0) return;
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(l->path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = 'epoch'", -1, &q, NULL);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    int64_t epoch = sqlite3_column_int64(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    l->tally->compactions += l->epoch && l->epoch != epoch;
    l->epoch = epoch;
}

static void compare(Life *l)
{
    open_own(l);
    Shelf found = shelf_of(l->s);
    assert_memory_equal(&found, &l->shelf, sizeof found);
    Buf want = ranking_afresh(l->fresh, &l->shelf);
    assert_ranks(l->s, &want);
    assert_reader_agrees(l, &want);
    buf_free(&want);
    remove_store(l->fresh);
    l->tally->comparisons++;
    count_compactions(l);
}

static void end_life(Life *l)
{
    store_close(l->s);
    stop_reader(l);
    remove_store(l->path);
    munmap(l->progress, sizeof *l->progress);
    assert_int_equal(rmdir(l->folder), 0);
}

/* One life in four is long and of few, large documents: the store is compacted. */
static void try_life(uint64_t seed, Tally *t)
{
    bool large = seed % 4 == 0;
    Life l = { .r = seed * 7919 + 1, .request = -1, .tally = t, .most = large ? 200 : 6,
               .names = large ? 4 : NAMES, .steps = large ? MOST_STEPS : FEW_STEPS };
    make_folder(l.folder);
    snprintf(l.path, sizeof l.path, "%s/store.db", l.folder);
    snprintf(l.fresh, sizeof l.fresh, "%s/fresh.db", l.folder);
    l.progress = shared(sizeof *l.progress);
    draw_steps(&l);
    open_own(&l);
    store_close(l.s);
    l.s = NULL;
    if (seed % 3 == 0) start_reader(&l);
    for (int i = 0, n; i < l.steps; i += n) {
        n = 1 + (int)(draw(&l.r) % 8);
        if (n > l.steps - i) n = l.steps - i;
        if (draw(&l.r) % 2) live(&l, i, i + n);
        else live_and_die(&l, i, i + n);
        if (draw(&l.r) % 4 == 0) compare(&l);
    }
    compare(&l);
    end_life(&l);
    t->sequences++;
    t->steps += (size_t)l.steps;
}

static uint64_t number_of(const char *name, uint64_t usual)
{
    const char *value = getenv(name);
    return value ? strtoull(value, NULL, 10) : usual;
}

static void ranks_as_built_afresh_after_any_life(void **state)
{
    Tally t = { 0 };
    uint64_t n = number_of("PITH_EXACT_SEQUENCES", SEQUENCES);
    uint64_t first = number_of("PITH_EXACT_SEED", 1), *now = *state;
    for (*now = first; *now < first + n; ++*now) try_life(*now, &t);
    *now = 0;
    print_message("%zu sequences, %zu steps, %zu processes killed, %zu compactions, %zu "
                  "comparisons with a store built afresh: 0 differences\n", t.sequences,
                  t.steps, t.kills, t.compactions, t.comparisons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ranks_as_built_afresh_after_any_life, make_number,
                                        tell_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
