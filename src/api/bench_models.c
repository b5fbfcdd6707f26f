/* bench_models.c -- tokens, passages and pairs a second, each model by itself. */
#include "api/bench.h"
#include "model/weights.h"

enum { PROMPT = 512, WRITTEN = 64, TEMPLATE_ROOM = 48, PASSAGE = 150, PASSAGES = 32,
       GRAIN = 32 };   // GRAIN: llama_feed.c reuses whole grains of what libllama read

/* ---- the generator ---------------------------------------------------------------- */

static Status generate(Ctx *cx, Model *m, unsigned seed, int tokens, Generated *out)
{
    Message msg = { .role = "user" };
    GenerateOptions opt = { .max_tokens = tokens };
    Str text;
    TRY(bench_text(cx, m, PROMPT - TEMPLATE_ROOM, seed, &text));
    msg.content = ctx_printf(cx, "%s\nWrite down as many of these machines as you can, "
                             "each with its place and its hours.", text.p);
    TRY_NEW(msg.content.p);
    return model_generate(cx, m, &msg, 1, &opt, out);
}

/* The first prompt packs weights and makes room; it is not measured. The same prompt once
 * more tells who read it: ours keeps all but the last token, libllama whole grains. */
static Status warm_up(Ctx *cx, Model *m, bool *ours)
{
    Generated g;
    unsigned seed = 1000;
    do TRY(generate(cx, m, ++seed, 1, &g));
    while (g.prompt_tokens % GRAIN == 1 && seed < 1008);
    TRY(generate(cx, m, seed, 1, &g));
    *ours = g.reused_tokens > 0 && g.reused_tokens == g.prompt_tokens - 1;
    return OK;
}

static Status measure(Ctx *cx, Model *m, unsigned seed, BenchGenerator *out)
{
    Generated g;
    TRY(generate(cx, m, seed, WRITTEN, &g));
    int computed = g.finish == FINISH_LENGTH ? g.tokens - 1 : g.tokens;   // the first one
    double read = g.prompt_tokens - g.reused_tokens;                     // came with it
    if (g.prefill_ms > 0) series_add(&out->prefill, read / g.prefill_ms * 1e3);
    if (g.decode_ms > 0 && computed > 0)
        series_add(&out->decode, computed / g.decode_ms * 1e3);
    return OK;
}

static Status measure_all(Ctx *cx, const Bench *b, Model *m, BenchGenerator *out)
{
    int n = bench_repeats(b, 3, 9);
    TRY(warm_up(cx, m, &out->ours));
    for (int i = 0; i < n; i++) TRY(measure(cx, m, (unsigned)i, out));
    return OK;
}

Status bench_generator(Ctx *cx, const Bench *b, const char *path, BenchGenerator *out)
{
    ModelOptions opt = { .threads = b->threads,
                         .context_tokens = b->open->context_tokens };
    Model *m = NULL;
    Weights w = { 0 };
    *out = (BenchGenerator){ 0 };
    TRY(model_open(cx, path, &opt, &m));
    Status st = OK;
    const ModelInfo *info = model_info(m);
    out->name = ctx_dup(cx, info->name);
    if (!out->name.p) st = E_MEMORY;
    if (st == OK && info->file_bytes > 0) st = weights_read(cx, path, &w);
    out->quant = w.quant;
    out->weight_bytes = w.bytes;
    if (st == OK) st = measure_all(cx, b, m, out);
    model_close(m);
    return st;
}

/* ---- embedder and reranker -------------------------------------------------------- */

static Status passages(Ctx *cx, Model *m, unsigned seed, Str text[PASSAGES])
{
    for (unsigned i = 0; i < PASSAGES; i++)
        TRY(bench_text(cx, m, PASSAGE, seed * PASSAGES + i, &text[i]));
    return OK;
}

static void add_rate(Series *s, double ms)
{
    if (ms > 0) series_add(s, PASSAGES / ms * 1e3);
}

Status bench_embed(Ctx *cx, const Bench *b, pith *p, Series *out)
{
    Str text[PASSAGES];
    Model *m;
    TRY(handle_model(cx, p, ROLE_EMBEDDER, &m));
    if (!m) return OK;
    float *v = ctx_new(cx, float, PASSAGES * (size_t)model_info(m)->dim);
    TRY_NEW(v);
    TRY(passages(cx, m, 0, text));
    TRY(model_embed(cx, m, EMBED_PASSAGE, text, PASSAGES, v));   // warms up
    for (int i = 1, n = bench_repeats(b, 5, 15); i <= n; i++) {
        TRY(passages(cx, m, (unsigned)i, text));
        double t = now_ms();
        TRY(model_embed(cx, m, EMBED_PASSAGE, text, PASSAGES, v));
        add_rate(out, now_ms() - t);
    }
    return OK;
}

Status bench_rerank(Ctx *cx, const Bench *b, pith *p, Series *out)
{
    Str text[PASSAGES], question = bench_question(cx, 1);
    float logit[PASSAGES];
    Model *m;
    TRY_NEW(question.p);
    TRY(handle_model(cx, p, ROLE_RERANKER, &m));
    if (!m) return OK;
    TRY(passages(cx, m, 0, text));
    TRY(model_score(cx, m, question, text, PASSAGES, logit));    // warms up
    for (int i = 1, n = bench_repeats(b, 5, 15); i <= n; i++) {
        TRY(passages(cx, m, (unsigned)i, text));
        double t = now_ms();
        TRY(model_score(cx, m, question, text, PASSAGES, logit));
        add_rate(out, now_ms() - t);
    }
    return OK;
}
