/* glossary.c -- see glossary.h. */
#include "api/glossary.h"

#include "api/beside.h"
#include "base/file.h"

enum { MAX_FILE = 4 << 20 };

static Status read_one(Ctx *cx, const char *path, Glossary *out)
{
    Str text;
    Status st = file_read(cx, path, MAX_FILE, &text);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    return st == OK ? glossary_parse(cx, path, text, out) : st;
}

Status glossary_read(Ctx *cx, const pith *p, Glossary *out)
{
    Str folder, path;
    *out = (Glossary){ 0 };
    TRY(beside_path(cx, p, BESIDE_GLOSSARY, &path));
    TRY(read_one(cx, path.p, out));
    Status st = folder_config(cx, &folder);
    if (st == E_NOTFOUND) return ctx_forgive(cx), OK;
    TRY(st);
    TRY(path_join(cx, folder, STR("glossary"), &path));
    return read_one(cx, path.p, out);
}
