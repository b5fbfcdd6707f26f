/* parse.c -- how much of a document's words its parser finds, and how fast.
 *
 *     bench_parse DOCUMENT             its words, words a minute
 *     bench_parse DOCUMENT TEXT        the share of TEXT's words found in it, in order
 *     bench_parse --text DOCUMENT      its text edition; --lost: the words not found
 *
 * Words are those of words.h. "In order" is the longest common subsequence (Myers 1986,
 * in linear space). Notes and tables stand elsewhere in some editions: of what the
 * sequence leaves, runs of at least four words that are in both count as moved, and what
 * is left of the words that are in both as strewn: cells whose lines one interleaves. */
#include "base/words.h"
#include "parse/parse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { RUNS = 5, MOVED = 4 };

/* ---- words ------------------------------------------------------------------------- */

typedef struct List {
    uint64_t *key;
    Span *at;
    bool *found;
    size_t n, room;
} List;

static void *grown(void *p, size_t n, size_t size)
{
    p = realloc(p, n * size);
    if (!p) abort();
    return p;
}

static void list_add(List *l, const Word *w)
{
    if (l->n == l->room) {
        l->room = l->room ? 2 * l->room : 1024;
        l->key = grown(l->key, l->room, sizeof *l->key);
        l->at = grown(l->at, l->room, sizeof *l->at);
        l->found = grown(l->found, l->room, sizeof *l->found);
    }
    l->key[l->n] = str_hash(w->stem);
    l->at[l->n] = (Span){ w->start, w->end };
    l->found[l->n++] = false;
}

static List words_of(Ctx *cx, Str text)
{
    List l = { 0 };
    Words *w;
    Word word;
    if (words_open(cx, &w) != OK || words_begin(cx, w, text) != OK) abort();
    while (words_next(w, &word)) list_add(&l, &word);
    words_close(w);
    return l;
}

/* ---- the longest common subsequence ------------------------------------------------ */

typedef struct Match {
    const uint64_t *a, *b;
    bool *in_a, *in_b;      // what is part of it
    long *forth, *back;     // (2 * (n + m) + 2): furthest x on each diagonal
    long middle;
} Match;

typedef struct Box { long a0, a1, b0, b1; } Box;

static bool step_forth(Match *m, Box s, long d, long delta, Box *snake)
{
    long *v = m->forth + m->middle, *r = m->back + m->middle;
    for (long k = -d; k <= d; k += 2) {
        long x = k == -d || (k != d && v[k - 1] < v[k + 1]) ? v[k + 1] : v[k - 1] + 1;
        long from = x;
        while (x < s.a1 - s.a0 && x - k < s.b1 - s.b0
               && m->a[s.a0 + x] == m->b[s.b0 + x - k]) x++;
        v[k] = x;
        bool meets = (delta & 1) && labs(delta - k) < d
            && x + r[delta - k] >= s.a1 - s.a0;
        *snake = (Box){ s.a0 + from, s.a0 + x, s.b0 + from - k, s.b0 + x - k };
        if (meets) return true;
    }
    return false;
}

static bool step_back(Match *m, Box s, long d, long delta, Box *snake)
{
    long *v = m->back + m->middle, *f = m->forth + m->middle;
    for (long k = -d; k <= d; k += 2) {
        long x = k == -d || (k != d && v[k - 1] < v[k + 1]) ? v[k + 1] : v[k - 1] + 1;
        long from = x;
        while (x < s.a1 - s.a0 && x - k < s.b1 - s.b0
               && m->a[s.a1 - 1 - x] == m->b[s.b1 - 1 - x + k]) x++;
        v[k] = x;
        bool meets = !(delta & 1) && labs(delta - k) <= d
            && x + f[delta - k] >= s.a1 - s.a0;
        *snake = (Box){ s.a1 - x, s.a1 - from, s.b1 - x + k, s.b1 - from + k };
        if (meets) return true;
    }
    return false;
}

/* Marks what s has in common: ends first, then the halves around the middle snake. */
static void match(Match *m, Box s)
{
    while (s.a0 < s.a1 && s.b0 < s.b1 && m->a[s.a0] == m->b[s.b0])
        m->in_a[s.a0++] = m->in_b[s.b0++] = true;
    while (s.a0 < s.a1 && s.b0 < s.b1 && m->a[s.a1 - 1] == m->b[s.b1 - 1])
        m->in_a[--s.a1] = m->in_b[--s.b1] = true;
    if (s.a0 == s.a1 || s.b0 == s.b1) return;
    long delta = (s.a1 - s.a0) - (s.b1 - s.b0);
    Box snake;
    m->forth[m->middle + 1] = m->back[m->middle + 1] = 0;
    for (long d = 0;; d++) {
        if (step_forth(m, s, d, delta, &snake)) break;
        if (step_back(m, s, d, delta, &snake)) break;
    }
    for (long i = snake.a0, k = snake.b0; i < snake.a1; i++, k++)
        m->in_a[i] = m->in_b[k] = true;
    match(m, (Box){ s.a0, snake.a0, s.b0, snake.b0 });
    match(m, (Box){ snake.a1, s.a1, snake.b1, s.b1 });
}

static size_t in_order(List *gold, List *got)
{
    size_t total = gold->n + got->n + 4, n = 0;
    Match m = { gold->key, got->key, gold->found, got->found,
                calloc(2 * total, sizeof(long)), calloc(2 * total, sizeof(long)),
                (long)total };
    if (!m.forth || !m.back) abort();
    match(&m, (Box){ 0, (long)gold->n, 0, (long)got->n });
    for (size_t i = 0; i < gold->n; i++) n += gold->found[i];
    free(m.forth), free(m.back);
    return n;
}

/* ---- what stands elsewhere --------------------------------------------------------- */

/* How many words from i on are not found yet and the same as those of the other. */
static size_t run(const List *a, size_t i, const List *b, size_t k)
{
    size_t n = 0;
    while (i + n < a->n && k + n < b->n && !a->found[i + n] && !b->found[k + n]
           && a->key[i + n] == b->key[k + n]) n++;
    return n;
}

/* Chains of places in b by their word: first by bucket, next by place. */
static size_t moved_runs(List *a, List *b, size_t least)
{
    enum { BUCKETS = 1 << 16 };
    size_t *first = calloc(BUCKETS, sizeof *first);
    size_t *next = calloc(b->n + 1, sizeof *next);
    size_t all = 0;
    if (!first || !next) abort();
    for (size_t k = b->n; k-- > 0;) {
        size_t *at = &first[b->key[k] % BUCKETS];
        next[k] = *at;
        *at = k + 1;
    }
    for (size_t i = 0; i < a->n; i++) {
        size_t best = 0, where = 0;
        if (a->found[i]) continue;
        for (size_t k = first[a->key[i] % BUCKETS]; k; k = next[k - 1]) {
            size_t n = run(a, i, b, k - 1);
            if (n > best) best = n, where = k - 1;
        }
        if (best < least) continue;
        for (size_t n = 0; n < best; n++) a->found[i + n] = b->found[where + n] = true;
        all += best;
    }
    free(first), free(next);
    return all;
}

/* Words that are in b as often, wherever: cells whose lines one edition interleaves. */
static size_t strewn(List *a, List *b)
{
    return moved_runs(a, b, 1);
}

/* ---- a document -------------------------------------------------------------------- */

static Status collect(void *arg, const Parsed *w)
{
    for (size_t i = 0; i < w->n; i++) {
        buf_add(arg, w->at[i].text);
        buf_add(arg, STR("\n"));
    }
    return OK;
}

static Status show(void *arg, const Parsed *w)
{
    static const char *const kinds[] = { "#", "p", "code", "*", "|" };
    (void)arg;
    if (w->title.n) printf("title: %.*s\n", (int)w->title.n, w->title.p);
    for (size_t i = 0; i < w->n; i++)
        printf("[%d %s%d] %.*s\n", w->at[i].page, kinds[w->at[i].kind], w->at[i].level,
               (int)w->at[i].text.n, w->at[i].text.p);
    return OK;
}

static Str slurp(Ctx *cx, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END)) {
        perror(path);
        exit(2);
    }
    size_t n = (size_t)ftell(f);
    char *p = ctx_new(cx, char, n + 1);
    rewind(f);
    if (!p || fread(p, 1, n, f) != n) abort();
    fclose(f);
    return (Str){ p, n };
}

static Status parse(Ctx *cx, const char *path, Sink to)
{
    Str bytes = slurp(cx, path);
    Kind kind = kind_of(str_z(path), bytes);
    Input in = { .bytes = bytes, .name = str_z(path) };
    Status st = parse_document(cx, kind, &in, &to);
    if (st != OK) fprintf(stderr, "%s: %s\n", path, cx->reason);
    return st;
}

static double best_ms(Ctx *cx, const char *path, Buf *text)
{
    double best = 1e12;
    for (int i = 0; i < RUNS; i++) {
        double t = now_ms();
        text->n = 0;
        if (parse(cx, path, (Sink){ collect, text }) != OK) exit(1);
        if (now_ms() - t < best) best = now_ms() - t;
    }
    return best;
}

/* The fastest of as many runs of pdftotext; 0: it is not here. */
static double peer_ms(const char *path)
{
    char command[4096];
    double best = 1e12;
    snprintf(command, sizeof command, "pdftotext '%s' /dev/null 2> /dev/null", path);
    for (int i = 0; i < RUNS; i++) {
        double t = now_ms();
        if (system(command) != 0) return 0;
        if (now_ms() - t < best) best = now_ms() - t;
    }
    return best;
}

static void print_lost(const List *l, Str text)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->found[i]) continue;
        size_t to = i;
        while (to < l->n && !l->found[to]) to++;
        printf("%4zu ", to - i);
        for (size_t k = i > 2 ? i - 2 : 0; k < to + 2 && k < l->n && k < i + 40; k++)
            printf("%s%.*s ", k == i ? "<< " : k == to ? ">> " : "",
                   (int)(l->at[k].end - l->at[k].start), text.p + l->at[k].start);
        printf("\n");
        i = to;
    }
}

static void compare(Ctx *cx, const char *path, Str text, List *got, bool lost)
{
    Str other = slurp(cx, path);
    Buf made = BUF((size_t)1 << 30);
    if (kind_of(str_z(path), other) == KIND_HTML) {
        if (parse(cx, path, (Sink){ collect, &made }) != OK) exit(1);
        other = buf_str(&made);
    }
    List gold = words_of(cx, other);
    size_t found = in_order(&gold, got), elsewhere = moved_runs(&gold, got, MOVED);
    size_t single = strewn(&gold, got), all = found + elsewhere + single;
    double share = 100. / (double)gold.n;
    printf("  %zu words in %s: %.3f %% in order, %.3f %% in runs moved, %.3f %% strewn, "
           "%.3f %% absent\n", gold.n, path, share * (double)found,
           share * (double)elsewhere, share * (double)single,
           share * (double)(gold.n - all));
    if (lost) {
        print_lost(&gold, other);
        printf("---- and what stands only in the document\n");
        print_lost(got, text);
    }
    buf_free(&made);
}

int main(int argc, char **argv)
{
    Ctx cx = CTX_INIT;
    Buf text = BUF((size_t)1 << 30);
    bool lost = argc > 2 && strcmp(argv[1], "--lost") == 0;
    struct rusage used;
    if (argc == 3 && strcmp(argv[1], "--text") == 0)
        return parse(&cx, argv[2], (Sink){ show, NULL }) != OK;
    argv += lost;
    argc -= lost;
    if (argc < 2) {
        fprintf(stderr, "usage: bench_parse [--text | --lost] DOCUMENT [TEXT]\n");
        return 2;
    }
    double ms = best_ms(&cx, argv[1], &text), peer = peer_ms(argv[1]);
    List got = words_of(&cx, buf_str(&text));
    getrusage(RUSAGE_SELF, &used);
    printf("%s: %zu words in %.0f ms, %.0f words a minute, %.2f times pdftotext's, "
           "peak %ld MB\n", argv[1], got.n, ms, 60e3 * (double)got.n / ms, peer / ms,
           used.ru_maxrss / 1024);
    if (argc > 2) compare(&cx, argv[2], buf_str(&text), &got, lost);
    ctx_end(&cx);
    buf_free(&text);
    return 0;
}
