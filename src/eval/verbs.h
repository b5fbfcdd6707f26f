/* verbs.h -- the evaluations. Each reads its operands and options from the job and fills
 * the job's result with figures, in the order in which they are shown. E_ARG is wrong
 * usage and nothing else. */
#ifndef PITH_EVAL_VERBS_H
#define PITH_EVAL_VERBS_H

#include "eval/job.h"

/* Rankings of pith search against judgements. */
MUST_USE Status eval_retrieve(const Job *j);
/* A given run, before and after the reranker ordered it anew. */
MUST_USE Status eval_rerank(const Job *j);
/* Answers of pith ask against accepted ones. */
MUST_USE Status eval_answer(const Job *j);
/* Does pith refuse what the documents do not answer, and only that? */
MUST_USE Status eval_abstain(const Job *j);
/* How much the filter takes out of the context, and whether the answer stays in it. */
MUST_USE Status eval_filter(const Job *j);
/* The user's own questions to the user's own store. */
MUST_USE Status eval_questions(const Job *j);
/* Small and large model over the same passages, and the curve that the router draws. */
MUST_USE Status eval_route(const Job *j);
/* `pith route fit`: the router's weights from such questions. */
MUST_USE Status eval_route_fit(const Job *j);
/* `pith route report`: the accounts in the router's log. */
MUST_USE Status eval_route_report(const Job *j);
/* A threshold with a promise about errors, for the user's own store. */
MUST_USE Status eval_calibrate(const Job *j);
/* Is such a promise kept, on halves of collections that the threshold has not seen? */
MUST_USE Status eval_risk(const Job *j);
/* `pith tune data`: examples to train on, from the store. */
MUST_USE Status eval_tune_data(const Job *j);
/* `pith tune gate`: does an adapter win? It is kept for the store, or put aside. */
MUST_USE Status eval_tune_gate(const Job *j);
/* `pith tune retrieval`: a map of queries, kept for the store if it pays. */
MUST_USE Status eval_tune_retrieval(const Job *j);
/* Two files of --per-query, question by question. */
MUST_USE Status eval_compare(const Job *j);
/* Results of --json as an HTML page, which is written at once; no result of its own. */
MUST_USE Status eval_report(const Job *j);

#endif
