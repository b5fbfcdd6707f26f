/* http_server.h -- a server on 127.0.0.1 for one file, with what can go wrong.
 *
 * It answers one request a connection: 200, 206 for a Range that starts inside the file,
 * 416 for one that does not. */
#ifndef PITH_TESTS_HTTP_SERVER_H
#define PITH_TESTS_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct HttpServer {
    const char *body;
    size_t n;
    size_t cut;         // bytes of an answer after which it hangs up; 0: all are sent
    int status;         // answered to all; 0: what is right
    bool no_ranges;     // ignores Range
    int requests;       // seen so far
    size_t sent;        // bytes of bodies
    char url[64];
    int listener;
    pthread_t thread;
} HttpServer;

static void http_server_answer(HttpServer *s, int fd)
{
    char request[4096], head[256];
    size_t n = 0, from = 0;
    while (n < sizeof request - 1 &&
           !(n >= 4 && memcmp(request + n - 4, "\r\n\r\n", 4) == 0)) {
        ssize_t got = read(fd, request + n, sizeof request - 1 - n);
        if (got <= 0) return;
        n += (size_t)got;
    }
    request[n] = '\0';
    const char *range = strcasestr(request, "\r\nRange: bytes=");
    if (range && !s->no_ranges) from = strtoul(range + 15, NULL, 10);
    int status = from > 0 && from >= s->n ? 416 : from ? 206 : 200;
    if (s->status) status = s->status;
    size_t body = status >= 400 ? 0 : s->n - from;
    size_t send_n = s->cut && s->cut < body ? s->cut : body;
    int h = snprintf(head, sizeof head,
                     "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n",
                     status, body);
    if (status == 206)
        h += snprintf(head + h, sizeof head - (size_t)h,
                      "Content-Range: bytes %zu-%zu/%zu\r\n", from, s->n - 1, s->n);
    h += snprintf(head + h, sizeof head - (size_t)h, "\r\n");
    s->requests++;
    if (send(fd, head, (size_t)h, MSG_NOSIGNAL) < 0) return;
    if (send_n && send(fd, s->body + from, send_n, MSG_NOSIGNAL) > 0) s->sent += send_n;
}

static void *http_server_loop(void *arg)
{
    HttpServer *s = arg;
    for (int fd; (fd = accept(s->listener, NULL, NULL)) >= 0; close(fd))
        http_server_answer(s, fd);
    return NULL;
}

/* False where no socket can be had: the test is skipped then. */
static bool http_server_start(HttpServer *s)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || bind(s->listener, (struct sockaddr *)&at, n) != 0 ||
        listen(s->listener, 8) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&at, &n) != 0)
        return false;
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d/file", ntohs(at.sin_port));
    return pthread_create(&s->thread, NULL, http_server_loop, s) == 0;
}

static void http_server_stop(HttpServer *s)
{
    shutdown(s->listener, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->listener);
}

#endif
