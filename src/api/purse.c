/* purse.c -- see purse.h. */
#include "api/purse.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { MAX_USAGE = 4096 };

static Status in_state(Ctx *cx, Str name, Str *out)
{
    Str folder;
    TRY(folder_state(cx, &folder));
    TRY(folder_make(cx, folder.p));
    return path_join(cx, folder, name, out);
}

static void today(char out[16])
{
    time_t now = time(NULL);
    struct tm t;
    localtime_r(&now, &t);
    strftime(out, 16, "%Y-%m-%d", &t);
}

/* ---- the account ------------------------------------------------------------------- */

/* E_FORMAT: a file that is no account. None, or one of another day, is zero. */
static Status read_usage(Ctx *cx, const char *path, Spent *out)
{
    char day[16];
    Str text;
    *out = (Spent){ 0 };
    Status st = file_read(cx, path, MAX_USAGE, &text);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(st);
    json_t *j = json_loadb(text.p, text.n, 0, NULL);
    const char *of = json_string_value(json_object_get(j, "day"));
    today(day);
    if (of && strcmp(of, day) == 0) {
        out->tokens = json_number_value(json_object_get(j, "tokens"));
        out->cost = json_number_value(json_object_get(j, "cost"));
        out->seconds = json_number_value(json_object_get(j, "seconds"));
    }
    bool sound = of && out->tokens >= 0 && out->cost >= 0 && out->seconds >= 0;
    json_decref(j);
    return sound ? OK : fail(cx, E_FORMAT, "%s is no account of use: remove it", path);
}

static Status write_usage(Ctx *cx, const char *path, const Spent *u)
{
    char day[16];
    today(day);
    Str text = ctx_printf(cx, "{\"day\":\"%s\",\"tokens\":%.0f,\"cost\":%.9g,"
                          "\"seconds\":%.3f}\n", day, u->tokens, u->cost, u->seconds);
    TRY_NEW(text.p);
    return file_write(cx, path, text);
}

static Spent left_of(const RemoteRules *r, const Spent *used)
{
    return (Spent){
        .tokens = r->day_tokens > 0 ? (double)r->day_tokens - used->tokens : INFINITY,
        .cost = r->day_cost > 0 ? r->day_cost - used->cost : INFINITY,
        .seconds = r->day_seconds > 0 ? r->day_seconds - used->seconds : INFINITY,
    };
}

/* Adds to today's account, where that much is left; rules NULL: in any case. */
static Status change(Ctx *cx, const RemoteRules *rules, const Spent *by, bool *enough)
{
    Str path;
    Spent used;
    TRY(in_state(cx, STR("remote-usage.json"), &path));
    TRY(read_usage(cx, path.p, &used));
    Spent left = rules ? left_of(rules, &used) : (Spent){ INFINITY, INFINITY, INFINITY };
    *enough = by->tokens <= left.tokens && by->cost <= left.cost &&
              by->seconds <= left.seconds;
    if (!*enough) return OK;
    used.tokens = fmax(0, used.tokens + by->tokens);    // the day may have changed
    used.cost = fmax(0, used.cost + by->cost);
    used.seconds = fmax(0, used.seconds + by->seconds);
    return write_usage(cx, path.p, &used);
}

static Status change_alone(Ctx *cx, const RemoteRules *rules, const Spent *by,
                           bool *enough)
{
    Str lock;
    TRY(in_state(cx, STR("remote-usage.lock"), &lock));
    int fd = open(lock.p, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0) {
        if (fd >= 0) close(fd);
        return fail(cx, E_IO, "%s: %s", lock.p, strerror(errno));
    }
    Status st = change(cx, rules, by, enough);
    close(fd);
    return st;
}

/* ---- what the others see ----------------------------------------------------------- */

Status purse_left(Ctx *cx, const RemoteRules *rules, Spent *out)
{
    Str path;
    Spent used = { 0 };
    if (rules->day_tokens > 0 || rules->day_cost > 0 || rules->day_seconds > 0) {
        TRY(in_state(cx, STR("remote-usage.json"), &path));
        TRY(read_usage(cx, path.p, &used));
    }
    *out = left_of(rules, &used);
    return OK;
}

Status purse_take(Ctx *cx, const RemoteRules *rules, const Spent *much, bool *enough)
{
    return change_alone(cx, rules, much, enough);
}

Status purse_settle(Ctx *cx, const Spent *taken, const Spent *used)
{
    bool enough;
    const Spent by = { used->tokens - taken->tokens, used->cost - taken->cost,
                       used->seconds - taken->seconds };
    return change_alone(cx, NULL, &by, &enough);
}
