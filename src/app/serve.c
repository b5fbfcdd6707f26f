/* serve.c -- pith serve, pith mcp: options for the service. */
#include "app/cli.h"
#include "app/remote.h"
#include "serve/serve.h"

#include <string.h>

static int run_serve(Cli *cli, const Command *self, int argc, char **argv)
{
    static const char *const logs[] = { "text", "json", NULL };
    ServeEnv env = { .port = 8377 };
    int log = 0, status;
    const Option all[] = {
        { "host", 0, OPTION_TEXT, &env.host, "ADDR", "listen here; 127.0.0.1", 0, 0,
            NULL },
        { "port", 'p', OPTION_INT, &env.port, "N", "8377; 0: any free one", 0, 65535,
            NULL },
        { "cert", 0, OPTION_TEXT, &env.cert, "FILE", "certificate, for https", 0, 0,
            NULL },
        { "key", 0, OPTION_TEXT, &env.key, "FILE", "its private key", 0, 0, NULL },
        { "allow-host", 0, OPTION_TEXT, &env.allow_host, "NAMES",
          "names this machine is called by", 0, 0, NULL },
        { "searchers", 0, OPTION_INT, &env.searchers, "N", "search workers; 1", 1, 14,
            NULL },
        { "answers", 0, OPTION_INT, &env.answers, "N", "written at a time; 8", 1, 24,
            NULL },
        { "kv", 0, OPTION_INT, &cli->open.kv_mib, "MIB",
          "disk for passages read before; 0", 0, 1048576, NULL },
        { "queue", 0, OPTION_INT, &env.queue, "N", "requests that may wait; 64", 1,
            100000,
          NULL },
        { "deadline", 0, OPTION_INT, &env.deadline_s, "S", "for a request; 300", 1, 86400,
          NULL },
        { "grace", 0, OPTION_INT, &env.grace_s, "S", "to finish when stopped; 20", 1,
            3600,
          NULL },
        { "max-body", 0, OPTION_INT, &env.max_body_mb, "MIB", "of a request; 64", 1, 512,
          NULL },
        { "max-connections", 0, OPTION_INT, &env.max_connections, "N", "4096", 1, 100000,
          NULL },
        { "read-only", 0, OPTION_FLAG, &env.read_only, NULL, "documents stay as they are",
            0, 0,
          NULL },
        { "log", 0, OPTION_CHOICE, &log, "FORM", "text or json", 0, 0, logs },
        { 0 },
    };
    Option own[REMOTE_OPTIONS + sizeof all / sizeof *all];
    remote_options(cli, own);
    memcpy(own + REMOTE_OPTIONS, all, sizeof all);
    int n = options_read(cli, self, own, argc, argv, &status);
    char *words[4] = { "serve" };
    if (n < 0) return status;
    if (n > 3) return cli_usage(self, "too many words behind `serve`");
    for (int i = 0; i < n; i++) words[i + 1] = argv[i];
    env.open = cli->open;
    env.quiet = cli->quiet;
    env.log_json = log == 1;
    return serve_main(n + 1, words, &env);
}

const Command command_serve = {
    "serve", run_serve, "answer over HTTP: OpenAI's interface, a web page, MCP",
    "[OPTION ...] | key add NAME | key ls | key rm NAME",
    "  pith serve\n"
    "  pith serve key add alice --read-only\n"
    "  pith serve --host 0.0.0.0 --cert cert.pem --key key.pem\n",
};

static int run_mcp(Cli *cli, const Command *self, int argc, char **argv)
{
    ServeEnv env = { 0 };
    int status;
    const Option own[] = {
        { "read-only", 0, OPTION_FLAG, &env.read_only, NULL, "no tool adds documents", 0,
            0,
          NULL },
        { 0 },
    };
    int n = options_read(cli, self, own, argc, argv, &status);
    if (n < 0) return status;
    if (n > 0) return cli_usage(self, "it takes no word '%s'", argv[0]);
    env.open = cli->open;
    return mcp_main(&env);
}

const Command command_mcp = {
    "mcp", run_mcp, "serve an assistant over standard input and output (MCP)",
        "[OPTION ...]",
    "  pith mcp\n"
    "  pith mcp --read-only\n",
};
