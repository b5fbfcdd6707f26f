/* piece.h -- parts cut into pieces small enough to be packed: the grain of chunk.c.
 *
 * A part that is not too long is one piece. A longer one is cut at its sentences (code:
 * at blank lines), what is still too long at lines, then between words, then anywhere
 * between two characters. Each piece is counted by the embedder's tokenizer once. */
#ifndef PITH_INDEX_PIECE_H
#define PITH_INDEX_PIECE_H

#include "index/chunk.h"

/* A heading and those above it. */
typedef struct Heading {
    const struct Heading *up;   // NULL for the outermost
    Str name;
    int level, depth;           // depth 1 is the outermost
} Heading;

typedef struct Piece {
    Str text;               // a slice of the part's
    size_t start, end;      // bytes of the source; in HTML as exact as the part's map
    size_t part;            // index of its part
    PartKind kind;
    int tokens;
    const Heading *section; // NULL before the first heading
} Piece;

typedef struct Pieces {
    Piece *at;              // in the arena
    size_t n, room;
    const Heading *section; // the last
} Pieces;

/* A heading and those above it, copied: they outlive the window that had them. */
enum { TRAIL_LEVELS = 6, TRAIL_BYTES = 120 };
typedef struct Trail {
    Heading at[TRAIL_LEVELS];   // the outermost first
    char name[TRAIL_LEVELS][TRAIL_BYTES];
} Trail;

/* h, which may lie in t itself, in t; NULL for NULL. */
const Heading *trail_keep(Trail *t, const Heading *h);

/* Begins in c->section. */
MUST_USE Status pieces_cut(Ctx *cx, const Chunker *c, const Parsed *p, Pieces *out);

#endif
