/* remote.h -- the options of a large model elsewhere, for all commands that answer. */
#ifndef PITH_APP_REMOTE_H
#define PITH_APP_REMOTE_H

#include "app/cli.h"

enum { REMOTE_OPTIONS = 8 };

/* Fills out[0..REMOTE_OPTIONS) with options that write to cli->open. */
void remote_options(Cli *cli, Option *out);

#endif
