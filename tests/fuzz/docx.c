/* Any bytes as each of the XML members of a Word document. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const FuzzMember members[] = {
        { "word/_rels/document.xml.rels",
          "<r><Relationship Id='a' Type='/styles' Target='s.xml'/>"
          "<Relationship Id='b' Type='/numbering' Target='s.xml'/>"
          "<Relationship Id='c' Type='/footnotes' Target='s.xml'/></r>" },
        { "docProps/core.xml", NULL }, { "word/document.xml", NULL },
        { "word/s.xml", NULL },
    };
    FUZZ_PACKAGE(KIND_DOCX, members, data, n);
    return 0;
}
