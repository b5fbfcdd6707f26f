/* Any bytes as a message of an assistant, or of base64: a message is answered with its
 * id, an error has a code; what is no base64 is refused. */
#include "serve/base64.h"
#include "serve/mcp.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool ok)
{
    if (!ok) abort();
}

static void read_message(const uint8_t *data, size_t n)
{
    json_t *message = json_loadb((const char *)data, n, 0, NULL);
    if (json_is_object(message) && mcp_need(message) != MCP_SILENCE) {
        bool bare = mcp_need(message) == MCP_NOTHING;
        json_t *id = json_object_get(message, "id");
        json_t *answer = bare ? mcp_answer(message, NULL, false)
                              : mcp_error(id, MCP_PARAMS, "no");
        must(json_is_object(answer) && json_object_get(answer, "jsonrpc"));
        must(!json_object_get(answer, "error") || mcp_error_code(answer) != 0);
        json_decref(answer);
    }
    const char *version = json_is_object(message) ? mcp_version(message) : NULL;
    if (version) (void)mcp_knows(version);
    json_decref(message);
}

static void read_base64(const uint8_t *data, size_t n)
{
    size_t length, got = 0;
    char *z = strndup((const char *)data, n), *bytes;
    must(z != NULL);
    length = base64_length(z);
    bytes = base64_bytes(z, &got);
    must(!bytes || got <= length || length == 0);
    if (bytes) {
        json_t *again = base64_of((Str){ bytes, got });
        must(json_is_string(again) && base64_length(json_string_value(again)) == got);
        json_decref(again);
    }
    free(bytes);
    free(z);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    read_message(data, n);
    read_base64(data, n);
    return 0;
}
