/* Any bytes as program source and as light markup. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_document(KIND_SOURCE, "fuzz.c", (Str){ (const char *)data, n });
    fuzz_document(KIND_MARKUP, "fuzz.rst", (Str){ (const char *)data, n });
    return 0;
}
