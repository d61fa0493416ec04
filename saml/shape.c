#include "saml/shape.h"

#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "saml/names.h"
#include "saml/xml.h"

#define ENVELOPED "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
#define SHA256    "http://www.w3.org/2001/04/xmlenc#sha256"

enum {
    ID_MAX = 128,
    PREFIXES_MAX = 256,
    VALUE_MAX = 1024 /* characters of a signature, with its line breaks */
};

static const struct {
    const char *uri;
    enum key_alg alg;
} methods[] = {
    {"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", KEY_RSA_SHA256},
    {"http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256", KEY_ECDSA_SHA256},
};

/* What c14n that failed leaves; nothing that is signed has this digest. */
static const uint8_t empty_digest[HASH_LEN] = {0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c,
    0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64,
    0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55};

static enum mauth_rc
bad_form(enum saml_refusal *why, const char *what, struct mauth_err *err)
{
    *why = SAML_FORM;
    return mauth_fail(err, MAUTH_MALFORMED, "signature: %s", what);
}

static enum mauth_rc
bad_alg(enum saml_refusal *why, const char *what, struct mauth_err *err)
{
    *why = SAML_ALG;
    return mauth_fail(err, MAUTH_MALFORMED, "signature: another %s", what);
}

/* The element of this name if it comes next, with so many attributes; moves on. */
static const xmlNode *
take(const xmlNode **at, const char *name, size_t attributes)
{
    const xmlNode *n = *at;

    if (!xml_is(n, NS_DS, name) || xml_attributes(n) != attributes ||
        !xml_holds_elements(n))
        return NULL;
    *at = xml_next(n);
    return n;
}

static bool
has_algorithm(const xmlNode *n, const char *uri)
{
    const char *found = xml_attribute(n, "Algorithm");

    return found && strcmp(found, uri) == 0;
}

/* White space may stand in it anywhere (XML Schema 2, 3.2.16). */
static bool
take_base64(const xmlNode **at, const char *name, uint8_t *out, size_t cap, size_t *len)
{
    const xmlNode *n = *at;
    char bare[VALUE_MAX];
    size_t used = 0;
    const char *text;

    if (!xml_is(n, NS_DS, name) || xml_attributes(n) != 0 || !xml_text(n, &text))
        return false;
    for (; *text && used < sizeof(bare); text++)
        if (!strchr(" \t\r\n", *text))
            bare[used++] = *text;
    *at = xml_next(n);
    return !*text && b64_decode(B64_STD, bare, used, out, cap, len);
}

static xmlAttr *
find_id(const xmlNode *parent)
{
    for (xmlAttr *a = parent->properties; a; a = a->next)
        if (!a->ns && strcmp((const char *)a->name, "ID") == 0)
            return a;
    return NULL;
}

/* [A-Za-z_][A-Za-z0-9._-]{0,127}: xmlsec1 pastes it into an XPointer. */
static bool
is_plain_id(const char *id)
{
    static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char others[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-";
    size_t len = strlen(id);

    return len >= 1 && len <= ID_MAX && strchr(first, id[0]) &&
           strspn(id, others) == len;
}

static enum mauth_rc
check_uri(const xmlNode *reference, const xmlNode *parent, struct shape *out,
    enum saml_refusal *why, struct mauth_err *err)
{
    const char *uri = xml_attribute(reference, "URI"), *id;

    out->id = parent->type == XML_ELEMENT_NODE ? find_id(parent) : NULL;
    id = out->id ? xml_attribute(parent, "ID") : NULL;
    if (!id || !is_plain_id(id))
        return bad_form(why, "in an element without an ID of plain letters", err);
    if (!uri || uri[0] != '#' || strcmp(uri + 1, id) != 0)
        return bad_form(why, "over something else than the element around it", err);
    return MAUTH_OK;
}

/* InclusiveNamespaces: what it names is made part of what is signed, nothing else. */
static bool
is_prefix_list(const xmlNode *n)
{
    const char *prefixes = xml_attribute(n, "PrefixList");

    return xml_is(n, NS_EXC_C14N, "InclusiveNamespaces") && xml_attributes(n) == 1 &&
           prefixes && strlen(prefixes) <= PREFIXES_MAX && !n->children && !xml_next(n);
}

static enum mauth_rc
check_transforms(
    const xmlNode *transforms, enum saml_refusal *why, struct mauth_err *err)
{
    const xmlNode *at = xml_first(transforms), *enveloped, *c14n;

    enveloped = take(&at, "Transform", 1);
    c14n = enveloped ? take(&at, "Transform", 1) : NULL;
    if (!c14n || at || !has_algorithm(enveloped, ENVELOPED) ||
        !has_algorithm(c14n, NS_EXC_C14N))
        return bad_alg(
            why, "list of transforms than enveloped-signature and exclusive c14n", err);
    if (xml_first(enveloped) || (xml_first(c14n) && !is_prefix_list(xml_first(c14n))))
        return bad_form(why, "a transform with more in it", err);
    return MAUTH_OK;
}

static enum mauth_rc
check_reference(const xmlNode *reference, const xmlNode *parent, struct shape *out,
    enum saml_refusal *why, struct mauth_err *err)
{
    const xmlNode *at = xml_first(reference), *transforms, *method;
    enum mauth_rc rc = check_uri(reference, parent, out, why, err);
    size_t len;

    if (rc)
        return rc;
    transforms = take(&at, "Transforms", 0);
    if (!transforms)
        return bad_alg(why, "Reference than one with its transforms alone", err);
    rc = check_transforms(transforms, why, err);
    if (rc)
        return rc;
    method = take(&at, "DigestMethod", 1);
    if (!method || xml_first(method) || !has_algorithm(method, SHA256))
        return bad_alg(why, "digest than SHA-256", err);
    if (!take_base64(&at, "DigestValue", out->digest, HASH_LEN, &len) ||
        len != HASH_LEN || at)
        return bad_form(why, "a DigestValue that is none of SHA-256", err);
    if (memcmp(out->digest, empty_digest, HASH_LEN) == 0)
        return bad_form(why, "the digest of nothing", err);
    return MAUTH_OK;
}

static enum mauth_rc
check_method(const xmlNode *method, struct shape *out, enum saml_refusal *why,
    struct mauth_err *err)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        if (!has_algorithm(method, methods[i].uri))
            continue;
        out->alg = methods[i].alg;
        return MAUTH_OK;
    }
    return bad_alg(why, "algorithm than RSA or ECDSA with SHA-256", err);
}

static enum mauth_rc
check_signed_info(const xmlNode *info, const xmlNode *parent, struct shape *out,
    enum saml_refusal *why, struct mauth_err *err)
{
    const xmlNode *at = xml_first(info), *c14n, *method, *reference;
    enum mauth_rc rc;

    c14n = take(&at, "CanonicalizationMethod", 1);
    if (!c14n || xml_first(c14n) || !has_algorithm(c14n, NS_EXC_C14N))
        return bad_alg(why, "canonicalization than exclusive c14n", err);
    method = take(&at, "SignatureMethod", 1);
    if (!method || xml_first(method))
        return bad_alg(why, "SignatureMethod than one without parameters", err);
    rc = check_method(method, out, why, err);
    if (rc)
        return rc;
    reference = take(&at, "Reference", 1);
    if (!reference || at)
        return bad_form(why, "not exactly one Reference, of a URI alone", err);
    return check_reference(reference, parent, out, why, err);
}

enum mauth_rc
shape_check(const xmlNode *signature, struct shape *out, enum saml_refusal *why,
    struct mauth_err *err)
{
    const xmlNode *at = signature, *info;
    uint8_t value[KEY_SIGNATURE_MAX];
    size_t len;

    memset(out, 0, sizeof(*out));
    if (!take(&at, "Signature", 0))
        return bad_form(why, "not of its form", err);
    at = xml_first(signature);
    info = take(&at, "SignedInfo", 0);
    if (!info || !take_base64(&at, "SignatureValue", value, sizeof(value), &len))
        return bad_form(why, "without SignedInfo or SignatureValue", err);
    if (xml_is(at, NS_DS, "KeyInfo"))
        at = xml_next(at);
    if (at)
        return bad_form(why, "with an Object, or more", err);
    return check_signed_info(info, signature->parent, out, why, err);
}
