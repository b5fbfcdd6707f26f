/* pith.c -- the public API over the modules. */
#include "pith.h"
