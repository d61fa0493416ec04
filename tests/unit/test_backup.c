#include <sys/stat.h>

#include "base/fail.h"
#include "base/file.h"
#include "store/backup.h"
#include "store/graph_restore.h"
#include "store/metadata_key.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/press.h"

/* A service, its backup, and a place for another store. */
struct world {
    struct press press;
    char file[96];
    struct store_dir to; /* its store is not made yet */
    char store[96], building[96];
    struct backup_head head;
    size_t finished;
    enum mauth_rc finish;
};

static enum mauth_rc
note(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t salt[AUDIT_SALT] = {4};
    const struct audit_record r = {
        .time_us = 1, .actor = "uid:0", .action = "init", .outcome = "done"};

    (void)arg;
    return audit_append_record(txn, &r, salt, err);
}

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    press_set_up(&w.press);
    assert_int_equal(kv_write(w.press.s.kv, note, NULL, NULL), MAUTH_OK);
    snprintf(w.file, sizeof(w.file), "%s/backup", w.press.s.dir);
    assert_int_equal(
        backup_make(w.press.s.kv, "https://a.example", 1500, w.file, &w.head, NULL),
        MAUTH_OK);
    store_make(&w.to, "");
    kv_close(w.to.kv);
    w.to.kv = NULL;
    snprintf(w.store, sizeof(w.store), "%s/store", w.to.dir);
    snprintf(w.building, sizeof(w.building), "%s/store.restoring", w.to.dir);
    for (const char *const *f =
             (const char *const[]){"data.mdb", "lock.mdb", "lock", NULL};
         *f; f++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", w.store, *f);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(w.store), 0);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    assert_int_not_equal(access(w->building, F_OK), 0); /* never left */
    unlink(w->file);
    store_remove(&w->to);
    press_tear_down(&w->press);
    return 0;
}

/* Looks at the store before it takes its place. */
static enum mauth_rc
finish(struct kv *kv, void *arg, struct mauth_err *err)
{
    struct world *w = arg;
    struct audit_log log;

    assert_int_not_equal(access(w->store, F_OK), 0);
    audit_log_read(&log, kv);
    assert_string_equal(audit_log_text(&log, 0, "action"), "restore");
    assert_int_equal(log.count, w->head.tree.size + 1);
    audit_log_clear(&log);
    w->finished++;
    return w->finish ? mauth_fail(err, w->finish, "not so") : MAUTH_OK;
}

static struct restore
plan(struct world *w)
{
    return (struct restore){
        .store = w->to.url,
        .backup = w->file,
        .issuer = "https://a.example",
        .seal = w->press.seal,
        .now_s = 1600,
        .who = {.actor = "uid:0", .client = "local"},
        .finish = finish,
        .arg = w,
    };
}

static enum mauth_rc
load_keys(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    keystore_free(p->keys);
    p->keys = NULL;
    return keystore_load(txn, p->seal, &p->keys, err);
}

static enum mauth_rc
replace_authority(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    enum mauth_rc rc = press_renew(txn, arg, err);

    return rc ? rc : authority_resume(txn, err);
}

static void
waits_for_another_authority(void **state)
{
    struct world *w = *state;
    struct restore r = plan(w);

    assert_int_equal(restore_run(&r, NULL), MAUTH_OK);
    assert_int_equal(w->finished, 1);
    assert_int_equal(r.head.tree.size, w->head.tree.size);
    assert_int_equal(r.state, w->head.state + GRAPH_LEAP);
    assert_int_equal(kv_open(w->to.url, KV_OPEN, &w->to.kv, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->to.kv, load_keys, &w->press, NULL), MAUTH_UNAVAILABLE);
    /* Sealing it anew is no other one. */
    assert_int_equal(kv_write(w->to.kv, press_renew, &w->press, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->to.kv, load_keys, &w->press, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_write(w->to.kv, replace_authority, &w->press, NULL), MAUTH_OK);
    assert_int_equal(kv_read(w->to.kv, load_keys, &w->press, NULL), MAUTH_OK);
}

static void
leaves_nothing_when_the_end_fails(void **state)
{
    struct world *w = *state;
    struct restore r = plan(w);

    w->finish = MAUTH_CONFLICT;
    assert_int_equal(restore_run(&r, NULL), MAUTH_CONFLICT);
    assert_int_equal(w->finished, 1);
    assert_int_not_equal(access(w->store, F_OK), 0);
    w->finish = MAUTH_OK;
    r = plan(w);
    assert_int_equal(restore_run(&r, NULL), MAUTH_OK);
}

static void
refuses_what_is_not_ours(void **state)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {99};
    struct mauth_secret *other = NULL;
    struct world *w = *state;
    struct restore r = plan(w);

    r.issuer = "https://b.example";
    assert_int_equal(restore_run(&r, NULL), MAUTH_UNTRUSTED);
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &other, NULL), MAUTH_OK);
    r = plan(w);
    r.seal = other;
    assert_int_equal(restore_run(&r, NULL), MAUTH_DENIED);
    r = plan(w);
    r.backup = "/nowhere/at/all";
    assert_int_equal(restore_run(&r, NULL), MAUTH_NOT_FOUND);
    r = plan(w);
    r.store = "postgresql:x";
    assert_int_equal(restore_run(&r, NULL), MAUTH_INVALID);
    assert_int_equal(w->finished, 0);
    assert_int_not_equal(access(w->store, F_OK), 0);
    mauth_secret_free(other);
}

static enum mauth_rc
put_metadata_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {9};
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_make(&k, 1000, err);
    if (rc == MAUTH_OK)
        rc = metadata_key_put(txn, arg, &k, nonce, err);
    metadata_key_clear(&k);
    return rc;
}

/* Every key opens, or the service would find out when it is too late. */
static void
refuses_a_metadata_key_under_another_seal(void **state)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {99};
    struct world *w = *state;
    struct mauth_secret *seals[] = {NULL, w->press.seal};
    static const enum mauth_rc want[] = {MAUTH_DENIED, MAUTH_OK};
    struct kv *kv = w->press.s.kv;

    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &seals[0], NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(want); i++) {
        struct restore r = plan(w);

        assert_int_equal(kv_write(kv, put_metadata_key, seals[i], NULL), MAUTH_OK);
        assert_int_equal(unlink(w->file), 0);
        assert_int_equal(
            backup_make(kv, "https://a.example", 1500, w->file, &w->head, NULL),
            MAUTH_OK);
        assert_int_equal(restore_run(&r, NULL), want[i]);
    }
    assert_int_equal(w->finished, 1);
    mauth_secret_free(seals[0]);
}

static void
takes_no_place_of_another(void **state)
{
    struct world *w = *state;
    struct restore r = plan(w);
    char url[160], path[128];
    struct kv *kv = NULL;

    assert_int_equal(kv_open(w->to.url, KV_CREATE, &w->to.kv, NULL), MAUTH_OK);
    assert_int_equal(restore_run(&r, NULL), MAUTH_CONFLICT);
    store_reopen(&w->to);
    kv_close(w->to.kv);
    w->to.kv = NULL;
    assert_int_equal(restore_run(&r, NULL), MAUTH_CONFLICT);
    assert_int_equal(w->finished, 0);
    store_remove(&w->to);
    assert_int_equal(mkdir(w->to.dir, 0700), 0);

    /* Two at once, and what one has left that was killed. */
    snprintf(url, sizeof(url), "lmdb:%s", w->building);
    assert_int_equal(kv_open(url, KV_CREATE, &kv, NULL), MAUTH_OK);
    assert_int_equal(restore_run(&r, NULL), MAUTH_CONFLICT);
    snprintf(path, sizeof(path), "%s/data.mdb", w->building);
    assert_int_equal(access(path, F_OK), 0);
    kv_close(kv);
    assert_int_equal(restore_run(&r, NULL), MAUTH_OK);
    assert_int_equal(w->finished, 1);
}

int
main(void)
{
#define WORLD(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        WORLD(waits_for_another_authority),
        WORLD(leaves_nothing_when_the_end_fails),
        WORLD(refuses_what_is_not_ours),
        WORLD(refuses_a_metadata_key_under_another_seal),
        WORLD(takes_no_place_of_another),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
