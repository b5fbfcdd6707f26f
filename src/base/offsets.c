/* offsets.c -- see offsets.h. Packed, a run is four numbers in LEB128: the gaps behind
 * the run before it in text and source, its length in the text, and by how much that in
 * the source is more (zigzag). */
#include "base/offsets.h"

#include <stdint.h>
#include <string.h>

static const size_t LIMIT = (size_t)1 << 40;    // no text and no source is as long

static bool is_exact(const Run *r)
{
    return r->text_n == r->source_n;
}

Status offsets_add(Ctx *cx, Offsets *o, Run r)
{
    Run *last = o->n ? &o->at[o->n - 1] : NULL;
    size_t text = last ? last->text + last->text_n : 0;
    size_t source = last ? last->source + last->source_n : 0;
    if (r.text < text || r.source < source || !r.text_n || !r.source_n) return OK;
    if (last && is_exact(last) && is_exact(&r) && r.text - text == r.source - source) {
        last->text_n = last->source_n = r.text + r.text_n - last->text;
        return OK;
    }
    TRY(ctx_grow(cx, &o->at, o->n, &o->room, sizeof *o->at));
    o->at[o->n++] = r;
    return OK;
}

/* The first run that ends behind a byte of the text, o->n where none does. */
static size_t first_behind(const Offsets *o, size_t byte)
{
    size_t lo = 0, hi = o->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (o->at[mid].text + o->at[mid].text_n > byte) hi = mid;
        else lo = mid + 1;
    }
    return lo;
}

/* The part of a run that lies in text [start, end): all of one that is not exact. */
static Run clip(Run r, size_t start, size_t end)
{
    size_t from = r.text > start ? r.text : start, to = r.text + r.text_n;
    if (to > end) to = end;
    if (is_exact(&r)) r.source += from - r.text, r.source_n = to - from;
    r.text = from;
    r.text_n = to - from;
    return r;
}

Status offsets_slice(Ctx *cx, const Offsets *from, size_t start, size_t n, size_t to,
                     Offsets *out)
{
    size_t end = start + n;
    for (size_t i = first_behind(from, start); i < from->n; i++) {
        if (from->at[i].text >= end) break;
        Run r = clip(from->at[i], start, end);
        r.text = r.text - start + to;
        TRY(offsets_add(cx, out, r));
    }
    return OK;
}

bool offsets_find(const Offsets *o, size_t start, size_t end, size_t *from, size_t *to)
{
    size_t i = first_behind(o, start), last = i;
    if (i == o->n || o->at[i].text >= end) return false;
    while (last + 1 < o->n && o->at[last + 1].text < end) last++;
    Run a = clip(o->at[i], start, end), z = clip(o->at[last], start, end);
    *from = a.source;
    *to = z.source + z.source_n;
    return true;
}

/* ---- as bytes ---------------------------------------------------------------------- */

static char *put(char *to, size_t x)
{
    for (; x >= 0x80; x >>= 7) *to++ = (char)(x | 0x80);
    *to++ = (char)x;
    return to;
}

/* False at the end, and for a number that is none of ours. */
static bool take(Str *s, size_t *x)
{
    *x = 0;
    for (unsigned shift = 0; s->n && shift < 42; shift += 7) {
        unsigned char c = (unsigned char)*s->p++;
        s->n--;
        *x |= (size_t)(c & 0x7F) << shift;
        if (c < 0x80) return true;
    }
    return false;
}

Str offsets_pack(Ctx *cx, const Offsets *o, size_t base)
{
    char *bytes = ctx_alloc(cx, o->n, 4 * 6 + 4), *to = bytes;
    size_t text = 0, source = base;
    for (size_t i = 0; bytes && i < o->n; i++) {
        const Run *r = &o->at[i];
        bool more = r->source_n > r->text_n;
        size_t differ = more ? r->source_n - r->text_n : r->text_n - r->source_n;
        to = put(to, r->text - text);
        to = put(to, r->source - source);
        to = put(to, r->text_n);
        to = put(to, 2 * differ - (!more && differ > 0));
        text = r->text + r->text_n;
        source = r->source + r->source_n;
    }
    return (Str){ bytes, (size_t)(to - bytes) };
}

static bool take_run(Str *s, size_t *text, size_t *source, Run *out)
{
    size_t gap_text, gap_source, n, differ;
    if (!take(s, &gap_text) || !take(s, &gap_source) || !take(s, &n) || !take(s, &differ))
        return false;
    size_t by = (differ + 1) / 2;
    bool more = differ % 2 == 0;
    if (n == 0 || (!more && by >= n)) return false;
    *out = (Run){ *text + gap_text, n, *source + gap_source, more ? n + by : n - by };
    *text = out->text + out->text_n;
    *source = out->source + out->source_n;
    return *text < LIMIT && *source < LIMIT;
}

Status offsets_unpack(Ctx *cx, Str packed, size_t base, Offsets *out)
{
    size_t text = 0, source = base;
    Offsets o = { 0 };
    while (packed.n) {
        Run r;
        if (!take_run(&packed, &text, &source, &r))
            return fail(cx, E_FORMAT, "a damaged map of offsets");
        TRY(offsets_add(cx, &o, r));
    }
    *out = o;
    return OK;
}
