/* package.h -- what Office, OpenDocument and EPUB files have in common: XML members that
 * name each other by relative paths, and a title among the metadata. */
#ifndef PITH_PARSE_PACKAGE_H
#define PITH_PARSE_PACKAGE_H

#include "parse/edition.h"
#include "parse/pack.h"

/* href as it stands in the member `base`: "../media/a%20b.xml#x" in "ppt/slides/s.xml" is
 * "ppt/media/a b.xml". A leading '/' begins at the root; ".." does not leave it. .p is
 * NULL on E_MEMORY. */
Str package_path(Ctx *cx, Str base, Str href);

/* The first <title> of a member into the edition. A member that is absent or no XML has
 * none, which is no error. */
MUST_USE Status package_title(Pack *p, Str member, Edition *e);

/* One relationship of a part (ECMA-376 part 2, 8.3). All in the arena. */
typedef struct Rel {
    Str id, path;       // path as package_path gives it
    Str type;           // the last word of its URI: "slide", "notesSlide", ...
} Rel;

typedef struct Rels {
    Rel *at;
    size_t n, room;
} Rels;

/* The relationships of `part`, none where it has none. "" is the package itself. */
MUST_USE Status package_rels(Pack *p, Str part, Rels *out);
/* By id, else NULL. */
const Rel *rels_by_id(const Rels *r, Str id);
/* The first of a type, else NULL. */
const Rel *rels_by_type(const Rels *r, const char *type);

/* The part that an Office file is about, "word/document.xml", say; `usual` where the
 * package does not tell. */
MUST_USE Status package_main(Pack *p, const char *usual, Str *out);

#endif
