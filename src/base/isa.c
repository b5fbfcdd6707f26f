/* isa.c -- see isa.h. */
#include "base/isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const name[] = { "plain", "avx2", "avx512", "bf16", "amx" };
enum { LEVELS = sizeof name / sizeof *name };

const char *isa_limit(void)
{
    const char *named = getenv("PITH_ISA");
    for (int i = 0; named && i < LEVELS; i++)
        if (strcmp(named, name[i]) == 0) return name[i];
    return NULL;
}

bool isa_allows(Isa level)
{
    const char *limit = isa_limit();
    if (!limit) return true;
    for (int i = 0; i < (int)level; i++)
        if (strcmp(limit, name[i]) == 0) return false;
    return true;
}
