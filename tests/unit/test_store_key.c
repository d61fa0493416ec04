/* store/key.h */
#include "base/str.h"
#include "store/key.h"
#include "tests/unit/unit.h"

static void
makes_keys(void **state)
{
    struct store_key k;

    (void)state;
    store_key(&k, SPACE_USER, "name", 4);
    assert_true(text_is(store_key_text(&k), "uname"));
    buf_u8(&k.b, '!');
    assert_true(text_is(store_key_text(&k), "uname!"));
    store_key(&k, SPACE_AUDIT_HEAD, NULL, 0);
    assert_true(text_is(store_key_text(&k), "H"));
}

static void
bounds_a_space(void **state)
{
    struct store_key first, end;

    (void)state;
    store_key_bounds(&first, &end, SPACE_USER);
    assert_true(text_is(store_key_text(&first), "u"));
    assert_true(text_is(store_key_text(&end), "v"));
}

/* A name that is too long is not cut, so that it meets no other. */
static void
refuses_a_long_name(void **state)
{
    static const char name[KV_KEY_MAX];
    struct store_key k;

    (void)state;
    store_key(&k, SPACE_USER, name, KV_KEY_MAX - 1);
    assert_int_equal(store_key_text(&k).len, KV_KEY_MAX);
    store_key(&k, SPACE_USER, name, KV_KEY_MAX);
    assert_int_equal(store_key_text(&k).len, 0);
    store_key(&k, SPACE_USER, name, KV_KEY_MAX - 4);
    buf_u64(&k.b, 1);
    assert_int_equal(store_key_text(&k).len, 0);
}

/*
 * A list of all spaces: two that share their byte do not compile, and one that is missing
 * here is a warning.
 */
static bool
is_space(enum store_space space)
{
    switch (space) {
    case SPACE_AUDIT_HEAD:
    case SPACE_AUDIT_RECORD:
    case SPACE_AUDIT_NODES:
    case SPACE_GRAPH_STATE:
    case SPACE_USER:
    case SPACE_IDENTITY:
    case SPACE_SERVICE:
    case SPACE_SERVICE_NAME:
    case SPACE_SERVICE_KEY:
    case SPACE_SERVICE_URL:
    case SPACE_ROLE:
    case SPACE_SESSION:
    case SPACE_SESSION_OPEN:
    case SPACE_TOKEN:
    case SPACE_TOKEN_END:
    case SPACE_SIGNING_KEY:
    case SPACE_KEYS_SERIAL:
    case SPACE_AUTHORITY:
    case SPACE_AUTHORITY_NEXT:
    case SPACE_RESTORED:
    case SPACE_METADATA_KEY:
    case SPACE_TRUST_SEQUENCE:
    case SPACE_DEVICE:
    case SPACE_DEVICE_KEY:
    case SPACE_FOLDER:
    case SPACE_CLAIM_DEVICE:
    case SPACE_CLAIM_USER:
    case SPACE_MEMBER_FOLDER:
    case SPACE_MEMBER_USER:
    case SPACE_MAPPED_DEVICE:
    case SPACE_MAPPED_FOLDER:
    case SPACE_CHANGE:
    case SPACE_CHANGE_GONE:
    case SPACE_USER_IDENTITY:
    case SPACE_INVITATION:
    case SPACE_INVITATION_BY:
    case SPACE_PENDING:
    case SPACE_PURGE_AT:
    case SPACE_PURGED:
    case SPACE_REVOKED:
    case SPACE_REVOKED_SUMMARY:
    case SPACE_READINESS:
    case SPACE_REPORTED:
    case SPACE_AUDIT_LEFT:
    case SPACE_AUDIT_SEGMENT:
    case SPACE_AUDIT_ERASURE:
    case SPACE_CONFIG:
    case SPACE_RULES: return true;
    }
    return false;
}

/* store/kv has a key of its own, ".schema". */
static void
leaves_the_dot_alone(void **state)
{
    (void)state;
    assert_true(is_space(SPACE_READINESS));
    assert_true(is_space(SPACE_RULES));
    assert_false(is_space((enum store_space)'.'));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_keys),
        cmocka_unit_test(bounds_a_space),
        cmocka_unit_test(refuses_a_long_name),
        cmocka_unit_test(leaves_the_dot_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
