/* route.h -- who writes the answer: the small model here, or a large one elsewhere?
 *
 * The owner's rules come first, and no score overrules them: without leave, with private
 * text in the prompt or an empty purse, the small model answers. Within the rules a
 * logistic model over cheap features of question and context estimates how much is gained
 * by asking the large one. Its weights have names, and its reasons are words. */
#ifndef PITH_ASK_ROUTE_H
#define PITH_ASK_ROUTE_H

#include "ask/passage.h"

typedef enum Route { ROUTE_SLM, ROUTE_LLM, ROUTE_ABSTAIN } Route;

/* All lie near [0,1], so that weights can be compared. */
typedef enum RouteFeature {
    ROUTE_LENGTH,       // words of the question / 20
    ROUTE_EXPLAIN,      // why, or how without many, much, long, ...: 1
    ROUTE_COMPARE,      // words such as both, difference, older: 1
    ROUTE_GATHER,       // how many, total, list, every: 1
    ROUTE_RELATIVE,     // whose, which, that, of within the question / 3
    ROUTE_ENTITIES,     // names in the question / 3
    ROUTE_APART,        // two names, found in passages of different documents only: 1
    ROUTE_MISSING,      // share of the question's words that no passage has
    ROUTE_LOGIT,        // best of the reranker / 10
    ROUTE_CLOSE,        // how near the second passage comes: 1 / (1 + margin)
    ROUTE_UNSURE,       // 1 - confidence that the passages answer
    ROUTE_DOCUMENTS,    // documents among the passages, less one, / 5
    ROUTE_TOKENS,       // of the context / 1000
    ROUTE_LEFT_OUT,     // passages for which there was no room: 1
    ROUTE_FAR,          // 1 - best cosine: is the question at home in this store?
    ROUTE_FEATURES
} RouteFeature;

const char *route_feature_name(RouteFeature f);

typedef struct RouteModel {
    float bias, threshold;               // escalated at a score of threshold or more
    float weight[ROUTE_FEATURES];
} RouteModel;

extern const RouteModel route_default;

typedef enum RouteForce { ROUTE_FREE, ROUTE_FORCE_SLM, ROUTE_FORCE_LLM } RouteForce;

typedef struct RouteRules {
    const RouteModel *model;    // NULL: route_default
    const char *forbidden;      // why nothing may be sent, in words; NULL: it may
    const Str *private_below;   // uris that begin so are private
    size_t n_private;
    double tokens_left;         // of the owner's budget; INFINITY: no limit
    RouteForce force;           // within the rules above
    /* Asks the owner, where each sending wants a yes; NULL: it does not. */
    bool (*may_send)(void *arg, const char *why);
    void *arg;
} RouteRules;

enum { ROUTE_REASONS = 6 };

typedef struct Decision {
    Route route;
    float score;                // [0,1]: what the large model would gain
    float feature[ROUTE_FEATURES];
    Str reason[ROUTE_REASONS];  // the weightiest first; NUL-terminated, in cx
    int n_reasons;
} Decision;

typedef struct RouteInput {
    Str question;
    const Passages *passages;   // as they go into the prompt
    float confidence;           // abstain.h
    int max_tokens;             // of the answer, for the budget
    bool has_history;           // an earlier turn may have quoted what is private
} RouteInput;

/* Never sends anything; may_send aside it looks at nothing but its arguments. */
MUST_USE Status route_decide(Ctx *cx, const RouteRules *rules, const RouteInput *in,
                             Decision *out);
/* Is a document's text private? */
bool route_is_private(const RouteRules *rules, Str uri);
void route_because(Decision *d, Str reason);

#endif
