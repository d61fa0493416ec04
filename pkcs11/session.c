#include "pkcs11/session.h"

#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "keys/der.h"
#include "pkcs11/object.h"
#include "pkcs11/slot.h"

enum {
    PIN_MAX = 255
};

/* Signed each time that the key is opened: no ticket, nor anything else, looks like it. */
static const char trial[] = "meshauth: does this key belong to that one?";

static enum mauth_rc
read_pin(const char *path, struct buf *pin, struct mauth_err *err)
{
    enum mauth_rc rc;

    if (!path[0])
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: it wants a PIN, and the URI has no pin-source");
    rc = file_read_secret(path, PIN_MAX + 1, pin, err);
    if (rc != MAUTH_OK)
        return rc;
    if (pin->len && pin->data[pin->len - 1] == '\n')
        pin->len--;
    if (!pin->len || pin->len > PIN_MAX || memchr(pin->data, '\n', pin->len))
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "token: the PIN's file must hold one line");
    return MAUTH_OK;
}

/* Never the last attempt: that one is a person's. */
static enum mauth_rc
check_attempts(const CK_TOKEN_INFO *token, struct mauth_err *err)
{
    if (token->flags & CKF_USER_PIN_LOCKED)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: its PIN is locked");
    if (token->flags & CKF_USER_PIN_FINAL_TRY)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: one attempt at its PIN is left, and it is not used up here");
    return MAUTH_OK;
}

/* Another session of ours has: for this process it holds for all. */
static bool
is_logged_in(const struct pkcs11_session *s)
{
    CK_SESSION_INFO info;

    memset(&info, 0, sizeof(info));
    return s->f->C_GetSessionInfo(s->handle, &info) == CKR_OK &&
           info.state == CKS_RO_USER_FUNCTIONS;
}

static enum mauth_rc
login_with(struct pkcs11_session *s, const CK_TOKEN_INFO *token, struct buf *pin,
    struct mauth_err *err)
{
    enum mauth_rc rc = pkcs11_module_check_pin(s->module, token, buf_slice(pin), err);
    CK_RV rv;

    if (rc != MAUTH_OK)
        return rc;
    rv = s->f->C_Login(s->handle, CKU_USER, pin->data, (CK_ULONG)pin->len);
    if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
        return MAUTH_OK;
    if (rv == CKR_PIN_INCORRECT || rv == CKR_PIN_LOCKED || rv == CKR_PIN_EXPIRED ||
        rv == CKR_PIN_LEN_RANGE || rv == CKR_PIN_INVALID)
        pkcs11_module_refused_pin(s->module, token, buf_slice(pin));
    return pkcs11_failed("C_Login", rv, err);
}

static enum mauth_rc
login(struct pkcs11_session *s, const struct pkcs11_uri *uri,
    const CK_TOKEN_INFO *token, struct mauth_err *err)
{
    struct buf pin;
    enum mauth_rc rc;

    if (!(token->flags & CKF_LOGIN_REQUIRED))
        return MAUTH_OK;
    buf_init_secret(&pin);
    rc = read_pin(uri->pin_file, &pin, err);
    if (rc == MAUTH_OK && !is_logged_in(s)) {
        rc = check_attempts(token, err);
        if (rc == MAUTH_OK)
            rc = login_with(s, token, &pin, err);
    }
    buf_clear(&pin);
    return rc;
}

/* The private key object and the public one are two: do they belong together? */
static enum mauth_rc
try_out(struct pkcs11_session *s, struct mauth_err *err)
{
    const struct text piece = {trial, sizeof(trial) - 1};
    uint8_t hash[HASH_LEN], raw[KEY_SIGNATURE_MAX];
    enum mauth_rc rc = hash_sha256(&piece, 1, hash, err);
    size_t len;

    if (rc == MAUTH_OK)
        rc = pkcs11_session_sign(s, hash, raw, &len, err);
    if (rc == MAUTH_OK && key_check(s->key, &piece, 1, raw, len, NULL) != MAUTH_OK)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: its public key does not verify what its private key signs");
    return rc;
}

static enum mauth_rc
fill(struct pkcs11_session *s, const struct pkcs11_uri *uri, struct mauth_err *err)
{
    CK_OBJECT_HANDLE public_key;
    CK_TOKEN_INFO token;
    enum mauth_rc rc = pkcs11_slot_find(s->f, uri, &s->slot, &token, err);
    CK_RV rv;

    if (rc != MAUTH_OK)
        return rc;
    rv = s->f->C_OpenSession(s->slot, CKF_SERIAL_SESSION, NULL, NULL, &s->handle);
    if (rv != CKR_OK)
        return pkcs11_failed("C_OpenSession", rv, err);
    s->has_handle = true;
    rc = login(s, uri, &token, err);
    if (rc == MAUTH_OK)
        rc = pkcs11_object_find(s->f, s->handle, uri, CKO_PUBLIC_KEY, &public_key, err);
    if (rc == MAUTH_OK)
        rc = pkcs11_object_key(s->f, s->handle, public_key, &s->key, err);
    if (rc == MAUTH_OK)
        rc = pkcs11_object_find(
            s->f, s->handle, uri, CKO_PRIVATE_KEY, &s->private_key, err);
    if (rc == MAUTH_OK)
        rc = pkcs11_object_check(s->f, s->handle, s->private_key, err);
    return rc ? rc : try_out(s, err);
}

enum mauth_rc
pkcs11_session_open(
    struct pkcs11_session *s, const struct pkcs11_uri *uri, struct mauth_err *err)
{
    enum mauth_rc rc;

    memset(s, 0, sizeof(*s));
    rc = pkcs11_module_enter(uri->module, &s->module, err);
    if (rc != MAUTH_OK)
        return rc;
    s->f = pkcs11_module_functions(s->module);
    rc = fill(s, uri, err);
    if (rc == MAUTH_OK)
        return MAUTH_OK;
    pkcs11_session_close(s);
    return rc == MAUTH_NO_MEMORY || rc == MAUTH_INTERNAL ? rc : MAUTH_UNAVAILABLE;
}

void
pkcs11_session_close(struct pkcs11_session *s)
{
    if (s->has_handle)
        (void)s->f->C_CloseSession(s->handle); /* it may be gone already */
    mauth_key_free(s->key);
    pkcs11_module_leave(s->module);
    memset(s, 0, sizeof(*s));
}

/* RFC 8017 9.2: DigestInfo of a SHA-256. */
static const uint8_t digest_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86,
    0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

enum mauth_rc
pkcs11_session_sign(struct pkcs11_session *s, const uint8_t hash[32],
    uint8_t out[KEY_SIGNATURE_MAX], size_t *len, struct mauth_err *err)
{
    bool is_ecdsa = key_alg(s->key) == KEY_ECDSA_SHA256;
    CK_MECHANISM mechanism = {is_ecdsa ? CKM_ECDSA : CKM_RSA_PKCS, NULL, 0};
    uint8_t in[sizeof(digest_info) + HASH_LEN];
    size_t skipped = is_ecdsa ? sizeof(digest_info) : 0;
    CK_ULONG n = KEY_SIGNATURE_MAX;
    CK_RV rv;

    *len = 0;
    memcpy(in, digest_info, sizeof(digest_info));
    memcpy(in + sizeof(digest_info), hash, HASH_LEN);
    rv = s->f->C_SignInit(s->handle, &mechanism, s->private_key);
    if (rv != CKR_OK)
        return pkcs11_failed("C_SignInit", rv, err);
    rv = s->f->C_Sign(s->handle, in + skipped, sizeof(in) - skipped, out, &n);
    if (rv != CKR_OK)
        return pkcs11_failed("C_Sign", rv, err);
    if (n > KEY_SIGNATURE_MAX ||
        (is_ecdsa && !(n == DER_ECDSA_RAW && der_lower_s(out))))
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "token: what it made is no signature");
    *len = n;
    return MAUTH_OK;
}

enum mauth_rc
pkcs11_session_check(struct pkcs11_session *s, struct mauth_err *err)
{
    CK_OBJECT_CLASS class = 0;
    CK_ATTRIBUTE a = {CKA_CLASS, &class, sizeof(class)};
    CK_TOKEN_INFO token;
    CK_RV rv;

    rv = s->f->C_GetTokenInfo(s->slot, &token);
    if (rv != CKR_OK)
        return pkcs11_failed("C_GetTokenInfo", rv, err);
    rv = s->f->C_GetAttributeValue(s->handle, s->private_key, &a, 1);
    if (rv != CKR_OK)
        return pkcs11_failed("C_GetAttributeValue", rv, err);
    return MAUTH_OK;
}
