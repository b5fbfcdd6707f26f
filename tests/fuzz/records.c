/* Any bytes as CSV and as JSON. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_document(KIND_CSV, "fuzz.csv", (Str){ (const char *)data, n });
    fuzz_document(KIND_JSON, "fuzz.json", (Str){ (const char *)data, n });
    return 0;
}
