/* markdown.c -- Markdown to parts, by md4c (CommonMark 0.30): see parse.h.
 *
 * md4c says where a block opens and closes but not where in the source. Its text
 * callbacks point into the source, though: a part reaches from the line of the first
 * word to the line of the last, so that marks ("- ", "## ", "> ") stay, and a code block
 * grows by the lines of its fences. What md4c gives up on is read as plain text. */
#include "parse/parse.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <md4c.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A table of n columns and m rows with one cell each gives n * m events out of n + m
 * bytes: more events than this for each byte is such a bomb. */
enum { EVENTS_A_BYTE = 4 };

typedef struct Reader {
    Ctx *cx;
    Parsed *out;
    size_t base;            // where the text begins, after front matter
    size_t lo, hi;          // of the words of the open part; lo > hi: none yet
    int items, code, html;  // how deep we are inside such
    int level;              // of the open heading, else 0
    bool row, head;         // in a table, in its first row
    bool fenced;
    Buf name;               // words of the open heading
    size_t events;
    Status status;
} Reader;

static Str rest(const Reader *r, size_t at)
{
    return (Str){ r->out->source.p + at, r->out->source.n - at };
}

static size_t line_start(Str s, size_t at)
{
    while (at > 0 && s.p[at - 1] != '\n') at--;
    return at;
}

static size_t line_end(Str s, size_t at)
{
    size_t next;
    Str line = line_at(s, at, &next);
    return at + line.n;
}

/* Is there a word outside tags and comments? */
static bool html_speaks(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '<') {
            bool comment = str_starts((Str){ s.p + i, s.n - i }, STR("<!--"));
            const char *end = comment ? memmem(s.p + i, s.n - i, "-->", 3)
                                      : memchr(s.p + i, '>', s.n - i);
            if (!end) return false;
            i = (size_t)(end - s.p) + (comment ? 2 : 0);
        } else if ((unsigned char)s.p[i] > ' ') {
            return true;
        }
    }
    return false;
}

/* Grows a code block by the lines of its fences. The closing one may be missing. */
static void take_fences(const Reader *r, Part *p)
{
    Str s = r->out->source;
    if (p->start > r->base) p->start = line_start(s, p->start - 1);
    size_t next, after;
    line_at(s, p->end, &next);
    Str below = str_trim(line_at(s, next, &after));
    if (str_starts(below, STR("```")) || str_starts(below, STR("~~~")))
        p->end = line_end(s, next);
}

/* Takes the line of '=' or '-' below a heading along. */
static void take_underline(const Reader *r, Part *p)
{
    Str s = r->out->source;
    size_t next, after, n = 0;
    line_at(s, p->end, &next);
    Str below = str_trim(line_at(s, next, &after));
    while (n < below.n && below.p[n] == below.p[0]) n++;
    if (n > 0 && n == below.n && (below.p[0] == '=' || below.p[0] == '-'))
        p->end = line_end(s, next);
}

static PartKind part_kind(const Reader *r)
{
    if (r->level) return PART_HEADING;
    if (r->code) return PART_CODE;
    if (r->row) return PART_ROW;
    return r->items ? PART_ITEM : PART_PARAGRAPH;
}

/* Two parts may share a line ("- # title"): the second begins where the first ended. */
static void keep_order(const Reader *r, Part *p)
{
    size_t done = r->out->n ? r->out->at[r->out->n - 1].end : r->base;
    if (p->start < done) p->start = done;
}

/* Ends the open part, if it has a word. */
static Status flush(Reader *r)
{
    Str s = r->out->source;
    Part p = { .kind = part_kind(r), .level = r->level };
    if (r->lo > r->hi) return OK;
    p.start = line_start(s, r->lo);
    p.end = line_end(s, r->hi);
    if (r->head) p.end = line_end(s, p.end < s.n ? p.end + 1 : s.n);  // |---|---|
    if (r->level && r->level <= 2 && s.p[p.start] != '#') take_underline(r, &p);
    if (r->code && r->fenced) take_fences(r, &p);
    if (p.start < r->base) p.start = r->base;
    keep_order(r, &p);
    r->lo = SIZE_MAX;
    r->hi = 0;
    if (p.start >= p.end) return OK;
    p.text = (Str){ s.p + p.start, p.end - p.start };
    if (str_trim(p.text).n == 0 || (r->html && !html_speaks(p.text))) return OK;
    if (r->level) {
        p.name = ctx_dup(r->cx, str_trim(buf_str(&r->name)));
        TRY_NEW(p.name.p);
    }
    return parts_add(r->cx, r->out, &p);
}

static bool too_many(const Reader *r)
{
    return r->events > (r->out->source.n + 1024) * EVENTS_A_BYTE;
}

/* What md4c is told after an event: at any other value than 0 it leaves the block that it
 * is in, and at a negative one the text. */
static int go_on(Reader *r)
{
    r->events++;
    return r->status != OK || too_many(r) ? -1 : 0;
}

static int on_enter(MD_BLOCKTYPE type, void *detail, void *arg)
{
    Reader *r = arg;
    if (type == MD_BLOCK_TH || type == MD_BLOCK_TD) return go_on(r);
    if ((r->status = flush(r)) != OK) return go_on(r);
    switch (type) {
    case MD_BLOCK_LI: r->items++; break;
    case MD_BLOCK_HTML: r->html = 1; break;
    case MD_BLOCK_TR: r->row = true; break;
    case MD_BLOCK_THEAD: r->head = true; break;
    case MD_BLOCK_CODE:
        r->code = 1;
        r->fenced = ((MD_BLOCK_CODE_DETAIL *)detail)->fence_char != 0;
        break;
    case MD_BLOCK_H:
        r->level = (int)((MD_BLOCK_H_DETAIL *)detail)->level;
        r->name.n = 0;
        break;
    default: break;
    }
    return go_on(r);
}

static int on_leave(MD_BLOCKTYPE type, void *detail, void *arg)
{
    Reader *r = arg;
    (void)detail;
    if (type == MD_BLOCK_TH || type == MD_BLOCK_TD) return 0;
    if ((r->status = flush(r)) != OK) return go_on(r);
    switch (type) {
    case MD_BLOCK_LI: r->items--; break;
    case MD_BLOCK_HTML: r->html = 0; break;
    case MD_BLOCK_TR: r->row = false; break;
    case MD_BLOCK_THEAD: r->head = false; break;
    case MD_BLOCK_CODE: r->code = 0; break;
    case MD_BLOCK_H: r->level = 0; break;
    default: break;
    }
    return 0;
}

static int on_span(MD_SPANTYPE type, void *detail, void *arg)
{
    (void)type, (void)detail;
    return go_on(arg);
}

/* "&eacute;", "&#233;", "&#xE9;" as the character; what is unknown as it stands. */
static void add_entity(Buf *b, Str entity)
{
    char name[64], utf8[8];
    unsigned long c = 0;
    if (entity.n < 3 || entity.n > sizeof name) return buf_add(b, entity);
    memcpy(name, entity.p + 1, entity.n - 2);
    name[entity.n - 2] = '\0';
    const htmlEntityDesc *known = htmlEntityLookup((const xmlChar *)name);
    bool hex = name[0] == '#' && (name[1] | 32) == 'x';
    if (known) c = known->value;
    else if (name[0] == '#') c = strtoul(name + 1 + hex, NULL, hex ? 16 : 10);
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return buf_add(b, entity);
    int n = xmlCopyChar(0, (xmlChar *)utf8, (int)c);
    buf_add(b, (Str){ utf8, (size_t)n });
}

static int on_text(MD_TEXTTYPE type, const MD_CHAR *text, MD_SIZE n, void *arg)
{
    Reader *r = arg;
    Str s = r->out->source;
    uintptr_t at = (uintptr_t)text - (uintptr_t)s.p;   // wraps for md4c's own constants
    if (n > 0 && at < s.n && n <= s.n - at) {
        if (at < r->lo) r->lo = at;
        if (at + n - 1 > r->hi) r->hi = at + n - 1;
    }
    if (r->level && (type == MD_TEXT_BR || type == MD_TEXT_SOFTBR))
        buf_add(&r->name, STR(" "));
    else if (r->level && type == MD_TEXT_ENTITY)
        add_entity(&r->name, (Str){ text, n });
    else if (r->level && type != MD_TEXT_HTML && type != MD_TEXT_NULLCHAR)
        buf_add(&r->name, (Str){ text, n });
    return go_on(r);
}

/* ---- front matter ------------------------------------------------------------------ */

static Str unquoted(Str s)
{
    s = str_trim(s);
    if (s.n >= 2 && (s.p[0] == '"' || s.p[0] == '\'') && s.p[s.n - 1] == s.p[0])
        return (Str){ s.p + 1, s.n - 2 };
    return s;
}

/* Where the text begins after "---" (YAML) or "+++" (TOML) front matter, and its title.
 * Without a closing mark there is no front matter. */
static size_t front_matter(Str s, Str *title)
{
    size_t begin = mark_length(s), at = begin, next;
    Str mark = line_at(s, at, &next), found = { "", 0 };
    bool yaml = str_eq(mark, STR("---")), toml = str_eq(mark, STR("+++"));
    if (!yaml && !toml) return begin;
    for (at = next; at < s.n; at = next) {
        Str line = line_at(s, at, &next);
        if (str_eq(line, mark) || (yaml && str_eq(line, STR("...")))) {
            *title = found;
            return next;
        }
        const char *sep = line.n ? memchr(line.p, yaml ? ':' : '=', line.n) : NULL;
        Str key = { line.p, sep ? (size_t)(sep - line.p) : 0 };
        if (str_eq(str_trim(key), STR("title")))
            found = unquoted((Str){ sep + 1, line.n - key.n - 1 });
    }
    return begin;
}

/* The first heading of level 1, where no higher words come before it. */
static Str first_title(const Parsed *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->at[i].kind == PART_HEADING && p->at[i].level == 1) return p->at[i].name;
    return (Str){ "", 0 };
}

Status markdown_parse(Ctx *cx, Str source, Parsed *out)
{
    static const MD_PARSER parser = {
        .flags = MD_DIALECT_GITHUB, .enter_block = on_enter, .leave_block = on_leave,
        .enter_span = on_span, .leave_span = on_span, .text = on_text,
    };
    Reader r = { .cx = cx, .out = out, .lo = SIZE_MAX, .name = BUF(4096) };
    *out = (Parsed){ .source = source, .verbatim = true, .title = { "", 0 } };
    if (source.n >= (size_t)1 << 30)
        return fail(cx, E_LIMIT, "a text of %zu bytes; less than 1 GiB is wanted",
                    source.n);
    r.base = front_matter(source, &out->title);
    Str text = rest(&r, r.base);
    int gave_up = md_parse(text.p, (MD_SIZE)text.n, &parser, &r);
    bool starved = r.name.starved || (gave_up && !too_many(&r));
    buf_free(&r.name);
    if (r.status != OK) return r.status;
    if (starved) return fail(cx, E_MEMORY, "out of memory for a text");
    if (gave_up) return text_parse(cx, source, out);
    if (out->title.n == 0) out->title = first_title(out);
    return OK;
}
