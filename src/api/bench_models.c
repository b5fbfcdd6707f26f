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
