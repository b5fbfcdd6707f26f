/* gate_page.h -- what became of an adapter, as one HTML page. */
#ifndef PITH_EVAL_GATE_PAGE_H
#define PITH_EVAL_GATE_PAGE_H

#include "base/ctx.h"

#include <jansson.h>

/* The verdict and its rule, the figures with their intervals, the loss of each step, and
 * the questions that gained and lost most, as `pith tune gate` reports them. curve: lines
 * {"step","loss",...}; may be empty. E_MEMORY. *out is in cx's arena. */
MUST_USE Status gate_page(Ctx *cx, const json_t *report, Str curve, Str *out);

#endif
