#include "base/str.h"
#include "keys/note.h"
#include "tests/unit/golden.h"

/* From the specification's own example (c2sp.org/signed-note, vkey). */
static const char PETER[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char PETERS[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\xe2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6"
    "RyyBwJnAM=\n";

static enum mauth_rc
open_note(const char *note, size_t len, const char *vkey)
{
    struct note_verifier v;
    struct reader r;
    struct text text;

    assert_int_equal(note_verifier_parse(vkey, strlen(vkey), &v, NULL), MAUTH_OK);
    reader_init(&r, note, len);
    return note_open(&r, &v, &text, NULL);
}

static void
opens_the_specifications_example(void **state)
{
    char *changed = strdup(PETERS);

    (void)state;
    assert_int_equal(open_note(PETERS, strlen(PETERS), PETER), MAUTH_OK);
    for (size_t i = 0; i < strlen(PETERS); i++) {
        changed[i] ^= 1;
        assert_int_not_equal(open_note(changed, strlen(PETERS), PETER), MAUTH_OK);
        changed[i] ^= 1;
        assert_int_not_equal(open_note(PETERS, i, PETER), MAUTH_OK);
    }
    free(changed);
}

static void
signs_and_opens(void **state)
{
    struct text said, text = text_of("one\ntwo\n");
    uint8_t seed[NOTE_KEY_BYTES], key[NOTE_KEY_BYTES], again[NOTE_KEY_BYTES];
    char vkey[NOTE_VKEY_MAX + 1];
    struct note_verifier v, stranger;
    struct reader r;
    struct buf b;

    (void)state;
    assert_int_equal(note_generate(seed, key, NULL), MAUTH_OK);
    assert_int_equal(note_public(seed, again, NULL), MAUTH_OK);
    assert_memory_equal(key, again, NOTE_KEY_BYTES);
    assert_int_equal(note_verifier_make("a.example/root", key, &v, NULL), MAUTH_OK);
    note_verifier_format(&v, vkey);
    buf_init(&b);
    assert_int_equal(note_sign(text, &v, seed, &b, NULL), MAUTH_OK);
    buf_str(&b, "rest");
    reader_init(&r, b.data, b.len);
    assert_int_equal(note_open(&r, &v, &said, NULL), MAUTH_OK);
    assert_true(text_equal(said, text));
    assert_int_equal(r.left, 4);
    assert_int_equal(
        note_verifier_make("b.example/root", key, &stranger, NULL), MAUTH_OK);
    reader_init(&r, b.data, b.len);
    assert_int_equal(note_open(&r, &stranger, &said, NULL), MAUTH_UNTRUSTED);
    assert_int_equal(open_note((const char *)b.data, b.len - 4, vkey), MAUTH_OK);
    buf_clear(&b);
}

/* printf %s "$(cat root.vkey)" | openssl dgst -sha256 -binary | base64 */
static void
has_a_fingerprint(void **state)
{
    static const char vkey[] = "auth.mesh.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/"
                               "TNVEpz5zKclCABt5dOnj3/r";
    char fingerprint[NOTE_FINGERPRINT_LEN + 1];
    struct note_verifier v;

    (void)state;
    assert_int_equal(note_verifier_parse(vkey, strlen(vkey), &v, NULL), MAUTH_OK);
    assert_int_equal(note_fingerprint(&v, fingerprint, NULL), MAUTH_OK);
    assert_string_equal(
        fingerprint, "SHA256:TSO1G3W1MT12jdttjdGYqTRPZ4DmgGEkhTr0dk8/G5A");
}

static void
refuses_bad_verifier_keys(void **state)
{
    static const char *const bad[] = {"", "a", "a+b", "a+00000000+AAAA",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumanm+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "PeterNeumann+c74f20a3+AhpcdQcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        " PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n"};
    static const uint8_t key[NOTE_KEY_BYTES];
    struct note_verifier v;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (note_verifier_parse(bad[i], strlen(bad[i]), &v, NULL) != MAUTH_MALFORMED)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(note_verifier_make("a b", key, &v, NULL), MAUTH_MALFORMED);
    assert_int_equal(note_verifier_make("a+b", key, &v, NULL), MAUTH_MALFORMED);
    assert_int_equal(note_verifier_make("", key, &v, NULL), MAUTH_MALFORMED);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_the_specifications_example),
        cmocka_unit_test(signs_and_opens),
        cmocka_unit_test(has_a_fingerprint),
        cmocka_unit_test(refuses_bad_verifier_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
