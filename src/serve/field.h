/* field.h -- fields of a JSON body, checked: what is there has its type and range.
 *
 * Objects inside the body are read by the same functions as the body itself, and errors
 * name the way to the field: "messages[3].role". In an object of our own design a field
 * that we do not know is refused; in one of OpenAI's or Jina's it is ignored, as their
 * clients send what is new before servers know it, but for those that would change the
 * result if we knew them. */
#ifndef PITH_SERVE_FIELD_H
#define PITH_SERVE_FIELD_H

#include "serve/request.h"

/* Each gives false after replying with 400 and the way to the field. An absent field, or
 * null, leaves *out as it is. Strings are borrowed from the body. */
bool field_int(Request *r, const char *name, int low, int high, int *out);
bool field_real(Request *r, const char *name, double low, double high, double *out);
bool field_flag(Request *r, const char *name, bool *out);
/* At least one byte that is no white space. */
bool field_text(Request *r, const char *name, bool needed, const char **out);
/* A string, or an array of 1 to max strings, or of {"text"}: n of them in *out, which is
 * made by malloc. */
bool field_texts(Request *r, const char *name, size_t max, const char ***out, size_t *n);
/* One of names (NULL-ended): its index. */
bool field_choice(Request *r, const char *name, const char *const *names, int *out);
/* Any string or none; it says nothing that is used. */
bool field_ignored(Request *r, const char *name);
/* Refuses a field that would change the result if we knew it: only null, false, "", 0 or
 * an empty array pass. */
bool field_refuse(Request *r, const char *name);
/* Refuses all fields but those in names (NULL-ended). */
bool field_only(Request *r, const char *const *names);
/* Replies that `name` is not as wanted; always false. */
bool field_wrong(Request *r, const char *name, const char *wanted, ...)
    __attribute__((format(printf, 3, 4)));

/* Reads the fields of one object; false after a reply. */
typedef bool FieldRead(Request *r, void *to);
/* An object in the body, or none. */
bool field_object(Request *r, const char *name, FieldRead *read, void *to);
/* An array of 1 to max objects, read in their order. */
bool field_objects(Request *r, const char *name, size_t max, FieldRead *read, void *to);

#endif
