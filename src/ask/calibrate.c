/* calibrate.c -- see calibrate.h. */
#include "ask/calibrate.h"

#include <math.h>

float calibrate(const Calibration *c, float confidence)
{
    if (!(c->slope > 0)) return confidence;
    float p = fminf(fmaxf(confidence, CALIBRATE_MARGIN), 1 - CALIBRATE_MARGIN);
    float x = c->bias + c->slope * logf(p / (1 - p));
    return 1 / (1 + expf(-x));
}
