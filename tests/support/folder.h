/* folder.h -- a fresh temporary folder for each test, and short ways to look into it.
 * Include it last: cmocka.h has a macro called fail. */
#ifndef PITH_TESTS_FOLDER_H
#define PITH_TESTS_FOLDER_H

#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct Desk {
    Ctx cx;
    char folder[64];
} Desk;

static int desk_open(void **state)
{
    Desk *d = calloc(1, sizeof *d);
    snprintf(d->folder, sizeof d->folder, "/tmp/pith-test-XXXXXX");
    assert_non_null(mkdtemp(d->folder));
    *state = d;
    return 0;
}

static int desk_close(void **state)
{
    Desk *d = *state;
    ctx_forgive(&d->cx);
    assert_int_equal(folder_remove(&d->cx, d->folder), OK);
    ctx_end(&d->cx);
    free(d);
    return 0;
}

/* A path in the test's folder. */
static inline const char *at(Desk *d, const char *name)
{
    Str path;
    assert_int_equal(path_join(&d->cx, str_z(d->folder), str_z(name), &path), OK);
    return path.p;
}

static inline void assert_holds(Desk *d, const char *path, Str want)
{
    Str got;
    assert_int_equal(file_read(&d->cx, path, 1 << 26, &got), OK);
    assert_int_equal(got.n, want.n);
    assert_memory_equal(got.p, want.p, want.n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, desk_open, desk_close)

#endif
