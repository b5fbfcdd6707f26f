/* html.c -- HTML to parts, by libxml2's HTML parser as a stream of events: see parse.h.
 *
 * No tree is built, so depth costs nothing here. Words gather in one buffer until an
 * element that breaks the line flushes them as a part. The source range of a part runs
 * from where the parser stood before its first word to where it stood after its last.
 * Where the parser stands behind the very bytes that it hands over, each of them is known
 * by its place; what it decoded (an entity) is known as a whole. */
#include "parse/parse.h"

#include "base/ascii.h"

#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <string.h>

enum { PART_BYTES_MAX = 1 << 30, CELL_BYTES = 1000, INDENT_MAX = 8, PROSE_BYTES = 80 };

typedef enum Role {
    INLINE,     // no border at all; also what we do not know
    BREAK,      // ends a line
    BLOCK,      // ends a part
    HEADING,
    LIST, ITEM, LINK,
    TERM,       // of a definition list, and its definition
    ROW, CELL,
    PRE,
    TITLE,
    DROP,       // with all inside
} Role;

/* Sorted by name, for bsearch. */
static const struct { const char *name; Role role; } roles[] = {
    { "a", LINK }, { "address", BLOCK }, { "article", BLOCK },
    { "aside", BLOCK }, { "blockquote", BLOCK }, { "body", BLOCK }, { "br", BREAK },
    { "button", DROP }, { "caption", BLOCK }, { "center", BLOCK }, { "dd", TERM },
    { "details", BLOCK },
    { "dialog", DROP }, { "div", BLOCK }, { "dl", BLOCK }, { "dt", TERM },
    { "fieldset", BLOCK }, { "figcaption", BLOCK }, { "figure", BLOCK },
    { "footer", DROP }, { "form", BLOCK }, { "h1", HEADING }, { "h2", HEADING },
    { "h3", HEADING }, { "h4", HEADING }, { "h5", HEADING }, { "h6", HEADING },
    { "header", BLOCK }, { "hr", BLOCK }, { "iframe", DROP }, { "legend", BLOCK },
    { "li", ITEM }, { "main", BLOCK }, { "menu", LIST }, { "nav", DROP },
    { "noscript", DROP }, { "object", DROP }, { "ol", LIST }, { "p", BLOCK },
    { "pre", PRE }, { "script", DROP }, { "section", BLOCK }, { "select", DROP },
    { "style", DROP }, { "summary", BLOCK }, { "svg", DROP }, { "table", BLOCK },
    { "tbody", BLOCK }, { "td", CELL }, { "template", DROP }, { "textarea", DROP },
    { "tfoot", BLOCK }, { "th", CELL }, { "thead", BLOCK }, { "title", TITLE },
    { "tr", ROW }, { "ul", LIST },
};

typedef struct Reader {
    Ctx *cx;
    Parsed *out;
    htmlParserCtxtPtr parser;
    Buf text;               // of the open part
    Offsets map;            // of text
    Buf title;
    size_t base;            // after the byte order mark
    size_t last;            // where the parser stood after the last event
    size_t lo, hi;          // source range of the open part, while it has a word
    int drop, pre, lists, links, cells, level;
    bool in_title, in_term;
    bool bullet;            // the next word opens a list item
    bool item;              // the open part is one
    bool plain;             // the open part has a word outside links
    bool begun;             // a heading or a sentence was seen: the menus are over
    bool space;             // white space seen since the last word
    bool opened;            // the last event opened an element: '>' is not passed yet
    Status status;
} Reader;

static Role role_of(const char *name)
{
    size_t lo = 0, hi = sizeof roles / sizeof *roles;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(name, roles[mid].name);
        if (c == 0) return roles[mid].role;
        if (c < 0) hi = mid;
        else lo = mid + 1;
    }
    return INLINE;
}

/* Where the parser stands: bytes of the source that it has read. */
static size_t position(const Reader *r)
{
    const xmlParserInput *in = r->parser->input;
    size_t at = in ? r->base + in->consumed + (size_t)(in->cur - in->base) : r->last;
    return at < r->out->source.n ? at : r->out->source.n;
}

static void mark_event(Reader *r, bool opened)
{
    r->last = position(r);
    r->opened = opened;
}

/* ---- parts ------------------------------------------------------------------------- */

static PartKind part_kind(const Reader *r)
{
    if (r->level) return PART_HEADING;
    if (r->pre) return PART_CODE;
    if (r->cells) return PART_ROW;
    return r->item || r->in_term ? PART_ITEM : PART_PARAGRAPH;
}

static Str without_line_breaks(Str s)
{
    while (s.n > 0 && (s.p[0] == '\n' || s.p[0] == '\r')) s.p++, s.n--;
    while (s.n > 0 && (unsigned char)s.p[s.n - 1] <= ' ') s.n--;
    return s;
}

static bool has_word(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] > ' ' && s.p[i] != '|') return true;
    return false;
}

/* A page's menus: items that are links and nothing else, before its first heading or
 * sentence. Later ones may be a table of contents and stay. */
static bool is_menu(Reader *r, const Part *p, Str text)
{
    if (p->kind == PART_HEADING || (r->plain && text.n >= PROSE_BYTES)) r->begun = true;
    return !r->begun && p->kind == PART_ITEM && !r->plain;
}

/* All that its words were made of, and nothing of the part before. */
static void span(const Parsed *out, Part *p)
{
    const Run *last = p->map.n ? &p->map.at[p->map.n - 1] : NULL;
    size_t passed = out->n ? out->at[out->n - 1].end : 0;
    if (last && p->map.at[0].source < p->start) p->start = p->map.at[0].source;
    if (last && last->source + last->source_n > p->end)
        p->end = last->source + last->source_n;
    if (p->start < passed) p->start = passed;
    if (p->end < p->start) p->end = p->start;
    while (p->map.n && p->map.at[0].source < p->start) p->map.at++, p->map.n--;
}

static Status keep_part(Reader *r, Part *p, Str text)
{
    size_t skipped = (size_t)(text.p - r->text.p);
    TRY_NEW((p->text = ctx_dup(r->cx, text)).p);
    if (r->level) p->name = p->text;
    TRY(offsets_slice(r->cx, &r->map, skipped, text.n, 0, &p->map));
    span(r->out, p);
    return parts_add(r->cx, r->out, p);
}

/* Ends the open part, if it has a word. */
static void flush(Reader *r)
{
    Str text = buf_str(&r->text);
    text = r->pre || r->item ? without_line_breaks(text) : str_trim(text);
    Part p = { .kind = part_kind(r), .level = r->level, .start = r->lo, .end = r->hi };
    if (has_word(text) && !is_menu(r, &p, text) && r->status == OK)
        r->status = keep_part(r, &p, text);
    if (r->text.p) r->text.p[r->text.n = 0] = '\0';
    r->map.n = 0;
    r->lo = r->hi = 0;
    r->space = r->item = r->plain = false;
    r->cells = 0;
}

/* The byte of the source at which the words of this event begin. */
static size_t words_begin_at(const Reader *r, size_t end)
{
    Str s = r->out->source;
    size_t at = r->last;
    if (r->opened && at < end && s.p[at] == '/') at++;
    if (r->opened && at < end && s.p[at] == '>') at++;
    while (at < end && (unsigned char)s.p[at] <= ' ') at++;
    return at < end ? at : end;
}

static void open_part(Reader *r, size_t begin)
{
    r->lo = begin;
    if (!r->bullet) return;
    int deep = r->lists > INDENT_MAX ? INDENT_MAX : r->lists;
    for (int i = 1; i < deep; i++) buf_add(&r->text, STR("  "));
    buf_add(&r->text, STR("- "));
    r->bullet = false;
    r->item = true;
}

/* Words of one event, and where they stand in the source. */
typedef struct Event {
    Str text;
    size_t begin, end;      // in the source
    bool exact;             // the bytes of text are those before end
} Event;

static size_t length_of_last_character(Str s)
{
    size_t n = s.n > 0;
    while (n < s.n && ((unsigned char)s.p[s.n - n] & 0xC0) == 0x80) n++;
    return n;
}

/* Do the bytes before `end` say just this? */
static bool says(Str source, size_t end, Str text)
{
    return end <= source.n && end >= text.n &&
           memcmp(source.p + end - text.n, text.p, text.n) == 0;
}

/* Of a long text the parser hands over pieces before it has passed their last
 * character. */
static Event event_of(const Reader *r, const xmlChar *text, int n)
{
    Event e = { .text = { (const char *)text, (size_t)n }, .end = position(r) };
    Str s = r->out->source;
    bool decoded = r->last < e.end && s.p[r->last] == '&' && e.text.p[0] != '&';
    size_t passed = e.end + length_of_last_character(e.text);
    if (!decoded && says(s, e.end, e.text)) e.exact = true;
    else if (!decoded && says(s, passed, e.text)) e.exact = true, e.end = passed;
    e.begin = words_begin_at(r, e.end);
    return e;
}

/* Adds bytes [from, to) of the event, whose words begin with the first. */
static void add_bytes(Reader *r, const Event *e, size_t from, size_t to)
{
    Run run = { .text = r->text.n, .text_n = to - from };
    buf_add(&r->text, (Str){ e->text.p + from, to - from });
    run.source = e->exact ? e->end - e->text.n + from : e->begin;
    run.source_n = e->exact ? to - from : e->end - e->begin;
    Run *last = r->map.n ? &r->map.at[r->map.n - 1] : NULL;
    if (last && !e->exact && last->source == e->begin)
        last->text_n = r->text.n - last->text;      // more words of the same event
    else if (r->status == OK)
        r->status = offsets_add(r->cx, &r->map, run);
}

/* Adds words with one space for any white space between them. */
static void add_words(Reader *r, const Event *e)
{
    Str s = e->text;
    for (size_t i = 0; i < s.n;) {
        size_t from = i;
        while (i < s.n && is_space(s.p[i])) i++;
        if (i > from) r->space = true;
        for (from = i; i < s.n && !is_space(s.p[i]);) i++;
        if (i == from) break;
        if (r->lo == r->hi) open_part(r, e->begin);
        char before = r->text.n ? r->text.p[r->text.n - 1] : ' ';
        if (r->space && !is_space(before)) buf_add(&r->text, STR(" "));
        add_bytes(r, e, from, i);
        r->space = false;
        r->plain |= r->links == 0;
        r->hi = e->end;
    }
}

static void add_lines(Reader *r, const Event *e)
{
    if (str_trim(e->text).n > 0) {
        if (r->lo == r->hi) open_part(r, e->begin);
        r->plain |= r->links == 0;
        r->hi = e->end;
    }
    add_bytes(r, e, 0, e->text.n);
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    Reader *r = arg;
    Event e = event_of(r, text, n);
    if (r->in_title && !r->drop) buf_add(&r->title, e.text);
    else if (!r->drop && r->pre) add_lines(r, &e);
    else if (!r->drop) add_words(r, &e);
    mark_event(r, false);
    r->last = e.end;
}

/* ---- elements ---------------------------------------------------------------------- */

/* A line break inside a table's cell does not end the row, unless the cell is a layout's
 * whole column. */
static void break_part(Reader *r)
{
    if (r->cells && r->text.n < CELL_BYTES) r->space = true;
    else flush(r);
}

static void open_cell(Reader *r)
{
    if (r->cells++ && r->text.n) buf_add(&r->text, STR(" | "));
    r->space = false;
}

static void open_heading(Reader *r, const char *name)
{
    flush(r);
    r->level = name[1] - '0';
}

static void on_open(void *arg, const xmlChar *name, const xmlChar **attributes)
{
    Reader *r = arg;
    Role role = role_of((const char *)name);
    (void)attributes;
    mark_event(r, true);
    if (role == DROP) r->drop++;
    if (r->drop) return;
    switch (role) {
    case BREAK:
        if (r->cells || r->level || r->pre || !r->text.n) r->space = true;
        else buf_add(&r->text, STR("\n"));
        if (r->pre) buf_add(&r->text, STR("\n"));
        break;
    case BLOCK: break_part(r); break;
    case HEADING: open_heading(r, (const char *)name); break;
    case LINK: r->links++; break;
    case LIST: flush(r), r->lists++; break;
    case ITEM: flush(r), r->bullet = true; break;
    case TERM: flush(r), r->in_term = true; break;
    case ROW: flush(r); break;
    case CELL: open_cell(r); break;
    case PRE: flush(r), r->pre++; break;
    case TITLE: r->in_title = true; break;
    default: break;
    }
}

static void less(int *n)
{
    if (*n > 0) --*n;
}

static void on_close(void *arg, const xmlChar *name)
{
    Reader *r = arg;
    Role role = role_of((const char *)name);
    mark_event(r, false);
    if (role == DROP) less(&r->drop);
    if (r->drop || role == DROP) return;
    switch (role) {
    case BLOCK: break_part(r); break;
    case HEADING: flush(r), r->level = 0; break;
    case LINK: less(&r->links); break;
    case LIST: flush(r), less(&r->lists), r->bullet = false; break;
    case ITEM: flush(r), r->bullet = false; break;
    case TERM: flush(r), r->in_term = false; break;
    case ROW: flush(r); break;
    case PRE: flush(r), less(&r->pre); break;
    case TITLE: r->in_title = false; break;
    default: break;
    }
}

static void on_comment(void *arg, const xmlChar *text)
{
    (void)text;
    mark_event(arg, false);
}

static void on_instruction(void *arg, const xmlChar *target, const xmlChar *data)
{
    (void)target, (void)data;
    mark_event(arg, false);
}

/* ---- the parser -------------------------------------------------------------------- */

static const htmlSAXHandler events = {
    .startElement = on_open, .endElement = on_close, .characters = on_text,
    .ignorableWhitespace = on_text, .comment = on_comment,
    .processingInstruction = on_instruction,
};

static Status run(Reader *r)
{
    htmlSAXHandler handler = events;    // the parser's options write to it
    Str s = r->out->source;
    r->last = r->base = mark_length(s);
    if (s.n == r->base) return OK;
    r->parser = htmlCreateMemoryParserCtxt(s.p + r->base, (int)(s.n - r->base));
    if (!r->parser) return fail(r->cx, E_MEMORY, "out of memory for an HTML parser");
    htmlSAXHandlerPtr own = r->parser->sax;
    r->parser->sax = &handler;
    r->parser->userData = r;
    xmlSwitchEncoding(r->parser, XML_CHAR_ENCODING_UTF8);   // whatever <meta> says
    htmlCtxtUseOptions(r->parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                       HTML_PARSE_NOWARNING | HTML_PARSE_NONET | HTML_PARSE_IGNORE_ENC);
    htmlParseDocument(r->parser);
    flush(r);
    r->parser->sax = own;
    htmlFreeParserCtxt(r->parser);
    return r->status;
}

/* White space of any length becomes one space. */
static Str one_line(Ctx *cx, Str s)
{
    char *to = ctx_new(cx, char, s.n + 1);
    size_t n = 0;
    s = str_trim(s);
    for (size_t i = 0; to && i < s.n; i++)
        if (!is_space(s.p[i])) to[n++] = s.p[i];
        else if (!is_space(s.p[i - 1])) to[n++] = ' ';
    return (Str){ to, n };
}

/* <title>, else the first <h1>, else the first heading. */
static Status find_title(Reader *r)
{
    const Part *best = NULL;
    for (size_t i = 0; i < r->out->n; i++) {
        const Part *p = &r->out->at[i];
        if (p->kind == PART_HEADING && (!best || p->level < best->level)) best = p;
    }
    Str title = str_trim(buf_str(&r->title));
    if (title.n == 0 && best) title = best->name;
    r->out->title = one_line(r->cx, title);
    return r->out->title.p ? OK : E_MEMORY;
}

Status html_parse(Ctx *cx, Str source, Parsed *out)
{
    Reader r = { .cx = cx, .out = out, .text = BUF(PART_BYTES_MAX), .title = BUF(1024) };
    *out = (Parsed){ .source = source, .title = { "", 0 } };
    if (source.n >= PART_BYTES_MAX)
        return fail(cx, E_LIMIT, "a page of %zu bytes; less than 1 GiB is wanted",
                    source.n);
    Status st = run(&r);
    if (st == OK) st = find_title(&r);
    if (st == OK && (r.text.failed || r.title.starved))
        st = fail(cx, E_MEMORY, "out of memory for a page");
    buf_free(&r.text);
    buf_free(&r.title);
    return st;
}
