/* convert.c -- see convert.h.
 *
 * First a plan: one Piece for each tensor of the GGUF, with its source and its shape
 * checked. Then the metadata is written, and behind it the pieces, one at a time in the
 * order of the plan: only one is ever held as floats. */
#include "model/convert.h"
#include "base/file.h"
#include "model/onnx.h"

#include <errno.h>
#include <gguf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ONNX_BYTES_MAX = 1 << 30, VOCABULARY_BYTES_MAX = 64 << 20,
    LAYERS_MAX = 128, PIECES_MAX = 8 + 16 * LAYERS_MAX
};

typedef struct Piece {
    char name[48];
    OnnxWeight from;
    uint64_t rows, columns;     // as written; rows = 0 for a vector
    bool transpose;             // stored (columns, rows): y = x W instead of W x
    bool twice;                 // the word embeddings of a cross-encoder
    enum ggml_type type;
} Piece;

typedef struct Convert {
    Ctx *cx;
    const BertFacts *facts;
    Onnx onnx;
    const char *root;           // "bert." where the exporter put the encoder below that
    uint64_t dim, inner, vocabulary, types, layers;
    const char **tokens;        // (vocabulary), or twice as many for a cross-encoder
    int32_t *token_types;       // as many: llama.h's llama_token_type
    uint64_t n_tokens;
    Piece *pieces;              // (PIECES_MAX)
    size_t n_pieces;
} Convert;

static const char *const SPECIALS[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]" };
enum { PAD, UNK, CLS, SEP, MASK, N_SPECIALS };

/* ---- the plan --------------------------------------------------------------------- */

static Status shaped(Convert *c, const Piece *p, Str source)
{
    const OnnxTensor *t = p->from.values;
    uint64_t want[2] = { p->transpose ? p->columns : p->rows,
                         p->transpose ? p->rows : p->columns };
    bool vector = p->rows == 0 && t->n_dims == 1 && t->n == p->columns;
    bool matrix = t->n_dims == 2 && t->dim[0] == want[0] && t->dim[1] == want[1];
    if (vector || matrix) return OK;
    return fail(c->cx, E_FORMAT,
                "%.*s: %d dimensions and %llu values do not fit a BERT of "
                "width %llu", (int)source.n, source.p, t->n_dims,
                (unsigned long long)t->n,
                (unsigned long long)c->dim);
}

static Status plan(Convert *c, Piece p, Str source)
{
    TRY(onnx_weight(c->cx, &c->onnx, source, &p.from));
    TRY(shaped(c, &p, source));
    if (c->n_pieces == PIECES_MAX)
        return fail(c->cx, E_LIMIT, "more than %d layers", LAYERS_MAX);
    c->pieces[c->n_pieces++] = p;
    return OK;
}

/* A vector, by the path of its module. */
static Status plan_vector(Convert *c, const char *name, const char *module,
                          const char *field, uint64_t n)
{
    Piece p = { .columns = n, .type = GGML_TYPE_F32 };
    snprintf(p.name, sizeof p.name, "%s.%s", name, field);
    Str source = ctx_printf(c->cx, "%s.%s", module, field);
    TRY_NEW(source.p);
    return plan(c, p, source);
}

static Status plan_norm(Convert *c, const char *name, const char *module)
{
    TRY(plan_vector(c, name, module, "weight", c->dim));
    return plan_vector(c, name, module, "bias", c->dim);
}

/* The initializer that the module's product multiplies by; n = 0 where there is none. */
static Str product_weight(Convert *c, const char *module)
{
    Str path = ctx_printf(c->cx, "/%s/", module);
    for (char *p = (char *)path.p; p && *p; p++)   // "a.b.0.c" is "/a/b.0/c/" in a node
        if (*p == '.' && (p[1] < '0' || p[1] > '9')) *p = '/';
    for (size_t i = 0; path.p && i < c->onnx.n_products; i++)
        if (str_starts(c->onnx.products[i].name, path)) return c->onnx.products[i].weight;
    return (Str){ "", 0 };
}

static Status plan_linear(Convert *c, const char *name, const char *module, uint64_t in,
                          uint64_t out)
{
    Piece p = { .rows = out, .columns = in, .transpose = true, .type = GGML_TYPE_F16 };
    snprintf(p.name, sizeof p.name, "%s.weight", name);
    Str weight = product_weight(c, module), suffix = STR("_quantized");
    if (!str_ends(weight, suffix))
        return fail(c->cx, E_FORMAT, "the ONNX model has no 8-bit product for %s",
                    module);
    weight.n -= suffix.n;
    TRY(plan(c, p, weight));
    return plan_vector(c, name, module, "bias", out);
}

static Status plan_layer(Convert *c, uint64_t layer)
{
    const uint64_t dim = c->dim, inner = c->inner;
    const struct { const char *name, *module; uint64_t in, out; } linear[] = {
        { "attn_q",      "attention.self.query",   dim, dim },
        { "attn_k",      "attention.self.key",     dim, dim },
        { "attn_v",      "attention.self.value",   dim, dim },
        { "attn_output", "attention.output.dense", dim, dim },
        { "ffn_up",      "intermediate.dense",     dim, inner },
        { "ffn_down",    "output.dense",           inner, dim },
    }, norm[] = {
        { "attn_output_norm",  "attention.output.LayerNorm", dim, dim },
        { "layer_output_norm", "output.LayerNorm",           dim, dim },
    };
    char name[40], module[80];
    for (size_t i = 0; i < sizeof linear / sizeof *linear; i++) {
        snprintf(name, sizeof name, "blk.%d.%s", (int)layer, linear[i].name);
        snprintf(module, sizeof module, "%sencoder.layer.%d.%s", c->root, (int)layer,
                 linear[i].module);
        TRY(plan_linear(c, name, module, linear[i].in, linear[i].out));
    }
    for (size_t i = 0; i < sizeof norm / sizeof *norm; i++) {
        snprintf(name, sizeof name, "blk.%d.%s", (int)layer, norm[i].name);
        snprintf(module, sizeof module, "%sencoder.layer.%d.%s", c->root, (int)layer,
                 norm[i].module);
        TRY(plan_norm(c, name, module));
    }
    return OK;
}

static Status plan_table(Convert *c, const char *name, const char *module, uint64_t rows)
{
    bool words = c->n_pieces == 0;   // planned first
    Piece p = {
        .rows = rows, .columns = c->dim,
        .twice = words && c->facts->pooling == BERT_RANK,
        .type = words ? GGML_TYPE_F16 : GGML_TYPE_F32,
    };
    snprintf(p.name, sizeof p.name, "%s.weight", name);
    Str source = ctx_printf(c->cx, "%sembeddings.%s.weight", c->root, module);
    TRY_NEW(source.p);
    return plan(c, p, source);
}

static Status plan_head(Convert *c)
{
    Str pooler = ctx_printf(c->cx, "%spooler.dense", c->root);
    TRY_NEW(pooler.p);
    TRY(plan_linear(c, "cls", pooler.p, c->dim, c->dim));
    return plan_linear(c, "cls.output", "classifier", c->dim, 1);
}

/* Sizes are those of the weights: rows of the embeddings, columns of the inner layer. */
static Status measure(Convert *c)
{
    char module[80];
    OnnxWeight words, types;
    c->root = "bert.";
    if (!onnx_tensor(&c->onnx, STR("bert.embeddings.LayerNorm.weight"))) c->root = "";
    Str name = ctx_printf(c->cx, "%sembeddings.word_embeddings.weight", c->root);
    Str type = ctx_printf(c->cx, "%sembeddings.token_type_embeddings.weight", c->root);
    if (!name.p || !type.p) return E_MEMORY;
    TRY(onnx_weight(c->cx, &c->onnx, name, &words));
    TRY(onnx_weight(c->cx, &c->onnx, type, &types));
    c->vocabulary = words.values->dim[0];
    c->dim = words.values->dim[1];
    c->types = types.values->dim[0];
    for (c->layers = 0; c->layers < LAYERS_MAX; c->layers++) {
        snprintf(module, sizeof module, "%sencoder.layer.%d.attention.self.query",
                 c->root, (int)c->layers);
        if (product_weight(c, module).n == 0) break;
    }
    Str up = ctx_printf(c->cx, "%sencoder.layer.0.intermediate.dense.bias", c->root);
    const OnnxTensor *inner = up.p ? onnx_tensor(&c->onnx, up) : NULL;
    c->inner = inner ? inner->n : 0;
    if (c->layers == 0 || c->inner == 0 || c->dim == 0 || c->dim % c->facts->heads != 0 ||
        c->types < 2)
        return fail(c->cx, E_FORMAT,
                    "the ONNX model is no BERT: %llu layers of width %llu for "
                    "%u heads, %llu token types", (unsigned long long)c->layers,
                    (unsigned long long)c->dim, c->facts->heads,
                    (unsigned long long)c->types);
    return OK;
}

static Status plan_all(Convert *c)
{
    Str norm = ctx_printf(c->cx, "%sembeddings.LayerNorm", c->root);
    TRY_NEW(norm.p);
    TRY_NEW(c->pieces = ctx_new(c->cx, Piece, PIECES_MAX));
    TRY(plan_table(c, "token_embd", "word_embeddings", c->vocabulary));
    TRY(plan_table(c, "token_types", "token_type_embeddings", c->types));
    TRY(plan_table(c, "position_embd", "position_embeddings", c->facts->window));
    TRY(plan_norm(c, "token_embd_norm", norm.p));
    for (uint64_t i = 0; i < c->layers; i++) TRY(plan_layer(c, i));
    return c->facts->pooling == BERT_RANK ? plan_head(c) : OK;
}

/* ---- the vocabulary --------------------------------------------------------------- */

static bool is_special(Str token)
{
    for (size_t i = 0; i < N_SPECIALS; i++)
        if (str_eq(token, str_z(SPECIALS[i]))) return true;
    return false;
}

/* libllama marks where a word begins (U+2581), WordPiece where it goes on (##). */
static Status add_token(Convert *c, uint64_t id, Str token)
{
    enum { NORMAL = 1, CONTROL = 3, UNUSED = 5 };
    bool special = is_special(token), goes_on = str_starts(token, STR("##"));
    if (token.n == 0 || memchr(token.p, '\0', token.n))
        return fail(c->cx, E_FORMAT,
                    "the vocabulary's line %llu is empty or has a zero byte",
                    (unsigned long long)id + 1);
    Str text = goes_on ? ctx_dup(c->cx, (Str){ token.p + 2, token.n - 2 })
                       : ctx_printf(c->cx, "%s%.*s", special ? "" : "\xe2\x96\x81",
                                    (int)token.n, token.p);
    TRY_NEW(text.p);
    c->tokens[id] = text.p;
    c->token_types[id] = special ? CONTROL : NORMAL;
    if (c->n_tokens == c->vocabulary) return OK;
    Str second = ctx_printf(c->cx, "[B]%s", text.p);   // no text has it: '[' is a word
    TRY_NEW(second.p);
    c->tokens[c->vocabulary + id] = second.p;
    c->token_types[c->vocabulary + id] = UNUSED;
    return OK;
}

static Status read_vocabulary(Convert *c, const char *path)
{
    Str text;
    TRY(file_read(c->cx, path, VOCABULARY_BYTES_MAX, &text));
    if (c->vocabulary > text.n)
        return fail(c->cx, E_FORMAT, "%llu embeddings, but the vocabulary has %zu bytes",
                    (unsigned long long)c->vocabulary, text.n);
    c->n_tokens = c->vocabulary * (c->facts->pooling == BERT_RANK ? 2 : 1);
    TRY_NEW(c->tokens = ctx_new(c->cx, const char *, c->n_tokens));
    TRY_NEW(c->token_types = ctx_new(c->cx, int32_t, c->n_tokens));
    const char *p = text.p, *end = text.p + text.n;
    uint64_t id = 0;
    for (; p < end && id < c->vocabulary; id++) {
        const char *line = memchr(p, '\n', (size_t)(end - p));
        if (!line) line = end;
        TRY(add_token(c, id, (Str){ p, (size_t)(line - p) }));
        p = line < end ? line + 1 : end;
    }
    if (id == c->vocabulary && p == end) return OK;
    return fail(c->cx, E_FORMAT, "the vocabulary has %s than the model's %llu embeddings",
                p == end ? "fewer lines" : "more lines",
                (unsigned long long)c->vocabulary);
}

static Status set_special(Convert *c, struct gguf_context *g, const char *key, int which)
{
    for (uint64_t id = 0; id < c->vocabulary; id++)
        if (strcmp(c->tokens[id], SPECIALS[which]) == 0) {
            gguf_set_val_u32(g, key, (uint32_t)id);
            return OK;
        }
    return fail(c->cx, E_FORMAT, "the vocabulary has no %s", SPECIALS[which]);
}

/* ---- the file --------------------------------------------------------------------- */

static Status set_tokenizer(Convert *c, struct gguf_context *g)
{
    gguf_set_val_str(g, "tokenizer.ggml.model", "bert");
    gguf_set_arr_str(g, "tokenizer.ggml.tokens", c->tokens, c->n_tokens);
    gguf_set_arr_data(g, "tokenizer.ggml.token_type", GGUF_TYPE_INT32, c->token_types,
                      c->n_tokens);
    gguf_set_val_u32(g, "tokenizer.ggml.token_type_count", (uint32_t)c->types);
    TRY(set_special(c, g, "tokenizer.ggml.bos_token_id", CLS));
    TRY(set_special(c, g, "tokenizer.ggml.eos_token_id", SEP));
    TRY(set_special(c, g, "tokenizer.ggml.unknown_token_id", UNK));
    TRY(set_special(c, g, "tokenizer.ggml.seperator_token_id", SEP));   // sic
    TRY(set_special(c, g, "tokenizer.ggml.padding_token_id", PAD));
    TRY(set_special(c, g, "tokenizer.ggml.cls_token_id", CLS));
    return set_special(c, g, "tokenizer.ggml.mask_token_id", MASK);
}

static Status set_metadata(Convert *c, struct gguf_context *g)
{
    enum { MOSTLY_F16 = 1 };   // llama.h's LLAMA_FTYPE_MOSTLY_F16
    const BertFacts *f = c->facts;
    gguf_set_val_str (g, "general.architecture", "bert");
    gguf_set_val_str (g, "general.name", f->name);
    gguf_set_val_str (g, "general.license", f->licence);
    gguf_set_val_u32 (g, "general.file_type", MOSTLY_F16);
    gguf_set_val_u32 (g, "bert.block_count", (uint32_t)c->layers);
    gguf_set_val_u32 (g, "bert.context_length", f->window);
    gguf_set_val_u32 (g, "bert.embedding_length", (uint32_t)c->dim);
    gguf_set_val_u32 (g, "bert.feed_forward_length", (uint32_t)c->inner);
    gguf_set_val_u32 (g, "bert.attention.head_count", f->heads);
    gguf_set_val_f32 (g, "bert.attention.layer_norm_epsilon", f->norm_epsilon);
    gguf_set_val_bool(g, "bert.attention.causal", false);
    gguf_set_val_u32 (g, "bert.pooling_type", f->pooling);
    gguf_set_val_u32 (g, "bert.vocab_size", (uint32_t)c->n_tokens);
    if (f->query_prefix) gguf_set_val_str(g, "pith.query_prefix", f->query_prefix);
    if (f->pooling == BERT_RANK)
        gguf_set_val_u32(g, "pith.segment_b_offset", (uint32_t)c->vocabulary);
    return set_tokenizer(c, g);
}

static void add_tensor(struct gguf_context *g, struct ggml_context *shapes,
                       const Piece *p)
{
    int64_t rows = (int64_t)p->rows * (p->twice ? 2 : 1), columns = (int64_t)p->columns;
    struct ggml_tensor *t = p->rows ? ggml_new_tensor_2d(shapes, p->type, columns, rows)
                                    : ggml_new_tensor_1d(shapes, p->type, columns);
    ggml_set_name(t, p->name);
    gguf_add_tensor(g, t);
}

/* (rows, columns) of out from (columns, rows) of in. */
static void transpose(const float *in, float *out, uint64_t rows, uint64_t columns)
{
    for (uint64_t r = 0; r < rows; r++)
        for (uint64_t c = 0; c < columns; c++) out[r * columns + c] = in[c * rows + r];
}

/* The rows once more behind themselves, segment B's embedding in place of A's. */
static Status double_rows(Convert *c, Ctx *scratch, const Piece *p, float *values)
{
    const Piece *types = &c->pieces[1];   // planned second
    float *segment = ctx_new(scratch, float, types->from.values->n);   // (types, dim)
    TRY_NEW(segment);
    TRY(onnx_floats(scratch, &types->from, segment));
    for (uint64_t i = 0; i < p->columns; i++)
        segment[i] = segment[p->columns + i] - segment[i];
    float *second = values + p->rows * p->columns;
    for (uint64_t i = 0; i < p->rows * p->columns; i++)
        second[i] = values[i] + segment[i % p->columns];
    return OK;
}

static Status write_floats(Ctx *cx, FILE *f, const Piece *p, const float *values,
                           uint64_t n)
{
    static const char zeros[GGUF_DEFAULT_ALIGNMENT];
    const void *bytes = values;
    size_t width = sizeof(float);
    if (p->type == GGML_TYPE_F16) {
        ggml_fp16_t *half = ctx_new(cx, ggml_fp16_t, n);
        TRY_NEW(half);
        ggml_fp32_to_fp16_row(values, half, (int64_t)n);
        bytes = half;
        width = sizeof *half;
    }
    size_t tail = n * width % GGUF_DEFAULT_ALIGNMENT;
    size_t pad = tail ? GGUF_DEFAULT_ALIGNMENT - tail : 0;
    if (fwrite(bytes, width, n, f) != n || fwrite(zeros, 1, pad, f) != pad)
        return fail(cx, E_IO, "writing %s: %s", p->name, strerror(errno));
    return OK;
}

/* scratch holds one piece and is emptied by the caller. */
static Status write_piece(Convert *c, Ctx *scratch, FILE *f, const Piece *p)
{
    uint64_t n = p->from.values->n, written = p->twice ? 2 * n : n;
    float *values = ctx_new(scratch, float, written);
    TRY_NEW(values);
    TRY(onnx_floats(scratch, &p->from, values));
    if (p->twice) TRY(double_rows(c, scratch, p, values));
    if (p->transpose) {
        float *turned = ctx_new(scratch, float, n);
        TRY_NEW(turned);
        transpose(values, turned, p->rows, p->columns);
        values = turned;
    }
    return write_floats(scratch, f, p, values, written);
}

static Status write_pieces(Convert *c, FILE *f)
{
    for (size_t i = 0; i < c->n_pieces; i++) {
        Ctx scratch = CTX_INIT;
        TRY(ctx_check(c->cx));
        Status st = write_piece(c, &scratch, f, &c->pieces[i]);
        if (st != OK) fail(c->cx, st, "%s", scratch.reason);
        ctx_end(&scratch);
        if (st != OK) return st;
    }
    return OK;
}

static Status write_file(Convert *c, const struct gguf_context *g, const char *path)
{
    size_t n = gguf_get_meta_size(g);
    void *head = ctx_alloc(c->cx, n, 1);
    TRY_NEW(head);
    gguf_get_meta_data(g, head);
    FILE *f = fopen(path, "wbe");
    if (!f) return fail(c->cx, E_IO, "%s: %s", path, strerror(errno));
    Status st = OK;
    if (fwrite(head, 1, n, f) != n)
        st = fail(c->cx, E_IO, "%s: %s", path, strerror(errno));
    if (st == OK) st = write_pieces(c, f);
    if (fclose(f) != 0 && st == OK)
        st = fail(c->cx, E_IO, "%s: %s", path, strerror(errno));
    return st;
}

Status bert_convert(Ctx *cx, const char *onnx, const char *vocabulary,
                    const BertFacts *facts, const char *path)
{
    Convert c = { .cx = cx, .facts = facts };
    Str bytes;
    TRY(file_read(cx, onnx, ONNX_BYTES_MAX, &bytes));
    TRY(onnx_read(cx, bytes, &c.onnx));
    TRY(measure(&c));
    TRY(plan_all(&c));
    TRY(read_vocabulary(&c, vocabulary));

    struct ggml_init_params room = {
        .mem_size = (c.n_pieces + 1) * ggml_tensor_overhead(), .no_alloc = true,
    };
    struct ggml_context *shapes = ggml_init(room);
    struct gguf_context *g = gguf_init_empty();
    Status st = shapes && g ? set_metadata(&c, g) : fail(cx, E_MEMORY, "out of memory");
    if (st != OK) goto done;
    for (size_t i = 0; i < c.n_pieces; i++) add_tensor(g, shapes, &c.pieces[i]);
    st = write_file(&c, g, path);
done:
    gguf_free(g);
    ggml_free(shapes);
    return st;
}
