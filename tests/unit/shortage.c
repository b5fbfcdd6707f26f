/* Memory that runs out: each request of a program in turn is refused, alone or with all
 * that come after it, while documents are added, synchronized, removed, searched and
 * asked about. Each time the call must end, with the right result or with an error in
 * words, and the store that it leaves must be sound: the same call made again brings it
 * to where it was going, bit for bit. The libraries are refused memory as well.
 *
 *     PITH_SHORTAGE_STEP=1 test_unit_shortage
 *
 * tries every request (each 97th without it). A process of its own has each accident. */
#include "support/shortage.h"

#include "base/file.h"
#include "packed.h"
#include "pith.h"
#include "support/pdf_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STEP = 97, RESULT_MAX = 1 << 16, TOLD_MAX = 512 };

typedef enum End { END_NONE, END_RIGHT, END_TOLD, END_MUTE } End;

/* What the process that has the accident leaves. */
typedef struct Told {
    End end;
    long requests;
    char result[RESULT_MAX];    // what the call gave
    char why[TOLD_MAX];
    char crash[CRASH_MAX];
} Told;

typedef struct Desk {
    char folder[64], docs[80], base[96], path[96];
    Told *told;
    char want[RESULT_MAX];      // the call's result
    char left[RESULT_MAX];      // what the store finds afterwards
} Desk;

/* A call to pith in which memory may run out, and its result as text. */
typedef int Call(Desk *d, pith *p, Buf *out, pith_error *why);

typedef struct Job {
    bool from_base;             // on a copy of the store with documents in it
    Call *run;
} Job;

/* ---- documents --------------------------------------------------------------------- */

static void write_file(const Desk *d, const char *name, Str bytes)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", d->docs, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    fclose(f);
}

static void write_documents(const Desk *d)
{
    Ctx cx = CTX_INIT;
    PdfFile pdf = PDF_FILE;
    static const char *const lines[] = { "The ferry to Brekke leaves at seven.", NULL };
    const Packed members[] = { { "word/document.xml",
        "<w:document xmlns:w='urn:w'><w:body><w:p><w:r><w:t>The fog horn uses compressed "
        "air.</w:t></w:r></w:p></w:body></w:document>", 0 } };
    write_file(d, "light.html", STR("<html><body><h1>Light</h1><p>The Halvorsen "
        "lighthouse was built in 1871 by the engineer Ingrid Halvorsen.</p></body>"));
    write_file(d, "museum.md", STR("# Opening\n\nThe coast museum opens at ten.\n\n"
                                   "Der Dampfschiffsfahrplan h\u00E4ngt im "
                                   "B\u00FCro.\n"));
    write_file(d, "ships.csv", STR("ship,year\nAda,1871\nBo,1872\n"));
    write_file(d, "horn.docx", ZIP(&cx, members));
    pdf_lines_at(&pdf, 72, 700, lines);
    pdf_page(&pdf, NULL);
    write_file(d, "ferry.pdf", pdf_file(&pdf));
    pdf_file_free(&pdf);
    ctx_end(&cx);
}

/* What sync then finds. */
static void change_documents(const Desk *d)
{
    char path[160];
    write_file(d, "museum.md", STR("# Opening\n\nThe coast museum opens at nine now.\n"));
    write_file(d, "birds.txt", STR("Scientists count sea birds in spring.\n"));
    snprintf(path, sizeof path, "%s/ships.csv", d->docs);
    unlink(path);
}

/* ---- what is called ---------------------------------------------------------------- */

static pith *open_pith(const char *store, pith_error *why)
{
    pith_options opt = { .store = store, .generator = "fake:", .embedder = "fake:",
                         .reranker = "fake:", .threads = 1 };
    pith *p = NULL;
    return pith_open(&opt, &p, why) ? NULL : p;
}

static void note_problem(void *arg, const char *path, const char *reason)
{
    pith_error *why = arg;
    (void)path;
    snprintf(why->message, sizeof why->message, "%s", reason);
}

/* A document that could not be read counts as a call that failed. */
static int counted(int code, const pith_report *r, Buf *out, pith_error *why)
{
    buf_addf(out, "%zu %zu %zu %zu %zu\n", r->added, r->changed, r->removed, r->skipped,
             r->chunks);
    return !code && r->failed ? why->code = PITH_E_FORMAT : code;
}

static int run_add(Desk *d, pith *p, Buf *out, pith_error *why)
{
    const char *paths[] = { d->docs };
    pith_add_options opt = { .on_problem = note_problem, .arg = why };
    pith_report r = { 0 };
    int code = pith_add(p, paths, 1, &opt, &r, why);
    return counted(code, &r, out, why);
}

static int run_sync(Desk *d, pith *p, Buf *out, pith_error *why)
{
    pith_add_options opt = { .on_problem = note_problem, .arg = why };
    pith_report r = { 0 };
    int code = pith_sync(p, &opt, &r, why);
    (void)d;
    return counted(code, &r, out, why);
}

static int run_remove(Desk *d, pith *p, Buf *out, pith_error *why)
{
    char uri[160];
    size_t removed = 0;
    snprintf(uri, sizeof uri, "%s/museum.md", d->docs);
    int code = pith_remove(p, uri, &removed, why);
    buf_addf(out, "%zu\n", removed);
    return code == PITH_E_NOTFOUND ? PITH_OK : code;    // the second time
}

static int add_results(pith *p, const char *query, int mode, Buf *out, pith_error *why)
{
    pith_search_options opt = { .mode = mode, .rerank = 3 };
    pith_results *r = NULL;
    int code = pith_search(p, query, &opt, &r, why);
    for (size_t i = 0; !code && i < r->n; i++) {
        const pith_passage *at = &r->at[i];
        buf_addf(out, "%s %zu-%zu %.17g %.17g %.17g %g %s\n", at->document, at->start,
                 at->end, at->score, at->words, at->vectors, at->rerank, at->text);
    }
    pith_results_free(r);
    return code;
}

static int run_search(Desk *d, pith *p, Buf *out, pith_error *why)
{
    (void)d;
    return add_results(p, "When was the lighthouse built?", PITH_HYBRID, out, why);
}

static int run_ask(Desk *d, pith *p, Buf *out, pith_error *why)
{
    pith_answer *a = NULL;
    int code = pith_ask(p, "Who built the Halvorsen lighthouse?", NULL, &a, why);
    (void)d;
    if (code) return code;
    buf_addf(out, "%s %d %.17g %zu %zu\n", a->text, a->abstained, a->confidence,
             a->n_passages, a->unsupported);
    for (size_t i = 0; i < a->n_citations; i++)
        buf_addf(out, "%zu-%zu %s\n", a->citations[i].start, a->citations[i].end,
                 a->citations[i].text);
    pith_answer_free(a);
    return 0;
}

/* Documents and ranking of a store. */
static int run_tell(Desk *d, pith *p, Buf *out, pith_error *why)
{
    static const char *const query[] = { "lighthouse engineer", "museum opens",
                                         "Ada 1871", "compressed air ferry Brekke",
                                         "Dampfschiff B\u00FCro birds" };
    char *json = NULL;
    int code = pith_list(p, &json, why);
    (void)d;
    if (!code) buf_add(out, str_z(json));
    pith_string_free(json);
    for (size_t i = 0; i < sizeof query / sizeof *query; i++)
        for (int mode = PITH_HYBRID; mode <= PITH_VECTORS && !code; mode++)
            code = add_results(p, query[i], mode, out, why);
    return code;
}

/* ---- the accident ------------------------------------------------------------------ */

/* In a process of its own: opens, calls and closes while memory is short. */
static void play(Desk *d, Call *run, long at, bool lasts)
{
    Told *t = d->told;
    Buf out = BUF(RESULT_MAX - 1);
    pith_error why = { 0 };
    shortage_begin(at, lasts);
    pith *p = open_pith(d->path, &why);
    int code = p ? run(d, p, &out, &why) : why.code;
    pith_close(p);
    t->requests = shortage_end();
    snprintf(t->result, sizeof t->result, "%s", out.p ? out.p : "");
    snprintf(t->why, sizeof t->why, "%s", why.message);
    t->end = !p && !code ? END_MUTE : !code && !out.failed ? END_RIGHT
           : why.message[0] || out.failed ? END_TOLD : END_MUTE;
    buf_free(&out);
}

/* Does a process of its own end as it should? Else where it did not is told. */
static bool ends_well(Desk *d, pid_t child, const char *what)
{
    int status;
    assert_true(child >= 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return true;
    print_error("%s: ended with status %x %s\n", what, (unsigned)status, d->told->crash);
    return false;
}

/* ICU waits for itself or crashes where it has no memory for the name of the default
 * locale, which it wants once in a process, and uses abbreviations that it had no memory
 * for. There is no way round either; the store is examined all the same. */
static bool is_foreign(Told *t)
{
    bool known = strstr(t->crash, "locale_get_default") ||
                 strstr(t->crash, "SimpleFilteredBreakIteratorBuilder");
    if (known) t->end = END_TOLD;
    return known;
}

enum { PATIENCE_S = 10 };

/* False: it crashed or hung. */
static bool apart(Desk *d, Call *run, long at, bool lasts)
{
    memset(d->told, 0, sizeof *d->told);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        crash_watch(d->told->crash);
        crash_after(PATIENCE_S);
        play(d, run, at, lasts);
        exit(0);                // and a sanitizer looks for leaks
    }
    return ends_well(d, child, "the call") || is_foreign(d->told);
}

static void remove_store(const char *path)
{
    static const char *const end[] = { "", "-wal", "-shm", ".vectors", ".lock" };
    char name[128];
    for (size_t i = 0; i < sizeof end / sizeof *end; i++) {
        snprintf(name, sizeof name, "%s%s", path, end[i]);
        unlink(name);
    }
}

static void copy_store(const Desk *d)
{
    Ctx cx = CTX_INIT;
    remove_store(d->path);
    FILE *from = fopen(d->base, "rb"), *to = fopen(d->path, "wb");
    assert_non_null(from);
    assert_non_null(to);
    char page[4096];
    for (size_t n; (n = fread(page, 1, sizeof page, from)) > 0;)
        assert_int_equal(fwrite(page, 1, n, to), n);
    fclose(from);
    fclose(to);
    ctx_end(&cx);
}

/* ---- the examination --------------------------------------------------------------- */

static bool no_fault_found(const char *path)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;
    bool sound = sqlite3_open(path, &db) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &q, NULL) == SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW &&
        strcmp((const char *)sqlite3_column_text(q, 0), "ok") == 0;
    sqlite3_finalize(q);
    sqlite3_close(db);
    return sound;
}

/* Runs with memory enough; the result must be this one, which may be NULL. */
static bool gives(Desk *d, Call *run, const char *want, const char *when)
{
    play(d, run, 0, false);
    Told *t = d->told;
    if (t->end == END_RIGHT && (!want || strcmp(t->result, want) == 0)) return true;
    print_error("%s: %s\n%s\n", when, t->why, t->result);
    return false;
}

static bool is_sound(Desk *d, const Job *job, End end)
{
    if (access(d->path, F_OK) == 0 && !no_fault_found(d->path)) {
        print_error("SQLite finds the store damaged\n");
        return false;
    }
    if (end == END_RIGHT && !gives(d, run_tell, d->left, "it said that it was done"))
        return false;
    return gives(d, job->run, NULL, "made again") &&
           gives(d, run_tell, d->left, "after it was made again");
}

/* In a process of its own, for ours is to stay as it was at the start. */
static bool examine(Desk *d, const Job *job, End end)
{
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) _exit(!is_sound(d, job, end));
    return ends_well(d, child, "the examination");
}

static long step(void)
{
    const char *said = getenv("PITH_SHORTAGE_STEP");
    return said ? strtol(said, NULL, 10) : STEP;
}

static bool survives_one(Desk *d, const Job *job, long at, bool lasts, long *told)
{
    if (job->from_base) copy_store(d);
    else remove_store(d->path);
    Told *t = d->told;
    if (!apart(d, job->run, at, lasts)) {
        print_error("that was request %ld%s\n", at, lasts ? " and all after it" : "");
        return false;
    }
    End end = t->end;
    *told += end == END_TOLD;
    if (end == END_MUTE) print_error("request %ld: an error without a word\n", at);
    if (end == END_MUTE) return false;
    if (end == END_RIGHT && strcmp(t->result, d->want) != 0) {
        print_error("request %ld: a wrong result:\n%s", at, t->result);
        return false;
    }
    if (examine(d, job, end)) return true;
    print_error("that was after request %ld%s\n", at, lasts ? " and all after it" : "");
    return false;
}

static void survive(Desk *d, const Job *job)
{
    long accidents = 0, told = 0, bad = 0;
    if (job->from_base) copy_store(d);
    else remove_store(d->path);
    assert_true(apart(d, job->run, 0, false));
    assert_int_equal(d->told->end, END_RIGHT);
    long requests = d->told->requests;
    strcpy(d->want, d->told->result);
    assert_true(apart(d, run_tell, 0, false));
    assert_int_equal(d->told->end, END_RIGHT);
    strcpy(d->left, d->told->result);
    for (int lasts = 0; lasts < 2; lasts++)
        for (long at = 1 + lasts * step() / 2; at <= requests; at += step(), accidents++)
            bad += !survives_one(d, job, at, lasts, &told);
    print_message("%ld requests, %ld accidents: %ld told as errors, %ld bad\n", requests,
                  accidents, told, bad);
    assert_int_equal(bad, 0);
    assert_true(accidents > 10 && told > 0);
}

/* ---- tests ------------------------------------------------------------------------- */

static int open_desk(void **state)
{
    Desk *d = calloc(1, sizeof *d);
    strcpy(d->folder, "/tmp/pith-short-XXXXXX");
    if (!mkdtemp(d->folder)) return -1;
    snprintf(d->docs, sizeof d->docs, "%s/docs", d->folder);
    snprintf(d->base, sizeof d->base, "%s/base.db", d->folder);
    snprintf(d->path, sizeof d->path, "%s/store.db", d->folder);
    d->told = mmap(NULL, sizeof *d->told, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (d->told == MAP_FAILED || mkdir(d->docs, 0700) != 0) return -1;
    write_documents(d);
    strcpy(d->path, d->base);
    bool made = apart(d, run_add, 0, false) && d->told->end == END_RIGHT;
    if (!made) print_error("%s\n", d->told->why);
    snprintf(d->path, sizeof d->path, "%s/store.db", d->folder);
    *state = d;
    return made ? 0 : -1;
}

static int close_desk(void **state)
{
    Desk *d = *state;
    Ctx cx = CTX_INIT;
    int rc = folder_remove(&cx, d->folder) != OK;
    ctx_end(&cx);
    munmap(d->told, sizeof *d->told);
    free(d);
    return rc;
}

static void adds(void **state)
{
    survive(*state, &(Job){ false, run_add });
}

static void synchronizes(void **state)
{
    change_documents(*state);
    survive(*state, &(Job){ true, run_sync });
}

static void removes(void **state)
{
    survive(*state, &(Job){ true, run_remove });
}

static void searches(void **state)
{
    survive(*state, &(Job){ true, run_search });
}

static void asks(void **state)
{
    survive(*state, &(Job){ true, run_ask });
}

#define T(f) cmocka_unit_test_setup_teardown(f, open_desk, close_desk)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(adds), T(synchronizes), T(removes), T(searches), T(asks),
    };
    if (!SHORTAGE) {
        puts("skipped: memory is the sanitizer's");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
