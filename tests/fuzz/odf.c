/* Any bytes as the content and the metadata of an OpenDocument file. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const FuzzMember members[] = { { "meta.xml", NULL }, { "content.xml", NULL } };
    FUZZ_PACKAGE(KIND_ODF, members, data, n);
    return 0;
}
