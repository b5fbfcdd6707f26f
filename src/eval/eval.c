/* eval.c -- see eval.h: finds the evaluation, reads its options, runs it, shows it. */
#include "eval/eval.h"

#include "eval/output.h"
#include "eval/verbs.h"

#include <string.h>

enum { DONE = 0, USAGE = 2, FAILED = 3 };

typedef struct Verb {
    const char *name;
    unsigned bit;
    int least, most;     // operands
    Status (*run)(const Job *j);
    const char *usage;
} Verb;

#define MODELS "  --generator, --embedder, --reranker MODEL, --threads N, --json\n"
#define FILES "  --queries FILE  questions, DIR/queries.jsonl\n" \
              "  --qrels FILE    judgements, DIR/qrels.tsv\n" \
              "  --limit N       the first N questions\n" \
              "  --skip N        of those, not the first N\n" \
              "  --per-query FILE  write one row of figures for each question\n"
#define AUGMENT "  --rewrite, --decompose, --hyde  let the generator add to questions\n"
#define ASKING "  --mode words|vectors|hybrid\n" AUGMENT \
               "  --no-rerank, --no-filter, --no-abstain  leave a stage out\n" \
               "  --filter-margin X  logits that a sentence may lack as evidence, 25\n" \
               "  --whole         drop whole passages, no sentence of the others\n" \
               "  --context-tokens N, --max-tokens N\n"

static const Verb verbs[] = {
    { "retrieve", EVAL_RETRIEVE, 1, 1, eval_retrieve,
      "pith eval retrieve DIR [options]\n"
      "Searches for each question of DIR and holds the ranking against judgements.\n\n"
      FILES
      "  --mode words|vectors|hybrid\n" AUGMENT
      "  --rerank N      the reranker reads the best N passages\n"
      "  --k N           documents of a ranking, 100\n"
      "  --chunk-tokens N  size of passages\n"
      "  --run-out FILE  write the ranking in TREC's format\n"
      "  --baseline FILE a run to compare with, by a paired bootstrap\n" MODELS
      "\nExample:\n  pith eval retrieve data/scifact --mode hybrid --run-out s.run\n" },
    { "rerank", EVAL_RERANK, 1, 1, eval_rerank,
      "pith eval rerank DIR --run FILE [options]\n"
      "Orders a run anew by the reranker alone. Long documents are read in windows; the\n"
      "best window counts.\n\n" FILES
      "  --run FILE      TREC's 6 columns, or query, document, rank or score\n"
      "  --run-out FILE  write the new ranking\n" MODELS
      "\nExample:\n  pith eval rerank data/dl19 --run bm25.tsv --qrels full.tsv\n" },
    { "answer", EVAL_ANSWER, 1, 1, eval_answer,
      "pith eval answer DIR [options]\n"
      "Asks each question of DIR that has \"answers\" and scores what it gets.\n\n" FILES
      "  --oracle        hand over the documents judged relevant, do not search\n"
      "  --closed-book   no documents at all\n"
      "  --budget S      answers within S seconds; in_time is the share that kept it\n"
      "  --quote         answers are to quote, word for word\n"
      "  --kv MIB        keep keys and values of whole passages, as pith ask --kv\n"
      "  --chunk-tokens N  size of passages\n" ASKING MODELS
      "\nExample:\n  pith eval answer data/nq --limit 100 --oracle\n" },
    { "abstain", EVAL_ABSTAIN, 1, 1, eval_abstain,
      "pith eval abstain DIR [options]\n"
      "How many questions without an answer are refused, and how many others are kept.\n"
      "Without an answer is a question of \"type\" no_answer or unanswerable, or one\n"
      "with empty \"answers\".\n\n" FILES
      "  --chunk-tokens N  size of passages\n" ASKING MODELS
      "\nExample:\n  pith eval abstain data/single_topic --json\n" },
    { "filter", EVAL_FILTER, 1, 1, eval_filter,
      "pith eval filter DIR [options]\n"
      "The context of each question with and without the filter: tokens taken out, and\n"
      "how often it holds an accepted answer.\n\n" FILES
      "  --chunk-tokens N  size of passages\n" ASKING MODELS
      "\nExample:\n  pith eval filter data/nq --limit 200 --json\n" },
    { "questions", EVAL_QUESTIONS, 1, 1, eval_questions,
      "pith eval questions FILE [options]\n"
      "Your own questions to your own store: lines of {\"question\", \"answers\"?,\n"
      "\"document\"?}.\n\n"
      "  --limit N, --per-query FILE, --rerank N\n" ASKING MODELS
      "\nExample:\n  pith eval questions my-questions.jsonl\n" },
    { "route", EVAL_ROUTE, 1, 1, eval_route,
      "pith eval route DIR|ROWS.tsv --remote URL [options]\n"
      "Each question of DIR is answered by the small model and by the large one at URL,\n"
      "from the same passages; the questions are then given to the large one in the\n"
      "order of the router's score. The area under that curve (auc) is held against\n"
      "chance and against the best single feature, by a paired bootstrap. Answers are\n"
      "kept: a second run asks nobody, and a run that was stopped goes on. ROWS.tsv,\n"
      "which --per-query wrote, is looked at as it is.\n\n" FILES
      "  --remote URL, --remote-model NAME  the large model's server\n"
      "  --risk R, --confidence C, --splits N  promise on half of the questions that at\n"
      "                  most a share R of the answers kept here is wrong, and count on\n"
      "                  the other half, N times; .95 and 100\n"
      "  --chunk-tokens N  size of passages\n" ASKING MODELS
      "\nExample:\n  pith eval route data/nq --limit 80 --remote http://127.0.0.1:8378/v1"
      "\n" },
    { "route-fit", EVAL_ROUTE_FIT, 1, OPERANDS_MAX, eval_route_fit,
      "pith route fit FILE... [options]\n"
      "Learns the router's weights from questions that both models answered. FILE is\n"
      "what `pith eval route --per-query` wrote, the router's log (route.jsonl), or\n"
      "questions of your own for your store: lines of {\"question\", \"answers\"?},\n"
      "which are put to both models. Without answers the large model's is the measure.\n"
      "The figures are of questions unseen: each file by the others, one by fifths.\n\n"
      "  --keep Q        escalate what keeps a share Q of the large one's quality, .95\n"
      "  --share S       escalate a share S of the questions\n"
      "  --risk R, --confidence C  escalate until at most a share R of the answers left\n"
      "                  is wrong, with this confidence, .95\n"
      "  --features A,B  learn weights for these alone\n"
      "  --penalty X     on large weights, 0.1\n"
      "  --out FILE      the weights; route.json in pith's folder of settings\n"
      "  --remote URL, --remote-model NAME  the large model's server\n"
      "  --limit N, --per-query FILE\n" ASKING MODELS
      "\nExample:\n"
      "  pith route fit questions.jsonl --remote http://127.0.0.1:8378/v1\n" },
    { "route-report", EVAL_ROUTE_REPORT, 0, 1, eval_route_report,
      "pith route report [FILE] [--json]\n"
      "The accounts in the router's log: questions, tokens, cost and time of a route,\n"
      "and, where both models answered, the curve of agreement over what was escalated.\n"
    },
    { "calibrate", EVAL_CALIBRATE, 0, 1, eval_calibrate,
      "pith calibrate [FILE | DIR] [options]\n"
      "Fits the threshold below which pith does not answer: of the questions that pass,\n"
      "at most a share --risk has no passage that answers, with confidence\n"
      "--confidence. The questions come from a FILE of {\"question\", \"answers\"?,\n"
      "\"document\"?} for your store, from a DIR with a collection, or are written by\n"
      "the small model from passages of your store. What is found is kept beside it.\n\n"
      "  --risk R        share of wrong among those that pass, 0.1\n"
      "  --confidence C  0.95\n"
      "  --masked        ask every second question as if its documents were not there\n"
      "  --limit N       the first N questions; of those written, 200\n"
      "  --per-query FILE  write one row of figures for each question\n"
      "  --show, --reset what is kept; forget it\n" ASKING MODELS
      "\nExamples:\n  pith calibrate my-questions.jsonl --risk 0.05\n"
      "  pith calibrate --limit 400\n" },
    { "risk", EVAL_RISK, 1, OPERANDS_MAX, eval_risk,
      "pith eval risk DIR|FILE.tsv... [options]\n"
      "Is the promise of `pith calibrate` kept? Questions are split in two at random; a\n"
      "threshold is chosen on one half, the risk counted on the other. FILE.tsv is what\n"
      "--per-query wrote.\n\n" FILES
      "  --splits N      100\n"
      "  --risk R, --confidence C  what is promised: 0.1, 0.95\n"
      "  --masked        ask every second question as if its documents were not there\n"
      "  --chunk-tokens N  size of passages\n" ASKING MODELS
      "\nExample:\n  pith eval risk data/nq --masked --limit 300\n" },
    { "tune-data", EVAL_TUNE_DATA, 0, 0, eval_tune_data,
      "pith tune data [--out FILE.jsonl] [options]\n"
      "Examples to train on, from your documents: the small model writes a question and\n"
      "an answer about a passage, and what it wrote is checked. A fifth of the\n"
      "documents is held out, in FILE.dev.jsonl; FILE.rejected.jsonl says why others\n"
      "were not taken. The same command goes on where it was stopped.\n\n"
      "  --out FILE      tune.jsonl\n"
      "  --count N       examples wanted in all, 200\n"
      "  --passages N    of a conversation, 3\n"
      "  --unanswerable X  share of the questions whose document is left out, 0.2\n"
      "  --agree X       F1 that two answers of the model need, 0.5\n"
      "  --context-tokens N  what passages are chosen from, 1200\n"
      "  --minutes T     stop after so long\n"
      "  --jobs N        passages worked on at a time, 4: they share the model\n"
      "  --seed N        the draw of passages and documents\n" MODELS
      "\nExample:\n  pith tune data --out qa.jsonl --count 500\n" },
    { "tune-gate", EVAL_TUNE_GATE, 0, 0, eval_tune_gate,
      "pith tune gate --adapter FILE --data DEV.jsonl [options]\n"
      "Does the adapter win on questions it has not learned from? It must answer better\n"
      "(F1, paired bootstrap, p < .05), refuse no less of what has no answer (2\n"
      "points), and forget no more of general knowledge (5 points). A winner is used by\n"
      "ask and serve from then on; a loser goes to rejected/ with its report.\n\n"
      "  --data FILE     as `pith tune data` writes, or {\"question\", \"answer\",\n"
      "                  \"context\"?}\n"
      "  --limit N       the first N of them\n"
      "  --show, --reset the store's adapter; do without from now on\n" MODELS
      "\nExample:\n  pith tune gate --generator smollm2-135m --adapter run/adapter.gguf "
      "--data qa.dev.jsonl\n" },
    { "tune-retrieval", EVAL_TUNE_RETRIEVAL, 0, 0, eval_tune_retrieval,
      "pith tune retrieval [--out FILE.jsonl] [options]\n"
      "A linear map of query vectors, made of the vectors of your store. The small\n"
      "model writes questions about your passages; those of each half of the\n"
      "documents choose a map that those of the other half judge. It is used from then\n"
      "on if it brings the passages nearer to the top (reciprocal rank, p < .05).\n"
      "The same command goes on where it was stopped.\n\n"
      "  --out FILE      the questions, retrieval.jsonl\n"
      "  --count N       questions wanted in all, 300\n"
      "  --minutes T     stop writing after so long\n"
      "  --jobs N        passages worked on at a time, 4: they share the model\n"
      "  --seed N        the draw of passages and halves\n"
      "  --show, --reset what is kept; do without from now on\n" MODELS
      "\nExample:\n  pith tune retrieval --count 500\n" },
    { "compare", EVAL_COMPARE, 2, 2, eval_compare,
      "pith eval compare A.tsv B.tsv [options]\n"
      "Two files of --per-query: is the difference more than chance? Paired bootstrap,\n"
      "10,000 samples, 95 % interval.\n\n"
      "  --examples N    the N questions that gained most from A to B, and lost most\n"
      "  --by COLUMN     by this figure, larger being better; the first one\n"
      "  --json\n"
      "\nExample:\n  pith eval compare off.tsv on.tsv --examples 3 --by f1\n" },
    { "report", EVAL_REPORT, 1, OPERANDS_MAX, eval_report,
      "pith eval report A.json [B.json...] > report.html\n"
      "What --json printed, side by side on one page with plots.\n"
    },
};
enum { N_VERBS = sizeof verbs / sizeof *verbs };

static void tell(const EvalEnv *env, const char *message)
{
    if (env->on_message) env->on_message(env->arg, message);
}

static const Verb *find_verb(const char *name)
{
    for (int i = 0; name && i < N_VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0) return &verbs[i];
    return NULL;
}

static int help(FILE *to)
{
    fputs("pith eval NAME ...\n\n"
          "  retrieve DIR    rankings against judgements: nDCG, recall, MRR, MAP\n"
          "  rerank DIR      a given run, reranked\n"
          "  answer DIR      answers against accepted ones: EM, F1, contains\n"
          "  abstain DIR     what is refused, what is kept\n"
          "  filter DIR      what the filter takes out, and what it costs\n"
          "  route DIR       small and large model: what does the router gain?\n"
          "  questions FILE  your own questions to your own store\n"
          "  risk DIR...     is a promise about errors kept?\n"
          "  compare A B     is a difference more than chance?\n"
          "  report A...     results as a page with plots\n\n"
          "DIR holds corpus.jsonl, queries.jsonl and qrels.tsv. It is indexed once,\n"
          "into the cache folder. `pith eval NAME --help` says more.\n", to);
    return DONE;
}

static Status check_operands(Ctx *cx, const Verb *v, const EvalOptions *o)
{
    const char *line = strchr(v->usage, '\n');
    if (o->n_operands >= v->least && o->n_operands <= v->most) return OK;
    return fail(cx, E_ARG, "usage: %.*s", (int)(line - v->usage), v->usage);
}

static Status run(Ctx *cx, const Verb *v, const EvalEnv *env, const EvalOptions *o)
{
    Job j = { cx, env, o, json_object() };
    if (!j.result) return fail(cx, E_MEMORY, "no memory for a result");
    Status st = v->run(&j);
    bool any = json_object_size(j.result) > 0;
    if (st == OK && any && !output_write(env->out, j.result, env->json || o->json))
        st = fail(cx, E_IO, "the result cannot be written");
    json_decref(j.result);
    return st;
}

int eval_main(int argc, char **argv, const EvalEnv *env)
{
    Ctx cx = CTX_INIT;
    EvalOptions o;
    const Verb *v = argc > 0 ? find_verb(argv[0]) : NULL;
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0))
        return help(env->out);
    if (!v)
        return tell(env, "eval needs one of retrieve, rerank, answer, abstain, "
                         "filter, route, questions, risk, compare and report: see "
                         "pith eval --help"), USAGE;
    Status st = eval_options_read(&cx, v->bit, argc, argv, &o);
    if (st == OK && o.help) return fputs(v->usage, env->out), DONE;
    if (st == OK) st = check_operands(&cx, v, &o);
    if (st == OK) st = run(&cx, v, env, &o);
    if (st != OK) tell(env, cx.reason[0] ? cx.reason : "out of memory");
    ctx_end(&cx);
    return st == OK ? DONE : st == E_ARG ? USAGE : FAILED;
}
