/* source.c -- program source by definition: see source_parse in parse.h.
 *
 * No language is parsed. People indent code, so that the shape of a file tells what
 * belongs together in all of them: a definition begins at a line in the first column,
 * with the comment right above it, and goes on while lines are indented, empty, or close
 * what was opened. What is long and of a kind that has members is cut into those by the
 * same rule, one step further in.
 *
 * Invariant: parts are whole lines. A definition is a heading, its first line, whose name
 * is the line that opens the body, and the rest as code; lines between definitions are
 * runs without one. Where code is not indented that way, parts are cut badly, and that is
 * all: no byte of it is lost. */
#include "parse/parse.h"

#include <string.h>

enum { NAME_BYTES = 120, MEMBER_LINES = 40, LEVELS = 3, TAB = 8 };

/* What a line is for the unit it stands in. */
typedef enum Line {
    BLANK,
    INSIDE,         // indented further, or it closes what was opened
    LEADING,        // a comment, an attribute or of the preprocessor
    OPENING,
} Line;

typedef struct Reader {
    Ctx *cx;
    Str s;
    Parsed *out;
    bool comment;   // inside one of several lines
    bool quote;     // inside a string of three quotes
} Reader;

/* A run of lines by the offsets of their first bytes. */
typedef struct Unit {
    size_t start, end;      // end: behind its last line that is not blank
    size_t first;           // its first opening line
    size_t signature;       // the last one before the body
    size_t pending;         // leading lines that may be of the next one
    bool open, body, waits; // has an opening line; lines inside; a pending line
    int lines;
} Unit;

/* ---- lines ------------------------------------------------------------------------- */

static int indent_of(Str line)
{
    int n = 0;
    for (size_t i = 0; i < line.n && (line.p[i] == ' ' || line.p[i] == '\t'); i++)
        n += line.p[i] == '\t' ? TAB - n % TAB : 1;
    return n;
}

static bool is_word(Str line, const char *word)
{
    size_t n = strlen(word);
    bool letter = line.n > n && ((line.p[n] | 32) >= 'a' && (line.p[n] | 32) <= 'z');
    return str_starts(line, (Str){ word, n }) && !letter;
}

/* "}", "{", ");", "end", "else:", a label: the unit goes on. */
static bool goes_on(Str line)
{
    static const char *const words[] = { "end", "else", "elif", "elsif", "except",
                                         "finally", "rescue", "ensure", "fi", "done",
                                         "esac", "public:", "private:", "protected:" };
    if (strchr("{})]", line.p[0])) return true;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (is_word(line, words[i])) return true;
    return line.p[line.n - 1] == ':' && line.n > 1 && !memchr(line.p, ' ', line.n) &&
           !str_eq(line, STR("try:"));
}

static bool is_leading(Str line)
{
    static const Str marks[] = { { "//", 2 }, { "/*", 2 }, { "#", 1 }, { "--", 2 },
                                 { "*", 1 }, { "@", 1 }, { "[", 1 }, { "\"\"\"", 3 } };
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (str_starts(line, marks[i])) return true;
    return false;
}

static bool has(Str line, Str mark)
{
    return memmem(line.p, line.n, mark.p, mark.n) != NULL;
}

/* Strings and comments of several lines may have anything in the first column. */
static Line class_of(Reader *r, Str raw, int indent)
{
    Str line = str_trim(raw);
    bool was_quote = r->quote, was_comment = r->comment;
    if (line.n == 0) return BLANK;
    if (!was_comment) {
        Str rest = line;
        const char *mark;
        while ((mark = memmem(rest.p, rest.n, "\"\"\"", 3))) {
            r->quote = !r->quote;
            rest = (Str){ mark + 3, rest.n - (size_t)(mark + 3 - rest.p) };
        }
    }
    if (was_quote) return INSIDE;
    if (was_comment || str_starts(line, STR("/*"))) {
        r->comment = !has(line, STR("*/"));
        return indent_of(raw) > indent && !was_comment ? INSIDE : LEADING;
    }
    if (indent_of(raw) > indent || goes_on(line)) return INSIDE;
    return is_leading(line) ? LEADING : OPENING;
}

/* ---- parts ------------------------------------------------------------------------- */

/* Lines [start, end) as a part; the last line break is not of it. */
static Status add(Reader *r, PartKind kind, size_t start, size_t end, Str name, int level)
{
    while (end > start && (r->s.p[end - 1] == '\n' || r->s.p[end - 1] == '\r')) end--;
    Part p = { .kind = kind, .text = { r->s.p + start, end - start }, .start = start,
               .end = end, .name = name, .level = level };
    return str_trim(p.text).n ? parts_add(r->cx, r->out, &p) : OK;
}

/* "static int sum(const int *at, int n)" without what opens the body. */
static Str name_at(Str s, size_t at)
{
    size_t next;
    Str line = str_trim(line_at(s, at, &next));
    while (line.n > 1 && strchr("{:=( \t", line.p[line.n - 1])) line.n--;
    if (line.n <= NAME_BYTES) return line;
    line.n = NAME_BYTES;
    while (line.n > 0 && ((unsigned char)line.p[line.n] & 0xC0) == 0x80) line.n--;
    return line;
}

static bool has_members(Str name)
{
    static const char *const words[] = { "class", "interface", "impl", "trait", "module",
                                         "namespace", "object", "enum", "struct",
                                         "record", "protocol", "extension" };
    for (size_t i = 0; i < name.n; i++) {
        bool begins = i == 0 || name.p[i - 1] == ' ';
        for (size_t k = 0; begins && k < sizeof words / sizeof *words; k++)
            if (is_word((Str){ name.p + i, name.n - i }, words[k])) return true;
    }
    return false;
}

static Status split(Reader *r, size_t from, size_t to, int indent, int level);

/* The indentation of the first line in [from, to) that is not blank. */
static int indent_in(Str s, size_t from, size_t to)
{
    size_t next;
    for (size_t at = from; at < to; at = next) {
        Str line = line_at(s, at, &next);
        if (str_trim(line).n && str_trim(line).p[0] != '{') return indent_of(line);
    }
    return 0;
}

static Status add_unit(Reader *r, const Unit *u, int level, bool named)
{
    size_t second, body;
    if (!u->open || (!u->body && !named))
        return add(r, PART_CODE, u->start, u->end, STR(""), 0);
    line_at(r->s, u->start, &second);
    line_at(r->s, u->signature, &body);
    if (second > u->end) second = u->end;
    Str name = name_at(r->s, u->body ? u->signature : u->first);
    TRY(add(r, PART_HEADING, u->start, second, name, level));
    bool long_one = u->body && u->lines > MEMBER_LINES && level < LEVELS;
    if (!long_one || !has_members(name))
        return add(r, PART_CODE, second, u->end, STR(""), 0);
    if (body > second) TRY(add(r, PART_CODE, second, body, STR(""), 0));
    return split(r, body, u->end, indent_in(r->s, body, u->end), level + 1);
}

/* ---- units ------------------------------------------------------------------------- */

/* Ends the open unit; the next one begins at `at`. */
static Status end_unit(Reader *r, Unit *u, size_t at, int level, bool *named)
{
    Unit ended = *u;
    *u = (Unit){ .start = at, .end = at };
    if (ended.end == ended.start) return OK;
    Status st = add_unit(r, &ended, level, *named);
    *named |= ended.open && ended.body;
    return st;
}

/* A comment in the middle of a body is of the body; before an opening line, of that. */
static Status take_line(Reader *r, Unit *u, size_t at, Line line, int level, bool *named)
{
    if (line == LEADING && u->body && !u->waits) {
        u->waits = true;
        u->pending = at;
    }
    if (line == OPENING && u->body)
        TRY(end_unit(r, u, u->waits ? u->pending : at, level, named));
    if (line == OPENING && !u->open) u->first = at;
    if (line == OPENING && !u->body) u->signature = at;
    u->open |= line == OPENING;
    u->body |= line == INSIDE && u->open;
    return OK;
}

static Status split(Reader *r, size_t from, size_t to, int indent, int level)
{
    Unit u = { .start = from, .end = from };
    bool named = false;
    size_t next = from;
    for (size_t at = from; at < to; at = next) {
        Str raw = line_at(r->s, at, &next);
        Line line = class_of(r, raw, indent);
        if (line == BLANK) {        // between definitions it ends a run
            if (!u.body) TRY(end_unit(r, &u, next, level, &named));
            continue;
        }
        TRY(take_line(r, &u, at, line, level, &named));
        bool leads = u.waits && line == LEADING;
        if (line == INSIDE) u.waits = false;
        if (!leads) u.end = next;
        u.lines++;
    }
    size_t rest = u.waits ? u.pending : to;
    TRY(end_unit(r, &u, rest, level, &named));
    return add(r, PART_CODE, rest, to, STR(""), 0);
}

Status source_parse(Ctx *cx, Str source, Parsed *out)
{
    Reader r = { .cx = cx, .s = source, .out = out };
    *out = (Parsed){ .source = source, .verbatim = true };
    if (source.n >= (size_t)1 << 30)
        return fail(cx, E_LIMIT, "a text of %zu bytes; less than 1 GiB is wanted",
                    source.n);
    return split(&r, mark_length(source), source.n, 0, 1);
}
