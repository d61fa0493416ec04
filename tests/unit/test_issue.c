#include "authsvc/issue.h"
#include "base/fail.h"
#include "base/secret.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/service_dir.h"
#include <meshauth/credential.h>

enum {
    NOW_S = SERVICE_FROM_S + 1000
};

struct world {
    struct service_dir dir;
    struct issue_ground ground;
    struct mauth_trust *trust;
    struct mauth_expect want;
};

static const char own_node_rule[] = "grant read(R) if subject(U), user(R, U).";

/* `read` on the user's own node, for the service of this name. */
static enum mauth_rc
own_node(const struct issue_ground *g, const char *service, struct issued *out,
    struct mauth_err *err)
{
    static const struct text read[] = {{"read", 4}};
    char audience[ISSUE_URL_MAX], root[ISSUE_URL_MAX];
    struct ticket_permit permit = {.resource.p = root, .count = 1};
    const struct issue_rights rights = {
        .audience = {audience},
        .audiences = 1,
        .permit = &permit,
        .permits = 1,
        .action = read,
        .actions = 1,
        .about = {root},
        .abouts = 1,
        .rule = own_node_rule,
    };

    memset(out, 0, sizeof(*out));
    if (!issue_mesh_root(
            g->service->config->issuer.url, &g->subject, root, sizeof(root)))
        return mauth_fail(err, MAUTH_INTERNAL, "issue: the issuer's URL is too long");
    permit.resource.len = strlen(root);
    snprintf(audience, sizeof(audience), "urn:meshauth:service:%s", service);
    return issue_rights(g, &rights, out, err);
}

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

    assert_int_equal(own_node(&w->ground, "storage", &i, NULL), MAUTH_OK);
    assert_true(issue_mesh_root(GOLDEN_ISSUER, &w->ground.subject, root, sizeof(root)));
    assert_string_equal(i.audience, "urn:meshauth:service:storage");
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
    assert_int_equal(own_node(&w->ground, "storage", &i, NULL), MAUTH_OK);
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
    if (own_node(&w->ground, "storage", &i, NULL) != want)
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

        if (own_node(&w->ground, names[k], &i, NULL) != MAUTH_INVALID)
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
    char root[ISSUE_URL_MAX];
    struct issued i[2];
    struct audit_log log;

    assert_int_equal(issue_identity(&w->ground, &i[0], NULL), MAUTH_OK);
    assert_int_equal(own_node(&w->ground, "storage", &i[1], NULL), MAUTH_OK);
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
    assert_true(issue_mesh_root(GOLDEN_ISSUER, &w->ground.subject, root, sizeof(root)));
    assert_string_equal(audit_log_resource(&log, 1, 0), root);
    assert_string_equal(audit_log_resource(&log, 1, 1), i[1].audience);
    audit_log_clear(&log);
    issued_clear(&i[0]);
    issued_clear(&i[1]);
}

/* A ticket with this many of each, all different. */
struct load {
    size_t audiences, permits, actions, facts; /* actions in each permit */
    char text[TICKET_FACTS + 1][ID_LEN + 1];
    char url[TICKET_PERMITS + 1][100];
    char name[TICKET_ACTIONS + 1][16];
    struct ticket_permit permit[TICKET_PERMITS + 1];
    struct text action[(TICKET_PERMITS + 1) * (TICKET_ACTIONS + 1)];
    struct ticket_fact fact[TICKET_FACTS + 1];
};

static struct issue_rights
rights_of(struct load *l)
{
    struct issue_rights r = {
        .audience = {"urn:meshauth:service:a", "urn:meshauth:service:b",
            "urn:meshauth:service:c", "urn:meshauth:service:d"},
        .audiences = l->audiences,
        .permit = l->permit,
        .permits = l->permits,
        .action = l->action,
        .actions = l->permits * l->actions,
        .fact = l->fact,
        .facts = l->facts,
        .rule = "a rule"};

    for (size_t i = 0; i < l->facts; i++) {
        struct id id = {.b = {(uint8_t)(i * 7), 9, (uint8_t)i}};

        id_format(ID_SERVICE, &id, l->text[i]);
        l->fact[i] = (struct ticket_fact){
            .relation = FACT_SERVICE, .arg = {text_of(l->text[i])}};
    }
    for (size_t i = 0; i < l->actions; i++)
        snprintf(l->name[i], sizeof(l->name[i]), "a%u", (unsigned)i);
    for (size_t i = 0; i < l->permits; i++) {
        snprintf(l->url[i], sizeof(l->url[i]), "%s/v1/mesh/folders/fld_%026zu",
            GOLDEN_ISSUER, 13 - i % 14);
        l->permit[i] =
            (struct ticket_permit){text_of(l->url[i]), i * l->actions, l->actions};
        for (size_t k = 0; k < l->actions; k++)
            l->action[i * l->actions + k] = text_of(l->name[l->actions - 1 - k]);
    }
    return r;
}

static void
issues_rights_up_to_the_bounds(void **state)
{
    static const struct {
        const char *what;
        size_t audiences, permits, actions, facts;
        enum mauth_rc rc;
    } cases[] = {
        {"facts alone", 4, 0, 0, 62, MAUTH_OK},
        {"a fact too many", 1, 0, 0, 63, MAUTH_TOO_LARGE},
        {"14 permits", 1, 14, 4, 1, MAUTH_OK},
        {"15 permits", 1, 15, 1, 1, MAUTH_TOO_LARGE},
        {"64 actions", 1, 1, 64, 0, MAUTH_OK},
        {"65 actions", 1, 1, 65, 0, MAUTH_TOO_LARGE},
        {"13 times 5 actions", 1, 13, 5, 0, MAUTH_TOO_LARGE},
        {"5 audiences", 5, 1, 1, 0, MAUTH_TOO_LARGE},
    };
    struct world *w = *state;

    for (size_t k = 0; k < COUNT(cases); k++) {
        static struct load l;
        struct issue_rights r;
        struct mauth_ticket *t;
        struct issued i;

        l = (struct load){.audiences = cases[k].audiences,
            .permits = cases[k].permits,
            .actions = cases[k].actions,
            .facts = cases[k].facts};
        r = rights_of(&l);
        memset(&i, 0xff, sizeof(i));
        if (issue_rights(&w->ground, &r, &i, NULL) != cases[k].rc)
            fail_msg("%s", cases[k].what);
        if (cases[k].rc != MAUTH_OK) {
            assert_cleared(&i);
            continue;
        }
        for (size_t a = 0; a < l.audiences; a++) {
            w->want.audience = r.audience[a];
            t = verify(w, &i);
            assert_int_equal(mauth_ticket_audience_count(t), l.audiences);
            assert_int_equal(mauth_ticket_permit_count(t), l.permits);
            assert_int_equal(mauth_ticket_fact_count(t), l.facts + 2);
            mauth_ticket_free(t);
        }
        issued_clear(&i);
    }
}

/* What the ground says already may be proven once more. */
static void
says_each_fact_once(void **state)
{
    struct world *w = *state;
    char device[ID_LEN + 1], user[ID_LEN + 1];
    struct ticket_fact fact[2] = {
        {.relation = FACT_HOLDER}, {.relation = FACT_CLAIMED}};
    struct issue_rights r = {.audience = {"urn:meshauth:service:a"},
        .audiences = 1,
        .fact = fact,
        .facts = 2};
    struct mauth_ticket *t;
    struct issued i;

    w->ground.has_device = w->ground.claims_device = true;
    w->ground.device.b[0] = 3;
    id_format(ID_DEVICE, &w->ground.device, device);
    id_format(ID_USER, &w->ground.subject, user);
    fact[0].arg[0] = fact[1].arg[0] = text_of(device);
    fact[1].arg[1] = text_of(user);
    assert_int_equal(issue_rights(&w->ground, &r, &i, NULL), MAUTH_OK);
    w->want.audience = "urn:meshauth:service:a";
    t = verify(w, &i);
    assert_int_equal(
        mauth_ticket_fact_count(t), 4); /* asof, claimed, holder, session */
    assert_string_equal(mauth_ticket_holder(t), device);
    mauth_ticket_free(t);
    issued_clear(&i);
}

/* A name as long as they get, which no DEFLATE shortens. */
static struct text
random_name(char out[STR_NAME_MAX + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_.-";
    uint8_t bytes[STR_NAME_MAX];

    assert_int_equal(mauth_random(bytes, sizeof(bytes), NULL), MAUTH_OK);
    for (size_t i = 0; i < sizeof(bytes); i++)
        out[i] = letters[bytes[i] % (i ? sizeof(letters) - 1 : 26)];
    out[STR_NAME_MAX] = '\0';
    return text_of(out);
}

/* What travels badly is refused, though it would be a ticket. */
static void
refuses_what_proxies_would_not_pass(void **state)
{
    enum {
        FACTS = 40
    };
    struct world *w = *state;
    char name[TICKET_ACTIONS + FACTS][STR_NAME_MAX + 1], user[FACTS][ID_LEN + 1];
    struct text action[TICKET_ACTIONS];
    struct ticket_fact fact[FACTS];
    struct ticket_permit permit = {text_of(GOLDEN_ISSUER "/v1"), 0, TICKET_ACTIONS};
    struct issue_rights r = {.audience = {"urn:meshauth:service:a"},
        .audiences = 1,
        .permit = &permit,
        .permits = 1,
        .action = action,
        .actions = TICKET_ACTIONS,
        .fact = fact};
    struct mauth_key *holder = NULL;
    size_t len;
    char *pem = test_data("vectors/keys/rsa4096.pub.pem", &len);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc = MAUTH_OK;
    size_t longest = 0;

    assert_int_equal(mauth_key_from_pem(pem, len, &holder, NULL), MAUTH_OK);
    free(pem);
    w->ground.holder = holder;
    for (size_t i = 0; i < TICKET_ACTIONS; i++)
        action[i] = random_name(name[i]);
    while (rc == MAUTH_OK && r.facts < FACTS) {
        size_t k = r.facts++;
        struct issued i;
        struct id id;
        char *text;

        assert_int_equal(id_new(&id, NULL), MAUTH_OK);
        id_format(ID_USER, &id, user[k]);
        fact[k] = (struct ticket_fact){
            FACT_ROLE, {text_of(user[k]), random_name(name[TICKET_ACTIONS + k])}};
        rc = issue_rights(&w->ground, &r, &i, &err);
        if (rc != MAUTH_OK)
            break;
        assert_int_equal(
            mauth_credential_encode(i.xml, i.xml_len, true, &text, NULL), MAUTH_OK);
        longest = strlen(text);
        assert_true(longest < ISSUE_CREDENTIAL_MAX);
        free(text);
        issued_clear(&i);
    }
    assert_int_equal(rc, MAUTH_TOO_LARGE);
    if (!strstr(err.text, "credential"))
        fail_msg("%zu facts, %zu characters: %s", r.facts, longest, err.text);
    mauth_key_free(holder);
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
        IN_WORLD(issues_rights_up_to_the_bounds),
        IN_WORLD(says_each_fact_once),
        IN_WORLD(refuses_what_proxies_would_not_pass),
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
