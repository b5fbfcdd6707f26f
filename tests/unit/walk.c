/* The files below a root, and the rules that leave some out. */
#include "index/ignore.h"
#include "index/read.h"
#include "index/walk.h"
#include "index_support.h"

#include <sys/stat.h>
#include <unistd.h>

static void put(const char *folder, const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0700);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int setup(void **state)
{
    char *folder = strdup("/tmp/pith_walk.XXXXXX");
    *state = mkdtemp(folder);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    char command[512];
    snprintf(command, sizeof command, "chmod -R u+rwx '%s'; rm -rf '%s'", (char *)*state,
             (char *)*state);
    int status = system(command);
    free(*state);
    return status;
}

/* The names below root, a space after each. */
static void assert_walk(const char *root, const char *wanted)
{
    Ctx cx = CTX_INIT;
    Walk w;
    Buf b = BUF(1 << 16);
    assert_int_equal(walk(&cx, root, &w), OK);
    for (size_t i = 0; i < w.n; i++)
        buf_addf(&b, "%s ", w.at[i].path.p + strlen(root) + 1);
    assert_string_equal(b.p ? b.p : "", wanted);
    buf_free(&b);
    ctx_end(&cx);
}

static void lists_files_in_the_order_of_their_paths(void **state)
{
    put(*state, "b.md", "");
    put(*state, "a/z.md", "");
    put(*state, "a.md", "");
    put(*state, "a/b/c.md", "");
    assert_walk(*state, "a.md a/b/c.md a/z.md b.md ");
}

static void leaves_hidden_and_ignored_names_out(void **state)
{
    put(*state, ".git/config", "");
    put(*state, ".hidden.md", "");
    put(*state, ".gitignore", "*.log\nbuild/\n!keep.log\n/top.md\n");
    put(*state, "sub/.pithignore", "secret.md\n");
    put(*state, "sub/secret.md", "");
    put(*state, "sub/top.md", "");
    put(*state, "other/secret.md", "");
    put(*state, "top.md", "");
    put(*state, "a.log", "");
    put(*state, "keep.log", "");
    put(*state, "build/x.md", "");
    assert_walk(*state, "keep.log other/secret.md sub/top.md ");
}

static void follows_links_to_files_but_not_to_folders(void **state)
{
    char path[512], loop[512], dead[512];
    put(*state, "a/x.md", "");
    snprintf(path, sizeof path, "%s/link.md", (char *)*state);
    snprintf(loop, sizeof loop, "%s/a/loop", (char *)*state);
    snprintf(dead, sizeof dead, "%s/dead.md", (char *)*state);
    assert_int_equal(symlink("a/x.md", path), 0);
    assert_int_equal(symlink("..", loop), 0);
    assert_int_equal(symlink("dead.md", dead), 0);
    assert_walk(*state, "a/x.md link.md ");
}

static void a_folder_that_cannot_be_read_is_told(void **state)
{
    Ctx cx = CTX_INIT;
    Walk w;
    char path[512];
    if (geteuid() == 0) skip();     // root reads everything
    put(*state, "shut/x.md", "");
    snprintf(path, sizeof path, "%s/shut", (char *)*state);
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(walk(&cx, *state, &w), OK);
    assert_int_equal(w.problems, 1);
    assert_true(w.at[0].problem.n > 0);
    ctx_end(&cx);
}

static void tells_an_absent_root_from_an_empty_one(void **state)
{
    Ctx cx = CTX_INIT;
    Walk w;
    assert_int_equal(walk(&cx, *state, &w), OK);
    assert_true(w.empty);
    put(*state, ".hidden", "");
    assert_int_equal(walk(&cx, *state, &w), OK);
    assert_false(w.empty);
    assert_int_equal(walk(&cx, "/nowhere/at/all", &w), E_NOTFOUND);
    ctx_end(&cx);
}

static void a_fifo_is_neither_listed_nor_waited_for(void **state)
{
    Ctx cx = CTX_INIT;
    Source s;
    char path[512];
    snprintf(path, sizeof path, "%s/fifo.md", (char *)*state);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_walk(*state, "");
    assert_int_equal(source_open(&cx, path, 100, &s), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(source_open(&cx, "/dev/zero", 100, &s), E_ARG);
    ctx_forgive(&cx);
    assert_int_equal(source_open(&cx, *state, 100, &s), E_ARG);
    ctx_end(&cx);
}

static void a_file_over_the_limit_is_refused_unread(void **state)
{
    Ctx cx = CTX_INIT;
    Source s;
    char path[512];
    put(*state, "big.txt", "words");
    snprintf(path, sizeof path, "%s/big.txt", (char *)*state);
    assert_int_equal(truncate(path, (off_t)1 << 40), 0);    // a terabyte with a hole
    assert_int_equal(source_open(&cx, path, 1 << 20, &s), E_FORMAT);
    ctx_forgive(&cx);
    put(*state, "big.txt", "ten bytes.");
    assert_int_equal(source_open(&cx, path, 9, &s), E_LIMIT);
    ctx_forgive(&cx);
    assert_int_equal(source_open(&cx, path, 10, &s), OK);
    assert_int_equal(s.bytes, 10);
    assert_int_equal(s.kind, KIND_TEXT);
    char hash[HASH_BYTES];
    source_hash(STR("ten bytes."), hash);
    assert_memory_equal(s.hash, hash, HASH_BYTES);
    source_close(&s);
    ctx_end(&cx);
}

static void patterns_match_as_git_has_them(void **state)
{
    (void)state;
    static const struct { const char *pattern, *path; bool yes; } cases[] = {
        { "*.o", "a.o", true }, { "*.o", "a/b.o", false }, { "a?c", "abc", true },
        { "a?c", "a/c", false }, { "[a-c]x", "bx", true }, { "[!a-c]x", "bx", false },
        { "[]x]", "]", true }, { "\\*", "*", true }, { "\\*", "a", false },
        { "**/b", "b", true }, { "**/b", "a/c/b", true }, { "**/b", "ab", false },
        { "a/**/b", "a/b", true }, { "a/**/b", "a/x/y/b", true },
        { "a/**", "a/b/c", true },
        { "a*b*c", "axxbyyc", true }, { "a*b*c", "axxbyy", false }, { "[a", "[a", true },
        { "**/x/*.md", "a/x/b.md", true }, { "**/x/*.md", "a/x/y/b.md", false },
        { "", "", true }, { "*", "", true }, { "a\\", "a\\", true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (glob_match(str_z(cases[i].pattern), str_z(cases[i].path)) != cases[i].yes)
            fail_msg("%s on %s", cases[i].pattern, cases[i].path);
}

static void a_hostile_pattern_ends(void **state)
{
    (void)state;
    char pattern[2001], path[20001];
    for (int i = 0; i < 2000; i += 2) memcpy(pattern + i, i % 6 ? "*a" : "**", 2);
    memset(path, 'a', 20000);
    pattern[2000] = path[20000] = '\0';
    pattern[1999] = 'b';
    assert_false(glob_match(str_z(pattern), str_z(path)));
}

static void the_last_rule_that_matches_decides(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Rules r = { 0 };
    Str text = STR("# c\r\n*.md\r\n!a.md\n\\#x  \nd/\n");
    assert_int_equal(rules_add(&cx, &r, STR(""), text), OK);
    assert_true(rules_ignore(&r, STR("b.md"), false));
    assert_false(rules_ignore(&r, STR("q/a.md"), false));
    assert_true(rules_ignore(&r, STR("#x"), false));
    assert_true(rules_ignore(&r, STR("q/d"), true));
    assert_false(rules_ignore(&r, STR("q/d"), false));
    ctx_end(&cx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(lists_files_in_the_order_of_their_paths),
        TEST(leaves_hidden_and_ignored_names_out),
        TEST(follows_links_to_files_but_not_to_folders),
        TEST(a_folder_that_cannot_be_read_is_told),
        TEST(tells_an_absent_root_from_an_empty_one),
        TEST(a_fifo_is_neither_listed_nor_waited_for),
        TEST(a_file_over_the_limit_is_refused_unread),
        cmocka_unit_test(patterns_match_as_git_has_them),
        cmocka_unit_test(a_hostile_pattern_ends),
        cmocka_unit_test(the_last_rule_that_matches_decides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
