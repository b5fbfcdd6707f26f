/* adapter.h -- the adapter that won for a store: a file of JSON beside it.
 *
 * STORE.adapter.json names the adapter and the generator that it was trained on. It
 * counts where the owner names no adapter; where no generator is named it names that too,
 * since an adapter is worth nothing to another model. */
#ifndef PITH_API_ADAPTER_H
#define PITH_API_ADAPTER_H

#include "api/handle.h"

/* Asks the store for its adapter, once, unless the owner named one or "none". E_FORMAT: a
 * file that pith_adapter_set would not have written. */
MUST_USE Status adapter_use(Ctx *cx, pith *p);
/* The adapter to load the generator with; NULL: none. */
const char *adapter_path(const pith *p);
/* The generator could not be opened with its adapter: adds where that came from and what
 * to do. Returns st. */
Status adapter_explain(Ctx *cx, const pith *p, Status st);

#endif
