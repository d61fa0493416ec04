#include "authsvc/client_login.h"
#include "jose/jws.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/service_dir.h"

enum {
    NOW_S = SERVICE_FROM_S + 1000
};

struct world {
    struct service_dir dir;
    struct audit_log log;
    struct graph_service client;
    struct mauth_key *key;      /* that it has registered */
    struct mauth_key *stranger; /* and another */
    char name[ID_LEN + 1];
};

static enum mauth_rc
create(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_service_create(txn, arg, err);
}

static enum mauth_rc
update(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_service_update(txn, arg, err);
}

static enum mauth_rc delete (struct kv_txn *txn, void *arg, struct mauth_err *err) {
    return graph_service_delete(txn, arg, 9, err);
}

static void
write_with(const struct world *w, kv_fn *fn, void *arg)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (kv_write(w->dir.store.kv, fn, arg, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(err.rc, MAUTH_OK);
}

static struct mauth_key *
public_key(const char *name)
{
    struct mauth_key *key = NULL;
    size_t len;
    char *pem = test_data(name, &len);

    assert_int_equal(mauth_key_from_pem(pem, len, &key, NULL), MAUTH_OK);
    free(pem);
    return key;
}

static void
take_spki(struct graph_service *s, const struct mauth_key *key)
{
    const uint8_t *spki = mauth_key_spki(key, &s->spki_len);

    memcpy(s->spki, spki, s->spki_len);
}

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    service_make_with_key(&w.dir, "?twice=1"); /* as when a batch is replayed */
    w.key = public_key("vectors/keys/device.pub.pem");
    w.stranger = public_key("vectors/keys/stranger.pub.pem");
    w.client = (struct graph_service){.id = {.b = {7}}, .name = "relay"};
    take_spki(&w.client, w.key);
    write_with(&w, create, &w.client);
    id_format(ID_SERVICE, &w.client.id, w.name);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    audit_log_clear(&w->log);
    mauth_key_free(w->key);
    mauth_key_free(w->stranger);
    service_remove(&w->dir);
    return 0;
}

static struct client_login
arrive(const struct world *w)
{
    struct client_login l = {
        .service = &w->dir.service,
        .ground = {.service = &w->dir.service,
            .now_s = NOW_S,
            .client = "192.0.2.1",
            .request = "request-1"},
    };

    return l;
}

static char *
assertion(const struct world *w, const char *jti)
{
    json_t *claims = json_pack("{s:s, s:s, s:s, s:s, s:i}", "iss", w->name, "sub",
        w->name, "aud", GOLDEN_ISSUER, "jti", jti, "exp", NOW_S + 60);
    char *pem = test_data("vectors/keys/device.pem", NULL), *token = NULL;

    assert_int_equal(jws_sign(claims, pem, NULL, &token, NULL), MAUTH_OK);
    json_decref(claims);
    free(pem);
    return token;
}

static enum mauth_rc
find_session(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct graph_session *s = arg;
    struct id id = s->id;

    return graph_session_by_id(txn, &id, s, err);
}

static struct graph_session
session_of(const struct world *w, const struct client_login *l, enum mauth_rc want)
{
    struct graph_session s = {.id = l->ground.session};

    assert_int_equal(kv_read(w->dir.store.kv, find_session, &s, NULL), want);
    return s;
}

static size_t
records(struct world *w)
{
    audit_log_clear(&w->log);
    audit_log_read(&w->log, w->dir.store.kv);
    return w->log.count;
}

static bool
is_bound_to(const struct client_login *l, const struct mauth_key *key)
{
    struct mauth_ticket *t = NULL;
    struct mauth_trust *trust = NULL;
    struct mauth_key *signing = golden_key("signing-p256.pub.pem");
    struct mauth_expect want = {
        .size = sizeof(want), .audience = GOLDEN_ISSUER, .now_s = NOW_S};
    enum mauth_rc rc;

    want.holder_spki = mauth_key_spki(key, &want.holder_spki_len);
    assert_int_equal(
        mauth_trust_from_key(GOLDEN_ISSUER, signing, &trust, NULL), MAUTH_OK);
    rc = mauth_ticket_verify(l->issued.xml, l->issued.xml_len, trust, &want, &t, NULL);
    if (rc == MAUTH_OK) {
        assert_true(mauth_ticket_is_identity(t));
        assert_string_equal(mauth_ticket_subject(t), l->name);
        assert_int_equal(mauth_ticket_fact_count(t), 3); /* asof, service, session */
        assert_string_equal(mauth_ticket_authn_class(t),
            l->ground.by_certificate
                ? "urn:oasis:names:tc:SAML:2.0:ac:classes:X509"
                : "urn:oasis:names:tc:SAML:2.0:ac:classes:unspecified");
    }
    mauth_ticket_free(t);
    mauth_trust_free(trust);
    mauth_key_free(signing);
    return rc == MAUTH_OK;
}

static const struct way {
    const char *name;
    bool asserted;
    bool certificate; /* of the registered key; else of another */
    bool any_certificate, by_dpop;
    bool bound_to_registered, x509;
} ways[] = {
    {"an assertion", .asserted = true, .bound_to_registered = true},
    {"a certificate", .certificate = true, .any_certificate = true,
        .bound_to_registered = true, .x509 = true},
    {"both", .asserted = true, .certificate = true, .any_certificate = true,
        .bound_to_registered = true, .x509 = true},
    {"an assertion, for another certificate's key", .asserted = true,
        .any_certificate = true},
    {"an assertion, for a DPoP key", .asserted = true, .by_dpop = true},
};

static void
logs_in(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT(ways); i++) {
        const struct way *y = &ways[i];
        char *token = assertion(w, y->name);
        struct mauth_key *other = y->certificate ? w->key : w->stranger;
        struct client_login l = arrive(w);
        struct graph_session s;

        assert_int_equal(client_login_find(&l, w->name, NULL), MAUTH_OK);
        assert_null(l.refusal);
        assert_int_equal(client_login_check(&l, y->asserted ? token : NULL,
                             y->any_certificate ? other : NULL,
                             y->any_certificate || y->by_dpop ? other : NULL, NULL),
            MAUTH_OK);
        if (l.refusal)
            fail_msg("%s: %s", y->name, l.refusal);
        assert_int_equal(client_login_issue(&l, NULL), MAUTH_OK);
        (void)session_of(w, &l, MAUTH_NOT_FOUND);
        write_with(w, client_login_record, &l);
        assert_null(l.refusal);
        s = session_of(w, &l, MAUTH_OK);
        assert_true(s.open);
        assert_int_equal(s.subject_kind, ID_SERVICE);
        assert_memory_equal(&s.subject, &w->client.id, sizeof(s.subject));
        assert_memory_equal(s.key_hash, l.key_hash, sizeof(s.key_hash));
        assert_int_equal(is_bound_to(&l, w->key), y->bound_to_registered);
        assert_int_equal(is_bound_to(&l, w->stranger), !y->bound_to_registered);
        assert_int_equal(l.ground.by_certificate, y->x509);
        assert_int_equal(s.by_certificate, y->x509);
        assert_int_equal(records(w), i + 1);
        assert_string_equal(audit_log_text(&w->log, 0, "action"), "login");
        assert_string_equal(audit_log_text(&w->log, 0, "actor"), w->name);
        client_login_clear(&l);
        free(token);
    }
}

static void
knows_nobody_else(void **state)
{
    static const char *const names[] = {"", "relay", "svc_",
        "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa", "usr_0w000000000000000000000000"};
    struct graph_service keyless = {.id = {.b = {8}}, .name = "storage"};
    struct world *w = *state;
    struct client_login l = arrive(w);
    char name[ID_LEN + 1];

    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(client_login_find(&l, names[i], NULL), MAUTH_OK);
        assert_string_equal(l.refusal, "client-unknown");
    }
    write_with(w, create, &keyless);
    id_format(ID_SERVICE, &keyless.id, name);
    assert_int_equal(client_login_find(&l, name, NULL), MAUTH_OK);
    assert_string_equal(l.refusal, "client-unknown");
    write_with(w, delete, &w->client.id);
    assert_int_equal(client_login_find(&l, w->name, NULL), MAUTH_OK);
    assert_string_equal(l.refusal, "client-unknown");
    client_login_clear(&l);
}

/* Having proven some key, be it by TLS or DPoP, is not having proven the right one. */
static void
wants_the_registered_key(void **state)
{
    struct world *w = *state;
    struct client_login l = arrive(w);

    assert_int_equal(client_login_find(&l, w->name, NULL), MAUTH_OK);
    assert_int_equal(client_login_check(&l, NULL, NULL, NULL, NULL), MAUTH_OK);
    assert_string_equal(l.refusal, "client-proof");
    assert_int_equal(
        client_login_check(&l, NULL, w->stranger, w->stranger, NULL), MAUTH_OK);
    assert_string_equal(l.refusal, "client-proof");
    assert_int_equal(client_login_check(&l, NULL, NULL, w->key, NULL), MAUTH_OK);
    assert_string_equal(l.refusal, "client-proof");
    /* A bad assertion is not made good by a certificate. */
    assert_int_equal(client_login_check(&l, "x", w->key, w->key, NULL), MAUTH_OK);
    assert_string_equal(l.refusal, "assertion-form");
    client_login_clear(&l);
}

static void
ready(const struct world *w, struct client_login *l, const char *token)
{
    *l = arrive(w);
    assert_int_equal(client_login_find(l, w->name, NULL), MAUTH_OK);
    assert_int_equal(client_login_check(l, token, w->key, NULL, NULL), MAUTH_OK);
    assert_null(l->refusal);
    assert_int_equal(client_login_issue(l, NULL), MAUTH_OK);
}

static void
is_refused(struct world *w, struct client_login *l, const char *reason)
{
    size_t before = records(w);

    write_with(w, client_login_record, l);
    assert_non_null(l->refusal);
    assert_string_equal(l->refusal, reason);
    (void)session_of(w, l, MAUTH_NOT_FOUND);
    assert_int_equal(records(w), before);
    assert_int_equal(client_login_prepare_refusal(l, NULL), MAUTH_OK);
    write_with(w, client_login_record_refusal, l);
    assert_int_equal(records(w), before + 1);
    assert_string_equal(audit_log_text(&w->log, 0, "outcome"), "deny");
    assert_string_equal(audit_log_text(&w->log, 0, "reason"), reason);
    assert_string_equal(audit_log_text(&w->log, 0, "actor"), w->name);
}

static void
takes_an_assertion_once(void **state)
{
    struct world *w = *state;
    struct client_login a, b;
    char *token = assertion(w, "a");

    ready(w, &a, token);
    ready(w, &b, token);
    write_with(w, client_login_record, &a);
    assert_null(a.refusal);
    is_refused(w, &b, "assertion-used");
    client_login_clear(&a);
    client_login_clear(&b);
    free(token);
}

static void
looks_again_before_the_ticket_leaves(void **state)
{
    struct world *w = *state;
    struct graph_service other = w->client;
    struct client_login a, b;

    ready(w, &a, NULL);
    ready(w, &b, NULL);
    take_spki(&other, w->stranger);
    write_with(w, update, &other);
    is_refused(w, &a, "client-proof");
    write_with(w, delete, &w->client.id);
    is_refused(w, &b, "client-unknown");
    client_login_clear(&a);
    client_login_clear(&b);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(logs_in, set_up, tear_down),
        cmocka_unit_test_setup_teardown(knows_nobody_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wants_the_registered_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_an_assertion_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            looks_again_before_the_ticket_leaves, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
