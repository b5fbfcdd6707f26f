/* The service's parts that need no socket: queue, guard, keys, MCP. */
#include "serve/guard.h"
#include "serve/keys.h"
#include "serve/mcp.h"
#include "serve/tasks.h"
#include "support/folder.h"

/* ---- queue ------------------------------------------------------------------------ */

typedef struct Note {
    Task task;
    int number;
    bool left;
    int *dropped;
} Note;

static void run_note(Task *t, pith *p)
{
    (void)t, (void)p;
}

static void drop_note(Task *t, Drop why)
{
    ((Note *)t)->dropped[why]++;
}

static bool note_left(Task *t)
{
    return ((Note *)t)->left;
}

static const TaskKind note_kind = { run_note, drop_note, note_left };

static Note note(int number, uint64_t client, int *dropped)
{
    return (Note){ .task = { .kind = &note_kind, .client = client }, .number = number,
                   .dropped = dropped };
}

static int take_number(Tasks *q)
{
    Task *t = tasks_take(q, 0);
    return t ? ((Note *)t)->number : -1;
}

static void serves_clients_in_turn_however_much_one_sends(void **state)
{
    (void)state;
    int dropped[3] = { 0 };
    Note n[] = { note(0, 7, dropped), note(1, 7, dropped), note(2, 7, dropped),
                 note(3, 8, dropped), note(4, 9, dropped) };
    Tasks *q = tasks_new(10, 10);
    for (int i = 0; i < 5; i++) assert_true(tasks_push(q, &n[i].task));
    static const int order[] = { 0, 3, 4, 1, 2 };
    for (int i = 0; i < 5; i++) assert_int_equal(take_number(q), order[i]);
    assert_int_equal(take_number(q), -1);
    tasks_free(q);
}

static void refuses_what_does_not_fit_and_one_client_before_the_others(void **state)
{
    (void)state;
    int dropped[3] = { 0 };
    Note n[] = { note(0, 7, dropped), note(1, 7, dropped), note(2, 7, dropped),
                 note(3, 8, dropped), note(4, 9, dropped) };
    Tasks *q = tasks_new(3, 2);
    assert_true(tasks_push(q, &n[0].task));
    assert_true(tasks_push(q, &n[1].task));
    assert_false(tasks_push(q, &n[2].task));    // its client has two already
    assert_true(tasks_push(q, &n[3].task));
    assert_false(tasks_push(q, &n[4].task));    // three are there
    tasks_clear(q);
    assert_int_equal(dropped[DROP_STOP], 3);
    tasks_free(q);
}

static void drops_the_late_and_the_left_and_keeps_the_order_of_the_rest(void **state)
{
    (void)state;
    int dropped[3] = { 0 };
    Note n[] = { note(0, 7, dropped), note(1, 7, dropped), note(2, 7, dropped),
                 note(3, 8, dropped), note(4, 7, dropped) };
    Tasks *q = tasks_new(10, 10);
    n[1].left = true;
    n[2].task.deadline_ms = 50;
    n[3].left = true;
    for (int i = 0; i < 5; i++) assert_true(tasks_push(q, &n[i].task));
    tasks_sweep(q, 49);
    assert_int_equal(dropped[DROP_LATE], 0);
    assert_int_equal(dropped[DROP_LEFT], 2);
    tasks_sweep(q, 50);
    assert_int_equal(dropped[DROP_LATE], 1);
    assert_int_equal(tasks_length(q), 2);
    assert_int_equal(take_number(q), 0);
    assert_int_equal(take_number(q), 4);
    tasks_free(q);
}

static void gives_out_what_waits_after_it_was_closed(void **state)
{
    (void)state;
    int dropped[3] = { 0 };
    Note a = note(0, 7, dropped), b = note(1, 7, dropped);
    Tasks *q = tasks_new(10, 10);
    assert_true(tasks_push(q, &a.task));
    tasks_close(q);
    assert_false(tasks_push(q, &b.task));
    assert_int_equal(take_number(q), 0);
    assert_null(tasks_take(q, 60000));          // at once, not after a minute
    tasks_free(q);
}

/* ---- guard ------------------------------------------------------------------------ */

static void lets_in_addresses_localhost_and_listed_names_only(void **state)
{
    (void)state;
    static const char *const good[] = { "127.0.0.1", "127.0.0.1:8377", "localhost:1",
        "LOCALHOST", "[::1]:8377", "[::1]", "10.0.0.7", "box.lan", "Box.lan:80", "b" };
    static const char *const bad[] = { "", ":80", "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example", "[::1", "[evil]", "box.lan.evil", "0x7f.1.evil" };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(guard_host(str_z(good[i]), STR("box.lan, b")));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(guard_host(str_z(bad[i]), STR("box.lan, b")));
}

static void takes_the_origin_of_this_server_alone(void **state)
{
    (void)state;
    Str host = STR("127.0.0.1:8377");
    assert_true(guard_origin(STR("http://127.0.0.1:8377"), host, false));
    assert_true(guard_origin(STR("https://127.0.0.1:8377"), host, true));
    assert_false(guard_origin(STR("http://127.0.0.1:8377"), host, true));
    assert_false(guard_origin(STR("http://127.0.0.1:9999"), host, false));
    assert_false(guard_origin(STR("http://127.0.0.1:8377.evil.example"), host, false));
    assert_false(guard_origin(STR("null"), host, false));
}

static void knows_names_that_lead_nowhere(void **state)
{
    (void)state;
    static const char *const bad[] = { NULL, "", "/etc/passwd", "..", "../a", "a/../b",
        "a/..", "a//b", "a/", ".", "./a", "a\\b", "a\nb", "a\x7f" };
    static const char *const good[] = { "a", "a/b.md", "..a", "a..b/c", "...", "ä ö/ü" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(guard_name(bad[i]));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(guard_name(good[i]));
    char *longest = calloc(1, GUARD_NAME_MAX + 2);
    memset(longest, 'x', GUARD_NAME_MAX);
    assert_true(guard_name(longest));
    longest[GUARD_NAME_MAX] = 'x';
    assert_false(guard_name(longest));
    free(longest);
}

static void reads_the_key_of_a_bearer(void **state)
{
    (void)state;
    assert_true(str_eq(guard_bearer(STR("Bearer abc")), STR("abc")));
    assert_true(str_eq(guard_bearer(STR("bearer  abc ")), STR("abc")));
    assert_int_equal(guard_bearer(STR("Basic abc")).n, 0);
    assert_int_equal(guard_bearer(STR("")).n, 0);
    assert_true(guard_is_loopback("127.8.9.1") && guard_is_loopback("::1"));
    assert_false(guard_is_loopback("0.0.0.0") || guard_is_loopback("::"));
}

/* ---- keys ------------------------------------------------------------------------- */

static void finds_a_key_by_its_text_and_keeps_only_its_hash(void **state)
{
    Ctx cx = CTX_INIT;
    char text[KEY_TEXT_BYTES];
    Key made;
    Keys keys;
    Str path;
    (void)state;
    assert_int_equal(key_make(&cx, "alice", true, text, &made), OK);
    assert_int_equal(keys_write(&cx, &(Keys){ &made, 1 }), OK);
    assert_int_equal(keys_read(&cx, &keys), OK);
    const Key *found = keys_find(&keys, str_z(text));
    assert_non_null(found);
    assert_string_equal(found->name, "alice");
    assert_true(found->writes);
    text[10] ^= 1;
    assert_null(keys_find(&keys, str_z(text)));
    assert_null(keys_find(&keys, STR("")));
    assert_int_equal(keys_path(&cx, &path), OK);
    assert_int_equal(key_make(&cx, "no name", true, text, &made), E_ARG);
    ctx_end(&cx);
}

/* ---- MCP -------------------------------------------------------------------------- */

static json_t *ask_mcp(const char *text)
{
    json_t *message = json_loads(text, 0, NULL), *answer = NULL;
    assert_non_null(message);
    if (mcp_need(message) != MCP_SILENCE) answer = mcp_answer(message, NULL, false);
    json_decref(message);
    return answer;
}

static const char *inner(const json_t *j, const char *a, const char *b)
{
    const char *z = json_string_value(json_object_get(json_object_get(j, a), b));
    return z ? z : "";
}

static void speaks_the_version_it_is_asked_for_or_its_latest(void **state)
{
    (void)state;
    static const char *const pair[][2] = { { "2025-11-25", "2025-11-25" },
        { "2025-06-18", "2025-06-18" }, { "1999-01-01", "2025-11-25" } };
    for (size_t i = 0; i < sizeof pair / sizeof *pair; i++) {
        char text[200];
        snprintf(text, sizeof text,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\","
                 "\"params\":{\"protocolVersion\":\"%s\"}}", pair[i][0]);
        json_t *j = ask_mcp(text);
        assert_string_equal(inner(j, "result", "protocolVersion"), pair[i][1]);
        json_decref(j);
    }
}

static void answers_requests_and_keeps_silent_to_notifications(void **state)
{
    (void)state;
    static const struct { const char *text; int code; } bad[] = {
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"none\"}", MCP_NO_METHOD },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", MCP_PARAMS },
        { "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", MCP_INVALID },
        { "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", MCP_INVALID },
        { "{\"jsonrpc\":\"2.0\",\"id\":1}", MCP_INVALID },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{\"_meta\":"
          "{\"io.modelcontextprotocol/protocolVersion\":\"1900-01-01\"}}}", MCP_VERSION },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *j = ask_mcp(bad[i].text);
        assert_int_equal(mcp_error_code(j), bad[i].code);
        json_decref(j);
    }
    assert_null(ask_mcp("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}"));
    assert_null(ask_mcp("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
    json_t *j = ask_mcp("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"ping\"}");
    assert_string_equal(json_string_value(json_object_get(j, "id")), "x");
    assert_int_equal(mcp_error_code(j), 0);
    json_decref(j);
}

static void refuses_to_write_for_a_reader(void **state)
{
    (void)state;
    json_t *j = ask_mcp("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                        "\"params\":{\"name\":\"add\",\"arguments\":{\"document\":\"a\","
                        "\"text\":\"b\"}}}");
    assert_true(json_is_true(json_object_get(json_object_get(j, "result"), "isError")));
    json_decref(j);
}

static int keys_folder(void **state)
{
    int failed = desk_open(state);
    setenv("XDG_CONFIG_HOME", ((Desk *)*state)->folder, 1);
    return failed;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(serves_clients_in_turn_however_much_one_sends),
        cmocka_unit_test(refuses_what_does_not_fit_and_one_client_before_the_others),
        cmocka_unit_test(drops_the_late_and_the_left_and_keeps_the_order_of_the_rest),
        cmocka_unit_test(gives_out_what_waits_after_it_was_closed),
        cmocka_unit_test(lets_in_addresses_localhost_and_listed_names_only),
        cmocka_unit_test(takes_the_origin_of_this_server_alone),
        cmocka_unit_test(knows_names_that_lead_nowhere),
        cmocka_unit_test(reads_the_key_of_a_bearer),
        cmocka_unit_test(finds_a_key_by_its_text_and_keeps_only_its_hash),
        cmocka_unit_test(speaks_the_version_it_is_asked_for_or_its_latest),
        cmocka_unit_test(answers_requests_and_keeps_silent_to_notifications),
        cmocka_unit_test(refuses_to_write_for_a_reader),
    };
    return cmocka_run_group_tests(tests, keys_folder, desk_close);
}
