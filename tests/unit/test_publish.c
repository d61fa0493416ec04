#include <sys/stat.h>

#include "base/file.h"
#include "keys/trust_write.h"
#include "store/publish.h"
#include "tests/unit/store_dir.h"

/* A service that may publish for https://a.example in epoch 3, from 1000 to 9000. */
struct press {
    struct store_dir s;
    struct mauth_secret *seal;
    struct keystore_authority authority;
    struct buf delegation, pkcs8;
    char vkey[NOTE_VKEY_MAX + 1], path[96];
    struct keystore *keys;
    struct publish_options o;
};

static enum mauth_rc
put(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const struct keystore_key key = {TRUST_ACTIVE, 1000, 9000, "*"};
    static const uint8_t nonce[2][12] = {{1}, {2}};
    struct press *p = arg;
    struct text der = {(char *)p->pkcs8.data, p->pkcs8.len};
    enum mauth_rc rc;

    rc = keystore_authority_put(txn, p->seal, &p->authority, nonce[0], err);
    return rc ? rc : keystore_key_add(txn, p->seal, &key, der, nonce[1], err);
}

static enum mauth_rc
load(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    return keystore_load(txn, p->seal, &p->keys, err);
}

static void
delegate(struct press *p)
{
    struct trust_delegation d = {
        "https://a.example", 3, &p->authority.verifier, 1000, 9000};
    uint8_t seed[NOTE_KEY_BYTES], key[NOTE_KEY_BYTES];
    struct note_verifier root;

    assert_int_equal(note_generate(p->authority.seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("a.example/authority", key, &p->authority.verifier, NULL),
        MAUTH_OK);
    assert_int_equal(note_generate(seed, key, NULL), MAUTH_OK);
    assert_int_equal(note_verifier_make("a.example/root", key, &root, NULL), MAUTH_OK);
    note_verifier_format(&root, p->vkey);
    assert_int_equal(
        trust_write_delegation(&d, &root, seed, &p->delegation, NULL), MAUTH_OK);
    p->authority.epoch = 3;
    p->authority.delegation =
        (struct text){(char *)p->delegation.data, p->delegation.len};
}

static void
set_up(struct press *p)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {1};

    memset(p, 0, sizeof(*p));
    buf_init(&p->delegation);
    buf_init_secret(&p->pkcs8);
    store_make(&p->s, "?twice=1");
    snprintf(p->path, sizeof(p->path), "%s/trust", p->s.dir);
    p->o = (struct publish_options){"https://a.example", p->path, 3600, 1500};
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &p->seal, NULL), MAUTH_OK);
    assert_int_equal(signer_generate(SIGNER_P256, &p->pkcs8, NULL), MAUTH_OK);
    delegate(p);
    assert_int_equal(kv_write(p->s.kv, put, p, NULL), MAUTH_OK);
    assert_int_equal(kv_read(p->s.kv, load, p, NULL), MAUTH_OK);
}

static void
tear_down(struct press *p)
{
    unlink(p->path);
    keystore_free(p->keys);
    mauth_secret_free(p->seal);
    buf_clear(&p->delegation);
    buf_clear(&p->pkcs8);
    store_remove(&p->s);
}

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
    set_up(&p);
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
    tear_down(&p);
}

/* A number whose file did not come to be is not used for another one. */
static void
uses_each_number_once(void **state)
{
    struct mauth_trust *trust;
    struct press p;
    uint64_t first;

    (void)state;
    set_up(&p);
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
    tear_down(&p);
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
    set_up(&p);
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
    tear_down(&p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes_trust),
        cmocka_unit_test(uses_each_number_once),
        cmocka_unit_test(keeps_the_old_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
