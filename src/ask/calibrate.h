/* calibrate.h -- the program's confidence, made a probability for the owner's questions.
 *
 * The weights of abstain.h were fitted on other people's questions. A calibration maps
 * what they say to what was seen on the owner's: 1 / (1 + exp(-(bias + slope * logit))),
 * after Platt (1999). It never changes the order of two confidences. */
#ifndef PITH_ASK_CALIBRATE_H
#define PITH_ASK_CALIBRATE_H

typedef struct Calibration {
    float bias, slope;      // slope > 0; 0: there is none
} Calibration;

/* A confidence is held this far from 0 and 1 before its logit is taken. */
#define CALIBRATE_MARGIN 1e-6f

/* [0,1]; the confidence itself where there is no calibration. */
float calibrate(const Calibration *c, float confidence);

#endif
