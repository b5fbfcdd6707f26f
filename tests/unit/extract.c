/* Documents read in a process of its own: by the program that is shipped, and by one that
 * is taken over and does what a document tells it. */
#include "extract/extract.h"
#include "extract/start.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Desk {
    Ctx cx;
    Extractor *x;
    size_t windows;
    Status refuse;          // what the sink says to the first window
    char text[256];         // of the last part
    char title[64];
} Desk;

static int setup(void **state)
{
    Desk *d = calloc(1, sizeof *d);
    assert_int_equal(extractor_open(&d->cx, &d->x), OK);
    *state = d;
    return 0;
}

static int setup_hostile(void **state)
{
    setenv("PITH_EXTRACT", TESTS_BUILD "/hostile-extract", 1);
    return setup(state);
}

static int teardown(void **state)
{
    Desk *d = *state;
    extractor_close(d->x);
    ctx_end(&d->cx);
    free(d);
    unsetenv("PITH_EXTRACT");
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);       // and no zombie
    assert_int_equal(errno, ECHILD);
    return 0;
}

static Status take(void *arg, const Parsed *w)
{
    Desk *d = arg;
    d->windows++;
    if (w->title.n)
        snprintf(d->title, sizeof d->title, "%.*s", (int)w->title.n, w->title.p);
    const Part *p = w->n ? &w->at[w->n - 1] : NULL;
    if (p) snprintf(d->text, sizeof d->text, "%.*s",
                    (int)(p->text.n < 200 ? p->text.n : 200), p->text.p);
    return d->refuse;
}

static Extract *begin(Desk *d, Kind kind, Str bytes)
{
    Extract *e = NULL;
    ExtractSource s = { .fd = extract_memory(&d->cx, bytes), .bytes = bytes.n,
                        .kind = kind, .name = STR("a document") };
    assert_true(s.fd >= 0);
    if (extract_begin(&d->cx, d->x, &s, &e) != OK) fail_msg("%s", d->cx.reason);
    return e;
}

static Status end(Desk *d, Extract *e)
{
    ctx_forgive(&d->cx);
    d->windows = 0;
    d->text[0] = d->title[0] = '\0';
    return extract_end(&d->cx, e, &(Sink){ take, d });
}

static Status reads(Desk *d, Kind kind, Str bytes)
{
    return end(d, begin(d, kind, bytes));
}

static Status told(Desk *d, const char *deed)
{
    return reads(d, KIND_TEXT, str_z(deed));
}

static void assert_harmless(Desk *d)
{
    assert_int_equal(told(d, "the next one"), OK);
    assert_string_equal(d->text, "the next one");
}

/* ---- documents --------------------------------------------------------------------- */

static void reads_each_kind_of_text(void **state)
{
    Desk *d = *state;
    assert_int_equal(reads(d, KIND_MARKDOWN, STR("# Kites\n\nThey fly.\n")), OK);
    assert_string_equal(d->title, "Kites");
    assert_string_equal(d->text, "They fly.");
    assert_int_equal(reads(d, KIND_HTML, STR("<title>T</title><p>a &amp; b.")), OK);
    assert_string_equal(d->text, "a & b.");
    assert_int_equal(reads(d, KIND_TEXT, STR("caf\xE9 au lait")), OK);
    assert_string_equal(d->text, "caf\xC3\xA9 au lait");
}

static void an_empty_document_is_one_window_without_parts(void **state)
{
    Desk *d = *state;
    assert_int_equal(reads(d, KIND_TEXT, STR("")), OK);
    assert_int_equal(d->windows, 1);
    assert_string_equal(d->text, "");
}

static void documents_handed_over_together_are_collected_in_any_order(void **state)
{
    Desk *d = *state;
    Extract *at[EXTRACT_AHEAD];
    char text[32];
    for (int i = 0; i < EXTRACT_AHEAD; i++) {
        snprintf(text, sizeof text, "number %d", i);
        at[i] = begin(d, KIND_TEXT, str_z(text));
    }
    for (int i = EXTRACT_AHEAD; i-- > 0;) {
        snprintf(text, sizeof text, "number %d", i);
        assert_int_equal(end(d, at[i]), OK);
        assert_string_equal(d->text, text);
    }
}

static void a_document_may_go_unread(void **state)
{
    Desk *d = *state;
    Buf b = BUF(32 << 20);
    while (b.n < 16 << 20) buf_add(&b, STR("Words that nobody waits for.\n\n"));
    extract_drop(begin(d, KIND_TEXT, buf_str(&b)));
    (void)begin(d, KIND_TEXT, buf_str(&b));     // left to extractor_close
    assert_harmless(d);
    buf_free(&b);
}

static void what_the_sink_says_is_the_result(void **state)
{
    Desk *d = *state;
    d->refuse = E_MODEL;
    assert_int_equal(reads(d, KIND_TEXT, STR("words")), E_MODEL);
    d->refuse = OK;
    assert_harmless(d);
}

static bool is_cancelled(void *arg)
{
    (void)arg;
    return true;
}

static void stops_on_request(void **state)
{
    Desk *d = *state;
    Extract *e = begin(d, KIND_TEXT, STR("sleep"));
    d->cx.cancelled = is_cancelled;
    assert_int_equal(end(d, e), E_CANCELLED);
    d->cx.cancelled = NULL;
    assert_harmless(d);
}

/* ---- hostile ones ------------------------------------------------------------------ */

static void files_that_are_asked_for_are_refused(void **state)
{
    Desk *d = *state;
    static const char *const deeds[] = { "open", "access", "make" };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        assert_int_equal(told(d, deeds[i]), OK);
        assert_non_null(strstr(d->text, strerror(EACCES)));
    }
    assert_int_equal(access("/tmp/pith-hostile", F_OK), -1);
    assert_harmless(d);
}

static void everything_else_that_is_forbidden_ends_the_child(void **state)
{
    Desk *d = *state;
    static const char *const deeds[] = { "socket", "exec", "fork", "thread", "trace",
                                         "kill", "raise", "run" };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        assert_int_equal(told(d, deeds[i]), E_FORMAT);
        assert_string_equal(d->cx.reason,
                            "its text reader tried what it may not (SIGSYS)");
    }
    assert_harmless(d);
}

static void a_signal_to_itself_is_refused(void **state)
{
    Desk *d = *state;
    assert_int_equal(told(d, "signal"), OK);
    assert_non_null(strstr(d->text, strerror(EPERM)));
}

static void a_crash_costs_its_document_alone(void **state)
{
    Desk *d = *state;
    Extract *before = begin(d, KIND_TEXT, STR("before")), *bad, *after;
    bad = begin(d, KIND_TEXT, STR("crash"));
    after = begin(d, KIND_TEXT, STR("after"));
    assert_int_equal(end(d, bad), E_FORMAT);
#ifndef __SANITIZE_ADDRESS__        // which ends the process in its own way
    assert_string_equal(d->cx.reason, "its text reader crashed (SIGSEGV)");
#endif
    assert_int_equal(end(d, after), OK);
    assert_string_equal(d->text, "after");
    assert_int_equal(end(d, before), OK);
    assert_string_equal(d->text, "before");
}

static void memory_is_bounded(void **state)
{
    Desk *d = *state;
#ifdef __SANITIZE_ADDRESS__
    skip();     // its shadow counts as memory
#endif
    assert_int_equal(told(d, "allocate"), E_LIMIT);
    assert_string_equal(d->cx.reason, "it needs more than 512 MB of memory");
    assert_int_equal(told(d, "abort"), E_LIMIT);
    assert_string_equal(d->cx.reason, "it needs more than 512 MB of memory");
    assert_harmless(d);
}

static void time_is_bounded(void **state)
{
    Desk *d = *state;
    Extract *spin = begin(d, KIND_TEXT, STR("spin"));
    Extract *sleep = begin(d, KIND_TEXT, STR("sleep"));
    assert_int_equal(end(d, spin), E_LIMIT);
    assert_non_null(strstr(d->cx.reason, "not read within "));
    assert_int_equal(end(d, sleep), E_LIMIT);
    assert_string_equal(d->cx.reason, "not read within 10 s");
    assert_harmless(d);
}

static void text_is_bounded(void **state)
{
    Desk *d = *state;
    assert_int_equal(told(d, "babble"), E_LIMIT);
    assert_string_equal(d->cx.reason,
                        "its text has more than 64 MiB, the limit for its size");
    assert_int_equal(d->windows, 64);
    assert_harmless(d);
}

static void what_is_no_record_is_refused(void **state)
{
    Desk *d = *state;
    static const char *const deeds[] = { "noise", "latin", "back" };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        assert_int_equal(told(d, deeds[i]), E_FORMAT);
        assert_string_equal(d->cx.reason, "what its reader gave is no text");
    }
    assert_int_equal(told(d, "end"), E_FORMAT);
    assert_string_equal(d->cx.reason, "its text reader ended without a word");
    assert_harmless(d);
}

/* ---- the program ------------------------------------------------------------------- */

/* Kills the program, and with it what it reads. */
static void kill_program(Desk *d)
{
    char command[128];
    snprintf(command, sizeof command, "pkill -KILL -P %d -x hostile-extract", getpid());
    (void)d;
    assert_int_equal(system(command), 0);
}

static void a_program_that_was_killed_is_started_again(void **state)
{
    Desk *d = *state;
    if (system("command -v pkill > /dev/null") != 0) skip();
    assert_harmless(d);
    kill_program(d);
    assert_harmless(d);
    Extract *e = begin(d, KIND_TEXT, STR("sleep"));
    Extract *other = begin(d, KIND_TEXT, STR("other"));
    kill_program(d);
    assert_int_equal(end(d, other), OK);
    assert_string_equal(d->text, "other");
    extract_drop(e);
}

static void a_program_that_is_not_there_is_told(void **state)
{
    Desk *d = *state;
    ExtractorInfo info;
    setenv("PITH_EXTRACT", "/nowhere/pith-extract", 1);
    assert_int_equal(extractor_info(&d->cx, d->x, &info), E_INTERNAL);
    assert_non_null(strstr(d->cx.reason, "PITH_EXTRACT names /nowhere/pith-extract"));
    ctx_forgive(&d->cx);
    setenv("PITH_EXTRACT", "/bin/true", 1);
    assert_int_equal(extractor_info(&d->cx, d->x, &info), E_INTERNAL);
    assert_non_null(strstr(d->cx.reason, "does not start: install pith again"));
}

/* Those that are open, or only those that a program started by us would get. */
static size_t open_descriptors(bool handed_on)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        n += flags >= 0 && !(handed_on && (flags & FD_CLOEXEC));
    }
    return n;
}

static void no_descriptor_stays_open(void **state)
{
    Desk *d = *state;
    size_t handed_on = open_descriptors(true);
    assert_harmless(d);
    size_t before = open_descriptors(false);
    assert_int_equal(told(d, "crash"), E_FORMAT);
    extract_drop(begin(d, KIND_TEXT, STR("sleep")));
    assert_harmless(d);
    assert_int_equal(open_descriptors(false), before);
    Extract *e = begin(d, KIND_TEXT, STR("sleep"));
    assert_int_equal(open_descriptors(true), handed_on);
    extract_drop(e);
}

#define READS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define HOSTILE(name) cmocka_unit_test_setup_teardown(name, setup_hostile, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        READS(reads_each_kind_of_text),
        READS(an_empty_document_is_one_window_without_parts),
        READS(documents_handed_over_together_are_collected_in_any_order),
        READS(a_document_may_go_unread),
        READS(what_the_sink_says_is_the_result),
        HOSTILE(stops_on_request),
        HOSTILE(files_that_are_asked_for_are_refused),
        HOSTILE(everything_else_that_is_forbidden_ends_the_child),
        HOSTILE(a_signal_to_itself_is_refused),
        HOSTILE(a_crash_costs_its_document_alone),
        HOSTILE(memory_is_bounded),
        HOSTILE(time_is_bounded),
        HOSTILE(text_is_bounded),
        HOSTILE(what_is_no_record_is_refused),
        HOSTILE(a_program_that_was_killed_is_started_again),
        READS(a_program_that_is_not_there_is_told),
        HOSTILE(no_descriptor_stays_open),
    };
    return cmocka_run_group_tests_name("extract", tests, NULL, NULL);
}
