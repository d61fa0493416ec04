#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "tests/unit/unit.h"

static char dir[] = "/tmp/meshauth-test-file-XXXXXX";
static char *path;

static int
set_up(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    path = file_join(dir, "file");
    return path ? 0 : -1;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(path);
    free(path);
    return rmdir(dir); /* fails when anything was left */
}

static void
creates_once_and_replaces(void **state)
{
    struct buf b;
    struct stat st;

    (void)state;
    buf_init(&b);
    assert_int_equal(file_create(path, "one", 3, FILE_PRIVATE, NULL), MAUTH_OK);
    assert_int_equal(file_create(path, "two", 3, FILE_PRIVATE, NULL), MAUTH_CONFLICT);
    assert_int_equal(file_read_secret(path, 3, &b, NULL), MAUTH_OK);
    assert_int_equal(b.len, 3);
    assert_memory_equal(b.data, "one", 3);
    buf_rewind(&b);
    assert_int_equal(file_replace(path, "three", 5, FILE_PUBLIC, NULL), MAUTH_OK);
    assert_int_equal(file_read(path, 5, &b, NULL), MAUTH_OK);
    assert_memory_equal(b.data, "three", 5);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    buf_clear(&b);
}

static void
refuses_what_is_too_large_or_missing(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_int_equal(file_read(path, 4, &b, &err), MAUTH_TOO_LARGE);
    buf_rewind(&b);
    assert_int_equal(file_read("/nowhere/at/all", 4, &b, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(file_read(dir, 4, &b, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(
        file_replace("/nowhere/at/all", "", 0, 0600, NULL), MAUTH_UNAVAILABLE);
    buf_clear(&b);
}

static void
refuses_a_secret_that_others_may_read(void **state)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_int_equal(file_read_secret(path, 64, &b, &err), MAUTH_DENIED);
    assert_non_null(strstr(err.text, "chmod 600"));
    assert_int_equal(file_read_secret(dir, 64, &b, NULL), MAUTH_DENIED);
    assert_int_equal(b.len, 0);
    buf_clear(&b);
}

/* The name may come from afar, as that of a PIN's file does. */
static void
waits_for_no_writer_of_a_secret(void **state)
{
    char pipe[128];
    struct buf b;

    (void)state;
    buf_init(&b);
    snprintf(pipe, sizeof(pipe), "%s/pipe", dir);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    alarm(10); /* it would wait for good */
    assert_int_equal(file_read_secret(pipe, 64, &b, NULL), MAUTH_DENIED);
    alarm(0);
    unlink(pipe);
    buf_clear(&b);
}

/* As systemd hands them over. */
static void
reads_credentials(void **state)
{
    static const struct {
        const char *name, *path;
        mode_t mode;
        bool in_service;
        enum mauth_rc rc;
    } cases[] = {
        {"its owner's", "credential:it", 0400, true, MAUTH_OK},
        {"under an ACL", "credential:it", 0440, true, MAUTH_OK},
        {"writable by a group", "credential:it", 0420, true, MAUTH_DENIED},
        {"readable by all", "credential:it", 0444, true, MAUTH_DENIED},
        {"none of that name", "credential:that", 0400, true, MAUTH_NOT_FOUND},
        {"no name", "credential:", 0400, true, MAUTH_INVALID},
        {"elsewhere", "credential:../it", 0400, true, MAUTH_INVALID},
        {"outside of a service", "credential:it", 0400, false, MAUTH_NOT_FOUND},
    };
    char file[128];
    struct buf b;

    (void)state;
    buf_init(&b);
    snprintf(file, sizeof(file), "%s/it", dir);
    assert_int_equal(file_create(file, "secret", 6, FILE_PRIVATE, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        enum mauth_rc rc;

        assert_int_equal(chmod(file, cases[i].mode), 0);
        if (cases[i].in_service)
            setenv("CREDENTIALS_DIRECTORY", dir, 1);
        else
            unsetenv("CREDENTIALS_DIRECTORY");
        buf_rewind(&b);
        rc = file_read_secret(cases[i].path, 64, &b, &err);
        if (rc != cases[i].rc || b.len != (rc ? 0 : 6) ||
            (rc && !strstr(err.text, cases[i].path)))
            fail_msg("%s: %d, %s", cases[i].name, (int)rc, err.text);
    }
    unsetenv("CREDENTIALS_DIRECTORY");
    unlink(file);
    buf_clear(&b);
}

/* Each writes its own letter, as often as the letter says. */
static void *
replace_often(void *arg)
{
    const char *letter = arg;
    char text['h' + 1];

    memset(text, *letter, sizeof(text));
    for (int i = 0; i < 25; i++)
        if (file_replace(path, text, (size_t)*letter, FILE_PRIVATE, NULL) != MAUTH_OK)
            return arg;
    return NULL;
}

static void
replaces_from_many_threads(void **state)
{
    static char letters[] = "aceg";
    pthread_t thread[4];
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT(thread); i++)
        assert_int_equal(
            pthread_create(&thread[i], NULL, replace_often, &letters[i]), 0);
    for (size_t i = 0; i < COUNT(thread); i++) {
        void *failed;

        assert_int_equal(pthread_join(thread[i], &failed), 0);
        assert_null(failed);
    }
    buf_init(&b);
    assert_int_equal(file_read(path, 'h', &b, NULL), MAUTH_OK);
    assert_int_equal(b.len, b.data[0]);
    for (size_t i = 0; i < b.len; i++)
        assert_int_equal(b.data[i], b.data[0]);
    buf_clear(&b);
}

enum {
    WHOLE = 1 << 20
};

/* One of many: makes the file, or sees all of the one that another made. */
static void *
create_or_read(void *arg)
{
    const char *data = arg;
    enum mauth_rc rc = file_create(path, data, WHOLE, FILE_PRIVATE, NULL);
    struct buf b;

    buf_init(&b);
    if (rc == MAUTH_CONFLICT) {
        rc = file_read_secret(path, WHOLE, &b, NULL);
        if (rc == MAUTH_OK && b.len != WHOLE)
            rc = MAUTH_MALFORMED;
    }
    buf_clear(&b);
    return rc == MAUTH_OK ? NULL : arg;
}

/* Of two first logins at once, the slower took half of the other's key. */
static void
creates_no_half_of_a_file(void **state)
{
    char *data = malloc(WHOLE);
    pthread_t thread[8];
    bool failed = false;

    (void)state;
    assert_non_null(data);
    memset(data, 'x', WHOLE);
    for (int round = 0; round < 5; round++) {
        unlink(path);
        for (size_t i = 0; i < COUNT(thread); i++)
            assert_int_equal(pthread_create(&thread[i], NULL, create_or_read, data), 0);
        for (size_t i = 0; i < COUNT(thread); i++) {
            void *bad;

            assert_int_equal(pthread_join(thread[i], &bad), 0);
            failed |= bad != NULL;
        }
    }
    assert_false(failed);
    free(data);
}

static void
makes_a_folder_last(void **state)
{
    (void)state;
    assert_int_equal(file_sync_folder(dir, NULL), MAUTH_OK);
    assert_int_equal(file_sync_folder(path, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(file_sync_folder("/nowhere/at/all", NULL), MAUTH_UNAVAILABLE);
}

static void
joins_names(void **state)
{
    char *a = file_join("a", "b"), *b = file_join("a", "/b");

    (void)state;
    assert_string_equal(a, "a/b");
    assert_string_equal(b, "/b");
    free(a);
    free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_once_and_replaces),
        cmocka_unit_test(refuses_what_is_too_large_or_missing),
        cmocka_unit_test(refuses_a_secret_that_others_may_read),
        cmocka_unit_test(waits_for_no_writer_of_a_secret),
        cmocka_unit_test(reads_credentials),
        cmocka_unit_test(replaces_from_many_threads),
        cmocka_unit_test(creates_no_half_of_a_file),
        cmocka_unit_test(makes_a_folder_last),
        cmocka_unit_test(joins_names),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
