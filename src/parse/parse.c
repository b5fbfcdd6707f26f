/* parse.c -- which parser reads which kind: see parse.h. */
#include "parse/parse.h"

#include "parse/charset.h"

typedef Status TextParser(Ctx *cx, Str source, Parsed *out);
typedef Status Parser(Ctx *cx, const Input *in, const Sink *to);

/* One of the two a kind. */
static const struct { TextParser *text; Parser *bytes; } parsers[KINDS] = {
    [KIND_TEXT] = { .text = text_parse }, [KIND_CODE] = { .text = code_parse },
    [KIND_MARKDOWN] = { .text = markdown_parse }, [KIND_HTML] = { .text = html_parse },
    [KIND_DOCX] = { .bytes = docx_parse }, [KIND_PPTX] = { .bytes = pptx_parse },
    [KIND_XLSX] = { .bytes = xlsx_parse }, [KIND_ODF] = { .bytes = odf_parse },
    [KIND_EPUB] = { .bytes = epub_parse }, [KIND_MAIL] = { .bytes = mail_parse },
    [KIND_MBOX] = { .bytes = mbox_parse }, [KIND_ARCHIVE] = { .bytes = archive_parse },
    [KIND_OLE] = { .bytes = ole_parse },
};

static Status parse_text(Ctx *cx, TextParser *read, Str bytes, const Sink *to)
{
    Parsed window;
    Str source;
    TRY(charset_utf8(cx, bytes, &source));
    TRY(read(cx, source, &window));
    return to->take(to->arg, &window);
}

Status parse_document(Ctx *cx, Kind kind, const Input *in, const Sink *to)
{
    if (parsers[kind].text) return parse_text(cx, parsers[kind].text, in->bytes, to);
    if (parsers[kind].bytes) return parsers[kind].bytes(cx, in, to);
    return fail(cx, E_FORMAT, "this is no text");
}
