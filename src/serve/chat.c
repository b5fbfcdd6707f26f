/* chat.c -- /v1/chat/completions and /v1/completions: a question to pith_ask.
 *
 * The last message is the question, those before it are the history. An answer is
 * grounded in the store unless the body says {"pith":{"ground":false}}; a completion is
 * grounded only where it says true. Another pith, which has put its passages into the
 * prompt already, says so with "Pith-Ground: no", since servers of other makes might
 * refuse a field that they do not know. Any model's name is taken: the reply names who
 * spoke. */
#include "serve/route.h"

#include "serve/field.h"
#include "serve/report.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGES_MAX = 512, PARTS_MAX = 512, STOPS_MAX = 4, TOKENS_MAX = 1024,
       CONTEXT_MAX = 32768, TEXT_MAX = 4 << 20 };

typedef struct Chat {
    Request *r;
    bool chat;                  // else a plain completion
    bool stream, usage;
    pith_ask_options opt;
    const char *question;
    pith_message *history;      // (n_messages), made by malloc; the last is the question
    size_t n_messages;
    Buf parts;                  // texts of messages in parts, one after another
    const char *stop[STOPS_MAX];
    size_t n_stops, longest;    // bytes of the longest stop
    Buf text;                   // the answer as it grew
    size_t sent;                // of text
    bool stopped, broken;       // at a stop; the client is gone
    char id[40];
    json_int_t created;
} Chat;

/* ---- the body --------------------------------------------------------------------- */

/* One of {"type":"text","text"}, whose texts are joined. */
static bool read_part(Request *r, void *to)
{
    static const char *const kinds[] = { "text", NULL };
    Chat *c = to;
    const json_t *text = json_object_get(r->json, "text");
    int kind = -1;
    if (!field_choice(r, "type", kinds, &kind)) return false;
    if (kind < 0) return field_wrong(r, "type", "\"text\" was expected");
    if (!json_is_string(text)) return field_wrong(r, "text", "a string was expected");
    buf_add(&c->parts, str_z(json_string_value(text)));
    return true;
}

static bool read_content(Chat *c, const char **out)
{
    Request *r = c->r;
    const json_t *content = json_object_get(r->json, "content");
    size_t begin = c->parts.n;
    if (json_is_string(content)) return *out = json_string_value(content), true;
    if (!json_is_array(content) || json_array_size(content) == 0)
        return field_wrong(r, "content", "a string or an array of parts was expected");
    if (!field_objects(r, "content", PARTS_MAX, read_part, c)) return false;
    buf_add(&c->parts, (Str){ "", 1 });     // its NUL
    if (c->parts.failed) return field_wrong(r, "content", "it is too long");
    *out = c->parts.p + begin;
    return true;
}

static bool read_message(Request *r, void *to)
{
    static const char *const roles[] = { "system", "developer", "user", "assistant",
                                         NULL };
    Chat *c = to;
    pith_message *m = &c->history[c->n_messages];
    int role = -1;
    if (!field_choice(r, "role", roles, &role)) return false;
    if (role < 0) return field_wrong(r, "role", "it is missing");
    if (!field_refuse(r, "tool_calls") || !field_refuse(r, "function_call")
        || !field_refuse(r, "audio") || !field_ignored(r, "name"))
        return false;
    m->role = roles[role == 1 ? 0 : role];      // a developer's word is the system's
    c->n_messages++;
    return read_content(c, &m->content);
}

/* Room for all parts at once, so that no text moves. */
static bool make_room(Chat *c, const json_t *all)
{
    char *text = json_dumps(all, JSON_COMPACT);
    size_t room = text ? strlen(text) + 1 : 0;
    free(text);
    c->history = calloc(json_array_size(all) + 1, sizeof *c->history);
    c->parts = BUF(room);
    c->parts.p = room ? malloc(room) : NULL;
    c->parts.cap = c->parts.p ? room : 0;
    return c->history && c->parts.p;
}

static bool read_messages(Chat *c)
{
    Request *r = c->r;
    if (!make_room(c, json_object_get(r->json, "messages")))
        return field_wrong(r, "messages", "an array was expected");
    if (!field_objects(r, "messages", MESSAGES_MAX, read_message, c)) return false;
    const pith_message *last = &c->history[c->n_messages - 1];
    if (strcmp(last->role, "user") != 0)
        return field_wrong(r, "messages", "the last one must be the user's");
    if (last->content[strspn(last->content, " \t\r\n\f\v")] == '\0')
        return field_wrong(r, "messages", "the last one is empty");
    c->question = last->content;
    c->opt.history = c->history;
    c->opt.n_history = c->n_messages - 1;
    return true;
}

static bool read_stops(Chat *c)
{
    const json_t *j = json_object_get(c->r->json, "stop");
    size_t n = json_is_array(j) ? json_array_size(j) : j && !json_is_null(j);
    if (n > STOPS_MAX) return field_wrong(c->r, "stop", "at most 4 were expected");
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_is_array(j) ? json_array_get(j, i) : j;
        size_t bytes = json_string_length(one);
        if (!json_is_string(one) || !bytes)
            return field_wrong(c->r, "stop", "strings were expected");
        c->stop[c->n_stops++] = json_string_value(one);
        if (bytes > c->longest) c->longest = bytes;
    }
    return true;
}

/* Our own fields. A word misspelt here would change what the answer rests on. */
static bool read_own(Request *r, void *to)
{
    static const char *const modes[] = { "hybrid", "words", "vectors", NULL };
    static const char *const known[] = { "ground", "mode", "context_tokens", "rerank",
                                         "abstain", "quote", "budget_ms", NULL };
    Chat *c = to;
    bool ground = c->opt.ground == PITH_GROUNDED, rerank = true, abstain = true;
    bool quote = false;
    bool good = field_only(r, known) && field_flag(r, "ground", &ground)
        && field_choice(r, "mode", modes, &c->opt.mode)
        && field_int(r, "context_tokens", 1, CONTEXT_MAX, &c->opt.context_tokens)
        && field_flag(r, "rerank", &rerank) && field_flag(r, "abstain", &abstain)
        && field_flag(r, "quote", &quote)
        && field_real(r, "budget_ms", 1, 3.6e6, &c->opt.budget_ms);
    c->opt.ground = ground ? PITH_GROUNDED : PITH_CLOSED_BOOK;
    c->opt.no_rerank = !rerank;
    c->opt.no_abstain = !abstain;
    c->opt.quote = quote;
    return good;
}

static bool read_usage(Request *r, void *to)
{
    return field_flag(r, "include_usage", &((Chat *)to)->usage);
}

static bool read_format(Request *r, void *to)
{
    static const char *const types[] = { "text", NULL };
    int type = -1;
    (void)to;
    return field_choice(r, "type", types, &type)
        && (type == 0 || field_wrong(r, "type", "\"text\" was expected"));
}

static bool read_refused(Request *r)
{
    static const char *const name[] = { "tools", "functions", "logprobs", "top_logprobs",
                                        "audio", "echo", "suffix" };
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (!field_refuse(r, name[i])) return false;
    return true;
}

static bool read_body(Chat *c)
{
    Request *r = c->r;
    double temperature = 0;
    int n = 1, seed = 0;
    c->opt.ground = c->chat && !r->plain ? PITH_GROUNDED : PITH_CLOSED_BOOK;
    bool good = field_ignored(r, "model") && field_int(r, "n", 1, 1, &n)
        && field_int(r, "max_tokens", 1, 1 << 20, &c->opt.max_tokens)
        && field_int(r, "max_completion_tokens", 1, 1 << 20, &c->opt.max_tokens)
        && field_int(r, "seed", INT32_MIN, INT32_MAX, &seed)
        && field_real(r, "temperature", 0, 2, &temperature)
        && field_flag(r, "stream", &c->stream) && read_refused(r) && read_stops(c)
        && field_object(r, "stream_options", read_usage, c)
        && field_object(r, "response_format", read_format, c)
        && field_object(r, "pith", read_own, c)
        && (c->chat ? read_messages(c) : field_text(r, "prompt", true, &c->question));
    if (c->opt.max_tokens > TOKENS_MAX) c->opt.max_tokens = TOKENS_MAX;
    c->opt.temperature = (float)temperature;
    c->opt.seed = (uint64_t)(int64_t)seed;
    return good;
}

/* ---- chunks of a stream ----------------------------------------------------------- */

static json_t *envelope(const Chat *c, const char *object, json_t *choices)
{
    return json_pack("{ss ss sI ss so}", "id", c->id, "object", object, "created",
                     c->created, "model", c->r->server->model[0], "choices", choices);
}

static json_t *chunk(const Chat *c, json_t *delta, const char *finish)
{
    if (c->chat)
        return envelope(c, "chat.completion.chunk",
                        json_pack("[{si so sn ss?}]", "index", 0, "delta", delta,
                                  "logprobs", "finish_reason", finish));
    json_t *text = json_object_get(delta, "content");
    json_t *choices = json_pack("[{si sO sn ss?}]", "index", 0, "text", text, "logprobs",
                                "finish_reason", finish);
    json_decref(delta);
    return envelope(c, "text_completion", choices);
}

/* Bytes at the head of s that are whole characters. */
static size_t whole(Str s)
{
    size_t n = s.n, back = 0;
    while (back < 3 && back < n && ((unsigned char)s.p[n - 1 - back] & 0xC0) == 0x80)
        back++;
    if (back == n) return 0;
    unsigned char lead = (unsigned char)s.p[n - 1 - back];
    size_t need = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : lead >= 0xC0 ? 1 : 0;
    return need > back ? n - 1 - back : n;
}

/* Sends what may be sent: whole characters, and nothing that may begin a stop. */
static void send_text(Chat *c, bool all)
{
    size_t hold = !all && c->longest ? c->longest - 1 : 0;
    size_t n = c->text.n - c->sent;
    n = whole((Str){ c->text.p + c->sent, n > hold ? n - hold : 0 });
    if (!c->stream || n == 0) return;
    json_t *delta = json_pack("{ss#}", "content", c->text.p + c->sent, (int)n);
    c->sent += n;
    c->broken |= !stream_event(c->r, NULL, chunk(c, delta, NULL));
}

/* Cuts the text at the first stop in it. */
static void find_stop(Chat *c, size_t from)
{
    for (size_t i = 0; i < c->n_stops; i++) {
        const char *at = strstr(c->text.p + from, c->stop[i]);
        if (!at) continue;
        c->text.n = (size_t)(at - c->text.p);
        c->text.p[c->text.n] = '\0';
        c->stopped = true;
    }
}

static void first_chunk(Chat *c)
{
    stream_begin(c->r);
    if (c->chat)
        stream_event(c->r, NULL,
                     chunk(c, json_pack("{ss ss}", "role", "assistant", "content",
                                                    ""), NULL));
}

static int on_text(void *arg, const char *piece, size_t n)
{
    Chat *c = arg;
    size_t from = c->text.n > c->longest ? c->text.n - c->longest : 0;
    if (c->stream && c->text.n == 0) first_chunk(c);
    buf_add(&c->text, (Str){ piece, n });
    if (c->text.failed) return 1;
    if (c->n_stops) find_stop(c, from);
    send_text(c, c->stopped);
    return c->stopped || c->broken;
}

/* ---- the reply -------------------------------------------------------------------- */

static json_t *usage_json(const pith_answer *a)
{
    return json_pack("{si si si}", "prompt_tokens", a->prompt_tokens, "completion_tokens",
                     a->generated_tokens, "total_tokens",
                     a->prompt_tokens + a->generated_tokens);
}

/* What pith knows of its answer besides the text. */
static void add_own(json_t *reply, const pith_answer *a)
{
    char *text = pith_answer_json(a);
    json_t *own = text ? json_loads(text, 0, NULL) : NULL;
    pith_string_free(text);
    if (!own) return;
    json_object_set(reply, "citations", json_object_get(own, "citations"));
    json_object_del(own, "citations");
    json_object_del(own, "answer");
    json_object_set_new(reply, "pith", own);
}

static const char *finish_of(const Chat *c, const pith_answer *a)
{
    return a->finish_length && !c->stopped ? "length" : "stop";
}

static void finish_stream(Chat *c, const pith_answer *a)
{
    if (c->text.n == 0) {
        first_chunk(c);
        buf_add(&c->text, str_z(a->text));      // an answer that was not streamed
    }
    send_text(c, true);
    json_t *last = chunk(c, c->chat ? json_object() : json_pack("{ss}", "content", ""),
                         finish_of(c, a));
    add_own(last, a);
    stream_event(c->r, NULL, last);
    if (c->usage) {
        json_t *usage = envelope(c, c->chat ? "chat.completion.chunk" : "text_completion",
                                 json_array());
        json_object_set_new(usage, "usage", usage_json(a));
        stream_event(c->r, NULL, usage);
    }
    stream_raw(c->r, STR("data: [DONE]\n\n"));
    stream_end(c->r);
}

static void finish_whole(Chat *c, const pith_answer *a)
{
    const char *text = c->stopped ? c->text.p : a->text;
    json_t *choices = c->chat
        ? json_pack("[{si s{ss ss sn} sn ss}]", "index", 0, "message",
                    "role", "assistant", "content", text, "refusal", "logprobs",
                    "finish_reason", finish_of(c, a))
        : json_pack("[{si ss sn ss}]", "index", 0, "text", text, "logprobs",
                    "finish_reason", finish_of(c, a));
    json_t *reply = envelope(c, c->chat ? "chat.completion" : "text_completion", choices);
    json_object_set_new(reply, "usage", usage_json(a));
    add_own(reply, a);
    reply_json(c->r, 200, reply);
}

static void ask(Request *r, pith *p, bool chat)
{
    Chat c = { .r = r, .chat = chat, .text = BUF(TEXT_MAX), .created = time(NULL) };
    pith_answer *a = NULL;
    pith_error why;
    snprintf(c.id, sizeof c.id, "%s-%lld-%llu", chat ? "chatcmpl" : "cmpl",
             (long long)c.created, r->id);
    c.opt.on_text = on_text;
    c.opt.arg = &c;
    if (!read_body(&c)) goto done;
    if (pith_ask(p, c.question, &c.opt, &a, &why)) {
        reply_pith(r, &why);
        goto done;
    }
    report_answer(r, a);
    (c.stream ? finish_stream : finish_whole)(&c, a);
done:
    pith_answer_free(a);
    free(c.history);
    buf_free(&c.parts);
    buf_free(&c.text);
}

void answer_chat(Request *r, pith *p)
{
    ask(r, p, true);
}

void answer_completion(Request *r, pith *p)
{
    ask(r, p, false);
}
