#include <stdlib.h>
#include <unistd.h>

#include "authsvc/provider_document.h"
#include "base/fail.h"
#include "base/file.h"
#include "tests/unit/unit.h"

struct taken {
    size_t len;
    enum mauth_rc rc;
};

static enum mauth_rc
take(struct text bytes, void *arg, struct mauth_err *err)
{
    struct taken *t = arg;

    t->len = bytes.len;
    return t->rc ? mauth_fail(err, t->rc, "not to be liked") : MAUTH_OK;
}

static void
names_the_file(void **state)
{
    static const struct {
        const char *name;
        bool there;
        size_t max;
        enum mauth_rc made, rc;
        const char *says;
    } cases[] = {
        {"good", true, 5, MAUTH_OK, MAUTH_OK, ""},
        {"too large", true, 4, MAUTH_OK, MAUTH_TOO_LARGE, ": more than 4 bytes"},
        {"not liked", true, 5, MAUTH_MALFORMED, MAUTH_MALFORMED, ": not to be liked"},
        {"none", false, 5, MAUTH_OK, MAUTH_NOT_FOUND, ": No such file or directory"},
    };
    char path[] = "/tmp/mauth-document-XXXXXX", says[256];
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_replace(path, "bytes", 5, FILE_PUBLIC, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct taken t = {.rc = cases[i].made};
        struct mauth_err err = MAUTH_ERR_INIT;

        print_message("%s\n", cases[i].name);
        if (!cases[i].there)
            unlink(path);
        assert_int_equal(
            provider_document_read(path, cases[i].max, take, &t, &err), cases[i].rc);
        snprintf(says, sizeof(says), "%s%s", path, cases[i].says);
        assert_string_equal(err.text, cases[i].rc ? says : "");
        assert_int_equal(t.len, cases[i].there && cases[i].max == 5 ? 5 : 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
