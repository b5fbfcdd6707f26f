/* Folders and texts into a store: what is new, changed, gone or unreadable. The embedder
 * is the fake one, the store is real. */
#include "parse/charset.h"
#include "index/index.h"
#include "index/queue.h"
#include "index_support.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct Desk {
    Ctx cx;
    char folder[64];        // holds docs/ and store.db
    Store *store;
    Model *model;
    IndexReport report;
    char problem[512];      // the last one told, "path: reason"
    int cancel_after;       // progress calls; 0: never
    bool stays_cancelled;
    int told;               // pipe to the parent of the process that writes
    size_t told_done;
    bool told_any;
} Desk;

static void on_problem(void *arg, const char *path, const char *reason)
{
    Desk *d = arg;
    snprintf(d->problem, sizeof d->problem, "%s: %s", path, reason);
}

static void on_progress(void *arg, const IndexProgress *p)
{
    Desk *d = arg;
    assert_true(p->files_done <= p->files_total);
    if (d->cancel_after > 1 || (d->cancel_after == 1 && !d->stays_cancelled))
        d->cancel_after--;
}

static bool is_cancelled(void *arg)
{
    return ((Desk *)arg)->cancel_after == 1;
}

static const char *path_of(Desk *d, const char *name)
{
    return ctx_printf(&d->cx, "%s/docs%s%s", d->folder, *name ? "/" : "", name).p;
}

static void put_bytes(Desk *d, const char *name, Str bytes)
{
    FILE *f = fopen(path_of(d, name), "wb");
    assert_non_null(f);
    fwrite(bytes.p, 1, bytes.n, f);
    fclose(f);
}

static void put(Desk *d, const char *name, const char *text)
{
    put_bytes(d, name, str_z(text));
}

static int setup(void **state)
{
    Desk *d = calloc(1, sizeof *d);
    StoreOptions create = { .create = true };
    strcpy(d->folder, "/tmp/pith_index.XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    assert_int_equal(mkdir(path_of(d, ""), 0700), 0);
    Str store = ctx_printf(&d->cx, "%s/store.db", d->folder);
    assert_int_equal(model_open(&d->cx, "fake:", NULL, &d->model), OK);
    assert_int_equal(store_open(&d->cx, store.p, &create, &d->store), OK);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    Desk *d = *state;
    char command[128];
    store_close(d->store);
    model_close(d->model);
    snprintf(command, sizeof command, "rm -rf '%s'", d->folder);
    int status = system(command);
    ctx_end(&d->cx);
    free(d);
    return status;
}

static IndexOptions options(Desk *d)
{
    d->problem[0] = '\0';
    return (IndexOptions){ .on_problem = on_problem, .on_progress = on_progress,
                           .arg = d };
}

static Status try_add(Desk *d, const char *name)
{
    const char *path = name[0] == '/' ? name : path_of(d, name);
    IndexOptions opt = options(d);
    return index_paths(&d->cx, d->store, d->model, &path, 1, &opt, &d->report);
}

static void add(Desk *d, const char *name)
{
    Status st = try_add(d, name);
    if (st != OK) fail_msg("%s", d->cx.reason);
}

static void sync_store(Desk *d)
{
    IndexOptions opt = options(d);
    assert_int_equal(index_sync(&d->cx, d->store, d->model, &opt, &d->report), OK);
}

static void assert_report(const Desk *d, size_t added, size_t changed, size_t unchanged,
                          size_t removed, size_t skipped, size_t failed)
{
    assert_int_equal(d->report.added, added);
    assert_int_equal(d->report.changed, changed);
    assert_int_equal(d->report.unchanged, unchanged);
    assert_int_equal(d->report.removed, removed);
    assert_int_equal(d->report.skipped, skipped);
    assert_int_equal(d->report.failed, failed);
}

static Document find(Desk *d, const char *name)
{
    Document doc;
    assert_int_equal(store_find(&d->cx, d->store, str_z(path_of(d, name)), &doc), OK);
    return doc;
}

static void assert_absent(Desk *d, const char *name)
{
    Document doc;
    Status st = store_find(&d->cx, d->store, str_z(path_of(d, name)), &doc);
    assert_int_equal(st, E_NOTFOUND);
    ctx_forgive(&d->cx);
}

static void finds_new_changed_and_unchanged_files(void **state)
{
    Desk *d = *state;
    put(d, "a.md", "# Title of a\n\nSome words.\n");
    put(d, "b.txt", "Plain words.\n");
    put(d, "c.html", "<title>Page</title><p>Words of a page.");
    add(d, "");
    assert_report(d, 3, 0, 0, 0, 0, 0);
    assert_int_equal(d->report.chunks, 3);
    assert_true(str_eq(find(d, "a.md").title, STR("Title of a")));
    assert_true(str_eq(find(d, "b.txt").title, STR("b.txt")));
    assert_true(str_eq(find(d, "c.html").title, STR("Page")));
    add(d, "");
    assert_report(d, 0, 0, 3, 0, 0, 0);
    put(d, "b.txt", "Other words, and more.\n");
    add(d, "");
    assert_report(d, 0, 1, 2, 0, 0, 0);
}

static void a_touched_file_is_unchanged(void **state)
{
    Desk *d = *state;
    put(d, "a.md", "Words.\n");
    add(d, "");
    struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, path_of(d, "a.md"), times, 0), 0);
    add(d, "");
    assert_report(d, 0, 0, 1, 0, 0, 0);
}

static void a_touched_file_is_read_once(void **state)
{
    Desk *d = *state;
    struct stat st;
    put(d, "a.md", "Words.\n");
    add(d, "");
    struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, path_of(d, "a.md"), times, 0), 0);
    usleep(30000);      // a change fresher than this would not be trusted
    sync_store(d);
    assert_report(d, 0, 0, 1, 0, 0, 0);
    assert_int_equal(stat(path_of(d, "a.md"), &st), 0);
    assert_int_equal(find(d, "a.md").mtime_ns,
                     st.st_ctim.tv_sec * INT64_C(1000000000) + st.st_ctim.tv_nsec);
}

/* As unpacking an archive and renaming may leave it. */
static void other_bytes_of_the_same_size_and_time_are_seen(void **state)
{
    Desk *d = *state;
    struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    put(d, "a.md", "Words.\n");
    put(d, "b.md", "Birds.\n");
    assert_int_equal(utimensat(AT_FDCWD, path_of(d, "a.md"), times, 0), 0);
    assert_int_equal(utimensat(AT_FDCWD, path_of(d, "b.md"), times, 0), 0);
    usleep(30000);
    add(d, "");
    assert_int_equal(rename(path_of(d, "b.md"), path_of(d, "a.md")), 0);
    sync_store(d);
    assert_report(d, 0, 1, 0, 1, 0, 0);
    assert_int_equal(find(d, "a.md").chunks, 1);
}

static void an_empty_file_is_a_document_without_chunks(void **state)
{
    Desk *d = *state;
    put(d, "empty.md", "");
    add(d, "empty.md");
    assert_report(d, 1, 0, 0, 0, 0, 0);
    assert_int_equal(find(d, "empty.md").chunks, 0);
    add(d, "empty.md");
    assert_report(d, 0, 0, 1, 0, 0, 0);
}

static void what_is_no_text_is_skipped_in_folders_and_a_failure_when_named(void **state)
{
    Desk *d = *state;
    put_bytes(d, "image.png", STR("\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    put_bytes(d, "data.md", STR("abc\0\1\2\3\4"));
    assert_int_equal(mkfifo(path_of(d, "pipe.md"), 0600), 0);
    add(d, "");
    assert_report(d, 0, 0, 0, 0, 3, 0);
    add(d, "image.png");
    assert_report(d, 0, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "image.png: this is no text"));
    add(d, "pipe.md");
    assert_report(d, 0, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "FIFO"));
    add(d, "absent.md");
    assert_report(d, 0, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "absent.md: "));
}

static void a_file_over_the_limit_is_told_and_the_rest_goes_on(void **state)
{
    Desk *d = *state;
    IndexOptions opt = options(d);
    const char *path = path_of(d, "");
    opt.max_file_bytes = 100;
    put(d, "small.txt", "Few words.");
    put(d, "wide.txt", "More words than there may be, by far: this sentence goes on "
                       "until the limit of one hundred bytes is passed.");
    Status st = index_paths(&d->cx, d->store, d->model, &path, 1, &opt, &d->report);
    assert_int_equal(st, OK);
    assert_report(d, 1, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "limit"));
}

static void a_file_that_hides_its_size_is_refused(void **state)
{
    Desk *d = *state;
    if (access("/proc/version", R_OK) != 0) skip();
    assert_int_equal(try_add(d, "/proc/version"), OK);
    assert_report(d, 0, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "add a copy"));
}

static long peak_kib(void)
{
    struct rusage r;
    assert_int_equal(getrusage(RUSAGE_SELF, &r), 0);
    return r.ru_maxrss;
}

/* Holes take no disk; ten GiB of them would take ten GiB of memory. */
static void a_file_of_ten_gib_is_refused_unread_however_high_the_limit(void **state)
{
    Desk *d = *state;
    IndexOptions opt = options(d);
    const char *path = path_of(d, "huge.txt");
    long before = peak_kib();
    Buf front = BUF(1 << 20);
    while (front.n < CHARSET_HEAD) buf_add(&front, STR("Some words at the front.\n"));
    put_bytes(d, "huge.txt", buf_str(&front));
    buf_free(&front);
    if (truncate(path, (off_t)10 << 30) != 0) skip();
    opt.max_file_bytes = (uint64_t)20 << 30;
    Status st = index_paths(&d->cx, d->store, d->model, &path, 1, &opt, &d->report);
    assert_int_equal(st, OK);
    assert_report(d, 0, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "huge.txt: 10240 MiB, the limit is 4096 MiB"));
    assert_true(peak_kib() - before < 64 * 1024);
}

static void a_file_named_twice_is_indexed_once(void **state)
{
    Desk *d = *state;
    put(d, "a.md", "Words.\n");
    const char *paths[] = { path_of(d, "a.md"), path_of(d, ""), path_of(d, "./a.md") };
    Status st = index_paths(&d->cx, d->store, d->model, paths, 3, NULL, &d->report);
    assert_int_equal(st, OK);
    assert_int_equal(d->report.added, 1);
    assert_int_equal(d->report.failed, 0);
}

static void sync_adds_changes_and_removes(void **state)
{
    Desk *d = *state;
    put(d, "stays.md", "Words that stay.\n");
    put(d, "changes.md", "Old words.\n");
    put(d, "goes.md", "Words that go.\n");
    add(d, "");
    put(d, "changes.md", "New and more words.\n");
    put(d, "comes.md", "Words that come.\n");
    unlink(path_of(d, "goes.md"));
    sync_store(d);
    assert_report(d, 1, 1, 1, 1, 0, 0);
    assert_absent(d, "goes.md");
    sync_store(d);
    assert_report(d, 0, 0, 3, 0, 0, 0);
}

static void sync_keeps_the_documents_of_a_root_out_of_reach(void **state)
{
    Desk *d = *state;
    const char *elsewhere = ctx_printf(&d->cx, "%s/away", d->folder).p;
    put(d, "a.md", "Words.\n");
    add(d, "");
    assert_int_equal(rename(path_of(d, ""), elsewhere), 0);
    sync_store(d);
    assert_report(d, 0, 0, 0, 0, 0, 1);
    assert_int_equal(mkdir(path_of(d, ""), 0700), 0);   // as a mount point is
    sync_store(d);
    assert_report(d, 0, 0, 0, 0, 0, 1);
    find(d, "a.md");
    assert_int_equal(rmdir(path_of(d, "")), 0);
    assert_int_equal(rename(elsewhere, path_of(d, "")), 0);
    sync_store(d);
    assert_report(d, 0, 0, 1, 0, 0, 0);
}

static void sync_removes_a_named_file_that_is_gone(void **state)
{
    Desk *d = *state;
    put(d, "a.md", "Words.\n");
    put(d, "b.md", "Words.\n");
    add(d, "a.md");
    unlink(path_of(d, "a.md"));
    sync_store(d);
    assert_report(d, 0, 0, 0, 1, 0, 0);
    assert_absent(d, "a.md");
    assert_absent(d, "b.md");
}

static void overlapping_roots_do_not_count_or_remove_twice(void **state)
{
    Desk *d = *state;
    mkdir(path_of(d, "sub"), 0700);
    put(d, "sub/a.md", "Words of a.\n");
    put(d, "b.md", "Words of b.\n");
    add(d, "sub");
    add(d, "");
    assert_report(d, 1, 0, 1, 0, 0, 0);
    sync_store(d);
    assert_report(d, 0, 0, 2, 0, 0, 0);
    put(d, ".gitignore", "sub/\n");
    sync_store(d);
    assert_report(d, 0, 0, 2, 0, 1, 0);
    find(d, "sub/a.md");
}

static void a_name_that_is_no_utf8_is_escaped(void **state)
{
    Desk *d = *state;
    put(d, "gr\xFC\xC3\xBC.md", "Words.\n");
    add(d, "");
    assert_report(d, 1, 0, 0, 0, 0, 0);
    find(d, "gr%FC\xC3\xBC.md");
    sync_store(d);
    assert_report(d, 0, 0, 1, 0, 0, 0);
}

static void stopping_keeps_what_was_done(void **state)
{
    Desk *d = *state;
    char name[32];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%02d.md", i);
        put(d, name, "Some words.\n");
    }
    d->cx.cancelled = is_cancelled;
    d->cx.cancel_arg = d;
    d->cancel_after = 11;
    assert_int_equal(try_add(d, ""), E_CANCELLED);
    assert_int_equal(d->report.added, 9);       // the tenth was in work
    ctx_forgive(&d->cx);
    d->cancel_after = 0;
    add(d, "");
    assert_report(d, 31, 0, 9, 0, 0, 0);
}

static void stopping_for_good_keeps_what_waits(void **state)
{
    Desk *d = *state;
    char name[32];
    for (int i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "%d.md", i);
        put(d, name, "Some words.\n");
    }
    d->cx.cancelled = is_cancelled;
    d->cx.cancel_arg = d;
    d->cancel_after = 6;
    d->stays_cancelled = true;
    assert_int_equal(try_add(d, ""), E_CANCELLED);
    assert_int_equal(d->report.added, 4);       // the fifth was in work
    ctx_forgive(&d->cx);
    d->cancel_after = 0;
    add(d, "");
    assert_report(d, 5, 0, 4, 0, 0, 0);
}

/* ---- being killed ------------------------------------------------------------------ */

enum { KILL_FILES = 900, FILE_CHUNKS = 3, ROUNDS = 16 };

static void tell_parent(void *arg, const IndexProgress *p)
{
    Desk *d = arg;
    char line[600];
    bool done = d->told_any && p->files_done > d->told_done;
    if (!p->current) return;
    d->told_any = true;
    d->told_done = p->files_done;
    int n = snprintf(line, sizeof line, "%c%s\n", done ? 'd' : 'w', p->current);
    if (write(d->told, line, (size_t)n) != n) _exit(4);   // whole: below PIPE_BUF
}

static void index_until_killed(Desk *d)
{
    IndexOptions opt = { .on_progress = tell_parent, .arg = d, .chunk_tokens = 16 };
    StoreOptions create = { .create = true };
    const char *path = path_of(d, "");
    Str store = ctx_printf(&d->cx, "%s/killed.db", d->folder);
    Store *s;
    if (store_open(&d->cx, store.p, &create, &s) != OK) _exit(1);
    if (index_paths(&d->cx, s, d->model, &path, 1, &opt, &d->report) != OK) _exit(2);
    _exit(0);
}

/* Everything told as done is in the store, whole. Returns how many files were opened:
 * they have their number for a name, and are visited in that order. */
static size_t read_what_was_told(Desk *d, int fd, Store *s)
{
    size_t opened = 0;
    char line[600];
    FILE *f = fdopen(fd, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        Str uri = str_trim(str_z(line + 1));
        Document doc;
        size_t number = strtoul(strrchr(line, '/') + 1, NULL, 10);
        if (number >= opened) opened = number + 1;
        if (line[0] != 'd') continue;
        assert_non_null(s);
        assert_int_equal(store_find(&d->cx, s, uri, &doc), OK);
        assert_int_equal(doc.chunks, FILE_CHUNKS);
    }
    fclose(f);
    return opened;
}

/* Returns how many files were opened; *kept are in the store. */
static size_t kill_after(Desk *d, useconds_t us, size_t *kept)
{
    int ends[2], how;
    Store *s = NULL;
    StoreStats stats = { 0 };
    Str path = ctx_printf(&d->cx, "%s/killed.db", d->folder);
    assert_int_equal(pipe(ends), 0);
    assert_true(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20) > 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        d->told = ends[1];
        index_until_killed(d);
    }
    close(ends[1]);
    usleep(us);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFSIGNALED(how) || WEXITSTATUS(how) == 0);
    StoreOptions opt = { 0 };
    if (access(path.p, F_OK) == 0 && store_open(&d->cx, path.p, &opt, &s) == OK)
        assert_int_equal(store_stats(&d->cx, s, &stats), OK);
    ctx_forgive(&d->cx);
    *kept = (size_t)stats.documents;
    size_t opened = read_what_was_told(d, ends[0], s);
    store_close(s);
    return opened;
}

static void being_killed_loses_the_batch_in_work_and_nothing_that_was_told(void **state)
{
    Desk *d = *state;
    size_t kept = 0;
    for (int i = 0; i < KILL_FILES; i++) {
        char name[32], text[400];
        snprintf(name, sizeof name, "%03d.txt", i);
        snprintf(text, sizeof text, "Page %d begins with these fifteen words, of which "
                 "some are longer, and it ends here.\n\nOf the second part of %d it is "
                 "said that it must not be lost, for it was told as being done.\n\nAnd "
                 "a third one, the last of %d, closes the page with a few more words.\n",
                 i, i, i);
        put(d, name, text);
    }
    for (int round = 0; round < ROUNDS; round++) {
        size_t opened = kill_after(d, 3000 + 4567 * (useconds_t)round, &kept);
        assert_true(opened <= kept + QUEUE_CHUNKS / FILE_CHUNKS + 2);
    }
    while (kept < KILL_FILES) (void)kill_after(d, 1000000, &kept);
    assert_int_equal(kept, KILL_FILES);
}

static void many_small_files_and_a_large_one_keep_their_own_vectors(void **state)
{
    Desk *d = *state;
    Buf b = BUF(1 << 20);
    Hits hits;
    for (int i = 0; i < 4000; i++)
        buf_addf(&b, "Sentence %d is here to fill the page. ", i);
    put(d, "large.txt", b.p);
    for (int i = 0; i < 150; i++) {
        char name[32], text[64];
        snprintf(name, sizeof name, "%03d.txt", i);
        snprintf(text, sizeof text, "unique%d token%d\n", i, i);
        put(d, name, text);
    }
    add(d, "");
    assert_report(d, 151, 0, 0, 0, 0, 0);
    assert_true(d->report.chunks > 300);
    float v[4096];
    Str query = STR("077.txt\nunique77 token77\n");
    assert_true(model_info(d->model)->dim <= 4096);
    assert_int_equal(model_embed(&d->cx, d->model, EMBED_PASSAGE, &query, 1, v), OK);
    assert_int_equal(store_vectors(&d->cx, d->store, v, 1, &hits), OK);
    Chunk c;
    assert_int_equal(store_chunks(&d->cx, d->store, &hits.at[0].chunk, 1, &c, NULL), OK);
    assert_true(str_ends(c.uri, STR("077.txt")));
    buf_free(&b);
}

static void an_embedder_that_fails_ends_the_run_with_its_reason(void **state)
{
    Desk *d = *state;
    model_close(d->model);
    assert_int_equal(model_open(&d->cx, "fake:fail=embed", NULL, &d->model), OK);
    put(d, "a.md", "Words.\n");
    assert_int_not_equal(try_add(d, ""), OK);
    assert_true(d->cx.reason[0] != '\0');
    ctx_forgive(&d->cx);
    assert_absent(d, "a.md");
}

/* Paragraphs of one word each that is nowhere else, under a heading at each thousand. */
static void write_large(Desk *d, const char *name, size_t n)
{
    Buf b = BUF(64 << 20);
    for (size_t i = 0; i < n; i++) {
        if (i % 1000 == 0) buf_addf(&b, "# Section %zu\n\n", i / 1000);
        buf_addf(&b, "Kites fly over the harbour of paragraph%zu, and nobody knows why "
                     "they do so at noon when the ferry leaves the pier.\n\n", i);
    }
    assert_false(b.failed);
    put_bytes(d, name, buf_str(&b));
    buf_free(&b);
}

static Chunk find_word(Desk *d, const char *word)
{
    Hits hits;
    Chunk c;
    assert_int_equal(store_words(&d->cx, d->store, str_z(word), 2, &hits), OK);
    assert_int_equal(hits.n, 1);
    assert_int_equal(store_chunks(&d->cx, d->store, &hits.at[0].chunk, 1, &c, NULL), OK);
    return c;
}

static void a_document_of_several_windows_is_put_as_it_comes(void **state)
{
    Desk *d = *state;
    enum { PARAGRAPHS = 50000 };                // 5.9 MB
    put(d, "a.md", "Words before.\n");
    write_large(d, "b.md", PARAGRAPHS);
    put(d, "c.md", "Words behind.\n");
    add(d, "");
    assert_report(d, 3, 0, 0, 0, 0, 0);
    assert_true(find(d, "b.md").chunks > PARAGRAPHS / 20);
    Chunk first = find_word(d, "paragraph7"), last = find_word(d, "paragraph49999");
    assert_true(str_eq(find(d, "b.md").title, STR("Section 0")));
    assert_int_equal(first.section.n, 0);       // the title is not said twice
    assert_true(str_eq(last.section, STR("Section 49")));
    assert_true(last.start > 5000000 && last.end - last.start == last.text.n);
    add(d, "");
    assert_report(d, 0, 0, 3, 0, 0, 0);
}

static void a_section_goes_on_over_the_border_of_two_windows(void **state)
{
    Desk *d = *state;
    write_large(d, "b.md", 40000);
    add(d, "");
    char word[32];
    for (int i = 1999; i < 40000; i += 1000) {
        snprintf(word, sizeof word, "paragraph%d", i);
        Chunk c = find_word(d, word);
        assert_true(str_eq(c.section, ctx_printf(&d->cx, "Section %d", i / 1000)));
    }
}

static void a_large_document_that_is_stopped_leaves_the_old_one(void **state)
{
    Desk *d = *state;
    put(d, "b.md", "# Old\n\nThe old words.\n");
    add(d, "");
    write_large(d, "b.md", 50000);
    d->cx.cancelled = is_cancelled;
    d->cx.cancel_arg = d;
    d->cancel_after = 20;
    d->stays_cancelled = true;
    assert_int_equal(try_add(d, ""), E_CANCELLED);
    ctx_forgive(&d->cx);
    assert_int_equal(find(d, "b.md").chunks, 1);
    d->cancel_after = 0;
    add(d, "");
    assert_report(d, 0, 1, 0, 0, 0, 0);
    assert_true(find(d, "b.md").chunks > 1000);
}

static void a_damaged_file_is_told_and_the_rest_goes_on(void **state)
{
    Desk *d = *state;
    put(d, "a.md", "Words.\n");
    put_bytes(d, "b.docx", STR("PK\3\4 and nothing that a package has"));
    put(d, "c.md", "Words.\n");
    add(d, "");
    assert_report(d, 2, 0, 0, 0, 0, 1);
    assert_non_null(strstr(d->problem, "b.docx: "));
}

static void texts_are_documents_too(void **state)
{
    Desk *d = *state;
    IndexText t[] = {
        { .uri = STR("note:1"), .title = STR("First"), .text = STR("Words of first.") },
        { .uri = STR("note:2"), .text = STR("# Second\n\nWords."),
          .kind = KIND_MARKDOWN },
        { .uri = STR("note:3"), .text = STR("<html><h1>Third</h1>Words.") },
        { .uri = STR("note:4"), .text = STR("\0\1\2 no text") },
    };
    IndexOptions opt = options(d);
    Document doc;
    assert_int_equal(index_texts(&d->cx, d->store, d->model, t, 4, &opt, &d->report), OK);
    assert_report(d, 3, 0, 0, 0, 0, 1);
    assert_int_equal(store_find(&d->cx, d->store, STR("note:2"), &doc), OK);
    assert_true(str_eq(doc.title, STR("Second")));
    assert_int_equal(store_find(&d->cx, d->store, STR("note:3"), &doc), OK);
    assert_true(str_eq(doc.title, STR("Third")));
    t[0].title = STR("Renamed");
    assert_int_equal(index_texts(&d->cx, d->store, d->model, t, 3, &opt, &d->report), OK);
    assert_report(d, 0, 1, 2, 0, 0, 0);
    sync_store(d);
    assert_report(d, 0, 0, 0, 0, 0, 0);
    t[1].uri = STR("");
    Status st = index_texts(&d->cx, d->store, d->model, t, 2, &opt, &d->report);
    assert_int_equal(st, E_ARG);
    ctx_forgive(&d->cx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(finds_new_changed_and_unchanged_files),
        TEST(a_touched_file_is_unchanged),
        TEST(a_touched_file_is_read_once),
        TEST(other_bytes_of_the_same_size_and_time_are_seen),
        TEST(an_empty_file_is_a_document_without_chunks),
        TEST(what_is_no_text_is_skipped_in_folders_and_a_failure_when_named),
        TEST(a_file_over_the_limit_is_told_and_the_rest_goes_on),
        TEST(a_file_that_hides_its_size_is_refused),
        TEST(a_file_of_ten_gib_is_refused_unread_however_high_the_limit),
        TEST(a_file_named_twice_is_indexed_once),
        TEST(sync_adds_changes_and_removes),
        TEST(sync_keeps_the_documents_of_a_root_out_of_reach),
        TEST(sync_removes_a_named_file_that_is_gone),
        TEST(overlapping_roots_do_not_count_or_remove_twice),
        TEST(a_name_that_is_no_utf8_is_escaped),
        TEST(stopping_keeps_what_was_done),
        TEST(stopping_for_good_keeps_what_waits),
        TEST(being_killed_loses_the_batch_in_work_and_nothing_that_was_told),
        TEST(many_small_files_and_a_large_one_keep_their_own_vectors),
        TEST(an_embedder_that_fails_ends_the_run_with_its_reason),
        TEST(a_document_of_several_windows_is_put_as_it_comes),
        TEST(a_section_goes_on_over_the_border_of_two_windows),
        TEST(a_large_document_that_is_stopped_leaves_the_old_one),
        TEST(a_damaged_file_is_told_and_the_rest_goes_on),
        TEST(texts_are_documents_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
