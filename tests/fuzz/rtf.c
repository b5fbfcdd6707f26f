/* Any bytes as a file in Rich Text Format. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_document(KIND_RTF, "fuzz.rtf", (Str){ (const char *)data, n });
    return 0;
}
