/* Who had which right in a folder once, with each allocation failing in turn. */
#include "facts/audit_who.h"
#include "facts/folder_past.h"
#include "policy/mesh_rules.h"
#include "tests/unit/starve.h"
#include "tests/unit/store_dir.h"

#define ISSUER "https://auth.example"
#define FOLDER "fld_00000000000000000000000000"
#define OWNER  "usr_00000000000000000000000000"

enum {
    START_S = 1795341900, /* of the first record; each comes a second later */
    MEMBERS = 20,         /* more than any list has room for at first */
    GONE = 18             /* of them */
};

struct world {
    struct store_dir store;
    struct mauth_rules *rules;
    uint64_t size;
    char record[MEMBERS + 1][512]; /* of the folder */
    size_t records;
};

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, arg, err);
}

/* A record of the log, and (is_told) of what is told of the folder. */
static void
add(struct world *w, struct audit_record r, bool is_told)
{
    struct audit_entry *e = NULL;
    struct buf b;

    r.outcome = "done";
    r.time_us = (START_S + (int64_t)w->size) * 1000000;
    assert_int_equal(audit_entry_new(&r, &e, NULL), MAUTH_OK);
    assert_int_equal(kv_write(w->store.kv, append, e, NULL), MAUTH_OK);
    if (is_told) {
        buf_init_fixed(&b, w->record[w->records++], sizeof(w->record[0]));
        audit_entry_write(e, w->size, &b);
        buf_u8(&b, '\0');
        assert_true(buf_ok(&b));
    }
    audit_entry_free(e);
    w->size++;
}

static void
user_of(int n, char out[ID_LEN + 1])
{
    snprintf(out, ID_LEN + 1, "usr_%026d", n);
}

static void
set_up(struct world *w)
{
    char user[ID_LEN + 1];

    memset(w, 0, sizeof(*w));
    store_make(&w->store, "");
    assert_int_equal(
        mauth_rules_compile((const char *)mesh_rules, mesh_rules_len, &w->rules, NULL),
        MAUTH_OK);
    add(w,
        (struct audit_record){.action = "folder.create",
            .actor = OWNER,
            .resources = {ISSUER "/v1/mesh/folders/" FOLDER},
            .resource_count = 1},
        true);
    for (int i = 1; i <= MEMBERS; i++) {
        user_of(i, user);
        add(w,
            (struct audit_record){.action = "invitation.accept",
                .actor = user,
                .resources = {"inv_00000000000000000000000000",
                    ISSUER "/v1/mesh/folders/" FOLDER, "reader"},
                .resource_count = 3},
            true);
    }
    for (int i = 1; i <= GONE; i++) {
        user_of(i, user);
        add(w,
            (struct audit_record){.action = "user.delete",
                .actor = "uid:0",
                .resources = {user},
                .resource_count = 1},
            false);
    }
}

static void
tear_down(struct world *w)
{
    mauth_rules_free(w->rules);
    store_remove(&w->store);
}

static enum mauth_rc
tell_past(void *arg, struct mauth_err *err)
{
    const struct world *w = arg;
    enum mauth_rc rc = MAUTH_OK;
    struct folder_past p;
    struct id folder;

    assert_true(id_parse(ID_FOLDER, FOLDER, ID_LEN, &folder));
    folder_past_init(&p, &folder);
    for (size_t i = 0; i < w->records && rc == MAUTH_OK; i++) {
        size_t before = p.count;

        rc = folder_past_take(&p, text_of(w->record[i]), err);
        assert_int_equal(p.count, before + (rc == MAUTH_OK));
    }
    folder_past_clear(&p);
    return rc;
}

static bool
has(const struct buf *json, const char *text)
{
    return memmem(json->data, json->len, text, strlen(text)) != NULL;
}

/* An answer is whole, or there is none. */
static enum mauth_rc
tell_who(void *arg, struct mauth_err *err)
{
    const struct world *w = arg;
    struct audit_who who = {.kv = w->store.kv,
        .rules = w->rules,
        .issuer = ISSUER,
        .at_s = START_S + (int64_t)w->size,
        .now = true};
    struct buf json;
    enum mauth_rc rc;

    assert_true(id_parse(ID_FOLDER, FOLDER, ID_LEN, &who.folder));
    buf_init(&json);
    rc = audit_who_write(&who, &json, err);
    if (rc == MAUTH_OK) {
        assert_true(has(&json, "\"rights\":[\""));
        assert_true(has(&json, "usr_00000000000000000000000020"));
        assert_false(has(&json, "usr_00000000000000000000000018"));
    }
    buf_clear(&json);
    return rc;
}

static void
starves_what_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up(&w);
    starve("a folder's past", tell_past, &w);
    starve("who had which right", tell_who, &w);
    tear_down(&w);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_what_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
