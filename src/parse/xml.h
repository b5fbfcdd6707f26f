/* xml.h -- XML as a stream of events: the inside of Office, OpenDocument and EPUB files.
 *
 * Names come without their prefix. Nothing is fetched, entities other than XML's own five
 * are not expanded, and an element more than 256 deep ends the document there (libxml2's
 * limits stand). What is not well-formed is read as far as it goes. */
#ifndef PITH_PARSE_XML_H
#define PITH_PARSE_XML_H

#include "base/ctx.h"

typedef struct XmlTag {
    const char *name;
    const void *attributes;     // libxml2's; n of them
    int n;
} XmlTag;

/* Any may be NULL. What is not OK ends the parse and is its result. Strings live until
 * the call returns. Text may come in several pieces. */
typedef struct XmlEvents {
    Status (*open)(void *arg, const XmlTag *tag);
    Status (*close)(void *arg, const char *name);
    Status (*text)(void *arg, Str text);
} XmlEvents;

/* The value of an attribute, empty where there is none. ":id": the one with a prefix. */
Str xml_attribute(const XmlTag *t, const char *name);
/* The same as a number, `otherwise` where it is none. */
long xml_number(const XmlTag *t, const char *name, long otherwise);
/* Is the name one of these? `names` ends in NULL. */
bool xml_is(const char *name, const char *const *names);

typedef struct Xml {
    Ctx *cx;
    const XmlEvents *events;
    void *arg;
    void *parser;               // libxml2's; NULL before the first bytes
    size_t elements;            // opened so far
    Status status;
} Xml;

/* xml_end is to be called in any case; its status is that of the whole.
 * E_FORMAT: not an element in it. E_MEMORY. Else what an event said. */
void xml_begin(Xml *x, Ctx *cx, const XmlEvents *events, void *arg);
MUST_USE Status xml_feed(Xml *x, Str bytes);
MUST_USE Status xml_end(Xml *x);
/* All three for a document in one piece. */
MUST_USE Status xml_read(Ctx *cx, Str bytes, const XmlEvents *events, void *arg);

#endif
