/* sequence.h -- a test of many random sequences says which one failed. */
#ifndef PITH_TESTS_SEQUENCE_H
#define PITH_TESTS_SEQUENCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

/* Setup: *state is the number of the sequence in work, 0 for none. */
static inline int make_number(void **state)
{
    *state = calloc(1, sizeof(uint64_t));
    return *state == NULL;
}

/* A test that failed left the number of its sequence. */
static inline int tell_number(void **state)
{
    uint64_t *now = *state;
    if (*now) print_message("sequence %lu failed; it alone: PITH_EXACT_SEED=%lu "
                            "PITH_EXACT_SEQUENCES=1\n", (unsigned long)*now,
                            (unsigned long)*now);
    free(now);
    return 0;
}

#endif
