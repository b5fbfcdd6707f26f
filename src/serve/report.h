/* report.h -- stages of a search or an answer, for the log and the measurements. */
#ifndef PITH_SERVE_REPORT_H
#define PITH_SERVE_REPORT_H

#include "serve/request.h"

void report_stages(Request *r, const pith_stage *stages, size_t n);
void report_answer(Request *r, const pith_answer *a);

#endif
