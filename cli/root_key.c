#include "cli/root_key.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "cli/certificate.h"

enum {
    FILE_MAX = 8192
};

enum mauth_rc
root_key_read(const char *path, struct mauth_secret **seed, struct mauth_err *err)
{
    struct buf file;
    enum mauth_rc rc;

    *seed = NULL;
    buf_init_secret(&file);
    rc = file_read_secret(path, FILE_MAX, &file, err);
    if (rc == MAUTH_OK && pem_to_seed(buf_slice(&file), seed, NULL) != MAUTH_OK)
        rc = mauth_fail(
            err, MAUTH_MALFORMED, "%s: not a private Ed25519 key in PEM", path);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
root_key_verifier(const struct mauth_secret *seed, struct text issuer,
    struct note_verifier *out, struct mauth_err *err)
{
    static const char scheme[] = "https://";
    char name[NOTE_NAME_MAX + 1];
    uint8_t key[NOTE_KEY_BYTES];
    enum mauth_rc rc;
    int n;

    if (!text_starts(issuer, scheme) || issuer.len > NOTE_NAME_MAX)
        return mauth_fail(err, MAUTH_INVALID, "the issuer is no https:// URL");
    n = snprintf(name, sizeof(name), "%.*s/root", (int)(issuer.len - strlen(scheme)),
        issuer.p + strlen(scheme));
    if (n < 0 || (size_t)n >= sizeof(name))
        return mauth_fail(err, MAUTH_INVALID, "the issuer's name is too long");
    rc = note_public(mauth_secret_bytes(seed), key, err);
    return rc ? rc : note_verifier_make(name, key, out, err);
}

enum mauth_rc
root_key_sign(const struct mauth_secret *seed, struct text request, struct buf *out,
    struct mauth_err *err)
{
    struct note_verifier root;
    struct delegation d;
    enum mauth_rc rc = delegation_read(request, &d, err);

    if (rc == MAUTH_OK)
        rc = root_key_verifier(seed, d.issuer, &root, err);
    return rc ? rc : note_sign(request, &root, mauth_secret_bytes(seed), out, err);
}
