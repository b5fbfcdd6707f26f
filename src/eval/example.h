/* example.h -- one example to learn from, made of one passage: a question, its answer and
 * the conversation in which `pith ask` would put it, as RAFT trains (Zhang et al., 2024):
 * the passage among others that a search found, or, for a share, only others, and then
 * the answer is pith's refusal.
 *
 * The writer is a small model, so nothing that it says is believed unchecked. The answer
 * must stand in the passage, another prompt must point to the same words, and the
 * question must find its passage again. */
#ifndef PITH_EVAL_EXAMPLE_H
#define PITH_EVAL_EXAMPLE_H

#include "base/words.h"
#include "eval/job.h"

#include <pthread.h>

/* In the order of the checks. */
typedef enum Check {
    CHECK_PASSED,
    CHECK_NO_QUESTION,      // the model wrote none, or one that speaks of "the text"
    CHECK_REPEATED,         // one of the same stems was asked
    CHECK_NOT_FOUND,        // the question does not find its passage
    CHECK_NO_ANSWER,        // it refused, went on too long, or asked back
    CHECK_NOT_IN_PASSAGE,   // words of the answer that the passage lacks
    CHECK_NOTHING_NEW,      // the question has the words of its answer in one row
    CHECK_DISAGREES,        // the sentence says otherwise than the words pointed at
    CHECK_ELSEWHERE,        // to be unanswerable, but another document answers
    N_CHECKS
} Check;
extern const char *const check_name[N_CHECKS];

/* Stems of the questions there are, as keys; grows. Several threads may ask. */
typedef struct QuestionSet {
    json_t *key;
    pthread_mutex_t lock;
} QuestionSet;

/* For one thread; what it points at but asked is its own. */
typedef struct Maker {
    const Job *job;
    pith *p;
    Words *words;
    QuestionSet *asked;
    size_t passages;        // of a conversation; > 0
    double unanswerable;    // share, [0,1]
    double agree;           // F1 that the two answers need, [0,1]
    uint64_t seed;
} Maker;

/* An empty set; E_MEMORY. */
MUST_USE Status question_set_open(Ctx *cx, QuestionSet *out);
/* After a failure to open too. */
void question_set_close(QuestionSet *s);

/* What names a passage in all runs: its document and where it begins. */
Str example_key(Ctx *cx, const pith_passage *from);
/* Marks a question as asked. False where it was, or where the job has failed. */
bool example_is_new(const Maker *m, Str question);

/* Makes an example of the passage. *line, which the caller lets go of, is {"kind",
 * "document","question","words","messages"}, or, where a check failed, what there was
 * until then. NULL on failure. */
MUST_USE Status example_make(const Maker *m, const pith_passage *from, Check *check,
                             json_t **line);

#endif
