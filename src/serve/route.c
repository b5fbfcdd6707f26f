/* route.c -- see route.h. */
#include "serve/route.h"

#include "serve/state.h"

#include <stdio.h>
#include <string.h>

static const Route routes[] = {
    { .method = "POST", .path = "/v1/chat/completions", .work = WORK_ANSWER,
      .run = answer_chat, .body = BODY_JSON, .right = RIGHT_READ },
    { .method = "POST", .path = "/v1/completions", .work = WORK_ANSWER,
      .run = answer_completion, .body = BODY_JSON, .right = RIGHT_READ },
    { .method = "POST", .path = "/v1/search", .work = WORK_SEARCH, .run = find_passages,
      .body = BODY_JSON, .right = RIGHT_READ },
    { .method = "POST", .path = "/v1/embeddings", .work = WORK_SEARCH,
      .run = find_vectors, .body = BODY_JSON, .right = RIGHT_READ },
    { .method = "POST", .path = "/v1/rerank", .work = WORK_SEARCH, .run = find_ranking,
      .body = BODY_JSON, .right = RIGHT_READ },
    { .method = "GET", .path = "/v1/documents", .work = WORK_SEARCH,
      .run = documents_list, .right = RIGHT_READ },
    { .method = "POST", .path = "/v1/documents", .work = WORK_NONE, .run = documents_add,
      .body = BODY_ANY, .right = RIGHT_WRITE },
    { .method = "GET", .path = "/v1/documents/", .work = WORK_SEARCH,
      .run = documents_show, .right = RIGHT_READ },
    { .method = "DELETE", .path = "/v1/documents/", .work = WORK_WRITE,
      .run = documents_remove, .right = RIGHT_WRITE },
    { .method = "GET", .path = "/v1/jobs", .work = WORK_NONE, .run = state_jobs,
      .right = RIGHT_READ },
    { .method = "GET", .path = "/v1/jobs/", .work = WORK_NONE, .run = state_job,
      .right = RIGHT_READ },
    { .method = "GET", .path = "/v1/events", .work = WORK_NONE, .run = state_events,
      .right = RIGHT_READ },
    { .method = "GET", .path = "/v1/models", .work = WORK_NONE, .run = state_models,
      .right = RIGHT_READ },
    { .method = "GET", .path = "/v1/models/", .work = WORK_NONE, .run = state_model,
      .right = RIGHT_READ },
    { .method = "POST", .path = "/mcp", .choose = mcp_choose, .run = mcp_post,
      .body = BODY_JSON, .right = RIGHT_READ },
    { .method = "GET", .path = "/healthz", .work = WORK_NONE, .run = state_health },
    { .method = "GET", .path = "/readyz", .work = WORK_NONE, .run = state_ready },
    { .method = "GET", .path = "/metrics", .work = WORK_NONE, .run = state_metrics,
      .right = RIGHT_READ },
    { .method = "GET", .path = "/openapi.json", .work = WORK_NONE, .run = state_page,
      .name = "openapi.json" },
    { .method = "GET", .path = "/app.css", .work = WORK_NONE, .run = state_page,
      .name = "app.css" },
    { .method = "GET", .path = "/app.js", .work = WORK_NONE, .run = state_page,
      .name = "app.js" },
};
/* Of its own, since a path that ends in '/' would take all others. */
static const Route home = { .method = "GET", .path = "/", .work = WORK_NONE,
                            .run = state_page, .name = "index.html" };

static bool path_fits(const Route *route, const char *path, const char **rest)
{
    size_t n = strlen(route->path);
    if (route->path[n - 1] != '/') return strcmp(path, route->path) == 0;
    *rest = path + n;
    return strncmp(path, route->path, n) == 0 && path[n] != '\0';
}

const Route *route_find(const char *method, const char *path, const char **rest,
                        char allow[ALLOW_BYTES])
{
    const Route *found = NULL;
    size_t n = 0;
    *rest = "";
    allow[0] = '\0';
    for (size_t i = 0; i <= sizeof routes / sizeof *routes; i++) {
        bool last = i == sizeof routes / sizeof *routes;
        const Route *r = last ? &home : &routes[i];
        const char *behind = "";
        if (last ? strcmp(path, home.path) != 0 : !path_fits(r, path, &behind)) continue;
        *rest = behind;
        if (strcmp(method, r->method) == 0) found = r;
        n += (size_t)snprintf(allow + n, ALLOW_BYTES - n, "%s%s", n ? ", " : "",
                              r->method);
    }
    return found;
}
