/* query.c -- see query.h. */
#include "ask/query.h"

bool query_is_statement(Str query)
{
    return str_ends(str_trim(query), STR("."));
}
