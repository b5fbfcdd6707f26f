/* kind.c -- see kind.h. */
#include "parse/kind.h"

#include "parse/charset.h"
#include "parse/parts.h"

#include <string.h>

static const struct { const char *name; bool binary; } kinds[KINDS] = {
    [KIND_SOURCE] = { "source", false }, [KIND_MARKUP] = { "markup", false },
    [KIND_NONE] = { "none", true }, [KIND_TEXT] = { "text", false },
    [KIND_CODE] = { "code", false }, [KIND_MARKDOWN] = { "markdown", false },
    [KIND_HTML] = { "html", false }, [KIND_PDF] = { "pdf", true },
    [KIND_CSV] = { "csv", false },
    [KIND_JSON] = { "json", false }, [KIND_DOCX] = { "docx", true },
    [KIND_PPTX] = { "pptx", true }, [KIND_XLSX] = { "xlsx", true },
    [KIND_ODF] = { "odf", true }, [KIND_EPUB] = { "epub", true },
    [KIND_RTF] = { "rtf", true },
    [KIND_MAIL] = { "eml", true }, [KIND_MBOX] = { "mbox", true },
    [KIND_ARCHIVE] = { "archive", true }, [KIND_OLE] = { "ole", true },
};

typedef struct Extension {
    const char *extension;
    Kind kind;
} Extension;

/* Everything else is read as text, unless its bytes say otherwise. */
static const Extension extensions[] = {
    { "md", KIND_MARKDOWN }, { "markdown", KIND_MARKDOWN }, { "mdx", KIND_MARKDOWN },
    { "mkd", KIND_MARKDOWN }, { "qmd", KIND_MARKDOWN }, { "html", KIND_HTML },
    { "htm", KIND_HTML }, { "xhtml", KIND_HTML }, { "txt", KIND_TEXT },
    { "text", KIND_TEXT }, { "rst", KIND_MARKUP }, { "adoc", KIND_MARKUP },
    { "asciidoc", KIND_MARKUP }, { "org", KIND_TEXT }, { "tex", KIND_TEXT },
    { "log", KIND_CODE }, { "csv", KIND_CSV }, { "tsv", KIND_CSV }, { "json", KIND_JSON },
    { "jsonl", KIND_JSON }, { "yaml", KIND_CODE }, { "yml", KIND_CODE },
    { "toml", KIND_CODE }, { "ini", KIND_CODE }, { "conf", KIND_CODE },
    { "xml", KIND_CODE }, { "c", KIND_SOURCE }, { "h", KIND_SOURCE },
    { "cc", KIND_SOURCE }, { "cpp", KIND_SOURCE }, { "hpp", KIND_SOURCE },
    { "cs", KIND_SOURCE }, { "go", KIND_SOURCE }, { "rs", KIND_SOURCE },
    { "py", KIND_SOURCE }, { "rb", KIND_SOURCE }, { "js", KIND_SOURCE },
    { "ts", KIND_SOURCE }, { "jsx", KIND_SOURCE }, { "tsx", KIND_SOURCE },
    { "java", KIND_SOURCE }, { "kt", KIND_SOURCE }, { "swift", KIND_SOURCE },
    { "php", KIND_SOURCE }, { "pl", KIND_SOURCE }, { "lua", KIND_SOURCE },
    { "sh", KIND_SOURCE }, { "bash", KIND_SOURCE }, { "sql", KIND_CODE },
    { "r", KIND_CODE }, { "css", KIND_CODE }, { "cmake", KIND_CODE },
    { "ndjson", KIND_JSON }, { "geojson", KIND_JSON }, { "eml", KIND_MAIL },
    { "mbox", KIND_MBOX }, { "rtf", KIND_RTF },
};

/* ZIP files by their names; their first bytes may say more. */
static const Extension packages[] = {
    { "docx", KIND_DOCX }, { "docm", KIND_DOCX }, { "dotx", KIND_DOCX },
    { "dotm", KIND_DOCX }, { "pptx", KIND_PPTX }, { "pptm", KIND_PPTX },
    { "ppsx", KIND_PPTX }, { "ppsm", KIND_PPTX }, { "potx", KIND_PPTX },
    { "xlsx", KIND_XLSX }, { "xlsm", KIND_XLSX }, { "xltx", KIND_XLSX },
    { "odt", KIND_ODF }, { "ott", KIND_ODF }, { "ods", KIND_ODF }, { "ots", KIND_ODF },
    { "odp", KIND_ODF }, { "otp", KIND_ODF }, { "epub", KIND_EPUB },
};

/* What the names of a package's members, or its mimetype, begin with. */
static const Extension inner[] = {
    { "application/epub+zip", KIND_EPUB },
    { "application/vnd.oasis.opendocument", KIND_ODF },
    { "word/", KIND_DOCX }, { "ppt/", KIND_PPTX }, { "xl/", KIND_XLSX },
};

static Kind by_extension(Str name, const Extension *known, size_t n)
{
    const char *slash = name.n ? memrchr(name.p, '/', name.n) : NULL;
    const char *dot = name.n ? memrchr(name.p, '.', name.n) : NULL;
    if (!dot || (slash && dot < slash)) return KIND_NONE;
    Str extension = { dot + 1, name.n - (size_t)(dot + 1 - name.p) };
    for (size_t i = 0; i < n; i++)
        if (str_ieq(extension, str_z(known[i].extension))) return known[i].kind;
    return KIND_NONE;
}

#define BY_EXTENSION(name, known) by_extension(name, known, sizeof known / sizeof *known)

static Kind kind_of_zip(Str name, Str head)
{
    Kind k = BY_EXTENSION(name, packages);
    for (size_t i = 0; k == KIND_NONE && i < sizeof inner / sizeof *inner; i++) {
        Str mark = str_z(inner[i].extension);
        if (memmem(head.p, head.n, mark.p, mark.n)) k = inner[i].kind;
    }
    return k == KIND_NONE ? KIND_ARCHIVE : k;
}

static bool has(Str head, size_t at, Str mark)
{
    return head.n >= at + mark.n && memcmp(head.p + at, mark.p, mark.n) == 0;
}

static Kind by_signature(Str name, Str head)
{
    static const struct { size_t at; Str mark; Kind kind; } signatures[] = {
        { 0, { "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8 }, KIND_OLE },
        { 0, { "PK\5\6", 4 }, KIND_ARCHIVE }, { 257, { "ustar", 5 }, KIND_ARCHIVE },
        { 0, { "\x1F\x8B\x08", 3 }, KIND_ARCHIVE },          // gzip
        { 0, { "\xFD" "7zXZ\0", 6 }, KIND_ARCHIVE },           // xz
        { 0, { "\x28\xB5\x2F\xFD", 4 }, KIND_ARCHIVE },      // zstd
        { 0, { "BZh", 3 }, KIND_ARCHIVE }, { 0, { "{\\rtf", 5 }, KIND_RTF },
    };
    if (has(head, 0, STR("PK\3\4"))) return kind_of_zip(name, head);
    for (size_t i = 0; i < sizeof signatures / sizeof *signatures; i++)
        if (has(head, signatures[i].at, signatures[i].mark)) return signatures[i].kind;
    return KIND_NONE;
}

/* Mail without an extension, as servers and clients keep it. */
static bool looks_like_mail(Str s)
{
    static const char *const openings[] = { "Return-Path: ", "Received: ", "Message-ID: ",
                                            "Delivered-To: ", "X-Original-To: " };
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
        if (str_starts(s, str_z(openings[i]))) return true;
    return false;
}

/* "From ada@example.org Mon Jan  1 12:00:00 2024" */
static bool looks_like_mbox(Str s)
{
    size_t next;
    Str line = line_at(s, 0, &next);
    return str_starts(line, STR("From ")) && line.n > 20 && line.n < 200 &&
           line.p[line.n - 5] == ' ' && (line.p[line.n - 4] == '1' ||
                                         line.p[line.n - 4] == '2');
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

/* Printers and mail programs put a few bytes in front; readers look into the first 1,024
 * (ISO 32000-1, annex H, note 13). */
static bool is_pdf(Str head)
{
    size_t n = head.n < 1024 ? head.n : 1024;
    return n && memmem(head.p, n, "%PDF-", 5) != NULL;
}

Kind kind_of(Str name, Str head)
{
    if (head.n > KIND_HEAD) head.n = KIND_HEAD;
    if (is_pdf(head)) return KIND_PDF;
    Kind k = by_signature(name, head);
    if (k != KIND_NONE) return k;
    if (charset_is_binary(head)) return KIND_NONE;
    k = BY_EXTENSION(name, extensions);
    if (k != KIND_NONE) return k;
    if (looks_like_html(head)) return KIND_HTML;
    if (looks_like_mail(head)) return KIND_MAIL;
    return looks_like_mbox(head) ? KIND_MBOX : KIND_TEXT;
}

Kind kind_named(Str name)
{
    for (int k = KIND_NONE + 1; k < KINDS; k++)
        if (str_eq(name, str_z(kinds[k].name))) return (Kind)k;
    return KIND_NONE;
}

const char *kind_name(Kind k)
{
    return kinds[k].name;
}

bool kind_is_binary(Kind k)
{
    return kinds[k].binary;
}
