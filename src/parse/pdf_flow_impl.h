/* pdf_flow_impl.h -- what pdf_flow.c holds, and what pdf_text.c does for it. */
#ifndef PITH_PARSE_PDF_FLOW_IMPL_H
#define PITH_PARSE_PDF_FLOW_IMPL_H

#include "parse/pdf_impl.h"

typedef struct PdfBlock {
    float left, right;      // of its lines, code aside on the right
    float gap;              // between baselines, usually
} PdfBlock;

struct PdfFlow {
    Ctx *cx;
    PdfFlowOptions opt;
    const PdfPage *page;    // that is read
    int number;
    PdfBlock *blocks;       // of it
    Buf line;               // scratch: a line's text
    /* The part that is open, and its last line. */
    bool open;
    PartKind kind;
    int level, begun;       // begun: page
    Buf text;
    size_t lines;
    float first_x, left;    // of its first and of its later lines
    PdfLine last;
    int last_page;
    float last_right;       // of that line's block
    bool ends_mono;         // its last word
    /* Of code: where it begins, and how wide a character is. */
    float code_x, code_step;
    /* Footnotes until that part ends, one a line. */
    Buf notes;
    int notes_page;
    bool in_note;
    PdfLine last_note;
};

/* ---- pdf_text.c -------------------------------------------------------------------- */

typedef enum Marker { MARKER_NONE, MARKER_BULLET, MARKER_NUMBER } Marker;

/* Is this first word of a line the mark of a list's item? */
Marker flow_marker(Str word);
/* Appends a line to text: with a space, or where a word was cut in two, without. */
void flow_join(const PdfLearn *doc, Buf *text, Str line);
/* Takes out the dots that lead to a page number; true where there were some. */
bool flow_cut_leaders(Buf *line);
bool flow_is_code(const PdfLine *l);
/* Where the code that begins at line i of the page has its left border. */
void flow_code_measure(PdfFlow *f, size_t i);
/* Appends a line of code, as far from the border and with such gaps as on the page. */
void flow_code_line(PdfFlow *f, const PdfLine *l);
/* Finds the outline's headings of this page among its lines. */
MUST_USE Status flow_mark_headings(Ctx *cx, const PdfOutline *outline, PdfPage *page,
                                   int number);

#endif
