/* pdfium.h -- the part of PDFium's C interface that we call.
 *
 * PDFium's own headers are not in its binary packages, so what we use is declared
 * here, as its public fpdfview.h, fpdf_text.h, fpdf_doc.h and fpdf_edit.h document it;
 * the interface is C, and only ever grows. Coordinates are points of the page, y
 * upwards. PDFium keeps state of its own: one thread at a time, nothing is called
 * before FPDF_InitLibraryWithConfig or behind FPDF_DestroyLibrary. */
#ifndef PITH_PARSE_PDFIUM_H
#define PITH_PARSE_PDFIUM_H

#include <stddef.h>

typedef struct fpdf_document_t__ *FPDF_DOCUMENT;
typedef struct fpdf_page_t__ *FPDF_PAGE;
typedef struct fpdf_textpage_t__ *FPDF_TEXTPAGE;
typedef struct fpdf_pageobject_t__ *FPDF_PAGEOBJECT;
typedef struct fpdf_bookmark_t__ *FPDF_BOOKMARK;
typedef struct fpdf_dest_t__ *FPDF_DEST;
typedef struct fpdf_action_t__ *FPDF_ACTION;

typedef struct { float left, top, right, bottom; } FS_RECTF;
typedef struct { float a, b, c, d, e, f; } FS_MATRIX;

/* Version 2 of the structure; later fields are not read then. */
typedef struct {
    int version;
    const char **m_pUserFontPaths;  // NULL: the system's; an empty list: no fonts at all
    void *m_pIsolate;
    unsigned int m_v8EmbedderSlot;
    void *m_reserved[6];            // what later versions have, zero
} FPDF_LIBRARY_CONFIG;

enum { FPDF_ERR_FORMAT = 3, FPDF_ERR_PASSWORD = 4, FPDF_ERR_SECURITY = 5 };
enum { FPDF_PAGEOBJ_PATH = 2 };

void FPDF_InitLibraryWithConfig(const FPDF_LIBRARY_CONFIG *config);
void FPDF_DestroyLibrary(void);
unsigned long FPDF_GetLastError(void);

/* data is to outlive the document. */
FPDF_DOCUMENT FPDF_LoadMemDocument64(const void *data, size_t n, const char *password);
void FPDF_CloseDocument(FPDF_DOCUMENT d);
int FPDF_GetPageCount(FPDF_DOCUMENT d);
/* Texts come as UTF-16LE with a NUL; the result is the bytes that it takes. */
unsigned long FPDF_GetMetaText(FPDF_DOCUMENT d, const char *tag, void *out,
                               unsigned long n);

FPDF_PAGE FPDF_LoadPage(FPDF_DOCUMENT d, int index);
void FPDF_ClosePage(FPDF_PAGE p);
int FPDF_GetPageBoundingBox(FPDF_PAGE p, FS_RECTF *box);
int FPDFPage_CountObjects(FPDF_PAGE p);
FPDF_PAGEOBJECT FPDFPage_GetObject(FPDF_PAGE p, int i);
int FPDFPageObj_GetType(FPDF_PAGEOBJECT o);
int FPDFPageObj_GetBounds(FPDF_PAGEOBJECT o, float *left, float *bottom, float *right,
                          float *top);
int FPDFPath_GetDrawMode(FPDF_PAGEOBJECT o, int *fill, int *stroke);

/* Characters of a page in the order of its content, the right way round for Arabic and
 * Hebrew; PDFium puts in spaces and line breaks of its own ("generated"). */
FPDF_TEXTPAGE FPDFText_LoadPage(FPDF_PAGE p);
void FPDFText_ClosePage(FPDF_TEXTPAGE t);
int FPDFText_CountChars(FPDF_TEXTPAGE t);
unsigned int FPDFText_GetUnicode(FPDF_TEXTPAGE t, int i);
int FPDFText_IsGenerated(FPDF_TEXTPAGE t, int i);
int FPDFText_IsHyphen(FPDF_TEXTPAGE t, int i);
int FPDFText_GetCharOrigin(FPDF_TEXTPAGE t, int i, double *x, double *y);
/* Of a character's ink, and of its advance. */
int FPDFText_GetCharBox(FPDF_TEXTPAGE t, int i, double *left, double *right,
                        double *bottom, double *top);
int FPDFText_GetLooseCharBox(FPDF_TEXTPAGE t, int i, FS_RECTF *box);
int FPDFText_GetMatrix(FPDF_TEXTPAGE t, int i, FS_MATRIX *m);
double FPDFText_GetFontSize(FPDF_TEXTPAGE t, int i);
int FPDFText_GetFontWeight(FPDF_TEXTPAGE t, int i);
unsigned long FPDFText_GetFontInfo(FPDF_TEXTPAGE t, int i, void *name, unsigned long n,
                                   int *flags);
FPDF_PAGEOBJECT FPDFText_GetTextObject(FPDF_TEXTPAGE t, int i);

/* The outline; NULL asks for the first of the top, and comes where there is no more. */
FPDF_BOOKMARK FPDFBookmark_GetFirstChild(FPDF_DOCUMENT d, FPDF_BOOKMARK b);
FPDF_BOOKMARK FPDFBookmark_GetNextSibling(FPDF_DOCUMENT d, FPDF_BOOKMARK b);
unsigned long FPDFBookmark_GetTitle(FPDF_BOOKMARK b, void *out, unsigned long n);
FPDF_DEST FPDFBookmark_GetDest(FPDF_DOCUMENT d, FPDF_BOOKMARK b);
FPDF_ACTION FPDFBookmark_GetAction(FPDF_BOOKMARK b);
FPDF_DEST FPDFAction_GetDest(FPDF_DOCUMENT d, FPDF_ACTION a);
int FPDFDest_GetDestPageIndex(FPDF_DOCUMENT d, FPDF_DEST dest);

#endif
