/* Any bytes as a sheet, as its strings and as its formats. */
#include "document_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const FuzzMember members[] = {
        { "xl/workbook.xml", "<x xmlns:r='r'><sheet name='S' r:id='a'/></x>" },
        { "xl/_rels/workbook.xml.rels",
          "<r><Relationship Id='a' Type='/worksheet' Target='s.xml'/>"
          "<Relationship Id='b' Type='/sharedStrings' Target='s.xml'/>"
          "<Relationship Id='c' Type='/styles' Target='s.xml'/></r>" },
        { "xl/s.xml", NULL },
    };
    FUZZ_PACKAGE(KIND_XLSX, members, data, n);
    return 0;
}
