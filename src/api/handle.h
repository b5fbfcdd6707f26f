/* handle.h -- what a `pith` holds, and how a public call begins and ends.
 *
 * Every public call locks the handle, works in a Ctx of its own and returns through
 * call_end, which turns the Ctx's status and reason into the caller's error. What
 * outlives the call (an answer, results) takes the Ctx's memory with it. */
#ifndef PITH_API_HANDLE_H
#define PITH_API_HANDLE_H

#include "ask/augment.h"
#include "ask/budget.h"
#include "base/ctx.h"
#include "model/model.h"
#include "pith.h"
#include "store/store.h"

#include <pthread.h>

/* A large model elsewhere, and the owner's rules about it. */
typedef struct RemoteRules {
    char *url, *name;           // NULL: there is none; the server's choice
    int policy;                 // PITH_REMOTE_
    long day_tokens;            // 0: no limit
    double day_cost, price_in, price_out;   // money a day, a million tokens each way
    double day_seconds;         // 0: no limit
    int (*may_send)(void *arg, const char *why);
    Model *model;               // opened when first needed
} RemoteRules;

typedef enum Role { ROLE_GENERATOR, ROLE_EMBEDDER, ROLE_RERANKER, ROLES } Role;

enum { RATES_KEY = 128 };

/* The models that one handle or several have loaded. */
typedef struct Pool {
    pthread_mutex_t lock;       // guards all below; held while a model is loaded
    size_t handles;
    Model *model[ROLES];        // loaded when first needed
} Pool;

struct pith {
    pthread_mutex_t lock;
    int (*cancelled)(void *arg);
    void *arg;
    int threads, context_tokens, answers, kv_mib;
    bool read_only;
    char *store_path;
    char *adapter;              // of the generator; NULL: none, "none" likewise
    bool adapter_known;         // the store was asked for its own
    bool adapter_of_store;      // and had one
    char *model_name[ROLES];    // as asked for; NULL: the default of the role
    Store *store;               // opened when first needed
    bool store_writes;
    Pool *pool;
    struct MapHeld *map;        // of queries; NULL: not looked for yet: api/query_map.h
    AugmentMemo memo;           // of the last question
    Rates rates;                // of this machine and these models: api/budget.h
    char rates_key[RATES_KEY];  // whose they are; "": nobody's yet
    bool rates_new;             // not kept yet
    bool has_answered;          // the generator has written once
    RemoteRules remote;
};

/* "generator", "embedder", "reranker". */
const char *role_name(Role r);

/* Begins a call on p: locks it and prepares *cx. */
void call_begin(pith *p, Ctx *cx);
/* Ends it: fills *why, unlocks, returns the code. Frees the Ctx's memory unless keep. */
int call_end(pith *p, Ctx *cx, Status st, bool keep, pith_error *why);
/* The same without a handle. */
int error_out(const Ctx *cx, Status st, pith_error *why);

/* The store, opened for reading or for writing. E_NOTFOUND: there is none yet. */
MUST_USE Status handle_store(Ctx *cx, pith *p, bool write, Store **out);
/* The model of a role. *out is NULL with OK where the owner said "none". */
MUST_USE Status handle_model(Ctx *cx, pith *p, Role r, Model **out);
/* The path and the name of the model of a role, not loaded. */
MUST_USE Status handle_model_path(Ctx *cx, pith *p, Role r, Str *name, Str *path);

/* A stage and a passage as the public header shows them; strings in cx. */
MUST_USE Status public_stages(Ctx *cx, pith_stage **out, size_t *n);
const char *public_string(Ctx *cx, Str s);

#endif
