/* matmul_dnnl.c -- matrix products by oneDNN, in bf16 or f32; see matmul.h.
 *
 * A primitive belongs to a number of rows, so rows are taken PANEL at a time and the rest
 * is rounded up to a multiple of STEP: few shapes occur, and each thread's room keeps the
 * primitives it has made. Weights are packed once, in the layout that oneDNN wants for a
 * full panel.
 *
 * A caller's thread is one of several that work already, so oneDNN must not start more:
 * OpenMP's team is set to one around each use. oneDNN brings its OpenMP along, and may be
 * built without any: its two functions are looked up in the running program. */
#ifdef PITH_ONEDNN

#include "model/matmul_impl.h"

#include <dlfcn.h>
#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 256, STEP = 32, SHAPES = 16 };

typedef struct Dnnl {
    Matmul base;
    dnnl_engine_t engine;
    dnnl_memory_desc_t packed, bias_desc;
    dnnl_memory_t w, bias;
    dnnl_data_type_t type;          // of x and W; y is f32
} Dnnl;

/* One shape's primitives, by rounded rows. */
typedef struct Shape {
    size_t in, out;
    dnnl_memory_desc_t packed;
    dnnl_primitive_t at[PANEL / STEP + 1];
} Shape;

typedef struct Room {
    MatmulRoom base;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_data_type_t type;
    size_t max_in;
    void *x;                        // (PANEL, max_in) of type
    float *y;                       // (PANEL, widest out so far): where rows were added
    size_t y_cap;
    Shape shape[SHAPES];
    size_t n_shapes;
} Room;

/* Sets how many threads OpenMP gives the calling thread; returns how many it were. */
static int team(int n)
{
    int (*count)(void);
    void (*set)(int);
    *(void **)&count = dlsym(RTLD_DEFAULT, "omp_get_max_threads");
    *(void **)&set = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
    if (!count || !set) return n;
    int before = count();
    set(n);
    return before;
}

static bool any_can(void)
{
    return true;
}

static Status refused(Ctx *cx, dnnl_status_t s)
{
    return s == dnnl_out_of_memory
        ? fail(cx, E_MEMORY, "out of memory for a matrix product")
        : fail(cx, E_INTERNAL, "oneDNN refuses a matrix product (status %d)", (int)s);
}

/* ---- descriptions ----------------------------------------------------------------- */

/* engine: the one whose stream will run it. */
static dnnl_status_t describe(const Dnnl *m, dnnl_engine_t engine, size_t rows,
                              const dnnl_memory_desc_t *w, dnnl_primitive_desc_t *out)
{
    dnnl_dims_t xd = { (dnnl_dim_t)rows, (dnnl_dim_t)m->base.in };
    dnnl_dims_t yd = { (dnnl_dim_t)rows, (dnnl_dim_t)m->base.out };
    dnnl_memory_desc_t x, y;
    dnnl_matmul_desc_t d;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&x, 2, xd, m->type, dnnl_ab);
    if (!s) s = dnnl_memory_desc_init_by_tag(&y, 2, yd, dnnl_f32, dnnl_ab);
    if (!s) s = dnnl_matmul_desc_init(&d, &x, w, &m->bias_desc, &y);
    return s ? s : dnnl_primitive_desc_create(out, &d, NULL, engine, NULL);
}

/* The layout of W that suits a full panel, and the bias's. */
static dnnl_status_t choose_layout(Dnnl *m)
{
    dnnl_dims_t wd = { (dnnl_dim_t)m->base.in, (dnnl_dim_t)m->base.out };
    dnnl_dims_t bd = { 1, (dnnl_dim_t)m->base.out };
    dnnl_memory_desc_t any;
    dnnl_primitive_desc_t pd = NULL;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&any, 2, wd, m->type,
                                                   dnnl_format_tag_any);
    if (!s) s = dnnl_memory_desc_init_by_tag(&m->bias_desc, 2, bd, dnnl_f32, dnnl_ab);
    if (!s) s = describe(m, m->engine, PANEL, &any, &pd);
    if (s) return s;
    m->packed = *dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    dnnl_primitive_desc_destroy(pd);
    return dnnl_success;
}

static dnnl_status_t reorder(dnnl_engine_t engine, dnnl_memory_t from,
                             const dnnl_memory_desc_t *from_desc, dnnl_memory_t to,
                             const dnnl_memory_desc_t *to_desc)
{
    dnnl_primitive_desc_t pd = NULL;
    dnnl_primitive_t p = NULL;
    dnnl_stream_t stream = NULL;
    dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, from }, { DNNL_ARG_TO, to } };
    dnnl_status_t s = dnnl_reorder_primitive_desc_create(&pd, from_desc, engine, to_desc,
                                                         engine, NULL);
    if (!s) s = dnnl_primitive_create(&p, pd);
    if (!s) s = dnnl_stream_create(&stream, engine, dnnl_stream_default_flags);
    if (!s) s = dnnl_primitive_execute(p, stream, 2, args);
    if (!s) s = dnnl_stream_wait(stream);
    if (stream) dnnl_stream_destroy(stream);
    if (p) dnnl_primitive_destroy(p);
    if (pd) dnnl_primitive_desc_destroy(pd);
    return s;
}

static dnnl_status_t pack(Dnnl *m, const MatmulWeights *w)
{
    dnnl_dims_t wd = { (dnnl_dim_t)w->in, (dnnl_dim_t)w->out };
    dnnl_memory_desc_t plain;
    dnnl_memory_t from = NULL;
    void *bias = NULL;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&plain, 2, wd, dnnl_f32, dnnl_ba);
    if (!s) s = dnnl_memory_create(&from, &plain, m->engine, (void *)(uintptr_t)w->w);
    if (!s) s = dnnl_memory_create(&m->w, &m->packed, m->engine, DNNL_MEMORY_ALLOCATE);
    if (!s) s = reorder(m->engine, from, &plain, m->w, &m->packed);
    if (!s) s = dnnl_memory_create(&m->bias, &m->bias_desc, m->engine,
                                   DNNL_MEMORY_ALLOCATE);
    if (!s) s = dnnl_memory_get_data_handle(m->bias, &bias);
    if (!s && w->bias) memcpy(bias, w->bias, w->out * sizeof(float));
    else if (!s) memset(bias, 0, w->out * sizeof(float));
    if (from) dnnl_memory_destroy(from);
    return s;
}

static void dnnl_close(Matmul *base)
{
    Dnnl *m = (Dnnl *)base;
    if (m->w) dnnl_memory_destroy(m->w);
    if (m->bias) dnnl_memory_destroy(m->bias);
    if (m->engine) dnnl_engine_destroy(m->engine);
    free(m);
}

static Status dnnl_open(Ctx *cx, const MatmulImpl *impl, dnnl_data_type_t type,
                        const MatmulWeights *w, Matmul **out)
{
    Dnnl *m = calloc(1, sizeof *m);
    if (!m) return fail(cx, E_MEMORY, "out of memory for a layer's weights");
    m->base = (Matmul){ impl, w->in, w->out };
    m->type = type;
    int before = team(1);   // a layout for one thread: that is how it will run
    dnnl_status_t s = dnnl_engine_create(&m->engine, dnnl_cpu, 0);
    if (!s) s = choose_layout(m);
    if (!s) s = pack(m, w);
    team(before);
    if (s) {
        dnnl_close(&m->base);
        return refused(cx, s);
    }
    *out = &m->base;
    return OK;
}

static Status bf16_open(Ctx *cx, const MatmulWeights *w, Matmul **out)
{
    return dnnl_open(cx, &matmul_dnnl_bf16, dnnl_bf16, w, out);
}

static Status f32_open(Ctx *cx, const MatmulWeights *w, Matmul **out)
{
    return dnnl_open(cx, &matmul_dnnl_f32, dnnl_f32, w, out);
}

/* ---- a thread's room -------------------------------------------------------------- */

static void room_close(MatmulRoom *base)
{
    Room *r = (Room *)base;
    for (size_t i = 0; i < r->n_shapes; i++)
        for (size_t j = 0; j <= PANEL / STEP; j++)
            if (r->shape[i].at[j]) dnnl_primitive_destroy(r->shape[i].at[j]);
    if (r->stream) dnnl_stream_destroy(r->stream);
    if (r->engine) dnnl_engine_destroy(r->engine);
    free(r->x);
    free(r->y);
    free(r);
}

static Status room_open(Ctx *cx, const MatmulImpl *impl, dnnl_data_type_t type,
                        size_t max_in, MatmulRoom **out)
{
    Room *r = calloc(1, sizeof *r);
    if (!r) return fail(cx, E_MEMORY, "out of memory for a matrix product");
    r->base.impl = impl;
    r->type = type;
    r->max_in = max_in;
    r->x = lines_alloc(PANEL * max_in, sizeof(float));
    dnnl_status_t s = r->x ? dnnl_engine_create(&r->engine, dnnl_cpu, 0)
                           : dnnl_out_of_memory;
    if (!s) s = dnnl_stream_create(&r->stream, r->engine, dnnl_stream_default_flags);
    if (s) {
        room_close(&r->base);
        return refused(cx, s);
    }
    *out = &r->base;
    return OK;
}

static Status bf16_room(Ctx *cx, size_t max_in, MatmulRoom **out)
{
    return room_open(cx, &matmul_dnnl_bf16, dnnl_bf16, max_in, out);
}

static Status f32_room(Ctx *cx, size_t max_in, MatmulRoom **out)
{
    return room_open(cx, &matmul_dnnl_f32, dnnl_f32, max_in, out);
}

static Shape *shape_of(Room *r, const Dnnl *m)
{
    for (size_t i = 0; i < r->n_shapes; i++) {
        Shape *s = &r->shape[i];
        if (s->in == m->base.in && s->out == m->base.out
            && dnnl_memory_desc_equal(&s->packed, &m->packed)) return s;
    }
    if (r->n_shapes == SHAPES) return NULL;
    Shape *s = &r->shape[r->n_shapes++];
    *s = (Shape){ .in = m->base.in, .out = m->base.out, .packed = m->packed };
    return s;
}

static dnnl_primitive_t primitive_of(Room *r, const Dnnl *m, size_t rows)
{
    Shape *s = shape_of(r, m);
    if (!s) return NULL;
    dnnl_primitive_t *p = &s->at[rows / STEP];
    dnnl_primitive_desc_t pd = NULL;
    if (*p || describe(m, r->engine, rows, &m->packed, &pd)) return *p;
    if (dnnl_primitive_create(p, pd)) *p = NULL;
    dnnl_primitive_desc_destroy(pd);
    return *p;
}

/* ---- multiplying ------------------------------------------------------------------ */

static uint16_t to_bf16(float f)   // round to nearest even
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return (uint16_t)((u + 0x7FFF + (u >> 16 & 1)) >> 16);
}

/* A panel of x in the room, its rows behind n zero. */
static void fill_x(Room *r, size_t n, size_t rounded, size_t in, const float *x)
{
    size_t used = n * in, all = rounded * in;
    if (r->type == dnnl_f32) {
        memcpy(r->x, x, used * sizeof(float));
        memset((float *)r->x + used, 0, (all - used) * sizeof(float));
        return;
    }
    uint16_t *to = r->x;
    for (size_t i = 0; i < used; i++) to[i] = to_bf16(x[i]);
    memset(to + used, 0, (all - used) * sizeof *to);
}

static bool y_reserve(Room *r, size_t out)
{
    if (out <= r->y_cap) return true;
    free(r->y);
    r->y = lines_alloc(PANEL * out, sizeof(float));
    r->y_cap = r->y ? out : 0;
    return r->y != NULL;
}

static dnnl_status_t execute(Room *r, const Dnnl *m, size_t rows, float *y)
{
    dnnl_primitive_t p = primitive_of(r, m, rows);
    if (!p) return dnnl_unimplemented;
    dnnl_dims_t xd = { (dnnl_dim_t)rows, (dnnl_dim_t)m->base.in };
    dnnl_dims_t yd = { (dnnl_dim_t)rows, (dnnl_dim_t)m->base.out };
    dnnl_memory_desc_t xdesc, ydesc;
    dnnl_memory_t xm = NULL, ym = NULL;
    dnnl_status_t s = dnnl_memory_desc_init_by_tag(&xdesc, 2, xd, m->type, dnnl_ab);
    if (!s) s = dnnl_memory_desc_init_by_tag(&ydesc, 2, yd, dnnl_f32, dnnl_ab);
    if (!s) s = dnnl_memory_create(&xm, &xdesc, r->engine, r->x);
    if (!s) s = dnnl_memory_create(&ym, &ydesc, r->engine, y);
    dnnl_exec_arg_t args[] = { { DNNL_ARG_SRC, xm }, { DNNL_ARG_WEIGHTS, m->w },
                               { DNNL_ARG_BIAS, m->bias }, { DNNL_ARG_DST, ym } };
    if (!s) s = dnnl_primitive_execute(p, r->stream, 4, args);
    if (!s) s = dnnl_stream_wait(r->stream);
    if (xm) dnnl_memory_destroy(xm);
    if (ym) dnnl_memory_destroy(ym);
    return s;
}

static bool run_panels(const Dnnl *m, Room *r, size_t rows, const float *x, float *y)
{
    const size_t in = m->base.in, out = m->base.out;
    for (size_t top = 0; top < rows; top += PANEL) {
        size_t n = rows - top < PANEL ? rows - top : PANEL;
        size_t rounded = (n + STEP - 1) / STEP * STEP;
        fill_x(r, n, rounded, in, x + top * in);
        if (n < rounded && !y_reserve(r, out)) return false;
        float *to = n < rounded ? r->y : y + top * out;
        if (execute(r, m, rounded, to)) return false;
        if (n < rounded) memcpy(y + top * out, to, n * out * sizeof *y);
    }
    return true;
}

static bool dnnl_run(const Matmul *base, MatmulRoom *room, size_t rows, const float *x,
                     float *y)
{
    int before = team(1);
    bool ok = run_panels((const Dnnl *)base, (Room *)room, rows, x, y);
    team(before);
    return ok;
}

const MatmulImpl matmul_dnnl_bf16 = {
    .name = "oneDNN bf16", .can = cpu_has_bf16, .open = bf16_open, .close = dnnl_close,
    .room_open = bf16_room, .room_close = room_close, .run = dnnl_run,
};

const MatmulImpl matmul_dnnl_f32 = {
    .name = "oneDNN f32", .can = any_can, .open = f32_open, .close = dnnl_close,
    .room_open = f32_room, .room_close = room_close, .run = dnnl_run,
};

#endif
