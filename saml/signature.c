#include "saml/signature.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <xmlsec/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#include "base/fail.h"
#include "saml/library.h"
#include "saml/shape.h"

/* xmlsec's own copy of a key. */
static xmlSecKeyPtr
convert(const struct mauth_key *key)
{
    size_t len;
    const unsigned char *der = mauth_key_spki(key, &len);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &der, (long)len);
    xmlSecKeyDataPtr data = pkey ? xmlSecOpenSSLEvpKeyAdopt(pkey) : NULL;
    xmlSecKeyPtr made = xmlSecKeyCreate();

    if (data && made && xmlSecKeySetValue(made, data) == 0)
        return made;
    if (data)
        xmlSecKeyDataDestroy(data);
    else
        EVP_PKEY_free(pkey);
    if (made)
        xmlSecKeyDestroy(made);
    return NULL;
}

/* Nothing but what shape.h lets through; a key is given, so none is looked for. */
static bool
lock_down(xmlSecDSigCtxPtr ctx)
{
    ctx->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS |
                  XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES;
    ctx->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    return xmlSecDSigCtxEnableSignatureTransform(ctx, xmlSecTransformExclC14NId) == 0 &&
           xmlSecDSigCtxEnableSignatureTransform(ctx, xmlSecTransformRsaSha256Id) ==
               0 &&
           xmlSecDSigCtxEnableSignatureTransform(ctx, xmlSecTransformEcdsaSha256Id) ==
               0 &&
           xmlSecDSigCtxEnableReferenceTransform(ctx, xmlSecTransformEnvelopedId) ==
               0 &&
           xmlSecDSigCtxEnableReferenceTransform(ctx, xmlSecTransformExclC14NId) == 0 &&
           xmlSecDSigCtxEnableReferenceTransform(ctx, xmlSecTransformSha256Id) == 0;
}

/* What was digested; an empty slice when that is not to be had. */
static struct text
digested(xmlSecDSigCtxPtr ctx)
{
    const struct text none = {"", 0};
    xmlSecBufferPtr bytes;

    if (xmlSecPtrListGetSize(&ctx->signedInfoReferences) != 1)
        return none;
    bytes = xmlSecDSigReferenceCtxGetPreDigestBuffer(
        xmlSecPtrListGetItem(&ctx->signedInfoReferences, 0));
    if (!bytes || !xmlSecBufferGetData(bytes))
        return none;
    return (struct text){
        (const char *)xmlSecBufferGetData(bytes), xmlSecBufferGetSize(bytes)};
}

/* The bytes are there, are the element's, and hash to what SignedInfo says. */
static enum mauth_rc
take_bytes(xmlSecDSigCtxPtr ctx, const struct shape *shape, struct buf *out,
    struct mauth_err *err)
{
    struct text bytes = digested(ctx);
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    if (bytes.len == 0 || bytes.p[0] != '<')
        return mauth_fail(err, MAUTH_UNTRUSTED, "signature: over nothing");
    rc = hash_bytes(bytes.p, bytes.len, hash, err);
    if (rc)
        return rc;
    if (memcmp(hash, shape->digest, HASH_LEN) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED, "signature: over something else");
    buf_text(out, bytes);
    return buf_ok(out) ? MAUTH_OK
                       : mauth_fail(err, MAUTH_NO_MEMORY, "signature: no memory");
}

/* Both are needed: the call answers 0 for a signature that is wrong, too. */
static bool
is_good(xmlSecDSigCtxPtr ctx, xmlNode *signature)
{
    return xmlSecDSigCtxVerify(ctx, signature) == 0 &&
           ctx->status == xmlSecDSigStatusSucceeded;
}

static enum mauth_rc
verify_by(xmlNode *signature, const struct mauth_key *key, const struct shape *shape,
    struct buf *out, struct mauth_err *err)
{
    xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
    enum mauth_rc rc = MAUTH_INTERNAL;

    if (!ctx)
        return mauth_fail(err, MAUTH_NO_MEMORY, "signature: no memory");
    ERR_set_mark();
    ctx->signKey = convert(key); /* the context's now */
    if (!ctx->signKey || !lock_down(ctx))
        rc = mauth_fail(
            err, MAUTH_INTERNAL, "signature: key %s cannot be used", mauth_key_id(key));
    else if (is_good(ctx, signature))
        rc = take_bytes(ctx, shape, out, err);
    else
        rc = MAUTH_UNTRUSTED; /* perhaps another key's */
    xmlSecDSigCtxDestroy(ctx);
    ERR_pop_to_mark();
    return rc;
}

/* The ID that the Reference names becomes one of the document's, once. */
static bool
register_id(xmlAttr *id)
{
    const xmlChar *value = id->children->content;

    return xmlGetID(id->doc, value) == id || xmlAddID(NULL, id->doc, value, id);
}

enum mauth_rc
signature_verify(xmlNode *signature, const struct mauth_key *const *keys, size_t count,
    struct buf *out, enum saml_refusal *why, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_UNTRUSTED;
    struct shape shape;

    saml_library_hush();
    *why = SAML_FINE;
    if (shape_check(signature, &shape, why, err) != MAUTH_OK)
        return MAUTH_MALFORMED;
    if (!register_id(shape.id)) {
        *why = SAML_FORM;
        return mauth_fail(err, MAUTH_MALFORMED, "signature: an ID that is taken");
    }
    for (size_t i = 0; i < count && rc == MAUTH_UNTRUSTED; i++)
        if (key_alg(keys[i]) == shape.alg)
            rc = verify_by(signature, keys[i], &shape, out, err);
    if (rc == MAUTH_UNTRUSTED) {
        *why = SAML_SIGNATURE;
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "signature: by none of the provider's keys");
    }
    return rc;
}
