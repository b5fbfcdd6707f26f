/* halves.c -- see halves.h. */
#include "eval/halves.h"

#include "base/random.h"
#include "eval/stats.h"

enum { SEED = 2021 };

static void shuffle(Scored *s, size_t n, uint64_t *state)
{
    for (size_t i = n; i > 1; i--) {
        size_t other = random_next(state) % i;
        Scored swap = s[i - 1];
        s[i - 1] = s[other];
        s[other] = swap;
    }
}

/* What a threshold does on n questions that it has not seen. */
static void count_split(const Scored *s, size_t n, double above, const Promise *p,
                        Halves *h)
{
    size_t kept = 0, wrong = 0, right = 0;
    for (size_t i = 0; i < n; i++) {
        right += !s[i].wrong;
        if (!(s[i].score > above)) continue;
        kept++;
        wrong += s[i].wrong;
    }
    double risk = kept ? (double)wrong / (double)kept : 0;
    double luck = wrong ? 1 - stats_binomial(wrong - 1, kept, p->risk) : 1;
    h->made++;
    h->within += risk <= p->risk;
    h->not_refuted += luck > 1 - p->confidence;
    h->risk += risk;
    h->coverage += n ? (double)kept / (double)n : 0;
    h->kept_right += right ? (double)(kept - wrong) / (double)right : 0;
}

Halves halves_of(Scored *s, size_t n, size_t splits, const Promise *promise)
{
    Halves h = { 0 };
    uint64_t seed = SEED;
    for (size_t i = 0; i < splits; i++) {
        shuffle(s, n, &seed);
        Chosen c = risk_choose(s, n / 2, promise);
        if (c.held) count_split(s + n / 2, n - n / 2, c.above, promise, &h);
    }
    double made = h.made ? (double)h.made : 1;
    h.risk /= made;
    h.coverage /= made;
    h.kept_right /= made;
    return h;
}
