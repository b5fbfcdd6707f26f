/* general.h -- plain questions that anybody can answer without a document: what a small
 * model knows, and must not forget for what it learns of ours. */
#ifndef PITH_EVAL_GENERAL_H
#define PITH_EVAL_GENERAL_H

typedef struct General {
    const char *question;
    const char *answer[2];      // either is right; the second may be NULL
} General;

enum { N_GENERAL = 120 };
extern const General general[N_GENERAL];

#endif
