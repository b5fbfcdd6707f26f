/* Judgements from hostile bytes: every query that was read is found again. */
#include "eval/trec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Qrels q;
    Judged j;
    Status st = qrels_parse(&cx, "fuzz", (Str){ (const char *)data, n }, &q);
    for (size_t i = 0; st == OK && i < q.n; i += q.n / 16 + 1) {
        Qrels of = qrels_of(&q, q.at[i].query);
        if (of.n == 0 || trec_judge(&cx, of, (Run){ 0 }, &j) != OK) abort();
    }
    if (st != OK && cx.reason[0] == '\0') abort();
    ctx_end(&cx);
    return 0;
}
