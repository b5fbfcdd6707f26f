/* engine.c -- see engine.h.
 *
 * libllama knows one log callback for the whole process and tells the causes of errors
 * nowhere else: hence the one variable of this library. libllama logs on the thread that
 * called it, so a line for each thread keeps concurrent loads apart. The first line is
 * the cause; the later ones follow from it. */
#include "model/engine.h"

#include <dlfcn.h>
#include <ggml-backend.h>
#include <limits.h>
#include <llama.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char reason[300];

static void on_log(enum ggml_log_level level, const char *text, void *unused)
{
    static const char lead[] = "error loading model: ";
    (void)unused;
    if (level != GGML_LOG_LEVEL_ERROR || reason[0]) return;
    const char *cause = strstr(text, lead);
    const char *colon = strstr(text, ": ");   // after the name of a function
    cause = cause ? cause + strlen(lead) : colon ? colon + 2 : text;
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(cause, "\n"), cause);
}

/* The kernels of a portable build lie beside libggml. ggml_backend_load_all would look
 * beside the program and in the current folder, where a stranger's library may lie. */
static void load_kernels(void)
{
    char folder[PATH_MAX];
    Dl_info here;
    if (!dladdr((const void *)ggml_backend_load_all_from_path, &here)) return;
    if (!realpath(here.dli_fname, folder)) return;
    char *slash = strrchr(folder, '/');
    if (slash) *slash = '\0';
    ggml_backend_load_all_from_path(folder);
}

static void start(void)
{
    llama_log_set(on_log, NULL);
    llama_backend_init();
    if (ggml_backend_dev_count() == 0) load_kernels();   // a portable build
}

void engine_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
}

const char *engine_reason(void)
{
    return reason[0] ? reason : "libllama does not say why";
}

void engine_reason_clear(void)
{
    reason[0] = '\0';
}

int engine_unknown(const struct llama_vocab *vocab, const char *text, size_t n)
{
    llama_token at[1024];
    const int room = sizeof at / sizeof *at;
    int unknown = 0, bytes = n < (size_t)room ? (int)n : room;
    int got = bytes ? llama_tokenize(vocab, text, bytes, at, room, false, false) : 0;
    for (int i = 0; i < got; i++)
        unknown += (llama_vocab_get_attr(vocab, at[i]) & LLAMA_TOKEN_ATTR_UNKNOWN) != 0;
    return unknown;
}
