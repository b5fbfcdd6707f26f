/* tune.c -- training and the prompt to train with, as the public header has them. */
#include "api/handle.h"
#include "ask/prompt.h"
#include "model/catalog.h"
#include "tune/adapter.h"
#include "tune/train.h"

#include <jansson.h>
#include <stdio.h>

enum { MOST_SCALE = 100 };

static void on_step(void *arg, const TrainStep *now)
{
    const pith_tune_options *o = arg;
    pith_tune_step s = { now->step, now->steps, now->loss, now->rate, now->tok_per_s,
                         now->left_s };
    if (o->on_step) o->on_step(o->arg, &s);
}

static void on_note(void *arg, const char *text)
{
    const pith_tune_options *o = arg;
    if (o->on_note) o->on_note(o->arg, text);
}

static bool ask_owner(void *arg)
{
    const pith_tune_options *o = arg;
    return o->cancelled && o->cancelled(o->arg) != 0;
}

static void show(const TrainResult *r, pith_tune_result *out)
{
    out->steps = r->steps;
    out->loss_first = r->loss_first;
    out->loss_last = r->loss_last;
    out->tok_per_s = r->tok_per_s;
    out->peak_mb = r->peak_mb;
    out->finished = r->finished;
    snprintf(out->adapter, sizeof out->adapter, "%s", r->adapter.p);
}

int pith_tune_train(const pith_tune_options *opt, pith_tune_result *out, pith_error *why)
{
    Ctx cx = CTX_INIT;
    Str path;
    TrainResult r;
    *out = (pith_tune_result){ 0 };
    cx.cancelled = ask_owner;
    cx.cancel_arg = (void *)(uintptr_t)opt;
    Status st = opt->model ? catalog_resolve(&cx, opt->model, &path)
                           : fail(&cx, E_ARG, "training needs a model: name one");
    if (st == OK) {
        TrainOptions o = { .data = opt->data, .model = path.p, .out = opt->out,
            .rank = opt->rank, .alpha = (float)opt->alpha, .seq = opt->seq,
            .batch = opt->batch, .steps = opt->steps, .minutes = opt->minutes,
            .rate = opt->lr, .save_every = opt->save_every, .max_mb = opt->max_mb,
            .threads = opt->threads, .seed = opt->seed, .on_step = on_step,
            .on_note = on_note, .arg = (void *)(uintptr_t)opt };
        st = train(&cx, &o, &r);
    }
    if (st == OK) show(&r, out);
    int code = error_out(&cx, st, why);
    ctx_end(&cx);
    return code;
}

int pith_adapter_scale(const char *from, const char *to, double scale, pith_error *why)
{
    Ctx cx = CTX_INIT;
    Status st = from && to && scale > 0 && scale <= MOST_SCALE
        ? adapter_scale(&cx, from, to, scale)
        : fail(&cx, E_ARG, "two files and a scale above 0, at most %d, are wanted",
               MOST_SCALE);
    int code = error_out(&cx, st, why);
    ctx_end(&cx);
    return code;
}

/* ---- what is learned -------------------------------------------------------------- */

static Status passages_in(Ctx *cx, const pith_passage *at, size_t n, Passages *out)
{
    *out = (Passages){ ctx_new(cx, Passage, n), n, 0, 0 };
    TRY_NEW(out->at);
    for (size_t i = 0; i < n; i++)
        out->at[i].chunk = (Chunk){ .title = str_z(at[i].title),
                                    .section = str_z(at[i].section),
                                    .text = str_z(at[i].read) };
    return OK;
}

static Status talk(Ctx *cx, const char *question, const pith_passage *at, size_t n,
                   char **out)
{
    Passages ps;
    Prompt prompt;
    TRY(passages_in(cx, at, n, &ps));
    TRY(prompt_build(cx, &ps, str_z(question), PROMPT_PLAIN, &prompt));
    json_t *list = json_array();
    for (size_t i = 0; i < 2; i++) {
        Str text = prompt.message[i].content;
        json_array_append_new(list, json_pack("{ss ss#}", "role", prompt.message[i].role,
                                              "content", text.p, (int)text.n));
    }
    *out = json_array_size(list) == 2 ? json_dumps(list, JSON_COMPACT) : NULL;
    json_decref(list);
    return *out ? OK : fail(cx, E_FORMAT, "a passage or the question is no UTF-8");
}

int pith_prompt(const char *question, const pith_passage *at, size_t n, char **json,
                pith_error *why)
{
    Ctx cx = CTX_INIT;
    *json = NULL;
    int code = error_out(&cx, talk(&cx, question, at, n, json), why);
    ctx_end(&cx);
    return code;
}

const char *pith_refusal(void)
{
    return PROMPT_REFUSAL;
}

int pith_is_refusal(const char *text)
{
    return prompt_is_refusal(str_z(text));
}
