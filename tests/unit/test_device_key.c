#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/device_key.h"
#include "tests/unit/golden.h"

static char dir[64], key[96], certificate[96];

static int
make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/meshauth-test.XXXXXX");
    if (!mkdtemp(dir))
        return 1;
    snprintf(key, sizeof(key), "%s/key", dir);
    snprintf(certificate, sizeof(certificate), "%s/crt", dir);
    return 0;
}

static int
remove_dir(void **state)
{
    (void)state;
    unlink(key);
    unlink(certificate);
    return rmdir(dir);
}

static void
read_id(char out[MAUTH_KEY_ID_LEN + 1])
{
    struct mauth_key *k = NULL;

    assert_int_equal(device_key_load(certificate, &k, NULL), MAUTH_OK);
    snprintf(out, MAUTH_KEY_ID_LEN + 1, "%s", mauth_key_id(k));
    mauth_key_free(k);
}

static void
never_replaces_a_key(void **state)
{
    char id[MAUTH_KEY_ID_LEN + 1], again[MAUTH_KEY_ID_LEN + 1];

    (void)state;
    assert_int_equal(device_key_make(key, certificate, NULL), MAUTH_OK);
    read_id(id);
    assert_int_equal(unlink(certificate), 0);
    assert_int_equal(device_key_make(key, certificate, NULL), MAUTH_OK);
    read_id(again);
    assert_string_equal(id, again);
}

/* Before anything lies there, for whoever must know it first. */
static void
prepares_the_key_that_is_made_then(void **state)
{
    struct mauth_key *first = NULL, *then = NULL;
    char id[MAUTH_KEY_ID_LEN + 1];
    struct buf pem, none;

    (void)state;
    buf_init_secret(&pem);
    buf_init_secret(&none);
    assert_int_equal(device_key_prepare(key, &pem, &first, NULL), MAUTH_OK);
    assert_int_equal(access(key, F_OK), -1);
    assert_true(pem.len > 0);
    for (int i = 0; i < 2; i++) { /* the second one comes too late */
        assert_int_equal(
            device_key_put(key, (struct text){(const char *)pem.data, pem.len}, NULL),
            MAUTH_OK);
        assert_int_equal(device_key_make(key, certificate, NULL), MAUTH_OK);
        read_id(id);
        assert_string_equal(id, mauth_key_id(first));
        buf_rewind(&pem);
        buf_str(&pem, "another");
    }
    assert_int_equal(device_key_prepare(key, &none, &then, NULL), MAUTH_OK);
    assert_int_equal(none.len, 0);
    assert_string_equal(mauth_key_id(then), id);
    mauth_key_free(then);
    then = NULL;
    assert_int_equal(truncate(key, 40), 0);
    assert_int_equal(device_key_prepare(key, &none, &then, NULL), MAUTH_MALFORMED);
    assert_null(then);
    assert_int_equal(chmod(key, 0604), 0);
    assert_int_equal(device_key_prepare(key, &none, &then, NULL), MAUTH_DENIED);
    assert_int_equal(none.len, 0);
    mauth_key_free(first);
    buf_clear(&none);
    buf_clear(&pem);
}

static void
refuses_what_is_no_key(void **state)
{
    struct mauth_key *k = NULL;

    (void)state;
    assert_int_equal(device_key_load(certificate, &k, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(device_key_make(key, certificate, NULL), MAUTH_OK);
    assert_int_equal(device_key_load(key, &k, NULL), MAUTH_MALFORMED);
    assert_null(k);
    assert_int_equal(unlink(certificate), 0);
    assert_int_equal(chmod(key, 0604), 0);
    assert_int_equal(device_key_make(key, certificate, NULL), MAUTH_DENIED);
    assert_int_equal(chmod(key, 0600), 0);
    assert_int_equal(truncate(key, 40), 0);
    assert_int_equal(device_key_make(key, certificate, NULL), MAUTH_MALFORMED);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_replaces_a_key, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(
            prepares_the_key_that_is_made_then, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_key, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
