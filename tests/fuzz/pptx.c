/* Any bytes as a slide and as its notes. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const FuzzMember members[] = {
        { "ppt/presentation.xml", "<x xmlns:r='r'><sldId r:id='a'/></x>" },
        { "ppt/_rels/presentation.xml.rels",
          "<r><Relationship Id='a' Type='/slide' Target='s.xml'/></r>" },
        { "ppt/s.xml", NULL },
        { "ppt/_rels/s.xml.rels",
          "<r><Relationship Id='b' Type='/notesSlide' Target='s.xml'/></r>" },
    };
    FUZZ_PACKAGE(KIND_PPTX, members, data, n);
    return 0;
}
