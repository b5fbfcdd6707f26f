/* offsets.h -- where the bytes of a text stand in the source that it was made from.
 *
 * A page's readable text is made of pieces of its source: tags fall out between them,
 * an entity of five bytes becomes one. A map is a list of runs, in order in the text and
 * in the source. A run of one length on both sides is the same bytes; any other belongs
 * together as a whole. What no run covers, a bullet, say, is not in the source. */
#ifndef PITH_BASE_OFFSETS_H
#define PITH_BASE_OFFSETS_H

#include "base/ctx.h"

typedef struct Run {
    size_t text, text_n;        // bytes of the text
    size_t source, source_n;    // and of the source
} Run;

typedef struct Offsets {
    Run *at;                    // in the arena
    size_t n, room;
} Offsets;

/* Appends a run; one that goes on where the last ended becomes part of it. A run that
 * begins before the end of the last, on either side, or has no bytes, is left out. */
MUST_USE Status offsets_add(Ctx *cx, Offsets *o, Run r);
/* Appends what `from` says of n bytes of its text, which stand at `to` of out's. */
MUST_USE Status offsets_slice(Ctx *cx, const Offsets *from, size_t start, size_t n,
                              size_t to, Offsets *out);
/* The bytes of the source that text [start, end) was made from, as few as is known.
 * False, with *from and *to unchanged, where no run says. */
bool offsets_find(const Offsets *o, size_t start, size_t end, size_t *from, size_t *to);

/* As bytes to be stored, a few a run, the source counted from `base`; base is at most
 * the first run's source. .p is NULL on E_MEMORY; no runs give no bytes. */
Str offsets_pack(Ctx *cx, const Offsets *o, size_t base);
/* And back. E_FORMAT: these are no such bytes. */
MUST_USE Status offsets_unpack(Ctx *cx, Str packed, size_t base, Offsets *out);

#endif
