/* parse.h -- a document's bytes to its parts: one parser for each kind.
 *
 * Any bytes are a document, if a poor one: a parser gives what it can read. Parsers hold
 * no state between calls and open nothing, neither files nor the network: they run in a
 * child that could not (see extract/). */
#ifndef PITH_PARSE_PARSE_H
#define PITH_PARSE_PARSE_H

#include "parse/kind.h"
#include "parse/parts.h"

/* What containers have unpacked, counted over all that lie in one file. */
typedef struct Unpacked {
    uint64_t bytes, from;   // from: bytes of that file
} Unpacked;

typedef struct Input {
    Str bytes;          // outlives the call
    Str name;           // of the file, for messages and for what is inside of it
    int depth;          // of containers around it, from 0
    Unpacked *unpacked; // of the file around it; NULL: it is that file
} Input;

/* How deep documents in documents (an attachment of a mail of an archive) are read. */
enum { INPUT_DEPTH = 3 };

/* Bytes of a text kind may be in any charset.
 * E_FORMAT: these are no bytes of that kind; the reason says what was found. E_LIMIT:
 * larger than is read. E_MEMORY, E_CANCELLED, or what the sink says. */
MUST_USE Status parse_document(Ctx *cx, Kind kind, const Input *in, const Sink *to);

/* libxml2 takes what it has no memory for as damage, or tries for ever. From here on it
 * ends the process with PARSE_NO_MEMORY instead: for who reads in a process of its own,
 * before anything is read. */
enum { PARSE_NO_MEMORY = 3 };
void parse_end_without_memory(void);

/* The parsers of text: source is UTF-8, less than 1 GiB (E_LIMIT), and outlives *out. */
MUST_USE Status text_parse(Ctx *cx, Str source, Parsed *out);
/* The same for configuration and logs: a part is a run of lines between blank lines. */
MUST_USE Status code_parse(Ctx *cx, Str source, Parsed *out);
/* The same for reStructuredText and AsciiDoc, with their lists and blocks of code. */
MUST_USE Status markup_parse(Ctx *cx, Str source, Parsed *out);
/* The same for programs: a part is a definition (a function, a class) under a heading
 * with the line that opens it, or a run of lines between two. */
MUST_USE Status source_parse(Ctx *cx, Str source, Parsed *out);
/* CommonMark with GitHub's tables, by md4c. YAML and TOML front matter is no text; its
 * title is used. */
MUST_USE Status markdown_parse(Ctx *cx, Str source, Parsed *out);
/* By libxml2's HTML parser as a stream, nothing fetched. Scripts, styles, navigation and
 * footers are left out. */
MUST_USE Status html_parse(Ctx *cx, Str source, Parsed *out);

/* The parsers of data: records with the names of their fields, in windows; each byte of
 * their texts is known by its place in the source (record.h). */
MUST_USE Status csv_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status json_parse(Ctx *cx, const Input *in, const Sink *to);

/* The parsers of what is no text itself; each writes an edition. */
MUST_USE Status docx_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status pptx_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status xlsx_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status odf_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status rtf_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status epub_parse(Ctx *cx, const Input *in, const Sink *to);
/* One message, and a file of many. */
MUST_USE Status mail_parse(Ctx *cx, const Input *in, const Sink *to);
MUST_USE Status mbox_parse(Ctx *cx, const Input *in, const Sink *to);
/* ZIP, tar, tar in a wrapping, or one file in a wrapping. */
MUST_USE Status archive_parse(Ctx *cx, const Input *in, const Sink *to);
/* Always E_FORMAT: the message says what to save it as. */
MUST_USE Status ole_parse(Ctx *cx, const Input *in, const Sink *to);

/* By PDFium, which has state of its own: one at a time in a process. Also E_FORMAT: no
 * text (scanned pages), a password, damaged beyond repair, or a build without PDFium. */
MUST_USE Status pdf_parse(Ctx *cx, const Input *in, const Sink *to);

#endif
