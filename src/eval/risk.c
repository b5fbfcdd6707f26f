/* risk.c -- see risk.h.
 *
 * Learn then Test (Angelopoulos, Bates, Candes, Jordan and Lei, 2021): each threshold is
 * a hypothesis "the risk here is above the promised one", rejected where the bound of
 * Clopper and Pearson (1934) on the questions above it lies within the promise. Testing
 * one threshold after the other from strict to lax and stopping at the first that is not
 * rejected costs no correction. One unlucky question at the strict end would stop it at
 * once, so that CHAINS such walks begin at fixed shares of the questions, each with its
 * part of the error allowed (fixed-sequence testing with several starts; Bonferroni).
 *
 * A threshold is the score of the question at a rank fixed beforehand; the questions
 * above it are then a sample of those above it, and their errors binomial. This needs no
 * model of the scores; it takes that the share of wrong does not rise with the score. */
#include "eval/risk.h"

#include "eval/stats.h"

#include <math.h>
#include <stdlib.h>

enum { CHAINS = 4, STEPS = 50 };

static double chain_confidence(const Promise *p)
{
    return 1 - (1 - p->confidence) / CHAINS;
}

size_t risk_least(const Promise *p)
{
    return (size_t)ceil(log(1 - chain_confidence(p)) / log1p(-p->risk));
}

static int surest_first(const void *a, const void *b)
{
    double x = ((const Scored *)a)->score, y = ((const Scored *)b)->score;
    return (x < y) - (x > y);
}

/* The threshold that lets at most `rank` questions pass; of those that tie at it none. */
static Chosen look(const Scored *s, size_t n, size_t rank, const Promise *p)
{
    Chosen c = { .above = rank < n ? s[rank].score : -INFINITY };
    while (c.kept < rank && s[c.kept].score > c.above) c.wrong += s[c.kept++].wrong;
    c.upper = stats_upper_bound(c.wrong, c.kept, chain_confidence(p));
    c.held = c.kept > 0 && c.upper <= p->risk;
    /* Half way to the next question: the same ones pass, and rounding is harmless. */
    if (c.kept && rank < n) c.above += (s[c.kept - 1].score - c.above) / 2;
    return c;
}

static bool is_better(const Chosen *a, const Chosen *than)
{
    if (a->held != than->held) return a->held;
    return a->held ? a->kept > than->kept : a->upper < than->upper;
}

Chosen risk_choose(Scored *s, size_t n, const Promise *p)
{
    const size_t least = risk_least(p), step = n / STEPS + 1;
    if (n) qsort(s, n, sizeof *s, surest_first);
    Chosen best = look(s, n, n, p);    // to be beaten, and told where nothing holds
    best.held = false;
    for (size_t chain = 0; chain < CHAINS && least <= n; chain++)
        for (size_t rank = least + (n - least) * chain / CHAINS; ; rank += step) {
            Chosen now = look(s, n, rank < n ? rank : n, p);
            if (is_better(&now, &best)) best = now;
            if (!now.held || rank >= n) break;
        }
    return best;
}

/* ---- probability ------------------------------------------------------------------- */

/* The slopes of the likelihood at a line, and their slopes. */
typedef struct Slopes {
    double g0, g1, h00, h01, h11;
} Slopes;

/* -log likelihood. Targets are drawn in from 0 and 1 as if one more question of each kind
 * had been seen (Platt, 1999), so that a perfect score still has a finite line. */
static double loss(const Scored *s, size_t n, const Platt *l, const double target[2],
                   Slopes *to)
{
    double sum = 0;
    *to = (Slopes){ .h00 = 1e-9, .h11 = 1e-9 };
    for (size_t i = 0; i < n; i++) {
        double z = l->bias + l->slope * s[i].score, t = target[s[i].wrong];
        double p = 1 / (1 + exp(-z)), w = p * (1 - p), x = s[i].score;
        sum += (z > 0 ? z + log1p(exp(-z)) : log1p(exp(z))) - t * z;
        to->g0 += p - t, to->g1 += (p - t) * x;
        to->h00 += w, to->h01 += w * x, to->h11 += w * x * x;
    }
    return sum;
}

/* Newton's method; a step that does not descend is halved (Lin, Lin and Weng, 2007). */
Platt risk_fit(const Scored *s, size_t n)
{
    Platt l = { 0, 0 };
    Slopes d, next_d;
    size_t wrong = 0;
    for (size_t i = 0; i < n; i++) wrong += s[i].wrong;
    double right = (double)(n - wrong);
    const double target[2] = { (right + 1) / (right + 2), 1 / ((double)wrong + 2) };
    double at = loss(s, n, &l, target, &d);
    for (int round = 0; round < 100 && n && fabs(d.g0) + fabs(d.g1) > 1e-9; round++) {
        double det = d.h00 * d.h11 - d.h01 * d.h01, share = 1;
        double b = -(d.h11 * d.g0 - d.h01 * d.g1) / det;
        double m = -(d.h00 * d.g1 - d.h01 * d.g0) / det;
        Platt next;
        double then;
        do {
            next = (Platt){ l.bias + share * b, l.slope + share * m };
            then = loss(s, n, &next, target, &next_d);
            share /= 2;
        } while (!(then <= at) && share > 1e-10);
        if (!(then < at)) break;
        l = next, at = then, d = next_d;
    }
    return l;
}
