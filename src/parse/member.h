/* member.h -- a document inside a document: an attachment, a file of an archive. */
#ifndef PITH_PARSE_MEMBER_H
#define PITH_PARSE_MEMBER_H

#include "parse/edition.h"
#include "parse/parse.h"

typedef struct Member {
    Kind kind;          // KIND_NONE: told from name and bytes
    Str name;           // for its heading and for what kind it is
    Str bytes;
    int depth;          // of the container around it
    Unpacked *unpacked; // of the file around all; NULL: that is the container
    int level;          // of its heading, from 1; 0: it gets none
    bool chapter;       // name is a heading only where the document begins with none
} Member;

/* Reads a member and adds its parts to the edition, its headings below its own. What is
 * no document, what is damaged, what is larger than is read or lies deeper than
 * INPUT_DEPTH leaves nothing or a part of itself: the rest goes on. Only E_CANCELLED and
 * what the edition says are errors. */
MUST_USE Status member_add(Ctx *cx, Edition *to, const Member *m);

#endif
