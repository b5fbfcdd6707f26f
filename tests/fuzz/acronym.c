/* Any bytes as a text: the pairs that it explains stand in it, and the search ends. */
#include "ask/acronym.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *copy = malloc(n + !n);
    size_t at = 0;
    Str text = { copy, n };
    if (!copy) return 0;
    if (n) memcpy(copy, data, n);
    for (Acronym a; acronym_next(text, &at, &a);) {
        assert(at > 0 && at <= n && a.term.n > 1 && a.meaning.n > a.term.n);
        assert(a.term.p >= copy && a.term.p + a.term.n <= copy + n);
        assert(a.meaning.p >= copy && a.meaning.p + a.meaning.n <= copy + n);
    }
    free(copy);
    return 0;
}
