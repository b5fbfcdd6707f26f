/* decode.c -- what a token costs libllama to write, against what its weights cost to be
 * read.
 *
 *     bench_decode MODEL.gguf...
 *
 * One thread, by its processor time, which others on the machine disturb less than the
 * clock: the fastest of some tokens behind a short context, and the fastest of some
 * passes over a buffer larger than the caches. The share is near 1 where memory is all
 * that the writing waits for. The last line is a row for table.sh, of the last model. */
#include "model/engine.h"
#include "model/weights.h"
#include "took.h"

#include <llama.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef uint64_t Line __attribute__((vector_size(64)));   // a cache line, one wide load
enum { BUFFER = 512 << 20, HUGE_PAGE = 2 << 20, PASSES = 4, TOKENS = 24, SUMS = 8 };

static double lesser(double a, double b)
{
    return a < b ? a : b;
}

/* Reads a buffer once; eight sums side by side, so that no load waits for another. */
static uint64_t read_all(const Line *p, size_t n)
{
    Line sum[SUMS] = { 0 };
    for (size_t i = 0; i < n; i += SUMS)
        for (size_t j = 0; j < SUMS; j++) sum[j] ^= p[i + j];
    for (size_t j = 1; j < SUMS; j++) sum[0] ^= sum[j];
    return sum[0][0];
}

static double read_gb_s(void)
{
    uint64_t kept = 0;      // so that it is done
    double best = 1e9;
    char *p = aligned_alloc(HUGE_PAGE, BUFFER);
    if (!p) return 0;
    memset(p, 1, BUFFER);
    for (int i = 0; i < PASSES; i++) {
        double t = cpu_ms();
        kept |= read_all((const Line *)(const void *)p, BUFFER / sizeof(Line));
        best = lesser(best, cpu_ms() - t);
    }
    free(p);
    return kept == 1 ? 0 : BUFFER / best / 1e6;
}

/* Milliseconds of a token; 0: the model cannot be used. */
static double token_ms(const char *path)
{
    double best = 1e9;
    struct llama_context_params c = llama_context_default_params();
    c.n_ctx = 512;
    c.n_threads = c.n_threads_batch = 1;
    c.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_DISABLED;
    struct llama_model *m = llama_model_load_from_file(path,
                                                       llama_model_default_params());
    struct llama_context *talk = m ? llama_init_from_model(m, c) : NULL;
    for (int i = 0; talk && i < TOKENS; i++) {
        llama_token token = 100 + i * 37;
        double t = cpu_ms();
        if (llama_decode(talk, llama_batch_get_one(&token, 1)) != 0) break;
        best = lesser(best, cpu_ms() - t);
    }
    if (talk) llama_free(talk);
    if (m) llama_model_free(m);
    return best < 1e9 ? best : 0;
}

static void print(const Weights *w, double ms, double gb_s, const char *path, bool last)
{
    double bytes = (double)w->bytes, rate = bytes / ms / 1e6;
    printf("%-6s %5.0f MB a token, %6.2f ms, %5.1f GB/s of %.1f: %.2f  %s\n", w->quant,
           bytes / 1e6, ms, rate, gb_s, rate / gb_s, path);
    if (last)
        printf("= %.1f tokens/s | %.0f MB read at %.1f GB/s: %.1f tokens/s | %.2f\n",
               1e3 / ms, bytes / 1e6, gb_s, gb_s * 1e9 / bytes, rate / gb_s);
}

int main(int argc, char **argv)
{
    Ctx cx = CTX_INIT;
    engine_start();
    for (int i = 1; i < argc; i++) {
        Weights w;
        double gb_s = read_gb_s(), ms = token_ms(argv[i]);
        if (weights_read(&cx, argv[i], &w) != OK || ms <= 0 || gb_s <= 0) {
            fprintf(stderr, "bench_decode: %s: %s %s\n", argv[i], cx.reason,
                    engine_reason());
            return 1;
        }
        print(&w, ms, gb_s, argv[i], i + 1 == argc);
    }
    ctx_end(&cx);
    return 0;
}
