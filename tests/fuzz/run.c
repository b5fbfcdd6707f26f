/* Runs from hostile bytes: what was read is in order, and can be measured. */
#include "eval/trec.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool in_order(const Hit *a, const Hit *b)
{
    return str_cmp(a->query, b->query) < 0 || a->score >= b->score;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Run r;
    Judged j;
    Status st = run_parse(&cx, "fuzz", (Str){ (const char *)data, n }, &r);
    for (size_t i = 1; st == OK && i < r.n; i++)
        if (!in_order(&r.at[i - 1], &r.at[i])) abort();
    if (st == OK) {
        Qrel q = { r.at[0].query, r.at[0].doc, 1, 1 };
        if (trec_judge(&cx, (Qrels){ &q, 1 }, run_of(&r, q.query), &j) != OK) abort();
        if (metric_mrr(&j, 10) != 1) abort();
    }
    if (st != OK && cx.reason[0] == '\0') abort();
    ctx_end(&cx);
    return 0;
}
