/* lm_family.c -- see lm_family.h. A family is a row of a table; a key or a tensor that
 * nothing here computes is a refusal, never a guess. */
#include "model/lm_family.h"

#include <math.h>
#include <string.h>

enum { MAX_SIDE = 65536, MAX_LAYERS = 512, MAX_WORDS = 1 << 20, MAX_HEADS = 1024,
       MAX_WINDOW = 1 << 24 };

typedef struct Family {
    const char *arch;        // general.architecture
    bool neox, head_norms, post_norms, gelu;
    bool wide_words;         // embeddings are multiplied by the root of their width
    bool slides;             // most blocks see the last tokens alone: gemma3
    size_t still_every;      // each so-manieth block is not turned by positions
    bool scales;             // keys for embeddings, branches, attention, logits, and one
                             // for whether positions turn anything: granite
} Family;

static const Family families[] = {
    { .arch = "llama" },
    { .arch = "qwen2", .neox = true },
    { .arch = "qwen3", .neox = true, .head_norms = true },
    { .arch = "gemma3", .neox = true, .head_norms = true, .post_norms = true,
      .gelu = true, .wide_words = true, .slides = true },
    { .arch = "smollm3", .still_every = 4 },
    { .arch = "granite", .scales = true },
};
#define COMPUTED "llama, qwen2, qwen3, gemma3, smollm3 and granite"

/* What some model of these families may have, and none that is computed here has. */
static const char *const not_computed[] = {
    "expert_count", "attn_logit_softcapping", "final_logit_softcapping",
    "rope.scale_linear", "rope.scaling.attn_factor", "rope.scaling.alpha",
    "rope.dimension_count_swa", "attention.key_length_swa",
};

/* ---- metadata --------------------------------------------------------------------- */

static int64_t any_key(const LmFile *f, const char *key)
{
    char full[96];
    snprintf(full, sizeof full, "%s.%s", f->arch, key);
    return gguf_find_key(f->meta, full);
}

static int64_t key_of(const LmFile *f, const char *key, enum gguf_type type)
{
    int64_t id = any_key(f, key);
    return id >= 0 && gguf_get_kv_type(f->meta, id) == type ? id : -1;
}

/* otherwise: the value of a key that is not there; 0: it must be. */
static Status number(Ctx *cx, const LmFile *f, const char *key, size_t max,
                     size_t otherwise, size_t *out)
{
    int64_t id = key_of(f, key, GGUF_TYPE_UINT32);
    if (id < 0 && otherwise) return *out = otherwise, OK;
    if (id < 0) return fail(cx, E_MODEL, "%s: no number %s.%s", f->path, f->arch, key);
    *out = gguf_get_val_u32(f->meta, id);
    if (*out >= 1 && *out <= max) return OK;
    return fail(cx, E_MODEL, "%s: %s.%s is %zu, 1 to %zu was wanted", f->path, f->arch,
                key, *out, max);
}

static Status real(Ctx *cx, const LmFile *f, const char *key, float otherwise, float *out)
{
    int64_t id = key_of(f, key, GGUF_TYPE_FLOAT32);
    *out = id < 0 ? otherwise : gguf_get_val_f32(f->meta, id);
    if (isfinite(*out) && *out > 0) return OK;
    return fail(cx, E_MODEL, "%s: %s.%s is %g", f->path, f->arch, key, (double)*out);
}

/* ---- what a family has ------------------------------------------------------------ */

static Status find_family(Ctx *cx, LmFile *f, const Family **out)
{
    const char *arch = lm_file_text(f, "general.architecture");
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        if (strcmp(arch, families[i].arch) != 0) continue;
        snprintf(f->arch, sizeof f->arch, "%s", arch);
        *out = &families[i];
        return OK;
    }
    return fail(cx, E_MODEL, "%s: architecture \"%.40s\"; " COMPUTED " are computed here",
                f->path, arch);
}

/* Whether there is such a key, and not for nothing. */
static bool asks_for(const LmFile *f, const char *key)
{
    int64_t id = any_key(f, key);
    enum gguf_type type = id < 0 ? GGUF_TYPE_COUNT : gguf_get_kv_type(f->meta, id);
    if (type == GGUF_TYPE_UINT32) return gguf_get_val_u32(f->meta, id) != 0;
    if (type == GGUF_TYPE_FLOAT32) return gguf_get_val_f32(f->meta, id) != 0;
    return id >= 0;
}

static Status check_keys(Ctx *cx, const LmFile *f, const Family *of)
{
    for (size_t i = 0; i < sizeof not_computed / sizeof *not_computed; i++)
        if (asks_for(f, not_computed[i]))
            return fail(cx, E_MODEL, "%s: %s.%s is not computed here", f->path, f->arch,
                        not_computed[i]);
    if (of->slides || !asks_for(f, "attention.sliding_window")) return OK;
    return fail(cx, E_MODEL, "%s: %s.attention.sliding_window is not computed here",
                f->path, f->arch);
}

static bool is_suffixed(const char *name, const char *stem, const char *suffix)
{
    size_t n = strlen(stem);
    return strncmp(name, stem, n) == 0 && strcmp(name + n, suffix) == 0;
}

/* "blk.7.attn_q.weight" and its siblings, and what stands outside the blocks. */
static bool is_known(const LmShape *s, const char *name)
{
    static const char *const outer[] = { "token_embd.weight", "output.weight",
        "output_norm.weight", "rope_freqs.weight" };
    for (size_t i = 0; i < sizeof outer / sizeof *outer; i++)
        if (strcmp(name, outer[i]) == 0) return true;
    size_t digits = strncmp(name, "blk.", 4) == 0 ? strspn(name + 4, "0123456789") : 0;
    if (digits == 0 || name[4 + digits] != '.') return false;
    name += 4 + digits + 1;
    for (Norm n = 0; n < NORMS; n++)
        if (lm_has_norm(s, n) && is_suffixed(name, lm_norm_name(n), ".weight"))
            return true;
    for (Linear l = 0; l < LINEARS; l++)
        if (is_suffixed(name, lm_linear_name(l), ".weight")
            || is_suffixed(name, lm_linear_name(l), ".bias")) return true;
    return false;
}

/* A tensor that we would not use is a part of the model that we would not compute. */
static Status check_tensors(Ctx *cx, const LmFile *f)
{
    for (int64_t i = 0; i < gguf_get_n_tensors(f->meta); i++)
        if (!is_known(&f->shape, gguf_get_tensor_name(f->meta, i)))
            return fail(cx, E_MODEL, "%s: tensor %.60s is not computed here", f->path,
                        gguf_get_tensor_name(f->meta, i));
    return OK;
}

/* ---- the shape -------------------------------------------------------------------- */

static Status read_sizes(Ctx *cx, const LmFile *f, LmShape *s)
{
    size_t values = 0;
    TRY(number(cx, f, "block_count", MAX_LAYERS, 0, &s->layers));
    TRY(number(cx, f, "embedding_length", MAX_SIDE, 0, &s->dim));
    TRY(number(cx, f, "feed_forward_length", MAX_SIDE, 0, &s->ffn));
    TRY(number(cx, f, "context_length", MAX_WINDOW, 0, &s->window));
    TRY(number(cx, f, "attention.head_count", MAX_HEADS, 0, &s->heads));
    TRY(number(cx, f, "attention.head_count_kv", MAX_HEADS, s->heads, &s->kv_heads));
    TRY(number(cx, f, "attention.key_length", MAX_SIDE, s->dim / s->heads, &s->head_dim));
    TRY(number(cx, f, "attention.value_length", MAX_SIDE, s->head_dim, &values));
    TRY(number(cx, f, "rope.dimension_count", MAX_SIDE, s->head_dim, &s->rope_dims));
    TRY(real(cx, f, "attention.layer_norm_rms_epsilon", 0, &s->eps));
    if (s->heads % s->kv_heads || values != s->head_dim || s->rope_dims > s->head_dim
        || s->rope_dims % 2 || s->heads * s->head_dim > MAX_SIDE)
        return fail(cx, E_MODEL, "%s: %zu heads of %zu values over %zu of %zu do not fit "
                    "together", f->path, s->heads, s->head_dim, s->kv_heads, values);
    int64_t id = gguf_find_tensor(f->meta, "token_embd.weight");
    s->vocab = id < 0 ? 0 : (size_t)gguf_get_tensor_ne(f->meta, id)[1];
    if (s->vocab == 0 || s->vocab > MAX_WORDS)
        return fail(cx, E_MODEL, "%s: %zu words; 1 to %d were wanted", f->path, s->vocab,
                    MAX_WORDS);
    s->tied = gguf_find_tensor(f->meta, "output.weight") < 0;
    return OK;
}

/* A stretch of all positions by the same factor is computed, no other. */
static Status read_rope(Ctx *cx, const LmFile *f, const Family *of, LmRope *out)
{
    int64_t id = key_of(f, "rope.scaling.type", GGUF_TYPE_STRING);
    const char *type = id < 0 ? "linear" : gguf_get_val_str(f->meta, id);
    float stretch = 1;
    if (strcmp(type, "linear") == 0)
        TRY(real(cx, f, "rope.scaling.factor", 1, &stretch));
    else if (strcmp(type, "none") != 0)
        return fail(cx, E_MODEL, "%s: rope scaling \"%.40s\" is not computed here",
                    f->path, type);
    id = of->scales ? key_of(f, "rope.scaling.finetuned", GGUF_TYPE_BOOL) : -1;
    out->factor = id < 0 || gguf_get_val_bool(f->meta, id) ? 1 / stretch : 0;
    return real(cx, f, "rope.freq_base", 10000, &out->base);
}

/* Which blocks slide: each but every n-th, as a number or as a list. */
static Status read_pattern(Ctx *cx, const LmFile *f, LmShape *s)
{
    const char *key = "attention.sliding_window_pattern";
    int64_t id = key_of(f, key, GGUF_TYPE_ARRAY);
    if (id < 0) return number(cx, f, key, MAX_LAYERS, 6, &s->every);
    bool is = gguf_get_arr_type(f->meta, id) == GGUF_TYPE_BOOL
              && gguf_get_arr_n(f->meta, id) >= s->layers;
    const int8_t *slides = is ? gguf_get_arr_data(f->meta, id) : NULL;
    for (s->every = 1; is && s->every <= s->layers && slides[s->every - 1];) s->every++;
    for (size_t i = 0; i < s->layers; i++)
        is = is && slides[i] == (lm_kind(s, i) == 0);
    return is ? OK : fail(cx, E_MODEL, "%s: this %s.%s is not computed here", f->path,
                          f->arch, key);
}

/* Blocks of kind 0 slide, and are turned otherwise. */
static Status read_slide(Ctx *cx, const LmFile *f, LmShape *s)
{
    if (!asks_for(f, "attention.sliding_window")) return OK;
    TRY(number(cx, f, "attention.sliding_window", MAX_WINDOW, 0, &s->slide));
    TRY(read_pattern(cx, f, s));
    s->rope[1] = s->rope[0];
    s->rope[0].factor = 1;
    return real(cx, f, "rope.freq_base_swa", 10000, &s->rope[0].base);
}

static Status read_scales(Ctx *cx, const LmFile *f, const Family *of, LmShape *s)
{
    /* Gemma 3 27B, which is known by its blocks, has another width there. */
    size_t width = of->slides && s->layers == 62 ? s->dim / s->heads : s->head_dim;
    float logits = 1;
    s->embed_scale = of->wide_words ? sqrtf((float)s->dim) : 1;
    s->attn_scale = 1 / sqrtf((float)width);
    s->branch_scale = 1;
    if (of->scales) {
        TRY(real(cx, f, "embedding_scale", 1, &s->embed_scale));
        TRY(real(cx, f, "attention.scale", s->attn_scale, &s->attn_scale));
        TRY(real(cx, f, "residual_scale", 1, &s->branch_scale));
        TRY(real(cx, f, "logit_scale", 0, &logits));
    }
    s->logit_scale = 1 / logits;
    return OK;
}

Status lm_family_read(Ctx *cx, LmFile *f)
{
    LmShape *s = &f->shape;
    const Family *of = NULL;
    TRY(find_family(cx, f, &of));
    s->neox = of->neox;
    s->head_norms = of->head_norms;
    s->post_norms = of->post_norms;
    s->gelu = of->gelu;
    TRY(check_keys(cx, f, of));
    TRY(check_tensors(cx, f));
    TRY(read_sizes(cx, f, s));
    TRY(read_rope(cx, f, of, &s->rope[0]));
    TRY(read_scales(cx, f, of, s));
    s->rope[1] = (LmRope){ s->rope[0].base, 0 };
    s->every = of->still_every;
    return of->slides ? read_slide(cx, f, s) : OK;
}
