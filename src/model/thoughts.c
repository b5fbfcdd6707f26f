/* thoughts.c -- see thoughts.h. */
#include "model/thoughts.h"

#include <string.h>

enum { THOUGHTS_MAX = 64 << 20 };   // bytes

static const char open_mark[] = "<think>", close_mark[] = "</think>";

Thoughts thoughts_open(void)
{
    return (Thoughts){ .head = BUF(THOUGHTS_MAX) };
}

void thoughts_close(Thoughts *t)
{
    buf_free(&t->head);
}

bool thoughts_go_on(const Thoughts *t, Str *held)
{
    *held = (Str){ "", 0 };
    if (t->past) return false;
    Str all = buf_str(&t->head), said = str_trim(all);
    if (!str_starts(said, str_z(open_mark))) return *held = all, false;
    const char *end = memmem(said.p, said.n, close_mark, strlen(close_mark));
    if (!end) return true;
    end += strlen(close_mark);
    for (; end < all.p + all.n && strchr(" \r\n", *end); end++) {}
    *held = (Str){ end, all.n - (size_t)(end - all.p) };
    return false;
}

Str thoughts_pass(Thoughts *t, Str piece)
{
    Str held;
    if (t->past) return piece;
    buf_add(&t->head, piece);
    bool thinks = thoughts_go_on(t, &held);
    bool may_think = str_starts(str_z(open_mark), str_trim(held));
    if (thinks || may_think) return (Str){ "", 0 };
    t->past = true;
    return held;
}

Str thoughts_rest(Thoughts *t)
{
    Str held;
    bool thinks = thoughts_go_on(t, &held);
    t->past = true;
    return thinks ? (Str){ "", 0 } : held;
}
