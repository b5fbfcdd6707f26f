/* The store after every accident: the process dies at each of its writes, before it and
 * in the middle of it; each write is refused by a full or a broken disk; the power goes
 * at each write, and of what was not yet synced nothing, or any part, is on the disk.
 *
 * Each time the store is opened again and must be sound: SQLite finds no fault, every
 * document is whole, the old one or the new one, nothing that was told as durable is
 * lost, and it ranks as a store built afresh from what it holds. The scenario adds,
 * edits, renames and deletes documents, in one piece and in parts, flushes, merges,
 * compacts, closes and opens. */
#include "support/fault.h"
#include "support/stored.h"

#include <sqlite3.h>

enum { MOST_STEPS = 48, MOST_MEMO = 96, GO_ON = 7 };

typedef struct Scene {
    char folder[64], path[96], fresh[96];
    Step step[MOST_STEPS];
    int steps;
    struct { Shelf shelf; Buf ranking; } memo[MOST_MEMO];
    int memos;
    struct Told *told;              // shared with the process that has the accident
} Scene;

/* What that process told. */
typedef struct Told {
    int begun, durable;             // steps
    long writes;
    /* With a disk that refuses: versions that a name may have. */
    uint32_t version[NAMES][MOST_STEPS + 1];
    int versions[NAMES];
    bool touched[NAMES];            // since the last durable step
    bool clouded;                   // so is a failure
    int failures;
} Told;

static void add_step(Scene *c, StepKind kind, int name, size_t chunks)
{
    assert_true(c->steps < MOST_STEPS);
    uint32_t seed = 77u + 2u * (uint32_t)c->steps;
    c->step[c->steps++] = (Step){ kind, name, version_of(chunks, seed) };
}

static void write_scene(Scene *c)
{
    add_step(c, STEP_PUT, 0, 3);
    add_step(c, STEP_PUT, 1, 2);
    add_step(c, STEP_COMMIT, 0, 0);
    add_step(c, STEP_PUT, 0, 4);
    add_step(c, STEP_PARTS, 2, 7);
    add_step(c, STEP_REMOVE, 1, 0);
    add_step(c, STEP_FLUSH, 0, 0);
    add_step(c, STEP_PARTS, 3, 300);
    add_step(c, STEP_FLUSH, 0, 0);
    add_step(c, STEP_PUT, 2, 0);
    add_step(c, STEP_REMOVE, 3, 0);
    add_step(c, STEP_PUT, 4, 1);        // a new name for what was gone
    add_step(c, STEP_FLUSH, 0, 0);      // compacts
    add_step(c, STEP_SEARCH, 0, 0);
    add_step(c, STEP_REOPEN, 0, 0);     // and the log goes into the file
    for (int i = 0; i < 5; i++) {       // enough segments for a merge
        add_step(c, STEP_PUT, 5 + i, 2);
        add_step(c, STEP_COMMIT, 0, 0);
    }
    add_step(c, STEP_ABANDON, 0, 9);
    add_step(c, STEP_TOUCH, 0, 1);
    add_step(c, STEP_REMOVE, 5, 0);
    add_step(c, STEP_FLUSH, 0, 0);
}

static int open_scene(void **state)
{
    Scene *c = calloc(1, sizeof *c);
    make_folder(c->folder);
    snprintf(c->path, sizeof c->path, "%s/store.db", c->folder);
    snprintf(c->fresh, sizeof c->fresh, "%s/fresh.db", c->folder);
    c->told = mmap(NULL, sizeof *c->told, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(c->told != MAP_FAILED);
    write_scene(c);
    *state = c;
    return 0;
}

static int close_scene(void **state)
{
    Scene *c = *state;
    for (int i = 0; i < c->memos; i++) buf_free(&c->memo[i].ranking);
    munmap(c->told, sizeof *c->told);
    remove_store(c->path);
    remove_store(c->fresh);
    int rc = rmdir(c->folder);
    free(c);
    journal_free();
    return rc;
}

/* ---- the examination -------------------------------------------------------------- */

static void assert_no_fault_found(const char *path)
{
    sqlite3 *db;
    sqlite3_stmt *q;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_step(q), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(q, 0), "ok");
    sqlite3_finalize(q);
    sqlite3_close(db);
}

/* Made once for each shelf. */
static const Buf *ranking_for(Scene *c, const Shelf *shelf)
{
    for (int i = 0; i < c->memos; i++)
        if (memcmp(&c->memo[i].shelf, shelf, sizeof *shelf) == 0)
            return &c->memo[i].ranking;
    assert_true(c->memos < MOST_MEMO);
    remove_store(c->fresh);
    c->memo[c->memos].shelf = *shelf;
    c->memo[c->memos].ranking = ranking_afresh(c->fresh, shelf);
    return &c->memo[c->memos++].ranking;
}

/* The store works: it takes a document, gives one up and ranks on. */
static void assert_goes_on(Scene *c, Store *s, Shelf shelf)
{
    Ctx own = CTX_INIT, *cx = &own;
    const Step more[] = { { STEP_PUT, 1, version_of(5, 4321) }, { STEP_REMOVE, 2, 0 },
                          { STEP_PARTS, 0, version_of(6, 1234) }, { STEP_FLUSH, 0, 0 } };
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        sound(store_step(cx, c->path, &s, &more[i]));
        shelf_step(&shelf, &more[i]);
    }
    remove_store(c->fresh);
    Buf want = ranking_afresh(c->fresh, &shelf);
    assert_ranks(s, &want);
    buf_free(&want);
    ctx_end(cx);
}

/* Opens what was left, to read and then to write, and gives what it holds. */
static Shelf examine(Scene *c, bool go_on)
{
    Ctx own = CTX_INIT, *cx = &own;
    Store *reader = NULL, *s = NULL;
    Status st = open_store(cx, c->path, true, &reader);
    if (st != OK && c->told->durable > 0) sound(st);
    ctx_forgive(cx);
    sound(open_store(cx, c->path, false, &s));
    Shelf shelf = shelf_of(s);
    const Buf *want = ranking_for(c, &shelf);
    if (reader) assert_ranks(reader, want);
    assert_ranks(s, want);
    store_close(reader);
    if (go_on) assert_goes_on(c, s, shelf);
    store_close(s);
    assert_no_fault_found(c->path);
    ctx_end(cx);
    return shelf;
}

/* What was found is what the steps up to some one had made, none of the durable lost. */
static void assert_a_moment(const Scene *c, const Shelf *found)
{
    Shelf want = { 0 };
    for (int i = 0;; i++) {
        if (i >= c->told->durable && memcmp(found, &want, sizeof want) == 0) return;
        if (i == c->told->begun) break;
        shelf_step(&want, &c->step[i]);
    }
    fail_msg("what is left is not what any of steps %d to %d had made", c->told->durable,
             c->told->begun);
}

/* ---- the process dies ------------------------------------------------------------- */

static bool keeps(const Step *x)
{
    return x->kind == STEP_COMMIT || x->kind == STEP_FLUSH || x->kind == STEP_REOPEN ||
           x->kind == STEP_PARTS;
}

static void act(Scene *c)
{
    Ctx cx = CTX_INIT;
    Store *s = NULL;
    if (open_store(&cx, c->path, false, &s) != OK) _exit(1);
    for (int i = 0; i < c->steps; i++) {
        c->told->begun = i + 1;
        journal_mark(i + 1);
        if (store_step(&cx, c->path, &s, &c->step[i]) != OK) _exit(1);
        if (keeps(&c->step[i])) c->told->durable = i + 1;
        if (keeps(&c->step[i])) journal_mark(-i - 1);
        ctx_end(&cx);
    }
    store_close(s);
}

/* Runs play in a process in which the n-th write meets with what kind says; false: it
 * had fewer writes. */
static bool has_accident(Scene *c, void (*play)(Scene *c), FaultKind kind, long n)
{
    int status;
    remove_store(c->path);
    memset(c->told, 0, sizeof *c->told);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        setenv("CMOCKA_TEST_ABORT", "1", 1);
        fault = (struct Fault){ .armed = true, .at = n, .kind = kind };
        play(c);
        c->told->writes = fault.count;
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
        fail_msg("at write %ld: the process ended with status %x", n, (unsigned)status);
    bool dies = kind == FAULT_KILL || kind == FAULT_TORN;
    return dies ? killed : c->told->writes >= n;
}

static void is_sound_after_dying_at_any_write(void **state)
{
    Scene *c = *state;
    long points = 0;
    for (FaultKind kind = FAULT_KILL; kind <= FAULT_TORN; kind++)
        for (long n = 1; has_accident(c, act, kind, n); n++, points++) {
            Shelf found = examine(c, n % GO_ON == 0);
            assert_a_moment(c, &found);
        }
    print_message("%ld deaths: 0 lost, 0 damaged\n", points);
    assert_true(points > 200);
}

/* ---- the disk refuses ------------------------------------------------------------- */

/* The version that a step gives its name; it may be the one of before. */
static void told_begin(Told *t, const Step *x)
{
    if (x->kind != STEP_PUT && x->kind != STEP_PARTS && x->kind != STEP_REMOVE) return;
    uint32_t version = x->kind == STEP_REMOVE ? 0 : x->version;
    t->version[x->name][t->versions[x->name]++] = version;
    t->touched[x->name] = true;
}

static void told_end(Told *t, const Step *x, Status st)
{
    if (st != OK) t->clouded = true;
    if (st != OK) t->failures++;
    if (!keeps(x) || st != OK) return;
    for (int i = 0; i < NAMES; i++) {
        if (t->touched[i] && !t->clouded) {
            t->version[i][0] = t->version[i][t->versions[i] - 1];
            t->versions[i] = 1;
        }
        t->touched[i] = false;
    }
    t->clouded = false;
}

/* Goes on after each refusal. */
static void insist(Scene *c)
{
    Ctx cx = CTX_INIT;
    Store *s = NULL;
    Told *t = c->told;
    for (int i = 0; i < NAMES; i++) t->versions[i] = 1;    // absent
    if (open_store(&cx, c->path, false, &s) != OK) t->failures++;
    for (int i = 0; i < c->steps; i++) {
        ctx_forgive(&cx);
        if (!s && open_store(&cx, c->path, false, &s) != OK) continue;
        t->begun = i + 1;
        told_begin(t, &c->step[i]);
        Status st = store_step(&cx, c->path, &s, &c->step[i]);
        told_end(t, &c->step[i], st);
        ctx_end(&cx);
    }
    fault.armed = false;
    if (s) {        // the same process, and a disk that works again
        Shelf shelf = shelf_of(s);
        const Buf *want = ranking_for(c, &shelf);
        assert_ranks(s, want);
    }
    store_close(s);
}

static void assert_was_told(const Scene *c, const Shelf *found)
{
    for (int i = 0; i < NAMES; i++) {
        bool may = false;
        for (int j = 0; j < c->told->versions[i]; j++)
            may |= c->told->version[i][j] == found->version[i];
        if (!may) fail_msg("document %c is of version %u, none of %d told", 'a' + i,
                           found->version[i], c->told->versions[i]);
    }
}

static void loses_nothing_when_the_disk_refuses_any_write(void **state)
{
    Scene *c = *state;
    long points = 0, failures = 0;
    for (FaultKind kind = FAULT_SHORT; kind <= FAULT_EIO; kind++)
        for (long n = 1; has_accident(c, insist, kind, n); n++, points++) {
            c->told->durable = 0;       // a reader may find no store
            Shelf found = examine(c, n % GO_ON == 0);
            assert_was_told(c, &found);
            failures += c->told->failures;
            if (kind == FAULT_SHORT) assert_int_equal(c->told->failures, 0);
        }
    print_message("%ld refusals, %ld calls failed: 0 lost, 0 damaged\n", points,
                  failures);
    assert_true(points > 300);
}

/* ---- the power goes --------------------------------------------------------------- */

enum { IMAGES = 32 };

typedef struct Image {              // of one file
    char name[64];
    bool there;
    Str synced;                     // malloc'ed: as the last fsync left it
    size_t since;                   // the entry of the journal behind that
} Image;

typedef struct Disk {
    Image image[IMAGES];
    int n;
} Disk;

/* since: the entry of the journal with which a file of this name begins. */
static Image *image_of(Disk *d, const char *name, size_t since)
{
    for (int i = 0; i < d->n; i++)
        if (d->image[i].there && strcmp(d->image[i].name, name) == 0)
            return &d->image[i];
    assert_true(d->n < IMAGES);
    Image *m = &d->image[d->n++];
    *m = (Image){ .there = true, .since = since };
    snprintf(m->name, sizeof m->name, "%s", name);
    return m;
}

/* Makes the change e to a file's bytes, of a write only the part [from, to). */
static void change(Str *bytes, const JournalEntry *e, size_t from, size_t to)
{
    size_t end = e->kind == J_CUT ? (size_t)e->at : (size_t)e->at + to;
    size_t size = e->kind == J_CUT || end > bytes->n ? end : bytes->n;
    char *p = realloc((char *)bytes->p, size + 1);
    assert_non_null(p);
    if (size > bytes->n) memset(p + bytes->n, 0, size - bytes->n);
    if (e->kind == J_WRITE) memcpy(p + e->at + from, e->data + from, to - from);
    *bytes = (Str){ p, size };
}

/* Of a change that was not yet synced nothing has reached the disk, or its beginning, or
 * all, or some of its pages. */
static void change_by_luck(Str *bytes, const JournalEntry *e, uint64_t *luck)
{
    enum { PAGE = 4096 };
    uint32_t fate = draw(luck) % 4;
    if (fate == 1) change(bytes, e, 0, e->n / 2);
    if (fate == 2) change(bytes, e, 0, e->n);
    for (size_t i = 0; fate == 3 && i < e->n; i += PAGE)
        if (draw(luck) % 2) change(bytes, e, i, i + PAGE < e->n ? i + PAGE : e->n);
}

/* What the disk has of a file after the first n entries: `luck` draws which of the
 * changes since the last fsync have reached it; 0: none. */
static Str left_of(const Image *m, size_t n, uint64_t *luck)
{
    char *copy = malloc(m->synced.n + 1);
    assert_non_null(copy);
    if (m->synced.n) memcpy(copy, m->synced.p, m->synced.n);
    Str s = { copy, m->synced.n };
    for (size_t i = m->since; *luck && i < n; i++) {
        const JournalEntry *e = &fault.journal[i];
        if (e->kind != J_WRITE && e->kind != J_CUT) continue;
        if (strcmp(e->file, m->name) != 0) continue;
        change_by_luck(&s, e, luck);
    }
    return s;
}

/* Not the lock, what processes share in memory, SQLite's own files that have no name. */
static bool matters(const char *name)
{
    return strncmp(name, "store.db", 8) == 0 && !strstr(name, "-shm") &&
           !strstr(name, ".lock");
}

/* Follows one entry: what it makes durable. */
static void follow(Disk *d, size_t at)
{
    const JournalEntry *e = &fault.journal[at];
    if (e->kind == J_MARK || !matters(e->file)) return;
    Image *m = image_of(d, e->file, at);
    if (e->kind == J_REMOVE) {
        free((char *)m->synced.p);
        *m = (Image){ 0 };
    }
    if (e->kind == J_RENAME) {      // what was not synced has come along
        Image *to = image_of(d, e->data, at);
        free((char *)to->synced.p);
        to->synced = m->synced;
        to->there = true;
        to->since = m->since;
        *m = (Image){ 0 };
        for (size_t i = to->since; i < at; i++)
            if (strcmp(fault.journal[i].file, e->file) == 0)
                snprintf(fault.journal[i].file, sizeof e->file, "%s", e->data);
    }
    if (e->kind != J_SYNC) return;
    Str s = m->synced;
    for (size_t i = m->since; i < at; i++) {
        const JournalEntry *x = &fault.journal[i];
        bool mine = (x->kind == J_WRITE || x->kind == J_CUT) &&
                    strcmp(x->file, m->name) == 0;
        if (mine) change(&s, x, 0, x->n);
    }
    m->synced = s;
    m->since = at;
}

static void write_disk(const Scene *c, const Disk *d, size_t n, uint64_t *luck)
{
    remove_store(c->path);
    for (int i = 0; i < d->n; i++) {
        const Image *m = &d->image[i];
        char path[160];
        if (!m->there) continue;
        Str s = left_of(m, n, luck);
        snprintf(path, sizeof path, "%s/%s", c->folder, m->name);
        FILE *f = fopen(path, "wb");
        assert_non_null(f);
        if (s.n) assert_int_equal(fwrite(s.p, 1, s.n, f), s.n);
        fclose(f);
        free((char *)s.p);
    }
}

static void record(Scene *c)
{
    memset(c->told, 0, sizeof *c->told);
    remove_store(c->path);
    fault = (struct Fault){ .armed = true, .recording = true };
    act(c);
    fault.recording = fault.armed = false;
    memset(c->told, 0, sizeof *c->told);
}

static void is_sound_after_a_power_cut_at_any_write(void **state)
{
    Scene *c = *state;
    Disk d = { .n = 0 };
    uint64_t random = 9, none = 0;
    long points = 0;
    record(c);
    for (size_t i = 0; i < fault.n; i++) {
        const JournalEntry *e = &fault.journal[i];
        if (e->kind == J_MARK && e->at > 0) c->told->begun = (int)e->at;
        if (e->kind == J_MARK && e->at < 0) c->told->durable = (int)-e->at;
        follow(&d, i);
        for (int lucky = 0; lucky < 2; lucky++, points++) {
            write_disk(c, &d, i + 1, lucky ? &random : &none);
            Shelf found = examine(c, i % GO_ON == 0);
            assert_a_moment(c, &found);
        }
    }
    for (int i = 0; i < d.n; i++) free((char *)d.image[i].synced.p);
    print_message("%ld power cuts: 0 lost, 0 damaged\n", points);
    assert_true(points > 400);
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_scene, close_scene)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(is_sound_after_dying_at_any_write),
        T(loses_nothing_when_the_disk_refuses_any_write),
        T(is_sound_after_a_power_cut_at_any_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
