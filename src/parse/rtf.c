/* rtf.c -- Rich Text Format (Microsoft's specification 1.9.1): groups, control words and
 * text, which is bytes of a code page or \u with a Unicode number.
 *
 * A paragraph ends at \par; a table's cells at \cell, its rows at \row. Headings are told
 * by \outlinelevel or by the name of the style; a footnote comes behind its paragraph.
 * Destinations without running text (fonts, pictures, fields' instructions, headers, all
 * that is marked with \* and not known here) are left out, as is deleted and hidden text.
 *
 * Invariant: one pass, no recursion. Groups deeper than DEPTH are read as if they were
 * one, so that hostile nesting costs nothing. */
#include "parse/charset.h"
#include "parse/parse.h"
#include "parse/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH = 256, FONTS = 256, STYLES = 256, NOTE_BYTES = 1 << 20, RAW_BYTES = 4096,
       LEVELS = 6 };

/* What text is for where it stands. */
typedef enum Target { TO_TEXT, TO_NOTE, TO_TITLE, TO_STYLE, TO_FONT, TO_NOTHING } Target;

/* What a group begins with and gives back at its end. */
typedef struct State {
    Target target;
    bool hidden, deleted;
    int fallback;               // characters that stand in for a \u
    int page;                   // code page of bytes
} State;

typedef struct Rtf {
    Ctx *cx;
    Edition *e;
    Str s;
    size_t at;
    State state, saved[DEPTH];
    size_t depth;               // groups open; of them DEPTH are in saved
    bool starred;               // \* was read last
    int skip;                   // characters that a \u has made needless
    int ansi;                   // the code page of the document
    int font, style, level;     // level: of the open paragraph; 0: none
    bool in_table, row_open, cell_open, item;
    unsigned lead;              // the first half of a character of two \u; 0: none
    Buf text, notes, title, name;
    Buf raw;                    // bytes of raw_page that are not in a text yet
    int raw_page;
    bool trail;                 // the next byte is the second of two
    Table table;
    unsigned short page_of[FONTS];
    unsigned char level_of[STYLES];
} Rtf;

/* ---- text -------------------------------------------------------------------------- */

static Buf *target(Rtf *r)
{
    if (r->state.hidden || r->state.deleted) return NULL;
    switch (r->state.target) {
    case TO_TEXT:  return &r->text;
    case TO_NOTE:  return &r->notes;
    case TO_TITLE: return &r->title;
    case TO_STYLE: return &r->name;
    default:       return NULL;
    }
}

/* Bytes of a code page to where text goes. */
static Status settle(Rtf *r)
{
    Ctx own = CTX_INIT;
    char name[32];
    Str utf8;
    Buf *to = target(r);
    if (r->raw.n == 0) return OK;
    snprintf(name, sizeof name, r->raw_page == 10000 ? "macintosh" : "cp%d", r->raw_page);
    r->trail = false;
    Status st = to ? charset_named(&own, str_z(name), buf_str(&r->raw), &utf8) : OK;
    if (to && st == OK) buf_add(to, utf8);
    if (st == E_MEMORY) fail(r->cx, st, "%s", own.reason);
    ctx_end(&own);
    r->raw.n = 0;
    return st == E_MEMORY ? st : OK;        // what is no text there says nothing
}

static Status put(Rtf *r, Str text)
{
    TRY(settle(r));
    Buf *to = target(r);
    if (to) buf_add(to, text);
    return OK;
}

/* Whether another byte belongs to c, which begins a character of the page. */
static bool is_lead(int page, unsigned char c)
{
    bool pairs = page == 932 || page == 936 || page == 949 || page == 950;
    bool half_width = page == 932 && c >= 0xA1 && c <= 0xDF;
    return pairs && c > 0x80 && !half_width;
}

static Status put_byte(Rtf *r, unsigned char c)
{
    char one = (char)c;
    if (r->skip > 0) return r->skip--, OK;
    r->lead = 0;
    if (c < 0x80 && !r->trail) return put(r, (Str){ &one, 1 });
    if (!target(r)) return OK;
    if (r->raw.n && r->raw_page != r->state.page) TRY(settle(r));
    r->raw_page = r->state.page;
    r->trail = !r->trail && is_lead(r->raw_page, c);
    buf_add(&r->raw, (Str){ &one, 1 });
    return r->raw.n < RAW_BYTES || r->trail ? OK : settle(r);
}

static Status put_code_point(Rtf *r, unsigned c)
{
    char b[4];
    size_t n = 0;
    if (c < 0x80) b[n++] = (char)c;
    else if (c < 0x800) b[n++] = (char)(0xC0 | c >> 6);
    else if (c < 0x10000) b[n++] = (char)(0xE0 | c >> 12);
    else b[n++] = (char)(0xF0 | c >> 18);
    if (c >= 0x10000) b[n++] = (char)(0x80 | (c >> 12 & 0x3F));
    if (c >= 0x800) b[n++] = (char)(0x80 | (c >> 6 & 0x3F));
    if (c >= 0x80) b[n++] = (char)(0x80 | (c & 0x3F));
    return put(r, (Str){ b, n });
}

/* \u: 16 bits, signed in the file; characters beyond them come as two. */
static Status put_unicode(Rtf *r, long number)
{
    unsigned c = (unsigned)number & 0xFFFF, lead = r->lead;
    r->skip = r->state.fallback;
    r->lead = 0;
    if (c >= 0xD800 && c < 0xDC00) return r->lead = c, OK;
    if (c < 0xDC00 || c >= 0xE000) return put_code_point(r, c ? c : ' ');
    if (!lead) return OK;
    return put_code_point(r, 0x10000 + ((lead - 0xD800) << 10) + c - 0xDC00);
}

/* ---- paragraphs and tables --------------------------------------------------------- */

static Status write_notes(Rtf *r)
{
    Status st = edition_add(r->e, PART_PARAGRAPH, 0, buf_str(&r->notes));
    r->notes.n = 0;
    return st;
}

static void open_cell(Rtf *r)
{
    if (!r->cell_open) table_cell(&r->table);
    r->cell_open = true;
}

static Status end_paragraph(Rtf *r)
{
    TRY(settle(r));
    if (r->state.target == TO_NOTE) return put(r, STR(" "));
    if (r->state.target != TO_TEXT) return OK;
    Str text = str_trim(buf_str(&r->text));
    if (r->text.failed) return fail(r->cx, E_MEMORY, "out of memory for a paragraph");
    if (r->in_table && r->row_open) {
        open_cell(r);
        table_text(&r->table, text);
        r->text.n = 0;
        return OK;
    }
    PartKind kind = r->level ? PART_HEADING : r->item ? PART_ITEM : PART_PARAGRAPH;
    if (text.n) TRY(edition_add(r->e, kind, r->level, text));
    r->text.n = 0;
    r->item = false;
    return r->notes.n ? write_notes(r) : OK;
}

static void open_row(Rtf *r)
{
    if (r->row_open) return;
    table_row(&r->table);
    r->row_open = true;
    r->cell_open = false;
}

static Status end_cell(Rtf *r)
{
    if (r->state.target != TO_TEXT) return OK;
    open_row(r);
    r->in_table = true;
    TRY(end_paragraph(r));
    r->cell_open = false;
    return OK;
}

static Status end_row(Rtf *r)
{
    if (r->state.target != TO_TEXT || !r->row_open) return OK;
    r->row_open = r->item = false;
    r->text.n = 0;
    TRY(table_end_row(&r->table, r->e));
    return r->notes.n ? write_notes(r) : OK;
}

/* What did not end: a paragraph, a cell, a row. */
static Status end_document(Rtf *r)
{
    TRY(settle(r));
    r->state = (State){ .target = TO_TEXT };
    TRY(end_paragraph(r));
    return end_row(r);
}

/* ---- control words ----------------------------------------------------------------- */

/* The code page of Windows' character set. */
static int page_of_charset(long charset, int ansi)
{
    static const struct { short set, page; } known[] = {
        { 77, 10000 }, { 128, 932 }, { 129, 949 }, { 134, 936 }, { 136, 950 },
        { 161, 1253 }, { 162, 1254 }, { 163, 1258 }, { 177, 1255 }, { 178, 1256 },
        { 186, 1257 }, { 204, 1251 }, { 222, 874 }, { 238, 1250 },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].set == charset) return known[i].page;
    return ansi;
}

typedef enum Word {
    W_OTHER, W_SKIP, W_TEXT, W_PAR, W_LINE, W_CELL, W_ROW, W_PARD, W_INTBL, W_TROWD,
    W_UNICODE, W_FALLBACK, W_PAGE, W_FONT, W_CHARSET, W_FONTS, W_STYLES, W_STYLE, W_LEVEL,
    W_TITLE, W_NOTE, W_LIST, W_HIDDEN, W_DELETED, W_PLAIN, W_BINARY, W_MAC, W_PCA
} Word;

typedef struct Known {
    const char *name;
    Word word;
    const char *text;           // of W_TEXT
} Known;

static const Known words[] = {
    { "par", W_PAR, NULL }, { "sect", W_PAR, NULL }, { "page", W_PAR, NULL },
    { "line", W_LINE, NULL }, { "cell", W_CELL, NULL }, { "nestcell", W_PAR, NULL },
    { "row", W_ROW, NULL }, { "pard", W_PARD, NULL },
    { "intbl", W_INTBL, NULL }, { "trowd", W_TROWD, NULL }, { "u", W_UNICODE, NULL },
    { "uc", W_FALLBACK, NULL }, { "ansicpg", W_PAGE, NULL }, { "f", W_FONT, NULL },
    { "fcharset", W_CHARSET, NULL }, { "fonttbl", W_FONTS, NULL },
    { "stylesheet", W_STYLES, NULL }, { "s", W_STYLE, NULL },
    { "outlinelevel", W_LEVEL, NULL }, { "title", W_TITLE, NULL },
    { "footnote", W_NOTE, NULL }, { "listtext", W_LIST, NULL },
    { "pntext", W_LIST, NULL }, { "v", W_HIDDEN, NULL }, { "deleted", W_DELETED, NULL },
    { "plain", W_PLAIN, NULL }, { "bin", W_BINARY, NULL }, { "mac", W_MAC, NULL },
    { "pca", W_PCA, NULL }, { "pc", W_PCA, NULL },
    { "tab", W_TEXT, " " }, { "emspace", W_TEXT, " " }, { "enspace", W_TEXT, " " },
    { "emdash", W_TEXT, "—" }, { "endash", W_TEXT, "–" }, { "lquote", W_TEXT, "‘" },
    { "rquote", W_TEXT, "’" }, { "ldblquote", W_TEXT, "“" },
    { "rdblquote", W_TEXT, "”" }, { "bullet", W_TEXT, "•" },
    { "colortbl", W_SKIP, NULL }, { "info", W_SKIP, NULL }, { "pict", W_SKIP, NULL },
    { "object", W_SKIP, NULL }, { "fldinst", W_SKIP, NULL }, { "header", W_SKIP, NULL },
    { "headerl", W_SKIP, NULL }, { "headerr", W_SKIP, NULL },
    { "headerf", W_SKIP, NULL }, { "footer", W_SKIP, NULL }, { "footerl", W_SKIP, NULL },
    { "footerr", W_SKIP, NULL }, { "footerf", W_SKIP, NULL }, { "xe", W_SKIP, NULL },
    { "tc", W_SKIP, NULL }, { "ftnsep", W_SKIP, NULL }, { "ftnsepc", W_SKIP, NULL },
    { "filetbl", W_SKIP, NULL }, { "annotation", W_SKIP, NULL },
    { "atnid", W_SKIP, NULL }, { "atnauthor", W_SKIP, NULL },
    { "nonshppict", W_SKIP, NULL }, { "rsidtbl", W_SKIP, NULL },
};

static const Known *known(Str name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (str_eq(name, str_z(words[i].name))) return &words[i];
    return NULL;
}

/* Where text of a destination goes that is found within what is left out. */
static bool comes_back(Word w)
{
    return w == W_TITLE || w == W_STYLE || w == W_FONT || w == W_CHARSET || w == W_BINARY;
}

static void choose_font(Rtf *r, long n)
{
    r->font = n >= 0 && n < FONTS ? (int)n : 0;
    if (r->state.target != TO_FONT && r->page_of[r->font])
        r->state.page = r->page_of[r->font];
}

static void set_charset(Rtf *r, long n)
{
    r->page_of[r->font] = (unsigned short)page_of_charset(n, r->ansi);
}

static void choose_style(Rtf *r, long n)
{
    r->style = n >= 0 && n < STYLES ? (int)n : 0;
    if (r->state.target == TO_TEXT) r->level = r->level_of[r->style];
}

static void reset_paragraph(Rtf *r)
{
    if (r->state.target != TO_TEXT) return;
    r->level = 0;
    r->in_table = false;
}

static void set_level(Rtf *r, long n)
{
    int level = n >= 0 && n < 9 ? (int)n + 1 : 0;
    if (level > LEVELS) level = LEVELS;
    if (r->state.target == TO_TEXT) r->level = level;
    if (r->state.target == TO_STYLE) r->level_of[r->style] = (unsigned char)level;
}

static void skip_bytes(Rtf *r, long n)
{
    size_t left = r->s.n - r->at;
    if (n > 0) r->at += (size_t)n < left ? (size_t)n : left;
}

/* long: one case a control word. */
static Status obey(Rtf *r, const Known *k, long n, bool has_number)
{
    bool on = !has_number || n != 0;
    switch (k->word) {
    case W_SKIP:     r->state.target = TO_NOTHING; break;
    case W_FONTS:    r->state.target = TO_FONT; break;
    case W_STYLES:   r->state.target = TO_STYLE; r->name.n = 0; break;
    case W_TITLE:    r->state.target = TO_TITLE; break;
    case W_NOTE:     r->state.target = TO_NOTE; break;
    case W_LIST:     r->item = r->item || r->state.target == TO_TEXT; break;
    case W_TEXT:     return r->skip > 0 ? r->skip--, OK : put(r, str_z(k->text));
    case W_LINE:     return put(r, STR(" "));
    case W_PAR:      return end_paragraph(r);
    case W_CELL:     return end_cell(r);
    case W_ROW:      return end_row(r);
    case W_PARD:     reset_paragraph(r); break;
    case W_INTBL:    r->in_table = true; open_row(r); break;
    case W_TROWD:    if (!r->row_open) table_begin(&r->table); break;
    case W_UNICODE:  return put_unicode(r, n);
    case W_FALLBACK: r->state.fallback = n >= 0 && n < 16 ? (int)n : 1; break;
    case W_PAGE:     if (n > 0 && n <= 65001) r->ansi = r->state.page = (int)n; break;
    case W_MAC:      r->ansi = r->state.page = 10000; break;
    case W_PCA:      r->ansi = r->state.page = 850; break;
    case W_FONT:     choose_font(r, n); break;
    case W_CHARSET:  set_charset(r, n); break;
    case W_STYLE:    choose_style(r, n); break;
    case W_LEVEL:    set_level(r, n); break;
    case W_HIDDEN:   r->state.hidden = on; break;
    case W_DELETED:  r->state.deleted = on; break;
    case W_PLAIN:    r->state.hidden = r->state.deleted = false; break;
    case W_BINARY:   skip_bytes(r, n); break;
    default:         break;
    }
    return OK;
}

/* A letter behind the backslash: name, number, and a space that belongs to it. */
static Status control_word(Rtf *r)
{
    enum { DIGITS = 9 };
    Str s = r->s;
    size_t from = r->at;
    while (r->at < s.n && ((s.p[r->at] | 0x20) >= 'a' && (s.p[r->at] | 0x20) <= 'z'))
        r->at++;
    Str name = { s.p + from, r->at - from };
    bool minus = r->at + 1 < s.n && s.p[r->at] == '-';
    long n = 0;
    size_t first = r->at += minus;
    for (; r->at < s.n && s.p[r->at] >= '0' && s.p[r->at] <= '9'; r->at++)
        if (r->at - first < DIGITS) n = 10 * n + s.p[r->at] - '0';
    bool has_number = r->at > first;
    if (r->at < s.n && s.p[r->at] == ' ') r->at++;
    const Known *k = known(name);
    bool starred = r->starred;
    r->starred = false;
    TRY(settle(r));
    if (starred && !k) r->state.target = TO_NOTHING;
    if (!k || (r->state.target == TO_NOTHING && !comes_back(k->word))) return OK;
    return obey(r, k, minus ? -n : n, has_number);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What stands behind a backslash. */
static Status control(Rtf *r)
{
    if (r->at >= r->s.n) return OK;
    char c = r->s.p[r->at];
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') return control_word(r);
    r->at++;
    switch (c) {
    case '*':  return r->starred = true, OK;
    case '~':  return put(r, STR(" "));
    case '_':  return put(r, STR("-"));
    case '-':  return OK;                   // where a word may be cut
    case '\n':
    case '\r': return end_paragraph(r);
    case '\'':
        if (r->s.n - r->at < 2) return OK;
        int high = hex(r->s.p[r->at]), low = hex(r->s.p[r->at + 1]);
        if (high < 0 || low < 0) return OK;
        r->at += 2;
        return put_byte(r, (unsigned char)(high << 4 | low));
    default:   return put_byte(r, (unsigned char)c);
    }
}

/* ---- groups ------------------------------------------------------------------------ */

static Status open_group(Rtf *r)
{
    TRY(settle(r));
    if (r->depth < DEPTH) r->saved[r->depth] = r->state;
    r->depth++;
    r->starred = false;
    return OK;
}

/* A style's name ends with a semicolon: "heading 2;". */
static void name_style(Rtf *r)
{
    Str name = str_trim(buf_str(&r->name));
    Str heading = STR("heading ");
    if (name.n > heading.n && str_ieq((Str){ name.p, heading.n }, heading)) {
        int level = name.p[heading.n] - '0';
        if (level > 0 && level < 10)
            r->level_of[r->style] = (unsigned char)(level < LEVELS ? level : LEVELS);
    }
    r->name.n = 0;
    r->style = 0;
}

static Status close_group(Rtf *r)
{
    TRY(settle(r));
    Target was = r->state.target;
    if (r->depth == 0) return OK;
    r->depth--;
    r->skip = 0;
    if (r->depth < DEPTH) r->state = r->saved[r->depth];
    if (was == TO_STYLE) name_style(r);
    if (was == TO_NOTE && r->state.target != TO_NOTE) buf_add(&r->notes, STR(" "));
    if (was != TO_TITLE || r->state.target == TO_TITLE) return OK;
    return edition_title(r->e, str_trim(buf_str(&r->title)));
}

static Status read_all(Rtf *r)
{
    for (size_t steps = 1; r->at < r->s.n; steps++) {
        char c = r->s.p[r->at++];
        if (c == '\\') TRY(control(r));
        else if (c == '{') TRY(open_group(r));
        else if (c == '}') TRY(close_group(r));
        else if (c != '\n' && c != '\r') TRY(put_byte(r, (unsigned char)c));
        if (steps % (1 << 16) == 0) TRY(ctx_check(r->cx));
    }
    return end_document(r);
}

Status rtf_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    Rtf *r = ctx_new(cx, Rtf, 1);
    TRY_NEW(r);
    *r = (Rtf){ .cx = cx, .e = &e, .s = in->bytes, .ansi = 1252,
                .state = { .fallback = 1, .page = 1252 },
                .text = BUF(EDITION_PART_MAX), .notes = BUF(NOTE_BYTES),
                .title = BUF(NOTE_BYTES), .name = BUF(NOTE_BYTES),
                .raw = BUF(2 * RAW_BYTES) };
    edition_open(&e, cx, to);
    table_open(&r->table);
    Status st = str_starts(in->bytes, STR("{\\rtf")) ? read_all(r)
              : fail(cx, E_FORMAT, "it does not begin with {\\rtf");
    table_close(&r->table);
    buf_free(&r->text);
    buf_free(&r->notes);
    buf_free(&r->title);
    buf_free(&r->name);
    buf_free(&r->raw);
    return edition_finish(&e, cx, st);
}
