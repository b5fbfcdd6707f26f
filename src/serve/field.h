/* field.h -- fields of a JSON body, checked: what is there has its type and range. */
#ifndef PITH_SERVE_FIELD_H
#define PITH_SERVE_FIELD_H

#include "serve/request.h"

/* Each gives false after replying with 400 and the field's name. An absent field, or
 * null, leaves *out as it is. Strings are borrowed from the body. */
bool field_int(Request *r, const char *name, int low, int high, int *out);
bool field_real(Request *r, const char *name, double low, double high, double *out);
bool field_flag(Request *r, const char *name, bool *out);
/* At least one byte that is no white space. */
bool field_text(Request *r, const char *name, bool needed, const char **out);
/* Any string or none; it says nothing that is used. */
bool field_ignored(Request *r, const char *name);
/* A string, or an array of 1 to max strings, or of {"text"}: n of them in *out, which is
 * made by malloc. */
bool field_texts(Request *r, const char *name, size_t max, const char ***out, size_t *n);
/* One of names (NULL-ended): its index. */
bool field_choice(Request *r, const char *name, const char *const *names, int *out);
/* Refuses a field that would change the result if we knew it: only null, false, "" , 0 or
 * an empty array pass. */
bool field_refuse(Request *r, const char *name);

#endif
