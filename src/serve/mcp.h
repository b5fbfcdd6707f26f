/* mcp.h -- Model Context Protocol: pith's tools for assistants, over JSON-RPC 2.0.
 *
 * Both eras are spoken, as revision 2026-07-28 calls them: legacy, where `initialize`
 * begins a session (2025-11-25 and two before it), and modern, where each request says
 * its version in _meta and nothing is remembered between requests. This file knows no
 * transport; we keep no state in either era, so one function answers all. */
#ifndef PITH_SERVE_MCP_H
#define PITH_SERVE_MCP_H

#include <jansson.h>
#include <pith.h>
#include <stdbool.h>

#define MCP_MODERN "2026-07-28"
#define MCP_LEGACY "2025-11-25"

enum { MCP_PARSE = -32700, MCP_INVALID = -32600, MCP_NO_METHOD = -32601,
       MCP_PARAMS = -32602, MCP_HEADER = -32020, MCP_VERSION = -32022 };

/* What a message asks for, and thus what has to be at hand to answer it. */
typedef enum McpNeed {
    MCP_SILENCE,        // a notification or a response: no answer
    MCP_NOTHING,        // answered at once
    MCP_SEARCH,         // a handle that searches
    MCP_ASK,            // one that answers
    MCP_WRITE           // one that writes
} McpNeed;

McpNeed mcp_need(const json_t *message);
/* The answer to a request, with its id; p is NULL where nothing is needed. writes: the
 * caller may add documents. NULL: no memory. */
json_t *mcp_answer(const json_t *message, pith *p, bool writes);
json_t *mcp_error(const json_t *id, int code, const char *message);
/* The code of an error in an answer; 0 where it has a result. */
int mcp_error_code(const json_t *answer);
/* The version in a request's _meta, or NULL: legacy. */
const char *mcp_version(const json_t *message);
/* True for the versions that are spoken. */
bool mcp_knows(const char *version);

#endif
