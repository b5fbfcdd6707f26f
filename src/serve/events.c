/* events.c -- see events.h. Each listener holds a side of its request. */
#include "serve/events.h"

#include "serve/request.h"

#include <stdlib.h>

typedef struct Listener {
    struct Listener *next;
    Request *request;
} Listener;

struct Events {
    pthread_mutex_t lock;
    Listener *first;
    size_t n;
    bool ended;
};

Events *events_new(void)
{
    Events *e = calloc(1, sizeof *e);
    if (e) pthread_mutex_init(&e->lock, NULL);
    return e;
}

void events_free(Events *e)
{
    if (!e) return;
    pthread_mutex_destroy(&e->lock);
    free(e);
}

void events_listen(Events *e, Request *r)
{
    Listener *l = malloc(sizeof *l);
    if (!l) {
        reply_error(r, 503, NULL, "out of memory for one more listener");
        return;
    }
    pthread_mutex_lock(&r->lock);
    r->holders++;
    pthread_mutex_unlock(&r->lock);
    stream_begin(r);
    stream_raw(r, STR(": pith\n\n"));
    pthread_mutex_lock(&e->lock);
    *l = (Listener){ e->first, r };
    e->first = l;
    e->n++;
    if (e->ended) stream_end(r);
    pthread_mutex_unlock(&e->lock);
}

/* Gives text to all; who is gone is forgotten. */
static void tell_all(Events *e, Str text, bool end)
{
    pthread_mutex_lock(&e->lock);
    e->ended |= end;
    for (Listener **at = &e->first, *l; (l = *at); ) {
        bool stays = stream_raw(l->request, text) && !end && !request_left(l->request);
        if (stays) {
            at = &l->next;
            continue;
        }
        stream_end(l->request);
        request_release(l->request);
        *at = l->next;
        e->n--;
        free(l);
    }
    pthread_mutex_unlock(&e->lock);
}

void events_tell(Events *e, const char *event, json_t *j)
{
    Buf b = BUF(1 << 20);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    buf_addf(&b, "event: %s\ndata: %s\n\n", event, text ? text : "{}");
    if (!b.failed) tell_all(e, buf_str(&b), false);
    buf_free(&b);
    free(text);
}

void events_beat(Events *e)
{
    tell_all(e, STR(":\n\n"), false);
}

void events_end(Events *e)
{
    tell_all(e, STR(":\n\n"), true);
}

size_t events_listeners(Events *e)
{
    pthread_mutex_lock(&e->lock);
    size_t n = e->n;
    pthread_mutex_unlock(&e->lock);
    return n;
}
