/* authsvc/rules_in_force.h */
#include <pthread.h>
#include <stdatomic.h>

#include "authsvc/rules_in_force.h"
#include "store/revocations.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/store_dir.h"

static const char these[] = "allow create if caller(U), account(U).\n";
static const char those[] = "allow create if caller(_).\n";

struct place {
    struct store_dir s;
    char file[96];
};

static void
put(const struct place *p, const char *text)
{
    FILE *f = fopen(p->file, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void
set_up(struct place *p)
{
    store_make(&p->s, "?twice=1");
    snprintf(p->file, sizeof(p->file), "%s/mesh.rules", p->s.dir);
    put(p, these);
}

static void
tear_down(struct place *p)
{
    unlink(p->file);
    store_remove(&p->s);
}

static struct rules_in_force *
open_rules(const struct place *p)
{
    struct rules_in_force *r = NULL;

    assert_int_equal(in_force_open(p->s.kv, p->file, &r, NULL), MAUTH_OK);
    return r;
}

static enum mauth_rc
check(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return in_force_check(txn, arg, err);
}

static enum mauth_rc
still(const struct place *p, struct shared_ref *ref)
{
    return kv_read(p->s.kv, check, ref, NULL);
}

static enum mauth_rc
find_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const struct revoked all = {.count = 0};
    enum mauth_rc rc = revocations_find(txn, &all, arg, err);

    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

/* Since which state all tickets are revoked; 0: they are not. */
static uint64_t
all_revoked_since(const struct place *p)
{
    uint64_t state = 0;

    assert_int_equal(kv_read(p->s.kv, find_all, &state, NULL), MAUTH_OK);
    return state;
}

static size_t
records(const struct place *p)
{
    struct audit_log log;
    size_t count = 0;

    audit_log_read(&log, p->s.kv);
    for (size_t i = 0; i < log.count; i++) {
        if (strcmp(audit_log_text(&log, i, "action"), "rules.load") == 0)
            count++;
    }
    audit_log_clear(&log);
    return count;
}

static const struct {
    const char *name, *text; /* NULL: there is no file */
    enum mauth_rc rc;
    const char *where;
} bad[] = {
    {"no file", NULL, MAUTH_NOT_FOUND, "mesh.rules"},
    {"no rule", "allow\n", MAUTH_MALFORMED, "mesh.rules: line 2, column 1"},
    {"unknown fact", "allow create if nobody(U).\n", MAUTH_MALFORMED,
        "mesh.rules: line 1, column 17"},
    {"end is missing", "allow create if caller(U)", MAUTH_MALFORMED,
        "mesh.rules: line 1, column"},
};

static void
spoil(const struct place *p, size_t i)
{
    if (bad[i].text)
        put(p, bad[i].text);
    else
        unlink(p->file);
}

static void
opens_no_bad_rules(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        static max_align_t anything;
        struct rules_in_force *r = (struct rules_in_force *)&anything;
        struct mauth_err err = MAUTH_ERR_INIT;
        struct place p;
        enum mauth_rc rc;

        set_up(&p);
        spoil(&p, i);
        rc = in_force_open(p.s.kv, p.file, &r, &err);
        if (rc != bad[i].rc || !strstr(err.text, bad[i].where))
            fail_msg("%s: %s, %s", bad[i].name, mauth_rc_name(rc), err.text);
        assert_null(r);
        assert_int_equal(all_revoked_since(&p), 0);
        assert_int_equal(records(&p), 0);
        tear_down(&p);
    }
    in_force_close(NULL);
}

static void
keeps_the_old_for_bad_ones(void **state)
{
    struct rules_in_force *r;
    struct place p;
    uint64_t since;

    (void)state;
    set_up(&p);
    r = open_rules(&p);
    since = all_revoked_since(&p);
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct mauth_err err = MAUTH_ERR_INIT;
        struct shared_ref *ref;
        bool changed = true;
        enum mauth_rc rc;

        spoil(&p, i);
        rc = in_force_reload(r, &changed, &err);
        if (rc != bad[i].rc || !strstr(err.text, bad[i].where))
            fail_msg("%s: %s, %s", bad[i].name, mauth_rc_name(rc), err.text);
        assert_false(changed);
        ref = in_force_take(r, NULL);
        assert_int_equal(still(&p, ref), MAUTH_OK);
        shared_drop(ref);
    }
    assert_int_equal(all_revoked_since(&p), since);
    assert_int_equal(records(&p), 1);
    in_force_close(r);
    tear_down(&p);
}

/* Who decides by the old ones, in a later transaction, has to start again. */
static void
replaces_them_under_who_holds_them(void **state)
{
    struct shared_ref *old, *new;
    struct rules_in_force *r;
    struct place p;
    uint64_t since;
    bool changed;

    (void)state;
    set_up(&p);
    r = open_rules(&p);
    since = all_revoked_since(&p);
    old = in_force_take(r, NULL);
    assert_int_equal(still(&p, old), MAUTH_OK);
    put(&p, those);
    assert_int_equal(still(&p, old), MAUTH_OK); /* until they are read */
    assert_int_equal(in_force_reload(r, &changed, NULL), MAUTH_OK);
    assert_true(changed);
    new = in_force_take(r, NULL);
    assert_int_equal(still(&p, old), MAUTH_CONFLICT);
    assert_int_equal(still(&p, new), MAUTH_OK);
    assert_string_equal(mauth_rules_text(in_force_rules(old), 0),
        "allow create if caller(U), account(U).");
    assert_int_equal(all_revoked_since(&p), since + 1);
    assert_int_equal(records(&p), 2);
    shared_drop(old);
    shared_drop(new);
    in_force_close(r);
    tear_down(&p);
}

/* Whoever proves something all the time, while the rules are replaced. */
struct asker {
    const struct place *p;
    struct rules_in_force *r;
    atomic_bool stop;
    size_t asked, again, refused;
};

static void *
ask(void *arg)
{
    struct asker *a = arg;

    while (!atomic_load(&a->stop)) {
        struct shared_ref *tried = NULL, *ref = NULL;
        enum mauth_rc rc = MAUTH_CONFLICT;

        for (int runs = 0; runs < 3 && rc == MAUTH_CONFLICT; runs++) {
            ref = in_force_take(a->r, tried);
            shared_drop(tried);
            rc = still(a->p, ref);
            tried = ref;
            a->again += rc == MAUTH_CONFLICT;
        }
        shared_drop(ref);
        a->refused += rc != MAUTH_OK;
        a->asked++;
    }
    return NULL;
}

/*
 * The store has the new rules a moment before we know: who asked in between was refused,
 * though there were rules that would have done.
 */
static void
refuses_nobody_while_they_are_replaced(void **state)
{
    struct asker a = {.asked = 0};
    struct place p;
    pthread_t thread;
    bool changed;

    (void)state;
    set_up(&p);
    a.p = &p;
    a.r = open_rules(&p);
    assert_int_equal(pthread_create(&thread, NULL, ask, &a), 0);
    for (int i = 0; i < 200; i++) {
        put(&p, i % 2 ? these : those);
        assert_int_equal(in_force_reload(a.r, &changed, NULL), MAUTH_OK);
        assert_true(changed);
    }
    atomic_store(&a.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    print_message("%zu asked, %zu had to ask again\n", a.asked, a.again);
    assert_int_equal(a.refused, 0);
    assert_true(a.asked > 200);
    in_force_close(a.r);
    tear_down(&p);
}

/* Neither a reload nor a start revokes anything when nothing is new. */
static void
revokes_nothing_for_the_same(void **state)
{
    struct rules_in_force *r;
    struct place p;
    uint64_t since;
    bool changed;

    (void)state;
    set_up(&p);
    r = open_rules(&p);
    since = all_revoked_since(&p);
    assert_int_equal(in_force_reload(r, &changed, NULL), MAUTH_OK);
    assert_false(changed);
    in_force_close(r);
    store_reopen(&p.s);
    in_force_close(open_rules(&p));
    assert_int_equal(all_revoked_since(&p), since);
    assert_int_equal(records(&p), 1);
    put(&p, those);
    in_force_close(open_rules(&p));
    assert_int_equal(all_revoked_since(&p), since + 1);
    assert_int_equal(records(&p), 2);
    tear_down(&p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_no_bad_rules),
        cmocka_unit_test(keeps_the_old_for_bad_ones),
        cmocka_unit_test(replaces_them_under_who_holds_them),
        cmocka_unit_test(refuses_nobody_while_they_are_replaced),
        cmocka_unit_test(revokes_nothing_for_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
