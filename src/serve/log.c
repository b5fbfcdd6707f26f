/* log.c -- see log.h. */
#include "serve/log.h"

#include "base/str.h"
#include "pith.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192, TIME_BYTES = 32 };

/* RFC 3339, UTC, milliseconds. */
static void now_text(char out[TIME_BYTES])
{
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(out, TIME_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(out + n, TIME_BYTES - n, ".%03ldZ", now.tv_nsec / 1000000);
}

/* Strings are quoted as JSON, so that no value can forge a line or a field. */
static void add_value(Buf *b, const char *key, json_t *value)
{
    char *text = json_dumps(value,
                            JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (text) buf_addf(b, " %s=%s", key, text);
    pith_string_free(text);
}

static void add_json(Buf *b, const char *level, const char *event, const char *time,
                     json_t *fields)
{
    json_t *line = json_pack("{ss ss ss}", "time", time, "level", level, "event", event);
    if (line && fields) json_object_update(line, fields);
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
    if (text) buf_add(b, str_z(text));
    pith_string_free(text);
    json_decref(line);
}

static void add_text(Buf *b, const char *level, const char *event, const char *time,
                     json_t *fields)
{
    const char *key;
    json_t *value;
    buf_addf(b, "%s %s %s", time, level, event);
    json_object_foreach(fields, key, value) add_value(b, key, value);
}

void log_event(const Log *log, LogLevel level, const char *event, json_t *fields)
{
    static const char *const name[] = { "warn", "info" };
    char time[TIME_BYTES];
    Buf b = BUF(LINE_MAX_BYTES);
    if (level == LOG_WARN || !log->quiet) {
        now_text(time);
        (log->json ? add_json : add_text)(&b, name[level], event, time, fields);
        buf_add(&b, STR("\n"));
        if (!b.failed && write(STDERR_FILENO, b.p, b.n) < 0) { /* nobody to tell */ }
    }
    buf_free(&b);
    json_decref(fields);
}
