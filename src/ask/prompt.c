/* prompt.c -- see prompt.h. */
#include "ask/prompt.h"

#include "ask/tongue.h"

#include <string.h>

/* No leave to refuse here: offered one, a 0.5B model refused 35 % of nq_open's questions
 * with the right passage in hand. Whether to answer was decided before (abstain.h). */
static const char grounded[] =
    "Answer the question using the passages. Reply with one short sentence.";
/* Qwen2.5-Coder-0.5B: F1 on NQ .439 (.428 without a quotation, 24 questions) and CovidQA
 * .265 (.264, 30); asked for a sentence that quotes, .268 and .186. */
static const char quoting[] =
    "Answer the question with a quotation from the passages: the shortest words that "
    "answer it, in quotation marks.";
static const char closed_book[] =
    "Answer the question. Reply with one short sentence.";

/* What a passage that is not the first of its prompt is read behind where its keys and
 * values are kept: passages about nothing that anybody asks. See docs/ABLATION.md, "Chunk
 * KV". */
static const char passages_before[] =
    " (harbour.md):\n"
    "The old harbour of Lindby was dug in 1787 for ships that carried timber and salt. "
    "Its two piers are built of granite; the longer one, 240 metres, ends at a "
    "lighthouse whose lamp was lit with oil until 1911. Today some ninety fishing boats "
    "and a ferry to the islands use it, and the warehouses along the quay hold a museum, "
    "a school of navigation and a market for fish.\n\n"
    "Passage 2 (bread.md):\n"
    "Rye bread keeps longer than bread of wheat, since its crumb holds more water. The "
    "dough is raised with a leaven of flour and water that is fed every day; it is "
    "shaped into loaves of about a kilogram, left in baskets for two hours, and baked at "
    "250 degrees, falling to 200, for an hour. Bakers knock on the bottom of a loaf: it "
    "is done when it sounds hollow.\n\n"
    "Passage 3";

enum { PASSAGE_OVERHEAD = 8 };   // tokens of its number, its line ends and its border

Status prompt_fit(Ctx *cx, Model *writer, const PromptOptions *opt, Passages *ps)
{
    if (opt->context_tokens <= 0)
        return fail(cx, E_ARG, "a context of %d tokens holds nothing",
                    opt->context_tokens);
    Stage *s = stage_begin(cx, "fit");
    size_t kept = 0, found = ps->n;
    int used = 0;
    for (size_t i = 0; i < found; i++) {
        Passage p = ps->at[i];
        if (opt->max_passages && kept == opt->max_passages) break;
        Str place = passage_place(cx, &p.chunk), text = passage_text(cx, &p);
        TRY_NEW(place.p);
        TRY_NEW(text.p);
        int head = 0;
        TRY(model_count(cx, writer, text, &p.prompt_tokens));
        TRY(model_count(cx, writer, place, &head));
        p.prompt_tokens += head + PASSAGE_OVERHEAD;
        if (p.prompt_tokens > opt->context_tokens - used) {  // a shorter one may fit
            ps->left_out++;
            continue;
        }
        used += p.prompt_tokens;
        ps->at[kept++] = p;
    }
    ps->n = kept;
    if (found && !kept)
        return fail(cx, E_LIMIT,
                    "no passage fits a context of %d tokens: raise --context",
                    opt->context_tokens);
    stage_figure(s, "passages", (double)kept);
    stage_figure(s, "left_out", (double)ps->left_out);
    stage_figure(s, "tokens", used);
    stage_end(s);
    return OK;
}

Status prompt_build(Ctx *cx, const Passages *ps, Str question, PromptWay way, Prompt *out)
{
    const char *tongue;
    Buf b = BUF((size_t)64 << 20);
    Excerpt *excerpt = ctx_new(cx, Excerpt, ps->n);
    *out = (Prompt){ .excerpts = { excerpt, 0, str_z(passages_before) } };
    TRY_NEW(excerpt);
    TRY(tongue_of(cx, ps, question, &tongue));
    for (size_t i = 0; i < ps->n; i++) {
        const Passage *p = &ps->at[i];
        Str place = passage_place(cx, &p->chunk), text = passage_text(cx, p);
        b.failed |= !place.p || !text.p;
        text = str_trim(text);
        buf_addf(&b, "Passage %zu", i + 1);
        size_t begin = b.n;     // the number is not of the passage
        if (place.n) buf_addf(&b, " (%.*s)", (int)place.n, place.p);
        buf_addf(&b, ":\n%.*s\n\n", (int)text.n, text.p);
        if (!p->kept) excerpt[out->excerpts.n++] = (Excerpt){ begin, b.n };
        out->context_tokens += p->prompt_tokens;
    }
    buf_addf(&b, ps->n ? "Question: %.*s" : "%.*s", (int)question.n, question.p);
    Str user = b.failed ? (Str){ NULL, 0 } : ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    if (!user.p) return fail(cx, E_MEMORY, "out of memory for a prompt");
    const char *with = way == PROMPT_QUOTE ? quoting : grounded;
    Str system = str_z(ps->n ? with : closed_book);
    if (*tongue) system = ctx_printf(cx, "%s Answer %s.", system.p, tongue);
    TRY_NEW(system.p);
    out->message[0] = (Message){ "system", system };
    out->message[1] = (Message){ "user", user };
    return OK;
}

bool prompt_is_refusal(Str text)
{
    static const char *const ways[] = {
        "documents do not", "passages do not", "passage does not", "not mentioned in the",
        "documents don't", "passages don't", "no information", "not provided in the",
        "do not contain", "does not contain", "do not provide", "does not provide",
        "not specified in the", "cannot be determined", "do not mention",
        "does not mention", "do not specify", "does not specify",
        "dokumente enthalten keine", "nicht erwähnt", "geht nicht hervor",
        "keine information", "documents ne ", "ne mentionne", "aucune information",
        "no se menciona", "no se indica", "no hay información", "non è menzionato",
        "nessuna informazione", "não é mencionado", "não há informaç", "niet vermeld",
        "geen informatie", "не упоминается", "нет информации", "не указан",
        "لا توجد معلومات", "لم يذكر", "जानकारी नहीं", "没有提到", "没有提及", "未提及",
        "没有相关信息", "記載されていません", "情報はありません", "언급되지 않",
        "정보가 없",
    };
    char head[200];   // a refusal says so at once; later it is a remark
    size_t n = text.n < sizeof head - 1 ? text.n : sizeof head - 1;
    memcpy(head, text.p, n);
    head[n] = '\0';
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (strcasestr(head, ways[i])) return true;
    return false;
}
