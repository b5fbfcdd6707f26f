/* request.h -- one HTTP request: what came, and the reply as it grows.
 *
 * Two sides hold it: HTTP, from the first header to the last byte, and the worker, while
 * it is queued or run. Both work on the reply under its lock; the later one frees it. A
 * connection whose reply is not there yet is suspended, so it costs no thread and no
 * polling; whoever adds to the reply resumes it. */
#ifndef PITH_SERVE_REQUEST_H
#define PITH_SERVE_REQUEST_H

#include "base/str.h"
#include "serve/tasks.h"
#include "serve/server.h"

#include <jansson.h>
#include <microhttpd.h>

typedef struct Request Request;

/* What answers a path. run must end with a reply_ or stream_end. */
typedef struct Route {
    const char *method, *path;  // one that ends in '/' takes what follows, as `rest`
    Work work;                  // who runs it; WORK_NONE: at once, on an HTTP thread
    void (*run)(Request *r, pith *p);
    Work (*choose)(Request *r); // instead of `work`; NULL: as it says there
    enum { BODY_NONE, BODY_JSON, BODY_ANY } body;
    enum { RIGHT_NONE, RIGHT_READ, RIGHT_WRITE } right;
    const char *name;           // of the page, where one function serves several
} Route;

typedef struct Header {
    const char *name;   // static
    char value[160];
} Header;

struct Request {
    Task task;                  // first: the queue's view of it
    Server *server;
    struct MHD_Connection *connection;
    const Route *route;         // NULL: the path is not known
    char *path;
    const char *rest;           // of the path, behind the route's
    unsigned long long id;
    char client[KEY_NAME_MAX + 1];      // the key's name or the address
    bool writes;                // may add and remove documents
    bool plain;                 // "Pith-Ground: no": answer from the prompt alone
    Work work;                  // who runs it
    int socket;
    double begun_ms, run_ms;    // its arrival; its start on a worker
    Buf body;
    json_t *json;               // of the body, where the route wants JSON
    char inside[64];            // the object in it that is read now: "", "messages[3]."
    bool read;                  // the body is whole and was passed on

    pthread_mutex_t lock;       // guards all below
    int holders;
    int status;                 // 0: no reply yet
    const char *type;           // of the reply's content
    Header header[4];
    int n_headers;
    Buf out;
    size_t sent;                // bytes of out that went to the connection
    bool streams, finished, suspended, gone;
};

/* ---- replies ---------------------------------------------------------------------- */

/* Replies and takes j. NULL: no memory, which is told to the client as 500. */
void reply_json(Request *r, int status, json_t *j);
/* Replies with text that stays: a page. */
void reply_text(Request *r, int status, const char *type, Str text);
/* An error in OpenAI's shape; param, which may be NULL, names the field at fault. */
void reply_error(Request *r, int status, const char *param, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What pith said, with the status that fits its code. */
void reply_pith(Request *r, const pith_error *why);
/* A header of the reply; before the reply itself. */
void reply_header(Request *r, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The body of an error, for streams too. */
json_t *error_json(int status, const char *param, const char *message);
int status_of(const pith_error *why);

/* ---- streams of server-sent events ------------------------------------------------ */

void stream_begin(Request *r);
/* One event; event NULL: the default. Takes j. False when the client has left. */
bool stream_event(Request *r, const char *event, json_t *j);
bool stream_raw(Request *r, Str text);
void stream_end(Request *r);

/* ---- life ------------------------------------------------------------------------- */

Request *request_new(Server *s, struct MHD_Connection *c, const char *path);
/* Lets go of one side. */
void request_release(Request *r);
/* True when the client's side of the connection is closed. */
bool request_left(Request *r);
/* The HTTP side is over: the client has the reply, or has gone. */
void request_closed(Request *r);
/* Hands it to the queue of its work; replies itself where that is full. */
void request_queue(Request *r, Work work);
/* Gives the reply to libmicrohttpd, or suspends the connection until there is one. */
enum MHD_Result request_deliver(Request *r);

#endif
