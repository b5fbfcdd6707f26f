/* ignore.h -- the rules of .gitignore files (gitignore(5)); .pithignore has the same.
 *
 * Rules are kept in the order they were read, those of deeper folders after those of
 * their parents, and the last one that matches decides. */
#ifndef PITH_INDEX_IGNORE_H
#define PITH_INDEX_IGNORE_H

#include "base/ctx.h"

typedef struct Rule {
    Str pattern;        // without its marks
    Str folder;         // that it came from, relative to the root: "" or "a/b/"
    bool keep;          // '!': what matches is not ignored
    bool folders_only;  // a '/' at the end
    bool anchored;      // a '/' before the end: it matches from its folder only
} Rule;

typedef struct Rules {
    Rule *at;           // in the arena
    size_t n, room;
} Rules;

/* Adds the rules of one file's text. folder ends in '/' or is empty; both are copied. */
MUST_USE Status rules_add(Ctx *cx, Rules *r, Str folder, Str text);
/* path is relative to the root, without a '/' at its end. */
bool rules_ignore(const Rules *r, Str path, bool is_folder);
/* Does pattern match all of path: '*' and '?' within a name, '**' across names, [a-z],
 * and '\'? Takes time in the product of their lengths at most. */
bool glob_match(Str pattern, Str path);

#endif
