/* ctx.c -- see ctx.h. The arena is a list of blocks; each block doubles up to 1 MiB. */
#include "base/ctx.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Block {
    struct Block *next;
    size_t used, cap;        // bytes of data
    _Alignas(16) char data[];
};

enum { BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20 };

void ctx_end(Ctx *cx)
{
    for (struct Block *b = cx->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    cx->blocks = NULL;
    cx->n_stages = 0;
    ctx_forgive(cx);
}

static struct Block *block_new(Ctx *cx, size_t need)
{
    size_t cap = cx->blocks ? cx->blocks->cap * 2 : BLOCK_MIN;
    if (cap > BLOCK_MAX) cap = BLOCK_MAX;
    if (cap < need) cap = need;
    struct Block *b = malloc(sizeof *b + cap);
    if (!b) return NULL;
    *b = (struct Block){ .next = cx->blocks, .cap = cap };
    cx->blocks = b;
    return b;
}

void *ctx_alloc(Ctx *cx, size_t n, size_t size)
{
    struct Block *b = cx->blocks;
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes) || bytes > PTRDIFF_MAX - 64) {
        fail(cx, E_MEMORY, "a request for %zu items of %zu bytes is too large", n, size);
        return NULL;
    }
    bytes = (bytes + 15) & ~(size_t)15;
    if (!b || bytes > b->cap - b->used) b = block_new(cx, bytes);
    if (!b) {
        fail(cx, E_MEMORY, "out of memory, %zu bytes wanted", bytes);
        return NULL;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    return memset(p, 0, bytes);
}

Status ctx_grow(Ctx *cx, void *array, size_t n, size_t *room, size_t size)
{
    enum { FIRST = 8 };
    void *old;
    if (n < *room) return OK;
    size_t more = *room ? 2 * *room : FIRST;
    void *grown = ctx_alloc(cx, more, size);
    if (!grown) return E_MEMORY;
    memcpy(&old, array, sizeof old);    // a pointer of whatever type
    if (n) memcpy(grown, old, n * size);
    memcpy(array, &grown, sizeof grown);
    *room = more;
    return OK;
}

Str ctx_dup(Ctx *cx, Str s)
{
    char *p = ctx_alloc(cx, s.n + 1, 1);
    if (!p) return (Str){ NULL, 0 };
    if (s.n) memcpy(p, s.p, s.n);
    return (Str){ p, s.n };
}

Str ctx_dup_buf(Ctx *cx, const Buf *b)
{
    if (!b->starved) return ctx_dup(cx, buf_str(b));
    fail(cx, E_MEMORY, "out of memory for a text");
    return (Str){ NULL, 0 };
}

Str ctx_printf(Ctx *cx, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *p = ctx_alloc(cx, n < 0 ? 1 : (size_t)n + 1, 1);
    if (!p || n < 0) return (Str){ p, 0 };
    va_start(ap, format);
    vsnprintf(p, (size_t)n + 1, format, ap);
    va_end(ap);
    return (Str){ p, (size_t)n };
}

Status (fail)(Ctx *cx, Status status, const char *format, ...)   // not the macro of ctx.h
{
    if (cx->status != OK) return cx->status;
    va_list ap;
    va_start(ap, format);
    vsnprintf(cx->reason, sizeof cx->reason, format, ap);
    va_end(ap);
    return cx->status = status;
}

void ctx_forgive(Ctx *cx)
{
    cx->status = OK;
    cx->reason[0] = '\0';
}

Status ctx_check(Ctx *cx)
{
    if (cx->cancelled && cx->cancelled(cx->cancel_arg))
        return fail(cx, E_CANCELLED, "stopped on request");
    return OK;
}

double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

Stage *stage_begin(Ctx *cx, const char *name)
{
    if (cx->n_stages == sizeof cx->stages / sizeof *cx->stages) return NULL;
    Stage *s = &cx->stages[cx->n_stages++];
    *s = (Stage){ .name = name, .ms = -now_ms() };
    return s;
}

void stage_figure(Stage *s, const char *name, double value)
{
    if (!s || s->n_figures == sizeof s->figure / sizeof *s->figure) return;
    s->figure[s->n_figures++] = (Figure){ name, value };
}

void stage_end(Stage *s)
{
    if (s) s->ms += now_ms();
}
