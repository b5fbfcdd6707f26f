/* Any bytes as what a server elsewhere answers: to a question as a stream or as one
 * object, to a call for vectors and to one for scores. An answer is text that may be
 * shown, vectors are unit vectors, scores are finite; or there is a reason. */
#include "model/model.h"
#include "parse/charset.h"
#include "support/llm_server.h"

#include <math.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static LlmServer server;    // started once: a target has no other place to keep it

static void must(bool ok)
{
    if (!ok) abort();
}

static void leave(void) { llm_server_stop(&server); }

static void generate(Ctx *cx, Model *m)
{
    Message turn = { "user", STR("How long?") };
    GenerateOptions opt = { .max_tokens = 64 };
    Generated got;
    Status st = model_generate(cx, m, &turn, 1, &opt, &got);
    if (st == OK) must(charset_invalid(got.text) == 0);
    else must(cx->reason[0] != '\0');
    ctx_forgive(cx);
}

static void embed(Ctx *cx, Model *m)
{
    float v[2];
    Str text = STR("a");
    Status st = model_embed(cx, m, EMBED_QUERY, &text, 1, v);
    if (st == OK) must(fabsf(v[0] * v[0] + v[1] * v[1] - 1) < 1e-3f);
    else must(cx->reason[0] != '\0');
    ctx_forgive(cx);
    st = model_score(cx, m, text, &text, 1, v);
    must(st == OK ? isfinite(v[0]) : cx->reason[0] != '\0');
    ctx_forgive(cx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Model *m = NULL;
    if (!server.listener) {
        setenv("XDG_CONFIG_HOME", "/nowhere", 1);
        unsetenv("PITH_REMOTE_KEY");
        must(llm_server_start(&server));
        atexit(leave);
    }
    char *text = strndup((const char *)data, n);
    Str spec = ctx_printf(&cx, "%s#m,dim=2,timeout=1", server.url);
    must(text && spec.p);
    server.json = text;
    server.n_seen = 0;
    for (int way = 0; way < 2; way++) {
        server.mood = way ? LLM_GOOD : LLM_RAW;
        must(model_open(&cx, spec.p, NULL, &m) == OK);
        if (way) embed(&cx, m);
        else generate(&cx, m);
        model_close(m);
    }
    server.json = NULL;
    free(text);
    ctx_end(&cx);
    return 0;
}
