/* chunk.c -- see chunk.h.
 *
 * Pieces are packed in two passes over their list: the first opens a group at each
 * heading and wherever the aim is reached, the second joins groups too small to stand
 * alone. A group is a run of pieces, so order and offsets cannot go wrong. */
#include "index/chunk.h"
#include "index/piece.h"

#include <string.h>

enum {
    AIM_MIN = 16,
    PREFIX_TOKENS = 92,     // of the window, for title, section and special tokens
    GAP_BYTES = 64,         // dropped source inside a chunk (a comment, say), at most
    TITLE_BYTES = 240,      // the head of a title that the embedder reads
    SECTION_BYTES = 120,    // and the end of a section, where its own heading stands
};

typedef struct Group {
    size_t first, last;     // pieces, both included
    int tokens;
    const Heading *section;
    bool body;              // it has more than headings
} Group;

typedef struct Packer {
    Ctx *cx;
    const Parsed *parsed;
    const Pieces *pieces;
    int aim, maximum;       // tokens
    Group *at;              // (pieces->n)
    size_t n;
} Packer;

int chunk_maximum(const Chunker *c)
{
    int window = model_info(c->embedder)->window - PREFIX_TOKENS;
    int most = c->aim + c->aim + c->aim / 4;
    most = most < window ? most : window;
    return most > AIM_MIN ? most : AIM_MIN;
}

/* Is more dropped between two pieces than a chunk may carry along? */
static bool is_gap(const Packer *k, size_t i)
{
    const Piece *a = &k->pieces->at[i - 1], *b = &k->pieces->at[i];
    if (!k->parsed->verbatim || b->start <= a->end) return false;
    Str between = { k->parsed->source.p + (a->end - k->parsed->base),
                    b->start - a->end };
    return str_trim(between).n > GAP_BYTES;
}

/* Must piece i open a new group rather than join g? */
static bool opens(const Packer *k, const Group *g, size_t i)
{
    const Piece *p = &k->pieces->at[i];
    int sum = g->tokens + p->tokens;
    if (sum > k->maximum || is_gap(k, i)) return true;
    if (!g->body) return false;                     // a heading waits for its text
    return p->kind == PART_HEADING || (sum > k->aim && g->tokens >= k->aim / 2);
}

/* "The options are:" belongs to what it announces. */
static bool announces(const Packer *k, const Group *g, size_t i)
{
    const Piece *p = &k->pieces->at[i - 1], *next = &k->pieces->at[i];
    return g->last > g->first && p->kind == PART_PARAGRAPH &&
           next->kind != PART_PARAGRAPH && next->kind != PART_HEADING &&
           p->text.p[p->text.n - 1] == ':' && k->pieces->at[i - 2].kind != PART_HEADING &&
           p->tokens + next->tokens <= k->maximum && !is_gap(k, i);
}

static void put(const Packer *k, Group *g, size_t i)
{
    const Piece *p = &k->pieces->at[i];
    g->last = i;
    g->tokens += p->tokens;
    g->section = p->section;
    g->body |= p->kind != PART_HEADING;
}

static void pack(Packer *k)
{
    Group *g = NULL;
    for (size_t i = 0; i < k->pieces->n; i++) {
        if (!g || opens(k, g, i)) {
            size_t first = i;
            if (g && announces(k, g, i)) {
                first = g->last--;
                g->tokens -= k->pieces->at[first].tokens;
            }
            g = &k->at[k->n++];
            *g = (Group){ .first = first };
            if (first < i) put(k, g, first);
        }
        put(k, g, i);
    }
}

/* ---- small groups ------------------------------------------------------------------ */

static int depth_of(const Heading *h)
{
    return h ? h->depth : 0;
}

static const Heading *common(const Heading *a, const Heading *b)
{
    while (a != b) {
        if (depth_of(a) >= depth_of(b)) a = a->up;
        else b = b->up;
    }
    return a;
}

static bool joins(const Packer *k, const Group *a, const Group *b)
{
    int small = k->aim / 5, da = depth_of(a->section), db = depth_of(b->section);
    int sum = a->tokens + b->tokens;
    if ((a->tokens >= small && b->tokens >= small) || is_gap(k, b->first)) return false;
    if (sum > k->aim + k->aim / 4 || sum > k->maximum) return false;
    return depth_of(common(a->section, b->section)) + 1 >= (da > db ? da : db);
}

static void join_small(Packer *k)
{
    size_t kept = 0;
    for (size_t i = 0; i < k->n; i++) {
        Group *g = &k->at[i], *before = kept ? &k->at[kept - 1] : NULL;
        if (!before || !joins(k, before, g)) {
            k->at[kept++] = *g;
            continue;
        }
        before->last = g->last;
        before->tokens += g->tokens;
        before->section = before->body ? common(before->section, g->section) : g->section;
        before->body |= g->body;
    }
    k->n = kept;
}

/* ---- chunks ------------------------------------------------------------------------ */

static void add_path(Buf *b, const Heading *h, Str title)
{
    if (!h || (!h->up && str_eq(h->name, title))) return;
    add_path(b, h->up, title);
    if (b->n) buf_add(b, STR(" > "));
    buf_add(b, h->name);
}

/* What stands between two pieces of a text that is not verbatim. */
static Str between(const Piece *a, const Piece *b)
{
    if (a->part == b->part)
        return (Str){ a->text.p + a->text.n,
                      (size_t)(b->text.p - a->text.p) - a->text.n };
    bool list = (a->kind == PART_ITEM || a->kind == PART_ROW) && a->kind == b->kind;
    return list ? STR("\n") : STR("\n\n");
}

static Status join_texts(const Packer *k, const Group *g, Buf *b, Offsets *map)
{
    const Piece *at = k->pieces->at;
    for (size_t i = g->first; i <= g->last; i++) {
        const Part *p = &k->parsed->at[at[i].part];
        if (i > g->first) buf_add(b, between(&at[i - 1], &at[i]));
        size_t from = (size_t)(at[i].text.p - p->text.p);
        TRY(offsets_slice(k->cx, &p->map, from, at[i].text.n, b->n, map));
        buf_add(b, at[i].text);
    }
    return OK;
}

/* The text of a chunk that is no slice of its source, and where it stands there. */
static Status fill_text(const Packer *k, const Group *g, Buf *b, Chunk *out)
{
    Offsets map = { 0 };
    TRY(join_texts(k, g, b, &map));
    out->text = ctx_dup(k->cx, buf_str(b));
    out->map = offsets_pack(k->cx, &map, out->start);
    return out->text.p && out->map.p ? OK : E_MEMORY;
}

static Status fill(const Packer *k, const Group *g, Chunk *out)
{
    const Piece *a = &k->pieces->at[g->first], *z = &k->pieces->at[g->last];
    Buf b = BUF((size_t)1 << 30);
    Status st = OK;
    *out = (Chunk){ .start = a->start, .end = z->end, .tokens = g->tokens,
                    .page = k->parsed->at[a->part].page,
                    .page_end = k->parsed->at[z->part].page };
    add_path(&b, g->section, k->parsed->title);
    out->section = ctx_dup(k->cx, buf_str(&b));
    b.n = 0;
    if (!k->parsed->verbatim) st = fill_text(k, g, &b, out);
    else out->text = (Str){ k->parsed->source.p + (a->start - k->parsed->base),
                            z->end - a->start };
    bool failed = b.failed || !out->section.p || st != OK;
    buf_free(&b);
    return failed ? fail(k->cx, E_MEMORY, "out of memory for a chunk") : OK;
}

/* A document without sections that fits one chunk stays whole: an abstract cut in two is
 * found less well (SciFact .770 -> .781 nDCG@10), while long texts want small chunks. */
static void keep_short_whole(Packer *k)
{
    int sum = 0;
    for (size_t i = 0; i < k->pieces->n && sum <= k->maximum; i++) {
        if (i > 0 && k->pieces->at[i].kind == PART_HEADING) return;
        sum += k->pieces->at[i].tokens;
    }
    if (sum <= k->maximum && sum > k->aim) k->aim = sum;
}

Status chunk_parts(Ctx *cx, Chunker *asked, const Parsed *p, Chunk **out, size_t *n)
{
    Chunker c = *asked;
    int most = chunk_maximum(&c);
    c.aim = c.aim < AIM_MIN ? AIM_MIN : c.aim > most ? most : c.aim;
    Pieces pieces;
    TRY(pieces_cut(cx, &c, p, &pieces));
    Packer k = { .cx = cx, .parsed = p, .pieces = &pieces, .aim = c.aim,
                 .maximum = chunk_maximum(&c), .at = ctx_new(cx, Group, pieces.n) };
    TRY_NEW(k.at);
    keep_short_whole(&k);
    pack(&k);
    join_small(&k);
    *out = ctx_new(cx, Chunk, k.n);
    TRY_NEW(*out);
    for (size_t i = 0; i < k.n; i++) TRY(fill(&k, &k.at[i], &(*out)[i]));
    *n = k.n;
    asked->section = pieces.section;
    return OK;
}

/* The first bytes of s, to a character's last. */
static Str head(Str s, size_t most)
{
    if (s.n <= most) return s;
    s.n = most;
    while (s.n > 0 && ((unsigned char)s.p[s.n] & 0xC0) == 0x80) s.n--;
    return s;
}

/* The last bytes of s, from a character's first. */
static Str tail(Str s, size_t most)
{
    if (s.n <= most) return s;
    s.p += s.n - most;
    s.n = most;
    while (s.n > 0 && ((unsigned char)s.p[0] & 0xC0) == 0x80) s.p++, s.n--;
    return s;
}

Str embedding_text(Ctx *cx, Str title, const Chunk *c)
{
    title = head(title, TITLE_BYTES);
    Str section = tail(c->section, SECTION_BYTES);
    if (title.n == 0 && section.n == 0) return c->text;
    const char *mark = title.n && section.n ? " > " : "";
    return ctx_printf(cx, "%.*s%s%.*s\n%.*s", (int)title.n, title.p, mark, (int)section.n,
                      section.p, (int)c->text.n, c->text.p);
}
