/* spark.h -- a curve drawn in one line of text, as it grows. */
#ifndef PITH_BASE_SPARK_H
#define PITH_BASE_SPARK_H

#include <stdbool.h>
#include <stddef.h>

enum { SPARK_BARS = 24, SPARK_BYTES = SPARK_BARS * 3 + 1 };

/* Zero is an empty one. A bar is the mean of `each` values; when all are full, two become
 * one, so that the line never gets longer. */
typedef struct Spark {
    double sum[SPARK_BARS];
    size_t bars, each, last;     // last: values in the last bar
} Spark;

void spark_add(Spark *s, double value);
/* Bars between the lowest and the highest; utf8: blocks, else ASCII. */
const char *spark_draw(const Spark *s, bool utf8, char out[SPARK_BYTES]);

#endif
