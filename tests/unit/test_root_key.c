#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/certificate.h"
#include "cli/root_key.h"
#include "keys/trust_write.h"
#include "tests/unit/unit.h"

static char dir[64], path[96];

static int
set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/root.key", dir);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

static struct mauth_secret *
make(struct note_verifier *v)
{
    struct mauth_secret *seed = NULL;
    struct buf pem;

    buf_init_secret(&pem);
    assert_int_equal(note_secret_new("a.example/root", &seed, v, NULL), MAUTH_OK);
    assert_int_equal(pem_from_seed(mauth_secret_bytes(seed), &pem, NULL), MAUTH_OK);
    assert_int_equal(
        file_create(path, pem.data, pem.len, FILE_PRIVATE, NULL), MAUTH_OK);
    buf_clear(&pem);
    return seed;
}

static void
signs_what_was_requested(void **state)
{
    struct note_verifier root, again, authority;
    struct mauth_secret *seed = make(&root), *read = NULL;
    uint8_t key[NOTE_KEY_BYTES] = {7};
    struct trust_delegation d = {"https://a.example", 5, &authority, 1000, 2000};
    struct buf request, note, other;
    struct text text;
    struct reader r;

    (void)state;
    buf_init(&request);
    buf_init(&note);
    buf_init(&other);
    assert_int_equal(root_key_read(path, &read, NULL), MAUTH_OK);
    assert_memory_equal(
        mauth_secret_bytes(read), mauth_secret_bytes(seed), NOTE_KEY_BYTES);
    assert_int_equal(
        root_key_verifier(read, text_of("https://a.example"), &again, NULL), MAUTH_OK);
    assert_memory_equal(&again, &root, sizeof(root));
    assert_int_equal(
        note_verifier_make("a.example/authority", key, &authority, NULL), MAUTH_OK);
    trust_write_request(&d, &request);
    text = (struct text){(char *)request.data, request.len};
    assert_int_equal(root_key_sign(read, text, &note, NULL), MAUTH_OK);
    reader_init(&r, note.data, note.len);
    assert_int_equal(note_open(&r, &root, &text, NULL), MAUTH_OK);
    assert_true(reader_done(&r));
    assert_true(text_equal(text, (struct text){(char *)request.data, request.len}));
    /* It is what signs all at once. */
    assert_int_equal(
        trust_write_delegation(&d, &root, mauth_secret_bytes(seed), &other, NULL),
        MAUTH_OK);
    assert_int_equal(other.len, note.len);
    assert_memory_equal(other.data, note.data, note.len);
    mauth_secret_free(seed);
    mauth_secret_free(read);
    buf_clear(&request);
    buf_clear(&note);
    buf_clear(&other);
}

/* The root signs nothing but what names an authority of the issuer. */
static void
refuses_what_is_no_request(void **state)
{
#define BEGIN "meshauth-authority v1\nissuer https://a.example\nepoch 2\nauthority "
#define TIMES " 2026-11-22T10:00:00Z 2027-11-22T10:00:00Z\n"
#define VKEY  "a.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/TNVEpz5zKclCABt5dOnj3/r"
    static const char *const bad[] = {"", "\n", "meshauth-trust v1\n", BEGIN TIMES,
        BEGIN VKEY TIMES, BEGIN VKEY TIMES "\n", BEGIN "x" TIMES};
    struct note_verifier root;
    struct mauth_secret *seed = make(&root);
    struct buf out;

    (void)state;
    buf_init(&out);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_not_equal(
            root_key_sign(seed, text_of(bad[i]), &out, NULL), MAUTH_OK);
        assert_int_equal(out.len, 0);
    }
    assert_int_equal(
        root_key_verifier(seed, text_of("http://a"), &root, NULL), MAUTH_INVALID);
    buf_clear(&out);
    mauth_secret_free(seed);
}

static void
refuses_files(void **state)
{
    static const char *const bad[] = {"", "-----BEGIN PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\n"
        "MCowBQYDK2VwAyEA6CT8lxYlUHSqooNUcYb9M1USnPnMpyUIAG3l06ePf+s=\n"
        "-----END PUBLIC KEY-----\n"};
    struct note_verifier root;
    struct mauth_secret *seed = make(&root), *read = NULL;
    struct buf p256;

    (void)state;
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(root_key_read(path, &read, NULL), MAUTH_DENIED);
    assert_null(read);
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(
            file_replace(path, bad[i], strlen(bad[i]), FILE_PRIVATE, NULL), MAUTH_OK);
        assert_int_equal(root_key_read(path, &read, NULL), MAUTH_MALFORMED);
        assert_null(read);
    }
    buf_init_secret(&p256);
    assert_int_equal(pem_new_p256(&p256, NULL), MAUTH_OK);
    assert_int_equal(
        file_replace(path, p256.data, p256.len, FILE_PRIVATE, NULL), MAUTH_OK);
    assert_int_equal(root_key_read(path, &read, NULL), MAUTH_MALFORMED);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(root_key_read(path, &read, NULL), MAUTH_NOT_FOUND);
    assert_null(read);
    buf_clear(&p256);
    mauth_secret_free(seed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signs_what_was_requested, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_is_no_request, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_files, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
