/* remote.h -- a model that answers from elsewhere: any server that speaks OpenAI's
 * dialect. Inside src/model; the contract is model.h. */
#ifndef PITH_MODEL_REMOTE_H
#define PITH_MODEL_REMOTE_H

#include "base/http.h"
#include "model/impl.h"

#include <jansson.h>
#include <pthread.h>

enum { REMOTE_TRIES = 3, REMOTE_TRIPS_AFTER = 3, REMOTE_TRIPPED_MS = 10000 };

typedef struct Remote {
    Model base;
    char *spec;             // as it was opened
    char *url;              // base, without fragment and without "/" at its end
    char *model;            // "" where the spec names none: the server chooses
    char *key;              // NULL: none
    char fingerprint[33];
    int timeout_ms;         // of a whole answer; 0: http.h's
    pthread_mutex_t lock;   // guards all below: several may call at a time
    int failures;           // calls in a row that the server failed
    double tripped_until;   // now_ms(); before it nothing is sent. 0: not tripped
} Remote;

/* What one kind of call wants of the connection. */
typedef struct Call {
    const char *path;       // "/chat/completions"
    json_t *body;           // taken
    uint64_t max_bytes;
    int timeout_ms;         // of all tries, where it is less than the model's; 0: that
    Status (*on_bytes)(void *arg, Str bytes);
    void *arg;
    Buf whole;              // collects a reply that is one object
    HttpReply reply;
    bool sent;              // false: the breaker kept it here
} Call;

/* Sends the call, again where that may help: while not a byte of an answer has come,
 * after 429, 5xx and a failed connection, REMOTE_TRIES times with a growing wait or the
 * one that the server asks for. E_NET says why. */
MUST_USE Status remote_call(Ctx *cx, Remote *m, Call *call);
/* Tells how the call ended, once, its answer read. After REMOTE_TRIPS_AFTER in a row that
 * the server spoilt, calls fail at once for REMOTE_TRIPPED_MS; then one may try. */
void remote_settle(Remote *m, const Call *call, Status st);

/* "http[s]://host[:port][/path][#model[,dim=N][,window=N][,timeout=SECONDS]]": embeds
 * only where dim says how long its vectors are. No connection is made. */
MUST_USE Status remote_open(Ctx *cx, const char *spec, const ModelOptions *opt,
                            Model **out);

Status remote_generate(Ctx *cx, Model *m, const Message *msg, size_t n,
                       const GenerateOptions *opt, Generated *out);

#endif
