/* pool.c -- see pool.h. */
#include "eval/pool.h"

#include "eval/stats.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWN = 20000, WORDS_LEAST = 40, HELD_OUT_OF = 5 };
static const double letters_least = 0.65;    // of the bytes that are no white space

bool pool_is_prose(Str text)
{
    size_t words = 0, letters = 0, marks = 0;
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        bool letter = isalpha(c) || c >= 0x80;
        words += letter && (i == 0 || isspace((unsigned char)text.p[i - 1]));
        letters += letter;
        marks += !letter && !isspace(c);
    }
    /* Han and Kana have no spaces: three bytes a character, two characters a word. */
    if (words < letters / 24) words = letters / 6;
    return words >= WORDS_LEAST
        && (double)letters >= letters_least * (double)(letters + marks);
}

typedef struct Place {
    const pith_passage *at;
    size_t drawn, turn;     // its place in the draw; how many of its document come before
} Place;

static int by_document(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    int c = strcmp(x->at->document, y->at->document);
    return c ? c : (x->drawn > y->drawn) - (x->drawn < y->drawn);
}

static int by_turn(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    if (x->turn != y->turn) return x->turn < y->turn ? -1 : 1;
    return (x->drawn > y->drawn) - (x->drawn < y->drawn);
}

static Status order(Ctx *cx, Pool *p)
{
    const pith_results *all = p->all;
    Place *place = ctx_new(cx, Place, all->n);
    p->at = ctx_new(cx, const pith_passage *, all->n);
    if (!place || !p->at) return cx->status;
    for (size_t i = 0; i < all->n; i++) {
        if (pool_is_prose(str_z(all->at[i].text)))
            place[p->n++] = (Place){ &all->at[i], i, 0 };
        else
            p->poor++;
    }
    if (p->n) qsort(place, p->n, sizeof *place, by_document);
    for (size_t i = 1; i < p->n; i++)
        if (strcmp(place[i].at->document, place[i - 1].at->document) == 0)
            place[i].turn = place[i - 1].turn + 1;
    if (p->n) qsort(place, p->n, sizeof *place, by_turn);
    for (size_t i = 0; i < p->n; i++) p->at[i] = place[i].at;
    return OK;
}

/* ---- the sides --------------------------------------------------------------------- */

typedef struct Lot {
    uint64_t value;
    const char *document;
} Lot;

static int by_value(const void *a, const void *b)
{
    const Lot *x = a, *y = b;
    if (x->value != y->value) return x->value < y->value ? -1 : 1;
    return strcmp(x->document, y->document);
}

/* Draws among the documents that have a passage here: one of them at least is held out,
 * and one is not. */
static Status hold_out(Ctx *cx, uint64_t seed, Pool *p)
{
    Lot *lot = ctx_new(cx, Lot, p->n);
    size_t n = 0, held;
    TRY_NEW(lot);
    for (size_t i = 0; i < p->n; i++) {
        const char *document = p->at[i]->document;
        Str key = ctx_printf(cx, "%llu/%s", (unsigned long long)seed, document);
        TRY_NEW(key.p);
        if (json_object_get(p->held_out, document)) continue;
        json_object_set_new(p->held_out, document, json_true());
        uint64_t state = str_hash(key);
        lot[n++] = (Lot){ stats_random(&state, SIZE_MAX), document };
    }
    json_object_clear(p->held_out);
    if (n) qsort(lot, n, sizeof *lot, by_value);
    held = n < 2 ? 0 : n < HELD_OUT_OF ? 1 : n / HELD_OUT_OF;
    for (size_t i = 0; i < held; i++)
        if (json_object_set_new(p->held_out, lot[i].document, json_true()) != 0)
            return fail(cx, E_MEMORY, "no memory for the names of documents");
    return OK;
}

Status pool_open(const Job *j, pith *p, uint64_t seed, Pool *out)
{
    pith_error why;
    *out = (Pool){ .held_out = json_object() };
    if (!out->held_out) return fail(j->cx, E_MEMORY, "no memory for a pool of passages");
    if (pith_sample(p, DRAWN, seed, &out->all, &why) != PITH_OK) return job_why(j, &why);
    TRY(order(j->cx, out));
    if (out->n == 0)
        return fail(j->cx, E_FORMAT, "of %zu passages in the store none has the %d words "
                    "of prose that a question needs: add documents", out->all->n,
                    WORDS_LEAST);
    return hold_out(j->cx, seed, out);
}

void pool_free(Pool *p)
{
    pith_results_free(p->all);
    json_decref(p->held_out);
    *p = (Pool){ 0 };
}

bool pool_holds_out(const Pool *p, const char *document)
{
    return json_object_get(p->held_out, document) != NULL;
}
