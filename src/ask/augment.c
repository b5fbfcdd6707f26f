/* augment.c -- see augment.h. */
#include "ask/augment.h"

#include "ask/prompt.h"

#include <stdlib.h>
#include <string.h>

enum { REWRITE = 1, DECOMPOSE = 2, HYDE = 4 };      // of AugmentMemo.what
enum { SHORTEST = 6, LONGEST = 2000 };              // bytes of a text that is of use

/* An instruction, and one example: small models follow those better. */
typedef struct Task {
    const char *instruction, *question, *answer;
    int max_tokens;
} Task;

static const Task rewriting = {
    "Turn the question into a search query: the full names of what it is about and the "
    "words that a text with the answer would use. Reply with the query alone.",
    "who was in charge of the moon landing thing in 69",
    "Apollo 11 mission commander 1969 moon landing", 40,
};
static const Task decomposing = {
    "Write the simpler questions that have to be answered first, one a line, at most "
    "three. Reply with these questions alone.",
    "Is the author of Dune older than the director of the 1984 film of it?",
    "Who wrote Dune?\nWho directed the 1984 film Dune?", 80,
};
static const Task imagining = {
    "Write two sentences that could stand in a document and that answer the question or "
    "speak of what it says. Reply with these sentences alone.",
    "how tall is the eiffel tower",
    "The Eiffel Tower in Paris stands 330 metres tall including its antennas. It was the "
    "tallest structure in the world from 1889 to 1930.", 96,
};

static unsigned what_of(const AugmentOptions *o)
{
    return (o->rewrite ? REWRITE : 0u) | (o->decompose ? DECOMPOSE : 0u)
           | (o->hyde ? HYDE : 0u);
}

bool augment_wanted(const AugmentOptions *o)
{
    return what_of(o) != 0;
}

/* ---- writing ----------------------------------------------------------------------- */

static Status run_task(Ctx *cx, Model *writer, const Task *t, Str question, Str *text,
                       int *tokens)
{
    const GenerateOptions opt = { .max_tokens = t->max_tokens };
    const Message msg[] = {
        { "system", str_z(t->instruction) }, { "user", str_z(t->question) },
        { "assistant", str_z(t->answer) }, { "user", question },
    };
    Generated g;
    TRY(model_generate(cx, writer, msg, sizeof msg / sizeof *msg, &opt, &g));
    *text = str_trim(g.text);
    *tokens += g.tokens;
    return OK;
}

static bool is_of_use(Str text, Str question)
{
    return text.n >= SHORTEST && text.n <= LONGEST && !str_ieq(text, question)
           && !prompt_is_refusal(text);
}

/* Without what a list has before its items: "1.", "-", "*". */
static Str without_bullet(Str line)
{
    size_t i = 0;
    while (i < line.n && strchr("0123456789.)-* ", line.p[i])) i++;
    return str_trim((Str){ line.p + i, line.n - i });
}

/* Takes the next line off *text. */
static Str next_line(Str *text)
{
    const char *end = memchr(text->p, '\n', text->n);
    Str line = { text->p, end ? (size_t)(end - text->p) : text->n };
    size_t used = line.n + (end ? 1 : 0);
    *text = (Str){ text->p + used, text->n - used };
    return line;
}

/* Adds at most `most` lines of text as queries, none twice. */
static void add_queries(Augmented *a, Str text, Str question, size_t most)
{
    while (text.n && most > 0 && a->n_queries < AUGMENT_QUERIES) {
        Str line = without_bullet(next_line(&text));
        bool known = !is_of_use(line, question);
        for (size_t i = 0; i < a->n_queries; i++) known |= str_ieq(line, a->query[i]);
        if (known) continue;
        a->query[a->n_queries++] = line;
        most--;
    }
}

static Status write_all(Ctx *cx, Model *writer, unsigned what, Str question,
                        Augmented *out)
{
    Str text;
    *out = (Augmented){ 0 };
    if (what & REWRITE) {
        TRY(run_task(cx, writer, &rewriting, question, &text, &out->tokens));
        add_queries(out, text, question, 1);
    }
    if (what & DECOMPOSE) {
        TRY(run_task(cx, writer, &decomposing, question, &text, &out->tokens));
        add_queries(out, text, question, AUGMENT_PARTS);
    }
    if (what & HYDE) {
        TRY(run_task(cx, writer, &imagining, question, &text, &out->tokens));
        if (is_of_use(text, question)) out->passage = text;
    }
    return OK;
}

void augment_forget(AugmentMemo *memo)
{
    ctx_end(&memo->own);
    *memo = (AugmentMemo){ 0 };
}

/* Writes into the memo, unless it has this question. */
static Status recall(Ctx *cx, Model *writer, const AugmentOptions *opt, Str question)
{
    AugmentMemo *m = opt->memo;
    bool same = m->question.n && m->what == what_of(opt) && m->writer == writer
                && str_eq(m->question, question);
    if (same) return OK;
    augment_forget(m);
    m->own.cancelled = cx->cancelled;
    m->own.cancel_arg = cx->cancel_arg;
    Status st = write_all(&m->own, writer, what_of(opt), question, &m->got);
    Str copy = st == OK ? ctx_dup(&m->own, question) : (Str){ 0 };
    if (copy.p) {
        m->question = copy;
        m->what = what_of(opt);
        m->writer = writer;
        return OK;
    }
    fail(cx, m->own.status, "%s", m->own.reason);
    augment_forget(m);
    return cx->status;
}

Status augment_write(Ctx *cx, Model *writer, const AugmentOptions *opt, Str question,
                     Augmented *out)
{
    *out = (Augmented){ 0 };
    if (!augment_wanted(opt)) return OK;
    Stage *s = stage_begin(cx, "augment");
    if (opt->memo) {
        TRY(recall(cx, writer, opt, question));
        *out = opt->memo->got;
    } else {
        TRY(write_all(cx, writer, what_of(opt), question, out));
    }
    stage_figure(s, "queries", (double)out->n_queries);
    stage_figure(s, "passages", out->passage.n > 0);
    stage_figure(s, "tokens", out->tokens);
    stage_end(s);
    return OK;
}

/* ---- joining ----------------------------------------------------------------------- */

enum { RRF_K = 60 };

typedef struct Entry {
    const Passage *passage;
    size_t order;           // of its coming, lists one after the other
    float share;
} Entry;

static int by_chunk(const void *a, const void *b)
{
    const Entry *x = a, *y = b;
    int64_t i = x->passage->chunk.id, k = y->passage->chunk.id;
    if (i != k) return i < k ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

Status augment_join(Ctx *cx, const Passages *lists, size_t n, size_t k, Passages *out)
{
    size_t all = 0, at = 0;
    for (size_t i = 0; i < n; i++) all += lists[i].n;
    Entry *e = ctx_new(cx, Entry, all);
    *out = (Passages){ .at = ctx_new(cx, Passage, all),
                       .unknown = n ? lists[0].unknown : 0 };
    if (!e || !out->at) return E_MEMORY;
    for (size_t i = 0; i < n; i++)
        for (size_t r = 0; r < lists[i].n; r++, at++)
            e[at] = (Entry){ &lists[i].at[r], at, 1 / (RRF_K + 1 + (float)r) };
    if (all) qsort(e, all, sizeof *e, by_chunk);
    for (size_t i = 0; i < all; i++) {
        bool again = i > 0 && e[i - 1].passage->chunk.id == e[i].passage->chunk.id;
        if (!again) {
            out->at[out->n++] = *e[i].passage;
            out->at[out->n - 1].fused = 0;
        }
        out->at[out->n - 1].fused += e[i].share * (RRF_K + 1) / (float)n;
    }
    for (size_t i = 0; i < out->n; i++) out->at[i].score = out->at[i].fused;
    passages_sort(out->at, out->n);
    if (out->n > k) out->n = k;
    return OK;
}
