/* document.c -- see document.h. */
#include "index/document.h"

#include "index/charset.h"
#include "index/format.h"

#include <string.h>

enum { TITLE_BYTES = 300 };

typedef Status Parser(Ctx *cx, Str source, Parsed *out);

/* Everything else is read as text, unless its bytes say otherwise. */
static const struct { const char *extension; Parser *parse; } parsers[] = {
    { "md", markdown_parse }, { "markdown", markdown_parse }, { "mdx", markdown_parse },
    { "mkd", markdown_parse }, { "qmd", markdown_parse }, { "html", html_parse },
    { "htm", html_parse }, { "xhtml", html_parse }, { "txt", text_parse },
    { "text", text_parse }, { "rst", text_parse }, { "adoc", text_parse },
    { "asciidoc", text_parse }, { "org", text_parse }, { "log", code_parse },
    { "csv", code_parse }, { "tsv", code_parse }, { "json", code_parse },
    { "jsonl", code_parse }, { "yaml", code_parse }, { "yml", code_parse },
    { "toml", code_parse }, { "ini", code_parse }, { "conf", code_parse },
    { "xml", code_parse }, { "c", code_parse }, { "h", code_parse }, { "cc", code_parse },
    { "cpp", code_parse }, { "hpp", code_parse }, { "cs", code_parse },
    { "go", code_parse }, { "rs", code_parse }, { "py", code_parse },
    { "rb", code_parse }, { "js", code_parse }, { "ts", code_parse },
    { "jsx", code_parse }, { "tsx", code_parse },
    { "java", code_parse }, { "kt", code_parse }, { "swift", code_parse },
    { "php", code_parse }, { "pl", code_parse }, { "lua", code_parse },
    { "sh", code_parse },
    { "bash", code_parse }, { "sql", code_parse }, { "r", code_parse },
    { "css", code_parse }, { "tex", text_parse }, { "cmake", code_parse },
};

static Str file_name(Str uri)
{
    const char *slash = uri.n ? memrchr(uri.p, '/', uri.n) : NULL;
    size_t skip = slash ? (size_t)(slash - uri.p) + 1 : 0;
    return skip < uri.n ? (Str){ uri.p + skip, uri.n - skip } : uri;
}

static Parser *by_extension(Str uri)
{
    Str name = file_name(uri);
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
    if (!dot) return NULL;
    Str extension = { dot + 1, name.n - (size_t)(dot + 1 - name.p) };
    for (size_t i = 0; i < sizeof parsers / sizeof *parsers; i++)
        if (str_ieq(extension, str_z(parsers[i].extension))) return parsers[i].parse;
    return NULL;
}

static bool looks_like_html(Str s)
{
    static const Str openings[] = { { "<!doctype html", 14 }, { "<html", 5 },
                                    { "<head", 5 }, { "<body", 5 } };
    size_t skip = mark_length(s);
    s = str_trim((Str){ s.p + skip, s.n - skip });
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (s.n >= openings[i].n && str_ieq((Str){ s.p, openings[i].n }, openings[i]))
            return true;
    return false;
}

static Parser *parser_of(const Origin *o, Str source)
{
    static Parser *const named[] = { NULL, text_parse, markdown_parse, html_parse };
    Parser *p = named[o->format];
    if (!p) p = by_extension(o->uri);
    if (!p) p = looks_like_html(source) ? html_parse : text_parse;
    return p;
}

static Str shorter(Str s, size_t most)
{
    size_t n = s.n < most ? s.n : most;
    while (n < s.n && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80) n--;
    return (Str){ s.p, n };
}

Status document_is_same(Ctx *cx, Store *s, const Origin *o, bool *known, bool *same)
{
    Document d;
    *known = *same = false;
    Status st = store_find(cx, s, o->uri, &d);
    if (st == E_NOTFOUND) {
        ctx_forgive(cx);
        return OK;
    }
    *known = st == OK;
    *same = st == OK && str_eq(d.hash, o->hash) &&
            (o->title.n == 0 || str_eq(d.title, shorter(o->title, TITLE_BYTES)));
    return st;
}

Status document_read(Queue *q, const Origin *o, Pending *out)
{
    Chunker c = { .embedder = q->embedder, .words = q->words,
                  .aim = q->opt.chunk_tokens };
    Parsed parsed;
    Str source;
    *out = (Pending){ 0 };
    TRY(charset_utf8(&q->work, o->bytes, &source));
    TRY(parser_of(o, source)(&q->work, source, &parsed));
    TRY(chunk_parts(&q->work, &c, &parsed, &out->chunks, &out->n));
    Str title = o->title.n ? o->title : parsed.title.n ? parsed.title : file_name(o->uri);
    out->doc = (Document){ .uri = o->uri, .title = shorter(title, TITLE_BYTES),
                           .hash = o->hash, .bytes = (int64_t)o->bytes.n,
                           .mtime_ns = o->mtime_ns, .root = o->root };
    return OK;
}
