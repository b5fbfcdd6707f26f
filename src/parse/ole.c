/* ole.c -- the binary files of Office before 2007 and what else lies in their container
 * ([MS-CFB]): told apart by the names of their streams, for a message that helps. */
#include "parse/parse.h"

#include <string.h>

/* Names stand in the directory in UTF-16, low byte first. */
static bool holds(Str bytes, const char *name)
{
    char wide[64];
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) wide[2 * i] = name[i], wide[2 * i + 1] = '\0';
    return memmem(bytes.p, bytes.n, wide, 2 * n) != NULL;
}

Status ole_parse(Ctx *cx, const Input *in, const Sink *to)
{
    static const struct { const char *stream, *message; } known[] = {
        { "EncryptedPackage", "it is encrypted: save it without a password" },
        { "WordDocument", "a Word 97 file: save it as .docx" },
        { "PowerPoint Document", "a PowerPoint 97 file: save it as .pptx" },
        { "Workbook", "an Excel 97 file: save it as .xlsx" },
        { "Book", "an Excel 95 file: save it as .xlsx" },
        { "__properties_version1.0", "an Outlook message: save it as .eml" },
    };
    (void)to;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (holds(in->bytes, known[i].stream))
            return fail(cx, E_FORMAT, "%s", known[i].message);
    return fail(cx, E_FORMAT, "a file of Office before 2007, which is not read: save it "
                "in the current format");
}
