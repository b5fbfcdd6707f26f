/* piece.c -- see piece.h. */
#include "index/piece.h"

#include <string.h>

enum {
    WINDOW = 16384,         // bytes whose sentences are sought at a time
    BYTES_A_TOKEN = 8,      // a token is taken to have no more
    RUN_BYTES_A_TOKEN = 2,  // length of a run of words, for each token of the aim
};

/* The finer the later. */
typedef enum Grain { SENTENCES, BLANK_LINES, LINES, RUNS, CHARACTERS } Grain;

typedef struct Cut {
    Ctx *cx;
    const Chunker *c;
    const Parsed *parsed;
    Pieces *out;
    const Heading *section;
    size_t part;            // in work
    int keep;               // tokens that a piece may have
} Cut;

static Status cut(Cut *k, Str s, Grain grain);

/* Tokens of s, an eighth of its bytes at least; what cannot fit is not counted. */
static Status measure(const Cut *k, Str s, int *tokens)
{
    size_t least = s.n / BYTES_A_TOKEN;
    *tokens = least > (size_t)k->keep ? k->keep + 1 : (int)least;
    if (*tokens > k->keep) return OK;
    int n = 0;
    TRY(model_count(k->cx, k->c->embedder, s, &n));
    if (n > *tokens) *tokens = n;
    return OK;
}

static Status add(Cut *k, Str s, int tokens)
{
    const Part *p = &k->parsed->at[k->part];
    size_t at = (size_t)(s.p - p->text.p), start = p->start, end = p->end;
    if (k->parsed->verbatim) start += at, end = start + s.n;
    else (void)offsets_find(&p->map, at, at + s.n, &start, &end);
    Pieces *out = k->out;
    TRY(ctx_grow(k->cx, &out->at, out->n, &out->room, sizeof *out->at));
    out->at[out->n++] = (Piece){
        .text = s, .start = start, .end = end, .part = k->part,
        .kind = p->kind, .tokens = tokens, .section = k->section,
    };
    return OK;
}

/* One unit of a grain: a piece where it fits, else cut finer. */
static Status unit(Cut *k, Str s, Grain grain)
{
    int tokens = 0;
    if (str_trim(s).n == 0) return OK;
    TRY(measure(k, s, &tokens));
    if (tokens <= k->keep || grain == CHARACTERS) return add(k, s, tokens);
    return cut(k, s, grain == SENTENCES ? LINES : grain + 1);
}

/* Sentences, a window at a time; the last of a window may go on and is sought again. */
static Status cut_sentences(Cut *k, Str s)
{
    while (s.n > 0) {
        Span *at = NULL;
        size_t n = 0, done = s.n < WINDOW ? s.n : WINDOW;
        bool last = done == s.n;
        while (!last && done > 1 && ((unsigned char)s.p[done] & 0xC0) == 0x80) done--;
        TRY(words_sentences(k->cx, k->c->words, (Str){ s.p, done }, &at, &n));
        if (!last && n > 1) done = at[--n].start;
        for (size_t i = 0; i < n; i++)
            TRY(unit(k, (Str){ s.p + at[i].start, at[i].end - at[i].start }, SENTENCES));
        s.p += done;
        s.n -= done;
    }
    return OK;
}

/* The length of the line, or of the lines up to a blank one, that s begins with. */
static size_t lines_length(Str s, Grain grain)
{
    size_t next = 0;
    for (size_t at = 0; at < s.n; at = next) {
        Str line = line_at(s, at, &next);
        if (grain == LINES || str_trim(line).n == 0) break;
    }
    return next;
}

/* A run of words of at most `most` bytes, or what there is up to the first space. */
static size_t run_length(Str s, size_t most)
{
    if (s.n <= most) return s.n;
    size_t n = most;
    while (n > 0 && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\n') n--;
    if (n > 0) return n;
    for (n = most; n < s.n && s.p[n] != ' ' && s.p[n] != '\t' && s.p[n] != '\n';) n++;
    return n;
}

/* At most `most` bytes, no character cut: there are never more tokens than bytes. */
static size_t characters_length(Str s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n < s.n && n > 1 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return n;
}

static size_t unit_length(const Cut *k, Str s, Grain grain)
{
    size_t aim = (size_t)k->c->aim;
    if (grain == CHARACTERS) return characters_length(s, aim);
    if (grain == RUNS) return run_length(s, aim * RUN_BYTES_A_TOKEN);
    return lines_length(s, grain);
}

static Status cut(Cut *k, Str s, Grain grain)
{
    if (grain == SENTENCES) return cut_sentences(k, s);
    while (s.n > 0) {
        size_t n = unit_length(k, s, grain), shown = n;
        while (shown > 0 && (s.p[shown - 1] == '\n' || s.p[shown - 1] == '\r')) shown--;
        Str u = { s.p, shown };
        TRY(unit(k, grain == RUNS ? str_trim(u) : u, grain));
        s.p += n;
        s.n -= n;
    }
    return OK;
}

static Status open_heading(Cut *k, const Part *p)
{
    Heading *h = ctx_new(k->cx, Heading, 1);
    TRY_NEW(h);
    const Heading *up = k->section;
    while (up && (up->level >= p->level || up->depth == TRAIL_LEVELS)) up = up->up;
    *h = (Heading){ .up = up, .level = p->level, .depth = up ? up->depth + 1 : 1,
                    .name = { p->name.p, characters_length(p->name, TRAIL_BYTES) } };
    k->section = h;
    return OK;
}

static Status cut_part(Cut *k)
{
    const Part *p = &k->parsed->at[k->part];
    bool lines = p->kind == PART_CODE || p->kind == PART_ROW;
    int tokens = 0;
    if (p->kind == PART_HEADING) TRY(open_heading(k, p));
    k->keep = lines ? chunk_maximum(k->c) : k->c->aim + k->c->aim / 4;
    TRY(measure(k, p->text, &tokens));
    if (tokens <= k->keep) return add(k, p->text, tokens);
    k->keep = k->c->aim;
    return cut(k, p->text, lines ? BLANK_LINES : SENTENCES);
}

Status pieces_cut(Ctx *cx, const Chunker *c, const Parsed *p, Pieces *out)
{
    Cut k = { .cx = cx, .c = c, .parsed = p, .out = out, .section = c->section };
    *out = (Pieces){ 0 };
    for (k.part = 0; k.part < p->n; k.part++) TRY(cut_part(&k));
    out->section = k.section;
    return OK;
}

const Heading *trail_keep(Trail *t, const Heading *h)
{
    const Heading *last = NULL;
    Trail kept = { 0 };
    for (int i = h ? h->depth : 0; h && i-- > 0; h = h->up) {
        kept.at[i] = (Heading){ .level = h->level, .depth = i + 1,
                                .name = { t->name[i], h->name.n } };
        if (h->name.n) memcpy(kept.name[i], h->name.p, h->name.n);
        if (i > 0) kept.at[i].up = &t->at[i - 1];
        if (!last) last = &t->at[i];
    }
    *t = kept;
    return last;
}
