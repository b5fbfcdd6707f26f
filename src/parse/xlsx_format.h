/* xlsx_format.h -- a number of a cell as its format shows it: dates, times, per cent. */
#ifndef PITH_PARSE_XLSX_FORMAT_H
#define PITH_PARSE_XLSX_FORMAT_H

#include "parse/package.h"

enum { XLSX_FORMATS = 65536, XLSX_SHOWN = 48 };

typedef enum XlsxForm { XLSX_PLAIN, XLSX_DATE, XLSX_PERCENT } XlsxForm;

typedef struct XlsxFormats {
    unsigned char *own;     // (XLSX_FORMATS) forms of the file's own formats, by their id
    unsigned char *cells;   // (XLSX_FORMATS) forms by the style of a cell
    size_t n;               // styles
    bool inside;            // of cellXfs, while it is read
    bool from_1904;         // days count from there, not from 1900
    Ctx *cx;
} XlsxFormats;

/* rel: of the styles; NULL: all is plain. In the arena. */
MUST_USE Status xlsx_formats_read(Pack *p, const Rel *rel, XlsxFormats *out);
/* The number as it is shown, or as it stands where it is none; borrows from both. */
Str xlsx_shown(const XlsxFormats *f, size_t style, Str number, char to[XLSX_SHOWN]);

#endif
