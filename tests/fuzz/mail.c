/* Any bytes as a message and as a mailbox. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    fuzz_document(KIND_MAIL, "fuzz.eml", (Str){ (const char *)data, n });
    fuzz_document(KIND_MBOX, "fuzz.mbox", (Str){ (const char *)data, n });
    return 0;
}
