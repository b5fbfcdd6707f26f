/* no_pdf.c -- stands in for pdf.c where PDFium was absent when pith was built. */
#include "parse/parse.h"

Status pdf_parse(Ctx *cx, const Input *in, const Sink *to)
{
    (void)in;
    (void)to;
    return fail(cx, E_FORMAT, "this build reads no PDF: PDFium was not there when it was "
                "made; convert the file with pdftotext, or build pith where "
                "scripts/pdfium.sh finds it");
}
