/* pith.h -- private, cited question answering over your own documents.
 *
 *     pith *p = NULL;
 *     pith_error why;
 *     if (pith_open(NULL, &p, &why)) { fputs(why.message, stderr); return 1; }
 *     const char *paths[] = { "docs" };
 *     pith_add(p, paths, 1, NULL, NULL, &why);
 *     pith_answer *a = NULL;
 *     if (!pith_ask(p, "How long is the warranty?", NULL, &a, &why)) puts(a->text);
 *     pith_answer_free(a);
 *     pith_close(p);
 *
 * Text is UTF-8. Every struct of options may be NULL or all zero bytes: each field says
 * what zero means. Functions return 0 or a PITH_E_ code and then fill *why, which may be
 * NULL; outputs are set to NULL on failure. What a function hands out is freed by the
 * function named beside it; everything else is borrowed for the call. A handle serves one
 * call at a time: calls from several threads wait for each other. Different handles are
 * independent, but for models that they share, and an answer is the same whatever else is
 * answered. The library never prints or exits, and touches the network only to pull a
 * model or to ask a remote one that the owner named and allowed. */
#ifndef PITH_H
#define PITH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined __GNUC__
#define PITH_API __attribute__((visibility("default")))
#else
#define PITH_API
#endif

#define PITH_VERSION "0.1.0"

enum {
    PITH_OK = 0,
    PITH_E_ARG,         /* the call asked for something impossible */
    PITH_E_IO,          /* a file or a disk said no */
    PITH_E_FORMAT,      /* foreign bytes are not what they claim to be */
    PITH_E_LIMIT,       /* larger than allowed */
    PITH_E_MEMORY,
    PITH_E_NOTFOUND,
    PITH_E_BUSY,        /* another process is writing to the store */
    PITH_E_MODEL,       /* a model is absent or cannot do this */
    PITH_E_NET,
    PITH_E_CANCELLED,
    PITH_E_INTERNAL
};

typedef struct pith_error {
    int code;
    char message[512];
} pith_error;

typedef struct pith pith;

enum { PITH_REMOTE_NEVER = 0, PITH_REMOTE_ASK, PITH_REMOTE_AUTO };

typedef struct pith_options {
    const char *store;      /* file; NULL: $PITH_STORE or $XDG_DATA_HOME/pith/store.db */
    const char *generator;  /* name or GGUF path; NULL: $PITH_GENERATOR or default */
    const char *embedder;   /* NULL: $PITH_EMBEDDER or default; may be elsewhere, at
                               "https://host/v1#name,dim=384" */
    const char *reranker;   /* NULL: $PITH_RERANKER or default; "none": do without; may be
                               elsewhere, without dim */
    const char *adapter;    /* LoRA of the generator (GGUF), "none": do without; NULL:
                               $PITH_ADAPTER or the store's own (pith_adapter_set) */
    int threads;            /* 0: one per core */
    int read_only;          /* 1: never write, never wait for a writer */
    int context_tokens;     /* the generator's window; 0: 4096 at most */
    /* A large model elsewhere, for questions that the small one may not manage. Nothing
     * is sent unless a server is named and the policy lets it; text of documents below
     * a prefix in $XDG_CONFIG_HOME/pith/private is never sent. */
    const char *remote;         /* "https://host/v1", as OpenAI; NULL: $PITH_REMOTE */
    const char *remote_model;   /* NULL: $PITH_REMOTE_MODEL or the server's choice */
    int remote_policy;          /* PITH_REMOTE_NEVER, ... */
    int (*may_send)(void *arg, const char *why);    /* for PITH_REMOTE_ASK: 1 is yes */
    long remote_day_tokens;     /* budget a day; 0: no limit */
    double remote_day_cost;     /* the same in money; 0: no limit */
    double remote_price_in, remote_price_out;       /* of a million tokens */
    double remote_day_seconds;  /* the same in seconds of waiting for it, of which one
                                   answer takes 60 at most; 0: no limit */
    int (*cancelled)(void *arg);  /* polled often; nonzero stops the call; may be NULL */
    void *arg;
    /* Many at a time: a handle for each thread, all of which share the models of one. */
    pith *share;            /* another handle, that names the same models: what either has
                               loaded serves both, and they may be closed in any order.
                               NULL: models of its own */
    int answers;            /* written at a time by handles that share, at most 24: their
                               tokens cost one reading of the model together; 0: 1 */
    int kv_mib;             /* disk below $XDG_CACHE_HOME/pith/kv that keys and values of
                               passages may have: what the generator has read of one, it
                               need not read again. Answers are not quite the same; they
                               are asked for with whole passages. 0: none */
} pith_options;

/* Opens a store, which need not exist yet. Models are loaded when first needed. */
PITH_API int pith_open(const pith_options *opt, pith **out, pith_error *why);
PITH_API void pith_close(pith *p);

/* ---- documents -------------------------------------------------------------------- */

typedef struct pith_progress {
    size_t files_done, files_total;
    uint64_t bytes_done, bytes_total;
    size_t chunks_done;
    const char *current;    /* what is in work */
} pith_progress;

typedef struct pith_add_options {
    int chunk_tokens;           /* 0: 200 */
    uint64_t max_file_bytes;    /* 0: 256 MiB; at most 4 GiB */
    void (*on_progress)(void *arg, const pith_progress *now);
    void (*on_problem)(void *arg, const char *path, const char *reason);
    void *arg;
} pith_add_options;

typedef struct pith_report {
    size_t added, changed, unchanged, removed, skipped, failed;  /* documents */
    size_t chunks;                                               /* written */
} pith_report;

/* Indexes files and folders; unchanged files cost nothing. report may be NULL. A file
 * that cannot be read is told to on_problem, counted as failed, and the rest goes on.
 * Documents are read by pith-extract, a program of the library's own that is started for
 * the call and can do nothing else: $PITH_EXTRACT, or beside the library. */
PITH_API int pith_add(pith *p, const char *const *paths, size_t n,
                      const pith_add_options *opt, pith_report *report, pith_error *why);

typedef struct pith_text {
    const char *uri;        /* unique name */
    const char *title;      /* NULL: found in the text */
    const char *text;       /* NUL-terminated, or the bytes of a file of any format */
    const char *format;     /* as pith_format names it; NULL: told from uri and bytes */
    size_t bytes;           /* of text; 0: up to its NUL */
} pith_text;

/* The name of format i, from 0: "text", "markdown", "pdf", ...; NULL behind the last. */
PITH_API const char *pith_format(int i);
/* Indexes texts, or files that are no text, from memory. */
PITH_API int pith_add_texts(pith *p, const pith_text *docs, size_t n,
                            const pith_add_options *opt, pith_report *report,
                            pith_error *why);
/* Revisits all that pith_add was given: new, changed and deleted files. */
PITH_API int pith_sync(pith *p, const pith_add_options *opt, pith_report *report,
                       pith_error *why);
/* Removes a document, or all below a folder; *removed, which may be NULL, counts them. */
PITH_API int pith_remove(pith *p, const char *uri, size_t *removed, pith_error *why);
/* Makes all vectors anew with the embedder of this handle. */
PITH_API int pith_reembed(pith *p, const pith_add_options *opt, pith_report *report,
                          pith_error *why);

/* The store as JSON; free with pith_string_free.
 * pith_list:   [{"document","title","bytes","chunks","root"}]; root: the path under which
 *              pith_add found it, "" for a text from memory
 * pith_status: {"store","documents","chunks","text_bytes","file_bytes","embedder",
 *               "models":[{"role","name","path","present"}]} */
PITH_API int pith_list(pith *p, char **json, pith_error *why);
PITH_API int pith_status(pith *p, char **json, pith_error *why);
PITH_API void pith_string_free(char *s);
/* How the tokenizers of generator and embedder break the words of the documents, as JSON;
 * free with pith_string_free. Shares are of all words; unknown is null where a tokenizer
 * does not tell; worst leaves numbers out. E_MODEL: neither model is here.
 * {"words","distinct","left_out","models":[{"role","name","tokens","tokens_per_word",
 * "over_2","over_4","unknown","worst":[{"word","count","tokens"}]}]} */
PITH_API int pith_vocab(pith *p, char **json, pith_error *why);
/* Abbreviations that the documents explain and no glossary has yet, and whose meaning
 * stands without them in as many documents as with them, or more; those of most documents
 * first, as JSON: {"entries":[{"term","meaning","documents","times"}],"known",
 * "written","file"}; free with pith_string_free. known: how many the glossaries have.
 * write: they are added to the store's glossary too, STORE.glossary. */
PITH_API int pith_glossary(pith *p, int write, char **json, pith_error *why);

/* ---- search ----------------------------------------------------------------------- */

typedef struct pith_passage {
    int64_t chunk;          /* its id in the store; 0 for a passage the caller gave */
    int rank;               /* 1 is best */
    double score;           /* [0,1] fused; comparable within one result */
    double words, vectors;  /* BM25 and cosine; 0 where that side did not find it */
    double rerank;          /* logit of the reranker; NAN where it did not look */
    double sentence;        /* logit of its best sentence; NAN likewise */
    const char *document, *title, *section, *text;
    const char *read;       /* what of the text the model was given to read */
    size_t start, end;      /* bytes of the document's source */
    int page, page_end;     /* first and last, from 1; 0: the source has no pages */
} pith_passage;

typedef struct pith_stage {
    char name[24];
    double ms;
    struct { char name[24]; double value; } figure[8];
    int n_figures;
} pith_stage;

typedef struct pith_results {
    pith_passage *at;
    size_t n;
    pith_stage *stages;     /* what was done, in order, with its figures */
    size_t n_stages;
    double ms;
} pith_results;

enum { PITH_HYBRID = 0, PITH_WORDS, PITH_VECTORS };

typedef struct pith_search_options {
    int k;                  /* passages wanted; 0: 10 */
    int mode;               /* PITH_HYBRID, PITH_WORDS, PITH_VECTORS */
    int rerank;             /* how many of the best the reranker reads; 0: none */
    double rerank_ms;       /* no further 16 are begun after this; 0: no limit */
    /* What the generator is to add before the search, at the price of a generation each;
     * 1: search as well with the question in a document's words, with the simpler
     * questions that it is made of, with the vector of a passage that could answer it */
    int rewrite, decompose, hyde;
} pith_search_options;

/* Free with pith_results_free. No result is not an error. */
PITH_API int pith_search(pith *p, const char *query, const pith_search_options *opt,
                         pith_results **out, pith_error *why);
PITH_API void pith_results_free(pith_results *r);
/* At most n passages drawn at random, evenly over the store; a seed gives the same ones
 * again. Free with pith_results_free. */
PITH_API int pith_sample(pith *p, size_t n, uint64_t seed, pith_results **out,
                         pith_error *why);

typedef struct pith_warmed {
    size_t passages;            /* of the store */
    size_t read, before, left;  /* read now; there already; left: too short, or no room */
} pith_warmed;

/* Lets the generator read the passages of the store ahead, in the order of documents and
 * as far as pith_options.kv_mib goes; what questions had read stays. Stopped, it keeps
 * what it has. on_progress and out may be NULL. PITH_E_ARG: kv_mib is 0. PITH_E_MODEL: a
 * generator of which nothing can be kept. */
PITH_API int pith_warm(pith *p, void (*on_progress)(void *arg, const pith_warmed *now),
                       void *arg, pith_warmed *out, pith_error *why);

/* ---- ask -------------------------------------------------------------------------- */

typedef struct pith_message {
    const char *role;       /* "system", "user", "assistant" */
    const char *content;
} pith_message;

enum { PITH_GROUNDED = 0, PITH_GIVEN, PITH_CLOSED_BOOK };
enum { PITH_ROUTE_AUTO = 0, PITH_ROUTE_SLM, PITH_ROUTE_LLM };

typedef struct pith_ask_options {
    int context_tokens;     /* budget for passages; 0: 1200 */
    int max_tokens;         /* of the answer; 0: 256 */
    float temperature;      /* 0: greedy */
    uint64_t seed;
    int mode;               /* PITH_HYBRID, ... */
    int no_rerank, no_filter, no_abstain;   /* 1: leave that stage out */
    int whole;              /* 1: the filter drops whole passages, and no sentence of one
                               that stays */
    int rerank;             /* how many of the best the reranker reads; 0: 20 */
    double rerank_ms;       /* no further 16 are begun after this; 0: no limit */
    float filter_margin;    /* logits that a sentence may lack as evidence; 0: 25 */
    int context_only;       /* 1: stop before the model writes: passages, confidence and
                               abstained are filled, text is empty */
    int ground;             /* PITH_GROUNDED: search. PITH_GIVEN: answer from `passages`.
                               PITH_CLOSED_BOOK: from the model's memory, no passages */
    const char *const *passages;
    size_t n_passages;
    int remote_context_tokens;  /* the large model's budget for passages; 0: the same; its
                               window, where no passage fits context_tokens */
    int route;              /* who writes: PITH_ROUTE_AUTO: the router. PITH_ROUTE_LLM is
                               still bound to the owner's rules */
    const pith_message *history;    /* earlier turns, oldest first */
    size_t n_history;
    const char *const *without;     /* documents to leave out of the search: a uri, or its
                                       end from a '/' on */
    size_t n_without;
    int rewrite, decompose, hyde;   /* as in pith_search_options */
    int quote;              /* 1: the answer is to quote, and what it puts between
                               quotation marks stands in a passage byte for byte */
    double budget_ms;       /* the answer is wanted within this time, loading included:
                               what is reranked, read and written is chosen by what these
                               steps took on this machine before, and the generator is
                               broken off in time; where it had said nothing, a sentence
                               of the best passage is the answer (finish_length is 1).
                               0: no limit. The fields above stay the most */
    int no_calibration;     /* 1: confidence and threshold as the program has them */
    int no_log;             /* 1: no line in the router's log, as for a trial; what is
                               sent counts against the budget all the same */
    /* The answer as it grows, citations included; nonzero stops. May be NULL. */
    int (*on_text)(void *arg, const char *piece, size_t n);
    void *arg;
} pith_ask_options;

typedef struct pith_citation {
    int n;                  /* the [n] in the text */
    size_t passage;         /* index into passages */
    size_t start, end;      /* bytes of the document's source: the exact words */
    const char *text;       /* those words */
    double support;         /* [0,1]: share of the claim's words found there */
    int page, page_end;     /* of its passage; 0: the source has no pages */
} pith_citation;

/* Words of a passage that the answer has: those between quotation marks where it was to
 * quote; else what it repeats, five words in a row and more, or a claim whole. */
typedef struct pith_quote {
    size_t passage;         /* index into passages */
    size_t start, end;      /* bytes of the document's source */
    const char *text;       /* as the answer and the passage have them */
} pith_quote;

/* What the router measured. It scores 1 / (1 + exp(-(bias + the sum of weight *
 * (value - usual)))); what it does not know yet stands at its usual value. */
typedef struct pith_feature {
    const char *name;           /* as pith-route(1) lists them */
    double value, usual;        /* near [0,1] */
    double weight;              /* logits a unit: > 0 speaks for the large model */
} pith_feature;

typedef struct pith_answer {
    const char *text;           /* with [n] after each claim */
    int abstained;              /* 1: the documents do not say */
    double confidence;          /* [0,1]: that the passages answer the question */
    const char *caution;        /* why a calibration was not used; NULL: nothing to say */
    pith_citation *citations;
    size_t n_citations;
    pith_quote *quotes;         /* in the order of the text */
    size_t n_quotes;
    size_t misquoted;           /* quotations that stand in no passage: of a remote model,
                                   which cannot be held to them */
    pith_passage *passages;     /* what the model read, in its order */
    size_t n_passages;
    size_t left_out;            /* passages found that did not fit the budget */
    size_t unsupported;         /* sentences for which no passage was found */
    const char *question;       /* as searched: rewritten where there was a history */
    const char *model, *route;  /* who answered; "slm" or "llm" */
    double route_score;         /* [0,1]: what the large model was thought to gain */
    double draft_score;         /* the same once the small one had written; NAN: it
                                   had not */
    const pith_feature *route_features;     /* none where no remote model was in play */
    size_t n_route_features;
    const char *const *route_reasons;   /* in words */
    size_t n_route_reasons;
    const char *fallback;       /* why the small model stood in; NULL: it did not */
    int remote_tokens;          /* sent and received, of an answer that was lost too */
    double remote_cost;         /* by the prices of pith_options */
    double remote_ms;           /* spent waiting for it, likewise */
    int prompt_tokens, generated_tokens, finish_length; /* 1: cut at max_tokens or for
                                                             the budget */
    const char *budget;         /* what was chosen for budget_ms, in words; NULL: none */
    double mean_logprob, min_logprob;   /* of the text's tokens, natural, <= 0; 0 where
                                           the writer tells none */
    double support;             /* [0,1]: mean of the citations' support; 0 for none */
    double first_token_ms, total_ms;
    pith_stage *stages;
    size_t n_stages;
} pith_answer;

/* Free with pith_answer_free. An answer that abstains is not an error. */
PITH_API int pith_ask(pith *p, const char *question, const pith_ask_options *opt,
                      pith_answer **out, pith_error *why);
PITH_API void pith_answer_free(pith_answer *a);

/* The name of the router's feature i, from 0, in the order of route_features; NULL behind
 * the last. Those of the draft begin with "draft_". */
PITH_API const char *pith_route_feature(int i);

/* What `pith calibrate` finds: the confidence c of an answer becomes
 * 1 / (1 + exp(-(bias + slope * log(c / (1 - c))))), c being held 1e-6 from 0 and 1, and
 * pith answers from the threshold on. */
typedef struct pith_calibration {
    double bias, slope, threshold;  /* slope > 0; threshold of [0,1] */
    double risk, confidence;        /* promised: that at most this share of the questions
                                       answered has no passage that answers, and how
                                       surely */
    size_t questions, unanswerable; /* fitted on */
    size_t kept, wrong;             /* of those: answered, and answered without reason */
    size_t refused_answerable;
    double upper;                   /* the bound on the risk, within the promise */
    const char *source;             /* where the questions came from; may be NULL */
} pith_calibration;

/* Keeps it beside the store, bound to the models of this handle; later questions use it
 * while these are the same. E_ARG: a number out of its range. */
PITH_API int pith_calibration_set(pith *p, const pith_calibration *c, pith_error *why);
/* The file, or NULL where there is none; free with pith_string_free. */
PITH_API int pith_calibration_json(pith *p, char **json, pith_error *why);
/* Back to what the program has; *removed, which may be NULL, is 0 where none was. */
PITH_API int pith_calibration_reset(pith *p, int *removed, pith_error *why);

/* The same as JSON; NULL when there is no memory. Free with pith_string_free.
 * {"answer","abstained","confidence","caution"?,"citations":[{"n","document","section",
 * "start","end","page"?,"page_end"?,"text"}],
 * "quotes"?:[{"document","start","end","text","passage"}],
 * "misquoted"?,"budget"?,"passages":[...],"model","route","route_score",
 * "draft_score"?,
 * "route_features":{NAME:{"value","usual","weight"}},"route_reasons":[...],"fallback"?,
 * "remote":{"tokens","cost","ms"},"logprob":{"mean","min"},"support",
 * "tokens":{"prompt","generated"},
 * "timings_ms":{...},"stages":[...]} and
 * {"results":[{"rank","score","document","section","start","end","page"?,
 * "page_end"?,"text"}],...} */
PITH_API char *pith_answer_json(const pith_answer *a);
PITH_API char *pith_results_json(const pith_results *r);

/* ---- models ----------------------------------------------------------------------- */

/* How well each of n texts answers the query, by the reranker: logits into out[n]. */
PITH_API int pith_score(pith *p, const char *query, const char *const *texts, size_t n,
                        float *out, pith_error *why);
/* Unit vectors of n texts by the embedder into a new (n, *dim) array; free with
 * pith_vectors_free. query: 1 for queries, 0 for passages. */
PITH_API int pith_embed(pith *p, int query, const char *const *texts, size_t n,
                        float **out, int *dim, pith_error *why);
PITH_API void pith_vectors_free(float *v);

/* The catalogue as JSON: [{"name","role","licence","about","bytes","path","present",
 * "default"}]; free with pith_string_free. */
PITH_API int pith_models(char **json, pith_error *why);
/* Fetches a model by name, checks its hash, keeps it. This uses the network. */
PITH_API int pith_model_pull(const char *name, int again,
                             void (*on_progress)(void *arg, const char *what,
                                                 uint64_t done, uint64_t total),
                             void *arg, pith_error *why);
PITH_API int pith_model_remove(const char *name, pith_error *why);
/* What a model file is, as JSON: {"name","path","arch","engine","dim","window","bytes",
 * "embeds","scores","generates"}. */
PITH_API int pith_model_show(const char *name, char **json, pith_error *why);

/* A generator as this machine runs it best: its weights are written anew in some forms,
 * each form is measured with `open`'s texts, and the fastest is used from then on
 * wherever the model is named, by this user, on this machine.
 * The rule: the shortest time for a whole answer, among the forms whose next words
 * diverge from the original's by at most max_loss more than those of the file that is
 * named; the file itself stays where nothing is a twentieth faster. A larger file of the
 * same model in the models' folder is the original. */
typedef struct pith_fit_options {
    const char *model;          /* name or GGUF path; NULL: the generator of `open` */
    int prompt_tokens, answer_tokens;   /* of a whole answer; 0: 1200, 64 */
    double max_loss;            /* nats a token, mean; 0: .05 */
    /* What is done next; share: of the whole, [0,1]. May be NULL. */
    void (*on_step)(void *arg, const char *what, double share);
    void *arg;
} pith_fit_options;

/* Texts come from the store of `open`, where there is one, else from the library. What
 * was found, as JSON; free with pith_string_free. On failure, and when it is cancelled,
 * all stays as it was. E_BUSY: another process does the same. E_IO: also no room for a
 * second file of the model. E_MODEL: it does not generate.
 * {"model","source","original","original_file","made","machine_key","cpu","cores",
 * "read_gb_s","texts","places","rule":{...},"candidates":[{"form","quant","bytes",
 * "perplexity","divergence","same","within","engine_prefill_tok_s","runs":[{"threads",
 * "reader","writer","prefill_tok_s","decode_tok_s","bandwidth_share","answer_ms",...}]}],
 * "chosen","why","path","file_bytes","threads","flash","flash_ms":{...}} */
PITH_API int pith_model_fit(const pith_options *open, const pith_fit_options *opt,
                            char **json, pith_error *why);
/* What was found before, with "stale" where it does not count: why; *json is NULL where
 * nothing was. */
PITH_API int pith_model_fitted(const char *model, char **json, pith_error *why);
/* Back to the file as it came; *removed, which may be NULL, is 0 where nothing was. */
PITH_API int pith_model_unfit(const char *model, int *removed, pith_error *why);

/* ---- tuning ----------------------------------------------------------------------- */

typedef struct pith_tune_step {
    uint64_t step, steps;   /* steps: 0 where time alone decides */
    double loss, lr, tok_per_s, left_s;
} pith_tune_step;

typedef struct pith_tune_options {
    const char *data;       /* JSONL: {"messages":[...]}, or
                               {"question","answer","context"?} */
    const char *model;      /* catalogue name or GGUF path: llama, qwen2, qwen3,
                               gemma3, smollm3 or granite */
    const char *out;        /* folder: adapter.gguf, peft/, curve.jsonl, and the
                               run's state */
    int rank;               /* 0: 8 */
    int seq, batch;         /* tokens of a row, rows of a step; 0: 256, 4 */
    int steps;              /* of the whole run; 0: once over the data, or `minutes` */
    double minutes;         /* of this call; 0: no limit */
    double lr, alpha;       /* 0: 5e-4, twice the rank */
    int save_every;         /* steps between checkpoints; 0: 50 */
    int max_mb;             /* 0: what is free */
    int threads;            /* 0: one per core */
    uint64_t seed;
    void (*on_step)(void *arg, const pith_tune_step *now);
    void (*on_note)(void *arg, const char *text);
    int (*cancelled)(void *arg);
    void *arg;
} pith_tune_options;

typedef struct pith_tune_result {
    uint64_t steps;         /* of the whole run so far */
    double loss_first, loss_last, tok_per_s, peak_mb;
    int finished;           /* 0: time ran out; the same call goes on from there */
    char adapter[1024];     /* path */
} pith_tune_result;

/* Trains a LoRA adapter. A run that was stopped goes on, bit for bit, when it is called
 * again with the same options and folder. */
PITH_API int pith_tune_train(const pith_tune_options *opt, pith_tune_result *out,
                             pith_error *why);

/* The conversation that pith_ask holds over n passages, of which title, section and read
 * count, as JSON: [{"role","content"}, ...]; n = 0: from the model's memory. Free with
 * pith_string_free. */
PITH_API int pith_prompt(const char *question, const pith_passage *at, size_t n,
                         char **json, pith_error *why);
/* What pith_ask says where the documents do not; 1 for a text that says so in any way. */
PITH_API const char *pith_refusal(void);
PITH_API int pith_is_refusal(const char *text);

/* A linear map of the embedder's query vectors, made of the store's own vectors: what all
 * of them share is taken off a query, and directions in which they differ much anyway
 * weigh less. No stored vector changes. */
typedef struct pith_query_map {
    double whiten, center;      /* [0,1] each; 0 and 0 change nothing */
} pith_query_map;

/* Questions to this handle, which are all searches that do not end with a full stop, go
 * through a map made now; NULL: through none, whatever is kept beside the store.
 * E_MODEL: the store has another embedder. Seconds, by dimension. */
PITH_API int pith_query_map_use(pith *p, const pith_query_map *m, pith_error *why);
/* Keeps the map that pith_query_map_use made beside the store, bound to the embedder, for
 * all searches from now on; where it was NULL, or was not called, removes what is kept.
 * figures: a JSON object to keep with it, may be NULL. */
PITH_API int pith_query_map_keep(pith *p, const char *figures, pith_error *why);
/* {"whiten","center","dim","made","embedder","figures"} of what is kept, or NULL where
 * nothing is; free with pith_string_free. */
PITH_API int pith_query_map_json(pith *p, char **json, pith_error *why);

/* Writes the adapter at `from` (GGUF) to `to` with its effect times `scale`, above 0 and
 * at most 100: below 1 it lies between the base and what was trained, and forgets less.
 * The same path twice is allowed. */
PITH_API int pith_adapter_scale(const char *from, const char *to, double scale,
                                pith_error *why);
/* Records beside the store that its questions are answered with this adapter and with the
 * generator of this handle, on which it was trained: where pith_options names no adapter
 * and no other generator. figures: a JSON object to keep with it, may be NULL. adapter
 * NULL: none from now on. Handles that have answered already stay as they are. */
PITH_API int pith_adapter_set(pith *p, const char *adapter, const char *figures,
                              pith_error *why);
/* {"adapter","generator","made","figures"}, or NULL where there is none; free with
 * pith_string_free. */
PITH_API int pith_adapter_json(pith *p, char **json, pith_error *why);

/* ---- this machine ----------------------------------------------------------------- */

typedef struct pith_bench_options {
    int full;               /* 1: more repeats, a store of a million chunks, and all the
                               generators that are here: some minutes */
    long chunks;            /* of the store that is searched, 100 to 1000000; 0: 100000 */
    void (*on_step)(void *arg, const char *what);   /* what is measured next */
    void *arg;
} pith_bench_options;

/* What this machine does in a second, with the models of `open`, as JSON; free with
 * pith_string_free. Medians; a part without its model is null; "spread" has the least and
 * the most of each. Writes to a folder below $TMPDIR or /var/tmp, which it removes.
 * {"machine":{...},"read_gb_s","models":[{"name","quant","reader","writer",
 * "weight_bytes","prefill_tok_s","decode_tok_s","bandwidth_share",...}],"embed_chunks_s",
 * "rerank_pairs_s","search_ms":{"100k","1m"?},"search_p99_ms":{...},
 * "ask_ms":{"cold","warm"},"spread":{...}} */
PITH_API int pith_bench(const pith_options *open, const pith_bench_options *opt,
                        char **json, pith_error *why);

/* What this machine has and what pith will use, as JSON: {"cpu","features","cores",
 * "memory_bytes","free_bytes","engine","devices","generator","encoder",
 * "sandbox","problems":[{"what","cure"}]} */
PITH_API int pith_doctor(char **json, pith_error *why);

#ifdef __cplusplus
}
#endif

#endif
