/* draft.c -- a suffix automaton over the text so far (Blumer, Blumer, Haussler,
 * Ehrenfeucht, Chen and Seiferas, Theoretical Computer Science 40, 1985), as SAM decoding
 * uses it (Hu et al., arXiv 2411.10666).
 *
 * Each state stands for the substrings that end at the same places; its longest one has
 * `len` tokens and first ended at `end`; `link` leads to the state of its longest suffix
 * that ends at more places. So the link of the state of the whole text is the longest
 * suffix that ends elsewhere too, always at hand. A token costs constant time on average.
 *
 * Invariant: n tokens make at most 2n states and 3n edges, which is the room there is. */
#include "model/draft.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = -1, ROOT = 0 };
enum { LEAST_MATCH = 2, SHORTEST = 5, LONGEST_PAUSE = 32 };   // tokens, tokens, turns

typedef struct State {
    int32_t len, end, link;
    int32_t edges;           // the first of a list
} State;

typedef struct Edge {
    int32_t from, token, to;
    int32_t next;            // of the same state
} Edge;

struct Draft {
    int32_t *text;
    size_t n, max;
    State *state;
    Edge *edge;
    int32_t *slot;           // (mask + 1): edges by state and token; NONE: free
    size_t states, edges, mask;
    int32_t whole;           // the state of all the text

    size_t length;           // of the next draft, at most
    size_t pause, wait;      // turns without a draft after a failure; left of them
};

/* ---- the automaton ---------------------------------------------------------------- */

static size_t hash(int32_t from, int32_t token)
{
    uint64_t x = (uint64_t)(uint32_t)from << 32 | (uint32_t)token;
    x *= 0x9E3779B97F4A7C15u;          // Fibonacci hashing, Knuth volume 3, 6.4
    return (size_t)(x >> 32);
}

/* Where the edge is, or would be. */
static int32_t *find(const Draft *d, int32_t from, int32_t token)
{
    size_t i = hash(from, token) & d->mask;
    while (d->slot[i] != NONE) {
        const Edge *e = &d->edge[d->slot[i]];
        if (e->from == from && e->token == token) break;
        i = (i + 1) & d->mask;
    }
    return &d->slot[i];
}

static int32_t follow(const Draft *d, int32_t from, int32_t token)
{
    int32_t at = *find(d, from, token);
    return at == NONE ? NONE : d->edge[at].to;
}

static void lead(Draft *d, int32_t from, int32_t token, int32_t to)
{
    int32_t *at = find(d, from, token);
    if (*at == NONE) {
        *at = (int32_t)d->edges++;
        d->edge[*at] = (Edge){ from, token, to, d->state[from].edges };
        d->state[from].edges = *at;
    }
    d->edge[*at].to = to;
}

static int32_t state_new(Draft *d, State s)
{
    d->state[d->states] = s;
    return (int32_t)d->states++;
}

/* Splits from q the part that is one token longer than p, which leads to it by token. */
static int32_t split(Draft *d, int32_t p, int32_t token, int32_t q)
{
    State s = { d->state[p].len + 1, d->state[q].end, d->state[q].link, NONE };
    int32_t half = state_new(d, s);
    for (int32_t e = d->state[q].edges; e != NONE; e = d->edge[e].next)
        lead(d, half, d->edge[e].token, d->edge[e].to);
    for (; p != NONE && follow(d, p, token) == q; p = d->state[p].link)
        lead(d, p, token, half);
    d->state[q].link = half;
    return half;
}

static void add(Draft *d, int32_t token)
{
    int32_t p = d->whole;
    State s = { d->state[p].len + 1, (int32_t)d->n, ROOT, NONE };
    int32_t whole = state_new(d, s);
    d->text[d->n++] = token;
    for (; p != NONE && follow(d, p, token) == NONE; p = d->state[p].link)
        lead(d, p, token, whole);
    if (p != NONE) {
        int32_t q = follow(d, p, token);
        bool same = d->state[q].len == d->state[p].len + 1;
        d->state[whole].link = same ? q : split(d, p, token, q);
    }
    d->whole = whole;
}

void draft_add(Draft *d, const int32_t *token, size_t n)
{
    for (size_t i = 0; i < n && d->n < d->max; i++) add(d, token[i]);
}

size_t draft_match(const Draft *d, size_t *behind)
{
    if (d->n == 0) return 0;
    const State *s = &d->state[d->state[d->whole].link];
    if (s->len > 0) *behind = (size_t)s->end + 1;
    return (size_t)s->len;
}

void draft_close(Draft *d)
{
    if (!d) return;
    free(d->text);
    free(d->state);
    free(d->edge);
    free(d->slot);
    free(d);
}

Status draft_open(Ctx *cx, size_t max_tokens, Draft **out)
{
    Draft *d = calloc(1, sizeof *d);
    size_t slots = 16;
    *out = NULL;
    while (slots < max_tokens * 5) slots *= 2;
    if (d) {
        d->max = max_tokens;
        d->mask = slots - 1;
        d->length = SHORTEST;
        d->text = malloc((max_tokens + 1) * sizeof *d->text);
        d->state = malloc((2 * max_tokens + 2) * sizeof *d->state);
        d->edge = malloc((3 * max_tokens + 3) * sizeof *d->edge);
        d->slot = malloc(slots * sizeof *d->slot);
    }
    if (!d || !d->text || !d->state || !d->edge || !d->slot) {
        draft_close(d);
        return fail(cx, E_MEMORY, "no memory for a draft over %zu tokens", max_tokens);
    }
    memset(d->slot, 0xFF, slots * sizeof *d->slot);
    d->whole = state_new(d, (State){ 0, NONE, NONE, NONE });
    *out = d;
    return OK;
}

/* ---- drafts ----------------------------------------------------------------------- */

size_t draft_propose(Draft *d, size_t most, int32_t *out)
{
    size_t behind = 0, n;
    if (d->wait > 0) return d->wait--, 0;
    if (draft_match(d, &behind) < LEAST_MATCH) return 0;
    n = d->n - behind;
    if (n > d->length) n = d->length;
    if (n > most) n = most;
    memcpy(out, d->text + behind, n * sizeof *out);
    return n;
}

/* Readings go by six rows, the token in hand and five more at first: 5, 11, 23. */
void draft_judge(Draft *d, size_t n, size_t kept)
{
    if (kept == n) {
        d->length = d->length * 2 + 1 < DRAFT_MOST ? d->length * 2 + 1 : DRAFT_MOST;
        d->pause = 0;
    } else if (kept * 2 < n) {
        d->length = SHORTEST;
    }
    if (kept > 0) return;
    d->pause = d->pause == 0 ? 1 : d->pause * 2;
    if (d->pause > LONGEST_PAUSE) d->pause = LONGEST_PAUSE;
    d->wait = d->pause;
}
