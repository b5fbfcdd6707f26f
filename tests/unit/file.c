/* Whole files, folders and where they belong. */
#include "support/folder.h"

static void reads_what_was_written(void **state)
{
    Desk *d = *state;
    Str bytes = { "a\0b", 3 }, got;
    assert_int_equal(file_write(&d->cx, at(d, "x"), bytes), OK);
    assert_holds(d, at(d, "x"), bytes);
    assert_int_equal(file_write(&d->cx, at(d, "x"), STR("")), OK);
    assert_int_equal(file_read(&d->cx, at(d, "x"), 10, &got), OK);
    assert_int_equal(got.n, 0);
    assert_int_equal(got.p[0], '\0');
}

static void reads_a_file_of_exactly_the_maximum_and_none_larger(void **state)
{
    Desk *d = *state;
    Str got;
    assert_int_equal(file_write(&d->cx, at(d, "x"), STR("12345")), OK);
    assert_int_equal(file_read(&d->cx, at(d, "x"), 5, &got), OK);
    assert_int_equal(got.n, 5);
    assert_int_equal(file_read(&d->cx, at(d, "x"), 4, &got), E_LIMIT);
}

static void reads_a_file_that_states_no_size(void **state)
{
    Desk *d = *state;
    Str got;
    assert_int_equal(file_read(&d->cx, "/proc/self/status", 1 << 20, &got), OK);
    assert_true(str_starts(got, STR("Name:")));
}

static void tells_an_absent_file_from_an_unreadable_one(void **state)
{
    Desk *d = *state;
    Str got;
    assert_int_equal(file_read(&d->cx, at(d, "none"), 10, &got), E_NOTFOUND);
    ctx_forgive(&d->cx);
    assert_int_equal(file_read(&d->cx, d->folder, 10, &got), E_IO);
}

static void leaves_the_old_file_and_no_litter_when_a_write_is_impossible(void **state)
{
    Desk *d = *state;
    assert_int_equal(mkdir(at(d, "taken"), 0700), 0);
    assert_int_equal(mkdir(at(d, "taken/in"), 0700), 0);
    assert_int_equal(file_write(&d->cx, at(d, "taken"), STR("x")), E_IO);
    assert_int_equal(folder_bytes(d->folder), 0);
}

static void makes_and_removes_folders_of_any_depth(void **state)
{
    Desk *d = *state;
    assert_int_equal(folder_make(&d->cx, at(d, "a/b/c")), OK);
    assert_int_equal(folder_make(&d->cx, at(d, "a/b/c")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "a/b/x"), STR("12345")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "a/y"), STR("123")), OK);
    assert_int_equal(symlink("/etc", at(d, "a/b/away")), 0);
    assert_int_equal(folder_bytes(at(d, "a")), 8);
    assert_int_equal(folder_remove(&d->cx, at(d, "a")), OK);
    assert_false(file_is_here(at(d, "a/y"), NULL));
    assert_true(file_is_here("/etc/passwd", NULL));
    assert_int_equal(folder_remove(&d->cx, at(d, "a")), OK);
}

static void does_not_take_a_file_for_a_folder(void **state)
{
    Desk *d = *state;
    assert_int_equal(file_write(&d->cx, at(d, "x"), STR("1")), OK);
    assert_int_equal(folder_make(&d->cx, at(d, "x")), E_IO);
    ctx_forgive(&d->cx);
    assert_int_equal(folder_make(&d->cx, at(d, "x/y")), E_IO);
}

static void joins_paths_with_one_slash(void **state)
{
    Desk *d = *state;
    Str out;
    assert_int_equal(path_join(&d->cx, STR("a/"), STR("b"), &out), OK);
    assert_string_equal(out.p, "a/b");
    assert_int_equal(path_join(&d->cx, STR(""), STR("b"), &out), OK);
    assert_string_equal(out.p, "b");
    assert_int_equal(path_join(&d->cx, STR("a"), STR("/b"), &out), OK);
    assert_string_equal(out.p, "/b");
}

static void follows_xdg_and_ignores_a_relative_path_in_it(void **state)
{
    Desk *d = *state;
    Str out;
    setenv("HOME", "/home/u", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    unsetenv("XDG_CONFIG_HOME");
    assert_int_equal(folder_data(&d->cx, &out), OK);
    assert_string_equal(out.p, "/data/pith");
    assert_int_equal(folder_cache(&d->cx, &out), OK);
    assert_string_equal(out.p, "/home/u/.cache/pith");
    assert_int_equal(folder_config(&d->cx, &out), OK);
    assert_string_equal(out.p, "/home/u/.config/pith");
    unsetenv("HOME");
    assert_int_equal(folder_config(&d->cx, &out), E_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(reads_what_was_written),
        TEST(reads_a_file_of_exactly_the_maximum_and_none_larger),
        TEST(reads_a_file_that_states_no_size),
        TEST(tells_an_absent_file_from_an_unreadable_one),
        TEST(leaves_the_old_file_and_no_litter_when_a_write_is_impossible),
        TEST(makes_and_removes_folders_of_any_depth),
        TEST(does_not_take_a_file_for_a_folder),
        TEST(joins_paths_with_one_slash),
        TEST(follows_xdg_and_ignores_a_relative_path_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
