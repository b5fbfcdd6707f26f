/* xml.c -- see xml.h. libxml2's push parser with handlers of our own and no tree.
 *
 * Invariant: no declared entity is ever found, for on_entity knows only XML's five; so
 * none can grow (billion laughs) and none can name a file. */
#include "parse/xml.h"

#include "parse/parse.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 1 << 20, LEAST = 4 };    // bytes; libxml2 tells the encoding from four

/* ---- memory ------------------------------------------------------------------------ */

static void *or_end(void *p, size_t n)
{
    if (!p && n) _exit(PARSE_NO_MEMORY);
    return p;
}

static void *new_or_end(size_t n) { return or_end(malloc(n), n); }
static void *resized_or_end(void *p, size_t n) { return or_end(realloc(p, n), n); }
static char *copy_or_end(const char *z) { return or_end(strdup(z), 1); }

void parse_end_without_memory(void)
{
    xmlMemSetup(free, new_or_end, resized_or_end, copy_or_end);
}

/* ---- attributes -------------------------------------------------------------------- */

/* Five pointers an attribute: local name, prefix, URI, value, the value's end. */
enum { NAME, PREFIX, URI, VALUE, END, FIELDS };

Str xml_attribute(const XmlTag *t, const char *name)
{
    const xmlChar *const *a = t->attributes;
    bool prefixed = name[0] == ':';
    for (int i = 0; i < t->n; i++, a += FIELDS) {
        if (strcmp((const char *)a[NAME], name + prefixed) != 0) continue;
        if (prefixed && !a[PREFIX]) continue;
        return (Str){ (const char *)a[VALUE], (size_t)(a[END] - a[VALUE]) };
    }
    return (Str){ "", 0 };
}

long xml_number(const XmlTag *t, const char *name, long otherwise)
{
    char digits[24];
    Str s = xml_attribute(t, name);
    if (s.n == 0 || s.n >= sizeof digits) return otherwise;
    memcpy(digits, s.p, s.n);
    digits[s.n] = '\0';
    char *end;
    long value = strtol(digits, &end, 10);
    return *end ? otherwise : value;
}

bool xml_is(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0) return true;
    return false;
}

static void stop_on(Xml *x, Status st)
{
    if (st == OK || x->status != OK) return;
    x->status = st;
    xmlStopParser(x->parser);
}

static void on_open(void *arg, const xmlChar *name, const xmlChar *prefix,
                    const xmlChar *uri, int n_spaces, const xmlChar **spaces, int n,
                    int n_defaulted, const xmlChar **attributes)
{
    Xml *x = arg;
    XmlTag tag = { (const char *)name, attributes, n };
    (void)prefix, (void)uri, (void)n_spaces, (void)spaces, (void)n_defaulted;
    x->elements++;
    if (x->events->open && x->status == OK) stop_on(x, x->events->open(x->arg, &tag));
}

static void on_close(void *arg, const xmlChar *name, const xmlChar *prefix,
                     const xmlChar *uri)
{
    Xml *x = arg;
    (void)prefix, (void)uri;
    if (x->events->close && x->status == OK)
        stop_on(x, x->events->close(x->arg, (const char *)name));
}

static void on_text(void *arg, const xmlChar *text, int n)
{
    Xml *x = arg;
    if (x->events->text && x->status == OK)
        stop_on(x, x->events->text(x->arg, (Str){ (const char *)text, (size_t)n }));
}

static xmlEntityPtr on_entity(void *arg, const xmlChar *name)
{
    (void)arg;
    return xmlGetPredefinedEntity(name);
}

static const xmlSAXHandler handlers = {
    .startElementNs = on_open, .endElementNs = on_close, .characters = on_text,
    .ignorableWhitespace = on_text, .getEntity = on_entity,
    .initialized = XML_SAX2_MAGIC,
};

void xml_begin(Xml *x, Ctx *cx, const XmlEvents *events, void *arg)
{
    *x = (Xml){ .cx = cx, .events = events, .arg = arg };
}

/* NOENT: in attributes too, &amp; comes as what it means. */
static Status open_parser(Xml *x, Str first)
{
    xmlSAXHandler own = handlers;
    x->parser = xmlCreatePushParserCtxt(&own, x, first.p, (int)first.n, NULL);
    if (!x->parser) return fail(x->cx, E_MEMORY, "out of memory for an XML parser");
    xmlCtxtUseOptions(x->parser, XML_PARSE_RECOVER | XML_PARSE_NOENT | XML_PARSE_NONET |
                      XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA);
    return OK;
}

Status xml_feed(Xml *x, Str bytes)
{
    if (!x->parser && bytes.n && x->status == OK) {
        Str first = { bytes.p, bytes.n < LEAST ? bytes.n : LEAST };
        x->status = open_parser(x, first);
        bytes.p += first.n;
        bytes.n -= first.n;
    }
    while (bytes.n > 0 && x->status == OK) {
        size_t n = bytes.n < BLOCK ? bytes.n : BLOCK;
        xmlParseChunk(x->parser, bytes.p, (int)n, 0);
        bytes.p += n;
        bytes.n -= n;
    }
    return x->status;
}

Status xml_end(Xml *x)
{
    xmlParserCtxtPtr p = x->parser;
    if (p && x->status == OK) xmlParseChunk(p, NULL, 0, 1);
    bool no_memory = p && p->errNo == XML_ERR_NO_MEMORY;
    if (p && p->myDoc) xmlFreeDoc(p->myDoc);
    if (p) xmlFreeParserCtxt(p);
    x->parser = NULL;
    if (x->status == OK && no_memory)
        x->status = fail(x->cx, E_MEMORY, "out of memory for an XML parser");
    if (x->status == OK && x->elements == 0)
        x->status = fail(x->cx, E_FORMAT, "this is no XML");
    return x->status;
}

Status xml_read(Ctx *cx, Str bytes, const XmlEvents *events, void *arg)
{
    Xml x;
    xml_begin(&x, cx, events, arg);
    Status st = xml_feed(&x, bytes);
    Status end = xml_end(&x);
    return st != OK ? st : end;
}
