/* writer.c -- see writer.h. */
#include "eval/writer.h"

#include <string.h>

/* What to do stands behind the passage: told before it, a 0.5B model wrote a question for
 * half of the passages of our examples, and often "What is the name of the thing that it
 * is about?"; told behind it, for nearly all. */
static const char asker[] = "You write questions for a quiz about documents.";
static const char to_ask[] =
    "Write one short question that this passage answers, about one fact in it. Name the "
    "thing by its name, so that the question is clear without the passage. Reply with "
    "the question alone.";
static const char to_point[] =
    "Reply with only the few words of the passage that answer the question.";

enum { LONGEST = 300, SHORTEST = 12, PASSAGE_MAX = 4000, QUESTION_TOKENS = 48,
       WORDS_TOKENS = 32 };

Status writer_say(const Job *j, pith *p, const char *instruction, const char *words,
                  int max_tokens, Str *out)
{
    const pith_message system = { "system", instruction };
    const pith_ask_options o = { .ground = PITH_CLOSED_BOOK, .history = &system,
                                 .n_history = 1, .max_tokens = max_tokens,
                                 .route = PITH_ROUTE_SLM };
    pith_answer *a = NULL;
    pith_error why;
    if (pith_ask(p, words, &o, &a, &why) != PITH_OK) return job_why(j, &why);
    *out = ctx_dup(j->cx, str_trim(str_z(a->text)));
    pith_answer_free(a);
    return out->p ? OK : E_MEMORY;
}

static Str first_line(Str said)
{
    const char *end = memchr(said.p, '\n', said.n);
    if (end) said.n = (size_t)(end - said.p);
    said = str_trim(said);
    bool quoted = said.n > 1 && said.p[0] == '"' && said.p[said.n - 1] == '"';
    return quoted ? (Str){ said.p + 1, said.n - 2 } : said;
}

/* The question in what the model said: its first line, if that is one. */
static Str question_in(Str said)
{
    said = first_line(said);
    bool usable = said.n >= SHORTEST && said.n <= LONGEST && said.p[said.n - 1] == '?';
    if (!usable || memmem(said.p, said.n, "passage", 7)) return (Str){ "", 0 };
    return said;
}

Status writer_question(const Job *j, pith *p, const pith_passage *from, Str *out)
{
    Str prompt = ctx_printf(j->cx, "Passage (%s):\n%.*s\n\n%s", from->title,
                            PASSAGE_MAX, from->text, to_ask);
    TRY_NEW(prompt.p);
    TRY(writer_say(j, p, asker, prompt.p, QUESTION_TOKENS, out));
    *out = ctx_dup(j->cx, question_in(*out));
    return out->p ? OK : E_MEMORY;
}

Status writer_words(const Job *j, pith *p, const pith_passage *from, Str question,
                    Str *out)
{
    Str prompt = ctx_printf(j->cx, "Passage:\n%.*s\n\nQuestion: %.*s", PASSAGE_MAX,
                            from->text, (int)question.n, question.p);
    TRY_NEW(prompt.p);
    TRY(writer_say(j, p, to_point, prompt.p, WORDS_TOKENS, out));
    *out = ctx_dup(j->cx, first_line(*out));
    return out->p ? OK : E_MEMORY;
}
