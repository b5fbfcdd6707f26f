/* chunk.h -- the parts of a source packed into chunks: what is embedded, found and cited.
 *
 * A chunk holds consecutive parts of one section and about `aim` tokens. A heading stays
 * with what follows it, a sentence or a block of code is cut only where it alone passes
 * the maximum, and a section too short to stand alone joins its neighbour under the same
 * parent. Chunks do not overlap.
 *
 * Invariant: chunks come in the order of the source. In a verbatim format chunk.text is
 * source[start, end) byte for byte; in HTML the words of chunk.text stand in
 * source[start, end) in their order, and chunk.map says where. */
#ifndef PITH_INDEX_CHUNK_H
#define PITH_INDEX_CHUNK_H

#include "base/words.h"
#include "parse/parts.h"
#include "model/model.h"
#include "store/store.h"

typedef struct Chunker {
    Model *embedder;    // counts the tokens
    Words *words;       // finds the sentences
    int aim;            // tokens; brought into [16, maximum]
    const struct Heading *section;  // where the last window ended; NULL: none was
} Chunker;

/* The most tokens a chunk may have: 9/4 of the aim, and what leaves room for title and
 * section in the embedder's window: 450 for an aim of 200 and a window of 512. A text
 * counts for an eighth of its bytes at least, however long its words are. */
int chunk_maximum(const Chunker *c);

/* The chunks of one window into *out in the arena: text, section, start, end, pages and
 * tokens are set; texts may borrow from p. No words, no chunks: *n is 0. The section does
 * not repeat p->title. c->section moves on; it lives in the arena and borrows from p. */
MUST_USE Status chunk_parts(Ctx *cx, Chunker *c, const Parsed *p, Chunk **out, size_t *n);

/* What the embedder reads of a chunk: title and section on a line, then the text. .p is
 * NULL on E_MEMORY. */
Str embedding_text(Ctx *cx, Str title, const Chunk *c);

#endif
