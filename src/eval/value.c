/* value.c -- see value.h. */
#include "eval/value.h"

#include <math.h>

const char *text_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

double number_at(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}
