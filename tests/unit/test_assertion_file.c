#include <unistd.h>

#include "base/file.h"
#include "cli/assertion_file.h"
#include "tests/unit/unit.h"

static enum mauth_rc
read_text(const char *text, size_t len, struct buf *out)
{
    char path[] = "/tmp/mauth-assertion-XXXXXX";
    int fd = mkstemp(path);
    enum mauth_rc rc;

    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_replace(path, text, len, FILE_PRIVATE, NULL), MAUTH_OK);
    rc = assertion_file_read(path, out, NULL);
    unlink(path);
    return rc;
}

/* "<a>?\?>" in base64 has a character of each alphabet that the other lacks. */
static void
takes_what_people_have(void **state)
{
    static const char *const texts[] = {"<a>?\?></a>", "\n <a>?\?></a>",
        "\xef\xbb\xbf<a>?\?></a>", "PGE-Pz8-PC9hPg", "PGE+Pz8+PC9hPg==\n",
        "PGE+Pz8+\r\nPC9hPg==\r\n"};

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf out;

        buf_init(&out);
        if (read_text(texts[i], strlen(texts[i]), &out) != MAUTH_OK)
            fail_msg("%s", texts[i]);
        assert_string_equal(buf_cstr(&out), "PGE-Pz8-PC9hPg");
        buf_clear(&out);
    }
}

static void
refuses_what_is_no_assertion(void **state)
{
    static const char *const texts[] = {"", "\n", "eyJhbGciOiJFUzI1NiJ9.e30.x",
        "eyJhbGciOiJFUzI1NiJ9", "PGE+!", "SAMLResponse=PGE+Pz8+", "hello"};
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < COUNT(texts); i++)
        if (read_text(texts[i], strlen(texts[i]), &out) != MAUTH_MALFORMED)
            fail_msg("taken: %s", texts[i]);
    assert_int_equal(assertion_file_read("/nonexistent", &out, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(out.len, 0);
}

static void
has_a_bound(void **state)
{
    static char text[2 * ASSERTION_FILE_MAX + 2];
    struct buf out;

    (void)state;
    memset(text, '<', sizeof(text));
    buf_init(&out);
    assert_int_equal(read_text(text, ASSERTION_FILE_MAX, &out), MAUTH_OK);
    assert_int_equal(out.len, ASSERTION_FILE_MAX / 3 * 4);
    buf_rewind(&out);
    assert_int_equal(read_text(text, ASSERTION_FILE_MAX + 1, &out), MAUTH_MALFORMED);
    assert_int_equal(read_text(text, sizeof(text), &out), MAUTH_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_people_have),
        cmocka_unit_test(refuses_what_is_no_assertion),
        cmocka_unit_test(has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
