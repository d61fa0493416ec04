#include <sys/stat.h>

#include "base/file.h"
#include "store/revocations.h"
#include "tests/unit/press.h"

/* What lies at the path, as a verifier that pins the root reads it. */
static struct mauth_trust *
published(const struct press *p)
{
    struct mauth_trust *trust = NULL;
    struct buf file;

    buf_init(&file);
    assert_int_equal(file_read(p->path, MAUTH_TRUST_MAX, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, p->vkey, &trust, NULL), MAUTH_OK);
    buf_clear(&file);
    return trust;
}

static void
publishes_trust(void **state)
{
    struct mauth_trust *first, *second;
    struct press p;
    struct stat st;

    (void)state;
    press_set_up(&p);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    first = published(&p);
    p.o.now_s = 1560;
    store_reopen(&p.s);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    second = published(&p);
    assert_int_equal(mauth_trust_epoch(second), 3);
    assert_int_equal(mauth_trust_issued_s(second), 1560);
    assert_int_equal(mauth_trust_expires_s(second), 1560 + 3600);
    assert_int_equal(mauth_trust_follows(first, second, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(second, first, NULL), MAUTH_DENIED);
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    mauth_trust_free(first);
    mauth_trust_free(second);
    press_tear_down(&p);
}

/* A number whose file did not come to be is not used for another one. */
static void
uses_each_number_once(void **state)
{
    struct mauth_trust *trust;
    struct press p;
    uint64_t first;

    (void)state;
    press_set_up(&p);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    trust = published(&p);
    first = mauth_trust_sequence(trust);
    mauth_trust_free(trust);
    p.o.path = "/nowhere/at/all";
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_UNAVAILABLE);
    p.o.path = p.path;
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    trust = published(&p);
    assert_int_equal(mauth_trust_sequence(trust), first + 2);
    mauth_trust_free(trust);
    press_tear_down(&p);
}

/* A file that readers would refuse does not replace one that they take. */
static void
keeps_the_old_file(void **state)
{
    static const struct {
        const char *name, *issuer;
        int64_t now_s, life_s;
        enum mauth_rc rc;
    } cases[] = {
        {"authority not yet", "https://a.example", 999, 60, MAUTH_EXPIRED},
        {"authority no more", "https://a.example", 9000, 60, MAUTH_EXPIRED},
        {"another issuer", "https://b.example", 1560, 60, MAUTH_INVALID},
        {"no life", "https://a.example", 1560, 0, MAUTH_INVALID},
        {"too long a life", "https://a.example", 1560, 43201, MAUTH_INVALID},
    };
    struct mauth_trust *trust;
    struct press p;

    (void)state;
    press_set_up(&p);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct publish_options o = {
            cases[i].issuer, p.path, cases[i].life_s, cases[i].now_s};
        enum mauth_rc rc = publish_trust(p.s.kv, p.keys, &o, NULL);

        if (rc != cases[i].rc)
            fail_msg("%s: %s", cases[i].name, mauth_rc_name(rc));
        trust = published(&p);
        assert_int_equal(mauth_trust_issued_s(trust), 1500);
        mauth_trust_free(trust);
    }
    press_tear_down(&p);
}

static enum mauth_rc
revoke_alice(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct revoked r = {
        .state = 7, .count = 1, .id = {"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"}};

    (void)arg;
    return revocations_add(txn, &r, err);
}

static void
tells_of_revocations(void **state)
{
    struct press p;
    struct buf file;

    (void)state;
    press_set_up(&p);
    assert_int_equal(kv_write(p.s.kv, revoke_alice, NULL, NULL), MAUTH_OK);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    mauth_trust_free(published(&p));
    buf_init(&file);
    assert_int_equal(file_read(p.path, MAUTH_TRUST_MAX, &file, NULL), MAUTH_OK);
    assert_non_null(
        strstr(buf_cstr(&file), "\n\nrevoke 7 usr_0aaaaaaaaaaaaaaaaaaaaaaaaa\n"));
    buf_clear(&file);
    press_tear_down(&p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes_trust),
        cmocka_unit_test(uses_each_number_once),
        cmocka_unit_test(keeps_the_old_file),
        cmocka_unit_test(tells_of_revocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
