/* route_features.c -- what route.h measures of a question and its passages.
 *
 * One pass over the words of the question and one over those of each passage; stems are
 * compared by their hashes, sorted. About a millisecond for a context of 1,200 tokens. */
#include "ask/route_impl.h"
#include "ask/stems.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_NAMES = 8, MAX_STEMS = 64 };

typedef struct Asked {
    uint64_t content[MAX_STEMS];    // stems of words that are not function words
    Str written[MAX_STEMS];         // the same as they stand in the question
    size_t n_content;
    RouteName name[MAX_NAMES];
    size_t n_names, n_words, relatives;
    bool explain, compare, gather;
} Asked;

static bool is_one_of(Str word, const char *const *list)
{
    for (; *list; list++)
        if (str_ieq(word, str_z(*list))) return true;
    return false;
}

static const char *const comparing[] = {
    "both", "compare", "compared", "difference", "differences", "differ", "versus", "vs",
    "either", "older", "younger", "larger", "smaller", "longer", "shorter", "taller",
    "higher", "lower", "earlier", "later", "same", "than", "similar", "first", NULL };
static const char *const gathering[] = {
    "total", "sum", "average", "list", "every", "each", "all", "count", "altogether",
    NULL };
static const char *const amounts[] = {
    "many", "much", "long", "old", "far", "often", "tall", "big", "high", "deep", NULL };
static const char *const relating[] = {
    "whose", "which", "that", "who", "where", "of", "whom", NULL };

/* ASCII capitals and those of Latin-1. */
static bool is_capital(Str w)
{
    const unsigned char *p = (const unsigned char *)w.p;
    if (w.n && p[0] >= 'A' && p[0] <= 'Z') return true;
    return w.n > 1 && p[0] == 0xc3 && p[1] >= 0x80 && p[1] <= 0x9e;
}

static void add_name(Asked *q, Str question, const Word *w, bool goes_on)
{
    if (!goes_on && q->n_names == MAX_NAMES) return;
    if (!goes_on) q->name[q->n_names++] = (RouteName){ .at = w->start, .passage = -1 };
    RouteName *name = &q->name[q->n_names - 1];
    name->text = (Str){ question.p + name->at, w->end - name->at };
    if (name->n_stems < ROUTE_NAME_STEMS) name->stem[name->n_stems++] = str_hash(w->stem);
}

static void look_for_cues(Asked *q, Str before, Str word)
{
    bool how = str_ieq(before, STR("how"));
    q->compare |= is_one_of(word, comparing);
    q->gather |= is_one_of(word, gathering) || (how && str_ieq(word, STR("many")));
    q->explain |= str_ieq(word, STR("why")) || (how && !is_one_of(word, amounts));
    q->relatives += q->n_words > 0 && is_one_of(word, relating);
}

static Status read_question(Ctx *cx, Words *words, Str question, Asked *q)
{
    Word w;
    Str before = STR("");
    size_t name_end = 0;
    TRY(words_begin(cx, words, question));
    while (words_next(words, &w)) {
        Str word = { question.p + w.start, w.end - w.start };
        bool goes_on = name_end > 0 && w.start == name_end + 1;
        look_for_cues(q, before, word);
        if (!w.stop && q->n_content < MAX_STEMS) {
            q->written[q->n_content] = word;
            q->content[q->n_content++] = str_hash(w.stem);
        }
        bool name = is_capital(word) && !w.stop && (q->n_words > 0 || !q->compare);
        if (name) add_name(q, question, &w, goes_on && q->n_names > 0);
        name_end = name ? w.end : 0;
        before = word;
        q->n_words++;
    }
    return words_end(cx, words);
}

static Status read_passage(Ctx *cx, Words *words, const Passage *p, Stems *out)
{
    Str place = passage_place(cx, &p->chunk), body = passage_text(cx, p);
    TRY_NEW(place.p);
    TRY_NEW(body.p);
    Str text = ctx_printf(cx, "%.*s\n%.*s", (int)place.n, place.p, (int)body.n, body.p);
    TRY_NEW(text.p);
    return stems_sorted(cx, words, text, out);
}

static bool has_name(const Stems *s, const RouteName *name)
{
    for (size_t i = 0; i < name->n_stems; i++)
        if (!stems_have(s, name->stem[i])) return false;
    return true;
}

/* Where the names stand: the first passage that has each. */
static void find_names(Asked *q, const Stems *s, size_t n)
{
    for (size_t i = 0; i < q->n_names; i++)
        for (size_t k = 0; k < n && q->name[i].passage < 0; k++)
            if (has_name(&s[k], &q->name[i])) q->name[i].passage = (int)k;
}

/* Two names that no passage has together, each found, in different documents. */
static void find_apart(const Asked *q, const Stems *s, const Passages *ps,
                       RouteSeen *seen)
{
    for (size_t a = 0; a < q->n_names; a++)
        for (size_t b = a + 1; b < q->n_names; b++) {
            const RouteName *x = &q->name[a], *y = &q->name[b];
            bool together = x->passage < 0 || y->passage < 0;
            for (size_t k = 0; k < ps->n && !together; k++)
                together = has_name(&s[k], x) && has_name(&s[k], y);
            if (together || str_eq(ps->at[x->passage].chunk.uri,
                                   ps->at[y->passage].chunk.uri)) continue;
            seen->apart[0] = x->text;
            seen->apart[1] = y->text;
            return;
        }
}

static float missing_share(const Asked *q, const Stems *s, size_t n, RouteSeen *seen)
{
    size_t missing = 0;
    for (size_t i = 0; i < q->n_content; i++) {
        bool found = false;
        for (size_t k = 0; k < n && !found; k++) found = stems_have(&s[k], q->content[i]);
        if (found) continue;
        if (missing++ == 0) seen->missing = q->written[i];
    }
    return q->n_content ? (float)missing / (float)q->n_content : 0;
}

static float documents(const Passages *ps)
{
    size_t n = 0;
    for (size_t i = 0; i < ps->n; i++) {
        bool again = false;
        for (size_t k = 0; k < i && !again; k++)
            again = str_eq(ps->at[i].chunk.uri, ps->at[k].chunk.uri);
        n += !again;
    }
    return n > 1 ? (float)(n - 1) / 5 : 0;
}

/* What the stages before have measured. */
static void read_scores(const RouteInput *in, float *f)
{
    const Passages *ps = in->passages;
    float best = -INFINITY, second = -INFINITY, cosine = 0, tokens = 0;
    for (size_t i = 0; i < ps->n; i++) {
        const Passage *p = &ps->at[i];
        tokens += (float)p->prompt_tokens;
        cosine = fmaxf(cosine, p->vector);
        if (isnan(p->rerank)) continue;
        second = fmaxf(second, fminf(best, p->rerank));
        best = fmaxf(best, p->rerank);
    }
    f[ROUTE_LOGIT] = isfinite(best) ? -best / 10 : 0;
    f[ROUTE_CLOSE] = isfinite(second) ? 1 / (1 + best - second) : 0;
    f[ROUTE_UNSURE] = 1 - in->confidence;
    f[ROUTE_DOCUMENTS] = documents(ps);
    f[ROUTE_TOKENS] = tokens / 1000;
    f[ROUTE_LEFT_OUT] = ps->left_out > 0;
    f[ROUTE_FAR] = 1 - cosine;
}

static Status read_words(Ctx *cx, Words *words, const RouteInput *in, float *f,
                         RouteSeen *seen)
{
    const Passages *ps = in->passages;
    Asked q = { 0 };
    Stems *s = ctx_new(cx, Stems, ps->n);
    TRY_NEW(s);
    TRY(read_question(cx, words, in->question, &q));
    for (size_t i = 0; i < ps->n; i++) TRY(read_passage(cx, words, &ps->at[i], &s[i]));
    find_names(&q, s, ps->n);
    find_apart(&q, s, ps, seen);
    f[ROUTE_LENGTH] = (float)q.n_words / 20;
    f[ROUTE_EXPLAIN] = q.explain;
    f[ROUTE_COMPARE] = q.compare;
    f[ROUTE_GATHER] = q.gather;
    f[ROUTE_RELATIVE] = (float)q.relatives / 3;
    f[ROUTE_ENTITIES] = (float)q.n_names / 3;
    f[ROUTE_APART] = seen->apart[0].n > 0;
    f[ROUTE_MISSING] = missing_share(&q, s, ps->n, seen);
    return OK;
}

Status route_features(Ctx *cx, const RouteInput *in, float *f, RouteSeen *seen)
{
    Words *words;
    *seen = (RouteSeen){ 0 };
    read_scores(in, f);
    TRY(words_open(cx, &words));
    Status st = read_words(cx, words, in, f, seen);
    words_close(words);
    return st;
}

Status route_agreement(Ctx *cx, Str a, Str b, float *out)
{
    Words *words;
    Stems x = { 0 }, y = { 0 };
    size_t both = 0;
    TRY(words_open(cx, &words));
    Status st = stems_content(cx, words, a, &x);
    if (st == OK) st = stems_content(cx, words, b, &y);
    words_close(words);
    TRY(st);
    for (size_t i = 0; i < x.n; i++) both += stems_have(&y, x.at[i]);
    *out = x.n + y.n ? 2 * (float)both / (float)(x.n + y.n) : 1;
    return OK;
}
