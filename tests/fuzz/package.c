/* Any bytes as each kind of package and as an archive: mostly damaged ones. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const Kind kinds[] = { KIND_DOCX, KIND_PPTX, KIND_XLSX, KIND_ODF, KIND_EPUB,
                                  KIND_ARCHIVE, KIND_OLE };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        fuzz_document(kinds[i], "fuzz.gz", (Str){ (const char *)data, n });
    return 0;
}
