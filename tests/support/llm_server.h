/* llm_server.h -- a server on 127.0.0.1 that speaks OpenAI's dialect, or misbehaves.
 *
 * It answers one request a connection and keeps every byte that it was sent. */
#ifndef PITH_TESTS_LLM_SERVER_H
#define PITH_TESTS_LLM_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

typedef enum LlmMood {
    LLM_GOOD, LLM_ONE_OBJECT, LLM_SILENT, LLM_STALLS, LLM_CUT, LLM_429, LLM_500, LLM_401,
    LLM_REDIRECT, LLM_BAD_JSON, LLM_ENDLESS, LLM_HUGE_LINE, LLM_HTML, LLM_ERROR_EVENT,
    LLM_NO_END, LLM_EMPTY, LLM_RAW, LLM_MOODS
} LlmMood;

typedef struct LlmServer {
    LlmMood mood;
    int good_after;         // this many requests in the mood, then good; 0: always in it
    const char *answer;     // what it says, "Forty-two." by default
    const char *json;       // answered to embeddings and rerank; of LLM_RAW to all
    _Atomic int requests;
    char *seen;             // all bytes of all requests
    size_t n_seen;
    char url[64];
    int listener;
    _Atomic bool stopping;
    pthread_t thread;
} LlmServer;

static bool llm_send(int fd, const char *s)
{
    size_t n = strlen(s);
    return send(fd, s, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* Keeps the request; false when it did not come whole. */
static bool llm_receive(LlmServer *s, int fd)
{
    size_t from = s->n_seen, need = 0;
    for (;;) {
        s->seen = realloc(s->seen, s->n_seen + 65537);
        ssize_t got = read(fd, s->seen + s->n_seen, 65536);
        if (got <= 0) return false;
        s->n_seen += (size_t)got;
        s->seen[s->n_seen] = '\0';
        char *head = s->seen + from, *body = strstr(head, "\r\n\r\n");
        const char *length = body ? strcasestr(head, "\r\nContent-Length:") : NULL;
        if (length) need = (size_t)(body + 4 - s->seen) + strtoul(length + 17, NULL, 10);
        if (body && s->n_seen >= need) return true;
    }
}

static void llm_wait(LlmServer *s, int ms)
{
    for (int i = 0; i < ms && !s->stopping; i += 10) usleep(10000);
}

static void llm_head(int fd, const char *status, const char *type)
{
    char head[256];
    snprintf(head, sizeof head, "HTTP/1.1 %s\r\nContent-Type: %s\r\n"
             "Connection: close\r\n\r\n", status, type);
    llm_send(fd, head);
}

static void llm_piece(int fd, const char *text)
{
    char line[512];
    snprintf(line, sizeof line,
             "data: {\"choices\":[{\"delta\":{\"content\":\"%s\"}}]}\n\n", text);
    llm_send(fd, line);
}

static void llm_good(const LlmServer *s, int fd)
{
    char copy[512], *save, *next;
    snprintf(copy, sizeof copy, "%s", s->answer ? s->answer : "Forty-two.");
    llm_head(fd, "200 OK", "text/event-stream; charset=utf-8");
    for (char *w = strtok_r(copy, " ", &save); w; w = next) {
        char piece[256];
        next = strtok_r(NULL, " ", &save);
        snprintf(piece, sizeof piece, "%s%s", w, next ? " " : "");
        llm_piece(fd, piece);
    }
    llm_send(fd, "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
                 "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,"
                 "\"completion_tokens\":3}}\n\ndata: [DONE]\n\n");
}

static void llm_flood(LlmServer *s, int fd)
{
    llm_head(fd, "200 OK", "text/event-stream");
    if (s->mood == LLM_HUGE_LINE) llm_send(fd, "data: ");
    char block[4097];
    memset(block, 'x', sizeof block - 1);
    block[4096] = '\0';
    const char *more = "data: {\"choices\":[{\"delta\":{\"content\":\"and on \"}}]}\n\n";
    if (s->mood == LLM_HUGE_LINE) more = block;
    for (int i = 0; i < 100000 && !s->stopping && llm_send(fd, more); i++) { }
}

static void llm_answer(LlmServer *s, int fd)
{
    size_t from = s->n_seen;
    if (!llm_receive(s, fd)) return;
    s->requests++;
    LlmMood mood = s->good_after && s->requests > s->good_after ? LLM_GOOD : s->mood;
    bool chat = strncmp(s->seen + from, "POST /v1/chat", 13) == 0;
    if (mood == LLM_GOOD && !chat && s->json) {
        llm_head(fd, "200 OK", "application/json");
        llm_send(fd, s->json);
        return;
    }
    switch (mood) {
    case LLM_GOOD: case LLM_MOODS: llm_good(s, fd); break;
    case LLM_ONE_OBJECT:
        llm_head(fd, "200 OK", "application/json");
        llm_send(fd, "{\"choices\":[{\"message\":{\"content\":\"Forty-two.\"}}]}");
        break;
    case LLM_SILENT: llm_wait(s, 3000); break;
    case LLM_STALLS:
        llm_head(fd, "200 OK", "text/event-stream");
        llm_piece(fd, "For");
        llm_wait(s, 3000);
        break;
    case LLM_CUT: case LLM_NO_END:
        llm_head(fd, "200 OK", "text/event-stream");
        llm_piece(fd, "For");
        if (mood == LLM_CUT) llm_send(fd, "data: {\"choices\":[{\"del");
        break;
    case LLM_429:
        llm_send(fd, "HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n");
        break;
    case LLM_500:
        llm_head(fd, "500 Bad", "text/plain");
        llm_send(fd, "it \x01 broke");
        break;
    case LLM_401: llm_head(fd, "401 No", "text/plain"); break;
    case LLM_REDIRECT:
        llm_send(fd, "HTTP/1.1 307 There\r\nLocation: /v1/elsewhere\r\n"
                     "Content-Length: 0\r\n\r\n");
        break;
    case LLM_BAD_JSON:
        llm_head(fd, "200 OK", "text/event-stream");
        llm_send(fd, "data: {\"choices\":[{]}\n\n");
        break;
    case LLM_ENDLESS: case LLM_HUGE_LINE: llm_flood(s, fd); break;
    case LLM_HTML: llm_head(fd, "200 OK", "text/html"), llm_send(fd, "<html>"); break;
    case LLM_ERROR_EVENT:
        llm_head(fd, "200 OK", "text/event-stream");
        llm_send(fd, "data: {\"error\":{\"message\":\"out of cards\"}}\n\n");
        break;
    case LLM_EMPTY: break;
    case LLM_RAW:
        llm_head(fd, "200 OK", "text/event-stream");
        llm_send(fd, s->json ? s->json : "\n");
        break;
    }
}

static void *llm_loop(void *arg)
{
    LlmServer *s = arg;
    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd))
        llm_answer(s, fd);
    return NULL;
}

/* False where no socket can be had: the test is skipped then. */
static bool llm_server_start(LlmServer *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&at, n) != 0 ||
        listen(s->listener, 8) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&at, &n) != 0)
        return false;
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", ntohs(at.sin_port));
    return pthread_create(&s->thread, NULL, llm_loop, s) == 0;
}

static void llm_server_stop(LlmServer *s)
{
    s->stopping = true;
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
    free(s->seen);
    s->seen = NULL;
}

#endif
