/* fit_json.c -- what a run of pith_model_fit found, and why it chose so. */
#include "api/fit.h"
#include "model/machine.h"

#include <time.h>

static json_t *run_json(const FitRun *r)
{
    const BenchGenerator *g = &r->figures;
    return json_pack("{si ss ss sI so so so so so so}", "threads", r->threads, "reader",
        g->ours ? "pith" : "engine", "writer", g->we_write ? "pith" : "engine",
        "weight_bytes", (json_int_t)g->step_bytes, "prefill_tok_s",
        series_median_json(&g->prefill), "decode_tok_s", series_median_json(&g->decode),
        "decode_spread", series_spread_json(&g->decode), "step_tok_s",
        series_median_json(&g->step), "bandwidth_share",
        r->share > 0 ? bench_number(r->share) : json_null(), "answer_ms",
        bench_number(r->answer_ms));
}

static json_t *try_json(const FitTry *t)
{
    json_t *runs = json_array();
    const char *quant = t->runs > 0 ? t->run[0].figures.quant : NULL;
    for (int i = 0; i < t->runs; i++) json_array_append_new(runs, run_json(&t->run[i]));
    return json_pack("{ss ss? sI so so so sb so so}", "form", t->form->name, "quant",
        quant, "bytes", (json_int_t)t->bytes, "perplexity",
        bench_number(t->like.perplexity), "divergence",
        bench_number(t->like.divergence), "same", bench_number(t->like.same), "within",
        t->within, "engine_prefill_tok_s", bench_number(t->engine_tok_s), "runs", runs);
}

static Str why_of(Ctx *cx, const Fit *f, size_t best)
{
    const FitTry *own = &f->try[0], *t = &f->try[best];
    double was = own->run[own->best].answer_ms, is = t->run[t->best].answer_ms;
    if (best == 0)
        return ctx_printf(cx, "no form within %.3g nats is a twentieth faster than the "
                          "file as it is (%.0f ms for %d tokens read and %d written)",
                          f->rule.max_loss, was, f->rule.prompt, f->rule.answer);
    return ctx_printf(cx, "%d tokens read and %d written in %.0f ms, %.0f as it was; its "
                      "next words diverge by %.3f nats from the original's, %.3f as it "
                      "was, and are the likeliest one in %.0f %% of places",
                      f->rule.prompt, f->rule.answer, is, was, t->like.divergence,
                      own->like.divergence, 100 * t->like.same);
}

json_t *fit_record(Ctx *cx, const Fit *f, size_t best)
{
    char made[32], cpu[MACHINE_LINE] = "unknown";
    time_t now = time(NULL);
    struct tm tm;
    const FitTry *t = &f->try[best];
    json_t *all = json_array();
    gmtime_r(&now, &tm);
    strftime(made, sizeof made, "%Y-%m-%dT%H:%M:%SZ", &tm);
    (void)machine_line("/proc/cpuinfo", "model name", cpu);
    for (size_t i = 0; i < f->n; i++)
        if (f->try[i].runs > 0) json_array_append_new(all, try_json(&f->try[i]));
    return json_pack(
        "{ss ss ss ss ss ss ss ss si so ss sI s{si si so}"
        " so ss ss ss? sI si sb s{so so}}",
        "pith", PITH_VERSION, "model", f->name.p, "source", f->source.p, "original",
        f->at.print.p, "original_file", f->original.p, "made", made,
        "machine_key", machine_key().z, "cpu", cpu, "cores",
        machine_cores(), "read_gb_s", bench_number(f->gb_s), "texts", f->texts_from,
        "places", (json_int_t)t->like.places, "rule", "prompt_tokens", f->rule.prompt,
        "answer_tokens", f->rule.answer, "max_loss", bench_number(f->rule.max_loss),
        "candidates", all, "chosen", t->form->name, "why", why_of(cx, f, best).p, "path",
        best ? f->at.model.p : NULL, "file_bytes", (json_int_t)(best ? t->bytes : 0),
        "threads", t->run[t->best].threads, "flash", f->flash_ms[1] < f->flash_ms[0],
        "flash_ms", "with", bench_number(f->flash_ms[1]), "without",
        bench_number(f->flash_ms[0]));
}
