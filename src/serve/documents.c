/* documents.c -- what the store holds: listed, shown, added, removed. */
#include "serve/route.h"

#include "base/ctx.h"
#include "serve/base64.h"
#include "serve/field.h"
#include "serve/guard.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENTS_MAX = 1000, FORM_BUFFER = 16 << 10 };

/* ---- reading ---------------------------------------------------------------------- */

/* The list of the store; an empty one where there is no store yet. NULL: replied. */
static json_t *list_all(Request *r, pith *p)
{
    char *text = NULL;
    pith_error why;
    int code = pith_list(p, &text, &why);
    if (code && code != PITH_E_NOTFOUND) {
        reply_pith(r, &why);
        return NULL;
    }
    json_t *all = text ? json_loads(text, 0, NULL) : json_array();
    pith_string_free(text);
    if (!all) reply_error(r, 503, NULL, "out of memory for the list");
    return all;
}

void documents_list(Request *r, pith *p)
{
    json_t *all = list_all(r, p);
    if (all) reply_json(r, 200, json_pack("{ss so}", "object", "list", "data", all));
}

static json_t *find_document(json_t *all, const char *name)
{
    size_t i;
    json_t *j;
    json_array_foreach(all, i, j)
        if (strcmp(json_string_value(json_object_get(j, "document")), name) == 0)
            return j;
    return NULL;
}

void documents_show(Request *r, pith *p)
{
    json_t *all = list_all(r, p);
    json_t *one = all ? find_document(all, r->rest) : NULL;
    if (one) reply_json(r, 200, json_incref(one));
    else if (all) reply_error(r, 404, "document", "the store has no such document");
    json_decref(all);
}

/* pith_remove takes a folder too; here a name means one document. */
void documents_remove(Request *r, pith *p)
{
    json_t *all = list_all(r, p);
    size_t n = 0;
    pith_error why;
    bool known = all && find_document(all, r->rest);
    if (!all) return;
    json_decref(all);
    if (!known) {
        reply_error(r, 404, "document", "the store has no such document");
    } else if (pith_remove(p, r->rest, &n, &why)) {
        reply_pith(r, &why);
    } else {
        events_tell(r->server->events, "removed", json_pack("{ss}", "document", r->rest));
        reply_json(r, 200, json_pack("{ss sb}", "document", r->rest, "deleted", 1));
    }
}

/* ---- adding ----------------------------------------------------------------------- */

static bool read_format(Request *r)
{
    const json_t *asked = json_object_get(r->json, "format");
    const char *name = json_string_value(asked);
    if (!asked || json_is_null(asked)) return true;
    for (int i = 0; name && pith_format(i); i++)
        if (strcmp(name, pith_format(i)) == 0) return true;
    return field_wrong(r, "format", "text, markdown, html or another format that pith "
                       "reads was expected");
}

static bool read_document(Request *r, void *to)
{
    static const char *const known[] = { "document", "text", "base64", "title", "format",
                                         NULL };
    const json_t *text = json_object_get(r->json, "text");
    const json_t *coded = json_object_get(r->json, "base64");
    (void)to;
    if (!field_only(r, known)) return false;
    if (!guard_name(json_string_value(json_object_get(r->json, "document"))))
        return field_wrong(r, "document", GUARD_NAME_WANTED);
    if (coded && (text || base64_length(json_string_value(coded)) == 0))
        return field_wrong(r, "base64", "the bytes of a file in base64, instead of text, "
                           "were expected");
    if (!coded && json_string_length(text) == 0)
        return field_wrong(r, "text", "a string that is not empty was expected");
    return field_ignored(r, "title") && read_format(r);
}

static bool read_documents(Request *r)
{
    static const char *const known[] = { "documents", NULL };
    return field_only(r, known)
        && field_objects(r, "documents", DOCUMENTS_MAX, read_document, NULL);
}

/* Keeps the documents of r->json, which is {"document","text",...} or
 * {"documents":[...]}; queues the job, replies. */
static void keep(Request *r)
{
    Ctx cx = CTX_INIT;
    char id[JOB_ID_BYTES];
    json_t *many = json_object_get(r->json, "documents");
    if (!(many ? read_documents(r) : read_document(r, NULL))) return;
    json_t *all = many ? json_incref(many) : json_pack("[O]", r->json);
    Status st = !all ? fail(&cx, E_MEMORY, "out of memory for documents")
        : jobs_add(&cx, r->server->jobs, all, str_hash(str_z(r->client)), id);
    if (st == OK) {
        reply_header(r, "Location", "/v1/jobs/%s", id);
        reply_json(r, 202, jobs_show(r->server->jobs, id));
    } else {
        if (st == E_BUSY) reply_header(r, "Retry-After", "%d", 5);
        reply_error(r, st == E_BUSY ? 429 : 500, NULL, "%s", cx.reason);
    }
    json_decref(all);
    ctx_end(&cx);
}

static void add_json(Request *r)
{
    json_error_t why;
    r->json = json_loadb(r->body.n ? r->body.p : "", r->body.n, 0, &why);
    if (json_is_object(r->json)) keep(r);
    else reply_error(r, 400, NULL, "the body is not a JSON object: %.100s", why.text);
}

/* ---- forms with files ------------------------------------------------------------- */

typedef struct Form {
    json_t *documents;
    Buf name, text;         // the part in work
    size_t max;
    bool bad;
} Form;

/* As text, where it is that; NULL where it is not. */
static json_t *document_text(Str s)
{
    bool zeros = s.n && memchr(s.p, 0, s.n);
    return zeros ? NULL : json_stringn(s.n ? s.p : "", s.n);
}

static void end_part(Form *f)
{
    if (!f->name.n) return;
    json_t *text = document_text(buf_str(&f->text));
    json_t *j = json_pack("{ss so}", "document", f->name.p,
                          text ? "text" : "base64",
                          text ? text : base64_of(buf_str(&f->text)));
    f->bad |= !j || json_array_append_new(f->documents, j);
    buf_free(&f->name);
    buf_free(&f->text);
}

static enum MHD_Result on_part(void *cls, enum MHD_ValueKind kind, const char *key,
                               const char *file, const char *type, const char *encoding,
                               const char *data, uint64_t at, size_t n)
{
    Form *f = cls;
    (void)kind, (void)key, (void)type, (void)encoding;
    if (at == 0) {
        end_part(f);
        if (file && *file) buf_add(&f->name, str_z(file));
    }
    if (f->name.n) buf_add(&f->text, (Str){ data, n });
    return f->text.failed || f->bad ? MHD_NO : MHD_YES;
}

static void add_form(Request *r)
{
    Form f = { .documents = json_array(), .name = BUF(GUARD_NAME_MAX + 1),
               .text = BUF(r->body.max) };
    struct MHD_PostProcessor *pp = MHD_create_post_processor(r->connection, FORM_BUFFER,
                                                             on_part, &f);
    bool read = pp && MHD_post_process(pp, r->body.p, r->body.n) == MHD_YES;
    if (pp) read &= MHD_destroy_post_processor(pp) == MHD_YES;
    end_part(&f);
    if (f.bad)
        reply_error(r, 503, "file", "out of memory for the files");
    else if (!read || json_array_size(f.documents) == 0)
        reply_error(r, 400, "file", "a form with at least one file that has a name "
                    "and is not empty was expected");
    else
        r->json = json_pack("{sO}", "documents", f.documents), keep(r);
    json_decref(f.documents);
}

void documents_add(Request *r, pith *p)
{
    const char *type = MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND,
                                                   "Content-Type");
    (void)p;
    if (type && strncasecmp(type, "application/json", 16) == 0)
        add_json(r);
    else if (r->body.n && type && strncasecmp(type, "multipart/form-data", 19) == 0)
        add_form(r);
    else
        reply_error(r, 415, NULL, "application/json or multipart/form-data was wanted");
}
