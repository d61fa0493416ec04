#include <jansson.h>

#include "base/str.h"
#include "store/admin_view.h"
#include "tests/unit/admin_deed.h"
#include "tests/unit/key_world.h"

enum {
    NOW_S = 5000
};

/* As it is done in the store of a world, to a key or to none. */
static enum mauth_rc
carry_out(struct key_world *w, struct admin_deed *d, enum admin_op op, const char *whom)
{
    struct buf pkcs8;

    buf_init_secret(&pkcs8);
    d->change.op = op;
    d->change.whom = whom;
    d->change.key.seal = w->seal;
    d->change.key.pkcs8 = &pkcs8;
    d->change.key.longest_s = KEY_LONGEST_S;
    (void)admin_deed_carry_out(w->s.kv, d, NOW_S);
    d->change.key.pkcs8 = NULL;
    buf_clear(&pkcs8);
    return d->rc;
}

/* The newest record says so; how many there are. */
static size_t
is_on_record(struct key_world *w, const char *action, const char *outcome,
    const char *reason, const char *first, const char *second)
{
    struct audit_log log = {.count = 0};
    size_t count =
        admin_deed_on_record(&log, w->s.kv, action, outcome, reason, first, second);

    audit_log_clear(&log);
    return count;
}

static void
leads_a_key_through_its_life(void **state)
{
    struct key_world *w = *state;
    const char *old = key_world_make(w, TRUST_ACTIVE, "*");
    struct admin_deed made = {.rc = MAUTH_INTERNAL}, d = {.rc = MAUTH_INTERNAL};
    const struct admin_key_view *v = &made.change.key.view;
    const char *id = v->id;

    assert_int_equal(carry_out(w, &made, ADMIN_KEY_PREPARE, NULL), MAUTH_OK);
    assert_int_equal(is_on_record(w, "key.prepare", "done", "", id, "*"), 1);
    assert_int_equal(v->state, TRUST_NEXT);
    assert_int_equal(v->kind, SIGNER_P256);
    assert_int_equal(v->created_s, NOW_S);
    assert_int_equal(v->from_s, NOW_S);
    assert_int_equal(v->until_s, NOW_S + ADMIN_KEY_LIFE_S);
    assert_string_equal(v->audiences, "*");
    assert_string_equal(key_world_state(w, id), "next 0 0 whole");

    assert_int_equal(carry_out(w, &d, ADMIN_KEY_ACTIVATE, id), MAUTH_OK);
    assert_int_equal(is_on_record(w, "key.activate", "done", "", id, old), 2);
    assert_int_equal(d.change.key.view.state, TRUST_ACTIVE);
    assert_string_equal(key_world_state(w, old), "retiring 1000 5460 whole");
    /* Again it is no change, and so on no record. */
    assert_int_equal(carry_out(w, &d, ADMIN_KEY_ACTIVATE, id), MAUTH_OK);
    assert_true(d.change.unchanged);
    assert_int_equal(is_on_record(w, "key.activate", "done", "", id, old), 2);

    assert_int_equal(carry_out(w, &d, ADMIN_KEY_ACTIVATE, old), MAUTH_OK);
    assert_int_equal(is_on_record(w, "key.activate", "done", "", old, id), 3);
    assert_int_equal(carry_out(w, &d, ADMIN_KEY_REVOKE, old), MAUTH_OK);
    assert_int_equal(is_on_record(w, "key.revoke", "done", "", old, id), 4);
    assert_string_equal(key_world_state(w, old), "revoked 5000 0 half");
    assert_int_equal(carry_out(w, &d, ADMIN_KEY_REVOKE, old), MAUTH_OK);
    assert_true(d.change.unchanged);
    assert_int_equal(carry_out(w, &d, ADMIN_KEY_ACTIVATE, old), MAUTH_CONFLICT);
    assert_int_equal(is_on_record(w, "key.activate", "deny", "key-state", old, ""), 5);
}

static void
refuses_what_no_key_is(void **state)
{
    static const struct {
        const char *name;
        int64_t from_s, until_s;
        enum mauth_rc rc;
        const char *why;
    } cases[] = {
        {"begun before it is made", NOW_S - ADMIN_KEY_EARLY_S - 1, 0, MAUTH_INVALID,
            "before it is made"},
        {"begun as clocks differ", NOW_S - ADMIN_KEY_EARLY_S, 0, MAUTH_OK, ""},
        {"ended before it begins", NOW_S + 10, NOW_S + 10, MAUTH_INVALID, "ends after"},
        {"ended long ago", 0, 1, MAUTH_INVALID, "ends after"},
        {"too long a life", NOW_S, NOW_S + ADMIN_KEY_LIFE_MAX_S + 1, MAUTH_INVALID,
            "ten years"},
        {"the longest", NOW_S, NOW_S + ADMIN_KEY_LIFE_MAX_S, MAUTH_OK, ""},
        {"no time at all", INT64_MAX, 0, MAUTH_INVALID, ""},
    };
    struct key_world *w = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct admin_deed d = {.rc = MAUTH_INTERNAL};

        d.change.key.from_s = cases[i].from_s;
        d.change.key.until_s = cases[i].until_s;
        if (carry_out(w, &d, ADMIN_KEY_PREPARE, NULL) != cases[i].rc ||
            !strstr(d.why, cases[i].why))
            fail_msg("%s: %d %s", cases[i].name, (int)d.rc, d.why);
    }
    assert_int_equal(is_on_record(w, "key.prepare", "deny", "key", "*", ""), 7);
}

static void
knows_no_other_key(void **state)
{
    static const char *const nobody[] = {"0123456789abcdef", "0123456789abcde", "relay",
        "0123456789ABCDEF", "", "svc_00000000000000000000000000"};
    static const enum admin_op ops[] = {ADMIN_KEY_ACTIVATE, ADMIN_KEY_REVOKE};
    struct key_world *w = *state;
    struct admin_deed d = {.rc = MAUTH_INTERNAL};

    for (size_t i = 0; i < COUNT(nobody); i++)
        for (size_t k = 0; k < COUNT(ops); k++)
            assert_int_equal(carry_out(w, &d, ops[k], nobody[i]), MAUTH_NOT_FOUND);
    assert_int_equal(is_on_record(w, "key.revoke", "deny", "not-found",
                         nobody[COUNT(nobody) - 1], ""),
        12);
}

static void
writes_audiences_in_one_way(void **state)
{
    struct text two[] = {text_of("urn:b"), text_of("urn:a")};
    struct text bad[] = {text_of("a b"), text_of("urn:a,urn:b"), text_of(""),
        text_of("storage"), text_of("*")};
    struct text twice[] = {text_of("urn:a"), text_of("urn:b"), text_of("urn:a")};
    struct text many[TRUST_AUDIENCES_MAX + 1];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct admin_key k = {.seal = NULL};
    char longest[SIGNING_KEY_AUDIENCES + 2], names[TRUST_AUDIENCES_MAX + 1][16];

    (void)state;
    assert_int_equal(admin_key_set_audiences(&k, two, 2, &err), MAUTH_OK);
    assert_string_equal(k.audiences, "urn:a,urn:b");
    assert_int_equal(admin_key_set_audiences(&k, NULL, 0, &err), MAUTH_OK);
    assert_string_equal(k.audiences, "");
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(admin_key_set_audiences(&k, &bad[i], 1, NULL), MAUTH_INVALID);
    assert_int_equal(admin_key_set_audiences(&k, twice, 3, NULL), MAUTH_INVALID);
    assert_string_equal(k.audiences, "");
    for (size_t i = 0; i < COUNT(many); i++) {
        snprintf(names[i], sizeof(names[i]), "urn:%02zu", i);
        many[i] = text_of(names[i]);
    }
    assert_int_equal(
        admin_key_set_audiences(&k, many, COUNT(many), NULL), MAUTH_INVALID);
    assert_int_equal(
        admin_key_set_audiences(&k, many, COUNT(many) - 1, NULL), MAUTH_OK);
    memset(longest, 'a', sizeof(longest) - 1);
    memcpy(longest, "urn:", 4);
    longest[sizeof(longest) - 1] = '\0';
    many[0] = (struct text){longest, SIGNING_KEY_AUDIENCES + 1};
    assert_int_equal(admin_key_set_audiences(&k, many, 1, NULL), MAUTH_INVALID);
    many[0].len--;
    assert_int_equal(admin_key_set_audiences(&k, many, 1, NULL), MAUTH_OK);
}

static enum mauth_rc
list(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct buf *out = ((void **)arg)[1];
    struct key_world *w = ((void **)arg)[0];

    const struct admin_keys_look look = {
        w->seal, "https://mesh.example", {NULL, 0}, NOW_S};

    return admin_view_keys(txn, &look, out, err);
}

static void
has_room_for_so_many(void **state)
{
    struct key_world *w = *state;
    struct admin_deed d = {.rc = MAUTH_INTERNAL};
    json_t *shown, *items;
    struct buf json;

    for (size_t i = 0; i < KEYSTORE_KEYS; i++)
        (void)key_world_make(w, TRUST_NEXT, i ? "*" : "urn:a,urn:b");
    assert_int_equal(carry_out(w, &d, ADMIN_KEY_PREPARE, NULL), MAUTH_CONFLICT);
    assert_non_null(strstr(d.why, "64 keys"));
    assert_int_equal(is_on_record(w, "key.prepare", "deny", "key-state", "*", ""), 1);

    buf_init(&json);
    assert_int_equal(kv_read(w->s.kv, list, (void *[]){w, &json}, NULL), MAUTH_OK);
    shown = json_loadb((const char *)json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    items = json_object_get(shown, "items");
    assert_int_equal(json_array_size(items), KEYSTORE_KEYS);
    json_decref(shown);
    buf_clear(&json);
}

/* A module runs in our process: none is loaded but those of the configuration. */
static void
loads_no_other_module(void **state)
{
    static const char *const modules[] = {"/nowhere/m.so", "/nowhere/n.so"};
    static const struct {
        const char *uri;
        const char *why;
    } refusals[] = {
        {"pkcs11:token=t;object=o?module-path=/nowhere/o.so", "none of pkcs11_modules"},
        {"pkcs11:token=t;object=o?module-path=/nowhere/m.s", "none of pkcs11_modules"},
        {"pkcs11:token=t;object=o", "must be pkcs11:"},
        {"pkcs11:token=t;object=o?module-path=/nowhere/n.so",
            "cannot open shared object"},
    };
    struct key_world *w = *state;

    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct admin_deed d = {.rc = MAUTH_INTERNAL};
        struct mauth_err err = MAUTH_ERR_INIT;
        struct admin_key *k = &d.change.key;
        struct buf pkcs8;

        buf_init_secret(&pkcs8);
        d.change.op = ADMIN_KEY_PREPARE;
        d.change.now_s = NOW_S;
        k->seal = w->seal;
        k->pkcs8 = &pkcs8;
        k->module = modules;
        k->modules = COUNT(modules);
        snprintf(k->token, sizeof(k->token), "%s", refusals[i].uri);
        assert_int_equal(admin_change_ready(&d.change, &err), MAUTH_INVALID);
        if (!strstr(err.text, refusals[i].why))
            fail_msg("%s: %s", refusals[i].uri, err.text);
        assert_int_equal(k->spki_len, 0);
        assert_int_equal(pkcs8.len, 0);

        /* Nor for whoever may not make keys: nothing is looked at. */
        k->pkcs8 = NULL;
        assert_int_equal(admin_change_ready(&d.change, NULL), MAUTH_OK);
        assert_int_equal(k->spki_len, 0);
        buf_clear(&pkcs8);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            leads_a_key_through_its_life, key_world_set_up, key_world_tear_down),
        cmocka_unit_test_setup_teardown(
            refuses_what_no_key_is, key_world_set_up, key_world_tear_down),
        cmocka_unit_test_setup_teardown(
            knows_no_other_key, key_world_set_up, key_world_tear_down),
        cmocka_unit_test(writes_audiences_in_one_way),
        cmocka_unit_test_setup_teardown(
            loads_no_other_module, key_world_set_up, key_world_tear_down),
        cmocka_unit_test_setup_teardown(
            has_room_for_so_many, key_world_set_up, key_world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
