/* Documents, questions and tables of figures from hostile bytes. */
#include "eval/collection.h"
#include "eval/squad.h"
#include "eval/table.h"
#include "eval/windows.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void documents(Ctx *cx, Str text)
{
    Corpus c;
    Windows w;
    if (corpus_parse(cx, "fuzz", text, &c) != OK) return;
    for (size_t i = 0; i < c.n; i++) {
        if (corpus_find(&c, c.at[i].id) != &c.at[i]) abort();
        if (windows_of(cx, &c.at[i], &w) != OK || w.n == 0) abort();
    }
}

static void questions(Ctx *cx, Str text)
{
    Questions q;
    Answered got;
    if (questions_parse(cx, "fuzz", text, &q) != OK) return;
    for (size_t i = 0; i < q.n; i++) {
        Question *at = &q.at[i];
        if (squad_score(cx, at->text, at->answers, at->n_answers, &got) != OK) abort();
        if (!(got.f1 >= 0 && got.f1 <= 1)) abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    Ctx cx = CTX_INIT;
    Str text = { (const char *)data, n };
    Table t;
    documents(&cx, text);
    ctx_forgive(&cx);
    questions(&cx, text);
    ctx_forgive(&cx);
    if (table_parse(&cx, "fuzz", text, &t) == OK) table_mean(&t, 0);
    ctx_end(&cx);
    return 0;
}
