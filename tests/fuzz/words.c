/* Any bytes: words and sentences lie inside the text, in order, and the walk ends. */
#include "base/words.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
    if (!ok) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static Words *w;
    Ctx cx = CTX_INIT;
    Word word;
    Span *s;
    size_t count, at = 0;
    Str text = { (const char *)data, n };
    if (!w) must(words_open(&cx, &w) == OK);
    must(words_begin(&cx, w, text) == OK);
    for (count = 0; words_next(w, &word); count++) {
        must(word.start < word.end && word.end <= n && word.stem.n > 0);
        must(count <= 2 * n);
    }
    must(words_sentences(&cx, w, text, &s, &count) == OK);
    for (size_t i = 0; i < count; i++) {
        must(at <= s[i].start && s[i].start < s[i].end && s[i].end <= n);
        at = s[i].end;
    }
    ctx_end(&cx);
    return 0;
}
