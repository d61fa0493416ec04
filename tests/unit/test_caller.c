/* A ticket that was verified before, shown once more: all but its signature counts anew. */
#include "authsvc/caller.h"
#include "store/revocations.h"
#include "tests/unit/issued_world.h"

static enum mauth_reason
show_as(
    struct world *w, const char *credential, const struct mauth_key *key, int64_t now_s)
{
    struct caller c = {.now_s = now_s, .proof = {.key = key}};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = caller_verify(&w->service, text_of(credential), &c, &err);

    assert_int_equal(c.ticket, rc == MAUTH_OK);
    if (rc == MAUTH_OK) {
        assert_int_equal(c.kind, ID_USER);
        assert_int_equal(c.principal.b[0], 1);
        assert_int_equal(c.session.b[0], 2);
    }
    assert_int_equal(rc == MAUTH_OK, err.reason == MAUTH_REASON_NONE);
    return err.reason;
}

static enum mauth_reason
show(struct world *w, const struct mauth_key *key, int64_t now_s)
{
    return show_as(w, w->credential, key, now_s);
}

static void
remembers_what_it_verified(void **state)
{
    struct world *w = *state;

    assert_int_equal(cache_use(w->service.known).entries, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
        assert_int_equal(cache_use(w->service.known).entries, 1);
    }
}

static void
remembers_nothing_that_it_refused(void **state)
{
    struct world *w = *state;

    assert_int_equal(show(w, w->other, NOW_S), MAUTH_REASON_HOLDER);
    assert_int_equal(show(w, NULL, NOW_S), MAUTH_REASON_NO_PROOF);
    assert_int_equal(show(w, w->device, NOW_S + 10000), MAUTH_REASON_TRUST_EXPIRED);
    assert_int_equal(cache_use(w->service.known).entries, 0);
}

static void
looks_at_key_and_times_again(void **state)
{
    struct world *w = *state;

    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
    assert_int_equal(show(w, w->other, NOW_S), MAUTH_REASON_HOLDER);
    assert_int_equal(show(w, NULL, NOW_S), MAUTH_REASON_NO_PROOF);
    assert_int_equal(show(w, w->device, NOW_S - 100), MAUTH_REASON_CLOCK);
    assert_int_equal(show(w, w->device, NOW_S + LIFE_S + MAUTH_SKEW_DEFAULT_S - 1),
        MAUTH_REASON_NONE);
    assert_int_equal(show(w, w->device, NOW_S + LIFE_S + MAUTH_SKEW_DEFAULT_S),
        MAUTH_REASON_EXPIRED);
    assert_int_equal(show(w, w->device, NOW_S + 3600), MAUTH_REASON_TRUST_EXPIRED);
    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
}

/* The ID stands where the hash looks; all else must be the same, too. */
static void
compares_all_of_it(void **state)
{
    struct world *w = *state;
    char *signature = strstr(w->issued.xml, "<ds:SignatureValue>"), *forged;

    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
    assert_non_null(signature);
    signature[30] = signature[30] == 'A' ? 'B' : 'A';
    assert_int_equal(
        mauth_credential_encode(w->issued.xml, w->issued.xml_len, false, &forged, NULL),
        MAUTH_OK);
    assert_int_equal(show_as(w, forged, w->device, NOW_S), MAUTH_REASON_SIGNATURE);
    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
    free(forged);
}

static enum mauth_rc
add(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return revocations_add(txn, arg, err);
}

static void
revoke_session(struct world *w, uint64_t number)
{
    struct id session = {.b = {2}};
    struct revoked set = {number, 1, {""}};

    id_format(ID_SESSION, &session, set.id[0]);
    assert_int_equal(kv_write(w->press.s.kv, add, &set, NULL), MAUTH_OK);
}

static void
looks_at_each_new_list_of_revocations(void **state)
{
    struct world *w = *state;

    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
    revoke_session(w, ASOF); /* before this ticket */
    publish(w, NOW_S);
    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
    revoke_session(w, ASOF + 1);
    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE); /* not out yet */
    publish(w, NOW_S);
    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_REVOKED);
    assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_REVOKED);
}

static void
does_without_a_memory(void **state)
{
    struct world *w = *state;
    struct cache *known = w->service.known;

    w->service.known = NULL;
    for (int i = 0; i < 2; i++)
        assert_int_equal(show(w, w->device, NOW_S), MAUTH_REASON_NONE);
    assert_int_equal(show(w, w->other, NOW_S), MAUTH_REASON_HOLDER);
    w->service.known = known;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers_what_it_verified, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            remembers_nothing_that_it_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            looks_at_key_and_times_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compares_all_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            looks_at_each_new_list_of_revocations, set_up, tear_down),
        cmocka_unit_test_setup_teardown(does_without_a_memory, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
