#include "store/admin_view.h"
#include "store/graph_session.h"
#include "store/graph_user.h"
#include "tests/unit/admin_deed.h"
#include "tests/unit/golden.h"
#include "tests/unit/revoked.h"

static enum mauth_rc
carry_out(struct kv *kv, struct admin_deed *d)
{
    return admin_deed_carry_out(kv, d, 50);
}

static struct admin_deed
to_create(const char *name)
{
    struct admin_deed d = {.change = {.op = ADMIN_SERVICE_CREATE}};

    snprintf(d.change.service.name, sizeof(d.change.service.name), "%s", name);
    return d;
}

static enum mauth_rc
create_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct graph_identity who = {text_of("https://i.example"), text_of("alice")};

    return graph_user_create(txn, arg, &who, 5, err);
}

struct world {
    struct store_dir store;
    struct audit_log log;
    struct id alice;
    char name[ID_LEN + 1];
};

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    store_make(&w.store, "?twice=1"); /* as when a batch is replayed */
    w.alice.b[0] = 1;
    id_format(ID_USER, &w.alice, w.name);
    assert_int_equal(kv_write(w.store.kv, create_user, &w.alice, NULL), MAUTH_OK);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    audit_log_clear(&w->log);
    store_remove(&w->store);
    return 0;
}

static size_t
is_on_record(struct world *w, const char *action, const char *outcome,
    const char *reason, const char *first, const char *second)
{
    return admin_deed_on_record(
        &w->log, w->store.kv, action, outcome, reason, first, second);
}

static void
changes_services(void **state)
{
    struct world *w = *state;
    struct admin_deed made = to_create("relay"), again = to_create("relay");
    struct admin_deed update = {
        .change = {.op = ADMIN_SERVICE_UPDATE, .whom = "relay"}};
    struct admin_deed gone = {.change = {.op = ADMIN_SERVICE_DELETE}};
    char id[ID_LEN + 1];

    assert_int_equal(carry_out(w->store.kv, &made), MAUTH_OK);
    id_format(ID_SERVICE, &made.change.found.id, id);
    assert_int_equal(made.change.version, 1);
    assert_int_equal(made.change.found.created_s, 50);
    assert_int_equal(is_on_record(w, "service.create", "done", "", id, "relay"), 1);
    assert_int_equal(carry_out(w->store.kv, &again), MAUTH_CONFLICT);
    assert_int_equal(
        is_on_record(w, "service.create", "deny", "service-taken", "relay", ""), 2);

    /* Only what is given changes; what is so already is no change. */
    update.change.gives = ADMIN_GIVES_PREFIX;
    strcpy(update.change.service.url, "https://relay.example");
    assert_int_equal(carry_out(w->store.kv, &update), MAUTH_OK);
    assert_int_equal(update.change.version, 2);
    assert_string_equal(update.change.found.url, "https://relay.example");
    assert_int_equal(is_on_record(w, "service.update", "done", "", id, ""), 3);
    assert_int_equal(carry_out(w->store.kv, &update), MAUTH_OK);
    assert_true(update.change.unchanged);
    assert_int_equal(is_on_record(w, "service.update", "done", "", id, ""), 3);
    update.change.gives = ADMIN_GIVES_ACTIONS;
    strcpy(update.change.service.action[0], "Read");
    update.change.service.actions = 1;
    assert_int_equal(carry_out(w->store.kv, &update), MAUTH_INVALID);
    assert_non_null(strstr(update.why, "actions"));
    assert_int_equal(is_on_record(w, "service.update", "deny", "service", id, ""), 4);

    gone.change.whom = id; /* by its id as well */
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_OK);
    assert_int_equal(is_on_record(w, "service.delete", "done", "", id, ""), 5);
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_NOT_FOUND);
    assert_int_equal(is_on_record(w, "service.delete", "deny", "not-found", id, ""), 6);
    gone.change.whom = "relay";
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_NOT_FOUND);
    assert_int_equal(
        is_on_record(w, "service.delete", "deny", "not-found", "relay", ""), 7);
}

static void
changes_roles(void **state)
{
    struct world *w = *state;
    struct admin_deed made = to_create("relay");
    struct admin_deed grant = {.change = {.op = ADMIN_ROLE_GRANT, .role = "changes"}};
    struct admin_deed revoke = {.change = {.op = ADMIN_ROLE_REVOKE, .role = "changes"}};
    const char *whom[2] = {"relay", NULL};
    char id[2][ID_LEN + 1];

    assert_int_equal(carry_out(w->store.kv, &made), MAUTH_OK);
    id_format(ID_SERVICE, &made.change.found.id, id[0]);
    memcpy(id[1], w->name, sizeof(id[1]));
    whom[1] = w->name;
    for (size_t i = 0; i < 2; i++) {
        grant.change.whom = revoke.change.whom = whom[i];
        assert_int_equal(carry_out(w->store.kv, &revoke), MAUTH_NOT_FOUND);
        assert_true(revoke.change.is_found);
        (void)is_on_record(w, "role.revoke", "deny", "not-found", id[i], "changes");
        assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_OK);
        assert_false(grant.change.unchanged);
        (void)is_on_record(w, "role.grant", "done", "", id[i], "changes");
        assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_OK);
        assert_true(grant.change.unchanged);
        assert_int_equal(carry_out(w->store.kv, &revoke), MAUTH_OK);
        (void)is_on_record(w, "role.revoke", "done", "", id[i], "changes");
    }
    assert_true(revoked_since(w->store.kv, ID_USER, &w->alice) > 0);
    grant.change.whom = "nobody";
    assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_NOT_FOUND);
    (void)is_on_record(w, "role.grant", "deny", "not-found", "nobody", "changes");
    grant.change.whom = w->name;
    grant.change.role = "Changes";
    assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_INVALID);
    (void)is_on_record(w, "role.grant", "deny", "role", w->name, "Changes");
}

static void
deletes_users(void **state)
{
    struct world *w = *state;
    struct admin_deed grant = {
        .change = {.op = ADMIN_ROLE_GRANT, .whom = w->name, .role = "admin"}};
    struct admin_deed gone = {.change = {.op = ADMIN_USER_DELETE, .whom = w->name}};
    struct admin_deed other = {.change = {.op = ADMIN_USER_DELETE, .whom = "relay"}};

    assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_OK);
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_OK);
    (void)is_on_record(w, "user.delete", "done", "", w->name, "");
    assert_true(revoked_since(w->store.kv, ID_USER, &w->alice) > 0);
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_NOT_FOUND);
    assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_NOT_FOUND);
    assert_int_equal(carry_out(w->store.kv, &other), MAUTH_NOT_FOUND);
    (void)is_on_record(w, "user.delete", "deny", "not-found", "relay", "");
}

/* Views. */

struct view {
    enum admin_kind kind;
    const char *whom; /* NULL: a list */
    const char *after;
    size_t limit;
    uint64_t version;
    struct buf json;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct view *v = arg;

    buf_init(&v->json);
    if (v->whom)
        return admin_view_one(
            txn, v->kind, GOLDEN_ISSUER, v->whom, &v->json, &v->version, err);
    return admin_view_list(
        txn, v->kind, GOLDEN_ISSUER, v->after, v->limit, &v->json, err);
}

/* NULL when it is refused, with this code. */
static json_t *
view(struct kv *kv, struct view *v, enum mauth_rc want)
{
    json_t *o = NULL;

    assert_int_equal(kv_read(kv, look, v, NULL), want);
    if (want == MAUTH_OK)
        o = json_loadb(
            (const char *)v->json.data, v->json.len, JSON_REJECT_DUPLICATES, NULL);
    assert_true((o != NULL) == (want == MAUTH_OK));
    buf_clear(&v->json);
    return o;
}

static const char *
member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));

    return text ? text : "";
}

static void
shows_services(void **state)
{
    struct world *w = *state;
    struct admin_deed made = to_create("relay");
    struct view v = {.kind = ADMIN_SERVICES, .whom = "relay"};
    struct graph_service *s = &made.change.service;
    struct mauth_key *key = NULL;
    const uint8_t *spki;
    const char *pem;
    size_t len;
    json_t *o;

    s->spki_len = golden_der("device.pub.pem", s->spki, sizeof(s->spki));
    strcpy(s->url, "https://relay.example");
    strcpy(s->action[0], "read");
    s->actions = 1;
    assert_int_equal(carry_out(w->store.kv, &made), MAUTH_OK);
    o = view(w->store.kv, &v, MAUTH_OK);
    assert_int_equal(v.version, 1);
    assert_string_equal(member(o, "type"), "service");
    assert_string_equal(member(o, "name"), "relay");
    assert_string_equal(member(o, "audience"), "urn:meshauth:service:relay");
    assert_string_equal(member(o, "prefix"), "https://relay.example");
    assert_string_equal(member(o, "created"), "1970-01-01T00:00:50Z");
    assert_int_equal(json_array_size(json_object_get(o, "actions")), 1);
    /* Its key can be given as it is shown. */
    pem = member(o, "key");
    assert_int_equal(mauth_key_from_pem(pem, strlen(pem), &key, NULL), MAUTH_OK);
    spki = mauth_key_spki(key, &len);
    assert_int_equal(len, s->spki_len);
    assert_memory_equal(spki, s->spki, len);
    mauth_key_free(key);
    json_decref(o);
    v.whom = "storage";
    assert_null(view(w->store.kv, &v, MAUTH_NOT_FOUND));
    v.kind = ADMIN_ROLES;
    assert_null(view(w->store.kv, &v, MAUTH_NOT_FOUND));
    v.kind = ADMIN_USERS;
    assert_null(view(w->store.kv, &v, MAUTH_NOT_FOUND));
    v.whom = w->name;
    o = view(w->store.kv, &v, MAUTH_OK);
    assert_string_equal(member(o, "id"), w->name);
    json_decref(o);
}

/* All items of a list, in pages of so many. */
static size_t
count_all(struct kv *kv, enum admin_kind kind, size_t limit)
{
    struct view v = {.kind = kind, .limit = limit};
    char after[128] = "";
    size_t seen = 0;

    for (size_t i = 0; i < 100; i++) {
        json_t *o = view(kv, &v, MAUTH_OK), *items = json_object_get(o, "items");
        const char *next = strstr(member(o, "next"), "?after=");

        assert_true(!limit || json_array_size(items) <= limit);
        seen += json_array_size(items);
        snprintf(after, sizeof(after), "%s", next ? next + 7 : "");
        v.after = after;
        json_decref(o);
        if (!next)
            return seen;
    }
    fail_msg("a list without an end");
    return 0;
}

static void
lists_all(void **state)
{
    static const struct {
        enum admin_kind kind;
        const char *after;
    } bad[] = {{ADMIN_USERS, "x"}, {ADMIN_USERS, "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"},
        {ADMIN_SERVICES, "X"}, {ADMIN_ROLES, "admin"},
        {ADMIN_ROLES, "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"},
        {ADMIN_ROLES, "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa/"},
        {ADMIN_ROLES, "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa/A"},
        {ADMIN_ROLES, "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa/admin"}};
    struct world *w = *state;
    char name[32];

    for (unsigned i = 0; i < 20; i++) {
        struct admin_deed made,
            grant = {.change = {.op = ADMIN_ROLE_GRANT, .whom = w->name}};

        snprintf(name, sizeof(name), "s%u", i);
        made = to_create(name);
        assert_int_equal(carry_out(w->store.kv, &made), MAUTH_OK);
        grant.change.role = name;
        assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_OK);
    }
    for (size_t limit = 1; limit <= 64; limit = limit * 2 + 1) {
        assert_int_equal(count_all(w->store.kv, ADMIN_SERVICES, limit), 20);
        assert_int_equal(count_all(w->store.kv, ADMIN_ROLES, limit), 20);
        assert_int_equal(count_all(w->store.kv, ADMIN_USERS, limit), 1);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct view v = {.kind = bad[i].kind, .after = bad[i].after, .limit = 5};

        assert_null(view(w->store.kv, &v, MAUTH_INVALID));
    }
}

static void
lists_without_a_limit_what_a_page_holds(void **state)
{
    static const enum admin_kind kinds[] = {ADMIN_USERS, ADMIN_SERVICES, ADMIN_ROLES};
    struct world *w = *state;
    struct admin_deed made = to_create("relay"),
                      grant = {.change = {.op = ADMIN_ROLE_GRANT,
                                   .whom = w->name,
                                   .role = "admin"}};

    assert_int_equal(carry_out(w->store.kv, &made), MAUTH_OK);
    assert_int_equal(carry_out(w->store.kv, &grant), MAUTH_OK);
    for (size_t i = 0; i < COUNT(kinds); i++)
        assert_int_equal(count_all(w->store.kv, kinds[i], 0), 1);
}

struct opening {
    struct graph_session session;
    struct buf json;
    const char *user;
    enum mauth_rc rc;
};

static enum mauth_rc
open_session(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_session_create(txn, &((struct opening *)arg)->session, err);
}

static enum mauth_rc
view_sessions(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct opening *o = arg;

    buf_rewind(&o->json);
    o->rc =
        admin_view_sessions(txn, "https://i.example", o->user, NULL, 0, &o->json, err);
    return MAUTH_OK;
}

static const char *
sessions_of(struct kv *kv, struct opening *o, const char *user, enum mauth_rc want)
{
    o->user = user;
    assert_int_equal(kv_read(kv, view_sessions, o, NULL), MAUTH_OK);
    assert_int_equal(o->rc, want);
    return buf_cstr(&o->json);
}

static void
closes_sessions(void **state)
{
    struct world *w = *state;
    struct opening o = {.session = {.id = {.b = {4}},
                            .subject_kind = ID_USER,
                            .subject = w->alice,
                            .key_hash = {0xab},
                            .started_s = 60,
                            .ends_s = 3600,
                            .open = true}};
    char id[ID_LEN + 1], want[512];
    struct admin_deed gone = {.change = {.op = ADMIN_SESSION_CLOSE, .whom = id}};

    buf_init(&o.json);
    id_format(ID_SESSION, &o.session.id, id);
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_NOT_FOUND);
    assert_int_equal(is_on_record(w, "session.close", "deny", "not-found", id, ""), 1);
    assert_int_equal(kv_write(w->store.kv, open_session, &o, NULL), MAUTH_OK);
    snprintf(want, sizeof(want),
        "{\"items\":[{\"id\":\"%s\",\"url\":\"https://i.example/v1/admin/sessions/%s\","
        "\"type\":\"session\",\"principal\":\"%s\",\"key\":\"ab00000000000000\","
        "\"created\":\"1970-01-01T00:01:00Z\",\"ends\":\"1970-01-01T01:00:00Z\"}]}",
        id, id, w->name);
    assert_string_equal(sessions_of(w->store.kv, &o, w->name, MAUTH_OK), want);
    sessions_of(w->store.kv, &o, "usr_0", MAUTH_NOT_FOUND);
    sessions_of(w->store.kv, &o, id, MAUTH_NOT_FOUND);
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_OK);
    assert_int_equal(is_on_record(w, "session.close", "done", "", id, w->name), 2);
    assert_int_not_equal(revoked_since(w->store.kv, ID_SESSION, &o.session.id), 0);
    assert_string_equal(
        sessions_of(w->store.kv, &o, w->name, MAUTH_OK), "{\"items\":[]}");
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_NOT_FOUND); /* once is all */
    buf_clear(&o.json);
}

static void
revokes_tickets(void **state)
{
    static const char id[] = "_0123456789abcdef0123456789abcdef";
    struct world *w = *state;
    struct admin_deed gone = {.change = {.op = ADMIN_TICKET_REVOKE, .whom = id}};
    struct admin_deed odd = {.change = {.op = ADMIN_TICKET_REVOKE, .whom = "_0"}};

    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_OK);
    assert_int_equal(is_on_record(w, "ticket.revoke", "done", "", id, ""), 1);
    assert_string_equal(audit_log_text(&w->log, 0, "ticket"), id);
    assert_int_equal(carry_out(w->store.kv, &gone), MAUTH_OK);
    assert_true(gone.change.unchanged);
    assert_int_equal(is_on_record(w, "ticket.revoke", "done", "", id, ""), 1);
    assert_int_equal(carry_out(w->store.kv, &odd), MAUTH_NOT_FOUND);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_services, set_up, tear_down),
        cmocka_unit_test_setup_teardown(changes_roles, set_up, tear_down),
        cmocka_unit_test_setup_teardown(deletes_users, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closes_sessions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(revokes_tickets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_services, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lists_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            lists_without_a_limit_what_a_page_holds, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
