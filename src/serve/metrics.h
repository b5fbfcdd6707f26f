/* metrics.h -- counters and histograms in Prometheus' text format 0.0.4.
 *
 * Names and labels come from tables of ours, never from a request, so that their number
 * is bounded. All functions may be called from any thread. */
#ifndef PITH_SERVE_METRICS_H
#define PITH_SERVE_METRICS_H

#include "base/str.h"

typedef enum Family {
    METRIC_REQUESTS,    // counter: route, status
    METRIC_TOKENS,      // counter: prompt, generated
    METRIC_REJECTED,    // counter: kind of queue
    METRIC_DROPPED,     // counter: why
    METRIC_ROUTES,      // counter: who answered
    METRIC_REMOTE_TOKENS,   // counter
    METRIC_REMOTE_COST, // counter, in the money of the prices given
    METRIC_REMOTE_S,    // counter, seconds
    METRIC_REQUEST_S,   // histogram, seconds: route
    METRIC_WAIT_S,      // histogram, seconds in the queue: kind
    METRIC_STAGE_S,     // histogram, seconds: stage
    METRIC_FIRST_S,     // histogram, seconds to the first text
    METRIC_FAMILIES
} Family;

typedef struct Metrics Metrics;

Metrics *metrics_new(void);     // NULL: no memory
void metrics_free(Metrics *m);

/* labels as in the exposition: `route="/v1/search",code="200"`; "" for none. What passes
 * the bound on distinct labels is not counted. */
void metrics_count(Metrics *m, Family f, const char *labels, double by);
void metrics_time(Metrics *m, Family f, const char *labels, double ms);
void metrics_write(Metrics *m, Buf *out);
/* A gauge, whose value the caller knows: written at once, under "pith_" name. */
void metrics_gauge(Buf *out, const char *name, const char *labels, const char *help,
                   double value);

#endif
