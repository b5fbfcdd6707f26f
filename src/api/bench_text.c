/* bench_text.c -- plain English without end, about machines that do not exist. */
#include "api/bench.h"

static const char *const thing[] = { "pump", "valve", "boiler", "turbine", "compressor",
    "filter", "conveyor", "press", "furnace", "generator", "mixer", "crane" };
static const char *const place[] = { "the north hall", "the old workshop",
    "building four", "the harbour", "the second floor", "the test stand", "the yard" };
static const char *const task[] = { "is inspected", "needs new seals", "is lubricated",
    "must be cleaned", "is calibrated", "gets another gasket", "is checked for leaks" };
static const char *const who[] = { "the mechanic on duty", "an outside company",
    "the operator", "two people of the night shift", "the supplier" };
static const char *const why[] = { "because its bearings wear early",
    "as the manufacturer demands", "so that the warranty holds",
    "since the accident of last spring", "before the pressure is raised again" };

#define PICK(list, at) ((list)[(at) % (sizeof (list) / sizeof *(list))])

static unsigned next(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;   // Numerical Recipes
    return *state >> 16;
}

static void sentence(Buf *b, unsigned *state)
{
    unsigned hours = 50 + next(state) % 900, number = 1 + next(state) % 90;
    buf_addf(b, "The %s %u in %s ", PICK(thing, next(state)), number,
             PICK(place, next(state)));
    buf_addf(b, "%s every %u hours by %s, ", PICK(task, next(state)), hours,
             PICK(who, next(state)));
    buf_addf(b, "%s. ", PICK(why, next(state)));
}

Status bench_text(Ctx *cx, Model *m, int n, unsigned seed, Str *out)
{
    Buf b = BUF(1 << 20);
    unsigned state = seed * 2654435761u + 1;
    int have = 0;
    Status st = OK;
    while (st == OK && have < n) {
        sentence(&b, &state);
        st = b.failed ? fail(cx, E_MEMORY, "no memory for a text")
                      : model_count(cx, m, buf_str(&b), &have);
    }
    while (st == OK && have > n && b.n > 1) {   // a word less
        for (b.n--; b.n > 1 && b.p[b.n - 1] != ' ';) b.n--;
        st = model_count(cx, m, buf_str(&b), &have);
    }
    *out = st == OK ? ctx_dup(cx, str_trim(buf_str(&b))) : (Str){ 0 };
    buf_free(&b);
    if (st == OK) TRY_NEW(out->p);
    return st;
}

Str bench_question(Ctx *cx, unsigned i)
{
    return ctx_printf(cx, "How often and by whom is the %s in %s looked after, and why?",
                      PICK(thing, i), PICK(place, i * 3));
}
