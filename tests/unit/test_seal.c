#include "base/str.h"
#include "store/seal.h"
#include "tests/unit/unit.h"

static struct mauth_secret *
seal_of(uint8_t first, size_t len)
{
    uint8_t raw[64] = {first};
    struct mauth_secret *seal = NULL;

    assert_int_equal(mauth_secret_new(raw, len, &seal, NULL), MAUTH_OK);
    return seal;
}

static const uint8_t nonce[SEAL_NONCE] = {5};

#define BEFORE "what the record holds"

static const struct text kind = {"kind", 4}, before = {BEFORE, sizeof(BEFORE) - 1};

/* What wrap appends is a field: its length, then what unwrap takes. */
static struct text
field_of(const struct buf *b)
{
    struct reader r;
    struct text t;

    reader_init(&r, b->data, b->len);
    reader_expect(&r, BEFORE, sizeof(BEFORE) - 1);
    t = reader_field(&r);
    assert_true(reader_done(&r));
    return t;
}

static void
opens_what_it_closed(void **state)
{
    struct mauth_secret *seal = seal_of(1, SEAL_KEY);
    struct buf sealed, open;
    struct text field;

    (void)state;
    buf_init(&sealed);
    buf_init_secret(&open);
    buf_text(&sealed, before);
    assert_int_equal(
        seal_wrap(seal, nonce, kind, text_of("secret"), &sealed, NULL), MAUTH_OK);
    field = field_of(&sealed);
    assert_int_equal(field.len, SEAL_NONCE + 6 + SEAL_TAG);
    assert_null(memmem(field.p, field.len, "secret", 6));
    buf_str(&open, "before ");
    assert_int_equal(seal_unwrap(seal, kind, before, field, &open, NULL), MAUTH_OK);
    assert_string_equal(buf_cstr(&open), "before secret");
    buf_clear(&open);
    buf_clear(&sealed);
    mauth_secret_free(seal);
}

static void
refuses_what_was_touched(void **state)
{
    struct mauth_secret *seal = seal_of(1, SEAL_KEY), *other = seal_of(2, SEAL_KEY);
    struct buf sealed, open;
    struct text field;

    (void)state;
    buf_init(&sealed);
    buf_init_secret(&open);
    buf_text(&sealed, before);
    assert_int_equal(
        seal_wrap(seal, nonce, kind, text_of("secret"), &sealed, NULL), MAUTH_OK);
    field = field_of(&sealed);
    for (size_t i = before.len + 2; i < sealed.len; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(
            seal_unwrap(seal, kind, before, field, &open, NULL), MAUTH_DENIED);
        sealed.data[i] ^= 1;
    }
    for (size_t len = 0; len < field.len; len++)
        assert_int_equal(
            seal_unwrap(seal, kind, before, (struct text){field.p, len}, &open, NULL),
            MAUTH_DENIED);
    assert_int_equal(
        seal_unwrap(seal, text_of("king"), before, field, &open, NULL), MAUTH_DENIED);
    assert_int_equal(
        seal_unwrap(other, kind, before, field, &open, NULL), MAUTH_DENIED);
    for (size_t len = 0; len < before.len; len++)
        assert_int_equal(
            seal_unwrap(seal, kind, (struct text){BEFORE, len}, field, &open, NULL),
            MAUTH_DENIED);
    assert_int_equal(
        seal_unwrap(seal, kind, text_of("What the record holds"), field, &open, NULL),
        MAUTH_DENIED);
    assert_int_equal(open.len, 0);
    buf_clear(&open);
    buf_clear(&sealed);
    mauth_secret_free(seal);
    mauth_secret_free(other);
}

static void
wants_sizes_that_make_sense(void **state)
{
    static char large[SEAL_SECRET_MAX + 1];
    struct text secret = {large, sizeof(large)};
    struct mauth_secret *seal = seal_of(1, SEAL_KEY), *small = seal_of(1, SEAL_KEY - 1);
    struct buf sealed;

    (void)state;
    buf_init(&sealed);
    assert_int_equal(
        seal_wrap(seal, nonce, text_of("b"), secret, &sealed, NULL), MAUTH_INVALID);
    assert_int_equal(seal_wrap(seal, nonce, text_of("b"), text_of(""), &sealed, NULL),
        MAUTH_INVALID);
    assert_int_equal(seal_wrap(seal, nonce, text_of(""), text_of("s"), &sealed, NULL),
        MAUTH_INVALID);
    assert_int_equal(seal_wrap(small, nonce, text_of("b"), text_of("s"), &sealed, NULL),
        MAUTH_INVALID);
    assert_int_equal(sealed.len, 0);
    secret.len--;
    assert_int_equal(
        seal_wrap(seal, nonce, text_of("b"), secret, &sealed, NULL), MAUTH_OK);
    buf_clear(&sealed);
    mauth_secret_free(seal);
    mauth_secret_free(small);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_it_closed),
        cmocka_unit_test(refuses_what_was_touched),
        cmocka_unit_test(wants_sizes_that_make_sense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
