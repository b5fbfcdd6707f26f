/* gate_cases.c -- see gate_cases.h. */
#include "eval/gate_cases.h"

#include "eval/general.h"
#include "eval/lines.h"
#include "eval/value.h"

#include <string.h>

static void accept(Case *c, const char *answer)
{
    if (answer && *answer) c->accepted[c->n_accepted++] = str_z(answer);
}

static Status from_messages(Ctx *cx, const json_t *list, Case *c)
{
    size_t n = json_array_size(list);
    if (n < 2 || n > CASE_MESSAGES)
        return fail(cx, E_FORMAT, "%zu messages: 2 to %d are wanted", n, CASE_MESSAGES);
    for (size_t i = 0; i < n; i++) {
        const json_t *m = json_array_get(list, i);
        pith_message one = { text_at(m, "role"), text_at(m, "content") };
        if (!one.role || !one.content)
            return fail(cx, E_FORMAT, "message %zu lacks a role or a content", i + 1);
        const char *due = i + 1 == n ? "assistant" : i + 2 == n ? "user" : NULL;
        if (due && strcmp(one.role, due) != 0)
            return fail(cx, E_FORMAT, "the last two messages are to be the user's and "
                        "the assistant's");
        if (i + 2 < n) c->before[c->n_before++] = one;
        else if (i + 2 == n) c->put = one.content;
        else accept(c, one.content);
    }
    return OK;
}

static Status read_case(Ctx *cx, const json_t *line, Case *c)
{
    const json_t *list = json_object_get(line, "messages");
    c->question = text_at(line, "question");
    if (json_is_array(list)) {
        TRY(from_messages(cx, list, c));
    } else {
        c->put = c->question;
        c->context = text_at(line, "context");
        if (c->context && !*c->context) c->context = NULL;
        accept(c, text_at(line, "answer"));
    }
    if (!c->put || !c->n_accepted)
        return fail(cx, E_FORMAT, "neither \"messages\" nor \"question\" and "
                    "\"answer\"");
    if (!c->question) c->question = c->put;
    c->unanswerable = pith_is_refusal(c->accepted[0].p);
    if (!c->unanswerable) accept(c, text_at(line, "words"));
    return OK;
}

static void ask_in_general(Case *c)
{
    for (size_t i = 0; i < N_GENERAL; i++, c++) {
        c->put = c->question = general[i].question;
        c->general = true;
        c->chooses = i % 2 == 1;
        accept(c, general[i].answer[0]);
        accept(c, general[i].answer[1]);
    }
}

static Status read_line(Ctx *cx, Cases *c, Str line)
{
    json_error_t why = { .text = "" };
    json_t *j = json_loadb(line.p, line.n, 0, &why);
    Status st = json_is_object(j) ? read_case(cx, j, &c->at[c->n])
                                  : fail(cx, E_FORMAT, "not a JSON object: %s", why.text);
    if (st == OK && json_array_append(c->lines, j) != 0)
        st = fail(cx, E_MEMORY, "no memory for it");
    if (st == OK) c->n++;
    json_decref(j);
    return st;
}

static Status read_lines(Ctx *cx, const char *path, size_t most, Str text, Cases *c)
{
    Str line;
    size_t number = 0, unanswerable = 0;
    while (c->n < most && lines_next(&text, &line)) {
        Ctx one = CTX_INIT;
        number++;
        Status st = str_trim(line).n ? read_line(&one, c, str_trim(line)) : OK;
        if (st != OK) fail(cx, st, "%s, line %zu: %s", path, number, one.reason);
        ctx_end(&one);
        TRY(st);
    }
    for (size_t i = 0; i < c->n; i++)
        if (c->at[i].unanswerable) c->at[i].chooses = unanswerable++ % 2 == 1;
    return c->n ? OK : fail(cx, E_FORMAT, "%s holds no example to judge by", path);
}

Status cases_read(Ctx *cx, const char *path, size_t limit, Cases *out)
{
    Str text;
    *out = (Cases){ .lines = json_array() };
    if (!out->lines) return fail(cx, E_MEMORY, "no memory for the examples");
    TRY(lines_read(cx, path, &text));
    size_t most = lines_count(text);
    if (limit && limit < most) most = limit;
    TRY_NEW(out->at = ctx_new(cx, Case, most + N_GENERAL));
    TRY(read_lines(cx, path, most, text, out));
    ask_in_general(out->at + out->n);
    out->all = out->n + N_GENERAL;
    return OK;
}

void cases_close(Cases *c)
{
    json_decref(c->lines);
}
