#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/account_home.h"
#include "tests/unit/golden.h"

struct place {
    const char *own, *data, *home, *want; /* want NULL: nowhere */
};

static void
set(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void
looks_in_this_order(void **state)
{
    static const struct place places[] = {
        {"/own", "/data", "/home", "/own/accounts"},
        {NULL, "/data", "/home", "/data/meshauth/accounts"},
        {"", "/data", "/home", "/data/meshauth/accounts"},
        {NULL, "data", "/home", "/home/.local/share/meshauth/accounts"},
        {NULL, "", "/home", "/home/.local/share/meshauth/accounts"},
        {NULL, NULL, "/home", "/home/.local/share/meshauth/accounts"},
        {NULL, "data", NULL, NULL},
        {"", "", "", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(places); i++) {
        const struct place *p = &places[i];
        char *path = NULL;

        set("MESHAUTH_HOME", p->own);
        set("XDG_DATA_HOME", p->data);
        set("HOME", p->home);
        assert_int_equal(
            account_home_find(&path, NULL), p->want ? MAUTH_OK : MAUTH_INVALID);
        if (p->want)
            assert_string_equal(path, p->want);
        else
            assert_null(path);
        free(path);
    }
}

static void
wants_it_private(void **state)
{
    char top[] = "/tmp/meshauth-test.XXXXXX", path[64], file[80];

    (void)state;
    assert_non_null(mkdtemp(top));
    snprintf(path, sizeof(path), "%s/a/b", top);
    assert_int_equal(account_home_check(path, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(account_home_make(path, NULL), MAUTH_OK);
    assert_int_equal(account_home_make(path, NULL), MAUTH_OK);
    assert_int_equal(account_home_check(path, NULL), MAUTH_OK);
    for (mode_t bit = 01; bit <= 040; bit <<= 1) {
        assert_int_equal(chmod(path, 0700 | bit), 0);
        assert_int_equal(account_home_check(path, NULL), MAUTH_DENIED);
        assert_int_equal(account_home_make(path, NULL), MAUTH_DENIED);
    }
    assert_int_equal(chmod(path, 0700), 0);
    snprintf(file, sizeof(file), "%s/c", path);
    assert_int_equal(creat(file, 0600) >= 0, true);
    assert_int_equal(account_home_check(file, NULL), MAUTH_DENIED);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(account_home_make("/dev/null/a", NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(rmdir(path), 0);
    snprintf(path, sizeof(path), "%s/a", top);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(top), 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_in_this_order),
        cmocka_unit_test(wants_it_private),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
