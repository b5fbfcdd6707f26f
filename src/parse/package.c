/* package.c -- see package.h. */
#include "parse/package.h"

#include <string.h>

enum { RELS_MAX = 65536 };

/* ---- paths ------------------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Without fragment and query, %XX decoded. */
static size_t decode(Str href, char *to)
{
    size_t n = 0;
    for (size_t i = 0; i < href.n && href.p[i] != '#' && href.p[i] != '?'; i++) {
        bool coded = href.p[i] == '%' && i + 2 < href.n && hex(href.p[i + 1]) >= 0 &&
                     hex(href.p[i + 2]) >= 0;
        to[n++] = coded ? (char)(hex(href.p[i + 1]) * 16 + hex(href.p[i + 2]))
                        : href.p[i];
        if (coded) i += 2;
    }
    return n;
}

/* Takes "." and ".." out of a path in place; returns its new length. */
static size_t normalize(char *p, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        while (end < n && p[end] != '/') end++;
        Str step = { p + i, end - i };
        if (str_eq(step, STR(".."))) {
            while (out > 0 && p[out - 1] != '/') out--;
            if (out > 0) out--;
        } else if (step.n > 0 && !str_eq(step, STR("."))) {
            if (out > 0) p[out++] = '/';
            memmove(p + out, step.p, step.n);
            out += step.n;
        }
        i = end + 1;
    }
    return out;
}

Str package_path(Ctx *cx, Str base, Str href)
{
    char *to = ctx_new(cx, char, base.n + href.n + 2);
    if (!to) return (Str){ NULL, 0 };
    const char *slash = base.n ? memrchr(base.p, '/', base.n) : NULL;
    size_t n = slash && !str_starts(href, STR("/")) ? (size_t)(slash - base.p) + 1 : 0;
    if (n) memcpy(to, base.p, n);
    n += decode(href, to + n);
    return (Str){ to, normalize(to, n) };
}

/* ---- title ------------------------------------------------------------------------- */

typedef struct Title {
    Buf text;
    bool inside, done;
} Title;

static Status title_open(void *arg, const XmlTag *tag)
{
    Title *t = arg;
    if (!t->done && strcmp(tag->name, "title") == 0) t->inside = true;
    return OK;
}

static Status title_close(void *arg, const char *name)
{
    Title *t = arg;
    if (!t->inside || strcmp(name, "title") != 0) return OK;
    t->inside = false;
    t->done = str_trim(buf_str(&t->text)).n > 0;
    return OK;
}

static Status title_text(void *arg, Str text)
{
    Title *t = arg;
    if (t->inside) buf_add(&t->text, text);
    return OK;
}

/* What is absent or unreadable on the side does not cost the document. */
static Status forgive(Ctx *cx, Status st)
{
    if (st != E_NOTFOUND && st != E_FORMAT) return st;
    ctx_forgive(cx);
    return OK;
}

Status package_title(Pack *p, Str member, Edition *e)
{
    static const XmlEvents events = { title_open, title_close, title_text };
    Title t = { .text = BUF(1 << 16) };
    Status st = forgive(p->cx, pack_xml(p, member, &events, &t));
    if (t.text.starved) st = fail(p->cx, E_MEMORY, "out of memory for a title");
    if (st == OK && t.done) st = edition_title(e, buf_str(&t.text));
    buf_free(&t.text);
    return st;
}

/* ---- relationships ----------------------------------------------------------------- */

typedef struct RelsReader {
    Ctx *cx;
    Str part;
    Rels *out;
} RelsReader;

static Str last_word(Str uri)
{
    const char *slash = uri.n ? memrchr(uri.p, '/', uri.n) : NULL;
    return slash ? (Str){ slash + 1, uri.n - (size_t)(slash + 1 - uri.p) } : uri;
}

static Status rels_open(void *arg, const XmlTag *tag)
{
    RelsReader *r = arg;
    Rels *out = r->out;
    if (strcmp(tag->name, "Relationship") != 0) return OK;
    if (str_ieq(xml_attribute(tag, "TargetMode"), STR("External"))) return OK;
    if (out->n == RELS_MAX) return fail(r->cx, E_LIMIT, "too many relationships");
    TRY(ctx_grow(r->cx, &out->at, out->n, &out->room, sizeof *out->at));
    Rel rel = { .id = ctx_dup(r->cx, xml_attribute(tag, "Id")),
                .path = package_path(r->cx, r->part, xml_attribute(tag, "Target")),
                .type = ctx_dup(r->cx, last_word(xml_attribute(tag, "Type"))) };
    if (!rel.id.p || !rel.path.p || !rel.type.p) return E_MEMORY;
    out->at[out->n++] = rel;
    return OK;
}

Status package_rels(Pack *p, Str part, Rels *out)
{
    static const XmlEvents events = { .open = rels_open };
    const char *slash = part.n ? memrchr(part.p, '/', part.n) : NULL;
    int folder = slash ? (int)(slash - part.p) + 1 : 0;
    *out = (Rels){ 0 };
    RelsReader r = { p->cx, part, out };
    Str name = ctx_printf(p->cx, "%.*s_rels/%.*s.rels", folder, part.p,
                          (int)part.n - folder, part.p + folder);
    TRY_NEW(name.p);
    return forgive(p->cx, pack_xml(p, name, &events, &r));
}

const Rel *rels_by_id(const Rels *r, Str id)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->at[i].id, id)) return &r->at[i];
    return NULL;
}

const Rel *rels_by_type(const Rels *r, const char *type)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->at[i].type, str_z(type))) return &r->at[i];
    return NULL;
}

Status package_main(Pack *p, const char *usual, Str *out)
{
    Rels rels;
    TRY(package_rels(p, STR(""), &rels));
    const Rel *r = rels_by_type(&rels, "officeDocument");
    *out = r ? r->path : str_z(usual);
    return OK;
}
