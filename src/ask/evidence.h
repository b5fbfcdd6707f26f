/* evidence.h -- what each sentence of the passages is worth to an answer.
 *
 * A reranker sees one sentence and the question. It cannot know that a sentence stands
 * beside the best one, or that the passage on "Palash Sen" matters because the best
 * passage names him, which is how questions of two steps are answered. So its logit gets
 * what neighbours, names and shared words add, each in logits. */
#ifndef PITH_ASK_EVIDENCE_H
#define PITH_ASK_EVIDENCE_H

#include "ask/passage.h"

typedef struct Sentence {
    size_t passage;     // index into the passages
    Span span;          // of the chunk's text
    float logit;        // by the reranker
    float weight;       // <= 0: logits below a sentence that has everything
} Sentence;

typedef struct Sentences {
    Sentence *at;       // by passage, then in order
    size_t n;
} Sentences;

/* A sentence's words; borrowed from its passage. */
Str sentence_text(const Passages *ps, const Sentence *s);

/* Fills weight of every sentence: the better of its own logit and its neighbours' less 2;
 * 8 more in the best sentence's passage, 12 in one whose title that passage names; 15
 * times the share of the question's words and 4 times that of the best sentence's that it
 * says; less what the best sentence would have if it said all of them. The figures come
 * from a logistic regression on 300 questions of NQ, HotpotQA and CovidQA. */
MUST_USE Status evidence_weigh(Ctx *cx, Words *w, Str question, const Passages *ps,
                               Sentences *s);

#endif
