/* glossary.h -- the glossary of a store: STORE.glossary, then $XDG_CONFIG_HOME/pith/
 * glossary for all stores; either may be absent. ask/glossary.h has the form. */
#ifndef PITH_API_GLOSSARY_H
#define PITH_API_GLOSSARY_H

#include "api/handle.h"
#include "ask/glossary.h"

/* Reads both, in the arena. E_FORMAT: a line that is none, with the file and its number.
 */
MUST_USE Status glossary_read(Ctx *cx, const pith *p, Glossary *out);

#endif
