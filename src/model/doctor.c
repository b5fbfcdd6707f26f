/* doctor.c -- see doctor.h. */
#include "model/doctor.h"

#include "base/isa.h"
#include "model/catalog.h"
#include "model/engine.h"
#include "model/machine.h"
#include "model/prefill.h"

#include <ggml-backend.h>
#include <llama.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#ifdef PITH_ONEDNN
#include <dnnl.h>
#endif

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* ---- what is compiled in ---------------------------------------------------------- */

static Str cpu_features(Ctx *cx)
{
    static const char *const matter[] = { "avx2", "f16c", "fma", "avx_vnni", "avx512f",
        "avx512bw", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimd",
        "asimddp", "i8mm", "sve", "bf16" };
    char flags[MACHINE_LINE];
    Buf b = BUF(512);
    machine_flags(flags);
    for (char *save, *f = strtok_r(flags, " ", &save); f; f = strtok_r(NULL, " ", &save))
        for (size_t i = 0; i < sizeof matter / sizeof *matter; i++)
            if (strcmp(f, matter[i]) == 0) buf_addf(&b, "%s%s", b.n ? " " : "", f);
    Str out = ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str devices(Ctx *cx)
{
    Buf b = BUF(4096);
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t d = ggml_backend_dev_get(i);
        buf_addf(&b, "%s%s: %s", b.n ? "; " : "", ggml_backend_dev_name(d),
                 ggml_backend_dev_description(d));
    }
    Str out = ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    return out;
}

/* A GPU takes all of a generator; else our own pass reads long prompts where it can. */
static Str generator(Ctx *cx)
{
    MatmulWay way;
    for (size_t i = 0; i < ggml_backend_dev_count(); i++) {
        ggml_backend_dev_t d = ggml_backend_dev_get(i);
        enum ggml_backend_dev_type type = ggml_backend_dev_type(d);
        if (type == GGML_BACKEND_DEVICE_TYPE_GPU || type == GGML_BACKEND_DEVICE_TYPE_IGPU)
            return ctx_printf(cx, "%s: %s, by libllama", ggml_backend_dev_name(d),
                              ggml_backend_dev_description(d));
    }
    if (!prefill_way(&way)) return ctx_dup(cx, STR("CPU, by libllama"));
    return ctx_printf(cx, "CPU, prompts read by our own pass (%s)",
                      way == MATMUL_INT8 ? "8-bit integers" : "bf16");
}

/* What ggml was built with, whether or not such a device is here. */
static Str backends(Ctx *cx)
{
    Buf b = BUF(4096);
    for (size_t i = 0; i < ggml_backend_reg_count(); i++)
        buf_addf(&b, "%s%s", b.n ? ", " : "",
                 ggml_backend_reg_name(ggml_backend_reg_get(i)));
    Str out = ctx_dup(cx, buf_str(&b));
    buf_free(&b);
    return out;
}

static Str encoder(Ctx *cx)
{
#ifdef PITH_ONEDNN
    static const struct { dnnl_cpu_isa_t isa; const char *name; } isas[] = {
        { dnnl_cpu_isa_sse41, "sse4.1" }, { dnnl_cpu_isa_avx, "avx" },
        { dnnl_cpu_isa_avx2, "avx2" }, { dnnl_cpu_isa_avx512_core, "avx512" },
        { dnnl_cpu_isa_avx512_core_vnni, "avx512 vnni" },
        { dnnl_cpu_isa_avx512_core_bf16, "avx512 bf16" },
        { dnnl_cpu_isa_avx512_core_amx, "amx" } };
    const dnnl_version_t *v = dnnl_version();
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
    const char *name = "plain";
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++)
        if (isas[i].isa == isa) name = isas[i].name;
    return ctx_printf(cx, "oneDNN %d.%d.%d, %s", v->major, v->minor, v->patch, name);
#else
    return ctx_dup(cx, STR("libllama"));
#endif
}

/* ---- what is wrong ---------------------------------------------------------------- */

static void problem(Doctor *d, Str what, Str cure)
{
    if (d->n_problems < DOCTOR_PROBLEMS_MAX) d->problem[d->n_problems++] =
        (Problem){ what, cure };
}

static double gib(uint64_t bytes)
{
    return (double)bytes / (1 << 30);
}

static void check_memory(Ctx *cx, Doctor *d)
{
    uint64_t need = (uint64_t)1 << 30, swap = machine_memory("SwapTotal");
    MemoryLimit g = machine_limit();
    if (d->free_bytes < need)
        problem(d, ctx_printf(cx, "%.1f GiB of memory are free", gib(d->free_bytes)),
                STR("close other programs, or take a smaller generator: pith model ls"));
    if (swap && swap - machine_memory("SwapFree") > d->memory_bytes / 10)
        problem(d, ctx_printf(cx, "%.1f GiB are swapped out",
                              gib(swap - machine_memory("SwapFree"))),
                STR("a model that is swapped is a hundred times slower: free memory"));
    if (g.limit < machine_memory("MemTotal"))
        problem(d, ctx_printf(cx, "this container may use %.1f of the machine's %.1f GiB",
                              gib(g.limit), gib(machine_memory("MemTotal"))),
                STR("raise its memory limit where models do not fit"));
}

static void check_cpu(Ctx *cx, Doctor *d)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    double quota = machine_quota();
#if defined __x86_64__
    if (!strstr(d->features.p, "avx2"))
        problem(d, STR("this CPU has no AVX2"),
                STR("expect a tenth of the speed; the smallest generator is the one to "
                    "take"));
#endif
    if (isa_limit())
        problem(d, ctx_printf(cx, "PITH_ISA holds our kernels to %s", isa_limit()),
                STR("unset it, unless this CPU is to be tested as a lesser one"));
    if (d->cores < online)
        problem(d, ctx_printf(cx, "this process may use %d of %ld cores", d->cores,
                              online),
                STR("start it without taskset, or raise the container's cpuset"));
    if (quota > 0 && quota < d->cores)
        problem(d, ctx_printf(cx, "the container's quota pays for %.1f of %d cores",
                              quota, d->cores),
                STR("raise the quota, or pass --threads: threads that are put to sleep "
                    "hold up the others"));
}

static Status check_models(Ctx *cx, Doctor *d)
{
    static const char *const roles[] = { "generator", "embedder", "reranker" };
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
        const CatalogEntry *e = catalog_default(roles[i]);
        Str path;
        if (!e || catalog_resolve(cx, e->name, &path) == OK) continue;
        if (cx->status != E_NOTFOUND) return cx->status;
        ctx_forgive(cx);
        problem(d, ctx_printf(cx, "the %s %s is not here", roles[i], e->name),
                ctx_printf(cx, "pith model pull %s", e->name));
    }
    return OK;
}

Status doctor(Ctx *cx, Doctor *out)
{
    char name[MACHINE_LINE];
    *out = (Doctor){ 0 };
    engine_start();
    if (!machine_line("/proc/cpuinfo", "model name", name)) snprintf(name, 16, "unknown");
    out->cpu = ctx_dup(cx, str_z(name));
    out->features = cpu_features(cx);
    out->cores = machine_cores();
    out->memory_bytes = lesser(machine_memory("MemTotal"), machine_limit().limit);
    out->free_bytes = machine_free_bytes();
    out->devices = devices(cx);
    Str built = backends(cx);
    TRY_NEW(built.p);
    out->engine = ctx_printf(cx, "libllama %s for %s, %s", llama_version(), built.p,
                             llama_print_system_info());
    out->generator = generator(cx);
    out->encoder = encoder(cx);
    if (cx->status != OK) return cx->status;
    check_memory(cx, out);
    check_cpu(cx, out);
    TRY(check_models(cx, out));
    return cx->status;
}
