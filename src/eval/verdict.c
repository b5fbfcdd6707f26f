/* verdict.c -- see verdict.h. */
#include "eval/verdict.h"

#define SLACK 1e-9      // a loss of exactly so many points is not worse

Verdict verdict_of(const Measured m[N_GATE])
{
    Verdict v = { .wins = false };
    for (int i = 0; i < N_GATE; i++)
        v.of[i] = stats_paired(m[i].base, m[i].tuned, m[i].n, STATS_SEED);
    v.better = v.of[GATE_F1].difference > 0 && v.of[GATE_F1].p < VERDICT_P;
    v.refuses = v.of[GATE_REFUSED].difference >= -VERDICT_REFUSAL - SLACK;
    v.remembers = v.of[GATE_GENERAL].difference >= -VERDICT_GENERAL - SLACK;
    v.wins = v.better && v.refuses && v.remembers;
    return v;
}
