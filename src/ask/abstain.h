/* abstain.h -- how sure are we that these passages answer the question?
 *
 * A logistic model over what the stages before have measured. Its weights are fitted on
 * labelled questions and are part of the program; below the threshold the answer is that
 * the documents do not say. */
#ifndef PITH_ASK_ABSTAIN_H
#define PITH_ASK_ABSTAIN_H

#include "ask/passage.h"

/* Below this confidence pith does not answer. It keeps all answerable questions of NQ,
 * HotpotQA, CovidQA and RGB and 85 % of single_topic_rag's; half-right passages are left
 * to the check of the answer's own claims (cite.h). */
#define ABSTAIN_THRESHOLD 0.21f

/* The probability, [0,1], that one of the passages answers; 0 for no passages. */
float abstain_confidence(const Passages *ps);

#endif
