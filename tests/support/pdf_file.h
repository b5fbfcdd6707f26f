/* pdf_file.h -- writes small PDFs: text at a place, rules, an outline. The places are
 * points from the lower left corner of a sheet of 612 by 792. */
#ifndef PITH_TESTS_PDF_FILE_H
#define PITH_TESTS_PDF_FILE_H

#include "base/str.h"

#include <assert.h>

enum { PDF_OBJECTS = 400, PDF_PAGES = 64, PDF_MARKS = 16 };
enum { PDF_SANS = 1, PDF_MONO, PDF_BOLD };

typedef struct PdfFile {
    Buf out, content;       // content: of the page that is open
    size_t offset[PDF_OBJECTS];
    int objects;            // the first five are the catalogue, the pages, the fonts
    int page[PDF_PAGES], pages;
    struct { const char *title; int page; } mark[PDF_MARKS];
    int marks;
    const char *title;      // of the document; may be NULL
    const char *trailer;    // to be added; may be NULL
    bool broken;            // the table of objects is wrong
} PdfFile;

#define PDF_FILE ((PdfFile){ .out = BUF(1 << 24), .content = BUF(1 << 22), .objects = 5 })

static inline void pdf_object(PdfFile *f, int number)
{
    assert(number < PDF_OBJECTS);
    f->offset[number] = f->out.n;
    buf_addf(&f->out, "%d 0 obj\n", number);
}

static inline void pdf_at(PdfFile *f, int font, double size, double x, double y,
                          const char *text)
{
    buf_addf(&f->content, "BT /F%d %g Tf 1 0 0 1 %g %g Tm (", font, size, x, y);
    for (; *text; text++) {
        bool special = *text == '(' || *text == ')' || *text == '\\';
        if (special) buf_add(&f->content, STR("\\"));
        buf_add(&f->content, (Str){ text, 1 });
    }
    buf_add(&f->content, STR(") Tj ET\n"));
}

static inline void pdf_rule(PdfFile *f, double x0, double y0, double x1, double y1)
{
    buf_addf(&f->content, "%g %g m %g %g l S\n", x0, y0, x1, y1);
}

/* Lines of body text from y downwards, 12 points apart. */
static inline void pdf_lines_at(PdfFile *f, double x, double y, const char *const *lines)
{
    for (; *lines; lines++, y -= 12) pdf_at(f, PDF_SANS, 10, x, y, *lines);
}

static inline void pdf_page(PdfFile *f, const char *more)
{
    if (f->out.n == 0) buf_add(&f->out, STR("%PDF-1.4\n"));
    int content = ++f->objects, page = ++f->objects;
    assert(f->pages < PDF_PAGES);
    pdf_object(f, content);
    buf_addf(&f->out, "<</Length %zu>>stream\n", f->content.n);
    buf_add(&f->out, buf_str(&f->content));
    buf_add(&f->out, STR("\nendstream endobj\n"));
    pdf_object(f, page);
    buf_addf(&f->out, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents %d 0 R"
             "/Resources<</Font<</F1 3 0 R/F2 4 0 R/F3 5 0 R>>>>%s>>endobj\n", content,
             more ? more : "");
    f->page[f->pages++] = page;
    f->content.n = 0;
}

/* A heading of the outline, at the page that is open. */
static inline void pdf_mark_here(PdfFile *f, const char *title)
{
    assert(f->marks < PDF_MARKS);
    f->mark[f->marks].title = title;
    f->mark[f->marks++].page = f->pages;
}

static inline int pdf_outline(PdfFile *f)
{
    int root = f->objects + 1, first = root + 1;
    if (f->marks == 0) return 0;
    f->objects += 1 + f->marks;
    pdf_object(f, root);
    buf_addf(&f->out, "<</First %d 0 R/Last %d 0 R/Count %d>>endobj\n", first,
             first + f->marks - 1, f->marks);
    for (int i = 0; i < f->marks; i++) {
        pdf_object(f, first + i);
        buf_addf(&f->out, "<</Title(%s)/Parent %d 0 R/Dest[%d 0 R/Fit]", f->mark[i].title,
                 root, f->page[f->mark[i].page]);
        if (i + 1 < f->marks) buf_addf(&f->out, "/Next %d 0 R", first + i + 1);
        buf_addf(&f->out, ">>endobj\n");
    }
    return root;
}

static inline void pdf_fonts(PdfFile *f)
{
    static const char *const names[] = { "Helvetica", "Courier", "Helvetica-Bold" };
    for (int i = 0; i < 3; i++) {
        pdf_object(f, 3 + i);
        buf_addf(&f->out, "<</Type/Font/Subtype/Type1/BaseFont/%s>>endobj\n", names[i]);
    }
}

/* The whole file; to be freed by pdf_file_free. */
static inline Str pdf_file(PdfFile *f)
{
    int outline = pdf_outline(f), info = ++f->objects;
    pdf_object(f, 1);
    buf_addf(&f->out, "<</Type/Catalog/Pages 2 0 R");
    if (outline) buf_addf(&f->out, "/Outlines %d 0 R", outline);
    buf_addf(&f->out, ">>endobj\n");
    pdf_object(f, 2);
    buf_addf(&f->out, "<</Type/Pages/Count %d/Kids[", f->pages);
    for (int i = 0; i < f->pages; i++) buf_addf(&f->out, "%d 0 R ", f->page[i]);
    buf_addf(&f->out, "]>>endobj\n");
    pdf_fonts(f);
    pdf_object(f, info);
    buf_addf(&f->out, "<</Title(%s)>>endobj\n", f->title ? f->title : "");
    size_t table = f->out.n;
    buf_addf(&f->out, "xref\n0 %d\n0000000000 65535 f \n", f->objects + 1);
    for (int i = 1; i <= f->objects; i++)
        buf_addf(&f->out, "%010zu 00000 n \n", f->offset[i] + (f->broken ? 7 : 0));
    buf_addf(&f->out, "trailer<</Size %d/Root 1 0 R/Info %d 0 R%s>>\n", f->objects + 1,
             info, f->trailer ? f->trailer : "");
    buf_addf(&f->out, "startxref\n%zu\n%%%%EOF\n", f->broken ? table + 99 : table);
    return buf_str(&f->out);
}

static inline void pdf_file_free(PdfFile *f)
{
    buf_free(&f->out);
    buf_free(&f->content);
}

#endif
