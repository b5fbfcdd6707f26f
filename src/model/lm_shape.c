/* lm_shape.c -- see lm_shape.h. */
#include "model/lm_shape.h"

#include <math.h>

size_t lm_kind(const LmShape *s, size_t block)
{
    return s->every > 0 && (block + 1) % s->every == 0;
}

size_t lm_first_seen(const LmShape *s, size_t block, size_t at)
{
    bool all = s->slide == 0 || at < s->slide || lm_kind(s, block) == 1;
    return all ? 0 : at + 1 - s->slide;
}

bool lm_has_norm(const LmShape *s, Norm n)
{
    switch (n) {
    case NORM_Q: case NORM_K: return s->head_norms;
    case NORM_ATTN_POST: case NORM_FFN_POST: return s->post_norms;
    default: return true;
    }
}

size_t lm_norm_width(const LmShape *s, Norm n)
{
    return n == NORM_Q || n == NORM_K ? s->head_dim : s->dim;
}

const char *lm_norm_name(Norm n)
{
    static const char *const name[NORMS] = { "attn_norm", "attn_q_norm", "attn_k_norm",
                                             "post_attention_norm", "ffn_norm",
                                             "post_ffw_norm" };
    return name[n];
}

size_t lm_in(const LmShape *s, Linear l)
{
    return l == LIN_O ? s->heads * s->head_dim : l == LIN_DOWN ? s->ffn : s->dim;
}

size_t lm_out(const LmShape *s, Linear l)
{
    switch (l) {
    case LIN_Q: return s->heads * s->head_dim;
    case LIN_K: case LIN_V: return s->kv_heads * s->head_dim;
    case LIN_GATE: case LIN_UP: return s->ffn;
    default: return s->dim;
    }
}

const char *lm_linear_name(Linear l)
{
    static const char *const name[LINEARS] = { "attn_q", "attn_k", "attn_v",
                                               "attn_output",
                                               "ffn_gate", "ffn_up", "ffn_down" };
    return name[l];
}

void lm_angles(const LmShape *s, size_t kind, const float *scale, size_t n, float *cosine,
               float *sine)
{
    size_t half = s->rope_dims / 2;
    LmRope r = s->rope[kind];
    for (size_t i = 0; i < half; i++) {
        double step = pow((double)r.base, -2.0 * (double)i / (double)s->rope_dims)
                    * (double)r.factor / (double)scale[i];
        for (size_t at = 0; at < n; at++) {
            cosine[at * half + i] = (float)cos((double)at * step);
            sine[at * half + i] = (float)sin((double)at * step);
        }
    }
}
