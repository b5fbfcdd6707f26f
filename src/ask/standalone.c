/* standalone.c -- see standalone.h. */
#include "ask/standalone.h"

#include "ask/prompt.h"

enum { TURNS = 4, TURN_BYTES = 600, MAX_TOKENS = 64 };

static const char system_text[] =
    "Rewrite the last question so that it can be understood without the conversation: "
    "replace words such as it, they, that by what they stand for. Reply with the "
    "question alone. If it is clear already, repeat it unchanged.";

static Str last_question(const Message *history, size_t n)
{
    while (n-- > 0)
        if (str_eq(str_z(history[n].role), STR("user"))) return history[n].content;
    return STR("");
}

/* The first TURN_BYTES of a turn, cut at a character's border. */
static Str head(Str s)
{
    if (s.n <= TURN_BYTES) return s;
    s.n = TURN_BYTES;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xc0) == 0x80) s.n--;
    return s;
}

static Status transcript(Ctx *cx, const Message *history, size_t n, Str question,
                         Str *out)
{
    Buf b = BUF((size_t)1 << 20);
    for (size_t i = n > TURNS ? n - TURNS : 0; i < n; i++) {
        Str turn = head(history[i].content);
        buf_addf(&b, "%s: %.*s\n", history[i].role, (int)turn.n, turn.p);
    }
    buf_addf(&b, "\nLast question: %.*s", (int)question.n, question.p);
    *out = b.failed ? (Str){ NULL, 0 } : ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    return out->p ? OK : fail(cx, E_MEMORY, "out of memory for a conversation");
}

Status standalone(Ctx *cx, Model *writer, const Message *history, size_t n, Str question,
                  Str *out)
{
    *out = question;
    if (n == 0) return OK;
    Stage *s = stage_begin(cx, "rewrite");
    GenerateOptions opt = { .max_tokens = MAX_TOKENS };
    Generated g;
    Message msg[2] = { { "system", str_z(system_text) }, { "user", STR("") } };
    TRY(transcript(cx, history, n, question, &msg[1].content));
    TRY(model_generate(cx, writer, msg, 2, &opt, &g));
    Str text = str_trim(g.text), before = last_question(history, n);
    bool usable = text.n > 0 && text.n < 3 * question.n + 200 && !prompt_is_refusal(text);
    if (usable) *out = text;
    else *out = ctx_printf(cx, "%.*s %.*s", (int)before.n, before.p, (int)question.n,
                           question.p);
    stage_figure(s, "usable", usable);
    stage_end(s);
    return out->p ? OK : E_MEMORY;
}
