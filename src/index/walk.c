/* walk.c -- see walk.h. */
#include "index/walk.h"

#include "index/ignore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { DEPTH_MAX = 200, IGNORE_BYTES_MAX = 1 << 20, CHECK_EVERY = 256 };

typedef struct Walker {
    Ctx *cx;
    Walk *out;
    size_t root_n;      // bytes of the root with its '/': what follows is relative
    Rules rules;
    int depth;
    size_t seen;
} Walker;

static Status visit_folder(Walker *w, Str path);

static Status keep(Walker *w, Str path, const struct stat *st, Str problem)
{
    Walk *out = w->out;
    TRY(ctx_grow(w->cx, &out->at, out->n, &out->room, sizeof *out->at));
    Entry *e = &out->at[out->n++];
    *e = (Entry){ .path = path, .problem = problem };
    if (st) {
        e->bytes = (uint64_t)st->st_size;
        e->mtime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
    }
    return OK;
}

static Status keep_problem(Walker *w, Str path, const char *why)
{
    Str problem = ctx_dup(w->cx, str_z(why));
    TRY_NEW(problem.p);
    w->out->problems++;
    return keep(w, path, NULL, problem);
}

/* ---- ignore files ------------------------------------------------------------------ */

/* Adds the rules in folder/name, where that is a file of sane size. */
static Status read_rules(Walker *w, int folder, Str relative, const char *name)
{
    struct stat st;
    int fd = openat(folder, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    char *text = NULL;
    Status status = OK;
    if (fd < 0) return OK;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > IGNORE_BYTES_MAX)
        goto done;
    text = malloc((size_t)st.st_size + 1);
    ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
    if (n > 0) status = rules_add(w->cx, &w->rules, relative, (Str){ text, (size_t)n });
done:
    free(text);
    close(fd);
    return status;
}

/* ---- one folder -------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
    for (size_t i = 0; i < n; i++) free(names[i]);
    free(names);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* The names in a folder, sorted, hidden ones left out. *n_all counts these too. */
static Status read_names(Ctx *cx, DIR *d, char ***out, size_t *n, size_t *n_all)
{
    char **names = NULL;
    size_t room = 0;
    *out = NULL;
    *n = *n_all = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (is_dots(e->d_name)) continue;
        ++*n_all;
        if (e->d_name[0] == '.') continue;
        if (*n == room) {
            room = room ? room * 2 : 64;
            char **more = realloc(names, room * sizeof *names);
            if (!more) goto no_memory;
            names = more;
        }
        if (!(names[*n] = strdup(e->d_name))) goto no_memory;
        ++*n;
    }
    if (*n) qsort(names, *n, sizeof *names, by_name);
    *out = names;
    return OK;
no_memory:
    free_names(names, *n);
    return fail(cx, E_MEMORY, "out of memory for the names in a folder");
}

static Str relative(const Walker *w, Str path)
{
    return (Str){ path.p + w->root_n, path.n - w->root_n };
}

static Status visit(Walker *w, Str folder, const char *name)
{
    struct stat st;
    Str path = ctx_printf(w->cx, "%.*s/%s", folder.n > 1 ? (int)folder.n : 0, folder.p,
                          name);
    TRY_NEW(path.p);
    if (++w->seen % CHECK_EVERY == 0) TRY(ctx_check(w->cx));
    if (lstat(path.p, &st) != 0) return OK;                 // gone since it was listed
    bool is_link = S_ISLNK(st.st_mode);
    if (is_link && stat(path.p, &st) != 0) return OK;       // leads nowhere or round
    bool is_folder = S_ISDIR(st.st_mode);
    if (is_folder && is_link) return OK;
    if (rules_ignore(&w->rules, relative(w, path), is_folder) ||
        (!is_folder && !S_ISREG(st.st_mode))) {
        w->out->skipped++;
        return OK;
    }
    return is_folder ? visit_folder(w, path) : keep(w, path, &st, (Str){ "", 0 });
}

static Status visit_names(Walker *w, Str path, DIR *d)
{
    char **names = NULL;
    size_t n = 0, all = 0, rules = w->rules.n;
    Str below = path.n >= w->root_n ? ctx_printf(w->cx, "%s/", relative(w, path).p)
                                    : (Str){ "", 0 };
    TRY_NEW(below.p);
    TRY(read_rules(w, dirfd(d), below, ".gitignore"));
    TRY(read_rules(w, dirfd(d), below, ".pithignore"));
    TRY(read_names(w->cx, d, &names, &n, &all));
    if (w->depth == 1) w->out->empty = all == 0;
    Status st = OK;
    for (size_t i = 0; i < n && st == OK; i++) st = visit(w, path, names[i]);
    free_names(names, n);
    w->rules.n = rules;                                     // they end with their folder
    return st;
}

static Status visit_folder(Walker *w, Str path)
{
    if (w->depth == DEPTH_MAX) return keep_problem(w, path, "more than 200 folders deep");
    DIR *d = opendir(path.p);
    if (!d && w->depth == 0) return fail(w->cx, E_IO, "%s", strerror(errno));
    if (!d) return keep_problem(w, path, strerror(errno));
    w->depth++;
    Status st = visit_names(w, path, d);
    w->depth--;
    closedir(d);
    return st;
}

static int by_path(const void *a, const void *b)
{
    return str_cmp(((const Entry *)a)->path, ((const Entry *)b)->path);
}

Status walk(Ctx *cx, const char *root, Walk *out)
{
    struct stat st;
    Str path = ctx_dup(cx, str_z(root));
    Walker w = { .cx = cx, .out = out, .root_n = path.n + (path.n > 1) };
    *out = (Walk){ 0 };
    TRY_NEW(path.p);
    if (stat(root, &st) != 0)
        return fail(cx, errno == ENOENT || errno == ENOTDIR ? E_NOTFOUND : E_IO, "%s",
                    strerror(errno));
    if (S_ISREG(st.st_mode)) {
        out->is_file = true;
        return keep(&w, path, &st, (Str){ "", 0 });
    }
    if (!S_ISDIR(st.st_mode)) return fail(cx, E_ARG, "neither a file nor a folder");
    TRY(visit_folder(&w, path));
    if (out->n) qsort(out->at, out->n, sizeof *out->at, by_path);
    return OK;
}
