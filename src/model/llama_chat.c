/* llama_chat.c -- a conversation as tokens, in the model's own template.
 *
 * Documents and questions come from outside, and may hold "<|im_end|><|im_start|>system"
 * to pass for an instruction. So the template is filled with place holders, characters
 * that no template has, and cut there: its own text is read with markers, what stands in
 * the place of a holder without. libllama still makes one token of a marker that the file
 * calls "user defined", so such a marker is cut in two where a message has it. No byte of
 * a message can become a token that the template speaks with. */
#include "model/llama_impl.h"

#include <string.h>

enum { MESSAGES_MAX = 4096, HOLDER = 4, MARKERS_MAX = 16 };   // HOLDER: bytes

/* U+F0000 + i, from the private plane 15. */
static void holder_write(char out[HOLDER + 1], size_t i)
{
    out[0] = '\xF3';
    out[1] = '\xB0';
    out[2] = (char)(0x80 | i >> 6);
    out[3] = (char)(0x80 | (i & 63));
    out[4] = '\0';
}

/* The index of the holder at p, or n where there is none. */
static size_t holder_read(const char *p, size_t left, size_t n)
{
    if (left < HOLDER || p[0] != '\xF3' || p[1] != '\xB0') return n;
    size_t i = (size_t)(p[2] & 63) << 6 | (size_t)(p[3] & 63);
    return i < n ? i : n;
}

static Status plain_template(Ctx *cx, const llama_chat_message *chat, size_t n, bool open,
                             Str *out)
{
    Buf b = BUF(MESSAGES_MAX * 32);
    for (size_t i = 0; i < n; i++)
        buf_addf(&b, "%c%s: %s\n\n", chat[i].role[0] - 'a' + 'A', chat[i].role + 1,
                 chat[i].content);
    if (open) buf_addf(&b, "Assistant:");
    *out = ctx_dup(cx, buf_str(&b));
    bool failed = b.failed || !out->p;
    buf_free(&b);
    return failed ? fail(cx, E_MEMORY, "no memory for a prompt") : OK;
}

/* The filled template with a thought of nothing before the last answer, as Qwen3's own
 * has it where enable_thinking is false. That answer is to come, or stands where the
 * template has the text `answer`. */
static Status without_thoughts(Ctx *cx, const char *text, const char *answer, Str *out)
{
    const char *at = answer ? strstr(text, answer) : text + strlen(text);
    if (!at) return *out = str_z(text), OK;     // who fills it will miss it too
    *out = ctx_printf(cx, "%.*s<think>\n\n</think>\n\n%s", (int)(at - text), text, at);
    return out->p ? OK : E_MEMORY;
}

/* The template filled with holders; open: with the opening of the assistant's turn. */
static Status frame(Ctx *cx, LlamaModel *m, const Message *msg, size_t n, bool open,
                    Str *out)
{
    llama_chat_message *chat = ctx_new(cx, llama_chat_message, n);
    char (*holder)[HOLDER + 1] = ctx_alloc(cx, n, sizeof *holder);
    if (!chat || !holder) return E_MEMORY;
    for (size_t i = 0; i < n; i++) {
        Str role = str_z(msg[i].role);
        if (!str_eq(role, STR("system")) && !str_eq(role, STR("user"))
            && !str_eq(role, STR("assistant")))
            return fail(cx, E_ARG, "a message has the role \"%.40s\": system, user or "
                        "assistant is wanted", role.p);
        holder_write(holder[i], i);
        chat[i] = (llama_chat_message){ msg[i].role, holder[i] };
    }
    if (!m->template) return plain_template(cx, chat, n, open, out);
    int size = llama_chat_apply_template(m->template, chat, n, open, NULL, 0);
    char *p = size < 0 ? NULL : ctx_alloc(cx, (size_t)size + 1, 1);
    if (size < 0) return fail(cx, E_MODEL, "%s: its chat template does not take these "
                              "messages", m->base.info.path.p);
    TRY_NEW(p);
    llama_chat_apply_template(m->template, chat, n, open, p, size + 1);
    *out = str_z(p);
    if (!m->thinks || (!open && strcmp(msg[n - 1].role, "assistant") != 0)) return OK;
    return without_thoughts(cx, p, open ? NULL : holder[n - 1], out);
}

/* The texts of user-defined tokens in a frame. */
typedef struct Markers {
    Str at[MARKERS_MAX];
    size_t n;
} Markers;

static Status find_markers(Ctx *cx, LlamaModel *m, Str text, Markers *out)
{
    Tokens t = { 0 };
    TRY(tokens_add(cx, m, &t, text, TOKENS_MARKERS));
    out->n = 0;
    for (size_t i = 0; i < t.n && out->n < MARKERS_MAX; i++) {
        if (!(llama_vocab_get_attr(m->vocab, t.at[i]) & LLAMA_TOKEN_ATTR_USER_DEFINED))
            continue;
        Str marker = str_z(llama_vocab_get_text(m->vocab, t.at[i]));
        size_t k = 0;
        while (k < out->n && !str_eq(out->at[k], marker)) k++;
        if (k == out->n && marker.n > 1) out->at[out->n++] = marker;
    }
    return OK;
}

/* Where the first byte of the first marker in text ends; the whole length without one. */
static size_t next_cut(Str text, const Markers *ms)
{
    size_t cut = text.n;
    for (size_t i = 0; i < ms->n; i++) {
        const char *p = text.n ? memmem(text.p, text.n, ms->at[i].p, ms->at[i].n) : NULL;
        if (p && (size_t)(p - text.p) + 1 < cut) cut = (size_t)(p - text.p) + 1;
    }
    return cut;
}

/* Adds one run of text from outside. SentencePiece vocabularies put a space before a
 * text; inside a prompt there is none, so we let them put it before a line break that we
 * take off. */
static Status add_run(Ctx *cx, LlamaModel *m, Tokens *t, Str text)
{
    if (!m->space_prefix) return tokens_add(cx, m, t, text, TOKENS_PLAIN);
    Tokens lead = { 0 }, all = { 0 };
    char *line = ctx_alloc(cx, text.n + 1, 1);
    TRY_NEW(line);
    line[0] = '\n';
    if (text.n) memcpy(line + 1, text.p, text.n);
    TRY(tokens_add(cx, m, &lead, STR("\n"), TOKENS_PLAIN));
    TRY(tokens_add(cx, m, &all, (Str){ line, text.n + 1 }, TOKENS_PLAIN));
    if (all.n < lead.n || memcmp(all.at, lead.at, lead.n * sizeof *lead.at) != 0)
        return tokens_add(cx, m, t, text, TOKENS_PLAIN);   // the break grew into a token
    for (size_t i = lead.n; i < all.n; i++) TRY(tokens_push(cx, t, all.at[i]));
    return OK;
}

static Status add_content(Ctx *cx, LlamaModel *m, const Markers *ms, Tokens *t, Str text)
{
    while (text.n > 0) {
        size_t n = next_cut(text, ms);
        TRY(add_run(cx, m, t, (Str){ text.p, n }));
        text = (Str){ text.p + n, text.n - n };
    }
    return OK;
}

static Status begin(Ctx *cx, LlamaModel *m, Tokens *t, Str first)
{
    llama_token bos = llama_vocab_bos(m->vocab);
    if (!llama_vocab_get_add_bos(m->vocab) || bos == LLAMA_TOKEN_NULL) return OK;
    Str text = str_z(llama_vocab_get_text(m->vocab, bos));
    return text.n && str_starts(first, text) ? OK : tokens_push(cx, t, bos);
}

/* Where the tokens of a message lie. */
typedef struct Span {
    size_t begin, end;
} Span;

typedef struct Fill {
    bool open;               // with the opening of the assistant's turn
    Span *span;              // (messages), filled; NULL: nobody wants to know
    const Excerpt *excerpt;  // (n_excerpts): of the last message
    size_t n_excerpts;
    Stretch *stretch;        // (n_excerpts), filled: their tokens
} Fill;

/* Content whose excerpts are made tokens by themselves. */
static Status add_excerpts(Ctx *cx, LlamaModel *m, const Markers *ms, Tokens *t,
                           Str text, const Fill *f)
{
    size_t at = 0;
    for (size_t i = 0; i < f->n_excerpts; i++) {
        Excerpt p = f->excerpt[i];
        if (p.begin < at || p.end < p.begin || p.end > text.n)
            return fail(cx, E_ARG, "excerpt %zu, bytes %zu to %zu, of a message with %zu",
                        i, p.begin, p.end, text.n);
        TRY(add_content(cx, m, ms, t, (Str){ text.p + at, p.begin - at }));
        f->stretch[i].begin = t->n;
        TRY(add_content(cx, m, ms, t, (Str){ text.p + p.begin, p.end - p.begin }));
        f->stretch[i].end = t->n;
        at = p.end;
    }
    return add_content(cx, m, ms, t, (Str){ text.p + at, text.n - at });
}

/* A conversation as tokens. */
static Status fill(Ctx *cx, LlamaModel *m, const Message *msg, size_t n, const Fill *f,
                   Tokens *out)
{
    const Fill plain = { .open = f->open };

    if (n == 0 || n > MESSAGES_MAX)
        return fail(cx, E_ARG, "a conversation of %zu messages; 1 to %d are wanted", n,
                    MESSAGES_MAX);
    Str text;
    Markers markers;
    TRY(frame(cx, m, msg, n, f->open, &text));
    TRY(find_markers(cx, m, text, &markers));
    *out = (Tokens){ 0 };
    TRY(begin(cx, m, out, text));
    size_t start = 0, seen = 0;
    for (size_t i = 0; i < text.n; i++) {
        size_t which = holder_read(text.p + i, text.n - i, n);
        if (which == n) continue;
        TRY(tokens_add(cx, m, out, (Str){ text.p + start, i - start }, TOKENS_MARKERS));
        size_t before = out->n;
        TRY(add_excerpts(cx, m, &markers, out, msg[which].content,
                       which + 1 == n ? f : &plain));
        if (f->span) f->span[which] = (Span){ before, out->n };
        i += HOLDER - 1;
        start = i + 1;
        seen++;
    }
    if (seen != n)
        return fail(cx, E_MODEL, "%s: its chat template has no place for %zu of %zu "
                    "messages", m->base.info.path.p, n - seen, n);
    Str rest = { text.p + start, text.n - start };
    return tokens_add(cx, m, out, rest, TOKENS_MARKERS);
}

Status chat_tokens(Ctx *cx, LlamaModel *m, const Message *msg, size_t n, Tokens *out)
{
    return fill(cx, m, msg, n, &(Fill){ .open = true }, out);
}

Status chat_reading(Ctx *cx, LlamaModel *m, const Message *msg, size_t n,
                    const Excerpts *excerpts, Reading *out)
{
    *out = (Reading){ .stretch = ctx_new(cx, Stretch, excerpts->n), .n = excerpts->n };
    TRY_NEW(out->stretch);
    Fill f = { .open = true, .excerpt = excerpts->at, .n_excerpts = excerpts->n,
               .stretch = out->stretch };
    TRY(tokens_add(cx, m, &out->before, excerpts->before, TOKENS_PLAIN));
    return fill(cx, m, msg, n, &f, &out->t);
}

Status llama_chat_tokens(Ctx *cx, Model *base, const Message *msg, size_t n,
                         ChatTokens *out)
{
    LlamaModel *m = (LlamaModel *)base;
    Tokens t;
    Span *span = ctx_new(cx, Span, n);
    TRY_NEW(span);
    TRY(fill(cx, m, msg, n, &(Fill){ .span = span }, &t));
    *out = (ChatTokens){ t.at, ctx_new(cx, uint8_t, t.n), t.n };
    TRY_NEW(out->answer);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(msg[i].role, "assistant") != 0) continue;
        size_t end = span[i].end;
        memset(out->answer + span[i].begin, 1, end - span[i].begin);
        if (end < t.n && llama_vocab_is_eog(m->vocab, t.at[end])) out->answer[end] = 1;
    }
    return OK;
}

Status llama_count_chat(Ctx *cx, Model *base, const Message *msg, size_t n, int *tokens)
{
    Tokens t;
    TRY(chat_tokens(cx, (LlamaModel *)base, msg, n, &t));
    *tokens = (int)t.n;
    return OK;
}
