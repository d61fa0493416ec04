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
        rc = file_create(key_file, pem.data, pem.len, FILE_PRIVATE, err);
    if (rc == MAUTH_CONFLICT) { /* another login was faster: its key is as good */
        mauth_err_reset(err);
        rc = MAUTH_OK;
    }
    buf_clear(&pem);
    return rc;
}

/* Always for the key that lies there, with no extension that anyone could judge. */
static enum mauth_rc
make_certificate(
    const char *key_file, const char *certificate_file, struct mauth_err *err)
{
    static const struct certificate c = {
        .common_name = "meshauth device", .from_s = 0, .until_s = TIME_MAX_S};
    struct buf key, cert;
    enum mauth_rc rc;

    if (access(certificate_file, F_OK) == 0)
        return MAUTH_OK;
    buf_init_secret(&key);
    buf_init(&cert);
    rc = file_read_secret(key_file, PEM_MAX, &key, err);
    if (rc == MAUTH_OK) {
        struct text pem = {(const char *)key.data, key.len};

        if (certificate_self_sign(&c, pem, &cert, NULL) != MAUTH_OK)
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
