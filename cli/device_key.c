#include "cli/device_key.h"

#include <unistd.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/time.h"
#include "cli/certificate.h"

enum {
    PEM_MAX = 65536
};

/* With no extension that anyone could judge. */
static const struct certificate shown = {
    .common_name = "meshauth device", .from_s = 0, .until_s = TIME_MAX_S};

enum mauth_rc
device_key_put(const char *key_file, struct text pem, struct mauth_err *err)
{
    enum mauth_rc rc = file_create(key_file, pem.p, pem.len, FILE_PRIVATE, err);

    if (rc != MAUTH_CONFLICT)
        return rc;
    mauth_err_reset(err); /* another login was faster: its key is as good */
    return MAUTH_OK;
}

static enum mauth_rc
make_key(const char *key_file, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    struct buf pem;

    if (access(key_file, F_OK) == 0)
        return MAUTH_OK;
    buf_init_secret(&pem);
    rc = pem_new_p256(&pem, err);
    if (rc == MAUTH_OK)
        rc = device_key_put(key_file, buf_slice(&pem), err);
    buf_clear(&pem);
    return rc;
}

/* Its public half. */
static enum mauth_rc
public_of(const struct buf *pem, struct mauth_key **out, struct mauth_err *err)
{
    struct buf cert;
    enum mauth_rc rc;

    buf_init(&cert);
    rc = certificate_self_sign(&shown, buf_slice(pem), &cert, err);
    if (rc == MAUTH_OK)
        rc = mauth_key_from_pem((const char *)cert.data, cert.len, out, err);
    buf_clear(&cert);
    return rc;
}

enum mauth_rc
device_key_prepare(const char *key_file, struct buf *pem, struct mauth_key **out,
    struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    struct buf kept;
    enum mauth_rc rc;

    *out = NULL;
    buf_init_secret(&kept);
    rc = file_read_secret(key_file, PEM_MAX, &kept, &why);
    if (rc == MAUTH_OK && public_of(&kept, out, NULL) != MAUTH_OK)
        rc = mauth_fail(&why, MAUTH_MALFORMED,
            "%s: holds no private key that could be used", key_file);
    buf_clear(&kept);
    if (rc != MAUTH_NOT_FOUND)
        return rc ? mauth_fail(err, rc, "%s", why.text) : MAUTH_OK;
    rc = pem_new_p256(pem, err);
    return rc ? rc : public_of(pem, out, err);
}

/* Always for the key that lies there. */
static enum mauth_rc
make_certificate(
    const char *key_file, const char *certificate_file, struct mauth_err *err)
{
    struct buf key, cert;
    enum mauth_rc rc;

    if (access(certificate_file, F_OK) == 0)
        return MAUTH_OK;
    buf_init_secret(&key);
    buf_init(&cert);
    rc = file_read_secret(key_file, PEM_MAX, &key, err);
    if (rc == MAUTH_OK) {
        struct text pem = buf_slice(&key);

        if (certificate_self_sign(&shown, pem, &cert, NULL) != MAUTH_OK)
            rc = mauth_fail(err, MAUTH_MALFORMED,
                "%s: holds no private key that could be used", key_file);
    }
    if (rc == MAUTH_OK)
        rc = file_replace(certificate_file, cert.data, cert.len, FILE_PRIVATE, err);
    buf_clear(&cert);
    buf_clear(&key);
    return rc;
}

enum mauth_rc
device_key_make(
    const char *key_file, const char *certificate_file, struct mauth_err *err)
{
    enum mauth_rc rc = make_key(key_file, err);

    return rc ? rc : make_certificate(key_file, certificate_file, err);
}

enum mauth_rc
device_key_load(
    const char *certificate_file, struct mauth_key **out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf pem;

    *out = NULL;
    buf_init(&pem);
    rc = file_read(certificate_file, PEM_MAX, &pem, err);
    if (rc == MAUTH_OK &&
        mauth_key_from_pem((const char *)pem.data, pem.len, out, NULL) != MAUTH_OK)
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "%s: holds no certificate that could be used", certificate_file);
    buf_clear(&pem);
    return rc;
}
