/* epub.c -- EPUB 2 and 3 (W3C EPUB 3.3, OPF 2.0.1): the chapters in the order of the
 * spine.
 *
 * container.xml names the package document, whose manifest and spine name the chapters;
 * each is read as HTML. A chapter that begins with no heading gets the table of contents'
 * words for it. */
#include "parse/member.h"
#include "parse/package.h"

#include <string.h>

enum { ITEMS_MAX = 16384, NAME_BYTES = 300 };

typedef struct Item {
    Str id, path, properties, type;
} Item;

typedef struct Entry {
    Str path, name;         // of the table of contents
} Entry;

typedef struct Book {
    Ctx *cx;
    Pack *pack;
    Str opf;                // path of the package document
    Item *items;            // of the manifest
    size_t n_items, items_room;
    Str *spine;             // ids
    size_t n_spine, spine_room;
    Str toc_id;             // of the NCX
    Entry *entries;
    size_t n_entries, entries_room;
    Str toc;                // path of the document that is read
    Str href;               // of the link in work
    Buf name;
    bool naming;
} Book;

/* ctx_grow, up to ITEMS_MAX. */
static Status grow(Ctx *cx, void *array, size_t n, size_t *room, size_t size)
{
    if (n == ITEMS_MAX) return fail(cx, E_LIMIT, "a book of too many members");
    return ctx_grow(cx, array, n, room, size);
}

/* ---- the package document ---------------------------------------------------------- */

static Status container_open(void *arg, const XmlTag *tag)
{
    Book *b = arg;
    if (b->opf.n || strcmp(tag->name, "rootfile") != 0) return OK;
    b->opf = package_path(b->cx, STR(""), xml_attribute(tag, "full-path"));
    return b->opf.p ? OK : E_MEMORY;
}

static Status add_item(Book *b, const XmlTag *tag)
{
    TRY(grow(b->cx, &b->items, b->n_items, &b->items_room, sizeof *b->items));
    Item item = {
        .id = ctx_dup(b->cx, xml_attribute(tag, "id")),
        .path = package_path(b->cx, b->opf, xml_attribute(tag, "href")),
        .properties = ctx_dup(b->cx, xml_attribute(tag, "properties")),
        .type = ctx_dup(b->cx, xml_attribute(tag, "media-type")),
    };
    if (!item.id.p || !item.path.p || !item.properties.p || !item.type.p) return E_MEMORY;
    b->items[b->n_items++] = item;
    return OK;
}

static Status add_to_spine(Book *b, const XmlTag *tag)
{
    TRY(grow(b->cx, &b->spine, b->n_spine, &b->spine_room, sizeof *b->spine));
    TRY_NEW((b->spine[b->n_spine] = ctx_dup(b->cx, xml_attribute(tag, "idref"))).p);
    b->n_spine++;
    return OK;
}

static Status opf_open(void *arg, const XmlTag *tag)
{
    Book *b = arg;
    if (strcmp(tag->name, "item") == 0) return add_item(b, tag);
    if (strcmp(tag->name, "itemref") == 0) return add_to_spine(b, tag);
    if (strcmp(tag->name, "spine") != 0) return OK;
    b->toc_id = ctx_dup(b->cx, xml_attribute(tag, "toc"));
    return b->toc_id.p ? OK : E_MEMORY;
}

static const Item *item_by_id(const Book *b, Str id)
{
    for (size_t i = 0; i < b->n_items; i++)
        if (str_eq(b->items[i].id, id)) return &b->items[i];
    return NULL;
}

static Status read_package(Book *b)
{
    static const XmlEvents container = { .open = container_open };
    static const XmlEvents opf = { .open = opf_open };
    Status st = pack_xml(b->pack, STR("META-INF/container.xml"), &container, b);
    if (st == OK && b->opf.n) st = pack_xml(b->pack, b->opf, &opf, b);
    if (st == E_NOTFOUND || (st == OK && b->n_spine == 0))
        return fail(b->cx, E_FORMAT, "no chapters are named in it: this is no EPUB book");
    return st;
}

/* ---- encryption -------------------------------------------------------------------- */

/* Fonts are often obfuscated, which does no harm; text is encrypted by DRM only. */
static Status encryption_open(void *arg, const XmlTag *tag)
{
    Book *b = arg;
    Str uri = xml_attribute(tag, "URI");
    if (strcmp(tag->name, "CipherReference") != 0) return OK;
    if (!str_ends(uri, STR("html")) && !str_ends(uri, STR("htm"))) return OK;
    return fail(b->cx, E_FORMAT, "this book is encrypted (DRM) and cannot be read");
}

static Status refuse_encrypted(Book *b)
{
    static const XmlEvents events = { .open = encryption_open };
    Status st = pack_xml(b->pack, STR("META-INF/encryption.xml"), &events, b);
    return st == E_NOTFOUND ? OK : st;
}

/* ---- the table of contents --------------------------------------------------------- */

/* <a href> in a navigation document, <text> and then <content src> in an NCX. */
static Status toc_open(void *arg, const XmlTag *tag)
{
    Book *b = arg;
    bool link = strcmp(tag->name, "a") == 0, content = strcmp(tag->name, "content") == 0;
    if (link || strcmp(tag->name, "text") == 0) {
        b->name.n = 0;
        b->naming = true;
    }
    if (!link && !content) return OK;
    Str href = xml_attribute(tag, link ? "href" : "src");
    b->href = package_path(b->cx, b->toc, href);
    return b->href.p ? OK : E_MEMORY;
}

static Status toc_close(void *arg, const char *name)
{
    Book *b = arg;
    bool link = strcmp(name, "a") == 0;
    if (link || strcmp(name, "text") == 0) b->naming = false;
    if ((!link && strcmp(name, "content") != 0) || b->href.n == 0) return OK;
    if (b->n_entries && str_eq(b->entries[b->n_entries - 1].path, b->href)) return OK;
    TRY(grow(b->cx, &b->entries, b->n_entries, &b->entries_room, sizeof *b->entries));
    Str text = str_trim(buf_str(&b->name));
    b->entries[b->n_entries] = (Entry){ b->href, ctx_dup(b->cx, text) };
    return b->entries[b->n_entries++].name.p ? OK : E_MEMORY;
}

static Status toc_text(void *arg, Str text)
{
    Book *b = arg;
    if (b->naming && b->name.n + text.n <= NAME_BYTES) buf_add(&b->name, text);
    return OK;
}

static Status read_toc(Book *b)
{
    static const XmlEvents events = { toc_open, toc_close, toc_text };
    const Item *toc = NULL;
    for (size_t i = 0; i < b->n_items && !toc; i++)
        if (str_eq(b->items[i].properties, STR("nav"))) toc = &b->items[i];
    if (!toc && b->toc_id.n) toc = item_by_id(b, b->toc_id);
    if (!toc) return OK;
    b->toc = toc->path;
    b->name = BUF(1 << 12);
    Status st = pack_xml(b->pack, toc->path, &events, b);
    if (b->name.starved) st = fail(b->cx, E_MEMORY, "out of memory for a name");
    buf_free(&b->name);
    if (st != E_NOTFOUND && st != E_FORMAT) return st;
    ctx_forgive(b->cx);
    return OK;
}

static Str name_of(const Book *b, Str path)
{
    for (size_t i = 0; i < b->n_entries; i++)
        if (str_eq(b->entries[i].path, path)) return b->entries[i].name;
    return STR("");
}

/* ---- chapters ---------------------------------------------------------------------- */

static Status add_chapter(Book *b, const Item *item, const Input *in, Edition *e,
                          Buf *bytes)
{
    Status st = pack_find(b->pack, item->path);
    if (st == OK) st = pack_bytes(b->pack, bytes);
    if (st == E_NOTFOUND) return OK;
    if (st != OK) return st;
    return member_add(b->cx, e, &(Member){
        .kind = KIND_HTML, .name = name_of(b, item->path), .bytes = buf_str(bytes),
        .depth = in->depth - 1, .unpacked = b->pack->unpacked, .level = 1,
        .chapter = true });
}

/* The navigation document is no chapter, though it may be in the spine. */
static bool is_chapter(const Item *item)
{
    return item && !str_eq(item->properties, STR("nav")) &&
           (str_eq(item->type, STR("application/xhtml+xml")) ||
            str_eq(item->type, STR("text/html")));
}

static Status add_chapters(Book *b, const Input *in, Edition *e)
{
    Buf bytes = BUF(PACK_MEMBER_MAX + 1);
    Status st = OK;
    for (size_t i = 0; i < b->n_spine && st == OK; i++) {
        const Item *item = item_by_id(b, b->spine[i]);
        if (is_chapter(item)) st = add_chapter(b, item, in, e, &bytes);
    }
    buf_free(&bytes);
    return st;
}

static Status read_book(Book *b, const Input *in, Edition *e)
{
    TRY(refuse_encrypted(b));
    TRY(read_package(b));
    TRY(package_title(b->pack, b->opf, e));
    TRY(read_toc(b));
    return add_chapters(b, in, e);
}

Status epub_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Pack pack;
    Edition e;
    Book b = { .cx = cx, .pack = &pack };
    edition_open(&e, cx, to);
    Status st = pack_open(cx, in, PACK_ZIP, &pack);
    if (st == OK) st = read_book(&b, in, &e);
    pack_close(&pack);
    return edition_finish(&e, cx, st);
}
