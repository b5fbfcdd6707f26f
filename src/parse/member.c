/* member.c -- see member.h. The member's own memory goes with it. */
#include "parse/member.h"

enum { LEVELS = 6 };

typedef struct Adding {
    Edition *to;
    const Member *m;
    bool named;         // its heading stands
    Status status;      // of the edition
} Adding;

/* The document's own name for itself comes after the name of its file. */
static Status add_name(Adding *a, const Parsed *window)
{
    a->named = true;
    bool heading = window->at[0].kind == PART_HEADING;
    if (a->m->level == 0 || a->m->name.n == 0 || (a->m->chapter && heading)) return OK;
    TRY(edition_add(a->to, PART_HEADING, a->m->level, a->m->name));
    bool said = heading || a->m->chapter || window->title.n == 0 ||
                str_eq(window->title, a->m->name);
    return said ? OK : edition_add(a->to, PART_PARAGRAPH, 0, window->title);
}

static Status add_window(Adding *a, const Parsed *window)
{
    if (window->n && !a->named) TRY(add_name(a, window));
    for (size_t i = 0; i < window->n; i++) {
        const Part *p = &window->at[i];
        bool heading = p->kind == PART_HEADING;
        int level = p->level + (a->m->chapter ? 0 : a->m->level);
        edition_page(a->to, p->page);
        TRY(edition_add(a->to, p->kind, level < LEVELS ? level : LEVELS,
                        heading ? p->name : p->text));
    }
    return OK;
}

static Status take(void *arg, const Parsed *window)
{
    Adding *a = arg;
    a->status = add_window(a, window);
    return a->status;
}

Status member_add(Ctx *cx, Edition *to, const Member *m)
{
    Adding a = { .to = to, .m = m };
    Input in = { .bytes = m->bytes, .name = m->name, .depth = m->depth + 1,
                 .unpacked = m->unpacked };
    Kind kind = m->kind ? m->kind : kind_of(m->name, m->bytes);
    Ctx own = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    int page = to->page;
    if (kind == KIND_NONE || in.depth > INPUT_DEPTH) return OK;
    Status st = parse_document(&own, kind, &in, &(Sink){ take, &a });
    bool over = st == E_CANCELLED || st == E_MEMORY;
    if (over && a.status == OK)
        fail(cx, st, "%s", own.reason[0] ? own.reason : "out of memory for a member");
    ctx_end(&own);
    edition_page(to, page);
    return over && a.status == OK ? st : a.status;
}
