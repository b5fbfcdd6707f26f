/* fit_rule.c -- what is tried, and which of it is taken. */
#include "api/fit.h"

/* Of the forms that CPUs have fast kernels for: eight bits a weight, and four with a
 * scale for 32, evenly spaced or at 16 values that fit a bell curve. */
const FitForm *fit_forms(size_t *n)
{
    static const FitForm forms[] = {
        { "as it is", NULL, NULL },
        { "Q8_0", "q8_0", NULL },
        { "IQ4_NL", "iq4_nl", NULL },
        { "Q4_0", "q4_0", NULL },
        { "IQ4_NL, head too", "iq4_nl", "iq4_nl" },
        { "Q4_0, head too", "q4_0", "q4_0" },
    };
    *n = sizeof forms / sizeof *forms;
    return forms;
}

int fit_threads(int most, int out[FIT_RUNS])
{
    int n = 0;
    for (int t = 1; t < most && n < FIT_RUNS - 1; t *= 2) out[n++] = t;
    out[n++] = most;
    return n;
}

double fit_answer_ms(const FitRule *rule, const BenchGenerator *g)
{
    double read = series_at(&g->prefill, .5), write = series_at(&g->decode, .5);
    if (read <= 0 || write <= 0) return 0;
    return 1e3 * (rule->prompt / read + rule->answer / write);
}

static void best_run(FitTry *t)
{
    t->best = 0;
    for (int i = 1; i < t->runs; i++)
        if (t->run[i].answer_ms > 0 && (t->run[t->best].answer_ms <= 0 ||
            t->run[i].answer_ms < t->run[t->best].answer_ms)) t->best = i;
}

static double time_of(const FitTry *t)
{
    return t->runs > 0 ? t->run[t->best].answer_ms : 0;
}

size_t fit_pick(const FitRule *rule, FitTry *try, size_t n)
{
    size_t picked = 0;
    for (size_t i = 0; i < n; i++) {
        best_run(&try[i]);
        try[i].within = i == 0 || try[i].like.divergence <= try[0].like.divergence
                                                          + rule->max_loss;
    }
    double bar = .95 * time_of(&try[0]);
    for (size_t i = 1; i < n; i++) {
        double ms = time_of(&try[i]);
        if (!try[i].within || ms <= 0 || ms > bar) continue;
        picked = i;
        bar = ms;
    }
    return picked;
}
