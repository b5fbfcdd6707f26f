/* record.h -- the records of a data file (CSV, JSON) as readable text, each byte of it
 * known by its place in the file.
 *
 * "Price: 0.12" is found and understood where "0.12" is not, so records are written with
 * the names of their fields; what a citation names are still the bytes of the file, for
 * the text carries a map as that of an HTML page does. Names are not in the map.
 *
 * Records are handed on in windows, so that memory is bounded by a window whatever the
 * size of the file. */
#ifndef PITH_PARSE_RECORD_H
#define PITH_PARSE_RECORD_H

#include "parse/parts.h"

enum { RECORD_ROW = 1000 };     // bytes; a longer record is prose, cut at its sentences

typedef struct Record {
    Ctx own;                    // of the window
    const Sink *to;
    Str source;
    Parsed window;
    Buf text;                   // of the open record
    Offsets map;
    size_t start, end;          // of what it says, in the source
    size_t handed;              // the source before it was handed on
    size_t bytes;               // of text in the window
} Record;

/* source is UTF-8 and outlives all. */
void record_open(Record *r, Ctx *cx, Str source, const Sink *to);
/* Words that are not in the source at this place: a name, a separator. Control characters
 * become spaces, here and below. */
void record_name(Record *r, Str text);
/* Text that stands in source[at, at + n); where it is as long, byte for byte. Places go
 * up. */
MUST_USE Status record_value(Record *r, Str text, size_t at, size_t n);
/* Ends the record; one without a value is none. E_MEMORY, E_CANCELLED, or what the sink
 * says. */
MUST_USE Status record_end(Record *r);
/* Hands on what is left and frees all. st: how the parse went; it is the result where it
 * is not OK, its reason told to cx. */
MUST_USE Status record_close(Record *r, Ctx *cx, Status st);

#endif
