/* prompt.h -- what the generator reads: the passages that fit, and the question.
 *
 * The budget is counted by the generator's own tokenizer. A passage goes in whole or not
 * at all; what was left out is counted, never cut silently. */
#ifndef PITH_ASK_PROMPT_H
#define PITH_ASK_PROMPT_H

#include "ask/passage.h"
#include "model/model.h"

/* What is said when the documents hold no answer. */
#define PROMPT_REFUSAL "The documents do not say."

typedef struct PromptOptions {
    int context_tokens;     // budget for all passages together; > 0
    size_t max_passages;    // 0: no limit beside the budget
} PromptOptions;

typedef struct Prompt {
    Message message[2];     // system, user
    Excerpts excerpts;      // the whole passages in it: the same bytes in every prompt
    int context_tokens;     // of the passages that went in
} Prompt;

/* Keeps in ps those passages that fit, best first, and counts the others in
 * ps->left_out. A best passage larger than the whole budget is E_LIMIT. */
MUST_USE Status prompt_fit(Ctx *cx, Model *writer, const PromptOptions *opt,
                           Passages *ps);
/* How the answer is to be worded. */
typedef enum PromptWay { PROMPT_PLAIN, PROMPT_QUOTE } PromptWay;

/* The conversation that asks question of ps; ps empty: from the model's memory. */
MUST_USE Status prompt_build(Ctx *cx, const Passages *ps, Str question, PromptWay way,
                             Prompt *out);
/* True when the text says that there is no answer. */
bool prompt_is_refusal(Str text);

#endif
