/* watch.c -- pith watch: the store follows its folders.
 *
 * News starts a sync once it has been quiet for a moment, or has gone on for some
 * seconds; and a sync comes now and then without news, for what inotify does not see (a
 * file system of another machine, more folders than it may follow). Between two syncs the
 * store is closed, so that other programs can write to it. */
#include "app/cli.h"
#include "app/follow.h"
#include "app/term.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 200, LONGEST_MS = 5000 };

typedef struct Watching {
    Cli *cli;
    Follow follow;
    int delay_ms, every_min;
    char store[NAME_MAX + 1];       // name of its file
    bool told_full, told_busy;
} Watching;

static void on_problem(void *arg, const char *path, const char *reason)
{
    (void)arg;
    fprintf(stderr, "pith: %s: %s\n", path, reason);
}

/* Follows every root of the store: before the sync, which then sees what came earlier. */
static int follow_roots(Watching *w, pith *p)
{
    char *text = NULL;
    pith_error why;
    size_t i;
    json_t *d;
    const char *last = "";
    if (pith_list(p, &text, &why)) return cli_fail(&why);
    json_t *all = json_loads(text, 0, NULL);
    json_array_foreach(all, i, d) {
        const char *root = json_string_value(json_object_get(d, "root"));
        if (!root || !*root || strcmp(root, last) == 0) continue;
        follow_add(&w->follow, root);
        last = root;
    }
    json_decref(all);
    pith_string_free(text);
    if (w->follow.full && !w->told_full)
        fprintf(stderr, "pith: more folders than this system lets one follow: the rest "
                "is looked at every %d minutes. To follow more:\n"
                "  sysctl fs.inotify.max_user_watches=524288\n", w->every_min);
    w->told_full |= w->follow.full;
    return EXIT_DONE;
}

static void tell(const Watching *w, const pith_report *r)
{
    if (r->added + r->changed + r->removed + r->failed == 0) return;
    if (w->cli->json)
        printf("{\"added\":%zu,\"changed\":%zu,\"removed\":%zu,\"failed\":%zu,"
               "\"chunks\":%zu}\n", r->added, r->changed, r->removed, r->failed,
               r->chunks);
    else if (!w->cli->quiet)
        printf("%zu added, %zu changed, %zu removed, %zu failed: %zu chunks\n", r->added,
               r->changed, r->removed, r->failed, r->chunks);
    fflush(stdout);
}

/* One sync, the store closed behind it. *again: another program writes, try once more. */
static int sync_once(Watching *w, bool *again)
{
    pith_add_options opt = { .on_problem = on_problem };
    pith_report report = { 0 };
    pith_error why;
    pith *p = cli_open(w->cli);
    if (!p) return EXIT_FAILED;
    int status = follow_roots(w, p);
    int code = status == EXIT_DONE ? pith_sync(p, &opt, &report, &why) : 0;
    *again = code == PITH_E_BUSY;
    if (*again && !w->told_busy)
        fprintf(stderr, "pith: %s; waiting for it\n", why.message);
    w->told_busy = *again;
    if (code && !*again && code != PITH_E_CANCELLED) status = cli_fail(&why);
    pith_close(p);
    tell(w, &report);
    return status;
}

/* Waits until there is something to do; false: the owner wants to stop. */
static bool wait_for_news(Watching *w, bool again)
{
    double begun = term_now_ms(), news = 0, last = 0;
    while (!cli_interrupted(NULL)) {
        bool is = follow_wait(&w->follow, TICK_MS);
        double now = term_now_ms();
        if (is && !news) news = now;
        if (is) last = now;
        if (again && now - begun >= LONGEST_MS) return true;
        if (now - begun >= w->every_min * 60e3) return true;
        if (news && (now - last >= w->delay_ms || now - news >= LONGEST_MS)) return true;
    }
    return false;
}

static int watch(Watching *w)
{
    bool again = false;
    int status = sync_once(w, &again);
    if (status == EXIT_DONE && !w->cli->quiet && !w->cli->json)
        fputs("pith: watching; Ctrl-C ends it\n", stderr);
    while (status == EXIT_DONE && wait_for_news(w, again)) status = sync_once(w, &again);
    return status;
}

static int add_first(Cli *cli, char **paths, int n)
{
    pith_add_options opt = { .on_problem = on_problem };
    pith_error why;
    pith *p = cli_open(cli);
    if (!p) return EXIT_FAILED;
    int code = pith_add(p, (const char *const *)paths, (size_t)n, &opt, NULL, &why);
    pith_close(p);
    return code ? cli_fail(&why) : EXIT_DONE;
}

/* The name of the store's file, whose changes are our own. */
static int find_store(Watching *w)
{
    char *text = NULL;
    pith_error why;
    pith *p = cli_open(w->cli);
    if (!p) return EXIT_FAILED;
    int code = pith_status(p, &text, &why);
    pith_close(p);
    if (code) return cli_fail(&why);
    json_t *j = json_loads(text, 0, NULL);
    const char *path = json_string_value(json_object_get(j, "store"));
    const char *slash = path ? strrchr(path, '/') : NULL;
    snprintf(w->store, sizeof w->store, "%s", slash ? slash + 1 : path ? path : "");
    json_decref(j);
    pith_string_free(text);
    return EXIT_DONE;
}

static int run_watch(Cli *cli, const Command *self, int argc, char **argv)
{
    Watching w = { .cli = cli, .delay_ms = 500, .every_min = 10 };
    const Option own[] = {
        { "delay", 0, OPTION_INT, &w.delay_ms, "MS",
          "quiet time before a sync (default 500)", 10, 60000, NULL },
        { "every", 0, OPTION_INT, &w.every_min, "MIN",
          "a sync without news (default 10)", 1, 1440, NULL },
        { 0 },
    };
    int status, n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0 && (status = add_first(cli, argv, n)) != EXIT_DONE) return status;
    if ((status = find_store(&w)) != EXIT_DONE) return status;
    if (!follow_open(&w.follow, *w.store ? w.store : NULL))
        fprintf(stderr, "pith: this system tells no changes: looking every %d minutes\n",
                w.every_min);
    status = watch(&w);
    follow_close(&w.follow);
    return status;
}

const Command command_watch = {
    "watch", run_watch, "follow the folders that were added, as they change", "[PATH...]",
    "  pith watch\n"
    "  pith watch ~/docs --delay 2000\n"
    "  systemctl --user enable --now pith-watch\n",
};
