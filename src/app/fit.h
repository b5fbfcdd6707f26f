/* fit.h -- pith model fit: a generator in the form that suits this machine. */
#ifndef PITH_APP_FIT_H
#define PITH_APP_FIT_H

#include "app/cli.h"

typedef struct FitWish {
    const char *model;          // NULL: the generator in use
    int prompt, answer;         // tokens; 0: the usual
    double loss;                // nats a token; 0: the usual
    bool reset, show;
} FitWish;

/* Fits, shows what was found, or goes back to the file as it came. The exit status. */
int cli_fit(const Cli *cli, const FitWish *wish);

#endif
