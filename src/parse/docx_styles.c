/* docx_styles.c -- see docx_styles.h.
 *
 * Ids are in the language of the Word that wrote the file ("berschrift1"), but its own
 * styles keep their English names ("heading 1"); a style of the user's inherits from one
 * of them or states an outline level (ECMA-376 part 1, 17.3.1.20). */
#include "parse/docx_styles.h"

#include <string.h>

enum { STYLES_MAX = 4096, CHAIN_MAX = 16 };

static bool has_digit_behind(Str name, Str prefix, int *digit)
{
    if (name.n != prefix.n + 1 || !str_ieq((Str){ name.p, prefix.n }, prefix))
        return false;
    *digit = name.p[prefix.n] - '0';
    return *digit >= 1 && *digit <= 9;
}

static void take_name(Style *s, Str name)
{
    int digit;
    if (has_digit_behind(name, STR("heading "), &digit)) s->level = digit;
    if (has_digit_behind(name, STR("toc "), &digit)) s->contents = true;
    if (str_ieq(name, STR("title"))) s->level = 1;
}

static Status add_style(Pack *p, Styles *out, const XmlTag *tag)
{
    if (out->n == STYLES_MAX) return fail(p->cx, E_LIMIT, "too many styles");
    TRY(ctx_grow(p->cx, &out->at, out->n, &out->room, sizeof *out->at));
    Style s = { .id = ctx_dup(p->cx, xml_attribute(tag, "styleId")), .level = -1,
                .list = -1 };
    TRY_NEW(s.id.p);
    out->at[out->n++] = s;
    return OK;
}

typedef struct Reader {
    Pack *p;
    Styles *out;
} Reader;

static Status on_open(void *arg, const XmlTag *tag)
{
    Reader *r = arg;
    const char *name = tag->name;
    if (strcmp(name, "style") == 0) {
        r->out->inside = str_eq(xml_attribute(tag, "type"), STR("paragraph"));
        return r->out->inside ? add_style(r->p, r->out, tag) : OK;
    }
    if (!r->out->inside) return OK;
    Style *s = &r->out->at[r->out->n - 1];
    if (strcmp(name, "name") == 0) take_name(s, xml_attribute(tag, "val"));
    if (strcmp(name, "numId") == 0) s->list = xml_number(tag, "val", -1);
    if (strcmp(name, "ilvl") == 0) s->depth = (int)xml_number(tag, "val", 0) & 15;
    if (strcmp(name, "outlineLvl") == 0) {
        long level = xml_number(tag, "val", 9);
        s->level = level >= 0 && level < 9 ? (int)level + 1 : 0;
    }
    if (strcmp(name, "basedOn") != 0) return OK;
    s->base = ctx_dup(r->p->cx, xml_attribute(tag, "val"));
    return s->base.p ? OK : E_MEMORY;
}

static Status on_close(void *arg, const char *name)
{
    Reader *r = arg;
    if (strcmp(name, "style") == 0) r->out->inside = false;
    return OK;
}

static const Style *find(const Styles *s, Str id)
{
    for (size_t i = 0; id.n && i < s->n; i++)
        if (str_eq(s->at[i].id, id)) return &s->at[i];
    return NULL;
}

static void inherit(const Styles *all, Style *s)
{
    const Style *from = s;
    for (int i = 0; i < CHAIN_MAX && (s->level < 0 || s->list < 0); i++) {
        from = find(all, from->base);
        if (!from) break;
        if (s->level < 0) s->level = from->level;
        if (s->list < 0) s->list = from->list, s->depth = from->depth;
        s->contents |= from->contents;
    }
}

Status styles_read(Pack *p, Str member, Styles *out)
{
    static const XmlEvents events = { .open = on_open, .close = on_close };
    Reader r = { p, out };
    *out = (Styles){ 0 };
    Status st = pack_xml(p, member, &events, &r);
    if (st == E_NOTFOUND || st == E_FORMAT) ctx_forgive(p->cx), st = OK;
    for (size_t i = 0; i < out->n; i++) inherit(out, &out->at[i]);
    return st;
}

Style styles_find(const Styles *s, Str id)
{
    const Style *found = find(s, id);
    Style style = found ? *found : (Style){ 0 };
    if (style.level < 0) style.level = 0;
    if (style.list < 0) style.list = 0;
    return style;
}
