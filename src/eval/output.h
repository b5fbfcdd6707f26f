/* output.h -- a result as JSON, or as a table for people. */
#ifndef PITH_EVAL_OUTPUT_H
#define PITH_EVAL_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* Writes the object and flushes; false when the stream took not all. */
bool output_write(FILE *to, json_t *result, bool json);

#endif
