/* log.h -- one line an event on standard error: "time level event key=value ...", or the
 * same as a JSON object. A line is one write, so that threads do not mix. Text of
 * documents, questions and answers is never among the fields. */
#ifndef PITH_SERVE_LOG_H
#define PITH_SERVE_LOG_H

#include <jansson.h>
#include <stdbool.h>

typedef enum LogLevel { LOG_WARN, LOG_INFO } LogLevel;

typedef struct Log {
    bool json;
    bool quiet;     // warnings alone
} Log;

/* fields is an object and is taken; NULL (no memory, or none) is left out. */
void log_event(const Log *log, LogLevel level, const char *event, json_t *fields);

#endif
