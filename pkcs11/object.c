#include "pkcs11/object.h"

#include <string.h>

#include "base/fail.h"
#include "keys/der.h"

static const struct {
    CK_OBJECT_CLASS class;
    const char *name;
} classes[] = {
    {CKO_PRIVATE_KEY, "private"},
    {CKO_PUBLIC_KEY, "public"},
};

static const char *
name_of(CK_OBJECT_CLASS class)
{
    return class == classes[0].class ? classes[0].name : classes[1].name;
}

/* PKCS#11 takes what it only reads without const. */
static CK_ATTRIBUTE
attribute(CK_ATTRIBUTE_TYPE type, const void *value, size_t len)
{
    union {
        const void *borrowed;
        void *value;
    } u = {value};

    return (CK_ATTRIBUTE){type, u.value, (CK_ULONG)len};
}

static enum mauth_rc
search(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted,
    CK_ULONG wants, CK_OBJECT_HANDLE found[2], CK_ULONG *count, struct mauth_err *err)
{
    CK_RV rv = f->C_FindObjectsInit(session, wanted, wants);
    CK_RV end;

    *count = 0;
    if (rv != CKR_OK)
        return pkcs11_failed("C_FindObjectsInit", rv, err);
    rv = f->C_FindObjects(session, found, 2, count);
    end = f->C_FindObjectsFinal(session);
    if (rv == CKR_OK && end != CKR_OK)
        rv = end;
    return rv == CKR_OK ? MAUTH_OK : pkcs11_failed("C_FindObjects", rv, err);
}

enum mauth_rc
pkcs11_object_find(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    const struct pkcs11_uri *uri, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *out,
    struct mauth_err *err)
{
    CK_OBJECT_HANDLE found[2] = {0, 0};
    CK_ATTRIBUTE wanted[3];
    CK_ULONG count, wants = 0;
    enum mauth_rc rc;

    wanted[wants++] = attribute(CKA_CLASS, &class, sizeof(class));
    if (uri->object[0])
        wanted[wants++] = attribute(CKA_LABEL, uri->object, strlen(uri->object));
    if (uri->id_len)
        wanted[wants++] = attribute(CKA_ID, uri->id, uri->id_len);
    rc = search(f, session, wanted, wants, found, &count, err);
    if (rc != MAUTH_OK)
        return rc;
    *out = found[0];
    if (count == 1)
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_UNAVAILABLE, "token: it has %s %s key of this name",
        count ? "more than one" : "no", name_of(class));
}

/* At most size bytes of an attribute; *len is how many. */
static enum mauth_rc
read_attribute(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, void *out, size_t size,
    size_t *len, struct mauth_err *err)
{
    CK_ATTRIBUTE a = {type, out, (CK_ULONG)size};
    CK_RV rv = f->C_GetAttributeValue(session, object, &a, 1);

    *len = 0;
    if (rv != CKR_OK)
        return pkcs11_failed("C_GetAttributeValue", rv, err);
    if (a.ulValueLen > size) /* or CK_UNAVAILABLE_INFORMATION */
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: an attribute is too long");
    *len = a.ulValueLen;
    return MAUTH_OK;
}

/* A flag that old modules may not know: then it is as the standard's default. */
static bool
flag(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    CK_ATTRIBUTE_TYPE type, bool otherwise)
{
    CK_BBOOL value = CK_FALSE;
    size_t len;

    if (read_attribute(f, session, object, type, &value, sizeof(value), &len, NULL) !=
            MAUTH_OK ||
        len != sizeof(value))
        return otherwise;
    return value != CK_FALSE;
}

enum mauth_rc
pkcs11_object_check(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE private_key, struct mauth_err *err)
{
    if (!flag(f, session, private_key, CKA_SIGN, true))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: the key may not sign");
    if (flag(f, session, private_key, CKA_ALWAYS_AUTHENTICATE, false))
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: the key wants a PIN for each signature (CKA_ALWAYS_AUTHENTICATE)");
    return MAUTH_OK;
}

static enum mauth_rc
read_p256(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    struct buf *spki, struct mauth_err *err)
{
    /* OCTET STRING, 65 bytes: an uncompressed point. */
    static const uint8_t head[] = {0x04, 0x41, 0x04};
    static const uint8_t curve[] = {
        0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    uint8_t point[256], params[64], der[DER_P256_LEN];
    const uint8_t *xy = NULL;
    struct reader r;
    enum mauth_rc rc;
    size_t len;

    rc = read_attribute(
        f, session, object, CKA_EC_PARAMS, params, sizeof(params), &len, err);
    if (rc != MAUTH_OK)
        return rc;
    if (len != sizeof(curve) || memcmp(params, curve, len) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: the key is not on P-256");
    rc = read_attribute(
        f, session, object, CKA_EC_POINT, point, sizeof(point), &len, err);
    if (rc != MAUTH_OK)
        return rc;
    reader_init(&r, point, len);
    /* Some modules leave the OCTET STRING out. */
    reader_expect(&r, (const char *)head + (len == 65 ? 2 : 0), len == 65 ? 1 : 3);
    xy = reader_bytes(&r, 64);
    if (!reader_done(&r) || !xy)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: not an uncompressed point");
    der_make_p256(xy, der);
    buf_put(spki, der, sizeof(der));
    return MAUTH_OK;
}

static enum mauth_rc
read_rsa(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
    struct buf *spki, struct mauth_err *err)
{
    uint8_t n[513], e[16];
    size_t n_len, e_len;
    enum mauth_rc rc;

    rc = read_attribute(f, session, object, CKA_MODULUS, n, sizeof(n), &n_len, err);
    if (rc == MAUTH_OK)
        rc = read_attribute(
            f, session, object, CKA_PUBLIC_EXPONENT, e, sizeof(e), &e_len, err);
    if (rc != MAUTH_OK)
        return rc;
    if (!n_len || !e_len)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: not an RSA key");
    der_make_rsa(n, n_len, e, e_len, spki);
    return MAUTH_OK;
}

enum mauth_rc
pkcs11_object_key(const CK_FUNCTION_LIST *f, CK_SESSION_HANDLE session,
    CK_OBJECT_HANDLE public_key, struct mauth_key **out, struct mauth_err *err)
{
    CK_KEY_TYPE type = 0;
    struct buf spki;
    enum mauth_rc rc;
    size_t len;

    *out = NULL;
    buf_init(&spki);
    rc = read_attribute(
        f, session, public_key, CKA_KEY_TYPE, &type, sizeof(type), &len, err);
    if (rc == MAUTH_OK && type == CKK_EC)
        rc = read_p256(f, session, public_key, &spki, err);
    else if (rc == MAUTH_OK && type == CKK_RSA)
        rc = read_rsa(f, session, public_key, &spki, err);
    else if (rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "token: neither an EC nor an RSA key");
    if (rc == MAUTH_OK && !buf_ok(&spki))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "token: no memory");
    if (rc == MAUTH_OK &&
        mauth_key_from_spki(spki.data, spki.len, out, NULL) != MAUTH_OK)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: the key is neither P-256 nor RSA of 2048 to 4096 bits");
    buf_clear(&spki);
    return rc;
}
