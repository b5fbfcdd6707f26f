/* docx_lists.c -- see docx_lists.h. */
#include "parse/docx_lists.h"

#include <stdio.h>
#include <string.h>

enum { KINDS_MAX = 4096, COUNT_MAX = 1 << 20 };

typedef struct Reader {
    Pack *p;
    Lists *out;
} Reader;

/* ---- reading ----------------------------------------------------------------------- */

static Status add_kind(Reader *r, long id)
{
    Lists *l = r->out;
    if (l->n_kinds == KINDS_MAX) return fail(r->p->cx, E_LIMIT, "too many lists");
    TRY(ctx_grow(r->p->cx, &l->kinds, l->n_kinds, &l->kinds_room, sizeof *l->kinds));
    l->kinds[l->n_kinds++] = (ListKind){ .id = id };
    return OK;
}

static Status add_list(Reader *r, long id)
{
    Lists *l = r->out;
    if (l->n_lists == KINDS_MAX) return fail(r->p->cx, E_LIMIT, "too many lists");
    TRY(ctx_grow(r->p->cx, &l->lists, l->n_lists, &l->lists_room, sizeof *l->lists));
    l->lists[l->n_lists++] = (List){ id, -1 };
    return OK;
}

static char format_named(Str name)
{
    static const struct { const char *name; char format; } formats[] = {
        { "decimal", '1' }, { "decimalZero", '1' }, { "bullet", '-' },
        { "lowerLetter", 'a' }, { "upperLetter", 'A' }, { "lowerRoman", 'i' },
        { "upperRoman", 'I' }, { "none", 0 },
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (str_eq(name, str_z(formats[i].name))) return formats[i].format;
    return '1';
}

static void read_level(Lists *l, const XmlTag *tag)
{
    ListLevel *level = &l->kinds[l->n_kinds - 1].level[l->depth];
    Str value = xml_attribute(tag, "val");
    if (strcmp(tag->name, "numFmt") == 0) level->format = format_named(value);
    if (strcmp(tag->name, "start") == 0)
        level->start = (int)(xml_number(tag, "val", 1) & (COUNT_MAX - 1));
    if (strcmp(tag->name, "lvlText") == 0 && value.n < sizeof level->text) {
        memcpy(level->text, value.p, value.n);
        level->text[value.n] = '\0';
    }
}

/* Kinds come first, then the lists that are of them. */
static Status on_open(void *arg, const XmlTag *tag)
{
    Reader *r = arg;
    Lists *l = r->out;
    if (strcmp(tag->name, "abstractNum") == 0)
        return add_kind(r, xml_number(tag, "abstractNumId", -1));
    if (strcmp(tag->name, "num") == 0) return add_list(r, xml_number(tag, "numId", -1));
    if (l->n_lists) {
        if (strcmp(tag->name, "abstractNumId") == 0)
            l->lists[l->n_lists - 1].kind = xml_number(tag, "val", -1);
        return OK;
    }
    if (strcmp(tag->name, "lvl") == 0) {
        long depth = xml_number(tag, "ilvl", 0);
        l->depth = depth >= 0 && depth < LIST_DEPTH ? (int)depth : LIST_DEPTH - 1;
    }
    if (l->n_kinds) read_level(l, tag);
    return OK;
}

Status lists_read(Pack *p, Str member, Lists *out)
{
    static const XmlEvents events = { .open = on_open };
    Reader r = { p, out };
    *out = (Lists){ 0 };
    Status st = pack_xml(p, member, &events, &r);
    if (st == E_NOTFOUND || st == E_FORMAT) ctx_forgive(p->cx), st = OK;
    return st;
}

/* ---- counting ---------------------------------------------------------------------- */

static ListKind *kind_of_list(Lists *l, long list)
{
    long kind = -1;
    for (size_t i = 0; i < l->n_lists; i++)
        if (l->lists[i].id == list) kind = l->lists[i].kind;
    for (size_t i = 0; kind >= 0 && i < l->n_kinds; i++)
        if (l->kinds[i].id == kind) return &l->kinds[i];
    return NULL;
}

/* 27 is "aa", as Word counts. */
static void put_letters(Buf *b, int n, char first)
{
    char c = (char)(first + (n - 1) % 26);
    for (int i = 0; i <= (n - 1) / 26 && i < 8; i++) buf_add(b, (Str){ &c, 1 });
}

static void put_roman(Buf *b, int n, bool upper)
{
    static const struct { int value; const char *upper, *lower; } digits[] = {
        { 1000, "M", "m" }, { 900, "CM", "cm" }, { 500, "D", "d" }, { 400, "CD", "cd" },
        { 100, "C", "c" }, { 90, "XC", "xc" }, { 50, "L", "l" }, { 40, "XL", "xl" },
        { 10, "X", "x" }, { 9, "IX", "ix" }, { 5, "V", "v" }, { 4, "IV", "iv" },
        { 1, "I", "i" },
    };
    if (n > 3999) buf_addf(b, "%d", n);
    for (size_t i = 0; n <= 3999 && i < sizeof digits / sizeof *digits; i++)
        for (; n >= digits[i].value; n -= digits[i].value)
            buf_add(b, str_z(upper ? digits[i].upper : digits[i].lower));
}

static void put_number(Buf *b, const ListLevel *level)
{
    int n = level->count ? level->count : level->start;
    if (level->format == '1' || n < 1) buf_addf(b, "%d", n);
    else if (level->format == 'a' || level->format == 'A')
        put_letters(b, n, level->format);
    else if (level->format) put_roman(b, n, level->format == 'I');
}

static void put_mark(Buf *b, const ListKind *kind, const ListLevel *level)
{
    for (const char *p = level->text; *p; p++) {
        bool number = *p == '%' && p[1] >= '1' && p[1] <= '9';
        if (number) put_number(b, &kind->level[*++p - '1']);
        else buf_add(b, (Str){ p, 1 });
    }
    if (b->n) buf_add(b, STR(" "));
}

Str lists_mark(Lists *l, long list, int depth, char to[LIST_MARK])
{
    ListKind *kind = kind_of_list(l, list);
    if (depth < 0 || depth >= LIST_DEPTH) depth = LIST_DEPTH - 1;
    ListLevel *level = kind ? &kind->level[depth] : NULL;
    if (!level || level->format == '-') return STR("- ");
    level->count = level->count ? (level->count + 1) % COUNT_MAX : level->start;
    for (int i = depth + 1; i < LIST_DEPTH; i++) kind->level[i].count = 0;
    Buf b = BUF(LIST_MARK - 1);
    put_mark(&b, kind, level);
    Str mark = { to, b.failed ? 0 : b.n };
    if (mark.n) memcpy(to, b.p, mark.n);
    buf_free(&b);
    return mark;
}
