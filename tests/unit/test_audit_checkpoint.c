#include "audit/checkpoint.h"
#include "base/str.h"
#include "tests/unit/unit.h"

#define ISSUER "https://auth.example.org:8443"

static uint8_t seed[NOTE_KEY_BYTES];
static struct note_verifier verifier, stranger;

static int
set_up(void **state)
{
    uint8_t key[NOTE_KEY_BYTES], other[NOTE_KEY_BYTES];

    (void)state;
    assert_int_equal(note_generate(other, key, NULL), MAUTH_OK);
    assert_int_equal(note_verifier_make("a/authority", key, &stranger, NULL), MAUTH_OK);
    assert_int_equal(note_generate(seed, key, NULL), MAUTH_OK);
    assert_int_equal(note_verifier_make("a/authority", key, &verifier, NULL), MAUTH_OK);
    return 0;
}

static void
writes_and_reads(void **state)
{
    static const char start[] = "auth.example.org:8443/audit\n12345\n"
                                "BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n"
                                "\xe2\x80\x94 a/authority ";
    struct audit_checkpoint c = {12345, {7}}, back;
    struct buf b;

    (void)state;
    buf_init(&b);
    assert_int_equal(
        audit_checkpoint_write(ISSUER, &c, &verifier, seed, &b, NULL), MAUTH_OK);
    assert_memory_equal(b.data, start, sizeof(start) - 1);
    assert_int_equal(
        audit_checkpoint_read(buf_slice(&b), ISSUER, &verifier, &back, NULL), MAUTH_OK);
    assert_int_equal(back.size, 12345);
    assert_memory_equal(back.root, c.root, HASH_LEN);
    assert_int_equal(
        audit_checkpoint_read(buf_slice(&b), ISSUER, &stranger, &back, NULL),
        MAUTH_UNTRUSTED);
    assert_int_equal(back.size, 0);
    assert_int_equal(audit_checkpoint_read(buf_slice(&b), "https://other.example",
                         &verifier, &back, NULL),
        MAUTH_UNTRUSTED);
    for (size_t i = 0; i < b.len; i++) { /* none of its bytes may be another */
        b.data[i] ^= 1;
        assert_int_not_equal(
            audit_checkpoint_read(buf_slice(&b), ISSUER, &verifier, &back, NULL),
            MAUTH_OK);
        b.data[i] ^= 1;
        assert_int_not_equal(
            audit_checkpoint_read(
                (struct text){(const char *)b.data, i}, ISSUER, &verifier, &back, NULL),
            MAUTH_OK);
    }
    buf_u8(&b, '\n');
    assert_int_equal(
        audit_checkpoint_read(buf_slice(&b), ISSUER, &verifier, &back, NULL),
        MAUTH_MALFORMED);
    buf_clear(&b);
}

/* Signed, but not of the form. */
static void
refuses_other_texts(void **state)
{
    static const char root[] = "BwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
    static const char *const sizes[] = {"", "-1", "01", "1 ", "9999999999999999999"};
    struct audit_checkpoint back;

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        struct buf text, note;

        buf_init(&text);
        buf_init(&note);
        buf_printf(&text, "auth.example.org:8443/audit\n%s\n%s", sizes[i], root);
        assert_int_equal(
            note_sign(buf_slice(&text), &verifier, seed, &note, NULL), MAUTH_OK);
        assert_int_not_equal(
            audit_checkpoint_read(buf_slice(&note), ISSUER, &verifier, &back, NULL),
            MAUTH_OK);
        buf_clear(&text);
        buf_clear(&note);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads),
        cmocka_unit_test(refuses_other_texts),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
