/* value.h -- what a JSON object has under a key, which may be anything or nothing. */
#ifndef PITH_EVAL_VALUE_H
#define PITH_EVAL_VALUE_H

#include <jansson.h>

/* Borrowed from the object; NULL: no such text. */
const char *text_at(const json_t *object, const char *key);
/* NAN: no such number. */
double number_at(const json_t *object, const char *key);

#endif
