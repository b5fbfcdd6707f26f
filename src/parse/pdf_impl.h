/* pdf_impl.h -- how a page of a PDF becomes text: words, lines, blocks, parts.
 *
 * A page knows where each glyph stands and nothing else. pdf_page.c makes words of the
 * glyphs and pdf_lines.c lines of the words, by gaps; pdf_order.c puts the lines in
 * the order of reading, by columns, and pdf_table.c finds rows; pdf_learn.c has looked
 * at all pages before, for what only the whole document tells: the size of its text,
 * its headers and footers, its words; pdf_flow.c makes parts of the lines, across the
 * pages.
 *
 * x grows to the right and y downwards, in points, whatever way the page is turned. */
#ifndef PITH_PARSE_PDF_IMPL_H
#define PITH_PARSE_PDF_IMPL_H

#include "parse/edition.h"
#include "parse/pdfium.h"

typedef struct PdfWord {
    float x0, x1;           // its glyphs' advances
    float y;                // of the baseline
    float size;             // of an em
    uint32_t at, n;         // bytes of PdfPage.text
    uint32_t chars;
    uint32_t row;           // words of one number share a baseline
    bool mono, bold, rtl;
    bool mark;              // raised: the number of a footnote
    bool glued;             // touches the word before it
} PdfWord;

/* Words on one baseline, none far from the next: a line of a column, or a cell. */
typedef struct PdfLine {
    float x0, x1, y, size;
    uint32_t first, n;      // of PdfPage.words
    uint32_t chars, mono, bold;     // of so many
    uint32_t row;           // as its words'
    float hang;             // x0 of what stands behind a short label and a gap; 0: none
    uint32_t block;         // lines of one number are a column, or what stands over it
    bool table;             // a row: cells says what it has
    Str cells;              // "a | b"
    int level;              // of the outline's heading that it is; 0: none
    bool more;              // of that heading: goes on in the next line
} PdfLine;

typedef struct PdfRule {
    float x0, x1, y0, y1;   // one of both nearly the same
} PdfRule;

typedef struct PdfPage {
    Buf text;               // of the words, UTF-8
    PdfWord *words;         // these in the arena
    size_t n_words, words_room;
    PdfLine *lines;
    size_t n_lines;
    PdfRule *across, *down;
    size_t n_across, n_down;
    float top, bottom;      // of the sheet
} PdfPage;

/* A row near an edge of a page: it may be a header or a footer. */
typedef struct PdfEdge {
    uint64_t key;           // of its text, numbers aside
    float y;                // from the top of the sheet
    uint32_t page, row;
    bool outer;             // no row stands further out
    bool again;             // on several pages at this height
    bool drop;
} PdfEdge;

/* What is known of a document before its pages are read for good. */
typedef struct PdfLearn {
    uint64_t *seen;         // hashes of words, open addressing; 0: free
    size_t n_seen, seen_room;
    PdfEdge *edges;         // by page
    size_t n_edges, edges_room;
    uint32_t sizes[256];    // characters of each size, in half points
    float body;             // points
    size_t chars, pages;
    Str title;              // the largest text of the first page; may be empty
    float title_size;
} PdfLearn;

/* An entry of the outline. */
typedef struct PdfMark {
    int page;               // from 0
    int level;              // 1 the highest
    Str key;                // pdf_key of its title
} PdfMark;

typedef struct PdfOutline {
    PdfMark *at;            // by page; in one page in the outline's order
    size_t n, room;
} PdfOutline;

/* ---- pdf_page.c -------------------------------------------------------------------- */

/* A page's characters by the way they run, in quarters of a turn to the left. */
enum { PDF_TURNS = 4 };
void pdf_turns(FPDF_TEXTPAGE text, size_t chars[PDF_TURNS]);
/* The words that run this way, in the order of the page's content, and the rules, turned
 * so that the words run to the right. Arrays are in cx's arena; page->text is to be freed
 * in any case. */
MUST_USE Status pdf_words(Ctx *cx, FPDF_TEXTPAGE text, int turn, PdfPage *page);
void pdf_sheet(FPDF_PAGE from, int turn, PdfPage *page);
MUST_USE Status pdf_rules(Ctx *cx, FPDF_PAGE from, int turn, PdfPage *page);
/* A code point in UTF-8. */
void pdf_put(Buf *b, uint32_t c);
Str pdf_word(const PdfPage *page, const PdfWord *w);

/* ---- pdf_lines.c ------------------------------------------------------------------- */

/* Sorts the words and makes lines of them. */
MUST_USE Status pdf_lines(Ctx *cx, PdfPage *page);
/* Two lines of one row, b behind a, as one. */
PdfLine pdf_line_merge(const PdfPage *page, const PdfLine *a, const PdfLine *b);
/* The words of a line with spaces between them. */
void pdf_line_text(const PdfPage *page, const PdfLine *l, Buf *out);

/* ---- pdf_order.c ------------------------------------------------------------------- */

/* Replaces the lines by those in the order of reading. */
MUST_USE Status pdf_order(Ctx *cx, PdfPage *page);

/* ---- pdf_learn.c ------------------------------------------------------------------- */

/* Looks at the lines of page `number`, from 1, as pdf_lines made them. What it keeps is
 * in cx's arena. */
MUST_USE Status pdf_learn(Ctx *cx, PdfLearn *doc, const PdfPage *page, int number);
/* Behind the last page. */
MUST_USE Status pdf_learned(Ctx *cx, PdfLearn *doc);
/* Takes headers, footers and page numbers out of the lines. */
void pdf_strip(const PdfLearn *doc, PdfPage *page, int number);
/* The level of a heading of this size: 1 for the largest in the document. */
int pdf_size_level(const PdfLearn *doc, float size);
/* Letters and digits of s, lower case; at most a few hundred bytes. In the arena; .p is
 * NULL on E_MEMORY. */
Str pdf_key(Ctx *cx, Str s);
/* Is this word, or these two with a hyphen between them, somewhere within a line? */
bool pdf_seen(const PdfLearn *doc, Str a, Str b, bool hyphen);

/* ---- pdf_flow.c -------------------------------------------------------------------- */

typedef struct PdfFlow PdfFlow;

typedef struct PdfFlowOptions {
    const PdfLearn *doc;
    const PdfOutline *outline;
    Edition *to;
} PdfFlowOptions;

MUST_USE Status pdf_flow_new(Ctx *cx, const PdfFlowOptions *opt, PdfFlow **out);
/* The lines of a page, which is number `number` from 1. */
MUST_USE Status pdf_flow_page(Ctx *cx, PdfFlow *f, PdfPage *page, int number);
MUST_USE Status pdf_flow_end(PdfFlow *f);
void pdf_flow_free(PdfFlow *f);

#endif
