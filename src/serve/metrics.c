/* metrics.c -- see metrics.h. A fixed table of series, found by family and labels. */
#include "serve/metrics.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { SERIES = 256, BUCKETS = 14, LABEL_BYTES = 96 };

static const double bucket[BUCKETS] = {     // upper borders, seconds
    .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30,
};

typedef struct FamilyText {
    const char *name, *help;
    bool histogram;
} FamilyText;

static const FamilyText family[METRIC_FAMILIES] = {
    { "requests_total", "Requests answered", false },
    { "tokens_total", "Tokens read and written by the generator", false },
    { "rejected_total", "Requests refused because a queue was full", false },
    { "dropped_total", "Requests not run to their end", false },
    { "routes_total", "Answers by who wrote them", false },
    { "remote_tokens_total", "Tokens sent to the remote model and received", false },
    { "remote_cost_total", "Cost of the remote model, by the prices given", false },
    { "remote_seconds_total", "Time spent waiting for the remote model", false },
    { "request_seconds", "From the first header to the last byte", true },
    { "queue_seconds", "Time spent waiting for a worker", true },
    { "stage_seconds", "Time of each stage of search and answer", true },
    { "first_text_seconds", "From a worker's start to the first text of an answer",
      true },
};

typedef struct Series {
    Family family;
    char labels[LABEL_BYTES];
    double sum;                     // of a counter: its value
    unsigned long long count[BUCKETS + 1];
} Series;

struct Metrics {
    pthread_mutex_t lock;
    Series at[SERIES];
    size_t n;
};

Metrics *metrics_new(void)
{
    Metrics *m = calloc(1, sizeof *m);
    if (m) pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_free(Metrics *m)
{
    if (!m) return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}

/* The series, made where it is new; NULL when the table or the label's room is full. */
static Series *series(Metrics *m, Family f, const char *labels)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->at[i].family == f && strcmp(m->at[i].labels, labels) == 0)
            return &m->at[i];
    if (m->n == SERIES || strlen(labels) >= LABEL_BYTES) return NULL;
    Series *s = &m->at[m->n++];
    *s = (Series){ .family = f };
    memcpy(s->labels, labels, strlen(labels) + 1);
    return s;
}

void metrics_count(Metrics *m, Family f, const char *labels, double by)
{
    pthread_mutex_lock(&m->lock);
    Series *s = series(m, f, labels);
    if (s) s->sum += by;
    pthread_mutex_unlock(&m->lock);
}

void metrics_time(Metrics *m, Family f, const char *labels, double ms)
{
    int b = 0;
    while (b < BUCKETS && ms / 1000 > bucket[b]) b++;
    pthread_mutex_lock(&m->lock);
    Series *s = series(m, f, labels);
    if (s) {
        s->sum += ms / 1000;
        s->count[b]++;
    }
    pthread_mutex_unlock(&m->lock);
}

static void write_histogram(const Series *s, const char *name, Buf *out)
{
    const char *comma = s->labels[0] ? "," : "";
    const char *open = s->labels[0] ? "{" : "", *close = s->labels[0] ? "}" : "";
    unsigned long long sum = 0;
    for (int b = 0; b < BUCKETS; b++) {
        sum += s->count[b];
        buf_addf(out, "pith_%s_bucket{%s%sle=\"%g\"} %llu\n", name, s->labels, comma,
                 bucket[b], sum);
    }
    sum += s->count[BUCKETS];
    buf_addf(out, "pith_%s_bucket{%s%sle=\"+Inf\"} %llu\n", name, s->labels, comma, sum);
    buf_addf(out, "pith_%s_sum%s%s%s %.9g\n", name, open, s->labels, close, s->sum);
    buf_addf(out, "pith_%s_count%s%s%s %llu\n", name, open, s->labels, close, sum);
}

static void write_counter(const Series *s, const char *name, Buf *out)
{
    const char *open = s->labels[0] ? "{" : "", *close = s->labels[0] ? "}" : "";
    buf_addf(out, "pith_%s%s%s%s %.17g\n", name, open, s->labels, close, s->sum);
}

void metrics_write(Metrics *m, Buf *out)
{
    pthread_mutex_lock(&m->lock);
    for (int f = 0; f < METRIC_FAMILIES; f++) {
        buf_addf(out, "# HELP pith_%s %s\n# TYPE pith_%s %s\n", family[f].name,
                 family[f].help, family[f].name,
                 family[f].histogram ? "histogram" : "counter");
        for (size_t i = 0; i < m->n; i++)
            if ((int)m->at[i].family == f)
                (family[f].histogram ? write_histogram : write_counter)(
                    &m->at[i], family[f].name, out);
    }
    pthread_mutex_unlock(&m->lock);
}

void metrics_gauge(Buf *out, const char *name, const char *labels, const char *help,
                   double value)
{
    const char *open = labels[0] ? "{" : "", *close = labels[0] ? "}" : "";
    if (help)
        buf_addf(out, "# HELP pith_%s %s\n# TYPE pith_%s gauge\n", name, help, name);
    buf_addf(out, "pith_%s%s%s%s %.9g\n", name, open, labels, close, value);
}
