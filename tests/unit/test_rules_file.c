#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "policy/rules_file.h"
#include "tests/unit/unit.h"

static const struct {
    const char *name;
    const char *text; /* NULL: there is no file */
    enum mauth_rc rc;
    const char *says; /* behind the file's name */
} cases[] = {
    {"good", "allow read if local.\n", MAUTH_OK, ""},
    {"no file", NULL, MAUTH_NOT_FOUND, ": No such file"},
    {"no rules", "allow read(R).\n", MAUTH_MALFORMED, ": line 1, column "},
    {"another line", "can(a, b).\nallow\n", MAUTH_MALFORMED, ": line "},
};

static void
reads_rules(void **state)
{
    char path[] = "/tmp/mauth-rules-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mauth_rules *rules = (struct mauth_rules *)path;
        struct mauth_err err = MAUTH_ERR_INIT;

        print_message("%s\n", cases[i].name);
        unlink(path);
        if (cases[i].text)
            assert_int_equal(file_replace(path, cases[i].text, strlen(cases[i].text),
                                 FILE_PUBLIC, NULL),
                MAUTH_OK);
        assert_int_equal(rules_file_read(path, &rules, &err), cases[i].rc);
        assert_int_equal(rules != NULL, cases[i].rc == MAUTH_OK);
        if (!rules) {
            assert_memory_equal(err.text, path, strlen(path));
            assert_memory_equal(
                err.text + strlen(path), cases[i].says, strlen(cases[i].says));
        }
        mauth_rules_free(rules);
    }
    unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
