/* route.h -- who writes the answer: the small model here, or a large one elsewhere?
 *
 * The owner's rules come first, and no score overrules them: without leave, with private
 * text in the prompt or an empty purse, the small model answers. Within the rules a
 * logistic model over cheap features of question and context estimates how much is gained
 * by asking the large one; once the small one has drafted its answer, features of the
 * draft join them and the question is weighed again. The weights have names, and the
 * reasons are words. */
#ifndef PITH_ASK_ROUTE_H
#define PITH_ASK_ROUTE_H

#include "ask/passage.h"

typedef enum Route { ROUTE_SLM, ROUTE_LLM, ROUTE_ABSTAIN } Route;

/* All lie near [0,1], so that weights can be compared, and each is made so that more of
 * it should speak for the large model. */
typedef enum RouteFeature {
    ROUTE_LENGTH,       // words of the question / 20
    ROUTE_EXPLAIN,      // why, or how without many, much, long, ...: 1
    ROUTE_COMPARE,      // words such as both, difference, older: 1
    ROUTE_GATHER,       // how many, total, list, every: 1
    ROUTE_RELATIVE,     // whose, which, that, of within the question / 3
    ROUTE_ENTITIES,     // names in the question / 3
    ROUTE_APART,        // two names, found in passages of different documents only: 1
    ROUTE_MISSING,      // share of the question's words that no passage has
    ROUTE_LOGIT,        // - best logit of the reranker / 10
    ROUTE_CLOSE,        // how near the second passage comes: 1 / (1 + margin)
    ROUTE_UNSURE,       // 1 - confidence that the passages answer
    ROUTE_DOCUMENTS,    // documents among the passages, less one, / 5
    ROUTE_TOKENS,       // of the context / 1000
    ROUTE_LEFT_OUT,     // passages for which there was no room: 1
    ROUTE_FAR,          // 1 - best cosine: is the question at home in this store?
    ROUTE_DRAFT,        // what follows is known of a draft only:
    ROUTE_DOUBT = ROUTE_DRAFT,  // - mean log-probability of its tokens (nats)
    ROUTE_WORST,        // - lowest log-probability of a token / 5
    ROUTE_UNCITED,      // 1 - mean support of its citations; 1 where there is none
    ROUTE_LOOSE,        // claims without a source: 1
    ROUTE_REFUSED,      // the draft says that the passages do not say: 1
    ROUTE_WORDY,        // its tokens / 50
    ROUTE_FEATURES
} RouteFeature;

const char *route_feature_name(RouteFeature f);

/* score = 1 / (1 + exp(-(bias + sum of weight * (feature - usual)))). A feature that is
 * not known yet is taken to be as usual. */
typedef struct RouteModel {
    float bias, threshold;               // escalated at a score of threshold or more
    float weight[ROUTE_FEATURES];        // logits a unit
    float usual[ROUTE_FEATURES];         // the mean where it was fitted
} RouteModel;

extern const RouteModel route_default;

typedef enum RouteForce { ROUTE_FREE, ROUTE_FORCE_SLM, ROUTE_FORCE_LLM } RouteForce;

/* What one answer may take of the owner's budgets. */
typedef struct RouteTaken {
    double tokens;
    double seconds;     // 0: as many as it needs
} RouteTaken;

typedef struct RouteRules {
    const RouteModel *model;    // NULL: route_default
    const char *forbidden;      // why nothing may be sent, in words; NULL: it may
    const Str *private_below;   // uris that begin so are private
    size_t n_private;
    double tokens_left;         // of the owner's budget; INFINITY: no limit
    RouteForce force;           // within the rules above
    /* Asks the owner, where each sending wants a yes; NULL: it does not. */
    bool (*may_send)(void *arg, const char *why);
    /* Takes the tokens out of the budgets, just before they are sent, and says how many
     * seconds there are; returns why not, a constant, or NULL: taken. NULL: no budget. */
    const char *(*take)(void *arg, RouteTaken *t);
    void *arg;
} RouteRules;

enum { ROUTE_REASONS = 6 };

/* What reasons in words want to quote; borrowed from the question. n = 0: nothing. */
typedef struct RouteSeen {
    Str apart[2];       // names found in different documents only
    Str missing;        // a word that no passage has
} RouteSeen;

typedef struct Decision {
    Route route;
    bool may_escalate;          // the rules would let the large model write
    float score;                // [0,1]: what the large model would gain
    float draft_score;          // the same with a draft at hand; NAN: there was none
    float feature[ROUTE_FEATURES];
    const RouteModel *model;    // that weighed them; NULL: nothing was weighed
    RouteSeen seen;
    Str reason[ROUTE_REASONS];  // the weightiest first; NUL-terminated, in cx
    int n_reasons;
} Decision;

typedef struct RouteInput {
    Str question;
    const Passages *passages;   // as the small model would read them
    const Passages *sent;       // as the large one would; NULL: the same
    bool too_long;              // the small model cannot read them: the large one must
    float confidence;           // abstain.h
    int max_tokens;             // of the answer, for the budget
    bool has_history;           // an earlier turn may have quoted what is private
} RouteInput;

/* Never sends anything; may_send aside it looks at nothing but its arguments and, where
 * something is private, at links among the passages' files. */
MUST_USE Status route_decide(Ctx *cx, const RouteRules *rules, const RouteInput *in,
                             Decision *out);

/* What the small model's answer says about itself. */
typedef struct RouteDraft {
    float mean_logprob, min_logprob;    // <= 0
    float support;              // [0,1]: mean of its citations; 0 for none
    int tokens;
    bool loose, refused;        // it has claims without a source; it says nothing
} RouteDraft;

/* Weighs d again with its draft: draft_score and features are filled; the route becomes
 * ROUTE_LLM where the score asks for it and rules and owner let it. */
void route_weigh_draft(Ctx *cx, const RouteRules *rules, const RouteDraft *draft,
                       Decision *d);
/* How much two answers say the same, [0,1]: the F1 of their content words, by stem; 1 for
 * two without any. */
MUST_USE Status route_agreement(Ctx *cx, Str a, Str b, float *out);
/* Is a document's text private, by its name or by where a link of that name leads? */
bool route_is_private(const RouteRules *rules, Str uri);
void route_because(Decision *d, Str reason);
/* The large model is not to be asked after all. */
void route_keep_here(Decision *d, Str reason);
/* The tokens that sending these passages and answering takes, about. */
double route_tokens(Str question, const Passages *sent, int max_tokens);

#endif
