/* made.c -- see made.h. */
#include "store/made.h"

#include <math.h>

enum { VOCABULARY = 200000, SENTENCE_MAX = 600, LETTERS_A_WORD = 6, TEXT_MAX = 1 << 20 };

uint32_t made_draw(Made *m)
{
    m->random = m->random * 6364136223846793005u + 1442695040888963407u;   // Knuth's MMIX
    return (uint32_t)(m->random >> 33);
}

static float uniform(Made *m)
{
    return (float)made_draw(m) / 2147483648.0f;
}

/* A rank of 1 / rank frequency, as a word of letters. */
static void zipf_word(Made *m, Buf *b)
{
    char word[16];
    uint32_t rank = (uint32_t)powf(VOCABULARY, uniform(m)), n = 0;
    do {
        word[n++] = "aeioubdfgklmnprstvwz"[rank % 20];
        rank /= 20;
    } while (rank);
    word[n++] = 'q';    // no ending that a stemmer would cut
    buf_add(b, (Str){ word, n });
}

Str made_text(Made *m, Buf *b)
{
    b->n = 0;
    for (int words = 0; words < m->words && !b->failed;) {
        if (m->sentence) {
            Str s = m->sentence[made_draw(m) % m->n_sentences];
            if (s.n > SENTENCE_MAX) s.n = SENTENCE_MAX;
            buf_add(b, s);
            words += (int)s.n / LETTERS_A_WORD;
        } else {
            zipf_word(m, b);
            words++;
        }
        buf_add(b, STR(" "));
    }
    return buf_str(b);
}

Str made_query(Made *m, Str text)
{
    size_t words = 5 + made_draw(m) % 16, i = text.n ? made_draw(m) % text.n : 0, start;
    while (i > 0 && text.p[i - 1] != ' ') i--;
    for (start = i; i < text.n && words; i++) words -= text.p[i] == ' ';
    return (Str){ text.p + start, i - start };
}

void made_vector(Made *m, float *v)
{
    float sum = 0;
    for (int i = 0; i < m->by.dim; i++) {
        v[i] = uniform(m) + uniform(m) + uniform(m) - 1.5f;
        sum += v[i] * v[i];
    }
    for (int i = 0; i < m->by.dim; i++) v[i] /= sqrtf(sum);
}

static Status put(Ctx *cx, Store *s, Made *m, size_t number, Buf *text, double *ms)
{
    Chunk c[MADE_CHUNKS] = { 0 };
    float *v = ctx_new(cx, float, MADE_CHUNKS * (size_t)m->by.dim);
    TRY_NEW(v);
    for (int j = 0; j < MADE_CHUNKS; j++) {
        c[j].text = ctx_dup(cx, made_text(m, text));
        TRY_NEW(c[j].text.p);
        made_vector(m, v + j * m->by.dim);
    }
    Document d = { .uri = ctx_printf(cx, "doc/%zu", number), .title = STR("A title") };
    TRY_NEW(d.uri.p);
    double t = now_ms();
    TRY(store_put(cx, s, &d, c, MADE_CHUNKS, v, &m->by));
    *ms += now_ms() - t;
    return OK;
}

Status made_put(Ctx *cx, Store *s, Made *m, size_t number, double *ms)
{
    Ctx one = CTX_INIT;
    Buf text = BUF(TEXT_MAX);
    Status st = put(&one, s, m, number, &text, ms);
    if (st != OK) fail(cx, st, "%s", one.reason);
    ctx_end(&one);
    buf_free(&text);
    return st;
}
