/* Who had which right in a folder, asked of a log in a store. */
#include <jansson.h>

#include "facts/audit_who.h"
#include "policy/mesh_rules.h"
#include "tests/unit/store_dir.h"

#define ISSUER "https://auth.example"
#define FOLDER "fld_00000000000000000000000000"
#define ALICE  "usr_00000000000000000000000000"
#define BOB    "usr_11111111111111111111111111"
#define CAROL  "usr_22222222222222222222222222"
#define PHONE  "dev_11111111111111111111111111"

enum {
    START_S = 1795341900 /* of the first record; each comes ten seconds later */
};

static const struct {
    const char *action, *actor;
    const char *resource[3];
    const char *outcome;
} story[] = {
    {"folder.create", ALICE, {ISSUER "/v1/mesh/folders/" FOLDER}, "done"},
    {"invitation.accept", BOB,
        {"inv_00000000000000000000000000", ISSUER "/v1/mesh/folders/" FOLDER,
            "contributor"},
        "done"},
    {"mapping.add", BOB,
        {ISSUER "/v1/mesh/folders/" FOLDER, ISSUER "/v1/mesh/devices/" PHONE,
            ISSUER "/v1/mesh/folders/" FOLDER "/mappings/" PHONE},
        "done"},
    {"member.remove", BOB,
        {ISSUER "/v1/mesh/folders/" FOLDER, ISSUER "/v1/mesh/users/" ALICE}, "deny"},
    /* 4: names no folder */
    {"device.release", BOB, {ISSUER "/v1/mesh/devices/" PHONE}, "done"},
    {"mapping.add", BOB,
        {ISSUER "/v1/mesh/folders/" FOLDER, ISSUER "/v1/mesh/devices/" PHONE,
            ISSUER "/v1/mesh/folders/" FOLDER "/mappings/" PHONE},
        "done"},
    {"invitation.accept", CAROL,
        {"inv_11111111111111111111111111", ISSUER "/v1/mesh/folders/" FOLDER, "reader"},
        "done"},
    {"rules.load", "meshauthd", {"mesh.rules"}, "done"},
    {"user.delete", "uid:0", {BOB}, "done"},
    {"user.delete", "uid:0", {ALICE}, "done"},
};

struct world {
    struct store_dir store;
    struct mauth_rules *rules;
};

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, arg, err);
}

static void
set_up(struct world *w, size_t first)
{
    store_make(&w->store, "");
    assert_int_equal(
        mauth_rules_compile((const char *)mesh_rules, mesh_rules_len, &w->rules, NULL),
        MAUTH_OK);
    for (size_t i = first; i < COUNT(story); i++) {
        struct audit_record r = {.time_us = (START_S + (int64_t)i * 10) * 1000000,
            .action = story[i].action,
            .actor = story[i].actor,
            .outcome = story[i].outcome};
        struct audit_entry *e = NULL;

        while (r.resource_count < 3 && story[i].resource[r.resource_count]) {
            r.resources[r.resource_count] = story[i].resource[r.resource_count];
            r.resource_count++;
        }
        assert_int_equal(audit_entry_new(&r, &e, NULL), MAUTH_OK);
        assert_int_equal(kv_write(w->store.kv, append, e, NULL), MAUTH_OK);
        audit_entry_free(e);
    }
}

static void
tear_down(struct world *w)
{
    mauth_rules_free(w->rules);
    store_remove(&w->store);
}

/* After the i-th record; behind the last one: now. */
static json_t *
ask(const struct world *w, const struct mauth_rules *rules, size_t i)
{
    struct audit_who who = {.kv = w->store.kv,
        .rules = rules,
        .issuer = ISSUER,
        .at_s = START_S + (int64_t)i * 10,
        .now = i >= COUNT(story)};
    struct buf json;
    json_t *o;

    assert_true(id_parse(ID_FOLDER, FOLDER, ID_LEN, &who.folder));
    buf_init(&json);
    assert_int_equal(audit_who_write(&who, &json, NULL), MAUTH_OK);
    o = json_loadb((const char *)json.data, json.len, 0, NULL);
    assert_non_null(o);
    buf_clear(&json);
    return o;
}

/* "A=owner B=contributor 1" with letters of ids, and devices by their number. */
static void
outline(const json_t *o, char out[128])
{
    const json_t *members = json_object_get(o, "members"), *row;
    size_t i;

    out[0] = '\0';
    json_array_foreach((json_t *)(uintptr_t)members, i, row)
        snprintf(out + strlen(out), 128 - strlen(out), "%c=%s ",
            'A' + json_string_value(json_object_get(row, "user"))[4] - '0',
            json_string_value(json_object_get(row, "role")));
    snprintf(out + strlen(out), 128 - strlen(out), "%zu",
        json_array_size(json_object_get(o, "devices")));
}

static void
tells_each_moment(void **state)
{
    static const char *const moments[] = {
        "A=owner 0", "A=owner B=contributor 0", "A=owner B=contributor 1",
        "A=owner B=contributor 1", /* a refusal changes nothing */
        "A=owner B=contributor 0", /* the device was released... */
        "A=owner B=contributor 1", /* ...and came back */
        "A=owner B=contributor C=reader 1", "A=owner B=contributor C=reader 1",
        "A=owner C=reader 0", /* Bob's account was closed */
        "0",                  /* Alice's, and with it her folder */
        "0",                  /* now */
    };
    char what[128];
    struct world w;

    (void)state;
    set_up(&w, 0);
    for (size_t i = 0; i < COUNT(moments); i++) {
        json_t *o = ask(&w, w.rules, i);

        outline(o, what);
        if (strcmp(what, moments[i]) != 0)
            fail_msg("after record %zu: %s", i, what);
        assert_true(json_is_true(json_object_get(o, "complete")));
        assert_int_equal(json_is_true(json_object_get(o, "exists")), i < 9);
        json_decref(o);
    }
    tear_down(&w);
}

static const json_t *
rights(const json_t *o, size_t member)
{
    return json_object_get(
        json_array_get(json_object_get(o, "members"), member), "rights");
}

/* By the rules of then, or not at all. */
static void
tells_rights(void **state)
{
    static const char *const contributor[] = {"delete", "read", "subscribe", "write"};
    struct world w;
    json_t *o;

    (void)state;
    set_up(&w, 0);
    o = ask(&w, w.rules, 7);
    assert_null(json_object_get(o, "rules_changed"));
    assert_int_equal(json_array_size(rights(o, 1)), COUNT(contributor));
    for (size_t i = 0; i < COUNT(contributor); i++)
        assert_string_equal(
            json_string_value(json_array_get(rights(o, 1), i)), contributor[i]);
    assert_int_equal(json_array_size(rights(o, 2)), 2);
    json_decref(o);

    o = ask(&w, w.rules, 6);
    assert_string_equal(json_string_value(json_object_get(o, "rules_changed")),
        "2026-11-22T10:06:10.000000Z");
    assert_null(rights(o, 1));
    json_decref(o);

    o = ask(&w, NULL, 7);
    assert_null(rights(o, 1));
    json_decref(o);
    tear_down(&w);
}

static void
says_what_it_lacks(void **state)
{
    char what[128];
    struct world w;
    json_t *o;

    (void)state;
    set_up(&w, 1);
    o = ask(&w, w.rules, 5);
    outline(o, what);
    assert_string_equal(what, "B=contributor 1");
    assert_true(json_is_true(json_object_get(o, "exists")));
    assert_true(json_is_false(json_object_get(o, "complete")));
    json_decref(o);
    tear_down(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_each_moment),
        cmocka_unit_test(tells_rights),
        cmocka_unit_test(says_what_it_lacks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
