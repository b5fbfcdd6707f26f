/* spark.c -- see spark.h. */
#include "base/spark.h"

#include <math.h>
#include <string.h>

static void halve(Spark *s)
{
    for (size_t i = 0; i < SPARK_BARS / 2; i++)
        s->sum[i] = s->sum[2 * i] + s->sum[2 * i + 1];
    s->bars = SPARK_BARS / 2;
    s->each *= 2;
    s->last = s->each;
}

void spark_add(Spark *s, double value)
{
    if (s->each == 0) s->each = 1;
    if (s->bars == SPARK_BARS && s->last == s->each) halve(s);
    if (s->bars == 0 || s->last == s->each) s->sum[s->bars++] = 0, s->last = 0;
    s->sum[s->bars - 1] += value;
    s->last++;
}

static double bar(const Spark *s, size_t i)
{
    return s->sum[i] / (double)(i + 1 < s->bars ? s->each : s->last);
}

const char *spark_draw(const Spark *s, bool utf8, char out[SPARK_BYTES])
{
    static const char *const block[] = { "\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588" };
    static const char *const plain[] = { "_", ".", ",", "-", "~", "=", "+", "#" };
    double low = INFINITY, high = -INFINITY;
    char *at = out;
    *at = '\0';
    for (size_t i = 0; i < s->bars; i++) {
        low = fmin(low, bar(s, i));
        high = fmax(high, bar(s, i));
    }
    for (size_t i = 0; i < s->bars; i++) {
        double share = high > low ? (bar(s, i) - low) / (high - low) : 0;
        int level = share >= 0 ? (int)(share * 7.999) : 0;
        at = stpcpy(at, utf8 ? block[level] : plain[level]);
    }
    return out;
}
