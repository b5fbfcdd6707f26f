/* budget.c -- see budget.h. */
#include "ask/budget.h"

#include <math.h>
#include <string.h>

/* Tokens of an answer that are planned for: most answers of a small model are a sentence.
 * AROUND: of instruction, question and template. */
enum { ANSWER = 40, ANSWER_LEAST = 16, AROUND = 110, CONTEXT_LEAST = 128,
       NOTICE = 64 };   // tokens that are read between two looks at the clock

const char *rate_name(RateKind k)
{
    static const char *const name[RATES] = { "pair_ms", "read_ms", "write_ms", "rest_ms",
                                             "cold_ms" };
    return name[k];
}

double rate_ms(const Rates *r, RateKind k)
{
    static const double guess[RATES] = { 40, 5, 60, 150, 1000 };    // a slow machine's
    const Rate *x = &r->at[k];
    return x->n ? x->mean + 2 * x->deviation : guess[k];
}

/* Gains of 1/8 and 1/4 as in RFC 6298, 2; the first few count as they come. */
void rate_learn(Rates *r, RateKind k, double ms)
{
    Rate *x = &r->at[k];
    if (!isfinite(ms) || ms < 0) return;
    if (x->n == 0) {
        *x = (Rate){ ms, ms / 2, 1 };
        return;
    }
    double slow = x->n < 8 ? 1.0 / (x->n + 1) : 1.0 / 8, off = fabs(ms - x->mean);
    x->deviation += (off - x->deviation) * fmax(slow, 1.0 / 4);
    x->mean += (ms - x->mean) * slow;
    if (x->n < 1 << 20) x->n++;
}

static double expected(const Rates *r, const BudgetPlan *p, bool cold)
{
    int written = p->max_tokens < ANSWER ? p->max_tokens : ANSWER;
    return rate_ms(r, RATE_REST) + (cold ? rate_ms(r, RATE_COLD) : 0)
         + p->rerank * rate_ms(r, RATE_PAIR)
         + (p->context_tokens + AROUND) * rate_ms(r, RATE_READ)
         + written * rate_ms(r, RATE_WRITE);
}

static int lesser(int a, int b)
{
    return a < b ? a : b;
}

BudgetPlan budget_plan(const Rates *r, double ms, bool cold, const BudgetPlan *most)
{
    /* With the filter few questions need more than 600 tokens (146 on average on NQ, 567
     * on CovidQA), so that the context shrinks before the reranker reads less. */
    static const BudgetPlan plans[] = {
        { 100, 32768, 2048, 0, false }, { 50, 4096, 512, 0, false },
        { 20, 1200, 256, 0, false }, { 20, 800, 128, 0, false },
        { 20, 600, 96, 0, false }, { 16, 450, 80, 0, false }, { 12, 350, 64, 0, false },
        { 8, 300, 48, 0, false }, { 6, 250, 40, 0, false }, { 4, 220, 32, 0, false },
        { 0, 220, 24, 0, false }, { 0, CONTEXT_LEAST, ANSWER_LEAST, 0, false },
    };
    BudgetPlan p = { 0 };
    for (size_t i = 0; i < sizeof plans / sizeof *plans && !p.fits; i++) {
        p.rerank = lesser(plans[i].rerank, most->rerank);
        p.context_tokens = lesser(plans[i].context_tokens, most->context_tokens);
        p.max_tokens = lesser(plans[i].max_tokens, most->max_tokens);
        p.expected_ms = expected(r, &p, cold);
        p.fits = p.expected_ms <= ms;
    }
    return p;
}

double budget_rerank_ms(const Deadline *d)
{
    double left = d->at - now_ms() - d->cold_ms - ANSWER_LEAST * d->write_ms
                - (CONTEXT_LEAST + AROUND) * d->read_ms;
    return left > 1 ? left : 1;
}

int budget_context(const Deadline *d, int most)
{
    double left = d->at - now_ms() - d->cold_ms - ANSWER_LEAST * d->write_ms;
    double tokens = left / d->read_ms - AROUND;
    if (!(tokens > CONTEXT_LEAST)) return lesser(CONTEXT_LEAST, most);
    return tokens < most ? (int)tokens : most;
}

static bool ends_sentence(Str text)
{
    text = str_trim(text);
    while (text.n > 1 && strchr("\"')]", text.p[text.n - 1])) text.n--;
    return text.n > 0 && strchr(".!?", text.p[text.n - 1]);
}

/* Another sentence is not begun where it could not be ended. */
bool budget_over(const Deadline *d, Str text)
{
    double left = d->at - now_ms();
    if (left <= 2 * d->write_ms) return true;
    return left <= ANSWER_LEAST * d->write_ms && ends_sentence(text);
}

static bool watch_wants_stop(void *arg)
{
    DeadlineWatch *w = arg;
    const Deadline *d = w->deadline;
    if (w->cancelled && w->cancelled(w->arg)) return true;
    double notice = w->written ? 0 : NOTICE * d->read_ms;
    w->over |= d->at - now_ms() <= 2 * d->write_ms + notice;
    return w->over;
}

void watch_begin(Ctx *cx, const Deadline *d, DeadlineWatch *w)
{
    *w = (DeadlineWatch){ .deadline = d, .cancelled = cx->cancelled,
                          .arg = cx->cancel_arg };
    if (d->at <= 0) return;
    cx->cancelled = watch_wants_stop;
    cx->cancel_arg = w;
}

Status watch_end(Ctx *cx, const DeadlineWatch *w, Status st)
{
    cx->cancelled = w->cancelled;
    cx->cancel_arg = w->arg;
    if (st != E_CANCELLED || !w->over) return st;
    ctx_forgive(cx);
    return ctx_check(cx);       // the owner may want to stop as well
}
