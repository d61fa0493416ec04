#include "saml/descriptor.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include <libxml/parser.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <xmlsec/crypto.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "saml/library.h"
#include "saml/names.h"

#define TOKEN_EXCHANGE "urn:ietf:params:oauth:grant-type:token-exchange" /* RFC 8693 */

/* To be filled in by xmlsec1, the certificate included. */
#define SIGNATURE_OF(alg)                                                         \
    "<ds:Signature xmlns:ds=\"" NS_DS "\"><ds:SignedInfo>"                        \
    "<ds:CanonicalizationMethod Algorithm=\"" NS_EXC_C14N "\"/>"                  \
    "<ds:SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#" alg \
    "-sha256\"/><ds:Reference URI=\"#"
#define SIGNATURE_REST                                                          \
    "\"><ds:Transforms>"                                                        \
    "<ds:Transform Algorithm=\"" NS_DS "enveloped-signature\"/>"                \
    "<ds:Transform Algorithm=\"" NS_EXC_C14N "\"/></ds:Transforms>"             \
    "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>"  \
    "<ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/>"      \
    "<ds:KeyInfo><ds:X509Data><ds:X509Certificate/></ds:X509Data></ds:KeyInfo>" \
    "</ds:Signature>\n"

/* As an attribute's value. */
static void
put_value(struct buf *out, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': buf_str(out, "&amp;"); break;
        case '<': buf_str(out, "&lt;"); break;
        case '"': buf_str(out, "&quot;"); break;
        default: buf_put(out, s, 1);
        }
}

static void
put_base64(struct buf *out, struct text der)
{
    char *at = buf_space(out, b64_encoded_len(B64_STD, der.len));

    if (at)
        b64_encode(B64_STD, der.p, der.len, at);
}

static void
put_key(struct buf *out, const struct descriptor_key *k)
{
    buf_str(out, "<md:KeyDescriptor use=\"signing\">"
                 "<ds:KeyInfo xmlns:ds=\"" NS_DS "\"><ds:KeyName>");
    buf_str(out, k->name);
    buf_str(out, "</ds:KeyName><ds:X509Data><ds:X509Certificate>");
    put_base64(out, k->certificate);
    buf_str(out, "</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
                 "</md:KeyDescriptor>\n");
}

static void
put_document(struct buf *out, const struct descriptor *d, bool ecdsa)
{
    char until[TIME_LEN + 1];

    time_format(d->valid_until_s, until);
    buf_str(out, "<md:EntityDescriptor xmlns:md=\"" NS_METADATA "\" ID=\"");
    buf_str(out, d->id);
    buf_str(out, "\" entityID=\"");
    put_value(out, d->issuer);
    buf_printf(out, "\" validUntil=\"%s\" cacheDuration=\"PT%" PRId64 "S\">", until,
        d->cache_s);
    buf_str(out, ecdsa ? SIGNATURE_OF("ecdsa") : SIGNATURE_OF("rsa"));
    buf_str(out, d->id);
    buf_str(out, SIGNATURE_REST);
    buf_str(
        out, "<md:IDPSSODescriptor protocolSupportEnumeration=\"" NS_PROTOCOL "\">\n");
    for (size_t i = 0; i < d->keys; i++)
        put_key(out, &d->key[i]);
    buf_str(out, "<md:SingleSignOnService Binding=\"" TOKEN_EXCHANGE "\" Location=\"");
    put_value(out, d->endpoint);
    buf_str(out, "\"/>\n</md:IDPSSODescriptor>\n</md:EntityDescriptor>");
}

/* The private key and its certificate, as xmlsec1 has them. */
static xmlSecKeyPtr
convert(EVP_PKEY *pkey, struct text certificate)
{
    xmlSecKeyDataPtr data = NULL;
    xmlSecKeyPtr made = xmlSecKeyCreate();

    if (EVP_PKEY_up_ref(pkey) == 1) {
        data = xmlSecOpenSSLEvpKeyAdopt(pkey);
        if (!data)
            EVP_PKEY_free(pkey);
    }
    if (made && data && xmlSecKeySetValue(made, data) == 0) {
        data = NULL; /* the key's now */
        if (xmlSecOpenSSLAppKeyCertLoadMemory(made, (const xmlSecByte *)certificate.p,
                (xmlSecSize)certificate.len, xmlSecKeyDataFormatDer) == 0)
            return made;
    }
    if (data)
        xmlSecKeyDataDestroy(data);
    if (made)
        xmlSecKeyDestroy(made);
    return NULL;
}

static bool
sign(xmlDoc *doc, EVP_PKEY *pkey, struct text certificate)
{
    xmlNode *root = xmlDocGetRootElement(doc), *signature = root->children;
    xmlAttr *id = xmlHasProp(root, (const xmlChar *)"ID");
    xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
    bool ok = false;

    if (ctx && xmlAddID(NULL, doc, id->children->content, id)) {
        ctx->signKey = convert(pkey, certificate); /* the context's now */
        ok = ctx->signKey && xmlSecDSigCtxSign(ctx, signature) == 0 &&
             ctx->status == xmlSecDSigStatusSucceeded;
    }
    if (ctx)
        xmlSecDSigCtxDestroy(ctx);
    return ok;
}

static enum mauth_rc
sign_text(const struct buf *text, EVP_PKEY *pkey, struct text certificate,
    struct buf *out, struct mauth_err *err)
{
    xmlDoc *doc = NULL;
    xmlChar *bytes = NULL;
    enum mauth_rc rc = MAUTH_OK;
    int len = 0;

    if (text->len <= INT_MAX)
        doc = xmlReadMemory((const char *)text->data, (int)text->len, NULL, NULL,
            XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!doc || !sign(doc, pkey, certificate))
        rc = mauth_fail(err, MAUTH_INTERNAL, "metadata: xmlsec1 does not sign");
    if (rc == MAUTH_OK) {
        xmlDocDumpMemoryEnc(doc, &bytes, &len, "UTF-8");
        buf_put(out, bytes, len > 0 ? (size_t)len : 0);
        if (len <= 0 || !buf_ok(out))
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "metadata: no memory");
    }
    xmlFree(bytes);
    xmlFreeDoc(doc);
    return rc;
}

enum mauth_rc
descriptor_write(const struct descriptor *d, struct text pkcs8, struct text certificate,
    struct buf *out, struct mauth_err *err)
{
    const unsigned char *p = (const unsigned char *)pkcs8.p;
    enum mauth_rc rc;
    struct buf text;
    EVP_PKEY *pkey;

    saml_library_hush();
    buf_init(&text);
    ERR_set_mark();
    pkey = d2i_AutoPrivateKey(NULL, &p, (long)pkcs8.len);
    if (!pkey) {
        rc = mauth_fail(err, MAUTH_INTERNAL, "metadata: no key in PKCS#8");
        goto out;
    }
    put_document(&text, d, EVP_PKEY_get_base_id(pkey) == EVP_PKEY_EC);
    if (buf_ok(&text))
        rc = sign_text(&text, pkey, certificate, out, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "metadata: no memory");
out:
    EVP_PKEY_free(pkey);
    ERR_pop_to_mark();
    buf_clear(&text);
    return rc;
}
