/* passage.h -- a chunk on its way to the prompt, with what each stage thinks of it. */
#ifndef PITH_ASK_PASSAGE_H
#define PITH_ASK_PASSAGE_H

#include "base/words.h"
#include "store/store.h"

typedef struct Passage {
    Chunk chunk;
    float words;     // BM25; 0 where the words did not find it
    float vector;    // cosine with the query; 0 where there are no vectors
    float fused;     // [0,1], comparable within one query
    float rerank;    // the reranker's logit; NAN where it did not look
    float sentence;  // the logit of its best sentence; NAN where the filter did not look
    float score;     // what the order is by, highest first
    Span *kept;      // sentences of chunk.text that go on, in order; NULL: all of it
    size_t n_kept;
    int prompt_tokens;   // by the generator's tokenizer; 0 before the prompt is built
} Passage;

typedef struct Passages {
    Passage *at;     // best first, in the request's arena
    size_t n;
    size_t left_out; // dropped for the token budget alone
    size_t unknown;  // words of the question that the store does not have
} Passages;

/* Highest score first; equal scores by uri, then by position, so that an order never
 * depends on how the candidates came. */
void passages_sort(Passage *p, size_t n);
/* Where a chunk stands, for a reader: "Title > Section"; .p is NULL on E_MEMORY. */
Str passage_place(Ctx *cx, const Chunk *c);
/* Where a span of a chunk's text stands in the source. A text that is no slice of it
 * (HTML) has a map; where an older store has none, and where there is no memory to read
 * it, all of the chunk is it. */
Span passage_source(const Chunk *k, Span s);
/* The words that go on: the whole text, or the kept sentences joined; .p is NULL
 * on E_MEMORY. */
Str passage_text(Ctx *cx, const Passage *p);

/* The sentences of a passage in order. A row of a table, an item of a list and a heading
 * stand for themselves, however long the run of them. The array is in the arena. */
MUST_USE Status passage_sentences(Ctx *cx, Words *w, Str text, Span **out, size_t *n);
/* A row of a table, as Markdown writes it or as HTML was read. */
bool passage_is_row(Str line);

/* From now on w takes words for those of the language that most of the passages are in,
 * so that question, passages and answer are compared by the same stems. */
void passages_speak(Words *w, const Passages *ps);

#endif
