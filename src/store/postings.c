/* postings.c -- see postings.h.
 *
 * Invariant: within a segment a list's ids ascend, and the segments of a level hold ids
 * above those of all higher levels, so that a merge is a concatenation. */
#include "store/impl.h"

#include <stdlib.h>
#include <string.h>

enum { FAN_IN = 8, LIST_MIN = 8, COMPOUND_MIN = 7 };

typedef struct List {
    Str word;
    uint32_t hash;
    uint32_t n, cap;            // bytes of data
    uint8_t *data;
    int64_t last;               // id of the last posting in data
    int64_t id;                 // of the posting not yet in data; 0: none
    uint32_t count;             // its count
    uint32_t serial;            // of the document that changed it last
    uint32_t old_n;             // what it was before that
    int64_t old_last, old_id;
    uint32_t old_count;
} List;

struct Batch {
    Ctx memory;                 // of words and lists
    List **table;               // open addressing; a power of two
    size_t cap, n;
    size_t bytes;
    uint32_t serial;
};

/* ---- varints ---------------------------------------------------------------------- */

static size_t put_varint(uint8_t *p, uint64_t v)
{
    size_t n = 0;
    for (; v >= 0x80; v >>= 7) p[n++] = (uint8_t)(v | 0x80);
    p[n++] = (uint8_t)v;
    return n;
}

static inline bool read_varint(PostingReader *r, uint64_t *out)
{
    uint64_t v = 0;
    for (int shift = 0; r->p < r->end && shift < 64; shift += 7) {
        uint8_t c = *r->p++;
        v |= (uint64_t)(c & 0x7F) << shift;
        if (c < 0x80) {
            *out = v;
            return true;
        }
    }
    return false;
}

int postings_next(PostingReader *r, Posting *out)
{
    uint64_t v, count = 1;
    if (r->p == r->end) return 0;
    if (!read_varint(r, &v)) return -1;
    if ((v & 1) && !read_varint(r, &count)) return -1;
    if (v < 2 || v >> 1 > (uint64_t)(INT64_MAX - r->id) || count == 0 ||
        count > UINT32_MAX)
        return -1;
    r->id += (int64_t)(v >> 1);
    *out = (Posting){ r->id, (uint32_t)count };
    return 1;
}

static size_t put_posting(uint8_t *p, int64_t last, int64_t id, uint32_t count)
{
    size_t n = put_varint(p, (uint64_t)(id - last) * 2 + (count != 1));
    return count == 1 ? n : n + put_varint(p + n, count);
}

/* ---- the batch -------------------------------------------------------------------- */

Batch *batch_new(void)
{
    Batch *b = calloc(1, sizeof *b);
    if (b) b->serial = 1;
    return b;
}

void batch_clear(Batch *b)
{
    ctx_end(&b->memory);
    free(b->table);
    *b = (Batch){ .serial = 1 };
}

void batch_free(Batch *b)
{
    if (!b) return;
    batch_clear(b);
    free(b);
}

size_t batch_bytes(const Batch *b) { return b->bytes; }
void batch_mark(Batch *b) { b->serial++; }

void batch_undo(Batch *b)
{
    for (size_t i = 0; i < b->cap; i++) {
        List *l = b->table[i];
        if (!l || l->serial != b->serial) continue;
        l->n = l->old_n;
        l->last = l->old_last;
        l->id = l->old_id;
        l->count = l->old_count;
        l->serial = 0;
    }
}

static uint32_t hash_of(Str s)
{
    uint32_t h = 2166136261u;   // FNV-1a
    for (size_t i = 0; i < s.n; i++) h = (h ^ (uint8_t)s.p[i]) * 16777619u;
    return h;
}

static List **slot(const Batch *b, Str word, uint32_t hash)
{
    size_t i = hash & (b->cap - 1);
    while (b->table[i] && !(b->table[i]->hash == hash && str_eq(b->table[i]->word, word)))
        i = (i + 1) & (b->cap - 1);
    return &b->table[i];
}

static Status grow(Ctx *cx, Batch *b)
{
    Batch old = *b;
    size_t cap = b->cap ? 2 * b->cap : 1024;
    List **t = calloc(cap, sizeof *t);
    if (!t) return fail(cx, E_MEMORY, "no memory for the words of a document");
    b->table = t;
    b->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.table[i]) *slot(b, old.table[i]->word, old.table[i]->hash) = old.table[i];
    free(old.table);
    return OK;
}

static Status list_of(Ctx *cx, Batch *b, Str word, List **out)
{
    uint32_t hash = hash_of(word);
    if (2 * b->n >= b->cap) TRY(grow(cx, b));
    List **at = slot(b, word, hash), *l = *at;
    if (!l) {
        l = ctx_new(&b->memory, List, 1);
        Str copy = ctx_dup(&b->memory, word);
        if (!l || !copy.p)
            return fail(cx, E_MEMORY, "no memory for the words of a document");
        l->word = copy;
        l->hash = hash;
        b->bytes += sizeof *l + word.n;
        b->n++;
        *at = l;
    }
    *out = l;
    return OK;
}

/* Moves the waiting posting into the data. */
static Status settle(Ctx *cx, Batch *b, List *l)
{
    if (!l->id) return OK;
    if (l->cap - l->n < 16) {
        uint32_t cap = l->cap ? 2 * l->cap : LIST_MIN + 16;
        uint8_t *p = ctx_alloc(&b->memory, cap, 1);
        if (!p) return fail(cx, E_MEMORY, "no memory for the words of a document");
        if (l->n) memcpy(p, l->data, l->n);
        b->bytes += cap;
        l->data = p;
        l->cap = cap;
    }
    l->n += (uint32_t)put_posting(l->data + l->n, l->last, l->id, l->count);
    l->last = l->id;
    l->id = 0;
    return OK;
}

static Status count_word(Ctx *cx, Batch *b, Str word, int64_t id, int weight)
{
    List *l = NULL;
    TRY(list_of(cx, b, word, &l));
    if (l->serial != b->serial) {
        l->serial = b->serial;
        l->old_n = l->n;
        l->old_last = l->last;
        l->old_id = l->id;
        l->old_count = l->count;
    }
    if (l->id != id) {
        TRY(settle(cx, b, l));
        l->id = id;
        l->count = 0;
    }
    l->count += (uint32_t)weight;
    return OK;
}

static char *put_prefix(Language l, char mark, char *room)
{
    memcpy(room, language_facts[l].code, KEY_PREFIX - 1);
    room[KEY_PREFIX - 1] = mark;
    return room + KEY_PREFIX;
}

Str key_of(Language l, const Word *w, char room[KEY_BYTES])
{
    if (l == LANGUAGE_EN || !w->spoken || w->stem.n > KEY_BYTES - KEY_PREFIX)
        return w->stem;
    memcpy(put_prefix(l, '>', room), w->stem.p, w->stem.n);
    return (Str){ room, KEY_PREFIX + w->stem.n };
}

Str key_backwards(Language l, Str stem, char room[KEY_BYTES])
{
    if (!language_facts[l].particles || stem.n > KEY_BYTES - KEY_PREFIX)
        return (Str){ NULL, 0 };
    char *p = put_prefix(l, '<', room);
    for (size_t i = stem.n; i > 0; i--) *p++ = stem.p[i - 1];
    return (Str){ room, KEY_PREFIX + stem.n };
}

static Status add_word(Ctx *cx, Batch *b, const Field *f, const Word *w)
{
    char room[KEY_BYTES];
    TRY(count_word(cx, b, key_of(f->language, w, room), f->chunk, f->weight));
    if (!w->spoken || w->stem.n < COMPOUND_MIN) return OK;
    Str back = key_backwards(f->language, w->stem, room);
    return back.p ? count_word(cx, b, back, f->chunk, f->weight) : OK;
}

Status batch_add(Ctx *cx, Batch *b, Words *w, const Field *f, Str text, uint32_t *length)
{
    Word word;
    words_speak(w, f->language);
    words_singles(w, true);
    TRY(words_begin(cx, w, text));
    while (words_next(w, &word)) {
        TRY(add_word(cx, b, f, &word));
        if (!word.single) *length += (uint32_t)f->weight;
    }
    return words_end(cx, w);
}

/* ---- segments --------------------------------------------------------------------- */

typedef struct Segment {
    int64_t id, level;
} Segment;

/* Newest first. */
static Status segments(Ctx *cx, Store *s, Segment **out, size_t *n)
{
    sqlite3_stmt *q;
    bool more;
    Segment *at = NULL;
    size_t count = 0, cap = 0;
    TRY(db_query(cx, s, Q_SEGMENTS, &q));
    for (;;) {
        TRY(db_step(cx, s, q, &more));
        if (!more) break;
        Status st = ctx_grow(cx, &at, count, &cap, sizeof *at);
        if (st != OK) sqlite3_reset(q);
        TRY(st);
        at[count++] = (Segment){ sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1) };
    }
    *out = at;
    *n = count;
    return OK;
}

static Status new_segment(Ctx *cx, Store *s, int64_t level, int64_t *id)
{
    TRY(db_do(cx, s, Q_ADD_SEGMENT, level, 0));
    *id = sqlite3_last_insert_rowid(s->db);
    return OK;
}

static Status add_postings(Ctx *cx, Store *s, int64_t segment, Str word, Str data)
{
    sqlite3_stmt *q;
    if (data.n == 0) return OK;
    TRY(db_query(cx, s, Q_ADD_POSTINGS, &q));
    sqlite3_bind_int64(q, 1, segment);
    sqlite3_bind_blob64(q, 2, word.p, word.n, SQLITE_STATIC);
    sqlite3_bind_blob64(q, 3, data.p, data.n, SQLITE_STATIC);
    return db_run(cx, s, q);
}

/* One of the segments being merged. Its statement is its own: several are open. */
typedef struct Source {
    sqlite3_stmt *q;
    Str word;                   // borrowed from q; n = 0 and p = NULL at the end
} Source;

static Status advance(Ctx *cx, Store *s, Source *x)
{
    int rc = sqlite3_step(x->q);
    x->word = (Str){ NULL, 0 };
    if (rc == SQLITE_DONE) return OK;
    if (rc != SQLITE_ROW) return db_fail(cx, s, rc);
    const char *p = sqlite3_column_blob(x->q, 0);
    x->word = (Str){ p ? p : "", (size_t)sqlite3_column_bytes(x->q, 0) };
    return OK;
}

typedef struct Merge {
    Source *at;                 // oldest first
    size_t n;
    const int64_t *gone;        // ascending
    size_t n_gone;
    int64_t into;               // segment
    Buf data, word;
} Merge;

static bool is_gone(const Merge *m, int64_t id)
{
    size_t lo = 0, hi = m->n_gone;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (m->gone[mid] < id) lo = mid + 1;
        else hi = mid;
    }
    return lo < m->n_gone && m->gone[lo] == id;
}

/* Appends the list of x to the merged one, whose last id is *last. */
static Status append_list(Ctx *cx, Store *s, Merge *m, Source *x, int64_t *last)
{
    const uint8_t *p = sqlite3_column_blob(x->q, 1);
    PostingReader r = { p, p ? p + sqlite3_column_bytes(x->q, 1) : p, 0 };
    Posting post;
    int got;
    while ((got = postings_next(&r, &post)) > 0) {
        uint8_t bytes[20];
        if (post.id <= *last) return db_fail(cx, s, SQLITE_CORRUPT);
        if (is_gone(m, post.id)) continue;
        size_t n = put_posting(bytes, *last, post.id, post.count);
        buf_add(&m->data, (Str){ (char *)bytes, n });
        *last = post.id;
    }
    if (got < 0) return db_fail(cx, s, SQLITE_CORRUPT);
    return m->data.failed ? fail(cx, E_MEMORY, "no memory to merge the index") : OK;
}

/* The smallest word of the sources into m->word; false at the end of all. */
static bool next_word(Merge *m)
{
    const Str *least = NULL;
    for (size_t i = 0; i < m->n; i++)
        if (m->at[i].word.p && (!least || str_cmp(m->at[i].word, *least) < 0))
            least = &m->at[i].word;
    m->word.n = m->data.n = 0;
    if (least) buf_add(&m->word, *least);
    return least != NULL;
}

static Status merge_words(Ctx *cx, Store *s, Merge *m)
{
    for (size_t i = 0; i < m->n; i++) TRY(advance(cx, s, &m->at[i]));
    while (next_word(m)) {
        int64_t last = 0;
        Str word = buf_str(&m->word);
        for (size_t i = 0; i < m->n; i++) {
            if (!m->at[i].word.p || !str_eq(m->at[i].word, word)) continue;
            TRY(append_list(cx, s, m, &m->at[i], &last));
            TRY(advance(cx, s, &m->at[i]));
        }
        TRY(add_postings(cx, s, m->into, word, buf_str(&m->data)));
    }
    return OK;
}

/* Merges n segments, newest first, into one of level. */
static Status merge(Ctx *cx, Store *s, const Segment *seg, size_t n, int64_t level,
                    const int64_t *gone, size_t n_gone)
{
    sqlite3_stmt *like;
    Merge m = { .n = n, .gone = gone, .n_gone = n_gone, .data = BUF(1u << 30),
                .word = BUF(1u << 20) };
    TRY(db_query(cx, s, Q_SEGMENT_POSTINGS, &like));
    TRY(new_segment(cx, s, level, &m.into));
    TRY_NEW(m.at = ctx_new(cx, Source, n));
    Status st = OK;
    for (size_t i = 0; i < n && st == OK; i++) {
        int rc = sqlite3_prepare_v2(s->db, sqlite3_sql(like), -1, &m.at[i].q, NULL);
        if (rc != SQLITE_OK) st = db_fail(cx, s, rc);
        else sqlite3_bind_int64(m.at[i].q, 1, seg[n - 1 - i].id);
    }
    if (st == OK) st = merge_words(cx, s, &m);
    for (size_t i = 0; i < n; i++) sqlite3_finalize(m.at[i].q);
    buf_free(&m.data);
    buf_free(&m.word);
    for (size_t i = 0; i < n && st == OK; i++) {
        st = db_do(cx, s, Q_REMOVE_POSTINGS, seg[i].id, 0);
        if (st == OK) st = db_do(cx, s, Q_REMOVE_SEGMENT, seg[i].id, 0);
    }
    return st;
}

/* Merges while the newest FAN_IN segments are of one level. */
static Status merge_due(Ctx *cx, Store *s)
{
    for (;;) {
        Segment *seg;
        size_t n, same = 0;
        TRY(segments(cx, s, &seg, &n));
        while (same < n && seg[same].level == seg[0].level) same++;
        if (same < FAN_IN) return OK;
        TRY(merge(cx, s, seg, same, seg[0].level + 1, NULL, 0));
    }
}

Status postings_compact(Ctx *cx, Store *s, const int64_t *gone, size_t n_gone)
{
    Segment *seg;
    size_t n;
    TRY(segments(cx, s, &seg, &n));
    return n ? merge(cx, s, seg, n, seg[n - 1].level, gone, n_gone) : OK;
}

static int by_word(const void *a, const void *b)
{
    return str_cmp((*(List *const *)a)->word, (*(List *const *)b)->word);
}

Status batch_write(Ctx *cx, Store *s, Batch *b)
{
    int64_t segment;
    size_t n = 0;
    if (b->n == 0) return OK;
    TRY(new_segment(cx, s, 0, &segment));
    for (size_t i = 0; i < b->cap; i++)
        if (b->table[i]) b->table[n++] = b->table[i];
    qsort(b->table, n, sizeof *b->table, by_word);
    for (size_t i = 0; i < n; i++) {
        List *l = b->table[i];
        TRY(settle(cx, b, l));
        TRY(add_postings(cx, s, segment, l->word, (Str){ (char *)l->data, l->n }));
    }
    batch_clear(b);
    return merge_due(cx, s);
}
