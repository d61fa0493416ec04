#include <semaphore.h>

#include "authsvc/login.h"
#include "authsvc/rules_in_force.h"
#include "store/graph_service.h"
#include "store/graph_user.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/service_dir.h"

enum {
    NOW_S = SERVICE_FROM_S + 1000
};

static const struct config_provider provider = {
    .name = "p", .issuer = "https://provider.example", .max_age_s = 600};

struct world {
    struct service_dir dir;
    struct rules_in_force *rules;
    size_t before; /* records, of how the world was made */
    struct audit_log log;
};

static size_t records(struct world *w);

static enum mauth_rc
register_storage(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct graph_service s = {.id = {.b = {1}}, .name = "storage"};

    (void)arg;
    return graph_service_create(txn, &s, err);
}

/* With the rules of the mesh, and a service that is an audience. */
static void
make(struct world *w, const char *options)
{
    memset(w, 0, sizeof(*w));
    service_make_with_key(&w->dir, options);
    assert_int_equal(in_force_open(w->dir.store.kv,
                         MAUTH_TEST_DATA "/../../policy/mesh.rules", &w->rules, NULL),
        MAUTH_OK);
    w->dir.service.rules = w->rules;
    assert_int_equal(kv_write(w->dir.store.kv, register_storage, NULL, NULL), MAUTH_OK);
    w->before = records(w);
}

static void
unmake(struct world *w)
{
    audit_log_clear(&w->log);
    in_force_close(w->rules);
    service_remove(&w->dir);
}

static int
set_up(void **state)
{
    static struct world w;

    make(&w, "?twice=1"); /* as when a batch is replayed */
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    unmake(*state);
    return 0;
}

/* A login as the token endpoint has it once the ID token is checked. */
static struct login
arrive(const struct world *w, const char *subject, uint8_t token, uint8_t key)
{
    struct login l = {
        .service = &w->dir.service,
        .who = {.provider = &provider,
            .token_hash = {token},
            .issued_s = NOW_S - 5,
            .too_old_s = NOW_S + 600},
        .key_hash = {key},
        .ground = {.service = &w->dir.service,
            .now_s = NOW_S,
            .authn_instant_s = NOW_S - 5,
            .session_ends_s = NOW_S + 2592000,
            .holder = w->dir.device,
            .client = "192.0.2.1",
            .request = "request-1"},
    };

    snprintf(l.who.subject, sizeof(l.who.subject), "%s", subject);
    return l;
}

static void
write_with(const struct world *w, kv_fn *fn, void *arg)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (kv_write(w->dir.store.kv, fn, arg, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(err.rc, MAUTH_OK);
}

/* Makes the user where there is none, as the token endpoint does. */
static void
enter(const struct world *w, struct login *l)
{
    if (login_find_user(l, NULL) == MAUTH_NOT_FOUND) {
        assert_int_equal(login_prepare_user(l, NULL), MAUTH_OK);
        write_with(w, login_create_user, l);
        assert_int_equal(login_find_user(l, NULL), MAUTH_OK);
    }
    assert_null(l->refusal);
}

static void
issue(struct login *l)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (login_issue(l, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

static size_t
records(struct world *w)
{
    audit_log_clear(&w->log);
    audit_log_read(&w->log, w->dir.store.kv);
    return w->log.count - w->before;
}

struct found_session {
    struct id id;
    struct graph_session session;
};

static enum mauth_rc
find_session(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct found_session *f = arg;

    return graph_session_by_id(txn, &f->id, &f->session, err);
}

static enum mauth_rc
session_of(const struct world *w, const struct login *l, struct graph_session *out)
{
    struct found_session f = {.id = l->ground.session};
    enum mauth_rc rc = kv_read(w->dir.store.kv, find_session, &f, NULL);

    *out = f.session;
    return rc;
}

static enum mauth_rc
close_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct login *l = arg;

    return graph_user_delete(txn, &l->ground.subject, NOW_S, err);
}

static void
logs_in(void **state)
{
    struct token_line line[LOGIN_LINES];
    struct world *w = *state;
    struct login l = arrive(w, "alice", 1, 2);
    struct graph_session s;
    struct mauth_ticket *t;
    char id[ID_LEN + 1];

    assert_int_equal(login_find_user(&l, NULL), MAUTH_NOT_FOUND);
    enter(w, &l);
    issue(&l);
    assert_int_equal(session_of(w, &l, &s), MAUTH_NOT_FOUND);
    write_with(w, login_record, &l);
    assert_null(l.refusal);

    assert_int_equal(session_of(w, &l, &s), MAUTH_OK);
    assert_true(s.open);
    assert_int_equal(s.subject_kind, ID_USER);
    assert_memory_equal(&s.subject, &l.ground.subject, sizeof(s.subject));
    assert_memory_equal(s.key_hash, l.key_hash, sizeof(s.key_hash));
    assert_int_equal(s.started_s, NOW_S - 5);
    assert_int_equal(s.ends_s, NOW_S + 2592000);

    assert_int_equal(records(w), 3);
    assert_string_equal(audit_log_text(&w->log, 2, "action"), "user.create");
    assert_string_equal(audit_log_text(&w->log, 2, "outcome"), "done");
    assert_string_equal(audit_log_text(&w->log, 1, "action"), "login");
    assert_string_equal(audit_log_text(&w->log, 0, "action"), "ticket.issue");
    id_format(ID_USER, &l.ground.subject, id);
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(audit_log_text(&w->log, i, "actor"), id);
    assert_int_equal(login_lines(&l.tickets, line), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct issued *k = line[1 - i].ticket;

        assert_int_equal(
            mauth_ticket_read_untrusted(k->xml, k->xml_len, &t, NULL), MAUTH_OK);
        assert_string_equal(audit_log_text(&w->log, i, "ticket"), mauth_ticket_id(t));
        assert_string_equal(mauth_ticket_subject(t), id);
        assert_int_equal(mauth_ticket_asof(t), l.ground.asof);
        assert_int_equal(mauth_ticket_is_identity(t), i == 1);
        mauth_ticket_free(t);
    }
    login_clear(&l);
    login_clear(&l); /* once more is nothing */
}

static void
keeps_users_by_issuer_and_subject(void **state)
{
    static const struct config_provider other = {
        .name = "q", .issuer = "https://provider.example/"};
    struct world *w = *state;
    struct login first = arrive(w, "alice", 1, 2), again = arrive(w, "alice", 3, 4);
    struct login bob = arrive(w, "bob", 5, 6), far = arrive(w, "alice", 7, 8);

    enter(w, &first);
    assert_int_equal(login_find_user(&again, NULL), MAUTH_OK);
    assert_memory_equal(
        &again.ground.subject, &first.ground.subject, sizeof(struct id));
    assert_int_equal(login_find_user(&bob, NULL), MAUTH_NOT_FOUND);
    far.who.provider = &other;
    assert_int_equal(login_find_user(&far, NULL), MAUTH_NOT_FOUND);
    snprintf(far.who.subject, sizeof(far.who.subject), "Alice");
    far.who.provider = &provider;
    assert_int_equal(login_find_user(&far, NULL), MAUTH_NOT_FOUND);
    login_clear(&first);
}

static void
makes_one_user_when_two_are_first(void **state)
{
    struct world *w = *state;
    struct login a = arrive(w, "alice", 1, 2), b = arrive(w, "alice", 3, 4);

    assert_int_equal(login_find_user(&a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(login_find_user(&b, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(login_prepare_user(&a, NULL), MAUTH_OK);
    assert_int_equal(login_prepare_user(&b, NULL), MAUTH_OK);
    write_with(w, login_create_user, &a);
    write_with(w, login_create_user, &b);
    assert_int_equal(login_find_user(&a, NULL), MAUTH_OK);
    assert_int_equal(login_find_user(&b, NULL), MAUTH_OK);
    assert_memory_equal(&a.ground.subject, &a.new_user, sizeof(struct id));
    assert_memory_equal(&b.ground.subject, &a.new_user, sizeof(struct id));
    assert_int_equal(records(w), 1);
    login_clear(&a);
    login_clear(&b);
}

/* Another key may be a thief's; the same key is a client that lost our answer. */
static void
takes_a_token_for_one_key(void **state)
{
    struct world *w = *state;
    struct login first = arrive(w, "alice", 1, 2), same = arrive(w, "alice", 1, 2);
    struct login other = arrive(w, "alice", 1, 3);
    struct graph_session s;
    size_t before;

    enter(w, &first);
    issue(&first);
    write_with(w, login_record, &first);
    assert_null(first.refusal);

    enter(w, &other);
    issue(&other);
    before = records(w);
    write_with(w, login_record, &other);
    assert_string_equal(other.refusal, "token-other-key");
    assert_int_equal(session_of(w, &other, &s), MAUTH_NOT_FOUND);
    assert_int_equal(records(w), before);
    assert_int_equal(login_prepare_refusal(&other, NULL), MAUTH_OK);
    write_with(w, login_record_refusal, &other);
    assert_int_equal(records(w), before + 1);
    assert_string_equal(audit_log_text(&w->log, 0, "action"), "login");
    assert_string_equal(audit_log_text(&w->log, 0, "outcome"), "deny");
    assert_string_equal(audit_log_text(&w->log, 0, "reason"), "token-other-key");
    assert_string_equal(audit_log_text(&w->log, 0, "ticket"), "");

    enter(w, &same);
    issue(&same);
    write_with(w, login_record, &same);
    assert_null(same.refusal);
    assert_int_equal(session_of(w, &same, &s), MAUTH_OK);
    login_clear(&first);
    login_clear(&other);
    login_clear(&same);
}

static void
refuses_closed_accounts(void **state)
{
    struct world *w = *state;
    struct login early = arrive(w, "alice", 1, 2), late = arrive(w, "alice", 3, 4);
    struct graph_session s;

    enter(w, &early);
    issue(&early);
    write_with(w, close_user, &early); /* between the proof and the record */
    write_with(w, login_record, &early);
    assert_string_equal(early.refusal, "user-closed");
    assert_int_equal(session_of(w, &early, &s), MAUTH_NOT_FOUND);
    assert_int_equal(records(w), 1);

    assert_int_equal(login_find_user(&late, NULL), MAUTH_OK);
    assert_string_equal(late.refusal, "user-closed");
    assert_int_equal(login_prepare_refusal(&late, NULL), MAUTH_OK);
    write_with(w, login_record_refusal, &late);
    assert_int_equal(records(w), 2);
    assert_string_equal(audit_log_text(&w->log, 0, "reason"), "user-closed");
    login_clear(&early);
    login_clear(&late);
}

static void
refuses_users_that_are_gone(void **state)
{
    struct world *w = *state;
    struct login l = arrive(w, "alice", 1, 2);
    struct graph_session s;

    l.ground.subject.b[0] = 9; /* no such user */
    issue(&l);
    write_with(w, login_record, &l);
    assert_string_equal(l.refusal, "user-closed");
    assert_int_equal(session_of(w, &l, &s), MAUTH_NOT_FOUND);
    assert_int_equal(records(w), 0);
    login_clear(&l);
}

static void
issues_nothing_without_a_key(void **state)
{
    struct world *w = *state;
    struct login l = arrive(w, "alice", 1, 2);
    struct service_dir none;

    service_make(&none, "");
    enter(w, &l);
    l.ground.service = &none.service;
    assert_int_equal(login_issue(&l, NULL), MAUTH_UNAVAILABLE);
    assert_null(l.tickets.identity.xml);
    assert_null(l.tickets.initial);
    login_clear(&l);
    service_remove(&none);
}

struct job {
    struct kv_job job; /* first */
    sem_t *done;
};

static void
tell(struct kv_job *job)
{
    sem_post(((struct job *)(void *)job)->done);
}

/* In one transaction of the committer, one after the other: the first key has it. */
static void
settles_a_race_for_a_token(void **state)
{
    enum {
        RIVALS = 8
    };
    struct world *w = *state;
    struct login l[RIVALS];
    struct job job[RIVALS];
    size_t winners = 0;
    sem_t done;

    sem_init(&done, 0, 0);
    for (uint8_t i = 0; i < RIVALS; i++) {
        l[i] = arrive(w, "alice", 1, i);
        enter(w, &l[i]);
        issue(&l[i]);
        job[i] = (struct job){
            .job = {.fn = login_record, .arg = &l[i], .done = tell}, .done = &done};
    }
    for (size_t i = 0; i < RIVALS; i++)
        kv_submit(w->dir.store.kv, &job[i].job);
    for (size_t i = 0; i < RIVALS; i++)
        sem_wait(&done);
    for (size_t i = 0; i < RIVALS; i++) {
        struct graph_session s;

        assert_int_equal(job[i].job.rc, MAUTH_OK);
        assert_int_equal(
            session_of(w, &l[i], &s), l[i].refusal ? MAUTH_NOT_FOUND : MAUTH_OK);
        winners += l[i].refusal == NULL;
        login_clear(&l[i]);
    }
    assert_int_equal(winners, 1);
    assert_int_equal(records(w), 3);
    sem_destroy(&done);
}

/* One login after the other until the store is full; l is the one that failed. */
static void
fill(struct world *w, struct login *l)
{
    enum mauth_rc rc = MAUTH_OK;

    for (uint8_t i = 0; rc == MAUTH_OK; i++) {
        assert_true(i < 255);
        *l = arrive(w, "alice", i, 2);
        enter(w, l);
        issue(l);
        rc = kv_write(w->dir.store.kv, login_record, l, NULL);
        if (rc == MAUTH_OK)
            login_clear(l);
    }
    assert_int_equal(rc, MAUTH_UNAVAILABLE);
}

static void
puts_all_or_nothing(void **state)
{
    struct graph_session s;
    struct world small = {0};
    struct login l;

    (void)state;
    make(&small, "?map=262144&max=262144");
    fill(&small, &l);
    assert_int_equal(session_of(&small, &l, &s), MAUTH_NOT_FOUND);
    records(&small);
    for (size_t i = 0; i < small.log.count; i++) {
        char id[ID_LEN + 1];

        id_format(ID_SESSION, &l.ground.session, id);
        assert_string_not_equal(audit_log_text(&small.log, i, "session"), id);
    }
    login_clear(&l);
    unmake(&small);
}

/* An assertion that somebody caught on its way is no login, not even with its key. */
static void
takes_an_assertion_once(void **state)
{
    struct world *w = *state;
    struct login first = arrive(w, "alice", 1, 2), same = arrive(w, "alice", 1, 2);
    struct graph_session s;
    size_t before;

    first.who.once = same.who.once = true;
    enter(w, &first);
    issue(&first);
    write_with(w, login_record, &first);
    assert_null(first.refusal);

    enter(w, &same);
    issue(&same);
    before = records(w);
    write_with(w, login_record, &same);
    assert_string_equal(same.refusal, "saml-used");
    assert_int_equal(session_of(w, &same, &s), MAUTH_NOT_FOUND);
    assert_int_equal(records(w), before);
    login_clear(&first);
    login_clear(&same);
}

int
main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        IN_WORLD(logs_in),
        IN_WORLD(keeps_users_by_issuer_and_subject),
        IN_WORLD(makes_one_user_when_two_are_first),
        IN_WORLD(takes_a_token_for_one_key),
        IN_WORLD(takes_an_assertion_once),
        IN_WORLD(refuses_closed_accounts),
        IN_WORLD(refuses_users_that_are_gone),
        IN_WORLD(issues_nothing_without_a_key),
        IN_WORLD(settles_a_race_for_a_token),
        cmocka_unit_test(puts_all_or_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
