/* Downloads from a server of ours. */
#include "base/http.h"
#include "support/http_server.h"
#include "support/folder.h"

static const Str BODY = { "0123456789abcdefghij", 20 };

static HttpServer serve(void)
{
    return (HttpServer){ .body = BODY.p, .n = BODY.n };
}

static Status fetch(Desk *d, HttpServer *s, uint64_t max)
{
    HttpGet get = { .url = s->url, .path = at(d, "f"), .max_bytes = max };
    return http_get_file(&d->cx, &get);
}

static void downloads_a_file(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    if (!http_server_start(&s)) skip();
    assert_int_equal(fetch(d, &s, 20), OK);
    http_server_stop(&s);
    assert_holds(d, at(d, "f"), BODY);
}

static void goes_on_where_it_was_broken_off(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    s.cut = 8;
    if (!http_server_start(&s)) skip();
    assert_int_equal(fetch(d, &s, 20), E_NET);
    assert_holds(d, at(d, "f"), (Str){ BODY.p, 8 });
    ctx_forgive(&d->cx);
    s.cut = 0;
    assert_int_equal(fetch(d, &s, 20), OK);
    http_server_stop(&s);
    assert_holds(d, at(d, "f"), BODY);
    assert_int_equal(s.sent, 20);
}

static void starts_over_where_the_server_knows_no_ranges(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    s.no_ranges = true;
    if (!http_server_start(&s)) skip();
    assert_int_equal(file_write(&d->cx, at(d, "f"), STR("XYZ")), OK);
    Status st = fetch(d, &s, 20);
    http_server_stop(&s);
    if (st == OK) assert_holds(d, at(d, "f"), BODY);
    assert_int_equal(st, OK);
}

static void leaves_a_whole_file_alone(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    if (!http_server_start(&s)) skip();
    assert_int_equal(file_write(&d->cx, at(d, "f"), BODY), OK);
    assert_int_equal(fetch(d, &s, 20), OK);
    http_server_stop(&s);
    assert_int_equal(s.sent, 0);
    assert_holds(d, at(d, "f"), BODY);
}

static void stops_at_the_maximum(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    if (!http_server_start(&s)) skip();
    assert_int_equal(fetch(d, &s, 19), E_LIMIT);
    http_server_stop(&s);
}

static void keeps_what_it_has_when_the_server_answers_an_error(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    s.status = 503;
    if (!http_server_start(&s)) skip();
    assert_int_equal(file_write(&d->cx, at(d, "f"), STR("012")), OK);
    assert_int_equal(fetch(d, &s, 20), E_NET);
    http_server_stop(&s);
    assert_holds(d, at(d, "f"), STR("012"));
    assert_non_null(strstr(d->cx.reason, "503"));
}

static void says_that_nobody_listens(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    if (!http_server_start(&s)) skip();
    http_server_stop(&s);
    assert_int_equal(fetch(d, &s, 20), E_NET);
}

static void reads_no_local_files(void **state)
{
    Desk *d = *state;
    HttpGet get = { .url = "file:///etc/passwd", .path = at(d, "f"), .max_bytes = 9999 };
    assert_int_equal(http_get_file(&d->cx, &get), E_ARG);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void stops_when_told_to(void **state)
{
    Desk *d = *state;
    HttpServer s = serve();
    if (!http_server_start(&s)) skip();
    d->cx.cancelled = always;
    assert_int_equal(fetch(d, &s, 20), E_CANCELLED);
    http_server_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(downloads_a_file),
        TEST(goes_on_where_it_was_broken_off),
        TEST(starts_over_where_the_server_knows_no_ranges),
        TEST(leaves_a_whole_file_alone),
        TEST(stops_at_the_maximum),
        TEST(keeps_what_it_has_when_the_server_answers_an_error),
        TEST(says_that_nobody_listens),
        TEST(reads_no_local_files),
        TEST(stops_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
