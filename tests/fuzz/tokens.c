/* Any bytes as a text, to the tokenizers: BERT's WordPiece and the byte pairs of a
 * decoder. They are counted in range, the unknown among them are no more, and the vector
 * of any text has the length 1. */
#include "model/encoder.h"
#include "tiny_bert.h"
#include "tiny_lm.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { TEXT_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static Model *encoder, *decoder;    // opened once: there is no other place to keep them

static void must(bool ok)
{
    if (!ok) abort();
}

static void close_models(void)
{
    model_close(encoder);
    model_close(decoder);
}

static void open_models(void)
{
    Ctx cx = CTX_INIT;
    char bert[] = "/tmp/pith-bert-XXXXXX", lm[] = "/tmp/pith-lm-XXXXXX";
    ModelOptions one = { .threads = 1, .words_only = true };
    must(close(mkstemp(bert)) == 0 && close(mkstemp(lm)) == 0);
    must(tiny_bert_write(bert, &(TinyBert){ .pooling = 2, .type = GGML_TYPE_F32 }));
    must(tiny_lm_write(lm, &(TinyLm){ .arch = "qwen2" }));
    must(encoder_open_way(&cx, bert, &one, MATMUL_PLAIN, &encoder) == OK);
    must(model_open(&cx, lm, &one, &decoder) == OK);
    unlink(bert);
    unlink(lm);
    ctx_end(&cx);
    atexit(close_models);
}

static void check_vector(Ctx *cx, Str text)
{
    float v[TINY_HIDDEN];
    double sum = 0;
    must(model_embed(cx, encoder, EMBED_PASSAGE, &text, 1, v) == OK);
    for (int i = 0; i < TINY_HIDDEN; i++) sum += (double)v[i] * v[i];
    must(fabs(sum - 1) < 1e-3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Str text = { (const char *)data, n < TEXT_MAX ? n : TEXT_MAX };
    Message turn = { "user", text };
    ChatTokens chat;
    int tokens, unknown;
    if (!encoder) open_models();
    must(model_count(&cx, encoder, text, &tokens) == OK);
    must(tokens >= 0 && (size_t)tokens <= text.n);
    must(model_unknown(&cx, encoder, text, &unknown) == OK && unknown <= tokens);
    check_vector(&cx, text);
    must(model_count(&cx, decoder, text, &tokens) == OK);
    must(tokens >= 0 && (size_t)tokens <= text.n);
    if (model_count_chat(&cx, decoder, &turn, 1, &tokens) == OK) must(tokens > 0);
    ctx_forgive(&cx);
    if (model_chat_tokens(&cx, decoder, &turn, 1, &chat) == OK)
        for (size_t i = 0; i < chat.n; i++) must(chat.id[i] >= 0 && chat.answer[i] <= 1);
    ctx_end(&cx);
    return 0;
}
