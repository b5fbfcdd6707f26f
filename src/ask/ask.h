/* ask.h -- question to cited answer, or an honest "the documents do not say".
 *
 *     standalone -> augment -> retrieve -> rerank -> filter -> abstain -> fit -> route
 *     -> prompt -> generate -> cite
 *
 * Each step records a stage in the Ctx. Siblings of this folder never call each other's
 * steps: only ask.c knows the order. */
#ifndef PITH_ASK_ASK_H
#define PITH_ASK_ASK_H

#include "ask/augment.h"
#include "ask/budget.h"
#include "ask/calibrate.h"
#include "ask/cite.h"
#include "ask/filter.h"
#include "ask/glossary.h"
#include "ask/prompt.h"
#include "ask/quote.h"
#include "ask/rerank.h"
#include "ask/retrieve.h"
#include "ask/route.h"

typedef struct Asker {
    Store *store;           // NULL where passages are given or none are used
    Model *embedder;        // NULL for RETRIEVE_WORDS
    Model *ranker;          // NULL: no reranking, no filter
    Model *writer;
    Model *remote;          // a large writer elsewhere; NULL: there is none
    const RouteRules *private_to;   // what a ranker elsewhere must not read; NULL: it is
                                    // here
} Asker;

typedef struct AskOptions {
    AugmentOptions augment;
    Glossary glossary;           // terms that the search is told the meaning of
    RetrieveOptions retrieve;
    RerankOptions rerank;
    PromptOptions prompt;
    GenerateOptions generate;    // on_text gets the text with its marks
    FilterOptions filter;
    float abstain_below;         // confidence; 0: never abstain before generating
    Calibration calibration;     // of the confidence; zeros: none
    bool unfiltered;             // leave the filter out
    bool quote;                  // ask for quotations, and hold the writer to passages
    bool withhold;               // an answer of which no claim has a source is a refusal
    RouteRules route;            // read where there is a remote writer
    int remote_tokens;           // its budget for passages; 0: as prompt's
    Deadline deadline;           // zeros: none
    int alone_tokens;            // a passage may have by itself, where the deadline
                                 // leaves no more; 0: as prompt's budget
    bool context_only;           // stop before the prompt
    Passages *given;             // answer from these instead of a search
    bool closed_book;            // from the model's memory alone
    const Message *history;
    size_t n_history;
} AskOptions;

typedef struct Answer {
    Str question;           // as searched
    Passages passages;      // what the model read, or what was found when it abstained
    Cited cited;
    Quotes quotes;          // of cited.text, where they were looked for
    Generated generated;
    float confidence;       // [0,1]
    bool abstained;
    bool late;              // the writing was broken off for the deadline
    double first_text_ms;   // from the call to the first text
    Decision decision;      // who was to write; route tells who did
    Str draft;              // the small model's, where the large one was asked after it
    bool was_sent;          // a prompt went to the remote writer
    int sent_tokens;        // there and back, as far as known, an answer lost included
    double sent_ms;         // what the remote writer took, likewise
    RouteTaken taken;       // of the owner's budgets, for it
    Str fallback;           // why the small model stood in; n = 0: it did not
} Answer;

/* The passages for a question, by itself and by what the writer adds to it: augment and
 * retrieve, without the steps behind them. a->writer is needed where anything is
 * added. */
MUST_USE Status ask_retrieve(Ctx *cx, const Asker *a, const AugmentOptions *augment,
                             const RetrieveOptions *opt, Str question, Passages *out);
/* May the ranker read these? E_ARG: it is elsewhere, and one of them is private. */
MUST_USE Status ask_may_rank(Ctx *cx, const Asker *a, const Passages *ps);
/* Everything in out lives in cx. E_ARG: an empty question. */
MUST_USE Status ask(Ctx *cx, const Asker *a, const AskOptions *opt, Str question,
                    Answer *out);

#endif
