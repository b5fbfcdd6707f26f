/* events.h -- what happens to the store, told to all who listen: GET /v1/events. */
#ifndef PITH_SERVE_EVENTS_H
#define PITH_SERVE_EVENTS_H

#include <jansson.h>
#include <stddef.h>

typedef struct Events Events;
struct Request;

Events *events_new(void);       // NULL: no memory
void events_free(Events *e);
/* Listens until its client leaves or events_end. */
void events_listen(Events *e, struct Request *r);
/* Tells all; takes j. */
void events_tell(Events *e, const char *event, json_t *j);
/* A comment line to all, so that those who left are found. */
void events_beat(Events *e);
/* Ends all streams. */
void events_end(Events *e);
size_t events_listeners(Events *e);

#endif
