/* Keys, signers, notes and trust files, with each allocation failing in turn. */
#include "keys/key_certificate.h"
#include "keys/trust_delta.h"
#include "keys/trust_write.h"
#include "tests/unit/forge.h"
#include "tests/unit/starve.h"

static enum mauth_rc
read_spki(void *arg, struct mauth_err *err)
{
    const struct mauth_key *from = arg;
    struct mauth_key *key = NULL;
    const uint8_t *spki;
    enum mauth_rc rc;
    size_t len;

    spki = mauth_key_spki(from, &len);
    rc = mauth_key_from_spki(spki, len, &key, err);
    assert_true((rc == MAUTH_OK) == (key != NULL));
    mauth_key_free(key);
    return rc;
}

static enum mauth_rc
read_pem(void *arg, struct mauth_err *err)
{
    const char *pem = arg;
    struct mauth_key *key = NULL;
    enum mauth_rc rc = mauth_key_from_pem(pem, strlen(pem), &key, err);

    assert_true((rc == MAUTH_OK) == (key != NULL));
    mauth_key_free(key);
    return rc;
}

static enum mauth_rc
trust_key(void *arg, struct mauth_err *err)
{
    struct mauth_trust *trust = NULL;
    enum mauth_rc rc = mauth_trust_from_key(GOLDEN_ISSUER, arg, &trust, err);

    assert_true((rc == MAUTH_OK) == (trust != NULL));
    mauth_trust_free(trust);
    return rc;
}

static enum mauth_rc
make_signer(void *arg, struct mauth_err *err)
{
    struct signer *signer = NULL;
    struct buf pkcs8;
    enum mauth_rc rc;

    (void)arg;
    buf_init_secret(&pkcs8);
    rc = signer_generate(SIGNER_P256, &pkcs8, err);
    if (rc == MAUTH_OK)
        rc = signer_from_pkcs8(pkcs8.data, pkcs8.len, &signer, err);
    assert_true((rc == MAUTH_OK) == (signer != NULL));
    signer_free(signer);
    buf_clear(&pkcs8);
    return rc;
}

static enum mauth_rc
certify(void *arg, struct mauth_err *err)
{
    struct buf der;
    enum mauth_rc rc;

    buf_init(&der);
    rc = key_certificate_make(arg, 0, TIME_MAX_S, &der, err);
    assert_true(rc != MAUTH_OK || (buf_ok(&der) && der.len > 0));
    buf_clear(&der);
    return rc;
}

static void
starves_certificates(void **state)
{
    static const enum signer_kind kinds[] = {SIGNER_P256, SIGNER_RSA2048};

    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct signer *signer = NULL;
        struct buf pkcs8;

        buf_init_secret(&pkcs8);
        assert_int_equal(signer_generate(kinds[i], &pkcs8, NULL), MAUTH_OK);
        assert_int_equal(
            signer_from_pkcs8(pkcs8.data, pkcs8.len, &signer, NULL), MAUTH_OK);
        starve("certificate", certify, signer);
        signer_free(signer);
        buf_clear(&pkcs8);
    }
}

static void
starves_keys(void **state)
{
    struct mauth_key *key = golden_key("signing-rsa2048.pub.pem");
    char *pem = golden_file("signing-p256.pub.pem", "", NULL);

    (void)state;
    starve("spki", read_spki, key);
    starve("pem", read_pem, pem);
    starve("trust from key", trust_key, key);
    starve("signer", make_signer, NULL);
    free(pem);
    mauth_key_free(key);
}

struct file {
    struct golden_statement says;
    char *data, *vkey;
    size_t len;
};

static enum mauth_rc
read_file(void *arg, struct mauth_err *err)
{
    const struct file *f = arg;
    struct mauth_trust *trust = NULL;
    enum mauth_rc rc = mauth_trust_parse(f->data, f->len, f->vkey, &trust, err);

    assert_true((rc == MAUTH_OK) == (trust != NULL));
    mauth_trust_free(trust);
    return rc;
}

static enum mauth_rc
write_file(void *arg, struct mauth_err *err)
{
    const struct file *f = arg;
    enum mauth_rc rc;
    struct buf out;

    buf_init(&out);
    rc = golden_write(&f->says, &out, err);
    assert_int_equal(out.len, rc == MAUTH_OK ? f->len : 0);
    if (rc == MAUTH_OK)
        assert_memory_equal(out.data, f->data, f->len);
    buf_clear(&out);
    return rc;
}

/* One is made of the file and itself, joined with itself, and applied. */
static enum mauth_rc
pass_delta(void *arg, struct mauth_err *err)
{
    const struct file *f = arg;
    struct text file = {f->data, f->len};
    struct buf out[3];
    enum mauth_rc rc;

    for (int i = 0; i < 3; i++)
        buf_init(&out[i]);
    rc = trust_delta_make(file, file, &out[0], err);
    if (rc == MAUTH_OK)
        rc = trust_delta_join(buf_slice(&out[0]), buf_slice(&out[0]), &out[1], err);
    if (rc == MAUTH_OK)
        rc = trust_delta_apply(file, buf_slice(&out[1]), &out[2], err);
    assert_int_equal(out[2].len, rc == MAUTH_OK ? f->len : 0);
    for (int i = 0; i < 3; i++)
        buf_clear(&out[i]);
    return rc;
}

static void
starves_the_trust_file(void **state)
{
    struct file f = {.vkey = golden_vkey()};

    (void)state;
    golden_statement_init(&f.says);
    f.data = golden_file("trust", "", &f.len);
    starve("read", read_file, &f);
    starve("write", write_file, &f);
    starve("delta", pass_delta, &f);
    golden_statement_clear(&f.says);
    free(f.data);
    free(f.vkey);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_keys),
        cmocka_unit_test(starves_certificates),
        cmocka_unit_test(starves_the_trust_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
