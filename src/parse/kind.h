/* kind.h -- what a file is, by its name and its first bytes; nothing is parsed. */
#ifndef PITH_PARSE_KIND_H
#define PITH_PARSE_KIND_H

#include "base/str.h"

typedef enum Kind {
    KIND_NONE,          // nothing that we read
    KIND_TEXT, KIND_MARKUP, KIND_CODE, KIND_SOURCE, KIND_MARKDOWN, KIND_HTML,
    KIND_CSV, KIND_JSON, KIND_PDF,
    KIND_DOCX, KIND_PPTX, KIND_XLSX, KIND_ODF, KIND_EPUB, KIND_RTF,
    KIND_MAIL, KIND_MBOX,
    KIND_ARCHIVE,       // or one file that is compressed
    KIND_OLE,           // Office files before 2007, and encrypted ones: not read
    KINDS
} Kind;

/* How much of a file's front kind_of looks at, at most. */
enum { KIND_HEAD = 8192 };

/* Signatures come first: a PDF is one whatever its name. Then the name's extension, then
 * what the bytes look like. head: the first KIND_HEAD bytes, or all there are. */
Kind kind_of(Str name, Str head);
/* "text", "markdown", "html", ...; KIND_NONE where it is no name of a kind. */
Kind kind_named(Str name);
const char *kind_name(Kind k);
/* Is it told from its signature, and read as bytes rather than as text? */
bool kind_is_binary(Kind k);

#endif
