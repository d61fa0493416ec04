/*
 * A SAML provider for tests. It signs whatever text it is given, by xmlsec1 and without
 * any of our own code, so that what is malformed can be signed too.
 */
#ifndef TESTS_SAML_IDP_H
#define TESTS_SAML_IDP_H

#include <libxml/parser.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <xmlsec/crypto.h>
#include <xmlsec/openssl/app.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmltree.h>

#include "base/str.h"
#include "saml/library.h"
#include "tests/unit/golden.h"

#define IDP       "https://idp.example/metadata"
#define AUDIENCE  GOLDEN_ISSUER
#define RECIPIENT GOLDEN_ISSUER "/v1/token"

#define DSIG_MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define EXC_C14N  "http://www.w3.org/2001/10/xml-exc-c14n#"
#define ENVELOPED "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

#define TRANSFORM(uri) "<ds:Transform Algorithm=\"" uri "\"/>"
#define TRANSFORMS \
    "<ds:Transforms>\n" TRANSFORM(ENVELOPED) TRANSFORM(EXC_C14N) "</ds:Transforms>"
#define REFERENCE(uri)                                                             \
    "<ds:Reference URI=\"" uri "\">\n" TRANSFORMS                                  \
    "\n<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\n" \
    "<ds:DigestValue></ds:DigestValue>\n</ds:Reference>"
/* To be signed; with white space between, as providers have it. */
#define SIGNATURE(id, alg)                                                       \
    "<ds:Signature xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">\n"           \
    "  <ds:SignedInfo><ds:CanonicalizationMethod Algorithm=\"" EXC_C14N "\"/>\n" \
    "    <ds:SignatureMethod Algorithm=\"" DSIG_MORE alg "\"/>\n"                \
    "  " REFERENCE("#" id) "</ds:SignedInfo>\n"                                  \
                           "<ds:SignatureValue></ds:SignatureValue>\n</ds:Signature>"

#define ISSUER_TAG "<saml:Issuer>" IDP "</saml:Issuer>"
#define NAME_ID                                                                     \
    "<saml:NameID Format=\"urn:oasis:names:tc:SAML:2.0:nameid-format:persistent\">" \
    "alice</saml:NameID>"
#define CONFIRMATION                                                              \
    "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">" \
    "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-11-22T10:05:00Z\""         \
    " Recipient=\"" RECIPIENT "\"/></saml:SubjectConfirmation>"
#define CONDITIONS                                                           \
    "<saml:Conditions NotBefore=\"2026-11-22T09:59:30Z\""                    \
    " NotOnOrAfter=\"2026-11-22T10:05:00Z\"><saml:AudienceRestriction>"      \
    "<saml:Audience>" AUDIENCE "</saml:Audience></saml:AudienceRestriction>" \
    "</saml:Conditions>"
#define AUTHN                                                                     \
    "<saml:AuthnStatement AuthnInstant=\"2026-11-22T09:58:00Z\""                  \
    " SessionNotOnOrAfter=\"2026-11-22T18:00:00Z\" SessionIndex=\"_s1\">"         \
    "<saml:AuthnContext><saml:AuthnContextClassRef>"                              \
    "urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>" \
    "</saml:AuthnContext></saml:AuthnStatement>"
#define MAIL(value)                                                          \
    "<saml:Attribute "                                                       \
    "Name=\"urn:oid:0.9.2342.19200300.100.1.3\"><saml:AttributeValue>" value \
    "</saml:AttributeValue></saml:Attribute>"
#define ASSERTION(signature)                                                      \
    "<saml:Assertion xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\""        \
    " ID=\"_a1\" IssueInstant=\"2026-11-22T10:00:00.123Z\" "                      \
    "Version=\"2.0\">" ISSUER_TAG signature "<saml:Subject>" NAME_ID CONFIRMATION \
    "</saml:Subject>\n" CONDITIONS AUTHN "<saml:AttributeStatement>" MAIL(        \
        "alice@example.org") "</saml:AttributeStatement></saml:Assertion>"
#define STATUS                        \
    "<samlp:Status><samlp:StatusCode" \
    " Value=\"urn:oasis:names:tc:SAML:2.0:status:Success\"/></samlp:Status>"
#define RESPONSE(signature, content)                                                  \
    "<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\""            \
    " xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\" ID=\"_r1\""                \
    " Version=\"2.0\" IssueInstant=\"2026-11-22T10:00:00Z\" Destination=\"" RECIPIENT \
    "\">" ISSUER_TAG signature STATUS content "</samlp:Response>"

enum {
    IDP_NOW_S = 1795341630 /* 2026-11-22T10:00:30Z */
};

static inline void
idp_start(void)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (saml_library_open(&err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

/* For a group of tests. */
static inline int
idp_group_start(void **state)
{
    (void)state;
    idp_start();
    return 0;
}

static inline int
idp_group_end(void **state)
{
    (void)state;
    saml_library_close();
    return 0;
}

/* A document of what may be refused; the caller frees. */
static inline xmlDoc *
idp_parse(const char *xml)
{
    xmlDoc *doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NONET);

    if (!doc)
        fail_msg("not XML: %s", xml);
    return doc;
}

static inline xmlNode *
idp_find(xmlNode *n, const char *name)
{
    for (; n; n = n->next) {
        xmlNode *below;

        if (n->type != XML_ELEMENT_NODE)
            continue;
        if (strcmp((const char *)n->name, name) == 0)
            return n;
        below = idp_find(n->children, name);
        if (below)
            return below;
    }
    return NULL;
}

static inline void
idp_sign_at(xmlNode *signature, const char *key_file)
{
    xmlBuffer *text = xmlBufferCreate();
    xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
    size_t len;
    char *pem = golden_file(key_file, "", &len);

    ctx->signKey = xmlSecOpenSSLAppKeyLoadMemory((const xmlSecByte *)pem,
        (xmlSecSize)len, xmlSecKeyDataFormatPem, NULL, NULL, NULL);
    assert_non_null(ctx->signKey);
    xmlNodeDump(text, signature->doc, signature, 0, 0);
    if (xmlSecDSigCtxSign(ctx, signature) != 0)
        fail_msg("xmlsec1 does not sign %s", (const char *)xmlBufferContent(text));
    xmlSecDSigCtxDestroy(ctx);
    xmlBufferFree(text);
    free(pem);
}

/* Inner ones first: an outer one covers them. */
static inline void
idp_sign_all(xmlNode *n, const char *key_file)
{
    for (xmlNode *c = n->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE)
            idp_sign_all(c, key_file);
    for (xmlNode *c = n->children; c; c = c->next)
        if (c->type == XML_ELEMENT_NODE &&
            strcmp((const char *)c->name, "Signature") == 0)
            idp_sign_at(c, key_file);
}

/* Every Signature in it is made; malloc'd. */
static inline char *
idp_sign(const char *xml, const char *key_file)
{
    static const xmlChar *const ids[] = {(const xmlChar *)"ID", NULL};
    xmlDoc *doc = idp_parse(xml);
    xmlBuffer *text = xmlBufferCreate();
    const xmlChar *names[2];
    char *out;

    memcpy(names, ids, sizeof(names));
    xmlSecAddIDs(doc, xmlDocGetRootElement(doc), names);
    idp_sign_all(xmlDocGetRootElement(doc), key_file);
    xmlNodeDump(text, doc, xmlDocGetRootElement(doc), 0, 0);
    out = strdup((const char *)xmlBufferContent(text));
    assert_non_null(out);
    xmlBufferFree(text);
    xmlFreeDoc(doc);
    return out;
}

/* A certificate of the golden key in one line of base64; malloc'd. */
static inline char *
idp_certificate(const char *key_file)
{
    char *pem = golden_file(key_file, "", NULL), *out;
    BIO *in = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    X509 *x = X509_new();
    unsigned char *der = NULL;
    int len;

    assert_true(key && x);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 60);
    X509_set_pubkey(x, key);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    len = i2d_X509(x, &der);
    assert_true(len > 0);
    out = calloc(1, b64_encoded_len(B64_STD, (size_t)len) + 1);
    assert_non_null(out);
    b64_encode(B64_STD, der, (size_t)len, out);
    OPENSSL_free(der);
    X509_free(x);
    EVP_PKEY_free(key);
    BIO_free(in);
    free(pem);
    return out;
}

/* text with the first find replaced, which must be there; malloc'd. */
static inline char *
idp_edit(const char *text, const char *find, const char *put)
{
    const char *at = strstr(text, find);
    struct buf b;
    size_t len;

    if (!at)
        fail_msg("there is no %s in %s", find, text);
    buf_init(&b);
    buf_put(&b, text, (size_t)(at - text));
    buf_str(&b, put);
    buf_str(&b, at + strlen(find));
    return buf_detach(&b, &len);
}

#endif
