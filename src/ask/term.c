/* term.c -- see term.h. */
#include "ask/term.h"

#include "base/ascii.h"

bool term_is_in(Str text, Str term, bool as_written)
{
    for (size_t i = 0; term.n > 0 && i + term.n <= text.n; i++) {
        Str here = { text.p + i, term.n };
        if (as_written ? !str_eq(here, term) : !str_ieq(here, term)) continue;
        bool before = i > 0 && in_word(text.p[i - 1]) && in_word(term.p[0]);
        size_t end = i + term.n;
        if (as_written && end < text.n && text.p[end] == 's') end++;
        bool behind = end < text.n && in_word(text.p[end])
                   && in_word(term.p[term.n - 1]);
        if (!before && !behind) return true;
    }
    return false;
}
