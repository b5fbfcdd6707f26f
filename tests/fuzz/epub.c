/* Any bytes as the package document of a book, as its table of contents and a chapter. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const FuzzMember members[] = {
        { "META-INF/container.xml", "<c><rootfile full-path='b'/></c>" },
        { "b", NULL }, { "nav.xhtml", NULL }, { "one.xhtml", NULL },
    };
    FUZZ_PACKAGE(KIND_EPUB, members, data, n);
    return 0;
}
