/* writer.c -- see writer.h. */
#include "eval/writer.h"

#include <stdio.h>
#include <string.h>

/* What to do stands behind the passage: told before it, a 0.5B model wrote a question for
 * half of the passages of our examples, and often "What is the name of the thing that it
 * is about?"; told behind it, for nearly all. And so all three begin alike, and the
 * passage is read once. */
static const char quiz[] = "You write questions and answers for a quiz about documents.";
static const char to_ask[] =
    "Write one short question that this passage answers, about one fact in it. Name the "
    "thing by its name, so that the question is clear without the passage. Reply with "
    "the question alone.";
static const char to_point[] =
    "Reply with only the few words of the passage that answer this question: ";
static const char to_answer[] =
    "Reply with one short sentence that answers this question: ";

/* A question that speaks of its passage is none to whoever does not see it. */
static const char *const unclear[] = {
    "passage", "the text", "this text", "the document", "this document", "the section",
    "this section", "the article", "this article", "this page", "the author", "the given",
    "mentioned", "described", "the above", "the following", "the example", "this example",
    "the code", "this code", "the statement",
};

enum { LONGEST = 300, SHORTEST = 12, PASSAGE_MAX = 4000, QUESTION_TOKENS = 48,
       WORDS_TOKENS = 48,
       ANSWER_TOKENS = 64 };

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
    *out = ctx_dup(j->cx, a->finish_length ? STR("") : str_trim(str_z(a->text)));
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

static bool is_clear(Str question)
{
    char text[LONGEST + 1];
    snprintf(text, sizeof text, "%.*s", (int)question.n, question.p);
    for (size_t i = 0; i < sizeof unclear / sizeof *unclear; i++)
        if (strcasestr(text, unclear[i])) return false;
    return true;
}

/* The question in what the model said: its first line, if that is one. */
static Str question_in(Str said)
{
    said = first_line(said);
    bool usable = said.n >= SHORTEST && said.n <= LONGEST && said.p[said.n - 1] == '?';
    return usable && is_clear(said) ? said : STR("");
}

Status writer_question(const Job *j, pith *p, const pith_passage *from, Str *out)
{
    Str prompt = ctx_printf(j->cx, "Passage:\n%.*s\n\nIt is from: %s\n%s", PASSAGE_MAX,
                            from->text, from->title, to_ask);
    TRY_NEW(prompt.p);
    TRY(writer_say(j, p, quiz, prompt.p, QUESTION_TOKENS, out));
    *out = ctx_dup(j->cx, question_in(*out));
    return out->p ? OK : E_MEMORY;
}

/* The first line of what the model says to the question behind an instruction. */
static Status reply(const Job *j, pith *p, const pith_passage *from, const char *what,
                    Str question, int tokens, Str *out)
{
    Str prompt = ctx_printf(j->cx, "Passage:\n%.*s\n\n%s%.*s", PASSAGE_MAX, from->text,
                            what, (int)question.n, question.p);
    TRY_NEW(prompt.p);
    TRY(writer_say(j, p, quiz, prompt.p, tokens, out));
    *out = ctx_dup(j->cx, first_line(*out));
    return out->p ? OK : E_MEMORY;
}

Status writer_words(const Job *j, pith *p, const pith_passage *from, Str question,
                    Str *out)
{
    return reply(j, p, from, to_point, question, WORDS_TOKENS, out);
}

Status writer_answer(const Job *j, pith *p, const pith_passage *from, Str question,
                     Str *out)
{
    return reply(j, p, from, to_answer, question, ANSWER_TOKENS, out);
}
