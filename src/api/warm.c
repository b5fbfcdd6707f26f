/* warm.c -- pith_warm: the generator reads the passages of the store ahead. */
#include "ask/warm.h"

#include "api/handle.h"

typedef struct Relay {
    void (*on_progress)(void *arg, const pith_warmed *now);
    void *arg;
} Relay;

static pith_warmed warmed_out(const Warmed *w)
{
    return (pith_warmed){ w->passages, w->read, w->before, w->left };
}

static void relay_progress(void *arg, const Warmed *now)
{
    const Relay *r = arg;
    pith_warmed out = warmed_out(now);
    if (r->on_progress) r->on_progress(r->arg, &out);
}

static Status warm_all(Ctx *cx, pith *p, Relay *relay, Warmed *out)
{
    Store *s;
    Model *m;
    WarmOptions opt = { relay_progress, relay };
    if (p->kv_mib == 0)
        return fail(cx, E_ARG, "no disk is allowed for what is read: set kv_mib");
    TRY(handle_store(cx, p, p->store_writes, &s));
    TRY(handle_model(cx, p, ROLE_GENERATOR, &m));
    if (!m) return fail(cx, E_ARG, "reading ahead needs a generator: name one");
    return warm(cx, s, m, &opt, out);
}

int pith_warm(pith *p, void (*on_progress)(void *arg, const pith_warmed *now), void *arg,
              pith_warmed *out, pith_error *why)
{
    Relay relay = { on_progress, arg };
    Warmed done = { 0 };
    Ctx cx;
    call_begin(p, &cx);
    Status st = warm_all(&cx, p, &relay, &done);
    if (out) *out = warmed_out(&done);
    return call_end(p, &cx, st, false, why);
}
