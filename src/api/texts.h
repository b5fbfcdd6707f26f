/* texts.h -- all texts of a store, one after another. */
#ifndef PITH_API_TEXTS_H
#define PITH_API_TEXTS_H

#include "store/store.h"

/* document counts from 0. The text, and what is in cx, live until this returns. */
typedef Status (*TextVisitor)(Ctx *cx, void *arg, size_t document, Str text);

/* Shows every chunk's text to visit, by document in the order of their uri, then in the
 * order of the text. What visit returns, if it is not OK, ends it. */
MUST_USE Status texts_each(Ctx *cx, Store *s, TextVisitor visit, void *arg);

#endif
