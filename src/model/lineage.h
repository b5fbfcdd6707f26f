/* lineage.h -- which model a file is, however it was quantized.
 *
 * Quantizers change matrices and leave the norms' gains as they are, in f32. So the hash
 * of two of those names a model: all its quantizations share it, and no other model does,
 * one of the same shape included. An adapter carries the lineage of its base. */
#ifndef PITH_MODEL_LINEAGE_H
#define PITH_MODEL_LINEAGE_H

#include "base/hash.h"

#define LINEAGE_KEY "pith.base_lineage"

/* E_IO, E_FORMAT; E_MODEL: the file has no such norms. */
MUST_USE Status lineage_of(Ctx *cx, const char *path, Blake2bHex *out);
/* E_MODEL: the adapter was made for another model than the one at path. An adapter that
 * names no base passes: it is not ours. E_FORMAT: not an adapter. */
MUST_USE Status lineage_check(Ctx *cx, const char *path, const char *adapter);

#endif
