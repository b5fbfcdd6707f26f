/* kv_store.c -- entries in files: kept, found, damaged, displaced; full disks and other
 * processes. */
#include "model/kv_store.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

enum { HEAD = 128, SMALL = 1000, KEYS = 40 };

static Ctx cx;
static char folder[64];
static KvStore *store;

static void open_store(uint64_t budget)
{
    kv_store_close(store);
    if (!folder[0]) {
        strcpy(folder, "/tmp/pith-kv-XXXXXX");
        assert_non_null(mkdtemp(folder));
    }
    assert_int_equal(kv_store_open(&cx, folder, budget, &store), OK);
}

static int close_all(void **state)
{
    (void)state;
    kv_store_close(store);
    store = NULL;
    if (folder[0]) assert_int_equal(folder_remove(&cx, folder), OK);
    folder[0] = '\0';
    ctx_end(&cx);
    return 0;
}

static Blake2bHex key_of(size_t i)
{
    return blake2b_bytes((Str){ (const char *)&i, sizeof i });
}

/* The numbers of entry i: from its number alone. */
static void fill(size_t i, char *data, size_t n)
{
    for (size_t k = 0; k < n; k++) data[k] = (char)(i * 31 + k * (i + 7) % 251);
}

static KvPut put(size_t i, size_t bytes, double cost)
{
    char *data = malloc(bytes + 1);
    fill(i, data, bytes);
    KvPut st = kv_store_put(store, &(KvNew){ key_of(i), data, bytes, cost, false });
    free(data);
    return st;
}

/* Whether it is there; what is must be right. */
static bool find(size_t i, size_t bytes)
{
    KvEntry e;
    if (!kv_store_find(store, key_of(i), bytes, &e)) return false;
    char *data = malloc(bytes + 1);
    fill(i, data, bytes);
    assert_int_equal(e.bytes, bytes);
    assert_int_equal((uintptr_t)e.data % 64, 0);
    assert_memory_equal(e.data, data, bytes);
    free(data);
    kv_entry_close(&e);
    return true;
}

static const char *path_of(size_t i)
{
    static char path[160];
    snprintf(path, sizeof path, "%s/%s.kv", folder, key_of(i).z);
    return path;
}

/* ---- one entry -------------------------------------------------------------------- */

static void what_was_put_is_found_again(void **state)
{
    (void)state;
    open_store(1 << 20);
    assert_false(find(1, SMALL));
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    assert_int_equal(put(2, 3 * SMALL, 1), KV_KEPT);
    assert_int_equal(put(3, 0, 1), KV_KEPT);
    open_store(1 << 20);
    assert_true(find(1, SMALL));
    assert_true(find(2, 3 * SMALL));
    assert_true(find(3, 0));
    assert_true(kv_store_has(store, key_of(1)));
    assert_false(kv_store_has(store, key_of(4)));
    assert_int_equal(kv_store_bytes(store), 4 * SMALL + 3 * HEAD);
}

static void is_for_this_user_alone(void **state)
{
    struct stat info;
    (void)state;
    open_store(1 << 20);
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    assert_int_equal(stat(path_of(1), &info), 0);
    assert_int_equal(info.st_mode & 077, 0);
}

static void an_entry_of_another_size_is_a_miss(void **state)
{
    (void)state;
    open_store(1 << 20);
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    assert_false(find(1, SMALL + 1));
    assert_false(kv_store_has(store, key_of(1)));
}

static void every_damaged_byte_is_a_miss_and_the_file_goes(void **state)
{
    (void)state;
    open_store(1 << 20);
    for (size_t at = 0; at < HEAD + SMALL; at += at < 72 ? 1 : 13) {
        if (at >= 56 && at < HEAD) continue;    // its worth, and nothing
        assert_int_equal(put(1, SMALL, 1), KV_KEPT);
        int fd = open(path_of(1), O_RDWR);
        char c;
        assert_int_equal(pread(fd, &c, 1, (off_t)at), 1);
        c = (char)(c ^ 0x10);
        assert_int_equal(pwrite(fd, &c, 1, (off_t)at), 1);
        close(fd);
        if (find(1, SMALL)) fail_msg("byte %zu was changed, and it was found", at);
        assert_int_not_equal(access(path_of(1), F_OK), 0);
    }
}

static void a_file_cut_anywhere_is_a_miss(void **state)
{
    (void)state;
    open_store(1 << 20);
    for (off_t n = 0; n < HEAD + SMALL; n += 47) {
        assert_int_equal(put(1, SMALL, 1), KV_KEPT);
        assert_int_equal(truncate(path_of(1), n), 0);
        assert_false(find(1, SMALL));
    }
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    assert_int_equal(truncate(path_of(1), HEAD + SMALL + 1), 0);
    assert_false(find(1, SMALL));
}

static void a_worth_that_is_none_does_no_harm(void **state)
{
    const double bad[] = { NAN, INFINITY, -1, 1e308 };
    (void)state;
    open_store(4 * (SMALL + HEAD));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(put(i, SMALL, 1), KV_KEPT);
        int fd = open(path_of(i), O_RDWR);
        double worth[2] = { bad[i], bad[i] };
        assert_int_equal(pwrite(fd, worth, sizeof worth, 56), (int)sizeof worth);
        close(fd);
        assert_true(find(i, SMALL));
    }
    for (size_t i = 10; i < 20; i++) (void)put(i, SMALL, 1);
    assert_true(kv_store_bytes(store) <= 4 * (SMALL + HEAD));
}

/* ---- the budget ------------------------------------------------------------------- */

static void the_budget_is_never_passed(void **state)
{
    uint32_t r = 9;
    size_t kept = 0, budget = 20 * SMALL;
    (void)state;
    open_store(budget);
    for (int i = 0; i < 2000; i++) {
        r = r * 1664525u + 1013904223u;
        size_t key = (r >> 8) % KEYS, bytes = key * 97 % (6 * SMALL);
        if (r >> 30 == 0) (void)find(key, bytes);
        else kept += put(key, bytes, (double)(1 + (r >> 20) % 50)) == KV_KEPT;
        assert_true(kv_store_bytes(store) <= budget);
    }
    assert_true(kept > 500);
    assert_int_equal(put(1, budget, 1e9), KV_NOT_WORTH);
    assert_true(kv_store_bytes(store) > budget / 2);
}

static void a_smaller_budget_is_kept_from_the_next_put_on(void **state)
{
    (void)state;
    open_store(20 * (SMALL + HEAD));
    for (size_t i = 0; i < 20; i++) assert_int_equal(put(i, SMALL, 1), KV_KEPT);
    open_store(5 * (SMALL + HEAD));
    assert_int_equal(put(30, SMALL, 1), KV_KEPT);
    assert_int_equal(kv_store_bytes(store), 5 * (SMALL + HEAD));
}

static void what_is_used_most_stays(void **state)
{
    (void)state;
    open_store(4 * (SMALL + HEAD));
    for (size_t i = 0; i < 4; i++) assert_int_equal(put(i, SMALL, 1), KV_KEPT);
    for (size_t use = 0; use < 3; use++) assert_true(find(2, SMALL));
    for (size_t i = 10; i < 13; i++) assert_int_equal(put(i, SMALL, 1), KV_KEPT);
    assert_true(find(2, SMALL));
    assert_false(find(0, SMALL));
    assert_false(find(1, SMALL));
    assert_false(find(3, SMALL));
}

static void what_was_used_long_ago_goes_in_the_end(void **state)
{
    (void)state;
    open_store(4 * (SMALL + HEAD));
    assert_int_equal(put(0, SMALL, 1), KV_KEPT);
    for (size_t use = 0; use < 5; use++) assert_true(find(0, SMALL));
    for (size_t i = 10; i < 60; i++) (void)put(i, SMALL, 1);
    assert_false(find(0, SMALL));
}

static void what_costs_most_to_compute_stays(void **state)
{
    (void)state;
    open_store(2 * (SMALL + HEAD));
    assert_int_equal(put(0, SMALL, 1), KV_KEPT);
    assert_int_equal(put(1, SMALL, 9), KV_KEPT);
    assert_int_equal(put(2, SMALL, 9), KV_KEPT);
    assert_false(find(0, SMALL));
    assert_int_equal(put(3, SMALL, 1), KV_NOT_WORTH);
    assert_true(find(1, SMALL));
    assert_true(find(2, SMALL));
}

static void what_is_read_ahead_displaces_nothing(void **state)
{
    char data[SMALL];
    (void)state;
    open_store(3 * (SMALL + HEAD));
    assert_int_equal(put(0, SMALL, 1), KV_KEPT);
    for (size_t i = 1; i < 4; i++) {
        fill(i, data, SMALL);
        KvNew ahead = { key_of(i), data, SMALL, 9, true };
        assert_int_equal(kv_store_put(store, &ahead), i < 3 ? KV_KEPT : KV_NOT_WORTH);
    }
    assert_int_equal(put(4, SMALL, 1), KV_KEPT);    // and goes before what was asked for
    assert_int_equal(put(5, SMALL, 1), KV_KEPT);
    assert_true(find(0, SMALL));
    assert_false(find(1, SMALL));
    assert_false(find(2, SMALL));
}

static void files_of_others_count_and_stay(void **state)
{
    char path[128];
    (void)state;
    open_store(4 * SMALL);
    snprintf(path, sizeof path, "%s/notes.txt", folder);
    assert_int_equal(file_write(&cx, path, (Str){ folder, sizeof folder }), OK);
    assert_int_equal(truncate(path, 3 * SMALL), 0);
    assert_int_equal(put(1, SMALL, 1e9), KV_NOT_WORTH);
    assert_int_equal(put(1, SMALL / 2, 1), KV_KEPT);
    assert_int_equal(access(path, F_OK), 0);
}

/* ---- trouble ---------------------------------------------------------------------- */

static void a_file_half_written_by_one_that_died_goes(void **state)
{
    char path[128];
    (void)state;
    open_store(4 * SMALL);
    snprintf(path, sizeof path, "%s/new", folder);
    assert_int_equal(file_write(&cx, path, (Str){ folder, sizeof folder }), OK);
    assert_int_equal(truncate(path, 4 * SMALL), 0);
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    assert_int_equal(kv_store_bytes(store), SMALL + HEAD);
}

static void a_full_disk_is_no_error(void **state)
{
    (void)state;
    open_store(1 << 20);
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit little = { SMALL / 2, SMALL / 2 };
        signal(SIGXFSZ, SIG_IGN);
        if (setrlimit(RLIMIT_FSIZE, &little) != 0) _exit(2);
        bool ok = put(2, SMALL, 1) == KV_NOT_NOW && find(1, SMALL) && !find(2, SMALL);
        _exit(ok && kv_store_bytes(store) == SMALL + HEAD ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_lock_that_is_held_for_long_is_not_waited_for(void **state)
{
    char path[128];
    (void)state;
    open_store(1 << 20);
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(put(2, SMALL, 1), KV_NOT_NOW);
    assert_true(find(1, SMALL));
    close(fd);
    assert_int_equal(put(2, SMALL, 1), KV_KEPT);
}

/* Puts and finds at random; the status is how many were kept. */
static int live(uint32_t seed, uint64_t budget)
{
    int kept = 0;
    open_store(budget);
    for (int i = 0; i < 150; i++) {
        seed = seed * 1664525u + 1013904223u;
        size_t key = (seed >> 8) % KEYS, bytes = key * 97 % (6 * SMALL);
        if (seed >> 31) (void)find(key, bytes);
        else kept += put(key, bytes, 1) == KV_KEPT;
    }
    return kept;
}

static void many_processes_share_a_folder(void **state)
{
    enum { LIVES = 5 };
    const uint64_t budget = 25 * SMALL;
    char path[128];
    int left = LIVES, status, looks = 0;
    (void)state;
    open_store(budget);
    assert_int_equal(put(1, SMALL, 1), KV_KEPT);
    fflush(NULL);
    for (uint32_t i = 0; i < LIVES; i++)
        if (fork() == 0) _exit(live(i * 99 + 1, budget) > 0 ? 0 : 1);
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR);
    while (left > 0) {
        assert_int_equal(flock(fd, LOCK_EX), 0);
        uint64_t bytes = kv_store_bytes(store);
        assert_int_equal(flock(fd, LOCK_UN), 0);
        if (bytes > budget) fail_msg("%lu bytes of %lu", bytes, budget);
        looks++;
        if (waitpid(-1, &status, WNOHANG) > 0) {
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            left--;
        }
    }
    close(fd);
    assert_true(looks > 1);
}

static void one_that_is_killed_leaves_a_sound_folder(void **state)
{
    const uint64_t budget = 25 * SMALL;
    (void)state;
    open_store(budget);
    for (useconds_t i = 0; i < 12; i++) {
        fflush(NULL);
        pid_t child = fork();
        if (child == 0)
            for (uint32_t n = 0;; n++) (void)live(n + i, budget);
        usleep(1000 + i * 700);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        assert_int_equal(put(KEYS + 1, SMALL, 1e6), KV_KEPT);
        assert_true(find(KEYS + 1, SMALL));
        assert_true(kv_store_bytes(store) <= budget);
    }
    for (size_t i = 0; i < KEYS; i++) (void)find(i, i * 97 % (6 * SMALL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_was_put_is_found_again, close_all),
        cmocka_unit_test_teardown(is_for_this_user_alone, close_all),
        cmocka_unit_test_teardown(an_entry_of_another_size_is_a_miss, close_all),
        cmocka_unit_test_teardown(every_damaged_byte_is_a_miss_and_the_file_goes,
                                  close_all),
        cmocka_unit_test_teardown(a_file_cut_anywhere_is_a_miss, close_all),
        cmocka_unit_test_teardown(a_worth_that_is_none_does_no_harm, close_all),
        cmocka_unit_test_teardown(the_budget_is_never_passed, close_all),
        cmocka_unit_test_teardown(a_smaller_budget_is_kept_from_the_next_put_on,
                                  close_all),
        cmocka_unit_test_teardown(what_is_used_most_stays, close_all),
        cmocka_unit_test_teardown(what_was_used_long_ago_goes_in_the_end, close_all),
        cmocka_unit_test_teardown(what_costs_most_to_compute_stays, close_all),
        cmocka_unit_test_teardown(what_is_read_ahead_displaces_nothing, close_all),
        cmocka_unit_test_teardown(files_of_others_count_and_stay, close_all),
        cmocka_unit_test_teardown(a_file_half_written_by_one_that_died_goes, close_all),
        cmocka_unit_test_teardown(a_full_disk_is_no_error, close_all),
        cmocka_unit_test_teardown(a_lock_that_is_held_for_long_is_not_waited_for,
                                  close_all),
        cmocka_unit_test_teardown(many_processes_share_a_folder, close_all),
        cmocka_unit_test_teardown(one_that_is_killed_leaves_a_sound_folder, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
