#include "tests/attack/oracle.h"

#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <openssl/x509.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#include "base/b64.h"
#include "base/time.h"

#define X(text) ((const xmlChar *)(text))

/* libxml2 tells of its errors here, whatever its parser was asked. */
static void
say_nothing(void *context, xmlErrorPtr error)
{
    (void)context;
    (void)error;
}

bool
oracle_open(void)
{
    xmlInitParser();
    xmlSetStructuredErrorFunc(NULL, say_nothing);
    if (xmlSecInit() != 0 || xmlSecCryptoAppInit(NULL) != 0 || xmlSecCryptoInit() != 0)
        return false;
    xmlSecErrorsDefaultCallbackEnableOutput(0);
    return true;
}

void
oracle_close(void)
{
    xmlSecCryptoShutdown();
    xmlSecCryptoAppShutdown();
    xmlSecShutdown();
    xmlCleanupParser();
}

/* xmlsec's key under a name of our own: its type is a typedef of theirs. */
static xmlSecKeyPtr
theirs(const struct oracle_key *key)
{
    union {
        const struct oracle_key *ours;
        xmlSecKeyPtr theirs;
    } u = {key};

    return u.theirs;
}

struct oracle_key *
oracle_key_new(const struct mauth_key *key)
{
    size_t len;
    const unsigned char *der = mauth_key_spki(key, &len);
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &der, (long)len);
    xmlSecKeyDataPtr data = pkey ? xmlSecOpenSSLEvpKeyAdopt(pkey) : NULL;
    xmlSecKeyPtr made = xmlSecKeyCreate();

    if (data && made && xmlSecKeySetValue(made, data) == 0)
        return (struct oracle_key *)(void *)made;
    if (data)
        xmlSecKeyDataDestroy(data);
    else
        EVP_PKEY_free(pkey);
    if (made)
        xmlSecKeyDestroy(made);
    return NULL;
}

void
oracle_key_free(struct oracle_key *key)
{
    if (key)
        xmlSecKeyDestroy(theirs(key));
}

static xmlDocPtr
parse(const char *xml, size_t len)
{
    xmlDocPtr doc = xmlReadMemory(xml, (int)len, NULL, NULL,
        XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);

    if (doc && (doc->intSubset || doc->extSubset)) {
        xmlFreeDoc(doc);
        return NULL;
    }
    return doc;
}

/* Its only child element of this name, or, where any is set, its n-th. */
static xmlNodePtr
child(xmlNodePtr of, const char *name, const char *ns, size_t n)
{
    xmlNodePtr c = of ? xmlFirstElementChild(of) : NULL;

    for (; c; c = xmlNextElementSibling(c))
        if (xmlStrEqual(c->name, X(name)) && c->ns && xmlStrEqual(c->ns->href, X(ns)) &&
            n-- == 0)
            return c;
    return NULL;
}

#define SAML "urn:oasis:names:tc:SAML:2.0:assertion"
#define DS   "http://www.w3.org/2000/09/xmldsig#"

static xmlNodePtr
saml(xmlNodePtr of, const char *name)
{
    return child(of, name, SAML, 0);
}

/* Signatures. */

static bool
restrict_to_profile(xmlSecDSigCtxPtr ctx)
{
    ctx->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS;
    ctx->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    return xmlSecDSigCtxEnableSignatureTransform(ctx, xmlSecTransformExclC14NId) == 0 &&
           xmlSecDSigCtxEnableSignatureTransform(ctx, xmlSecTransformEcdsaSha256Id) ==
               0 &&
           xmlSecDSigCtxEnableSignatureTransform(ctx, xmlSecTransformRsaSha256Id) ==
               0 &&
           xmlSecDSigCtxEnableReferenceTransform(ctx, xmlSecTransformEnvelopedId) ==
               0 &&
           xmlSecDSigCtxEnableReferenceTransform(ctx, xmlSecTransformExclC14NId) == 0 &&
           xmlSecDSigCtxEnableReferenceTransform(ctx, xmlSecTransformSha256Id) == 0;
}

static bool
check(xmlNodePtr signature, const struct oracle_key *key)
{
    xmlSecDSigCtxPtr ctx = xmlSecDSigCtxCreate(NULL);
    bool good;

    if (!ctx)
        return false;
    ctx->signKey = theirs(key); /* lent: KeyInfo is not looked at */
    good = restrict_to_profile(ctx) && xmlSecDSigCtxVerify(ctx, signature) == 0 &&
           ctx->status == xmlSecDSigStatusSucceeded;
    ctx->signKey = NULL;
    xmlSecDSigCtxDestroy(ctx);
    return good;
}

/* Its Reference is to the root, which has that ID: what else xmlsec does not ask. */
static bool
is_over_root(xmlDocPtr doc, xmlNodePtr root, xmlNodePtr signature)
{
    xmlNodePtr info = child(signature, "SignedInfo", DS, 0);
    xmlNodePtr reference = child(info, "Reference", DS, 0);
    xmlAttrPtr id = xmlHasProp(root, X("ID"));
    xmlChar *uri = reference ? xmlGetProp(reference, X("URI")) : NULL;
    bool good = id && id->children && uri && uri[0] == '#' &&
                xmlStrEqual(uri + 1, id->children->content) &&
                !child(info, "Reference", DS, 1) &&
                xmlAddID(NULL, doc, id->children->content, id);

    xmlFree(uri);
    return good;
}

bool
oracle_accepts(const char *xml, size_t len, const struct oracle_key *key)
{
    xmlDocPtr doc = parse(xml, len);
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
    xmlNodePtr signature = child(root, "Signature", DS, 0);
    bool good = signature && !child(root, "Signature", DS, 1) &&
                is_over_root(doc, root, signature) && check(signature, key);

    xmlFreeDoc(doc);
    return good;
}

/* Values. */

/* A text that is all of an element: no comment, no reference, no element in it. */
static bool
text_is_all(xmlNodePtr n, const char *want)
{
    if (!n || !want || !n->children || n->children->next ||
        n->children->type != XML_TEXT_NODE)
        return false;
    return strcmp((const char *)n->children->content, want) == 0;
}

static bool
attribute_is(xmlNodePtr n, const char *name, const char *want)
{
    xmlChar *value = n ? xmlGetProp(n, X(name)) : NULL;
    bool same = value && want && strcmp((const char *)value, want) == 0;

    xmlFree(value);
    return same;
}

static bool
time_is(xmlNodePtr n, const char *name, int64_t t_s)
{
    char text[TIME_LEN + 1];

    time_format(t_s, text);
    return attribute_is(n, name, text);
}

static bool
bytes_are(xmlNodePtr n, const void *data, size_t len)
{
    char text[1024];

    text[b64_encode(B64_STD, data, len, text)] = '\0';
    return text_is_all(n, text);
}

static bool
confirmation_differs(xmlNodePtr subject, const struct mauth_ticket *t)
{
    xmlNodePtr c = saml(subject, "SubjectConfirmation");
    xmlNodePtr data = saml(c, "SubjectConfirmationData"), info, value;
    size_t len;
    const uint8_t *spki = mauth_ticket_holder_spki(t, &len);

    if (!spki)
        return !attribute_is(c, "Method", "urn:oasis:names:tc:SAML:2.0:cm:bearer") ||
               !attribute_is(data, "Recipient", mauth_ticket_audience(t, 0)) ||
               !time_is(data, "NotOnOrAfter", mauth_ticket_not_on_or_after_s(t));
    info = child(data, "KeyInfo", DS, 0);
    value = child(info, "DEREncodedKeyValue", "http://www.w3.org/2009/xmldsig11#", 0);
    return !attribute_is(c, "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key") ||
           !bytes_are(value, spki, len);
}

static bool
conditions_differ(xmlNodePtr root, const struct mauth_ticket *t)
{
    xmlNodePtr c = saml(root, "Conditions");
    xmlNodePtr restriction = saml(c, "AudienceRestriction");
    size_t n = mauth_ticket_audience_count(t);

    for (size_t i = 0; i < n; i++)
        if (!text_is_all(
                child(restriction, "Audience", SAML, i), mauth_ticket_audience(t, i)))
            return true;
    return xmlChildElementCount(restriction) != n ||
           !time_is(c, "NotBefore", mauth_ticket_not_before_s(t)) ||
           !time_is(c, "NotOnOrAfter", mauth_ticket_not_on_or_after_s(t));
}

static bool
authn_differs(xmlNodePtr root, const struct mauth_ticket *t)
{
    xmlNodePtr a = saml(root, "AuthnStatement");
    xmlNodePtr class = saml(saml(a, "AuthnContext"), "AuthnContextClassRef");

    if (!mauth_ticket_is_identity(t))
        return a != NULL;
    return !time_is(a, "AuthnInstant", mauth_ticket_authn_instant_s(t)) ||
           !attribute_is(a, "SessionIndex", mauth_ticket_session(t)) ||
           !text_is_all(class, mauth_ticket_authn_class(t));
}

/* Our name of an action, from SAML's: small letters, in either name space. */
static bool
action_is(xmlNodePtr n, const char *ours)
{
    char name[80];
    bool rwedc = strcmp(ours, "read") == 0 || strcmp(ours, "write") == 0 ||
                 strcmp(ours, "delete") == 0 || strcmp(ours, "control") == 0;

    if (strlen(ours) >= sizeof(name))
        return false;
    strcpy(name, ours);
    if (rwedc)
        name[0] = (char)(name[0] - 'a' + 'A');
    return text_is_all(n, name) &&
           attribute_is(n, "Namespace",
               rwedc ? "urn:oasis:names:tc:SAML:1.0:action:rwedc"
                     : "urn:meshauth:action");
}

static bool
permits_differ(xmlNodePtr root, const struct mauth_ticket *t)
{
    size_t n = mauth_ticket_permit_count(t);

    for (size_t i = 0; i < n; i++) {
        xmlNodePtr p = child(root, "AuthzDecisionStatement", SAML, i);
        size_t actions = mauth_ticket_permit_action_count(t, i);

        if (!attribute_is(p, "Resource", mauth_ticket_permit_resource(t, i)) ||
            !attribute_is(p, "Decision", "Permit") ||
            xmlChildElementCount(p) != actions)
            return true;
        for (size_t j = 0; j < actions; j++)
            if (!action_is(
                    child(p, "Action", SAML, j), mauth_ticket_permit_action(t, i, j)))
                return true;
    }
    return child(root, "AuthzDecisionStatement", SAML, n) != NULL;
}

static bool
fact_differs(xmlNodePtr a, const struct mauth_ticket *t, size_t i)
{
    static const char prefix[] = "urn:meshauth:fact:";
    size_t arity = mauth_ticket_fact_arity(t, i);
    char name[64];

    snprintf(name, sizeof(name), "%s%s", prefix, mauth_ticket_fact_relation(t, i));
    if (!attribute_is(a, "Name", name) || xmlChildElementCount(a) != arity)
        return true;
    for (size_t j = 0; j < arity; j++)
        if (!text_is_all(
                child(a, "AttributeValue", SAML, j), mauth_ticket_fact_arg(t, i, j)))
            return true;
    return false;
}

static bool
facts_differ(xmlNodePtr root, const struct mauth_ticket *t)
{
    xmlNodePtr statement = saml(root, "AttributeStatement");
    size_t n = mauth_ticket_fact_count(t);

    for (size_t i = 0; i < n; i++)
        if (fact_differs(child(statement, "Attribute", SAML, i), t, i))
            return true;
    return xmlChildElementCount(statement) != n;
}

static bool
head_differs(xmlNodePtr root, const struct mauth_ticket *t)
{
    return !attribute_is(root, "ID", mauth_ticket_id(t)) ||
           !time_is(root, "IssueInstant", mauth_ticket_issued_s(t)) ||
           !attribute_is(root, "Version", "2.0") ||
           !text_is_all(saml(root, "Issuer"), mauth_ticket_issuer(t)) ||
           !text_is_all(saml(saml(root, "Subject"), "NameID"), mauth_ticket_subject(t));
}

static bool
signature_differs(xmlNodePtr root, const struct mauth_ticket *t)
{
    xmlNodePtr s = child(root, "Signature", DS, 0);
    xmlNodePtr reference = child(child(s, "SignedInfo", DS, 0), "Reference", DS, 0);
    xmlNodePtr name = child(child(s, "KeyInfo", DS, 0), "KeyName", DS, 0);

    return !bytes_are(
               child(reference, "DigestValue", DS, 0), mauth_ticket_digest(t), 32) ||
           !text_is_all(name, mauth_ticket_key_id(t));
}

const char *
oracle_differs(const char *xml, size_t len, const struct mauth_ticket *t)
{
    xmlDocPtr doc = parse(xml, len);
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
    const char *where = NULL;

    if (!root)
        where = "it is no XML";
    else if (head_differs(root, t))
        where = "ID, issuer, subject or instant";
    else if (signature_differs(root, t))
        where = "digest or key";
    else if (confirmation_differs(saml(root, "Subject"), t))
        where = "confirmation";
    else if (conditions_differ(root, t))
        where = "conditions";
    else if (authn_differs(root, t))
        where = "authentication";
    else if (permits_differ(root, t))
        where = "permits";
    else if (facts_differ(root, t))
        where = "facts";
    xmlFreeDoc(doc);
    return where;
}
