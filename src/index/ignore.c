/* ignore.c -- see ignore.h.
 *
 * Matching keeps one place to come back to for '*' and one for '**': of several stars in
 * a row only the last needs to be tried again, so hostile patterns cost no more than the
 * product of both lengths. */
#include "index/ignore.h"

#include <string.h>

enum { RULES_MAX = 20000 };

/* Does c stand in the set that *pattern points behind the '[' of? Moves *pattern behind
 * the ']'; a set without one matches a '['. */
static bool in_set(Str *pattern, char c)
{
    Str p = *pattern;
    bool found = false, negated = p.n > 0 && (p.p[0] == '!' || p.p[0] == '^');
    size_t i = negated;
    for (bool first = true; i < p.n && (first || p.p[i] != ']'); first = false) {
        if (p.p[i] == '\\' && i + 1 < p.n) i++;
        unsigned char lo = (unsigned char)p.p[i++], hi = lo;
        if (i + 1 < p.n && p.p[i] == '-' && p.p[i + 1] != ']') {
            hi = (unsigned char)p.p[i + 1];
            i += 2;
        }
        found |= (unsigned char)c >= lo && (unsigned char)c <= hi;
    }
    if (i >= p.n) return c == '[';
    *pattern = (Str){ p.p + i + 1, p.n - i - 1 };
    return found != negated && c != '/';
}

/* Matches one character, and moves *pattern behind what matched it. */
static bool match_one(Str *pattern, char c)
{
    Str p = *pattern;
    if (p.n == 0) return false;
    *pattern = (Str){ p.p + 1, p.n - 1 };
    if (p.p[0] == '?') return c != '/';
    if (p.p[0] == '[') return in_set(pattern, c);
    if (p.p[0] != '\\' || p.n == 1) return p.p[0] == c;
    *pattern = (Str){ p.p + 2, p.n - 2 };
    return p.p[1] == c;
}

/* Takes a star off the front: 2 for one that crosses '/', 1 for one that does not. A "**"
 * followed by '/' also stands for no folder at all. */
static int take_star(Str *p)
{
    size_t n = 0;
    while (n < p->n && p->p[n] == '*') n++;
    *p = (Str){ p->p + n, p->n - n };
    return n >= 2 ? 2 : (int)n;
}

typedef struct Place {
    Str pattern;        // what is left after the star
    size_t at;          // of the path: where that was last tried
    bool set, names;    // names: it may begin only where a name begins
} Place;

/* The next place where what follows a star can be tried; false when there is none. */
static bool again(Place *b, Str path, bool crosses)
{
    if (!b->set) return false;
    do {
        if (b->at >= path.n || (!crosses && path.p[b->at] == '/')) return b->set = false;
        b->at++;
    } while (b->names && path.p[b->at - 1] != '/');
    return true;
}

bool glob_match(Str pattern, Str path)
{
    Place star = { .set = false }, deep = { .set = false };
    size_t i = 0;
    for (;;) {
        if (pattern.n > 0 && pattern.p[0] == '*') {
            bool deeper = take_star(&pattern) == 2;
            bool names = deeper && pattern.n > 0 && pattern.p[0] == '/';
            if (names) pattern = (Str){ pattern.p + 1, pattern.n - 1 };
            star.set = false;
            *(deeper ? &deep : &star) = (Place){ pattern, i, true, names };
            continue;
        }
        if (i == path.n && pattern.n == 0) return true;
        if (i < path.n && match_one(&pattern, path.p[i])) {
            i++;
            continue;
        }
        if (again(&star, path, false)) {
            pattern = star.pattern, i = star.at;
        } else if (again(&deep, path, true)) {
            pattern = deep.pattern, i = deep.at;
        } else {
            return false;
        }
    }
}

/* ---- rules ------------------------------------------------------------------------- */

/* A line without the spaces at its end, unless a '\' keeps them. */
static Str rule_text(Str line)
{
    while (line.n > 0 && (line.p[line.n - 1] == ' ' || line.p[line.n - 1] == '\t') &&
           !(line.n > 1 && line.p[line.n - 2] == '\\'))
        line.n--;
    return line;
}

/* false for a line without a rule. */
static bool rule_read(Str line, Rule *out)
{
    Str s = rule_text(line);
    *out = (Rule){ 0 };
    if (s.n == 0 || s.p[0] == '#') return false;
    if (s.p[0] == '!') out->keep = true, s.p++, s.n--;
    if (s.n > 0 && s.p[s.n - 1] == '/') out->folders_only = true, s.n--;
    out->anchored = s.n > 0 && memchr(s.p, '/', s.n);
    if (s.n > 0 && s.p[0] == '/') s.p++, s.n--;
    out->pattern = s;
    return s.n > 0;
}

static Status rule_keep(Ctx *cx, Rules *r, const Rule *rule)
{
    TRY(ctx_grow(cx, &r->at, r->n, &r->room, sizeof *r->at));
    r->at[r->n++] = *rule;
    return OK;
}

Status rules_add(Ctx *cx, Rules *r, Str folder, Str text)
{
    Rule rule;
    Str kept = ctx_dup(cx, text), where = ctx_dup(cx, folder);
    TRY_NEW(kept.p);
    TRY_NEW(where.p);
    while (kept.n > 0 && r->n < RULES_MAX) {
        const char *lf = memchr(kept.p, '\n', kept.n);
        size_t n = lf ? (size_t)(lf - kept.p) : kept.n;
        Str line = { kept.p, n > 0 && kept.p[n - 1] == '\r' ? n - 1 : n };
        if (rule_read(line, &rule)) {
            rule.folder = where;
            TRY(rule_keep(cx, r, &rule));
        }
        n += lf != NULL;
        kept = (Str){ kept.p + n, kept.n - n };
    }
    return OK;
}

static bool rule_matches(const Rule *r, Str path, bool is_folder)
{
    if ((r->folders_only && !is_folder) || !str_starts(path, r->folder)) return false;
    Str below = { path.p + r->folder.n, path.n - r->folder.n };
    if (r->anchored) return glob_match(r->pattern, below);
    const char *slash = below.n ? memrchr(below.p, '/', below.n) : NULL;
    size_t name = slash ? (size_t)(slash - below.p) + 1 : 0;
    return glob_match(r->pattern, (Str){ below.p + name, below.n - name });
}

bool rules_ignore(const Rules *r, Str path, bool is_folder)
{
    for (size_t i = r->n; i > 0; i--)
        if (rule_matches(&r->at[i - 1], path, is_folder)) return !r->at[i - 1].keep;
    return false;
}
