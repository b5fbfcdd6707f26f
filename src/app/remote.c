/* remote.c -- see remote.h. */
#include "app/remote.h"

#include <string.h>

void remote_options(Cli *cli, Option *out)
{
    static const char *const policies[] = { "never", "ask", "auto", NULL };
    pith_options *o = &cli->open;
    const Option all[REMOTE_OPTIONS] = {
        { "remote", 0, OPTION_TEXT, &o->remote, "URL",
          "a large model's server, for hard questions", 0, 0, NULL },
        { "remote-model", 0, OPTION_TEXT, &o->remote_model, "NAME",
          "the model to ask there", 0, 0, NULL },
        { "remote-policy", 0, OPTION_CHOICE, &o->remote_policy, "WHEN",
          "never (default), ask or auto: may text be sent?", 0, 0, policies },
        { "remote-day-tokens", 0, OPTION_LONG, &o->remote_day_tokens, "N",
          "at most so many tokens a day", 1, 1e12, NULL },
        { "remote-day-cost", 0, OPTION_REAL, &o->remote_day_cost, "MONEY",
          "at most so much a day, by the prices below", 1e-9, 1e9, NULL },
        { "remote-day-seconds", 0, OPTION_REAL, &o->remote_day_seconds, "S",
          "at most so many seconds of waiting a day", 1, 86400, NULL },
        { "remote-price-in", 0, OPTION_REAL, &o->remote_price_in, "MONEY",
          "of a million tokens sent", 0, 1e9, NULL },
        { "remote-price-out", 0, OPTION_REAL, &o->remote_price_out, "MONEY",
          "of a million tokens received", 0, 1e9, NULL },
    };
    memcpy(out, all, sizeof all);
}
