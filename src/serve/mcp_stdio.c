/* mcp_stdio.c -- MCP over standard input and output: a message a line, answered in turn.
 *
 * Documents are added by a handle of its own that is closed at once, so that the store is
 * not held from other programs while the assistant thinks. */
#include "serve/serve.h"

#include "serve/mcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *answer(const ServeEnv *env, pith *reader, const json_t *message)
{
    McpNeed need = mcp_need(message);
    pith_options opt = env->open;
    pith_error why;
    pith *writer = NULL;
    bool writes = need == MCP_WRITE && !env->read_only;
    if (writes && pith_open(&opt, &writer, &why))
        return mcp_error(json_object_get(message, "id"), -32603, why.message);
    json_t *out = mcp_answer(message, writes ? writer : reader, writes);
    pith_close(writer);
    return out;
}

static void print(json_t *j)
{
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(j);
    if (!text) return;
    puts(text);
    fflush(stdout);
    free(text);
}

int mcp_main(const ServeEnv *env)
{
    pith_options opt = env->open;
    pith_error why;
    pith *reader = NULL;
    char *line = NULL;
    size_t room = 0;
    opt.read_only = 1;
    if (pith_open(&opt, &reader, &why)) {
        fprintf(stderr, "pith: %s\n", why.message);
        return 3;
    }
    for (ssize_t n; (n = getline(&line, &room, stdin)) > 0; ) {
        json_t *message = json_loadb(line, (size_t)n, 0, NULL);
        if (line[strspn(line, " \t\r\n")] == '\0') continue;
        if (!message)
            print(mcp_error(NULL, MCP_PARSE, "Parse error: one JSON object a line"));
        else if (!json_is_object(message))
            print(mcp_error(NULL, MCP_INVALID, "a JSON object was expected"));
        else if (mcp_need(message) != MCP_SILENCE)
            print(answer(env, reader, message));
        json_decref(message);
    }
    free(line);
    pith_close(reader);
    return 0;
}
