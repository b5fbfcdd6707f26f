/* state.h -- how the service is: health, models, jobs, events, measurements, the page. */
#ifndef PITH_SERVE_STATE_H
#define PITH_SERVE_STATE_H

#include "serve/request.h"

void state_health(Request *r, pith *p);
void state_ready(Request *r, pith *p);
void state_metrics(Request *r, pith *p);
void state_models(Request *r, pith *p);
void state_model(Request *r, pith *p);
void state_jobs(Request *r, pith *p);
void state_job(Request *r, pith *p);
void state_events(Request *r, pith *p);
/* A file that was built in: r->route->name. */
void state_page(Request *r, pith *p);

#endif
