/* mcp_http.c -- MCP's streamable HTTP: each message a POST, each answer one JSON object.
 * No session is given out, so a GET or DELETE has nothing to do here: 405. */
#include "serve/route.h"

#include "serve/mcp.h"

#include <sodium.h>
#include <string.h>

enum { NAME_BYTES = 256 };

static const char *header(const Request *r, const char *name)
{
    return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

static void refuse(Request *r, int status, int code, const char *message)
{
    reply_json(r, status, mcp_error(json_object_get(r->json, "id"), code, message));
}

/* A header's value may be written as =?base64?...?=. */
static bool same(const char *shown, const char *wanted)
{
    static const char open[] = "=?base64?";
    char text[NAME_BYTES + 1];
    size_t n = shown ? strlen(shown) : 0, got = 0;
    if (!shown || !wanted) return false;
    if (strncmp(shown, open, 9) != 0 || n < 11 || strcmp(shown + n - 2, "?=") != 0)
        return strcmp(shown, wanted) == 0;
    if (sodium_base642bin((unsigned char *)text, NAME_BYTES, shown + 9, n - 11, NULL,
                          &got,
                          NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
        return false;
    text[got] = '\0';
    return strlen(text) == got && strcmp(text, wanted) == 0;
}

/* 2026-07-28, "Server Validation": headers and body must say the same. */
static bool modern_fits(Request *r, const char *version)
{
    const json_t *params = json_object_get(r->json, "params");
    const char *method = json_string_value(json_object_get(r->json, "method"));
    const char *name = json_string_value(json_object_get(params, "name"));
    bool call = method && strcmp(method, "tools/call") == 0;
    return same(header(r, "MCP-Protocol-Version"), version)
        && same(header(r, "Mcp-Method"), method)
        && (!call || !name || same(header(r, "Mcp-Name"), name));
}

/* False: refused. */
static bool check_version(Request *r)
{
    const char *shown = header(r, "MCP-Protocol-Version"),
        *version = mcp_version(r->json);
    bool modern = version || (shown && strcmp(shown, MCP_MODERN) == 0);
    if (modern && mcp_need(r->json) != MCP_SILENCE && !modern_fits(r, version)) {
        refuse(r, 400, MCP_HEADER, "Header mismatch: MCP-Protocol-Version, Mcp-Method or "
               "Mcp-Name do not say what the body says");
        return false;
    }
    if (version || !shown || mcp_knows(shown)) return true;
    refuse(r, 400, MCP_INVALID,
           "Unsupported protocol version: " MCP_MODERN " and " MCP_LEGACY
           " are spoken");
    return false;
}

Work mcp_choose(Request *r)
{
    static const Work work[] = { WORK_NONE, WORK_NONE, WORK_SEARCH, WORK_ANSWER,
        WORK_WRITE };
    if (!json_is_object(r->json)) {
        refuse(r, 400, MCP_INVALID, "one message a request: an object was expected");
        return WORK_NONE;
    }
    if (!check_version(r)) return WORK_NONE;
    McpNeed need = mcp_need(r->json);
    if (need == MCP_SILENCE) reply_text(r, 202, "application/json", STR(""));
    if (need == MCP_WRITE && !r->writes) return WORK_NONE;      // answered: not allowed
    return work[need];
}

void mcp_post(Request *r, pith *p)
{
    json_t *answer = mcp_answer(r->json, p, r->writes);
    bool modern = mcp_version(r->json) != NULL;
    int code = mcp_error_code(answer), status = 200;
    if (code == MCP_INVALID || code == MCP_VERSION) status = 400;
    if (code == MCP_NO_METHOD && modern) status = 404;
    reply_json(r, status, answer);
}
