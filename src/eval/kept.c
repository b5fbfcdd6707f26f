/* kept.c -- see kept.h. */
#include "eval/kept.h"

#include "base/file.h"
#include "eval/lines.h"
#include "eval/value.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILE = 1 << 30 };

struct Kept {
    json_t *all;        // key to answer
    int fd;             // for appending
    bool torn;          // the file does not end with a line's end
    char *path;
};

/* Returns the bytes that are to stay: all but a last line that was cut short. */
static size_t read_lines(Kept *k, Str text)
{
    Str rest = text, line;
    size_t good = 0;
    k->torn = text.n > 0 && text.p[text.n - 1] != '\n';
    while (lines_next(&rest, &line)) {
        json_t *j = json_loadb(line.p, line.n, 0, NULL);
        const char *key = text_at(j, "key");
        if (key) json_object_set(k->all, key, j);
        if (j || rest.n || !k->torn) good = text.n - rest.n;
        json_decref(j);
    }
    k->torn &= good == text.n;
    return good;
}

static Status load(Ctx *cx, Kept *k)
{
    Str text = { "", 0 };
    Status st = file_read(cx, k->path, MAX_FILE, &text);
    if (st == E_NOTFOUND) ctx_forgive(cx);
    else if (st != OK) return st;
    size_t good = read_lines(k, text);
    k->fd = open(k->path, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
    if (k->fd >= 0 && (good == text.n || ftruncate(k->fd, (off_t)good) == 0)) return OK;
    return fail(cx, E_IO, "%s: %s", k->path, strerror(errno));
}

Status kept_open(Ctx *cx, const char *path, Kept **out)
{
    Kept *k = calloc(1, sizeof *k);
    *out = NULL;
    if (!k) return fail(cx, E_MEMORY, "no memory for the answers kept");
    k->fd = -1;
    k->path = strdup(path);
    k->all = json_object();
    Status st = k->path && k->all ? load(cx, k)
                                  : fail(cx, E_MEMORY, "no memory for the answers kept");
    if (st == OK) *out = k;
    else kept_close(k);
    return st;
}

void kept_close(Kept *k)
{
    if (!k) return;
    if (k->fd >= 0) close(k->fd);
    json_decref(k->all);
    free(k->path);
    free(k);
}

json_t *kept_find(const Kept *k, const char *key)
{
    return json_object_get(k->all, key);
}

json_t *kept_all(const Kept *k)
{
    return k->all;
}

Status kept_add(Ctx *cx, Kept *k, const char *key, json_t *answer)
{
    bool good = answer && json_object_set_new(answer, "key", json_string(key)) == 0
                && json_object_set(k->all, key, answer) == 0;
    char *dump = good ? json_dumps(answer, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    Str line = dump ? ctx_printf(cx, "%s%s\n", k->torn ? "\n" : "", dump) : (Str){ 0 };
    free(dump);
    json_decref(answer);
    if (!line.p) return fail(cx, E_MEMORY, "no memory for an answer");
    if (write(k->fd, line.p, line.n) != (ssize_t)line.n)
        return fail(cx, E_IO, "%s: %s", k->path, strerror(errno));
    k->torn = false;
    return OK;
}
