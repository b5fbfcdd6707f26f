/* What is proposed stood in the text, behind the longest suffix that a search by hand
 * finds. */
#include "model/draft.h"

#include <assert.h>
#include <string.h>

enum { MOST = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Draft *d;
    int32_t text[MOST], out[DRAFT_MOST];
    if (n > MOST) n = MOST;
    if (draft_open(&cx, n, &d) != OK) return 0;
    for (size_t i = 0; i < n; i++) {
        size_t behind = 0, match, longer, got;
        text[i] = data[i];
        draft_add(d, &text[i], 1);
        match = draft_match(d, &behind);
        assert(match <= i && behind <= i);
        assert(!match || !memcmp(text + i + 1 - match, text + behind - match,
                                 match * sizeof *text));
        for (size_t stop = 1; stop <= i; stop++) {
            longer = 0;
            while (longer < stop && text[stop - 1 - longer] == text[i - longer]) longer++;
            assert(longer <= match);
        }
        got = draft_propose(d, DRAFT_MOST, out);
        assert(!got || !memcmp(out, text + behind, got * sizeof *out));
        if (got) draft_judge(d, got, data[i] % (got + 1));
    }
    draft_close(d);
    ctx_end(&cx);
    return 0;
}
