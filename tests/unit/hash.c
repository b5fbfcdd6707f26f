/* Hashes against published vectors: FIPS 180-4's "abc", RFC 7693 by b2sum -l 128. */
#include "base/hash.h"
#include "support/folder.h"

static void hashes_a_file_by_sha256(void **state)
{
    Desk *d = *state;
    Sha256Hex hex;
    assert_int_equal(file_write(&d->cx, at(d, "x"), STR("abc")), OK);
    assert_int_equal(sha256_file(&d->cx, at(d, "x"), &hex), OK);
    assert_string_equal(hex.z, "ba7816bf8f01cfea414140de5dae2223"
                               "b00361a396177a9cb410ff61f20015ad");
}

static void hashes_bytes_and_files_alike_by_blake2b(void **state)
{
    Desk *d = *state;
    Blake2bHex hex;
    assert_string_equal(blake2b_bytes(STR("abc")).z, "cf4ab791c62b8d2b2109c90275287816");
    assert_int_equal(file_write(&d->cx, at(d, "x"), STR("abc")), OK);
    assert_int_equal(blake2b_file(&d->cx, at(d, "x"), &hex), OK);
    assert_string_equal(hex.z, "cf4ab791c62b8d2b2109c90275287816");
}

/* A file of more than one piece of 1 MiB, which does not end where a piece ends. */
static void hashes_across_pieces(void **state)
{
    Desk *d = *state;
    Blake2bHex hex;
    Str big = { calloc(3000001, 1), 3000001 };
    assert_int_equal(file_write(&d->cx, at(d, "x"), big), OK);
    assert_int_equal(blake2b_file(&d->cx, at(d, "x"), &hex), OK);
    assert_string_equal(hex.z, blake2b_bytes(big).z);
    free((void *)big.p);
}

static bool always(void *arg)
{
    (void)arg;
    return true;
}

static void stops_when_told_to(void **state)
{
    Desk *d = *state;
    Sha256Hex hex;
    assert_int_equal(file_write(&d->cx, at(d, "x"), STR("abc")), OK);
    d->cx.cancelled = always;
    assert_int_equal(sha256_file(&d->cx, at(d, "x"), &hex), E_CANCELLED);
    ctx_forgive(&d->cx);
    assert_int_equal(sha256_file(&d->cx, at(d, "none"), &hex), E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hashes_a_file_by_sha256),
        TEST(hashes_bytes_and_files_alike_by_blake2b),
        TEST(hashes_across_pieces),
        TEST(stops_when_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
