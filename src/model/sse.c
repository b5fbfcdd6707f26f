/* sse.c -- see sse.h. */
#include "model/sse.h"

#include <string.h>

Sse sse_open(size_t max, Status (*on_event)(void *arg, Str data), void *arg)
{
    return (Sse){ .line = BUF(max), .data = BUF(max), .on_event = on_event, .arg = arg };
}

void sse_close(Sse *s)
{
    buf_free(&s->line);
    buf_free(&s->data);
}

static Status end_event(Sse *s)
{
    if (!s->has_data) return OK;
    Status st = s->on_event(s->arg, buf_str(&s->data));
    s->data.n = 0;
    s->has_data = false;
    return st;
}

/* "data: x" and "data:x" are the same; a line without colon is a field without value. */
static void take_field(Sse *s, Str line)
{
    if (!str_starts(line, STR("data"))) return;
    Str rest = { line.p + 4, line.n - 4 };
    if (rest.n > 0 && rest.p[0] != ':') return;
    size_t skip = rest.n > 1 && rest.p[1] == ' ' ? 2 : rest.n > 0;
    if (s->has_data) buf_add(&s->data, STR("\n"));
    buf_add(&s->data, (Str){ rest.p + skip, rest.n - skip });
    s->has_data = true;
}

static Status end_line(Sse *s)
{
    Str line = buf_str(&s->line);
    if (!s->begun && str_starts(line, STR("\xEF\xBB\xBF"))) line.p += 3, line.n -= 3;
    s->begun = true;
    if (line.n) take_field(s, line);
    s->line.n = 0;
    return line.n ? OK : end_event(s);
}

static Status too_long(Ctx *cx, const Sse *s)
{
    return fail(cx, E_LIMIT, "the server sent a line or an event of more than %zu bytes",
                s->line.max);
}

Status sse_feed(Ctx *cx, Sse *s, Str bytes)
{
    while (bytes.n) {
        if (s->after_cr && bytes.p[0] == '\n') bytes.p++, bytes.n--;
        s->after_cr = false;
        size_t n = 0;
        while (n < bytes.n && bytes.p[n] != '\n' && bytes.p[n] != '\r') n++;
        buf_add(&s->line, (Str){ bytes.p, n });
        if (s->line.failed || s->data.failed) return too_long(cx, s);
        if (n == bytes.n) return OK;
        s->after_cr = bytes.p[n] == '\r';
        TRY(end_line(s));
        if (s->data.failed) return too_long(cx, s);
        bytes.p += n + 1;
        bytes.n -= n + 1;
    }
    return OK;
}
