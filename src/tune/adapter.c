/* adapter.c -- see adapter.h. */
#include "tune/adapter.h"

#include "base/file.h"
#include "base/hash.h"
#include "model/engine.h"
#include "model/lineage.h"

#include <errno.h>
#include <ggml.h>
#include <gguf.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATE_MAGIC "pithrun2"
#define ALPHA_KEY   "adapter.lora.alpha"

/* (rank, out) to (out, rank). */
static void turn(const float *from, size_t rank, size_t out, float *to)
{
    for (size_t o = 0; o < out; o++)
        for (size_t r = 0; r < rank; r++) to[o * rank + r] = from[r * out + o];
}

static Status temporary(Ctx *cx, const char *path, Str *out)
{
    *out = ctx_printf(cx, "%s.part", path);
    return out->p ? OK : E_MEMORY;
}

/* ---- GGUF ------------------------------------------------------------------------- */

static void gguf_layer(struct ggml_context *g, struct gguf_context *f, const Lm *lm,
                       size_t rank, const float *p, size_t block, Linear l)
{
    const LmShape *s = &lm->shape;
    size_t in = lm_in(s, l), out = lm_out(s, l);
    struct ggml_tensor *a = ggml_new_tensor_2d(g, GGML_TYPE_F32, (int64_t)in,
                                               (int64_t)rank);
    struct ggml_tensor *b = ggml_new_tensor_2d(g, GGML_TYPE_F32, (int64_t)rank,
                                               (int64_t)out);
    ggml_format_name(a, "blk.%zu.%s.weight.lora_a", block, lm_linear_name(l));
    ggml_format_name(b, "blk.%zu.%s.weight.lora_b", block, lm_linear_name(l));
    memcpy(a->data, p + lora_a(s, rank, block, l), rank * in * sizeof *p);
    turn(p + lora_b(s, rank, block, l), rank, out, b->data);
    gguf_add_tensor(f, a);
    gguf_add_tensor(f, b);
}

Status adapter_write_gguf(Ctx *cx, const char *path, const Lm *lm,
                          const AdapterInfo *info,
                          const float *p)
{
    Str temp;
    TRY(temporary(cx, path, &temp));
    size_t tensors = lm->shape.layers * LINEARS * 2;
    struct ggml_init_params gp = {
        .mem_size = lora_count(&lm->shape, info->rank) * sizeof *p
                  + tensors * (ggml_tensor_overhead() + 64) + 4096 };
    struct ggml_context *g = ggml_init(gp);
    if (!g) return fail(cx, E_MEMORY, "no memory to write %s", path);
    struct gguf_context *f = gguf_init_empty();
    gguf_set_val_str(f, "general.type", "adapter");
    gguf_set_val_str(f, "general.architecture", lm->arch);
    gguf_set_val_str(f, "general.base_model.0.name", lm->name);
    gguf_set_val_str(f, "adapter.type", "lora");
    gguf_set_val_f32(f, ALPHA_KEY, info->alpha);
    gguf_set_val_str(f, LINEAGE_KEY, info->lineage);
    for (size_t i = 0; i < lm->shape.layers; i++)
        for (Linear l = 0; l < LINEARS; l++) gguf_layer(g, f, lm, info->rank, p, i, l);
    bool ok = gguf_write_to_file(f, temp.p, false);
    gguf_free(f);
    ggml_free(g);
    return ok ? file_commit(cx, temp.p, path)
              : fail(cx, E_IO, "%s: cannot be written: %s", temp.p, strerror(errno));
}

/* Behind the head at `to`, what stands behind that of `from`. */
static bool copy_tensors(FILE *from, FILE *to, size_t at)
{
    char piece[1 << 16];
    bool ok = fseek(from, (long)at, SEEK_SET) == 0;
    for (size_t n = 1; ok && n > 0; ) {
        n = fread(piece, 1, sizeof piece, from);
        ok = !ferror(from) && fwrite(piece, 1, n, to) == n;
    }
    return ok;
}

/* Tensors are copied as bytes: what they claim to be is for the one who loads them. */
static Status write_scaled(Ctx *cx, const char *from, const char *to,
                           const struct gguf_context *f)
{
    Str temp;
    TRY(temporary(cx, to, &temp));
    FILE *in = fopen(from, "rbe"), *out = NULL;
    bool ok = in && gguf_write_to_file(f, temp.p, true) && (out = fopen(temp.p, "abe"))
           && copy_tensors(in, out, gguf_get_data_offset(f));
    int why = errno;
    if (in) fclose(in);
    if (out) ok = fclose(out) == 0 && ok;
    if (ok) return file_commit(cx, temp.p, to);
    unlink(temp.p);
    return fail(cx, E_IO, "%s: cannot be written: %s", temp.p, strerror(why));
}

/* What llama.cpp multiplies an adapter by is alpha / rank. */
Status adapter_scale(Ctx *cx, const char *from, const char *to, double scale)
{
    struct gguf_init_params p = { .no_alloc = true };
    if (!file_is_here(from, NULL))
        return fail(cx, E_NOTFOUND, "%s: there is no such adapter", from);
    engine_start();
    struct gguf_context *f = gguf_init_from_file(from, p);
    if (!f) return fail(cx, E_FORMAT, "%s: not a whole GGUF file", from);
    int64_t key = gguf_find_key(f, ALPHA_KEY);
    Status st = OK;
    if (key < 0 || gguf_get_kv_type(f, key) != GGUF_TYPE_FLOAT32
        || gguf_get_n_tensors(f) == 0) {
        st = fail(cx, E_FORMAT, "%s: " ALPHA_KEY " and tensors are wanted of an adapter",
                  from);
    } else {
        gguf_set_val_f32(f, ALPHA_KEY, (float)(gguf_get_val_f32(f, key) * scale));
        st = write_scaled(cx, from, to, f);
    }
    gguf_free(f);
    return st;
}

/* ---- PEFT ------------------------------------------------------------------------- */

static const char *const peft_name[LINEARS] = {
    "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj",
    "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
};

/* Which row of llama.cpp's matrix is row o of the original: the converter of the llama
 * family turns the halves of a head into pairs. */
static size_t original_row(const LmShape *s, Linear l, size_t o)
{
    size_t half = s->head_dim / 2, in_head = o % s->head_dim;
    if (s->neox || l > LIN_K) return o;
    return o - in_head + in_head % half * 2 + in_head / half;
}

static void add_entry(json_t *header, const char *name, size_t rows, size_t width,
                      size_t *at)
{
    size_t end = *at + rows * width * sizeof(float);
    json_object_set_new(header, name,
                        json_pack("{ss s[II] s[II]}", "dtype", "F32", "shape",
        (json_int_t)rows, (json_int_t)width, "data_offsets", (json_int_t)*at,
        (json_int_t)end));
    *at = end;
}

/* The header of a safetensors file; padded so that numbers begin at a multiple of 8. */
static char *peft_header(const LmShape *s, size_t rank)
{
    json_t *header = json_object();
    size_t at = 0;
    char name[96];
    for (size_t i = 0; i < s->layers; i++)
        for (Linear l = 0; l < LINEARS; l++) {
            static const char base[] = "base_model.model.model.layers";
            snprintf(name, sizeof name, "%s.%zu.%s.lora_A.weight", base, i, peft_name[l]);
            add_entry(header, name, rank, lm_in(s, l), &at);
            snprintf(name, sizeof name, "%s.%zu.%s.lora_B.weight", base, i, peft_name[l]);
            add_entry(header, name, lm_out(s, l), rank, &at);
        }
    char *text = json_dumps(header, JSON_COMPACT), *padded = NULL;
    json_decref(header);
    if (text && asprintf(&padded, "%s%*s", text, (int)(8 - strlen(text) % 8), "") < 0)
        padded = NULL;
    free(text);
    return padded;
}

static bool peft_layer(FILE *f, const LmShape *s, size_t rank, const float *p,
                       size_t block,
                       Linear l)
{
    size_t in = lm_in(s, l), out = lm_out(s, l);
    float *b = malloc(rank * out * sizeof *b);
    if (!b) return false;
    turn(p + lora_b(s, rank, block, l), rank, out, b);
    bool ok = fwrite(p + lora_a(s, rank, block, l), sizeof *p, rank * in, f) == rank * in;
    for (size_t o = 0; ok && o < out; o++)
        ok = fwrite(b + original_row(s, l, o) * rank, sizeof *b, rank, f) == rank;
    free(b);
    return ok;
}

static bool peft_tensors(FILE *f, const Lm *lm, size_t rank, const float *p)
{
    char *header = peft_header(&lm->shape, rank);
    uint64_t n = header ? strlen(header) : 0;
    bool ok = header && fwrite(&n, sizeof n, 1, f) == 1 && fwrite(header, 1, n, f) == n;
    for (size_t i = 0; ok && i < lm->shape.layers; i++)
        for (Linear l = 0; ok && l < LINEARS; l++)
            ok = peft_layer(f, &lm->shape, rank, p, i, l);
    free(header);
    return ok;
}

static Status peft_config(Ctx *cx, Str folder, const Lm *lm, const AdapterInfo *info)
{
    Str path;
    TRY(path_join(cx, folder, STR("adapter_config.json"), &path));
    json_t *j = json_pack("{ss ss ss sI sf sf ss sb s[sssssss]}", "peft_type", "LORA",
        "task_type", "CAUSAL_LM", "base_model_name_or_path", lm->name, "r",
        (json_int_t)info->rank, "lora_alpha", (double)info->alpha, "lora_dropout", 0.0,
        "bias", "none", "inference_mode", 1, "target_modules", "q_proj", "k_proj",
        "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
    char *text = j ? json_dumps(j, JSON_INDENT(2)) : NULL;
    Status st = text ? file_write(cx, path.p, str_z(text))
                     : fail(cx, E_MEMORY, "no memory for JSON");
    free(text);
    json_decref(j);
    return st;
}

Status adapter_write_peft(Ctx *cx, const char *folder, const Lm *lm,
                          const AdapterInfo *info,
                          const float *p)
{
    Str path, temp;
    TRY(folder_make(cx, folder));
    TRY(peft_config(cx, str_z(folder), lm, info));
    TRY(path_join(cx, str_z(folder), STR("adapter_model.safetensors"), &path));
    TRY(temporary(cx, path.p, &temp));
    FILE *f = fopen(temp.p, "wbe");
    if (!f) return fail(cx, E_IO, "%s: %s", temp.p, strerror(errno));
    bool ok = peft_tensors(f, lm, info->rank, p);
    ok = fclose(f) == 0 && ok;
    return ok ? file_commit(cx, temp.p, path.p)
              : fail(cx, E_IO, "%s: cannot be written: %s", temp.p, strerror(errno));
}

/* ---- the state of a run ----------------------------------------------------------- */

/* Over all that stands behind the magic and before itself. */
static uint64_t check_of(const TrainState *s, float *const part[3])
{
    uint64_t check = checksum64(s, sizeof *s);
    for (int i = 0; i < 3; i++)
        check = check * 31 + checksum64(part[i], s->n * sizeof *part[i]);
    return check;
}

Status state_write(Ctx *cx, const char *path, const TrainState *s, float *const part[3])
{
    uint64_t check = check_of(s, part);
    Str temp;
    TRY(temporary(cx, path, &temp));
    FILE *f = fopen(temp.p, "wbe");
    if (!f) return fail(cx, E_IO, "%s: %s", temp.p, strerror(errno));
    bool ok = fwrite(STATE_MAGIC, 8, 1, f) == 1 && fwrite(s, sizeof *s, 1, f) == 1;
    for (int i = 0; ok && i < 3; i++)
        ok = fwrite(part[i], sizeof(float), s->n, f) == s->n;
    ok = ok && fwrite(&check, sizeof check, 1, f) == 1;
    ok = fclose(f) == 0 && ok;
    return ok ? file_commit(cx, temp.p, path)
              : fail(cx, E_IO, "%s: cannot be written: %s", temp.p, strerror(errno));
}

static Status read_open(Ctx *cx, const char *path, FILE *f, TrainState *s,
                        float *const part[3])
{
    char magic[8];
    uint64_t check;
    TrainState had;
    if (fread(magic, 8, 1, f) != 1 || memcmp(magic, STATE_MAGIC, 8) != 0
        || fread(&had, sizeof had, 1, f) != 1 || had.key[32] != '\0')
        return fail(cx, E_FORMAT,
                    "%s: not the state of a training run; remove it to begin "
                    "anew", path);
    if (strcmp(had.key, s->key) != 0 || had.n != s->n)
        return fail(cx, E_ARG,
                    "%s is of a run with other options, data or model: take another "
                    "--out, or remove it", path);
    for (int i = 0; i < 3; i++)
        if (fread(part[i], sizeof(float), had.n, f) != had.n)
            return fail(cx, E_FORMAT, "%s: cut short; remove it to begin anew", path);
    if (fread(&check, sizeof check, 1, f) != 1 || check != check_of(&had, part))
        return fail(cx, E_FORMAT, "%s: damaged; remove it to begin anew", path);
    *s = had;
    return OK;
}

Status state_read(Ctx *cx, const char *path, TrainState *s, float *const part[3])
{
    FILE *f = fopen(path, "rbe");
    if (!f && errno == ENOENT)
        return fail(cx, E_NOTFOUND, "%s: no run to go on with", path);
    if (!f) return fail(cx, E_IO, "%s: %s", path, strerror(errno));
    Status st = read_open(cx, path, f, s, part);
    fclose(f);
    return st;
}
