#include "authsvc/issue.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/service_dir.h"

enum {
    NOW_S = SERVICE_FROM_S + 1000
};

struct world {
    struct service_dir dir;
    struct issue_ground ground;
    struct mauth_trust *trust;
    struct mauth_expect want;
};

static int
set_up(void **state)
{
    static struct world w;
    struct mauth_key *key = golden_key("signing-p256.pub.pem");

    memset(&w, 0, sizeof(w));
    service_make_with_key(&w.dir, "");
    w.ground = (struct issue_ground){
        .service = &w.dir.service,
        .now_s = NOW_S,
        .asof = 42,
        .subject = {.b = {1}},
        .session = {.b = {2}},
        .authn_instant_s = NOW_S - 30,
        .session_ends_s = NOW_S + 2592000,
        .holder = w.dir.device,
        .client = "192.0.2.1",
        .request = "request-1",
    };
    w.want = (struct mauth_expect){
        .size = sizeof(w.want), .audience = GOLDEN_ISSUER, .now_s = NOW_S};
    w.want.holder_spki = mauth_key_spki(w.dir.device, &w.want.holder_spki_len);
    assert_int_equal(
        mauth_trust_from_key(GOLDEN_ISSUER, key, &w.trust, NULL), MAUTH_OK);
    mauth_key_free(key);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    mauth_trust_free(w->trust);
    service_remove(&w->dir);
    return 0;
}

/* The ticket as a service sees it that has the issuer's key and proved the device's. */
static struct mauth_ticket *
verify(const struct world *w, const struct issued *i)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *t;

    if (mauth_ticket_verify(i->xml, i->xml_len, w->trust, &w->want, &t, &err) !=
        MAUTH_OK)
        fail_msg("%s", err.text);
    return t;
}

static void
check_common(const struct world *w, const struct mauth_ticket *t)
{
    char id[ID_LEN + 1];

    id_format(ID_USER, &w->ground.subject, id);
    assert_string_equal(mauth_ticket_subject(t), id);
    id_format(ID_SESSION, &w->ground.session, id);
    assert_string_equal(mauth_ticket_session(t), id);
    assert_string_equal(mauth_ticket_issuer(t), GOLDEN_ISSUER);
    assert_int_equal(mauth_ticket_asof(t), 42);
    assert_int_equal(mauth_ticket_issued_s(t), NOW_S);
    assert_int_equal(mauth_ticket_not_before_s(t), NOW_S);
    assert_int_equal(mauth_ticket_audience_count(t), 1);
    assert_int_equal(mauth_ticket_fact_count(t), 2);
    assert_null(mauth_ticket_holder(t)); /* no registered device */
}

static void
issues_identity_tickets(void **state)
{
    struct world *w = *state;
    struct mauth_ticket *t;
    struct issued i;

    assert_int_equal(issue_identity(&w->ground, &i, NULL), MAUTH_OK);
    assert_string_equal(i.audience, GOLDEN_ISSUER);
    assert_string_equal(i.resource, "");
    assert_null(i.action);
    assert_int_equal(i.expires_in_s, 3600);
    t = verify(w, &i);
    check_common(w, t);
    assert_true(mauth_ticket_is_identity(t));
    assert_int_equal(mauth_ticket_authn_instant_s(t), NOW_S - 30);
    assert_string_equal(mauth_ticket_authn_class(t),
        "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified");
    assert_int_equal(mauth_ticket_not_on_or_after_s(t), NOW_S + 3600);
    assert_int_equal(mauth_ticket_permit_count(t), 0);
    mauth_ticket_free(t);
    issued_clear(&i);
}

static void
issues_rights_on_the_own_node(void **state)
{
    struct world *w = *state;
    char root[ISSUE_URL_MAX];
    struct mauth_ticket *t;
    struct issued i;

    assert_int_equal(issue_own_node(&w->ground, "storage", &i, NULL), MAUTH_OK);
    assert_true(issue_mesh_root(GOLDEN_ISSUER, &w->ground.subject, root, sizeof(root)));
    assert_string_equal(i.audience, "urn:meshauth:service:storage");
    assert_string_equal(i.resource, root);
    assert_string_equal(i.action, "read");
    assert_int_equal(i.expires_in_s, 600);
    w->want.audience = "urn:meshauth:service:storage";
    t = verify(w, &i);
    check_common(w, t);
    assert_false(mauth_ticket_is_identity(t));
    assert_int_equal(mauth_ticket_not_on_or_after_s(t), NOW_S + 600);
    assert_int_equal(mauth_ticket_permit_count(t), 1);
    assert_string_equal(mauth_ticket_permit_resource(t, 0), root);
    assert_int_equal(mauth_ticket_permit_action_count(t, 0), 1);
    assert_string_equal(mauth_ticket_permit_action(t, 0, 0), "read");
    mauth_ticket_free(t);
    issued_clear(&i);
}

static void
binds_to_the_holder(void **state)
{
    struct world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *t;
    struct issued i;

    assert_int_equal(issue_identity(&w->ground, &i, NULL), MAUTH_OK);
    w->want.holder_spki = NULL;
    w->want.holder_spki_len = 0;
    assert_int_equal(
        mauth_ticket_verify(i.xml, i.xml_len, w->trust, &w->want, &t, &err),
        MAUTH_DENIED);
    assert_int_equal(err.reason, MAUTH_REASON_NO_PROOF);
    assert_null(t);
    issued_clear(&i);
}

static void
gives_each_ticket_its_own_id(void **state)
{
    struct world *w = *state;
    struct mauth_ticket *t[2];
    struct issued i[2];

    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(issue_identity(&w->ground, &i[k], NULL), MAUTH_OK);
        t[k] = verify(w, &i[k]);
        issued_clear(&i[k]);
    }
    assert_string_not_equal(mauth_ticket_id(t[0]), mauth_ticket_id(t[1]));
    mauth_ticket_free(t[0]);
    mauth_ticket_free(t[1]);
}

/* Nothing outlives its session, nor the key that signs it. */
static void
shortens_lifetimes(void **state)
{
    struct world *w = *state;
    struct issued i;

    w->ground.session_ends_s = NOW_S + 100;
    assert_int_equal(issue_identity(&w->ground, &i, NULL), MAUTH_OK);
    assert_int_equal(i.expires_in_s, 100);
    issued_clear(&i);
    assert_int_equal(issue_own_node(&w->ground, "storage", &i, NULL), MAUTH_OK);
    assert_int_equal(i.expires_in_s, 100);
    issued_clear(&i);

    w->ground.now_s = w->ground.authn_instant_s = SERVICE_UNTIL_S - 1;
    w->ground.session_ends_s = SERVICE_UNTIL_S + 1000;
    assert_int_equal(issue_identity(&w->ground, &i, NULL), MAUTH_OK);
    assert_int_equal(i.expires_in_s, 1);
    issued_clear(&i);
}

static void
assert_cleared(const struct issued *i)
{
    static const struct issued none;

    assert_null(i->xml);
    assert_null(i->entry);
    assert_memory_equal(i->audience, none.audience, sizeof(none.audience));
    assert_memory_equal(i->resource, none.resource, sizeof(none.resource));
}

static void
assert_refused(const struct world *w, enum mauth_rc want, const char *what)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct issued i;

    memset(&i, 0xff, sizeof(i));
    if (issue_identity(&w->ground, &i, &err) != want || err.rc != want)
        fail_msg("%s: identity: \"%s\"", what, err.text);
    assert_cleared(&i);
    memset(&i, 0xff, sizeof(i));
    if (issue_own_node(&w->ground, "storage", &i, NULL) != want)
        fail_msg("%s: own node", what);
    assert_cleared(&i);
}

static void
refuses(void **state)
{
    struct world *w = *state;
    struct issue_ground good = w->ground;

    w->ground.session_ends_s = NOW_S;
    assert_refused(w, MAUTH_UNAVAILABLE, "the session's end");
    w->ground.session_ends_s = NOW_S - 1;
    assert_refused(w, MAUTH_UNAVAILABLE, "after the session");
    w->ground = good;
    w->ground.now_s = SERVICE_UNTIL_S;
    assert_refused(w, MAUTH_UNAVAILABLE, "the key's end");
    w->ground = good;
    w->ground.now_s = SERVICE_FROM_S - 1;
    assert_refused(w, MAUTH_UNAVAILABLE, "before the key's time");
    w->ground = good;
    w->dir.config.issuer.url = "not a URL";
    assert_refused(w, MAUTH_INVALID, "what no ticket may hold");
}

static void
refuses_without_a_key(void **state)
{
    struct world *w = *state;
    struct service_dir none;

    service_make(&none, "");
    w->ground.service = &none.service;
    assert_refused(w, MAUTH_UNAVAILABLE, "no signing key");
    service_remove(&none);
}

static void
refuses_names_of_no_service(void **state)
{
    static const char *const names[] = {"", "Storage", "a b", "a&b", "a/../b"};
    struct world *w = *state;

    for (size_t k = 0; k < COUNT(names); k++) {
        struct issued i;

        if (issue_own_node(&w->ground, names[k], &i, NULL) != MAUTH_INVALID)
            fail_msg("taken: \"%s\"", names[k]);
        assert_cleared(&i);
    }
}

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, arg, err);
}

static void
says_on_record_what_it_signed(void **state)
{
    struct world *w = *state;
    struct issued i[2];
    struct audit_log log;

    assert_int_equal(issue_identity(&w->ground, &i[0], NULL), MAUTH_OK);
    assert_int_equal(issue_own_node(&w->ground, "storage", &i[1], NULL), MAUTH_OK);
    for (size_t k = 2; k-- > 0;)
        assert_int_equal(kv_write(w->dir.store.kv, append, i[k].entry, NULL), MAUTH_OK);
    audit_log_read(&log, w->dir.store.kv);
    assert_int_equal(log.count, 2);
    for (size_t k = 0; k < 2; k++) {
        char digest[64] = "";
        struct mauth_ticket *t;

        w->want.audience = i[k].audience;
        t = verify(w, &i[k]);
        b64_encode(B64_STD, mauth_ticket_digest(t), 32, digest);
        assert_string_equal(audit_log_text(&log, k, "actor"), mauth_ticket_subject(t));
        assert_string_equal(
            audit_log_text(&log, k, "session"), mauth_ticket_session(t));
        assert_string_equal(audit_log_text(&log, k, "ticket"), mauth_ticket_id(t));
        assert_string_equal(audit_log_text(&log, k, "digest"), digest);
        assert_string_equal(audit_log_text(&log, k, "key"), mauth_ticket_key_id(t));
        assert_string_equal(
            audit_log_text(&log, k, "device"), mauth_key_id(w->dir.device));
        assert_string_equal(audit_log_text(&log, k, "outcome"), "allow");
        assert_string_equal(audit_log_text(&log, k, "client"), "192.0.2.1");
        assert_string_equal(audit_log_text(&log, k, "request"), "request-1");
        mauth_ticket_free(t);
    }
    assert_string_equal(audit_log_text(&log, 0, "action"), "login");
    assert_string_equal(audit_log_text(&log, 0, "rule"), "");
    assert_string_equal(audit_log_text(&log, 1, "action"), "ticket.issue");
    assert_string_equal(
        audit_log_text(&log, 1, "rule"), "grant read(R) if subject(U), user(R, U).");
    assert_int_equal(json_array_size(json_object_get(log.record[0], "resources")), 1);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(log.record[1], "resources"), 0)),
        i[1].resource);
    assert_string_equal(json_string_value(json_array_get(
                            json_object_get(log.record[1], "resources"), 1)),
        i[1].audience);
    audit_log_clear(&log);
    issued_clear(&i[0]);
    issued_clear(&i[1]);
}

static void
knows_the_mesh_root(void **state)
{
    static const char want[] = "https://a/v1/mesh/users/usr_00000000000000000000000000";
    static const struct id zero;
    char out[sizeof(want)];

    (void)state;
    assert_true(issue_mesh_root("https://a", &zero, out, sizeof(out)));
    assert_string_equal(out, want);
    assert_false(issue_mesh_root("https://a", &zero, out, sizeof(out) - 1));
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(issues_identity_tickets),
        IN_WORLD(issues_rights_on_the_own_node),
        IN_WORLD(binds_to_the_holder),
        IN_WORLD(gives_each_ticket_its_own_id),
        IN_WORLD(shortens_lifetimes),
        IN_WORLD(refuses),
        IN_WORLD(refuses_without_a_key),
        IN_WORLD(refuses_names_of_no_service),
        IN_WORLD(says_on_record_what_it_signed),
        cmocka_unit_test(knows_the_mesh_root),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
