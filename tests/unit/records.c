/* CSV and JSON as records. */
#include "packed.h"

static void a_row_carries_the_names_of_its_columns(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.csv", STR("\xEF\xBB\xBF" "Item,Price,Note\r\n"
                             "Bolt,0.12,\"small, \"\"M6\"\"\nin bags\"\r\n,3,\r\n\r\n")),
                        "R Item | Price | Note\n"
                        "R Item: Bolt | Price: 0.12 | Note: small, \"M6\" in bags\n"
                        "R Price: 3\n");
    ctx_end(&cx);
}

static void the_separator_is_found(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    const char *wanted = "R a | b, c\nR a: 1,5 | b, c: 2\nR a: x | b, c: y\n";
    assert_string_equal(said(&cx, "a.csv", STR("a;b, c\n1,5;2\nx;y\n")), wanted);
    assert_string_equal(said(&cx, "a.tsv", STR("a\tb, c\n1,5\t2\nx\ty\n")), wanted);
    assert_string_equal(said(&cx, "a.csv", STR("1,2\n3,4\n")), "R 1 | 2\nR 3 | 4\n");
    ctx_end(&cx);
}

static void a_stray_quote_does_not_swallow_the_file(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Buf b = BUF(4 << 20);
    buf_add(&b, STR("a,b\n\"stray,x\n"));
    for (int i = 0; i < 200000; i++) buf_addf(&b, "%06d,z\n", i);
    const char *out = said(&cx, "a.csv", buf_str(&b));
    assert_non_null(strstr(out, "R a: \"stray | b: x\nR a: 000000 | b: z\n"));
    assert_non_null(strstr(out, "R a: 199999 | b: z\n"));
    buf_free(&b);
    ctx_end(&cx);
}

/* Every word of a value is where the map says. */
static Status check_places(void *arg, const Parsed *w)
{
    Str source = *(Str *)arg;
    assert_false(w->verbatim);
    for (size_t i = 0; i < w->n; i++) {
        const Part *p = &w->at[i];
        for (size_t k = 0; k < p->map.n; k++) {
            Run r = p->map.at[k];
            assert_true(r.source >= p->start && r.source + r.source_n <= p->end);
            if (r.text_n == r.source_n)
                assert_memory_equal(p->text.p + r.text, source.p + r.source, r.text_n);
        }
    }
    return OK;
}

static void values_are_known_by_their_place_in_the_file(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    Str csv = STR("Item,Price\nBolt,0.12\n\"a \"\"b\"\"\",7\n");
    Str json = STR("[{\"a\": \"x\\ny\", \"b\": [1, 22]}, {\"a\": \"words here\"}]");
    Input in = { .bytes = csv };
    assert_int_equal(csv_parse(&cx, &in, &(Sink){ check_places, &csv }), OK);
    in.bytes = json;
    assert_int_equal(json_parse(&cx, &in, &(Sink){ check_places, &json }), OK);
    ctx_end(&cx);
}

static void json_is_flattened_record_by_record(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(
        said(&cx, "a.json", STR("{\"name\": \"stock\", \"items\": [{\"id\": 1, "
             "\"size\": {\"w\": 2.5}, \"tags\": [\"a\", \"b\"], \"none\": null}, "
             "{\"id\": \"gr\\u00fcn \\ud83d\\ude00\"}], \"end\": true}")),
        "R name: stock | items.id: 1 | items.size.w: 2.5 | items.tags: a, b\n"
        "R items.id: gr\xC3\xBCn \xF0\x9F\x98\x80\nR end: true\n");
    assert_string_equal(said(&cx, "a.jsonl", STR("{\"q\": 1}\n{\"q\": 2, \"r\": "
                             "{\"s\": 3}}\n\"word\"\n{\"cut\": \"of")),
                        "R q: 1\nR q: 2 | r.s: 3\nR word\nR cut: of\n");
    ctx_end(&cx);
}

static void control_characters_of_names_and_values_are_spaces(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    assert_string_equal(said(&cx, "a.json", STR("{\"a\\u0000b\": \"c\\u0001d\"}")),
                        "R a b: c d\n");
    ctx_end(&cx);
}

static void a_hundred_thousand_brackets_are_no_stack(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    char *deep = malloc(200000);
    assert_non_null(deep);
    memset(deep, '[', 100000);
    memset(deep + 100000, ']', 100000);
    memcpy(deep + 199990, "]]]],7,8 \n", 10);
    assert_non_null(strstr(said(&cx, "a.json", (Str){ deep, 200000 }), "7"));
    free(deep);
    ctx_end(&cx);
}

static void broken_records_end_in_text(void **state)
{
    (void)state;
    Ctx cx = CTX_INIT;
    survives("a.csv", STR("Item,Price,Note\nBolt,0.12,\"small, \"\"M6\"\"\"\nx;y\tz\n"),
             500);
    survives("a.json", STR("{\"a\": [1, {\"b\": \"c\\u00e4\\ud83d\"}], \"d\": "
                           "{\"e\": []}}"), 500);
    ctx_end(&cx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_carries_the_names_of_its_columns),
        cmocka_unit_test(the_separator_is_found),
        cmocka_unit_test(a_stray_quote_does_not_swallow_the_file),
        cmocka_unit_test(values_are_known_by_their_place_in_the_file),
        cmocka_unit_test(json_is_flattened_record_by_record),
        cmocka_unit_test(control_characters_of_names_and_values_are_spaces),
        cmocka_unit_test(a_hundred_thousand_brackets_are_no_stack),
        cmocka_unit_test(broken_records_end_in_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
