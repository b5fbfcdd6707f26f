/* Fields of a request's body: the same checks at the top and in objects inside. */
#include "serve/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct Seen {
    int number, times;
    const char *text;
} Seen;

static Request request(const char *body)
{
    Request r = { .json = json_loads(body, 0, NULL), .out = BUF(4096) };
    assert_non_null(r.json);
    pthread_mutex_init(&r.lock, NULL);
    return r;
}

static void end(Request *r)
{
    assert_string_equal(r->inside, "");
    json_decref(r->json);
    buf_free(&r->out);
    pthread_mutex_destroy(&r->lock);
}

/* The reply is a 400 that names param. */
static void assert_refused(Request *r, const char *param)
{
    json_t *reply = json_loadb(r->out.p, r->out.n, 0, NULL);
    json_t *error = json_object_get(reply, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    assert_int_equal(r->status, 400);
    assert_string_equal(json_string_value(json_object_get(error, "param")), param);
    assert_memory_equal(message, param, strlen(param));
    json_decref(reply);
    end(r);
}

static bool read_inner(Request *r, void *to)
{
    Seen *seen = to;
    seen->times++;
    return field_int(r, "k", 1, 9, &seen->number)
        && field_text(r, "text", false, &seen->text);
}

static bool read_outer(Request *r, void *to)
{
    return field_objects(r, "items", 3, read_inner, to);
}

static bool read_known(Request *r, void *to)
{
    static const char *const known[] = { "k", "text", NULL };
    return field_only(r, known) && read_inner(r, to);
}

static void reads_an_object_inside_as_the_body_itself(void **state)
{
    (void)state;
    Seen seen = { 0 };
    Request r = request("{\"k\":1,\"pith\":{\"k\":7,\"text\":\"a\",\"new\":1}}");
    int outer = 0;
    assert_true(field_object(&r, "pith", read_inner, &seen));
    assert_true(field_int(&r, "k", 1, 9, &outer));
    assert_int_equal(seen.number, 7);
    assert_string_equal(seen.text, "a");
    assert_int_equal(outer, 1);
    assert_int_equal(r.status, 0);
    end(&r);
}

static void takes_an_absent_object_and_null_for_none(void **state)
{
    (void)state;
    Seen seen = { 0 };
    Request r = request("{\"pith\":null}");
    assert_true(field_object(&r, "pith", read_inner, &seen));
    assert_true(field_object(&r, "other", read_inner, &seen));
    assert_int_equal(seen.times, 0);
    end(&r);
}

static void refuses_what_is_no_object_where_one_was_expected(void **state)
{
    (void)state;
    static const char *const bodies[] = { "{\"pith\":1}", "{\"pith\":[]}",
                                          "{\"pith\":\"{}\"}", "{\"pith\":false}" };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        Seen seen = { 0 };
        Request r = request(bodies[i]);
        assert_false(field_object(&r, "pith", read_inner, &seen));
        assert_int_equal(seen.times, 0);
        assert_refused(&r, "pith");
    }
}

static void names_the_way_to_a_field_that_is_wrong(void **state)
{
    (void)state;
    static const struct { const char *body, *param; } wrong[] = {
        { "{\"a\":{\"items\":[{\"k\":1},{\"k\":10}]}}", "a.items[1].k" },
        { "{\"a\":{\"items\":[{\"text\":\" \"}]}}", "a.items[0].text" },
        { "{\"a\":{\"items\":[{},7]}}", "a.items[1]" },
        { "{\"a\":{\"items\":[]}}", "a.items" },
        { "{\"a\":{\"items\":{\"k\":1}}}", "a.items" },
        { "{\"a\":{\"items\":[{},{},{},{}]}}", "a.items" },
        { "{\"a\":{}}", "a.items" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        Seen seen = { 0 };
        Request r = request(wrong[i].body);
        assert_false(field_object(&r, "a", read_outer, &seen));
        assert_refused(&r, wrong[i].param);
    }
}

static void reads_all_objects_of_an_array_in_order(void **state)
{
    (void)state;
    Seen seen = { 0 };
    Request r = request("{\"items\":[{\"k\":1},{\"k\":2},{\"k\":3}]}");
    assert_true(read_outer(&r, &seen));
    assert_int_equal(seen.times, 3);
    assert_int_equal(seen.number, 3);
    end(&r);
}

static void refuses_a_field_that_an_object_of_ours_does_not_have(void **state)
{
    (void)state;
    Seen seen = { 0 };
    Request r = request("{\"pith\":{\"k\":1,\"txt\":\"a\"}}");
    assert_false(field_object(&r, "pith", read_known, &seen));
    assert_refused(&r, "pith.txt");
    r = request("{\"pith\":{\"k\":1,\"text\":\"a\"}}");
    assert_true(field_object(&r, "pith", read_known, &seen));
    end(&r);
}

static void survives_a_name_longer_than_a_way_may_be(void **state)
{
    (void)state;
    Seen seen = { 0 };
    char body[1024], name[401];
    memset(name, 'n', 400);
    name[400] = '\0';
    snprintf(body, sizeof body, "{\"%s\":{\"%s\":1}}", name, name);
    Request r = request(body);
    assert_false(field_object(&r, name, read_known, &seen));
    assert_int_equal(r.status, 400);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_object_inside_as_the_body_itself),
        cmocka_unit_test(takes_an_absent_object_and_null_for_none),
        cmocka_unit_test(refuses_what_is_no_object_where_one_was_expected),
        cmocka_unit_test(names_the_way_to_a_field_that_is_wrong),
        cmocka_unit_test(reads_all_objects_of_an_array_in_order),
        cmocka_unit_test(refuses_a_field_that_an_object_of_ours_does_not_have),
        cmocka_unit_test(survives_a_name_longer_than_a_way_may_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
