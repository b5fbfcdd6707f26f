/* remote_generate.c -- an answer streamed from /chat/completions. See remote.h.
 *
 * A server that ignores "stream" and sends one object is understood too. Invariant: an
 * answer counts only when its end was told, by a finish_reason, by [DONE] or by the
 * object's last brace; anything else broke off. */
#include "model/remote.h"

#include "model/sse.h"
#include "model/thoughts.h"

#include <string.h>

enum { MAX_LINE = 1 << 20, BYTES_A_TOKEN = 64, FRAME_BYTES = 4096 };

typedef struct Reading {
    Ctx *cx;
    Remote *model;
    const GenerateOptions *opt;
    Generated *out;
    const Call *call;
    Sse sse;
    Buf whole;              // a reply that is one object
    Thoughts thoughts;
    Buf text;
    double begun, first;    // ms; first 0: no text yet
    bool ended, stopped;    // stopped: by the reader
} Reading;

static Status hand_on(Reading *r, Str piece)
{
    if (r->thoughts.head.failed)
        return fail(r->cx, E_LIMIT, "%s: thoughts without an end", r->model->url);
    if (piece.n == 0) return OK;
    if (r->first == 0) r->first = now_ms();
    buf_add(&r->text, piece);
    if (r->text.failed)
        return fail(r->cx, E_LIMIT, "%s: more than %zu bytes of text for %d tokens",
                    r->model->url, r->text.max, r->opt->max_tokens);
    r->stopped = r->opt->on_text && !r->opt->on_text(r->opt->arg, piece);
    return r->stopped ? E_CANCELLED : OK;
}

static void read_usage(Reading *r, const json_t *usage)
{
    const json_t *in = json_object_get(usage, "prompt_tokens");
    const json_t *made = json_object_get(usage, "completion_tokens");
    const json_int_t most = 1 << 30;
    if (json_integer_value(in) > 0 && json_integer_value(in) < most)
        r->out->prompt_tokens = (int)json_integer_value(in);
    if (json_integer_value(made) > 0 && json_integer_value(made) < most)
        r->out->tokens = (int)json_integer_value(made);
}

/* One object: a piece of the stream, or the whole reply. */
static Status read_object(Reading *r, const json_t *j)
{
    const json_t *error = json_object_get(j, "error");
    const json_t *choice = json_array_get(json_object_get(j, "choices"), 0);
    const json_t *delta = json_object_get(choice, "delta");
    if (!delta) delta = json_object_get(choice, "message");
    const json_t *text = json_object_get(delta, "content");
    const char *why = json_string_value(json_object_get(choice, "finish_reason"));
    if (json_is_object(error) || json_is_string(error)) {
        const char *said = json_is_string(error) ? json_string_value(error)
                           : json_string_value(json_object_get(error, "message"));
        return fail(r->cx, E_NET, "%s: %.200s", r->model->url, said ? said : "an error");
    }
    if (why) {
        r->ended = true;
        if (strcmp(why, "length") == 0) r->out->finish = FINISH_LENGTH;
    }
    Str piece = { json_string_value(text), json_string_length(text) };
    if (piece.n) r->out->tokens++;  // a piece a token, unless the server counts for us
    Status st = hand_on(r, thoughts_pass(&r->thoughts, piece));
    if (st == OK) read_usage(r, json_object_get(j, "usage"));
    return st;
}

static Status read_json(Reading *r, Str bytes)
{
    json_error_t why;
    json_t *j = json_loadb(bytes.p, bytes.n, 0, &why);
    if (!j)
        return fail(r->cx, E_FORMAT, "%s: no JSON in the answer, at byte %d: %s",
                    r->model->url, why.position, why.text);
    Status st = read_object(r, j);
    json_decref(j);
    return st;
}

static Status on_event(void *arg, Str data)
{
    Reading *r = arg;
    if (!str_eq(str_trim(data), STR("[DONE]"))) return read_json(r, data);
    r->ended = true;
    return OK;
}

static Status on_bytes(void *arg, Str bytes)
{
    Reading *r = arg;
    const char *type = r->call->reply.type;
    if (strcmp(type, "text/event-stream") == 0) return sse_feed(r->cx, &r->sse, bytes);
    if (strcmp(type, "application/json") != 0)
        return fail(r->cx, E_FORMAT, "%s answers with %s; text/event-stream was wanted: "
                    "is this the address of the API?", r->model->url,
                    type[0] ? type : "no type");
    buf_add(&r->whole, bytes);
    return r->whole.failed ? fail(r->cx, E_MEMORY, "no memory for an answer") : OK;
}

static json_t *request_json(const Remote *m, const Message *msg, size_t n,
                            const GenerateOptions *opt)
{
    json_t *all = json_array();
    for (size_t i = 0; i < n; i++) {
        Str said = msg[i].content.p ? msg[i].content : (Str){ "", 0 };
        json_t *one = json_pack("{ss ss%}", "role", msg[i].role, "content", said.p,
                                said.n);
        if (json_array_append_new(all, one) == 0) continue;
        json_decref(all);
        return NULL;
    }
    return json_pack("{ss so sb s{sb} si sf sI}", "model", m->model, "messages", all,
                     "stream", 1, "stream_options", "include_usage", 1,
                     "max_tokens", opt->max_tokens, "temperature",
                     (double)opt->temperature, "seed",
                     (json_int_t)(opt->seed & INT32_MAX));
}

/* What the end of the connection means for the answer. */
static Status finish(Reading *r, Status st)
{
    if (r->stopped) {
        ctx_forgive(r->cx);
        r->out->finish = FINISH_CALLER;
        return OK;
    }
    if (st == OK && r->whole.n) {
        st = read_json(r, buf_str(&r->whole));
        r->ended = st == OK;
        if (r->stopped) return finish(r, OK);
    }
    if (st == OK && !r->ended)
        st = fail(r->cx, E_NET, "%s: the answer broke off after %zu bytes of text",
                  r->model->url, r->text.n);
    if (st == OK) st = hand_on(r, thoughts_rest(&r->thoughts));
    return r->stopped ? finish(r, OK) : st;
}

static Status converse(Reading *r, json_t *body)
{
    uint64_t most = (uint64_t)r->opt->max_tokens * FRAME_BYTES + MAX_LINE;
    Call call = { .path = "/chat/completions", .body = body, .max_bytes = most,
                  .timeout_ms = r->opt->timeout_ms, .on_bytes = on_bytes, .arg = r };
    r->call = &call;
    Status st = finish(r, remote_call(r->cx, r->model, &call));
    remote_settle(r->model, &call, st);
    r->call = NULL;
    return st;
}

Status remote_generate(Ctx *cx, Model *m, const Message *msg, size_t n,
                       const GenerateOptions *opt, Generated *out)
{
    Reading r = { .cx = cx, .model = (Remote *)m, .opt = opt, .out = out,
                  .whole = BUF(MAX_LINE), .thoughts = thoughts_open(), .begun = now_ms(),
                  .text = BUF((size_t)opt->max_tokens * BYTES_A_TOKEN + FRAME_BYTES) };
    int prompt = 0;
    TRY(model_count_chat(cx, m, msg, n, &prompt));
    if (prompt > m->info.window - opt->max_tokens)
        return fail(cx, E_LIMIT, "about %d tokens of prompt and %d of answer, the window "
                    "has %d: ask for less context", prompt, opt->max_tokens,
                    m->info.window);
    json_t *body = request_json(r.model, msg, n, opt);
    if (!body) return fail(cx, E_FORMAT, "the text to send is not valid UTF-8");
    out->prompt_tokens = prompt;
    r.sse = sse_open(MAX_LINE, on_event, &r);
    Status st = converse(&r, body);
    out->prefill_ms = r.first > 0 ? r.first - r.begun : 0;
    out->decode_ms = r.first > 0 ? now_ms() - r.first : 0;
    out->text = ctx_dup(cx, buf_str(&r.text));
    if (st == OK && !out->text.p) st = E_MEMORY;
    sse_close(&r.sse);
    buf_free(&r.whole);
    thoughts_close(&r.thoughts);
    buf_free(&r.text);
    return st;
}
