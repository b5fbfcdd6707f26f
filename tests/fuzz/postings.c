/* Any bytes as a list of postings: a walk ends, and no chunk comes twice. */
#include "store/postings.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    PostingReader r = { .p = data, .end = data + n };
    Posting p;
    size_t seen = 0;
    int64_t last = 0;
    int more;
    while ((more = postings_next(&r, &p)) == 1) {
        assert(p.id > last && p.count > 0);
        assert(++seen <= n);
        last = p.id;
    }
    assert(more == 0 || more == -1);
    return 0;
}
