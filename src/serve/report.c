/* report.c -- see report.h. Figures and times, never text. */
#include "serve/report.h"

#include <stdio.h>
#include <string.h>

void report_stages(Request *r, const pith_stage *stages, size_t n)
{
    char label[64];
    for (size_t i = 0; i < n; i++) {
        const pith_stage *s = &stages[i];
        json_t *j = json_pack("{sI ss sf}", "id", (json_int_t)r->id, "stage", s->name,
                              "ms", s->ms);
        for (int f = 0; j && f < s->n_figures; f++)
            json_object_set_new(j, s->figure[f].name, json_real(s->figure[f].value));
        log_event(&r->server->log, LOG_INFO, "stage", j);
        snprintf(label, sizeof label, "stage=\"%s\"", s->name);
        metrics_time(r->server->metrics, METRIC_STAGE_S, label, s->ms);
    }
}

/* A refusal before anybody wrote is nobody's answer. */
static void report_route(Metrics *m, const pith_answer *a)
{
    const char *who = a->fallback ? "route=\"slm_fallback\""
                    : strcmp(a->route, "llm") == 0 ? "route=\"llm\"" : "route=\"slm\"";
    if (a->generated_tokens > 0) metrics_count(m, METRIC_ROUTES, who, 1);
    if (a->remote_tokens == 0) return;
    metrics_count(m, METRIC_REMOTE_S, "", a->remote_ms / 1000);
    metrics_count(m, METRIC_REMOTE_TOKENS, "", a->remote_tokens);
    metrics_count(m, METRIC_REMOTE_COST, "", a->remote_cost);
}

void report_answer(Request *r, const pith_answer *a)
{
    Metrics *m = r->server->metrics;
    report_stages(r, a->stages, a->n_stages);
    report_route(m, a);
    metrics_count(m, METRIC_TOKENS, "kind=\"prompt\"", a->prompt_tokens);
    metrics_count(m, METRIC_TOKENS, "kind=\"generated\"", a->generated_tokens);
    if (a->first_token_ms > 0) metrics_time(m, METRIC_FIRST_S, "", a->first_token_ms);
}
