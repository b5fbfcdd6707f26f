/* batch.c -- see batch.h.
 *
 * Invariant: who set `led` is the only one who computes, and who touches sequences; all
 * else is changed under the lock. An order stands until a round fulfilled it; while a
 * round computes it, its caller waits, cancelled or not. No step is taken while anybody
 * `looks` at the logits of the last. */
#include "model/batch.h"

#include "model/turn.h"

#include <stdlib.h>
#include <string.h>

enum {
    SLICE_ROWS = 96,         // of a prompt that each thread reads between two steps
    ALONE_ROWS = 192,        // where nobody writes meanwhile
    FREE_ROWS = 12,          // that a step of several answers may have with their drafts
};

/* One that is taken and wants nothing is busy with what it got last. */
typedef enum Want { WANT_NOTHING, WANT_READ, WANT_STEP } Want;

struct Seat {
    Batch *batch;
    PrefillSeq *seq;         // NULL: none yet
    int32_t *held;           // (window): the marks of its tokens
    size_t n_held, room;     // room: what was asked for
    uint64_t used;           // when it was left, counted in seats left
    bool taken;

    Want want;
    const int32_t *token;    // to read, from the first of all on; or to step with
    size_t n;
    const BatchPrompt *prompt;   // to read
    const int32_t *mark;     // (n): of its tokens
    bool begun, computes, looks;
    size_t reused;
    uint64_t due;            // the prompt that is due first is read
    const float *logits;
    Status st;               // of the round, and why
    char reason[512];
};

struct Batch {
    Prefill *prefill;
    size_t seats, threads;
    Seat *seat;              // (seats)
    Turn door;               // of those who come
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool led;                // somebody computes
    size_t coming;           // who wait for that to end
    bool sliced;             // the last round read
    double step_ms;          // that the last step took
    uint64_t read, left;     // tokens read, seats left, ever
};

/* ---- open and close --------------------------------------------------------------- */

void batch_close(Batch *b)
{
    if (!b) return;
    for (size_t i = 0; b->seat && i < b->seats; i++) {
        prefill_seq_close(b->seat[i].seq);
        free(b->seat[i].held);
    }
    free(b->seat);
    prefill_close(b->prefill);
    turn_close(&b->door);
    pthread_cond_destroy(&b->changed);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static bool seats_open(Batch *b, size_t window)
{
    b->seat = calloc(b->seats, sizeof *b->seat);
    for (size_t i = 0; b->seat && i < b->seats; i++) {
        b->seat[i].batch = b;
        b->seat[i].held = malloc(window * sizeof *b->seat[i].held);
        if (!b->seat[i].held) return false;
    }
    return b->seat != NULL;
}

Status batch_open(Ctx *cx, Prefill *p, const BatchOptions *opt, Batch **out)
{
    Batch *b = calloc(1, sizeof *b);
    *out = NULL;
    if (!b) {
        prefill_close(p);
        return fail(cx, E_MEMORY, "no memory for answers");
    }
    b->prefill = p;
    b->seats = opt->seats < BATCH_SEATS ? opt->seats : BATCH_SEATS;
    b->threads = opt->threads;
    turn_open(&b->door);
    pthread_mutex_init(&b->lock, NULL);
    wait_open(&b->changed);
    if (seats_open(b, opt->window)) return *out = b, OK;
    batch_close(b);
    return fail(cx, E_MEMORY, "no memory for %zu answers", opt->seats);
}

const Prefill *batch_prefill(const Batch *b)
{
    return b->prefill;
}

/* ---- who is there; the lock is held ----------------------------------------------- */

static size_t count(const Batch *b, Want want)
{
    size_t n = 0;
    for (const Seat *s = b->seat; s < b->seat + b->seats; s++)
        n += s->taken && s->want == want;
    return n;
}

static bool anybody_looks(const Batch *b)
{
    for (const Seat *s = b->seat; s < b->seat + b->seats; s++)
        if (s->looks) return true;
    return false;
}

static bool anybody_sits(const Batch *b)
{
    for (const Seat *s = b->seat; s < b->seat + b->seats; s++)
        if (s->taken) return true;
    return false;
}

static Seat *due_first(Batch *b)
{
    Seat *first = NULL;
    for (Seat *s = b->seat; s < b->seat + b->seats; s++)
        if (s->want == WANT_READ && (!first || s->due < first->due)) first = s;
    return first;
}

/* How many of n marks a seat's sequence begins with. */
static size_t common(const Seat *s, const int32_t *mark, size_t n)
{
    size_t i = 0, most = s->seq && s->n_held < n ? s->n_held : s->seq ? n : 0;
    while (i < most && s->held[i] == mark[i]) i++;
    return i;
}

/* The token and how its numbers are had, for they are not the same: what is known says
 * so, and the first token behind which it was computed. Token ids are below 2^29. */
static void mark_all(const BatchPrompt *p, int32_t *mark)
{
    enum { KNOWN = 1 << 30, HOME = 1 << 29 };
    memcpy(mark, p->token, p->n * sizeof *mark);
    for (const PrefillKnown *k = p->known; k < p->known + p->n_known; k++) {
        if (k->home < p->n) mark[k->home] |= HOME;
        for (size_t i = k->at; i < prefill_known_end(k) && i < p->n; i++)
            mark[i] |= KNOWN;
    }
}

/* Tokens of [from, to) that have to be computed. */
static size_t rows(const BatchPrompt *p, size_t from, size_t to)
{
    size_t n = to - from;
    for (const PrefillKnown *k = p->known; k < p->known + p->n_known; k++) {
        size_t begin = k->at > from ? k->at : from, end = prefill_known_end(k);
        if (end > to) end = to;
        if (begin < end) n -= end - begin;
    }
    return n;
}

/* The order is done with. */
static void finish(Seat *s, const Ctx *cx)
{
    s->want = WANT_NOTHING;
    s->computes = false;
    s->st = cx->status;
    memcpy(s->reason, cx->reason, sizeof s->reason);
}

/* ---- reading ---------------------------------------------------------------------- */

/* Begins with what its own sequence or another one has of the prompt. */
static void adopt(Batch *b, Seat *s)
{
    Ctx cx = CTX_INIT;
    const Seat *from = s;
    size_t best = common(s, s->mark, s->n);
    for (const Seat *o = b->seat; o < b->seat + b->seats; o++) {
        size_t n = common(o, s->mark, s->n);
        if (n > best) best = n, from = o;
    }
    if (from != s && prefill_seq_copy(&cx, from->seq, best, s->seq) != OK) best = 0;
    if (from != s) memcpy(s->held, s->mark, best * sizeof *s->held);
    s->n_held = s->reused = best;
    s->begun = true;
    ctx_end(&cx);
}

/* The end of a slice of so many rows. */
static size_t reach(const Seat *s, size_t most)
{
    size_t to = s->n;
    while (rows(s->prompt, s->n_held, to) > most)
        to -= rows(s->prompt, s->n_held, to) - most;
    return to;
}

static void slice(Batch *b, Seat *s)
{
    Ctx cx = CTX_INIT;
    bool alone = count(b, WANT_STEP) + count(b, WANT_NOTHING) == 0;
    size_t most = b->threads * (alone ? ALONE_ROWS : SLICE_ROWS);
    if (!s->begun) adopt(b, s);
    size_t past = s->n_held, n = reach(s, most) - past;
    PrefillText text = { s->token + past, past, n, s->prompt->known, s->prompt->n_known };
    s->computes = true;
    pthread_mutex_unlock(&b->lock);
    Status st = prefill_read(&cx, s->seq, &text);
    pthread_mutex_lock(&b->lock);
    s->computes = false;
    if (st == OK) {
        memcpy(s->held + past, s->mark + past, n * sizeof *s->held);
        s->n_held += n;
        b->read += rows(s->prompt, past, past + n);
    }
    if (st != OK || s->n_held == s->n) finish(s, &cx);
    b->sliced = true;
    ctx_end(&cx);
}

/* ---- writing ---------------------------------------------------------------------- */

/* Those who got their logits a moment ago are back soon: without them a step would be
 * wasted on few. Who takes longer misses it. */
static void gather(Batch *b)
{
    double until = now_ms() + b->step_ms / 4, left;
    while (left = until - now_ms(),
           anybody_looks(b) || (count(b, WANT_NOTHING) && left > 0))
        wait_ms(&b->changed, &b->lock, left > 0 ? left : WAIT_LOOK_MS);
}

/* Who steps, and with how much: a row for each, and then drafts, in turn, as long as they
 * cost little. */
static size_t share_out(Batch *b, Seat *who[BATCH_SEATS], PrefillPart part[BATCH_SEATS])
{
    size_t n = 0, left;
    for (Seat *s = b->seat; s < b->seat + b->seats; s++) {
        if (s->want != WANT_STEP) continue;
        who[n] = s;
        part[n++] = (PrefillPart){ s->seq, s->token, 1, NULL };
    }
    left = n == 1 ? PREFILL_STEP - 1 : n < FREE_ROWS ? FREE_ROWS - n : 0;
    for (size_t before = left + 1; left && left < before;) {
        before = left;
        for (size_t i = 0; i < n && left; i++)
            if (part[i].n < who[i]->n) part[i].n++, left--;
    }
    return n;
}

/* past: what each sequence is to keep first. */
static Status compute(Ctx *cx, Batch *b, PrefillPart *part, const size_t *past, size_t n)
{
    for (size_t i = 0; i < n; i++)
        TRY(prefill_run(cx, part[i].seq, NULL, past[i], 0));
    return prefill_step(cx, b->prefill, part, n);
}

static void step(Batch *b)
{
    Ctx cx = CTX_INIT;
    Seat *who[BATCH_SEATS];
    PrefillPart part[BATCH_SEATS];
    size_t past[BATCH_SEATS];
    gather(b);
    size_t n = share_out(b, who, part);
    if (n == 0) return;      // they were cancelled
    for (size_t i = 0; i < n; i++) {
        who[i]->computes = true;
        past[i] = who[i]->n_held;
    }
    pthread_mutex_unlock(&b->lock);
    double begun = now_ms();
    Status st = compute(&cx, b, part, past, n);
    double took = now_ms() - begun;
    pthread_mutex_lock(&b->lock);
    for (size_t i = 0; i < n; i++) {
        Seat *s = who[i];
        finish(s, &cx);
        if (st != OK) continue;
        memcpy(s->held + past[i], s->token, part[i].n * sizeof *s->held);
        s->n_held += part[i].n;
        s->n = part[i].n;
        s->logits = part[i].logits;
        s->looks = true;
    }
    b->sliced = false;
    b->step_ms = took;
    ctx_end(&cx);
}

/* ---- waiting for one another ------------------------------------------------------ */

/* Prompts and answers take turns. The lock is held, and let go while it computes. */
static void round_for_all(Batch *b)
{
    Seat *reader = due_first(b);
    b->led = true;
    if (reader && (!b->sliced || count(b, WANT_STEP) == 0)) slice(b, reader);
    else step(b);
    b->led = false;
    pthread_cond_broadcast(&b->changed);
}

/* Whether cx was cancelled, which is asked without the lock. */
static Status look(Ctx *cx, Batch *b)
{
    pthread_mutex_unlock(&b->lock);
    Status st = ctx_check(cx);
    pthread_mutex_lock(&b->lock);
    return st;
}

static Status rest(Ctx *cx, Batch *b)
{
    wait_ms(&b->changed, &b->lock, WAIT_LOOK_MS);
    return look(cx, b);
}

/* Waits until what the seat wants is done, and does it for all where nobody does. The
 * lock is held. */
static Status fulfil(Ctx *cx, Seat *s)
{
    Batch *b = s->batch;
    Status st = OK;
    pthread_cond_broadcast(&b->changed);
    while (s->want != WANT_NOTHING && (st == OK || s->computes)) {
        if (st == OK && !b->led && b->coming == 0) round_for_all(b);
        else wait_ms(&b->changed, &b->lock, WAIT_LOOK_MS);
        if (st == OK && s->want != WANT_NOTHING) st = look(cx, b);
    }
    if (st == OK) return s->st == OK ? OK : fail(cx, s->st, "%s", s->reason);
    s->want = WANT_NOTHING;
    s->looks = false;
    pthread_cond_broadcast(&b->changed);
    return st;
}

/* ---- coming and going ------------------------------------------------------------- */

/* The free seat whose sequence goes on as the prompt does, if it would be the most of it;
 * else the one that was left first. */
static Seat *choose(Batch *b, const BatchPrompt *p, const int32_t *mark)
{
    Seat *best = NULL;
    size_t most = 0;
    for (Seat *s = b->seat; s < b->seat + b->seats; s++) {
        size_t n = common(s, mark, p->n - 1);
        if (n < s->n_held / 2) n = 0;
        if (s->taken || (best && n < most)) continue;
        if (!best || n > most || s->used < best->used) best = s, most = n;
    }
    return best;
}

/* Lets go of the sequence that nobody has used for longest; false: there is none. */
static bool forget_one(Batch *b, const Seat *but)
{
    Seat *oldest = NULL;
    for (Seat *s = b->seat; s < b->seat + b->seats; s++)
        if (!s->taken && s->seq && s != but && (!oldest || s->used < oldest->used))
            oldest = s;
    if (!oldest) return false;
    prefill_seq_close(oldest->seq);
    oldest->seq = NULL;
    oldest->n_held = 0;
    return true;
}

/* All the memory that the seat will need. */
static Status furnish(Ctx *cx, Batch *b, Seat *s, size_t tokens)
{
    if (!s->seq) TRY(prefill_seq_open(cx, b->prefill, &s->seq));
    for (;;) {
        Status st = prefill_seq_reserve(cx, s->seq, tokens);
        if (prefill_tokens(s->seq) < s->n_held) s->n_held = 0;
        if (st != E_LIMIT || !forget_one(b, s)) return st;
        ctx_forgive(cx);
    }
}

static void sit(Batch *b, Seat *s, const BatchPrompt *p, const int32_t *mark)
{
    s->taken = true;
    s->prompt = p;
    s->mark = mark;
    s->begun = false;
    s->want = WANT_READ;
    s->token = p->token;
    s->n = p->n - 1;
    s->room = p->n + p->more;
    s->due = b->read + rows(p, common(s, mark, s->n), s->n);
}

/* The lock is held; nobody else is in the door. E_LIMIT: a place may come. */
static Status try_to_sit(Ctx *cx, Batch *b, const BatchPrompt *p, const int32_t *mark,
                         Seat **out)
{
    Status st = OK;
    b->coming++;
    while (st == OK && b->led) st = rest(cx, b);
    b->coming--;
    pthread_cond_broadcast(&b->changed);
    if (st != OK) return st;
    Seat *s = choose(b, p, mark);
    st = s ? furnish(cx, b, s, p->n + p->more) : fail(cx, E_LIMIT, "all seats are taken");
    if (st != OK) return st;
    sit(b, s, p, mark);
    return *out = s, OK;
}

static Status wait_for_seat(Ctx *cx, Batch *b, const BatchPrompt *p, const int32_t *mark,
                            Seat **out)
{
    for (;;) {
        Status st = try_to_sit(cx, b, p, mark, out);
        if (st != E_LIMIT || !anybody_sits(b)) return st;
        ctx_forgive(cx);
        for (uint64_t left = b->left; b->left == left;) TRY(rest(cx, b));
    }
}

static Status sit_and_read(Ctx *cx, Batch *b, const BatchPrompt *prompt,
                           const int32_t *mark, Seat **out)
{
    Seat *s = NULL;
    TRY(turn_take(cx, &b->door));
    pthread_mutex_lock(&b->lock);
    Status st = wait_for_seat(cx, b, prompt, mark, &s);
    pthread_mutex_unlock(&b->lock);
    turn_give(&b->door);
    if (st != OK) return st;
    pthread_mutex_lock(&b->lock);
    st = fulfil(cx, s);
    pthread_mutex_unlock(&b->lock);
    if (st == OK) *out = s;
    else batch_leave(s);
    return st;
}

Status batch_sit(Ctx *cx, Batch *b, const BatchPrompt *prompt, size_t *reused, Seat **out)
{
    int32_t *mark = malloc(prompt->n * sizeof *mark);
    *out = NULL;
    if (!mark) return fail(cx, E_MEMORY, "no memory for %zu tokens", prompt->n);
    mark_all(prompt, mark);
    Status st = sit_and_read(cx, b, prompt, mark, out);
    free(mark);
    if (st == OK) *reused = (*out)->reused;
    return st;
}

void batch_leave(Seat *s)
{
    Batch *b = s->batch;
    pthread_mutex_lock(&b->lock);
    s->taken = s->looks = false;
    s->used = ++b->left;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}

const PrefillSeq *batch_seq(const Seat *s)
{
    return s->seq;
}

Status batch_step(Ctx *cx, Seat *s, const int32_t *token, size_t *n, const float **logits)
{
    Batch *b = s->batch;
    pthread_mutex_lock(&b->lock);
    size_t room = s->room - s->n_held;
    Status st = *n > 0 && room > 0 ? OK
              : fail(cx, E_ARG, "%zu tokens; there is room for %zu", *n, room);
    if (st == OK) {
        s->want = WANT_STEP;
        s->token = token;
        s->n = *n < room ? *n : room;
        st = fulfil(cx, s);
        *n = s->n;
        *logits = s->logits;
    }
    pthread_mutex_unlock(&b->lock);
    return st;
}

void batch_looked(Seat *s, size_t drop)
{
    Batch *b = s->batch;
    pthread_mutex_lock(&b->lock);
    s->n_held -= drop;
    s->looks = false;
    pthread_cond_broadcast(&b->changed);
    pthread_mutex_unlock(&b->lock);
}
