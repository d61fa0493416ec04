#include "base/id.h"
#include "tests/unit/unit.h"

static void
has_one_spelling(void **state)
{
    char text[ID_LEN + 1];
    struct id id, back;

    (void)state;
    memset(&id, 0, sizeof(id));
    id_format(ID_USER, &id, text);
    assert_string_equal(text, "usr_00000000000000000000000000");
    memset(&id, 0xff, sizeof(id));
    id_format(ID_DEVICE, &id, text);
    assert_string_equal(text, "dev_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    assert_true(id_parse(ID_DEVICE, text, ID_LEN, &back));
    assert_memory_equal(&id, &back, sizeof(id));
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(id_new(&id, NULL), MAUTH_OK);
        id_format(ID_SESSION, &id, text);
        assert_int_equal(strlen(text), ID_LEN);
        assert_true(id_parse(ID_SESSION, text, ID_LEN, &back));
        assert_memory_equal(&id, &back, sizeof(id));
        assert_int_equal(id_kind_of(text, ID_LEN), ID_SESSION);
    }
}

static void
refuses_all_else(void **state)
{
    static const char *const bad[] = {"", "usr_", "usr_0aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "usr_0aaaaaaaaaaaaaaaaaaaaaaaa", "usr_8aaaaaaaaaaaaaaaaaaaaaaaaa",
        "usr_aaaaaaaaaaaaaaaaaaaaaaaaaa", "usr_0Aaaaaaaaaaaaaaaaaaaaaaaaa",
        "usr_0iaaaaaaaaaaaaaaaaaaaaaaaa", "usr_0laaaaaaaaaaaaaaaaaaaaaaaa",
        "usr_0oaaaaaaaaaaaaaaaaaaaaaaaa", "usr_0uaaaaaaaaaaaaaaaaaaaaaaaa",
        "usr_0-aaaaaaaaaaaaaaaaaaaaaaaa", "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa",
        "USR_0aaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct id id;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (id_parse(ID_USER, bad[i], strlen(bad[i]), &id))
            fail_msg("accepted: %s", bad[i]);
    assert_false(id_parse(ID_USER, "usr_0aaaaaaaaaaaa\0aaaaaaaaaaaa", ID_LEN, &id));
    assert_int_equal(id_kind_of("xyz_0aaaaaaaaaaaaaaaaaaaaaaaaa", ID_LEN), ID_KINDS);
    assert_string_equal(id_prefix(ID_INVITATION), "inv_");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_one_spelling),
        cmocka_unit_test(refuses_all_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
