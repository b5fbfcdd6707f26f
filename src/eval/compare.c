/* compare.c -- is the difference between two evaluations more than chance? */
#include "eval/verbs.h"

Status eval_compare(const Job *j)
{
    Table a, b;
    size_t n;
    json_t *figures = json_object();
    if (!figures || json_object_set_new(j->result, "figures", figures) != 0)
        return fail(j->cx, E_MEMORY, "no memory for the comparison");
    TRY(table_read(j->cx, j->opt->operand[0], &a));
    TRY(table_read(j->cx, j->opt->operand[1], &b));
    TRY(table_compare(j->cx, &a, &b, figures, &n));
    job_count(j, "queries", n);
    if (n < a.n || n < b.n)
        job_warn(j, "%zu questions are in both; %zu and %zu are in one only", n, a.n - n,
                 b.n - n);
    return OK;
}
