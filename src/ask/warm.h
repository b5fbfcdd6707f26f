/* warm.h -- passages read before anybody asks, for the generator to keep: as a prompt
 * has them where they are not its first, which is most of the time. */
#ifndef PITH_ASK_WARM_H
#define PITH_ASK_WARM_H

#include "model/model.h"
#include "store/store.h"

typedef struct Warmed {
    size_t passages;         // of the store
    size_t read, before;     // read now; there already
    size_t left;             // for want of room, or as too short
} Warmed;

typedef struct WarmOptions {
    void (*on_progress)(void *arg, const Warmed *now);   // may be NULL
    void *arg;
} WarmOptions;

/* All passages in the order of their documents, until what may be kept is full. On
 * failure, E_CANCELLED included, what was read stays, and *out counts it.
 * E_MODEL: the generator keeps nothing. */
MUST_USE Status warm(Ctx *cx, Store *store, Model *writer, const WarmOptions *opt,
                     Warmed *out);

#endif
