#include "authsvc/renewal.h"
#include "store/graph_service.h"
#include "tests/unit/caller_world.h"
#include <meshauth/credential.h>

/* For whom there is a ticket beside that of identity. */
static void
register_storage(struct kv_txn *txn, struct caller_world *w)
{
    const struct graph_service s = {.id = {.b = {1}}, .name = "storage"};

    (void)w;
    assert_int_equal(graph_service_create(txn, &s, NULL), MAUTH_OK);
}

static int
set_up(void **state)
{
    static struct caller_world w;

    *state = &w;
    caller_world_make(&w, "");
    caller_do(&w, register_storage);
    return 0;
}

static int
tear_down(void **state)
{
    return caller_world_remove(*state);
}

static struct renewal
arrive(const struct caller_world *w)
{
    struct renewal r = {
        .service = &w->dir.service, .caller = &w->caller, .ground = w->ground};

    return r;
}

static enum mauth_rc
issue(struct renewal *r, struct mauth_err *err)
{
    enum mauth_rc rc = renewal_begin(r, err);

    /* Who comes too often is told so here. */
    assert_null(r->tickets.identity.xml);
    assert_null(r->tickets.initial);
    return rc || r->refusal ? rc : renewal_issue(r, err);
}

static void
record(const struct caller_world *w, struct renewal *r)
{
    assert_int_equal(kv_write(w->dir.store.kv, renewal_record, r, NULL), MAUTH_OK);
}

static struct mauth_ticket *
read_ticket(const struct issued *i)
{
    struct mauth_ticket *t = NULL;

    assert_int_equal(
        mauth_ticket_read_untrusted(i->xml, i->xml_len, &t, NULL), MAUTH_OK);
    return t;
}

static void
renews_in_its_session(void **state)
{
    struct caller_world *w = *state;
    struct token_line line[LOGIN_LINES];
    struct renewal r = arrive(w);
    char id[ID_LEN + 1];

    assert_int_equal(issue(&r, NULL), MAUTH_OK);
    assert_null(r.refusal);
    assert_int_equal(login_lines(&r.tickets, line), 2);
    record(w, &r);
    assert_null(r.refusal);
    for (size_t i = 0; i < 2; i++) {
        struct mauth_ticket *t = read_ticket(line[i].ticket);

        assert_int_equal(mauth_ticket_is_identity(t), i == 0);
        assert_int_equal(mauth_ticket_authn_instant_s(t), i ? 0 : w->session.started_s);
        id_format(ID_SESSION, &w->session.id, id);
        assert_string_equal(mauth_ticket_session(t), id);
        id_format(ID_USER, &w->alice, id);
        assert_string_equal(mauth_ticket_subject(t), id);
        id_format(ID_DEVICE, &w->pc, id);
        assert_string_equal(mauth_ticket_holder(t), id);
        assert_int_equal(mauth_ticket_fact_count(t), 4); /* claimed, too */
        assert_int_equal(mauth_ticket_issued_s(t), CALLER_NOW_S);
        mauth_ticket_free(t);
    }
    assert_int_equal(caller_records(w), 3); /* the first: the rules */
    assert_string_equal(audit_log_text(&w->log, 1, "action"), "ticket.renew");
    assert_string_equal(audit_log_text(&w->log, 0, "action"), "ticket.issue");
    assert_int_equal(caller_session_now(w).ends_s, w->session.ends_s);
    renewal_clear(&r);
    renewal_clear(&r); /* once more is nothing */
}

static void
never_outlives_its_session(void **state)
{
    struct caller_world *w = *state;
    struct renewal r;

    w->caller.now_s = w->session.ends_s - 10;
    r = arrive(w);
    assert_int_equal(issue(&r, NULL), MAUTH_OK);
    assert_int_equal(r.tickets.identity.expires_in_s, 10);
    renewal_clear(&r);
}

/* What spoils it. */

static void
close_session(struct kv_txn *txn, struct caller_world *w)
{
    assert_int_equal(graph_session_close(txn, &w->session.id, NULL), MAUTH_OK);
}

static void
close_account(struct kv_txn *txn, struct caller_world *w)
{
    assert_int_equal(graph_user_delete(txn, &w->alice, CALLER_NOW_S, NULL), MAUTH_OK);
}

static void
release(struct kv_txn *txn, struct caller_world *w)
{
    assert_int_equal(
        graph_device_release(txn, &w->pc, &w->alice, CALLER_NOW_S, NULL), MAUTH_OK);
}

static void
mark(struct kv_txn *txn, struct caller_world *w)
{
    assert_int_equal(graph_device_update(txn, &w->pc, "PC", true, 1, NULL), MAUTH_OK);
}

static const struct refusal {
    const char *why;
    caller_act *act;
    int64_t later_s;
    bool other_session, other_subject, other_key, a_service;
} refusals[] = {
    {"closed", .act = close_session},
    {"of a closed account", .act = close_account},
    {"on a device that was released", .act = release},
    {"at its end", .later_s = CALLER_SESSION_S - 100},
    {"after its end", .later_s = CALLER_SESSION_S},
    {"unknown", .other_session = true},
    {"of another subject", .other_subject = true},
    {"of another key", .other_key = true},
    {"of a user, for a service with his id", .a_service = true},
};

static void
spoil(struct caller_world *w, const struct refusal *f)
{
    w->caller.session.b[3] ^= f->other_session;
    w->caller.principal.b[3] ^= f->other_subject;
    w->caller.key_hash[3] ^= f->other_key;
    w->caller.kind = f->a_service ? ID_SERVICE : ID_USER;
    w->caller.now_s += f->later_s;
    if (f->act)
        caller_do(w, f->act);
}

static void
refuses_sessions(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        static struct caller_world w;
        struct mauth_err err = MAUTH_ERR_INIT;
        struct renewal r;

        caller_world_make(&w, "");
        spoil(&w, &refusals[i]);
        r = arrive(&w);
        if (issue(&r, &err) != MAUTH_OK || !r.refusal)
            fail_msg("%s: %s", refusals[i].why, err.text);
        assert_string_equal(r.refusal, "session");
        assert_int_equal(err.rc, MAUTH_OK);
        assert_null(r.tickets.identity.xml);
        caller_world_remove(&w);
    }
}

/* What happens between the proof and the record still counts. */
static void
looks_again_before_it_records(void **state)
{
    static caller_act *const acts[] = {close_session, close_account, release};

    (void)state;
    for (size_t i = 0; i < COUNT(acts); i++) {
        static struct caller_world w;
        struct renewal r;
        size_t before;

        caller_world_make(&w, "");
        r = arrive(&w);
        assert_int_equal(issue(&r, NULL), MAUTH_OK);
        assert_null(r.refusal);
        before = caller_records(&w);
        caller_do(&w, acts[i]);
        record(&w, &r);
        assert_string_equal(r.refusal, "session");
        assert_int_equal(caller_records(&w), before);
        renewal_clear(&r);
        caller_world_remove(&w);
    }
}

/* Where nobody sits the session begins anew, as long as the claim stands. */
static void
goes_on_where_nobody_sits(void **state)
{
    struct caller_world *w = *state;
    struct renewal r;

    caller_do(w, mark);
    w->caller.now_s = w->session.ends_s + 1000;
    w->dir.config.tickets.session_s = 5000;
    r = arrive(w);
    assert_int_equal(issue(&r, NULL), MAUTH_OK);
    assert_null(r.refusal);
    assert_int_equal(r.tickets.identity.expires_in_s, 3600);
    record(w, &r);
    assert_int_equal(caller_session_now(w).ends_s, w->caller.now_s + 5000);
    renewal_clear(&r);
    caller_do(w, release);
    r = arrive(w);
    assert_int_equal(issue(&r, NULL), MAUTH_OK);
    assert_string_equal(r.refusal, "session");
}

/* Reading the ticket that names the session: what is told apart, and what is not looked at. */

static struct text
credential_of(const struct issued *i, char **text)
{
    assert_int_equal(
        mauth_credential_encode(i->xml, i->xml_len, true, text, NULL), MAUTH_OK);
    return text_of(*text);
}

static void
reads_without_believing(void **state)
{
    struct caller_world *w = *state;
    struct renewal r = arrive(w);
    struct caller c = {
        .now_s = CALLER_NOW_S + 1000000, .proof = {.key = w->dir.device}};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct token_line line[LOGIN_LINES];
    char *identity, *rights, *signature;

    assert_int_equal(issue(&r, NULL), MAUTH_OK);
    assert_int_equal(login_lines(&r.tickets, line), 2);
    signature = strstr(r.tickets.identity.xml, "<ds:SignatureValue>");
    assert_non_null(signature);
    signature[30] = signature[30] == 'A' ? 'B' : 'A';
    /* Long expired, and signed with no key that anybody knows. */
    assert_int_equal(caller_read(&w->dir.service,
                         credential_of(&r.tickets.identity, &identity), &c, &err),
        MAUTH_OK);
    assert_memory_equal(&c.principal, &w->alice, sizeof(c.principal));
    assert_memory_equal(&c.session, &w->session.id, sizeof(c.session));
    assert_memory_equal(c.key_hash, w->session.key_hash, sizeof(c.key_hash));
    assert_true(c.ticket);

    c = (struct caller){.proof = {.key = w->dir.device}};
    assert_int_equal(
        caller_read(&w->dir.service, credential_of(line[1].ticket, &rights), &c, &err),
        MAUTH_DENIED);
    assert_int_equal(err.reason, MAUTH_REASON_NONE); /* no identity ticket */
    assert_false(c.ticket);
    renewal_clear(&r);
    free(identity);
    free(rights);
}

static void
tells_apart_what_it_cannot_read(void **state)
{
    struct caller_world *w = *state;
    struct mauth_key *other = golden_key("signing-p256.pub.pem");
    struct renewal r = arrive(w);
    struct config abroad = w->dir.config;
    struct service elsewhere = w->dir.service;
    char *good = NULL;
    const struct {
        const char *what;
        const char *text; /* NULL: the good one */
        const struct service *service;
        const struct mauth_key *key;
        enum mauth_reason reason;
    } cases[] = {
        {"nothing", "", &w->dir.service, w->dir.device, MAUTH_REASON_FORM},
        {"no base64", "a~b", &w->dir.service, w->dir.device, MAUTH_REASON_FORM},
        {"no ticket", "PGEvPg", &w->dir.service, w->dir.device, MAUTH_REASON_FORM},
        {"another issuer's", NULL, &elsewhere, w->dir.device, MAUTH_REASON_ISSUER},
        {"another key's", NULL, &w->dir.service, other, MAUTH_REASON_HOLDER},
        {"no key's", NULL, &w->dir.service, NULL, MAUTH_REASON_NO_PROOF},
    };

    abroad.issuer.url = "https://elsewhere.example";
    elsewhere.config = &abroad;
    assert_int_equal(issue(&r, NULL), MAUTH_OK);
    (void)credential_of(&r.tickets.identity, &good);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct caller c = {.proof = {.key = cases[i].key}};
        struct mauth_err err = MAUTH_ERR_INIT;

        if (caller_read(cases[i].service, text_of(cases[i].text ? cases[i].text : good),
                &c, &err) == MAUTH_OK ||
            err.reason != cases[i].reason)
            fail_msg("%s: %s", cases[i].what, err.text);
        assert_false(c.ticket);
    }
    free(good);
    renewal_clear(&r);
    mauth_key_free(other);
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(renews_in_its_session),
        IN_WORLD(never_outlives_its_session),
        cmocka_unit_test(refuses_sessions),
        cmocka_unit_test(looks_again_before_it_records),
        IN_WORLD(goes_on_where_nobody_sits),
        IN_WORLD(reads_without_believing),
        IN_WORLD(tells_apart_what_it_cannot_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
