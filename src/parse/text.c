/* text.c -- plain text, light markup and data files to parts: see parse.h.
 *
 * A part is a run of lines between blank lines. A run opens with a heading where its
 * first line is underlined as in reStructuredText and AsciiDoc, starts with AsciiDoc's
 * "== ", or is a line of capitals as in manual pages. Underlines get their level by the
 * order in which they first appear, which is reStructuredText's rule and agrees with
 * AsciiDoc's fixed order.
 *
 * In markup (reStructuredText, AsciiDoc) a run is also cut into list items, a title may
 * have a line above it too, and blocks of code stand between delimiters or, behind "::",
 * indented; a block may hold blank lines. */
#include "parse/parse.h"

#include <string.h>

enum { HEADING_MAX = 120, UNDERLINE_MIN = 3, LEVELS = 6 };

typedef struct Reader {
    Str source;
    char seen[LEVELS];      // underline characters in the order they came
    int n_seen;
    bool code, markup;
} Reader;

/* The character that makes up the whole line, 0 where it is no underline. */
static char underline(Str line)
{
    line = str_trim(line);
    if (line.n < UNDERLINE_MIN || !strchr("=-~^+*#`'\"", line.p[0])) return 0;
    for (size_t i = 1; i < line.n; i++)
        if (line.p[i] != line.p[0]) return 0;
    return line.p[0];
}

/* Characters, for what is underlined is as long on screen, not in bytes. */
static size_t width(Str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

static bool underlines(Str title, Str line)
{
    size_t a = width(str_trim(title)), b = str_trim(line).n;
    return underline(line) && !underline(title) && a > 0 && title.n <= HEADING_MAX &&
           (title.p[0] != ' ' && title.p[0] != '\t') && a <= b + 2 && b <= a + 3;
}

static int level_of(Reader *r, char c)
{
    const char *at = r->n_seen ? memchr(r->seen, c, (size_t)r->n_seen) : NULL;
    if (at) return (int)(at - r->seen) + 1;
    if (r->n_seen < LEVELS) r->seen[r->n_seen++] = c;
    return r->n_seen;
}

/* "== Title": one '=' is level 1. 0 where it is none. */
static int asciidoc_level(Str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == '=') n++;
    bool is = n > 0 && n <= LEVELS && n + 1 < line.n && line.p[n] == ' ' &&
              line.n <= HEADING_MAX;
    return is ? (int)n : 0;
}

/* SEE ALSO: capitals from the first column, no digit-only or one-letter lines. */
static bool is_capitals(Str line)
{
    size_t letters = 0;
    if (line.n < 3 || line.n > 40 || line.p[0] < 'A' || line.p[0] > 'Z') return false;
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (c >= 'A' && c <= 'Z') letters++;
        else if (!strchr(" -/&'", c)) return false;
    }
    return letters >= 3;
}

static Part slice(const Reader *r, PartKind kind, size_t start, size_t end)
{
    return (Part){ .kind = kind, .text = { r->source.p + start, end - start },
                   .start = start, .end = end };
}

/* A heading that opens at `at`, with its underline. *next is where its part ends and the
 * text goes on; false where there is none. */
static bool heading_at(Reader *r, size_t at, Part *out, size_t *next)
{
    size_t second, third;
    Str line = line_at(r->source, at, &second);
    Str below = line_at(r->source, second, &third);
    int level = asciidoc_level(line);
    if (underlines(line, below)) {
        *out = slice(r, PART_HEADING, at, (size_t)(below.p - r->source.p) + below.n);
        out->level = level_of(r, underline(below));
        out->name = str_trim(line);
        *next = third;
        return true;
    }
    bool capitals = is_capitals(line) && (below.n == 0 || below.p[0] == ' ' ||
                                          below.p[0] == '\t');
    if (!level && !capitals) return false;
    *out = slice(r, PART_HEADING, at, at + line.n);
    out->level = level ? level : 1;
    out->name = str_trim((Str){ line.p + level, line.n - (size_t)level });
    *next = second;
    return true;
}

/* The end of the run of lines that begins at `at`: its last line break is excluded. */
static size_t run_end(Str s, size_t at, size_t *next)
{
    size_t end = at;
    for (size_t i = at; i < s.n; i = *next) {
        Str line = line_at(s, i, next);
        if (str_trim(line).n == 0) break;
        end = i + line.n;
    }
    return end;
}

/* ---- markup ------------------------------------------------------------------------ */

/* A title with a line above it and the same below. */
static bool overlined_at(Reader *r, size_t at, Part *out, size_t *next)
{
    size_t second, third, fourth;
    Str above = line_at(r->source, at, &second);
    Str line = line_at(r->source, second, &third);
    Str below = line_at(r->source, third, &fourth);
    char c = underline(above);
    Str title = str_trim(line);
    bool same = str_eq(str_trim(above), str_trim(below));
    if (!c || title.n == 0 || underline(line) || !same) return false;
    if (width(title) > str_trim(above).n) return false;
    *out = slice(r, PART_HEADING, at, (size_t)(below.p - r->source.p) + below.n);
    out->level = level_of(r, (char)(c | 0x80));     // another style than without it
    out->name = title;
    *next = fourth;
    return true;
}

/* "----", "....", "++++" of AsciiDoc, "```" of both: the line that closes what it
 * opens is the same. */
static bool delimits(Str line)
{
    line = str_trim(line);
    if (str_starts(line, STR("```"))) return true;
    if (line.n < 4 || !strchr("-.+", line.p[0])) return false;
    for (size_t i = 1; i < line.n; i++)
        if (line.p[i] != line.p[0]) return false;
    return true;
}

/* From a delimiter to the same one; false where there is no second. */
static bool delimited_at(const Reader *r, size_t at, Part *out, size_t *next)
{
    Str first = line_at(r->source, at, next);
    Str mark = str_trim(first);
    if (!delimits(first)) return false;
    if (mark.p[0] == '`') mark.n = 3;
    for (size_t i = *next; i < r->source.n; i = *next) {
        Str line = line_at(r->source, i, next);
        if (!str_eq(str_trim(line), mark)) continue;
        *out = slice(r, PART_CODE, at, i + line.n);
        return true;
    }
    return false;
}

static bool is_indented(Str line)
{
    return line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');
}

/* Does the line announce a block: "for example::", ".. code-block:: c"? */
static bool announces(Str line)
{
    line = str_trim(line);
    bool directive = str_starts(line, STR(".. code")) ||
                     str_starts(line, STR(".. sourcecode"));
    return str_ends(line, STR("::")) || (directive && memmem(line.p, line.n, "::", 2));
}

/* The indented lines from `at` on, blank ones between them. */
static Part indented_at(const Reader *r, size_t at, size_t *next)
{
    size_t end = at, after = at;
    for (size_t i = at; i < r->source.n; i = *next) {
        Str line = line_at(r->source, i, next);
        bool blank = str_trim(line).n == 0;
        if (!blank && !is_indented(line)) break;
        if (!blank) end = i + line.n, after = *next;
    }
    *next = after;
    return slice(r, PART_CODE, at, end);
}

/* "- ", "* ", "** ", ". ", "1. ", "#. ", "a) ": the marks of both languages. */
static bool begins_item(Str line)
{
    line = str_trim(line);
    size_t n = 0;
    while (n < line.n && n < 5 && (line.p[n] == '*' || line.p[n] == '.')) n++;
    if (n == 0 && line.n && strchr("-+#", line.p[0])) n = 1;
    while (n < line.n && n < 4 && line.p[n] >= '0' && line.p[n] <= '9') n++;
    if (n && n < line.n && (line.p[n] == '.' || line.p[n] == ')')) n++;
    bool directive = str_starts(line, STR(".. "));
    return n > 0 && n + 1 < line.n && line.p[n] == ' ' && !directive;
}

/* The end of the run at `at` in markup: before an item, a delimiter or, behind "::", the
 * block. */
static size_t piece_end(const Reader *r, size_t at, size_t *next)
{
    size_t end = at;
    for (size_t i = at; i < r->source.n; i = *next) {
        size_t after;
        Str line = line_at(r->source, i, &after);
        bool cut = i > at && (begins_item(line) || delimits(line));
        if (str_trim(line).n == 0 || cut) break;
        *next = after;
        end = i + line.n;
    }
    return end;
}

/* A part of markup that is no heading. */
static Part markup_at(const Reader *r, size_t at, bool announced, size_t *next)
{
    Part p;
    Str line = line_at(r->source, at, next);
    size_t after = *next;
    if (announced && is_indented(line)) return indented_at(r, at, next);
    if (delimited_at(r, at, &p, next)) return p;
    *next = after;
    size_t end = piece_end(r, at, next);
    return slice(r, begins_item(line) ? PART_ITEM : PART_PARAGRAPH, at, end);
}

static bool any_heading_at(Reader *r, size_t at, Part *out, size_t *next)
{
    size_t after = *next;
    if (r->markup && overlined_at(r, at, out, next)) return true;
    if (r->markup && delimits(line_at(r->source, at, next))) return *next = after, false;
    if (heading_at(r, at, out, next)) return true;
    *next = after;
    return false;
}

/* ---- runs -------------------------------------------------------------------------- */

static Status read_runs(Ctx *cx, Reader *r, Parsed *out)
{
    size_t next = 0;
    bool announced = false;
    for (size_t at = mark_length(r->source); at < r->source.n; at = next) {
        Part p;
        Str line = line_at(r->source, at, &next);
        if (str_trim(line).n == 0) continue;
        bool heading = !r->code && any_heading_at(r, at, &p, &next);
        PartKind run = r->code ? PART_CODE : PART_PARAGRAPH;
        if (!heading && r->markup) p = markup_at(r, at, announced, &next);
        else if (!heading) p = slice(r, run, at, run_end(r->source, at, &next));
        announced = p.kind != PART_CODE && p.kind != PART_HEADING && announces(p.text);
        TRY(parts_add(cx, out, &p));
    }
    if (out->n && out->at[0].kind == PART_HEADING) out->title = out->at[0].name;
    return OK;
}

static Status begin(Ctx *cx, Reader r, Parsed *out)
{
    Str source = r.source;
    *out = (Parsed){ .source = source, .verbatim = true };
    if (source.n >= (size_t)1 << 30)
        return fail(cx, E_LIMIT, "a text of %zu bytes; less than 1 GiB is wanted",
                    source.n);
    return read_runs(cx, &r, out);
}

Status text_parse(Ctx *cx, Str source, Parsed *out)
{
    return begin(cx, (Reader){ .source = source }, out);
}

Status code_parse(Ctx *cx, Str source, Parsed *out)
{
    return begin(cx, (Reader){ .source = source, .code = true }, out);
}

Status markup_parse(Ctx *cx, Str source, Parsed *out)
{
    return begin(cx, (Reader){ .source = source, .markup = true }, out);
}
