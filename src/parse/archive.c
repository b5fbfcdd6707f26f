/* archive.c -- archives of documents, and single files that are compressed: a member is a
 * section with its path as heading.
 *
 * Paths are words only: nothing is written anywhere. Hidden members and those that are no
 * documents are passed over, as in a folder. */
#include "parse/member.h"
#include "parse/pack.h"

#include <archive.h>
#include <string.h>

typedef struct Unpacking {
    Ctx *cx;
    const Input *in;
    Edition *e;
    Pack pack;
    Buf bytes;              // of the member
    size_t members;
} Unpacking;

/* A member of a hidden folder, or of those that macOS adds. */
static bool is_hidden(Str path)
{
    for (size_t i = 0; i < path.n; i++) {
        Str rest = { path.p + i, path.n - i };
        bool first = i == 0 || path.p[i - 1] == '/';
        if (!first || rest.p[0] != '.') continue;
        if (!str_starts(rest, STR("./")) && !str_starts(rest, STR("../"))) return true;
    }
    return str_starts(path, STR("__MACOSX/"));
}

/* "../../etc/x" and "/etc/x" are called "etc/x". */
static Str harmless(Str path)
{
    while (str_starts(path, STR("/")) || str_starts(path, STR("./")) ||
           str_starts(path, STR("../"))) {
        size_t skip = path.p[0] == '/' ? 1 : path.p[1] == '/' ? 2 : 3;
        path = (Str){ path.p + skip, path.n - skip };
    }
    return path;
}

/* "notes.txt.gz" is a compressed notes.txt. */
static Str inner_name(Str name)
{
    static const Str endings[] = { { ".gz", 3 }, { ".xz", 3 }, { ".zst", 4 },
                                   { ".bz2", 4 } };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (str_ends(name, endings[i])) name.n -= endings[i].n;
    return name;
}

static Status add_member(Unpacking *u, Str path)
{
    bool single = archive_format(u->pack.a) == ARCHIVE_FORMAT_RAW;
    if (single && archive_filter_count(u->pack.a) < 2)
        return fail(u->cx, E_FORMAT, "this is no archive");
    if (!single && is_hidden(path)) return OK;
    Str name = ctx_dup(u->cx, single ? inner_name(u->in->name) : harmless(path));
    TRY_NEW(name.p);
    TRY(pack_bytes(&u->pack, &u->bytes));
    return member_add(u->cx, u->e, &(Member){
        .name = name, .bytes = buf_str(&u->bytes), .level = single ? 0 : 1,
        .depth = single ? u->in->depth - 1 : u->in->depth,
        .unpacked = u->pack.unpacked });
}

static Status add_members(Unpacking *u)
{
    for (;;) {
        Str path;
        Status st = pack_next(&u->pack, &path);
        if (st == OK && ++u->members > PACK_MEMBERS)
            return fail(u->cx, E_LIMIT, "an archive of more than %d files", PACK_MEMBERS);
        if (st == OK) st = add_member(u, path);
        if (st == E_NOTFOUND) break;
        if (st != OK) return st;
    }
    if (u->e->parts) return OK;
    return fail(u->cx, E_FORMAT, "no document in it that is read");
}

Status archive_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    Unpacking u = { .cx = cx, .in = in, .e = &e, .bytes = BUF(PACK_MEMBER_MAX + 1) };
    edition_open(&e, cx, to);
    Status st = pack_open(cx, in, PACK_ANY, &u.pack);
    if (st == OK) st = add_members(&u);
    pack_close(&u.pack);
    buf_free(&u.bytes);
    return edition_finish(&e, cx, st);
}
