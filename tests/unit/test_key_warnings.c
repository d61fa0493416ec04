#include "keys/trust_write.h"
#include "store/key_warnings.h"
#include "tests/unit/press.h"

#define DAY_S      INT64_C(86400)
#define END_S      (400 * DAY_S)
#define HANDOVER_S (DAY_S / 2)

struct key {
    enum trust_state state;
    int64_t until_s;
    const char *audiences;
    int64_t from_s; /* 0: by now */
};

static enum mauth_rc
add(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {9};
    const struct press *p = ((void **)arg)[0];
    const struct key *k = ((void **)arg)[1];
    struct keystore_key key = {
        k->state, k->from_s ? k->from_s : 1000, k->until_s, k->audiences, 1000};
    struct buf der;
    enum mauth_rc rc;

    buf_init_secret(&der);
    assert_int_equal(signer_generate(SIGNER_P256, &der, NULL), MAUTH_OK);
    rc = keystore_key_add(
        txn, p->seal, &key, (struct text){(char *)der.data, der.len}, nonce, err);
    buf_clear(&der);
    return rc;
}

/* The sentences for a store whose authority and first key end at END_S, with more keys. */
static const char *
warnings(const struct key *more, size_t count, int64_t now_s)
{
    static char said[2048];
    struct press p;
    struct buf out;

    press_set_up_until(&p, END_S);
    for (size_t i = 0; i < count; i++) {
        struct key k = more[i];
        void *arg[] = {&p, &k};

        assert_int_equal(kv_write(p.s.kv, add, arg, NULL), MAUTH_OK);
    }
    keystore_free(p.keys);
    assert_int_equal(kv_read(p.s.kv, press_load, &p, NULL), MAUTH_OK);
    buf_init(&out);
    assert_int_equal(key_warnings(p.keys, now_s, HANDOVER_S, &out, NULL), MAUTH_OK);
    snprintf(said, sizeof(said), "%s", buf_cstr(&out));
    buf_clear(&out);
    press_tear_down(&p);
    return said;
}

static void
is_quiet_while_all_is_well(void **state)
{
    (void)state;
    assert_string_equal(warnings(NULL, 0, 1500), "");
    assert_string_equal(warnings(NULL, 0, END_S - 30 * DAY_S - 1), "");
}

static void
warns_from_thirty_days_before(void **state)
{
    const char *said = warnings(NULL, 0, END_S - 30 * DAY_S);

    (void)state;
    assert_non_null(strstr(said,
        "The authority's time ends at 1971-02-05T00:00:00Z, in 30 days: `meshauth "
        "authority renew`.\n"));
    assert_non_null(strstr(said,
        " ends at 1971-02-05T00:00:00Z, in 30 days, and none is ready to follow it: "
        "`meshauth keys prepare`.\n"));
    assert_non_null(strstr(warnings(NULL, 0, END_S - DAY_S), "in 1 day:"));
    assert_non_null(strstr(warnings(NULL, 0, END_S - 1), "in less than a day:"));
    assert_non_null(strstr(warnings(NULL, 0, END_S),
        "ended at 1971-02-05T00:00:00Z, and no trust file can be signed"));
}

static void
knows_who_follows_a_key(void **state)
{
    static const struct {
        const char *name;
        struct key key;
        bool follows;
    } cases[] = {
        {"the next", {TRUST_NEXT, END_S + 31 * DAY_S, "*", 0}, true},
        {"one that does not last", {TRUST_NEXT, END_S, "*", 0}, false},
        {"one for others", {TRUST_NEXT, END_S + 31 * DAY_S, "urn:a", 0}, false},
        {"one that has signed", {TRUST_RETIRING, END_S + 31 * DAY_S, "*", 0}, false},
        {"one that is revoked", {TRUST_REVOKED, END_S + 31 * DAY_S, "*", 0}, false},
        {"one that signs at its end", {TRUST_NEXT, END_S + 31 * DAY_S, "*", END_S},
            true},
        {"one for later", {TRUST_NEXT, END_S + 31 * DAY_S, "*", END_S + 1}, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *said = warnings(&cases[i].key, 1, END_S - DAY_S);

        if ((strstr(said, "The signing key") == NULL) != cases[i].follows)
            fail_msg("%s: %s", cases[i].name, said);
    }
}

/* It is there, and nobody makes it sign. */
static void
warns_when_the_next_is_forgotten(void **state)
{
    static const struct key next = {TRUST_NEXT, END_S + 31 * DAY_S, "*", 0};

    (void)state;
    assert_null(strstr(warnings(&next, 1, END_S - HANDOVER_S - 1), "The signing key"));
    assert_non_null(strstr(warnings(&next, 1, END_S - HANDOVER_S),
        ", in less than a day, and the one that follows it does not sign yet: "
        "`meshauth keys activate "));
}

static void
looks_at_each_active_key(void **state)
{
    static const struct key bound[] = {
        {TRUST_ACTIVE, END_S - 10 * DAY_S, "urn:a,urn:b", 0},
        {TRUST_NEXT, END_S + 31 * DAY_S, "urn:a,urn:b", 0}};
    const char *said = warnings(bound, 1, END_S - 35 * DAY_S);

    (void)state;
    assert_non_null(strstr(said, ", in 25 days, and none is ready"));
    assert_null(strstr(strchr(said, '\n') + 1, "in")); /* the other has time */
    assert_string_equal(warnings(bound, 2, END_S - 35 * DAY_S), "");
}

static void
says_it_in_json(void **state)
{
    struct press p;
    struct buf out;

    (void)state;
    press_set_up_until(&p, END_S);
    buf_init(&out);
    assert_int_equal(key_warnings_json(p.keys, 1500, HANDOVER_S, &out, NULL), MAUTH_OK);
    assert_string_equal(buf_cstr(&out), "[]");
    buf_rewind(&out);
    assert_int_equal(
        key_warnings_json(p.keys, END_S - DAY_S, HANDOVER_S, &out, NULL), MAUTH_OK);
    assert_non_null(strstr(buf_cstr(&out), "[\"The authority's time"));
    assert_non_null(strstr(buf_cstr(&out), "renew`.\",\"The signing key "));
    assert_non_null(strstr(buf_cstr(&out), "prepare`.\"]"));
    buf_clear(&out);
    press_tear_down(&p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_quiet_while_all_is_well),
        cmocka_unit_test(warns_from_thirty_days_before),
        cmocka_unit_test(knows_who_follows_a_key),
        cmocka_unit_test(warns_when_the_next_is_forgotten),
        cmocka_unit_test(looks_at_each_active_key),
        cmocka_unit_test(says_it_in_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
