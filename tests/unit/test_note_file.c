#include "keys/note_file.h"
#include "tests/unit/scratch_dir.h"

static const char vkey[] = "auth.mesh.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/"
                           "TNVEpz5zKclCABt5dOnj3/r";

static void
keeps_a_key(void **state)
{
    struct scratch_dir d;
    struct note_verifier v, again;
    char *text;

    (void)state;
    scratch_dir_make(&d);
    assert_int_equal(note_verifier_parse(vkey, strlen(vkey), &v, NULL), MAUTH_OK);
    assert_int_equal(note_file_write(scratch_path(&d, "v"), &v, NULL), MAUTH_OK);
    text = scratch_read(&d, "v", NULL);
    assert_int_equal(strncmp(text, vkey, strlen(vkey)), 0);
    assert_string_equal(text + strlen(vkey), "\n");
    assert_int_equal(note_file_read(scratch_path(&d, "v"), &again, NULL), MAUTH_OK);
    assert_memory_equal(&v, &again, sizeof(v));
    free(text);
    scratch_dir_remove(&d);
}

static void
refuses_what_is_none(void **state)
{
    static const struct {
        const char *name, *text;
    } refusals[] = {
        {"empty", ""},
        {"a newline", "\n"},
        {"two newlines", "auth.mesh.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/"
                         "TNVEpz5zKclCABt5dOnj3/r\n\n"},
        {"two lines", "a\nb\n"},
        {"another name", "auth.mesh.exampla/root+c3441793+Aegk/JcWJVB0qqKDVHGG/"
                         "TNVEpz5zKclCABt5dOnj3/r\n"},
    };
    struct note_verifier v;
    struct scratch_dir d;
    char long_one[1000];

    (void)state;
    scratch_dir_make(&d);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        scratch_write(&d, "v", refusals[i].text, strlen(refusals[i].text));
        if (note_file_read(scratch_path(&d, "v"), &v, NULL) != MAUTH_MALFORMED)
            fail_msg("taken: %s", refusals[i].name);
    }
    memset(long_one, 'a', sizeof(long_one));
    scratch_write(&d, "v", long_one, sizeof(long_one));
    assert_int_equal(note_file_read(scratch_path(&d, "v"), &v, NULL), MAUTH_MALFORMED);
    assert_int_equal(
        note_file_read(scratch_path(&d, "none"), &v, NULL), MAUTH_NOT_FOUND);
    scratch_dir_remove(&d);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_a_key),
        cmocka_unit_test(refuses_what_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
