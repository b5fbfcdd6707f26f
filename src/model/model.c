/* model.c -- see model.h: which implementation opens a file, and the checks that hold
 * for all of them. */
#include "model/engine.h"
#include "model/impl.h"
#include "model/remote.h"
#include "model/sound.h"

#include <math.h>

enum { MAX_THREADS = 1024, MAX_CONTEXT = 1 << 20, MAX_ANSWERS = 24 };

/* A BERT goes to our encoder; what that cannot compute, and all else, to libllama. */
static Status open_file(Ctx *cx, const char *path, const ModelOptions *opt, Model **out)
{
    engine_start();
    if (!opt->plain) {
        Status st = encoder_open(cx, path, opt, out);
        if (st != E_MODEL) return st;
        ctx_forgive(cx);
    }
    return llama_model_open(cx, path, opt, out);
}

Status model_open(Ctx *cx, const char *path, const ModelOptions *opt, Model **out)
{
    static const ModelOptions defaults = { 0 };
    *out = NULL;
    if (!opt) opt = &defaults;
    if (!path || !*path) return fail(cx, E_ARG, "a model's path is empty");
    if (opt->threads < 0 || opt->threads > MAX_THREADS)
        return fail(cx, E_ARG, "%d threads; 1 to %d, or 0 for one per core", opt->threads,
                    MAX_THREADS);
    if (opt->context_tokens < 0 || opt->context_tokens > MAX_CONTEXT)
        return fail(cx, E_ARG, "a context of %d tokens; 1 to %d, or 0 for the usual",
                    opt->context_tokens, MAX_CONTEXT);
    if (opt->answers < 0 || opt->answers > MAX_ANSWERS)
        return fail(cx, E_ARG, "%d answers at a time; 1 to %d, or 0 for one",
                    opt->answers, MAX_ANSWERS);
    bool fake = str_starts(str_z(path), STR("fake:"));
    TRY(model_is_elsewhere(path) ? remote_open(cx, path, opt, out)
        : fake ? fake_open(cx, path, opt, out) : open_file(cx, path, opt, out));
    turn_open(&(*out)->one);
    return OK;
}

void model_close(Model *m)
{
    if (!m) return;
    turn_close(&m->one);
    m->impl->close(m);
}

const ModelInfo *model_info(const Model *m)
{
    return &m->info;
}

uint64_t model_step_bytes(const Model *m)
{
    return m->impl->step_bytes ? m->impl->step_bytes(m) : 0;
}

Status model_count(Ctx *cx, Model *m, Str text, int *n)
{
    *n = 0;
    TRY(sound_text(cx, text, &text));
    return m->impl->count(cx, m, text, n);
}

Status model_unknown(Ctx *cx, Model *m, Str text, int *n)
{
    *n = -1;
    TRY(sound_text(cx, text, &text));
    return m->impl->unknown ? m->impl->unknown(cx, m, text, n) : OK;
}

static Status cannot(Ctx *cx, const Model *m, const char *what)
{
    return fail(cx, E_MODEL, "%s cannot %s", m->info.name.p, what);
}

/* (n, width) numbers, all finite? */
static Status check_finite(Ctx *cx, const Model *m, const float *out, size_t n,
                           size_t width, const char *what)
{
    for (size_t i = 0; i < n * width; i++)
        if (!isfinite(out[i]))
            return fail(cx, E_MODEL, "%s gives a %s that is not finite for text %zu",
                        m->info.name.p, what, i / width + 1);
    return OK;
}

Status model_embed(Ctx *cx, Model *m, EmbedKind kind, const Str *texts, size_t n,
                   float *out)
{
    if (!m->impl->embed) return cannot(cx, m, "embed texts");
    if (n == 0) return OK;
    TRY(sound_texts(cx, texts, n, &texts));
    TRY(ctx_check(cx));
    TRY(turn_take(cx, &m->one));
    Status st = m->impl->embed(cx, m, kind, texts, n, out);
    turn_give(&m->one);
    TRY(st);
    return check_finite(cx, m, out, n, (size_t)m->info.dim, "vector");
}

Status model_score(Ctx *cx, Model *m, Str query, const Str *texts, size_t n, float *out)
{
    if (!m->impl->score) return cannot(cx, m, "score texts");
    if (n == 0) return OK;
    TRY(sound_text(cx, query, &query));
    TRY(sound_texts(cx, texts, n, &texts));
    TRY(ctx_check(cx));
    TRY(turn_take(cx, &m->one));
    Status st = m->impl->score(cx, m, query, texts, n, out);
    turn_give(&m->one);
    TRY(st);
    return check_finite(cx, m, out, n, 1, "score");
}

static Status check_messages(Ctx *cx, const Message *msg, size_t n)
{
    if (n == 0) return fail(cx, E_ARG, "a conversation without a message");
    for (size_t i = 0; i < n; i++)
        if (!msg[i].role || !*msg[i].role)
            return fail(cx, E_ARG, "message %zu has no role", i + 1);
    return OK;
}

Status model_count_chat(Ctx *cx, Model *m, const Message *msg, size_t n, int *tokens)
{
    *tokens = 0;
    if (!m->impl->count_chat) return cannot(cx, m, "hold a conversation");
    TRY(check_messages(cx, msg, n));
    TRY(sound_messages(cx, msg, n, &msg));
    return m->impl->count_chat(cx, m, msg, n, tokens);
}

Status model_read_ahead(Ctx *cx, Model *m, const Message *msg, size_t n,
                        const Excerpts *excerpts, ReadAhead *out)
{
    *out = READ_NO_ROOM;
    if (!m->impl->read_ahead) return cannot(cx, m, "read ahead");
    TRY(check_messages(cx, msg, n));
    return m->impl->read_ahead(cx, m, msg, n, excerpts, out);
}

Status model_chat_tokens(Ctx *cx, Model *m, const Message *msg, size_t n, ChatTokens *out)
{
    *out = (ChatTokens){ 0 };
    if (!m->impl->chat_tokens) return cannot(cx, m, "be trained on conversations");
    TRY(check_messages(cx, msg, n));
    TRY(sound_messages(cx, msg, n, &msg));
    return m->impl->chat_tokens(cx, m, msg, n, out);
}

Status model_generate(Ctx *cx, Model *m, const Message *msg, size_t n,
                      const GenerateOptions *opt, Generated *out)
{
    *out = (Generated){ 0 };
    if (!m->impl->generate) return cannot(cx, m, "write answers");
    TRY(check_messages(cx, msg, n));
    if (opt->max_tokens <= 0)
        return fail(cx, E_ARG, "max_tokens is %d, 1 or more was wanted", opt->max_tokens);
    if (!(opt->temperature >= 0) || !isfinite(opt->temperature))
        return fail(cx, E_ARG, "temperature is %g, 0 or more was wanted",
                    (double)opt->temperature);
    TRY(sound_messages(cx, msg, n, &msg));
    TRY(ctx_check(cx));
    return m->impl->generate(cx, m, msg, n, opt, out);
}
