/* sse.h -- a stream of server-sent events, taken apart (WHATWG HTML, section 9.2.6).
 *
 * Bytes come in pieces of any size; how they are cut never changes the events. Only the
 * field `data` matters to us: its lines, joined by LF, are an event. */
#ifndef PITH_MODEL_SSE_H
#define PITH_MODEL_SSE_H

#include "base/ctx.h"

typedef struct Sse {
    Buf line, data;     // the line so far, the event so far
    bool has_data;      // a data field was seen: an empty one is an event too
    bool after_cr;      // an LF now belongs to the CR before
    bool begun;         // the byte order mark is behind us
    /* Called with each event; anything but OK ends the feeding and is returned. */
    Status (*on_event)(void *arg, Str data);
    void *arg;
} Sse;

/* No line and no event may have more than max bytes. */
Sse sse_open(size_t max, Status (*on_event)(void *arg, Str data), void *arg);
/* E_LIMIT: a line or an event that is too long. An event that no blank line ended when
 * the stream ends is no event. */
MUST_USE Status sse_feed(Ctx *cx, Sse *s, Str bytes);
void sse_close(Sse *s);

#endif
