#include "store/graph_role.h"
#include "store/graph_service.h"
#include "store/graph_user.h"
#include "store/key.h"
#include "tests/unit/revoked.h"

struct act {
    struct graph_principal p;
    const struct graph_principal *of;
    const struct graph_grant *after;
    struct graph_role_page page;
    struct graph_service service;
    struct graph_identity who;
    const char *role;
    size_t limit;
    uint64_t number;
};

static enum mauth_rc
create_user(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_user_create(txn, &a->p.id, &a->who, 1, err);
}

static enum mauth_rc
create_service(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_service_create(txn, &((const struct act *)arg)->service, err);
}

static enum mauth_rc
grant(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_role_grant(txn, &a->p, a->role, 7, err);
}

static enum mauth_rc
take_away(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_role_revoke(txn, &a->p, a->role, 8, err);
}

static enum mauth_rc
has(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_role_has(txn, &a->p, a->role, err);
}

static enum mauth_rc
drop_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_role_drop_all(txn, &((const struct act *)arg)->p, err);
}

static enum mauth_rc
page(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_role_page(txn, a->of, a->after, a->limit, &a->page, err);
}

static enum mauth_rc
state_of(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, &((struct act *)arg)->number, err);
}

static uint64_t
number(struct kv *kv)
{
    struct act a;

    assert_int_equal(kv_read(kv, state_of, &a, NULL), MAUTH_OK);
    return a.number;
}

/* A user and a service with ids of the same bytes: they are not one another. */
static void
make_both(struct kv *kv)
{
    struct act a = {.p = {ID_USER, {.b = {1}}},
        .who = {text_of("https://i.example"), text_of("alice")},
        .service = {.id = {.b = {1}}, .name = "storage"}};

    assert_int_equal(kv_write(kv, create_user, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_write(kv, create_service, &a, NULL), MAUTH_OK);
}

static void
grants_and_revokes(void **state)
{
    struct act a = {.p = {ID_USER, {.b = {1}}}, .role = "admin"};
    struct act other = {.p = {ID_SERVICE, {.b = {1}}}, .role = "admin"};
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    make_both(s.kv);
    before = number(s.kv);
    assert_int_equal(kv_read(s.kv, has, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_write(s.kv, take_away, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_write(s.kv, grant, &a, NULL), MAUTH_OK);
    assert_int_equal(number(s.kv), before + 1);
    assert_int_equal(kv_write(s.kv, grant, &a, NULL), MAUTH_CONFLICT);
    assert_int_equal(number(s.kv), before + 1);
    assert_int_equal(kv_read(s.kv, has, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, has, &other, NULL), MAUTH_NOT_FOUND);
    other.p = a.p;
    other.role = "admi";
    assert_int_equal(kv_read(s.kv, has, &other, NULL), MAUTH_NOT_FOUND);
    other.role = "admins";
    assert_int_equal(kv_read(s.kv, has, &other, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(revoked_since(s.kv, ID_USER, &a.p.id), 0);
    assert_int_equal(kv_write(s.kv, take_away, &a, NULL), MAUTH_OK);
    assert_int_equal(revoked_since(s.kv, ID_USER, &a.p.id), before + 2);
    assert_int_equal(number(s.kv), before + 2);
    assert_int_equal(kv_read(s.kv, has, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_write(s.kv, take_away, &a, NULL), MAUTH_NOT_FOUND);
    store_remove(&s);
}

static const struct refusal {
    const char *why;
    struct graph_principal p;
    const char *role;
    enum mauth_rc rc;
} refusals[] = {
    {"no role", {ID_USER, {.b = {1}}}, "", MAUTH_INVALID},
    {"upper case", {ID_USER, {.b = {1}}}, "Admin", MAUTH_INVALID},
    {"a blank", {ID_USER, {.b = {1}}}, "ad min", MAUTH_INVALID},
    {"65 characters", {ID_USER, {.b = {1}}},
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        MAUTH_INVALID},
    {"nobody", {ID_USER, {.b = {2}}}, "admin", MAUTH_NOT_FOUND},
    {"no such service", {ID_SERVICE, {.b = {2}}}, "admin", MAUTH_NOT_FOUND},
    {"a device", {ID_DEVICE, {.b = {1}}}, "admin", MAUTH_INVALID},
};

static void
refuses(void **state)
{
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    make_both(s.kv);
    before = number(s.kv);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct act a = {.p = refusals[i].p, .role = refusals[i].role};

        if (kv_write(s.kv, grant, &a, NULL) != refusals[i].rc)
            fail_msg("%s", refusals[i].why);
        assert_int_equal(kv_read(s.kv, has, &a, NULL), MAUTH_NOT_FOUND);
    }
    assert_int_equal(number(s.kv), before);
    store_remove(&s);
}

static void
reads_principals(void **state)
{
    static const char *const bad[] = {"", "usr_", "dev_0aaaaaaaaaaaaaaaaaaaaaaaaa",
        "usr_0aaaaaaaaaaaaaaaaaaaaaaaaaa", "USR_0aaaaaaaaaaaaaaaaaaaaaaaaa", "admin"};
    struct graph_principal p;

    (void)state;
    assert_true(graph_principal_parse(text_of("usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"), &p));
    assert_int_equal(p.kind, ID_USER);
    assert_true(graph_principal_parse(text_of("svc_0aaaaaaaaaaaaaaaaaaaaaaaaa"), &p));
    assert_int_equal(p.kind, ID_SERVICE);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(graph_principal_parse(text_of(bad[i]), &p));
}

static void
grant_many(struct kv *kv, enum id_kind kind, unsigned count)
{
    struct act a = {.p = {kind, {.b = {1}}}};
    char role[16];

    a.role = role;
    for (unsigned i = 0; i < count; i++) {
        snprintf(role, sizeof(role), "r%u", i);
        assert_int_equal(kv_write(kv, grant, &a, NULL), MAUTH_OK);
    }
}

static size_t
count_of(struct kv *kv, const struct graph_principal *of)
{
    struct act a = {.of = of};
    struct graph_grant last;
    size_t seen = 0;

    do {
        assert_int_equal(kv_read(kv, page, &a, NULL), MAUTH_OK);
        seen += a.page.count;
        for (size_t i = 0; i < a.page.count; i++) {
            assert_int_equal(a.page.item[i].granted_s, 7);
            if (of)
                assert_int_equal(a.page.item[i].principal.kind, of->kind);
        }
        if (a.page.more)
            last = a.page.item[a.page.count - 1];
        a.after = &last;
    } while (a.page.more);
    return seen;
}

static void
pages_and_drops(void **state)
{
    const struct graph_principal user = {ID_USER, {.b = {1}}};
    const struct graph_principal service = {ID_SERVICE, {.b = {1}}};
    struct act a = {.p = user, .limit = 3};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    make_both(s.kv);
    grant_many(s.kv, ID_USER, 150);
    grant_many(s.kv, ID_SERVICE, 3);
    assert_int_equal(count_of(s.kv, &user), 150);
    assert_int_equal(count_of(s.kv, &service), 3);
    assert_int_equal(count_of(s.kv, NULL), 153);
    assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_OK);
    assert_int_equal(a.page.count, 3);
    assert_true(a.page.more);
    assert_int_equal(kv_write(s.kv, drop_all, &a, NULL), MAUTH_OK);
    assert_int_equal(count_of(s.kv, &user), 0);
    assert_int_equal(count_of(s.kv, NULL), 3);
    assert_int_equal(revoked_since(s.kv, ID_USER, &user.id), 0);
    store_remove(&s);
}

static void
notices_damage(void **state)
{
    struct act a = {.p = {ID_USER, {.b = {1}}}, .role = "admin"};
    struct store_record record;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    make_both(s.kv);
    assert_int_equal(kv_write(s.kv, grant, &a, NULL), MAUTH_OK);
    store_key(&key, SPACE_ROLE, NULL, 0);
    buf_u8(&key.b, ID_USER);
    buf_put(&key.b, a.p.id.b, ID_BYTES);
    buf_str(&key.b, "admin");
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    record.len--;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(grants_and_revokes),
        cmocka_unit_test(refuses),
        cmocka_unit_test(reads_principals),
        cmocka_unit_test(pages_and_drops),
        cmocka_unit_test(notices_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
