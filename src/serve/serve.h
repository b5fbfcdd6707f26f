/* serve.h -- pith for many: HTTP in OpenAI's shape, a web page, MCP; a client of pith.h.
 *
 * One process, one store. HTTP threads never wait for work: what takes time goes to a
 * bounded queue and is done by workers that each own a `pith`; those that only read share
 * their models. */
#ifndef PITH_SERVE_SERVE_H
#define PITH_SERVE_SERVE_H

#include <pith.h>

#include <stdbool.h>

typedef struct ServeEnv {
    pith_options open;          // store and models; not `cancelled`, `read_only`
    const char *host;           // address to listen on; NULL: 127.0.0.1
    int port;                   // 0: any that is free, told on standard error
    const char *cert, *key;     // PEM files; both or neither
    const char *allow_host;     // names in Host besides addresses and localhost, "a,b"
    int searchers;              // worker threads for searches; 0: 1
    int answers;                // written at a time, a worker thread for each; 0: 8
    int queue;                  // requests that may wait, of each kind; 0: 64
    int deadline_s;             // of a request, waiting included; 0: 300
    int grace_s;                // for what is in work when it is told to stop; 0: 20
    int max_body_mb;            // 0: 64
    int max_connections;        // 0: 4096
    bool log_json;              // log lines are JSON objects
    bool quiet;                 // log only what went wrong
    bool read_only;             // no documents come or go; for `key add`: the key's right
} ServeEnv;

/* argv holds what is left behind the options: {"serve"} runs the service until SIGTERM or
 * SIGINT; {"serve", "key", "add"|"ls"|"rm", NAME} looks after keys. Signals SIGTERM,
 * SIGINT, SIGHUP and SIGPIPE are taken over. Returns the exit status: 0 done, 2 wrong
 * usage, 3 the job failed; both were told on standard error. */
int serve_main(int argc, char **argv, const ServeEnv *env);

/* Speaks MCP over standard input and output until the input ends; as above. */
int mcp_main(const ServeEnv *env);

#endif
