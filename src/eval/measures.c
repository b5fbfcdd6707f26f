/* measures.c -- see measures.h. */
#include "eval/measures.h"

const char *const measure_name[N_MEASURES] = {
    "ndcg@10", "recall@100", "mrr@10", "map", "recall@10", "ndcg_exp@10",
};

bool measure_counts(const Qrels *qrels, Str question)
{
    Qrels of = qrels_of(qrels, question);
    for (size_t i = 0; i < of.n; i++)
        if (of.at[i].grade > 0) return true;
    return false;
}

static void measure(const Judged *j, double *row)
{
    row[NDCG10] = metric_ndcg(j, 10, GAIN_LINEAR);
    row[RECALL100] = metric_recall(j, 100);
    row[MRR10] = metric_mrr(j, 10);
    row[MAP] = metric_ap(j);
    row[RECALL10] = metric_recall(j, 10);
    row[NDCG10_EXP] = metric_ndcg(j, 10, GAIN_EXPONENTIAL);
}

Status measure_run(Ctx *cx, const Questions *qs, const Qrels *qrels, const Run *run,
                   Table *out)
{
    TRY(table_new(cx, measure_name, N_MEASURES, qs->n, out));
    for (size_t i = 0; i < qs->n; i++) {
        Judged j;
        Str id = qs->at[i].id;
        TRY(trec_judge(cx, qrels_of(qrels, id), run_of(run, id), &j));
        if (j.n_ideal == 0) continue;
        measure(&j, table_row(out, id));
        TRY(table_tell(cx, out, qs->at[i].text, STR("")));
    }
    if (out->n == 0)
        return fail(cx, E_FORMAT, "no question has a document judged relevant: do "
                    "questions and judgements belong together?");
    return OK;
}
