/* bench_models.c -- tokens, passages and pairs a second, each model by itself. */
#include "api/bench.h"
#include "model/weights.h"

enum { TEMPLATE_ROOM = 48, PASSAGE = 150, PASSAGES = 32,
       GRAIN = 32 };   // GRAIN: llama_feed.c reuses whole grains of what libllama read

/* ---- the generator ---------------------------------------------------------------- */

/* The plan's texts from the seed'th on, as many as have n tokens; the last one is cut
 * where a word ends. */
static Status own_text(Ctx *cx, Model *m, const BenchPlan *plan, unsigned seed, int n,
                       Str *out)
{
    Buf b = BUF(1 << 20);
    int have = 0;
    Status st = OK;
    for (unsigned i = seed; st == OK && have < n; i++) {
        Str t = plan->texts[i % plan->n_texts];
        buf_addf(&b, "[%u] %.*s\n\n", i, (int)t.n, t.p);
        st = b.failed ? fail(cx, E_MEMORY, "no memory for a text")
                      : model_count(cx, m, buf_str(&b), &have);
    }
    size_t keep = st == OK && have > 0 ? b.n / (size_t)have * (size_t)n : 0;
    while (keep > 0 && keep < b.n && b.p[keep] != ' ') keep--;
    *out = ctx_dup(cx, (Str){ b.p, keep < b.n ? keep : b.n });
    buf_free(&b);
    TRY(st);
    TRY_NEW(out->p);
    return OK;
}

static Status ask_of(Ctx *cx, Model *m, const BenchPlan *plan, unsigned seed, Str *out)
{
    Str text;
    int n = plan->prompt - TEMPLATE_ROOM;
    const char *task = "Write down as many of these machines as you can, each with its "
                       "place and its hours.";
    if (plan->texts) task = "What do these texts say? Tell it in their own words.";
    TRY(plan->texts ? own_text(cx, m, plan, seed, n, &text)
                    : bench_text(cx, m, n, seed, &text));
    *out = ctx_printf(cx, "%s\n%s", text.p, task);
    TRY_NEW(out->p);
    return OK;
}

static Status generate(Ctx *cx, Model *m, Str prompt, int tokens, bool no_drafts,
                       Generated *out)
{
    Message msg = { .role = "user", .content = prompt };
    GenerateOptions opt = { .max_tokens = tokens, .no_drafts = no_drafts };
    return model_generate(cx, m, &msg, 1, &opt, out);
}

/* The first prompt packs weights and makes room; it is not measured. The same prompt once
 * more tells who read it: ours keeps all but the last token, libllama whole grains. */
static Status warm_up(Ctx *cx, Model *m, const BenchPlan *plan, bool *ours)
{
    Generated g;
    Str prompt;
    unsigned seed = 1000;
    do {
        TRY(ask_of(cx, m, plan, ++seed, &prompt));
        TRY(generate(cx, m, prompt, 1, false, &g));
    } while (g.prompt_tokens % GRAIN == 1 && seed < 1008);
    TRY(generate(cx, m, prompt, 1, false, &g));
    *ours = g.reused_tokens > 0 && g.reused_tokens == g.prompt_tokens - 1;
    return OK;
}

static void add_rate(Series *s, const Generated *g)
{
    int computed = g->finish == FINISH_LENGTH ? g->tokens - 1 : g->tokens;  // the first
    if (g->decode_ms > 0 && computed > 0)                        // came with the prompt
        series_add(s, computed / g->decode_ms * 1e3);
}

static Status measure(Ctx *cx, Model *m, const BenchPlan *plan, unsigned seed,
                      BenchGenerator *out)
{
    Generated g;
    Str prompt;
    TRY(ask_of(cx, m, plan, seed, &prompt));
    TRY(generate(cx, m, prompt, plan->written, false, &g));
    double read = g.prompt_tokens - g.reused_tokens;
    if (g.prefill_ms > 0) series_add(&out->prefill, read / g.prefill_ms * 1e3);
    add_rate(&out->decode, &g);
    out->we_write = model_step_bytes(m) > 0;
    if (out->we_write) TRY(generate(cx, m, prompt, plan->written, true, &g));
    add_rate(&out->step, &g);
    return OK;
}

static Status measure_all(Ctx *cx, Model *m, const BenchPlan *plan, BenchGenerator *out)
{
    TRY(warm_up(cx, m, plan, &out->ours));
    for (int i = 0; i < plan->repeats; i++)
        TRY(measure(cx, m, plan, (unsigned)i, out));
    return OK;
}

Status bench_generator(Ctx *cx, const char *path, const BenchPlan *plan,
                       BenchGenerator *out)
{
    Model *m = NULL;
    Weights w = { 0 };
    *out = (BenchGenerator){ 0 };
    TRY(model_open(cx, path, &plan->model, &m));
    Status st = OK;
    const ModelInfo *info = model_info(m);
    out->name = ctx_dup(cx, info->name);
    if (!out->name.p) st = E_MEMORY;
    if (st == OK && info->file_bytes > 0) st = weights_read(cx, path, &w);
    out->quant = w.quant;
    out->weight_bytes = w.bytes;
    if (st == OK) st = measure_all(cx, m, plan, out);
    out->step_bytes = out->we_write ? model_step_bytes(m) : w.bytes;
    model_close(m);
    return st;
}

double bench_bandwidth(const BenchGenerator *g, double gb_s)
{
    bool known = g->step_bytes > 0 && g->step.n > 0 && gb_s > 0;
    return known ? (double)g->step_bytes * series_at(&g->step, .5) / 1e9 / gb_s : 0;
}

/* ---- embedder and reranker -------------------------------------------------------- */

static Status passages(Ctx *cx, Model *m, unsigned seed, Str text[PASSAGES])
{
    for (unsigned i = 0; i < PASSAGES; i++)
        TRY(bench_text(cx, m, PASSAGE, seed * PASSAGES + i, &text[i]));
    return OK;
}

/* A model that reads passages, by themselves or each with a question. */
typedef struct Reader {
    Model *m;
    Str question;       // .p NULL: vectors are wanted
    float *out;         // (PASSAGES, dim) vectors or (PASSAGES) logits
} Reader;

static Status read_all(Ctx *cx, const Reader *r, const Str text[PASSAGES])
{
    if (r->question.p)
        return model_score(cx, r->m, r->question, text, PASSAGES, r->out);
    return model_embed(cx, r->m, EMBED_PASSAGE, text, PASSAGES, r->out);
}

/* The first passages warm the model up; they are not measured. */
static Status measure_reader(Ctx *cx, const Bench *b, const Reader *r, Series *out)
{
    Str text[PASSAGES];
    for (int i = 0, n = bench_repeats(b, 5, 15); i <= n; i++) {
        TRY(passages(cx, r->m, (unsigned)i, text));
        double t = now_ms();
        TRY(read_all(cx, r, text));
        double ms = now_ms() - t;
        if (i > 0 && ms > 0) series_add(out, PASSAGES / ms * 1e3);
    }
    return OK;
}

Status bench_embed(Ctx *cx, const Bench *b, pith *p, Series *out)
{
    Reader r = { 0 };
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &r.m));
    if (!r.m) return OK;
    TRY_NEW(r.out = ctx_new(cx, float, PASSAGES * (size_t)model_info(r.m)->dim));
    return measure_reader(cx, b, &r, out);
}

Status bench_rerank(Ctx *cx, const Bench *b, pith *p, Series *out)
{
    float logit[PASSAGES];
    Reader r = { .question = bench_question(cx, 1), .out = logit };
    TRY_NEW(r.question.p);
    TRY(handle_model(cx, p, ROLE_RERANKER, &r.m));
    return r.m ? measure_reader(cx, b, &r, out) : OK;
}
