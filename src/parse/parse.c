/* parse.c -- which parser reads which kind: see parse.h. */
#include "parse/parse.h"

#include "parse/charset.h"

#include <string.h>

typedef Status TextParser(Ctx *cx, Str source, Parsed *out);
typedef Status Parser(Ctx *cx, const Input *in, const Sink *to);

/* One of the two a kind. */
static const struct { TextParser *text; Parser *bytes; } parsers[KINDS] = {
    [KIND_TEXT] = { .text = text_parse }, [KIND_CODE] = { .text = code_parse },
    [KIND_MARKUP] = { .text = markup_parse },
    [KIND_SOURCE] = { .text = source_parse },
    [KIND_MARKDOWN] = { .text = markdown_parse }, [KIND_HTML] = { .text = html_parse },
    [KIND_CSV] = { .bytes = csv_parse }, [KIND_JSON] = { .bytes = json_parse },
    [KIND_DOCX] = { .bytes = docx_parse }, [KIND_PPTX] = { .bytes = pptx_parse },
    [KIND_XLSX] = { .bytes = xlsx_parse }, [KIND_ODF] = { .bytes = odf_parse },
    [KIND_EPUB] = { .bytes = epub_parse }, [KIND_MAIL] = { .bytes = mail_parse },
    [KIND_MBOX] = { .bytes = mbox_parse }, [KIND_ARCHIVE] = { .bytes = archive_parse },
    [KIND_OLE] = { .bytes = ole_parse }, [KIND_PDF] = { .bytes = pdf_parse },
    [KIND_RTF] = { .bytes = rtf_parse },
};

/* ---- large texts ------------------------------------------------------------------- */

/* A text up to this size is one window; a larger one is cut into windows of about it. */
enum { WINDOW = 2 << 20 };

/* Opens or closes a block of code in Markdown? */
static bool is_fence(Str line)
{
    size_t n = 0;
    while (n < line.n && n < 3 && line.p[n] == ' ') n++;
    line = (Str){ line.p + n, line.n - n };
    return str_starts(line, STR("```")) || str_starts(line, STR("~~~"));
}

/* The end of the last line, or else the last character, in front of s.n. */
static size_t line_or_character(Str s)
{
    const char *lf = memrchr(s.p, '\n', s.n);
    size_t n = s.n;
    if (lf) return (size_t)(lf - s.p) + 1;
    while (n > s.n - 4 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return n;
}

/* The length of the window at the front of s: up to a blank line that is not in a block
 * of code, else up to the end of a line, else of a character. */
static size_t window_length(Str s, bool fences)
{
    size_t found = 0, next = 0;
    bool inside = false;
    if (s.n <= WINDOW) return s.n;
    for (size_t at = 0; at < WINDOW; at = next) {
        Str line = line_at((Str){ s.p, WINDOW }, at, &next);
        if (fences && is_fence(line)) inside = !inside;
        if (next < WINDOW && !inside && str_trim(line).n == 0) found = next;
    }
    return found ? found : line_or_character((Str){ s.p, WINDOW });
}

/* Moves the parts of a window to where it begins in the whole. */
static void shift(Parsed *w, size_t base)
{
    w->base = base;
    for (size_t i = 0; i < w->n; i++) {
        w->at[i].start += base;
        w->at[i].end += base;
    }
}

typedef struct Text {
    TextParser *read;
    Charset charset;
    size_t base;            // bytes of UTF-8 before the window
    const Sink *to;
} Text;

static Status parse_window(Ctx *cx, Text *t, Str bytes)
{
    Parsed window;
    Str source;
    TRY(ctx_check(cx));
    TRY(charset_convert(cx, &t->charset, bytes, &source));
    TRY(t->read(cx, source, &window));
    shift(&window, t->base);
    t->base += source.n;
    return t->to->take(t->to->arg, &window);
}

/* Windows of what is verbatim and has lines in its bytes; else all is one window. */
static Status parse_text(Ctx *cx, Kind kind, Str bytes, const Sink *to)
{
    Text t = { .read = parsers[kind].text, .to = to };
    TRY(charset_find(cx, bytes, &t.charset));
    bool whole = kind == KIND_HTML || t.charset.wide || bytes.n <= WINDOW;
    if (whole) return parse_window(cx, &t, bytes);
    for (size_t n; bytes.n > 0; bytes.p += n, bytes.n -= n) {
        Ctx own = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
        n = window_length(bytes, kind == KIND_MARKDOWN);
        Status st = parse_window(&own, &t, (Str){ bytes.p, n });
        if (st != OK) fail(cx, st, "%s", own.reason);
        ctx_end(&own);
        if (st != OK) return st;
    }
    return OK;
}

Status parse_document(Ctx *cx, Kind kind, const Input *in, const Sink *to)
{
    if (parsers[kind].text) return parse_text(cx, kind, in->bytes, to);
    if (parsers[kind].bytes) return parsers[kind].bytes(cx, in, to);
    return fail(cx, E_FORMAT, "this is no text");
}
