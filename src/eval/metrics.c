/* metrics.c -- see metrics.h. */
#include "eval/metrics.h"

#include <math.h>

static double gain_of(int grade, Gain gain)
{
    if (grade <= 0) return 0;
    return gain == GAIN_LINEAR ? grade : exp2(grade) - 1;
}

static size_t at_most(size_t k, size_t n)
{
    return k < n ? k : n;
}

static double dcg(const int *grade, size_t n, Gain gain)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += gain_of(grade[i], gain) / log2((double)i + 2);
    return sum;
}

double metric_ndcg(const Judged *j, size_t k, Gain gain)
{
    double best = dcg(j->ideal, at_most(k, j->n_ideal), gain);
    return best > 0 ? dcg(j->ranked, at_most(k, j->n), gain) / best : 0;
}

double metric_recall(const Judged *j, size_t k)
{
    size_t found = 0;
    for (size_t i = 0; i < at_most(k, j->n); i++) found += j->ranked[i] > 0;
    return j->n_ideal ? (double)found / (double)j->n_ideal : 0;
}

double metric_mrr(const Judged *j, size_t k)
{
    for (size_t i = 0; i < at_most(k, j->n); i++)
        if (j->ranked[i] > 0) return 1 / ((double)i + 1);
    return 0;
}

double metric_ap(const Judged *j)
{
    double sum = 0;
    size_t found = 0;
    for (size_t i = 0; i < j->n; i++)
        if (j->ranked[i] > 0) sum += (double)++found / ((double)i + 1);
    return j->n_ideal ? sum / (double)j->n_ideal : 0;
}
