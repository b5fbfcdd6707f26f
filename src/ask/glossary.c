/* glossary.c -- see glossary.h. */
#include "ask/glossary.h"

#include "ask/term.h"
#include "base/ascii.h"

#include <string.h>

enum { EXPANDED_BYTES = 1 << 16 };

/* ---- the file ---------------------------------------------------------------------- */

static Status add(Ctx *cx, Glossary *g, GlossaryEntry e)
{
    TRY(ctx_grow(cx, &g->at, g->n, &g->room, sizeof *g->at));
    g->at[g->n++] = e;
    return OK;
}

static Status read_line(Ctx *cx, const char *name, size_t number, Str line, Glossary *g)
{
    const char *equals = line.n ? memchr(line.p, '=', line.n) : NULL;
    if (line.n == 0 || line.p[0] == '#') return OK;
    if (!equals)
        return fail(cx, E_FORMAT, "%s line %zu: \"term = meaning\" is wanted", name,
                    number);
    size_t left = (size_t)(equals - line.p);
    GlossaryEntry e = { str_trim((Str){ line.p, left }),
                        str_trim((Str){ equals + 1, line.n - left - 1 }) };
    if (e.term.n == 0 || e.meaning.n == 0)
        return fail(cx, E_FORMAT, "%s line %zu: there is nothing %s the '='", name,
                    number, e.term.n ? "behind" : "before");
    return add(cx, g, e);
}

Status glossary_parse(Ctx *cx, const char *name, Str text, Glossary *g)
{
    size_t number = 0;
    if (str_starts(text, STR("\xEF\xBB\xBF"))) text.p += 3, text.n -= 3;
    while (text.n) {
        const char *lf = memchr(text.p, '\n', text.n);
        size_t n = lf ? (size_t)(lf - text.p) : text.n, skip = n + (lf != NULL);
        TRY(read_line(cx, name, ++number, str_trim((Str){ text.p, n }), g));
        text.p += skip;
        text.n -= skip;
    }
    return OK;
}

/* ---- a question -------------------------------------------------------------------- */

static bool has_capital(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (is_upper(s.p[i])) return true;
    return false;
}

Status glossary_expand(Ctx *cx, const Glossary *g, Str question, Str *out, size_t *terms)
{
    Buf b = BUF(EXPANDED_BYTES);
    *out = question;
    *terms = 0;
    for (size_t i = 0; i < g->n && *terms < GLOSSARY_TERMS; i++) {
        const GlossaryEntry *e = &g->at[i];
        if (!term_is_in(question, e->term, has_capital(e->term))) continue;
        if (term_is_in(question, e->meaning, false)) continue;
        if (++*terms == 1) buf_add(&b, question);
        buf_add(&b, *terms == 1 ? STR(" (") : STR(", "));
        buf_add(&b, e->meaning);
    }
    if (*terms) buf_add(&b, STR(")"));
    Str all = *terms && !b.failed ? ctx_dup(cx, buf_str(&b)) : question;
    bool failed = b.failed;
    buf_free(&b);
    if (failed || !all.p)
        return fail(cx, E_LIMIT, "the question and its terms pass %d bytes",
                    EXPANDED_BYTES);
    *out = all;
    return OK;
}
