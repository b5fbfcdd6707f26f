/* mail.c -- e-mail: a message of a file (.eml), or the many of a mailbox (RFC 4155).
 *
 * A message is a heading with its subject, the lines that say who wrote to whom and when,
 * the best of its texts, and its attachments as documents inside it. What others said
 * before stays, each quotation as a paragraph; a signature behind "-- " and the footer of
 * a mailing list go. */
#include "parse/member.h"
#include "parse/mime.h"

#include "parse/charset.h"

#include <string.h>

enum {
    NESTED_MAX = 16,        // multiparts in multiparts
    PARTS_MAX = 1000,       // of a message
    SIGNATURE_LINES = 12, RULE = 30,
    PLAIN_SHARE = 20,       // a text shorter than this part of its HTML is a stub
};

typedef struct Mail {
    Ctx *cx;                // of the message
    Edition *e;
    const Input *in;
    Unpacked *unpacked;
    int level;              // of its heading
    int parts;
} Mail;

/* What an entity's header says of its body. */
typedef struct Entity {
    Str head, body;
    Str type, disposition;  // fields as they stand
    Str kind;               // "text/plain"
} Entity;

static Status read_entity(Ctx *cx, Str bytes, Entity *out)
{
    out->head = mime_head(bytes, &out->body);
    TRY_NEW((out->type = mime_field(cx, out->head, STR("Content-Type"))).p);
    out->disposition = mime_field(cx, out->head, STR("Content-Disposition"));
    TRY_NEW(out->disposition.p);
    out->kind = mime_first(out->type);
    if (out->kind.n == 0) out->kind = STR("text/plain");
    return OK;
}

static bool is_kind(const Entity *n, const char *kind)
{
    return str_ieq(n->kind, str_z(kind));
}

static bool is_multipart(const Entity *n)
{
    return n->kind.n > 10 && str_ieq((Str){ n->kind.p, 10 }, STR("multipart/"));
}

static Status decoded(Ctx *cx, const Entity *n, Str *out)
{
    Str encoding = mime_field(cx, n->head, STR("Content-Transfer-Encoding"));
    TRY_NEW(encoding.p);
    *out = mime_decode(cx, n->body, encoding);
    return out->p || n->body.n == 0 ? OK : E_MEMORY;
}

/* The body as UTF-8; empty where it is no text. */
static Status decoded_text(Ctx *cx, const Entity *n, Str *out)
{
    Str bytes, charset = mime_parameter(cx, n->type, STR("charset"));
    TRY_NEW(charset.p);
    TRY(decoded(cx, n, &bytes));
    Status st = charset_named(cx, charset, bytes, out);
    if (st != E_FORMAT) return st;
    ctx_forgive(cx);
    *out = (Str){ "", 0 };
    return OK;
}

/* ---- plain text -------------------------------------------------------------------- */

/* How often the line is quoted; its '>' are taken off. */
static int quoted(Str *line)
{
    int depth = 0;
    size_t i = 0;
    for (; i < line->n && (line->p[i] == '>' || (depth && line->p[i] == ' ')); i++)
        depth += line->p[i] == '>';
    if (depth) *line = (Str){ line->p + i, line->n - i };
    return depth;
}

static bool begins_item(Str line)
{
    line = str_trim(line);
    size_t digits = 0;
    while (digits < line.n && line.p[digits] >= '0' && line.p[digits] <= '9') digits++;
    if (digits && digits <= 3 && digits + 1 < line.n)
        return (line.p[digits] == '.' || line.p[digits] == ')') &&
               line.p[digits + 1] == ' ';
    return line.n > 2 && strchr("-*+", line.p[0]) && line.p[1] == ' ';
}

static bool is_rule(Str line)
{
    size_t n = 0;
    while (n < line.n && line.p[n] == '_') n++;
    return n >= RULE && n == line.n;
}

/* Where the text ends: before a signature or a list's footer, if one is the last there
 * is. */
static size_t text_end(Str s)
{
    size_t end = s.n, next = 0;
    int lines = 0;
    bool cut = false;
    for (size_t at = 0; at < s.n; at = next) {
        Str line = line_at(s, at, &next);
        if (!cut && (str_eq(line, STR("-- ")) || is_rule(str_trim(line))))
            end = at, lines = 0, cut = true;
        if (cut && ++lines > SIGNATURE_LINES) end = s.n, cut = false;
    }
    return end;
}

typedef struct Prose {
    Edition *e;
    Buf run;                // of the open paragraph
    int depth;              // of its quotation
    bool item;
} Prose;

static Status end_run(Prose *p)
{
    Status st = OK;
    if (p->run.failed) st = fail(&p->e->own, E_MEMORY, "out of memory for a paragraph");
    else if (p->run.n)
        st = edition_add(p->e, p->item ? PART_ITEM : PART_PARAGRAPH, 0,
                         buf_str(&p->run));
    p->run.n = 0;
    p->item = false;
    return st;
}

static Status add_line(Prose *p, Str line)
{
    int depth = quoted(&line);
    bool item = begins_item(line);
    Str words = str_trim(line);
    if (words.n == 0 || depth != p->depth || item) TRY(end_run(p));
    p->depth = depth;
    if (words.n == 0) return OK;
    p->item |= item;
    if (p->run.n == 0 && depth) buf_add(&p->run, STR("> "));
    buf_add(&p->run, words);
    buf_add(&p->run, STR(" "));
    return OK;
}

static Status add_plain(Mail *m, Str text)
{
    Prose p = { .e = m->e, .run = BUF(EDITION_PART_MAX) };
    Status st = OK;
    size_t next = 0;
    text.n = text_end(text);
    for (size_t at = mark_length(text); at < text.n && st == OK; at = next)
        st = add_line(&p, line_at(text, at, &next));
    if (st == OK) st = end_run(&p);
    buf_free(&p.run);
    return st;
}

/* ---- bodies ------------------------------------------------------------------------ */

static Status add_member(Mail *m, Kind kind, Str name, Str bytes, int level)
{
    return member_add(m->cx, m->e, &(Member){
        .kind = kind, .name = name, .bytes = bytes, .level = level,
        .depth = kind == KIND_HTML ? m->in->depth - 1 : m->in->depth,
        .unpacked = m->unpacked });
}

static Status add_text(Mail *m, const Entity *n)
{
    Str text;
    TRY(decoded_text(m->cx, n, &text));
    if (is_kind(n, "text/html")) return add_member(m, KIND_HTML, STR(""), text, 0);
    return add_plain(m, text);
}

static Status file_name(Mail *m, const Entity *n, Str *out)
{
    TRY_NEW((*out = mime_parameter(m->cx, n->disposition, STR("filename"))).p);
    if (out->n == 0)
        TRY_NEW((*out = mime_parameter(m->cx, n->type, STR("name"))).p);
    return OK;
}

static Status add_attachment(Mail *m, const Entity *n, Str name)
{
    Str bytes;
    TRY(decoded(m->cx, n, &bytes));
    bool mail = is_kind(n, "message/rfc822");
    if (name.n == 0) name = mail ? STR("message") : STR("attachment");
    return add_member(m, mail ? KIND_MAIL : KIND_NONE, name, bytes, m->level + 1);
}

static Status add_entity(Mail *m, Str bytes, int nested);

/* Of several forms of one text: plain, unless it is a stub for what the HTML says. */
static Status add_alternative(Mail *m, const Entity *n, Str boundary, int nested)
{
    Str part, plain = { "", 0 }, rich = { "", 0 }, other = { "", 0 };
    for (size_t at = 0; mime_next(n->body, boundary, &at, &part);) {
        Entity form;
        if (++m->parts > PARTS_MAX) break;
        TRY(read_entity(m->cx, part, &form));
        if (is_kind(&form, "text/plain")) plain = part;
        else if (is_kind(&form, "text/html") || is_multipart(&form)) rich = part;
        else if (other.n == 0) other = part;
    }
    bool stub = plain.n * PLAIN_SHARE < rich.n;
    Str best = plain.n && !stub ? plain : rich.n ? rich : plain.n ? plain : other;
    return best.n ? add_entity(m, best, nested + 1) : OK;
}

static Status add_parts(Mail *m, const Entity *n, int nested)
{
    Str part, boundary = mime_parameter(m->cx, n->type, STR("boundary"));
    TRY_NEW(boundary.p);
    if (nested == NESTED_MAX) return OK;
    if (is_kind(n, "multipart/alternative"))
        return add_alternative(m, n, boundary, nested);
    for (size_t at = 0; mime_next(n->body, boundary, &at, &part);) {
        if (++m->parts > PARTS_MAX) break;
        TRY(add_entity(m, part, nested + 1));
    }
    return OK;
}

static Status add_entity(Mail *m, Str bytes, int nested)
{
    Entity n;
    Str name;
    TRY(ctx_check(m->cx));
    TRY(read_entity(m->cx, bytes, &n));
    if (is_multipart(&n)) return add_parts(m, &n, nested);
    TRY(file_name(m, &n, &name));
    bool attached = str_ieq(mime_first(n.disposition), STR("attachment")) || name.n > 0;
    bool text = is_kind(&n, "text/plain") || is_kind(&n, "text/html");
    return text && !attached ? add_text(m, &n) : add_attachment(m, &n, name);
}

/* ---- messages ---------------------------------------------------------------------- */

static Status add_field(Mail *m, Str head, const char *name)
{
    Str value = mime_field(m->cx, head, str_z(name));
    TRY_NEW(value.p);
    if (value.n == 0) return OK;
    TRY_NEW((value = mime_words(m->cx, value)).p);
    Str line = ctx_printf(m->cx, "%s: %.*s", name, (int)value.n, value.p);
    return line.p ? edition_add(m->e, PART_ITEM, 0, line) : E_MEMORY;
}

static Status add_message(Mail *m, Str bytes, bool titled)
{
    Str body, head = mime_head(bytes, &body);
    Str subject = mime_field(m->cx, head, STR("Subject"));
    TRY_NEW(subject.p);
    TRY_NEW((subject = mime_words(m->cx, subject)).p);
    if (subject.n == 0) subject = STR("(no subject)");
    if (titled) TRY(edition_title(m->e, subject));
    TRY(edition_add(m->e, PART_HEADING, m->level, subject));
    static const char *const fields[] = { "From", "To", "Cc", "Date" };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        TRY(add_field(m, head, fields[i]));
    return add_entity(m, bytes, 0);
}

/* Its memory goes with the message. */
static Status read_message(Ctx *cx, const Input *in, Edition *e, Str bytes, bool titled)
{
    Unpacked unpacked = { .from = in->bytes.n };
    Ctx own = { .cancelled = cx->cancelled, .cancel_arg = cx->cancel_arg };
    Mail m = { .cx = &own, .e = e, .in = in, .level = 1,
               .unpacked = in->unpacked ? in->unpacked : &unpacked };
    Status st = add_message(&m, bytes, titled);
    if (st != OK && own.status != OK) fail(cx, st, "%s", own.reason);
    ctx_end(&own);
    return st;
}

Status mail_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    edition_open(&e, cx, to);
    Status st = read_message(cx, in, &e, in->bytes, true);
    return edition_finish(&e, cx, st);
}

/* "From ada@example.org Tue Mar  5 14:30:00 2024", and not a sentence. */
static bool is_postmark(Str line)
{
    return str_starts(line, STR("From ")) && line.n > 20 && memchr(line.p, ':', line.n);
}

/* Where the message at `at` ends: before a postmark behind an empty line. *next is the
 * first line of the one behind it. */
static size_t message_end(Str box, size_t at, size_t *next)
{
    size_t i = at;
    for (bool empty = false; i < box.n; i = *next) {
        Str line = line_at(box, i, next);
        if (empty && is_postmark(line)) return i;
        empty = line.n == 0;
    }
    *next = box.n;
    return box.n;
}

Status mbox_parse(Ctx *cx, const Input *in, const Sink *to)
{
    Edition e;
    Str box = in->bytes;
    size_t next = 0;
    Status st = OK;
    edition_open(&e, cx, to);
    if (str_starts(box, STR("From "))) line_at(box, 0, &next);
    for (size_t at = next; at < box.n && st == OK; at = next) {
        size_t end = message_end(box, at, &next);
        st = read_message(cx, in, &e, (Str){ box.p + at, end - at }, false);
    }
    return edition_finish(&e, cx, st);
}
