/* ahead.c -- see ahead.h. */
#include "index/ahead.h"

#include "parse/charset.h"

#include <string.h>

enum { SMALL = 1 << 20 };       // bytes of a source that may be read ahead

/* ---- finishing --------------------------------------------------------------------- */

static bool is_fatal(Status st)
{
    return st == E_MEMORY || st == E_CANCELLED || st == E_INTERNAL || st == E_MODEL ||
           st == E_BUSY;
}

static Status passed(Queue *q, const Task *t)
{
    q->now.files_done++;
    q->now.bytes_done += t->bytes;
    return queue_tick(q);
}

/* A source that gave no document. What is met in a folder and is nothing that we read,
 * or is gone by now, is no problem. */
static Status failed(Queue *q, const Task *t, Status st)
{
    bool unread = t->begun == E_FORMAT || t->begun == E_NOTFOUND || t->begun == E_ARG;
    if (is_fatal(st)) return queue_fail(q, st);
    if (t->quiet && unread) q->report->skipped++;
    else queue_problem(q, t->name, q->work.reason);
    ctx_forgive(&q->work);
    return passed(q, t);
}

/* Its time is kept, so that it is not read again at the next visit. */
static Status unchanged(Queue *q, const Task *t)
{
    Status st = OK;
    if (t->is_file)
        st = store_touch(&q->work, q->store, t->origin.uri, t->origin.mtime_ns);
    if (st != OK) return queue_fail(q, st);
    q->report->unchanged++;
    return passed(q, t);
}

static Status finish(Queue *q, Task *t)
{
    queue_tell(q, t->name);
    if (t->begun != OK) {
        fail(&q->work, t->begun, "%s", t->cx.reason);
        return failed(q, t, t->begun);
    }
    if (t->same) return unchanged(q, t);
    Extract *e = t->extract;
    t->extract = NULL;
    Status st = document_end(q, &t->origin, t->known, e);
    return st == OK || q->cx->status != OK ? st : failed(q, t, st);
}

static void release(Task *t)
{
    extract_drop(t->extract);
    ctx_end(&t->cx);
}

static Status finish_first(Ahead *a)
{
    Task *t = &a->at[a->first];
    Status st = finish(a->q, t);
    release(t);
    a->first = (a->first + 1) % AHEAD;
    a->n--;
    return st;
}

Status ahead_finish(Ahead *a)
{
    while (a->n > 0) TRY(finish_first(a));
    return OK;
}

void ahead_drop(Ahead *a)
{
    for (; a->n > 0; a->n--) {
        release(&a->at[a->first]);
        a->first = (a->first + 1) % AHEAD;
    }
}

/* ---- beginning --------------------------------------------------------------------- */

static bool has(const Ahead *a, Str uri)
{
    for (size_t i = 0; i < a->n; i++)
        if (str_eq(a->at[(a->first + i) % AHEAD].origin.uri, uri)) return true;
    return false;
}

/* A task for a source of that size and name, behind those that are there. */
static Status add(Ahead *a, Str uri, uint64_t bytes, Task **out)
{
    bool alone = bytes > SMALL || has(a, uri);
    while (a->n == AHEAD || (alone && a->n > 0)) TRY(finish_first(a));
    Task *t = *out = &a->at[(a->first + a->n) % AHEAD];
    *t = (Task){ .bytes = bytes };
    t->cx = (Ctx){ .cancelled = a->q->work.cancelled,
                   .cancel_arg = a->q->work.cancel_arg };
    t->origin.uri = ctx_dup(&t->cx, uri);
    t->origin.hash = (Str){ t->hash, HASH_BYTES };
    t->name = t->origin.uri.p;
    if (t->name) {
        a->n++;
        return OK;
    }
    release(t);
    fail(&a->q->work, E_MEMORY, "out of memory for a name");
    return queue_fail(a->q, E_MEMORY);
}

/* A large one is not left to others to wait for. */
static Status added(Ahead *a, const Task *t)
{
    return t->bytes > SMALL ? ahead_finish(a) : OK;
}

static Status look_up(Queue *q, Task *t)
{
    return document_is_same(&t->cx, q->store, &t->origin, &t->known, &t->same);
}

static Status begin_file(Queue *q, Task *t, const AheadFile *f)
{
    Source s;
    TRY_NEW((t->origin.root = ctx_dup(&t->cx, f->root)).p);
    TRY(source_open(&t->cx, f->path.p, q->opt.max_file_bytes, &s));
    t->origin.bytes = s.bytes;
    t->origin.kind = s.kind;
    t->origin.mtime_ns = s.mtime_ns;
    memcpy(t->hash, s.hash, HASH_BYTES);
    Status st = look_up(q, t);
    if (st == OK && !t->same)
        return document_begin(&t->cx, q, &t->origin, s.fd, &t->extract);
    source_close(&s);
    return st;
}

Status ahead_file(Ahead *a, const AheadFile *f)
{
    Task *t;
    if (queue_has(a->q, f->uri) || has(a, f->uri)) return OK;   // named twice
    if (!queue_admits(a->q, f->uri)) return OK;
    TRY(add(a, f->uri, f->bytes, &t));
    t->is_file = true;
    t->quiet = !f->named;
    t->name = ctx_dup(&t->cx, f->path).p;
    t->begun = t->name ? begin_file(a->q, t, f) : E_MEMORY;
    if (!t->name) t->name = t->origin.uri.p;
    return added(a, t);
}

static Status check_text(Queue *q, Task *t, const IndexText *text)
{
    if (charset_invalid(text->uri)) return fail(&t->cx, E_FORMAT, "its name is no UTF-8");
    if (t->origin.kind == KIND_NONE) return fail(&t->cx, E_FORMAT, "this is no text");
    if (text->text.n <= q->opt.max_file_bytes) return OK;
    return fail(&t->cx, E_LIMIT, "%zu bytes, the limit is %zu", text->text.n,
                (size_t)q->opt.max_file_bytes);
}

static Status begin_text(Queue *q, Task *t, const IndexText *text)
{
    Origin *o = &t->origin;
    o->bytes = text->text.n;
    o->kind = text->kind ? text->kind : kind_of(text->uri, text->text);
    o->root = (Str){ "", 0 };
    TRY_NEW((o->title = ctx_dup(&t->cx, text->title)).p);
    TRY(check_text(q, t, text));
    source_hash(text->text, t->hash);
    TRY(look_up(q, t));
    if (t->same) return OK;
    int fd = extract_memory(&t->cx, text->text);
    return fd < 0 ? E_IO : document_begin(&t->cx, q, o, fd, &t->extract);
}

Status ahead_text(Ahead *a, const IndexText *text)
{
    Task *t;
    if (!queue_admits(a->q, text->uri)) return OK;
    TRY(add(a, text->uri, text->text.n, &t));
    if (queue_has(a->q, text->uri)) TRY(queue_flush(a->q));     // the later text wins
    t->begun = begin_text(a->q, t, text);
    return added(a, t);
}
