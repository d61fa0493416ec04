#include "saml/message.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "saml/names.h"
#include "saml/signature.h"
#include "saml/xml.h"

#define SUCCESS "urn:oasis:names:tc:SAML:2.0:status:Success"

struct message {
    xmlDoc *doc;
    xmlNode *response; /* NULL: the Assertion is bare */
    xmlNode *response_signature;
    xmlNode *assertion;
    xmlNode *assertion_signature;
    const char *issuer;
};

/* Where everything is. */

static enum mauth_rc
bad(enum saml_refusal *why, enum saml_refusal reason, const char *what,
    struct mauth_err *err)
{
    *why = reason;
    return mauth_fail(err, MAUTH_MALFORMED, "message: %s", what);
}

/* The Signature, whose one place is behind Issuer, or NULL. */
static xmlNode *
signature_of(const xmlNode *n)
{
    xmlNode *first = xml_first(n), *second = xml_next(first);

    return xml_is(first, NS_SAML, "Issuer") && xml_is(second, NS_DS, "Signature")
               ? second
               : NULL;
}

/* Issuer?, Signature?, Status, and the one Assertion (core 3.2.2, 3.3.3). */
static enum mauth_rc
find_in_response(struct message *m, enum saml_refusal *why, struct mauth_err *err)
{
    xmlNode *n = xml_first(m->response);

    m->response_signature = signature_of(m->response);
    if (xml_is(n, NS_SAML, "Issuer"))
        n = xml_next(n);
    if (n && n == m->response_signature)
        n = xml_next(n);
    if (!xml_is(n, NS_PROTOCOL, "Status") || !xml_holds_elements(m->response))
        return bad(why, SAML_FORM, "a Response without Status, or with more", err);
    m->assertion = xml_next(n);
    if (!m->assertion)
        return bad(why, SAML_STATUS, "a Response without Assertion", err);
    if (!xml_is(m->assertion, NS_SAML, "Assertion") || xml_next(m->assertion))
        return bad(why, SAML_FORM, "a Response with more than one Assertion", err);
    return MAUTH_OK;
}

static bool
is_encrypted(const xmlNode *n)
{
    return xml_is(n, NS_SAML, "EncryptedAssertion") ||
           xml_is(n, NS_SAML, "EncryptedID");
}

/* Wherever another stands, somebody might read that one. */
static enum mauth_rc
check_only(const struct message *m, enum saml_refusal *why, struct mauth_err *err)
{
    for (xmlNode *n = xmlDocGetRootElement(m->doc); n; n = xml_walk(n)) {
        if (xml_is(n, NS_SAML, "Assertion") && n != m->assertion)
            return bad(why, SAML_FORM, "an Assertion in the wrong place", err);
        if (xml_is(n, NS_PROTOCOL, "Response") && n != m->response)
            return bad(why, SAML_FORM, "a Response in the wrong place", err);
        if (xml_is(n, NS_DS, "Signature") && n != m->assertion_signature &&
            n != m->response_signature)
            return bad(why, SAML_FORM, "a Signature in the wrong place", err);
    }
    return MAUTH_OK;
}

static enum mauth_rc
check_clear(const struct message *m, enum saml_refusal *why, struct mauth_err *err)
{
    for (xmlNode *n = xmlDocGetRootElement(m->doc); n; n = xml_walk(n))
        if (is_encrypted(n))
            return bad(why, SAML_ENCRYPTED, "encrypted", err);
    return MAUTH_OK;
}

static enum mauth_rc
find_parts(struct message *m, enum saml_refusal *why, struct mauth_err *err)
{
    xmlNode *root = xmlDocGetRootElement(m->doc), *issuer;
    enum mauth_rc rc = check_clear(m, why, err);

    if (rc == MAUTH_OK && xml_is(root, NS_PROTOCOL, "Response")) {
        m->response = root;
        rc = find_in_response(m, why, err);
    } else if (rc == MAUTH_OK && xml_is(root, NS_SAML, "Assertion")) {
        m->assertion = root;
    } else if (rc == MAUTH_OK) {
        rc = bad(why, SAML_FORM, "neither an Assertion nor a Response", err);
    }
    if (rc)
        return rc;
    m->assertion_signature = signature_of(m->assertion);
    issuer = xml_only(m->assertion, NS_SAML, "Issuer");
    if (!issuer || !xml_text(issuer, &m->issuer))
        return bad(why, SAML_FORM, "an Assertion without one Issuer", err);
    rc = check_only(m, why, err);
    if (rc == MAUTH_OK && !m->assertion_signature && !m->response_signature)
        rc = bad(why, SAML_UNSIGNED, "not signed", err);
    return rc;
}

enum mauth_rc
message_parse(struct text xml, struct message **out, enum saml_refusal *why,
    struct mauth_err *err)
{
    struct message *m = calloc(1, sizeof(*m));
    enum mauth_rc rc;

    *out = NULL;
    *why = SAML_FINE;
    if (!m)
        return mauth_fail(err, MAUTH_NO_MEMORY, "message: no memory");
    rc = xml_parse(XML_MESSAGE, xml, &m->doc, err);
    if (rc == MAUTH_OK)
        rc = find_parts(m, why, err);
    else if (rc != MAUTH_NO_MEMORY)
        *why = SAML_FORM;
    if (rc) {
        message_free(m);
        return rc;
    }
    *out = m;
    return MAUTH_OK;
}

void
message_free(struct message *m)
{
    if (!m)
        return;
    xmlFreeDoc(m->doc);
    free(m);
}

const char *
message_untrusted_issuer(const struct message *m)
{
    return m->issuer;
}

/* What is believed. */

struct trusted {
    const struct mauth_key *const *keys;
    size_t count;
    enum saml_refusal *why;
    struct mauth_err *err;
};

/* The element around a signature, in a document of the very bytes it is over. */
static enum mauth_rc
reread(xmlNode *signature, const char *ns, const char *name, const struct trusted *t,
    xmlDoc **out)
{
    struct buf bytes;
    enum mauth_rc rc;

    *out = NULL;
    buf_init(&bytes);
    rc = signature_verify(signature, t->keys, t->count, &bytes, t->why, t->err);
    if (rc == MAUTH_OK)
        rc = xml_parse(
            XML_MESSAGE, (struct text){(char *)bytes.data, bytes.len}, out, t->err);
    buf_clear(&bytes);
    if (rc == MAUTH_OK && !xml_is(xmlDocGetRootElement(*out), ns, name))
        rc = mauth_fail(t->err, MAUTH_MALFORMED, "message: signed is something else");
    if (rc && *t->why == SAML_FINE && rc != MAUTH_NO_MEMORY && rc != MAUTH_INTERNAL)
        *t->why = SAML_FORM;
    if (rc) {
        xmlFreeDoc(*out);
        *out = NULL;
    }
    return rc;
}

/* What it says of itself can only speak against it, signed or not. */
static enum mauth_rc
check_response(const xmlNode *r, const struct assertion_expect *want,
    enum saml_refusal *why, struct mauth_err *err)
{
    const xmlNode *issuer = xml_only(r, NS_SAML, "Issuer");
    const xmlNode *status = xml_only(r, NS_PROTOCOL, "Status");
    const xmlNode *code = xml_only(status, NS_PROTOCOL, "StatusCode");
    const char *value = code ? xml_attribute(code, "Value") : NULL;
    const char *version = xml_attribute(r, "Version"), *text;
    const char *destination = xml_attribute(r, "Destination");

    *why = SAML_FORM;
    if (!version || strcmp(version, "2.0") != 0)
        return mauth_fail(err, MAUTH_MALFORMED, "message: not SAML 2.0");
    *why = SAML_STATUS;
    if (!value || strcmp(value, SUCCESS) != 0)
        return mauth_fail(err, MAUTH_DENIED, "message: the login failed");
    *why = SAML_SOLICITED;
    if (xml_attribute(r, "InResponseTo"))
        return mauth_fail(err, MAUTH_DENIED, "message: in response to a request");
    *why = SAML_RECIPIENT;
    if (destination && strcmp(destination, want->recipient) != 0)
        return mauth_fail(err, MAUTH_DENIED, "message: for another destination");
    *why = SAML_ISSUER;
    if (issuer && (!xml_text(issuer, &text) || strcmp(text, want->provider) != 0))
        return mauth_fail(err, MAUTH_UNTRUSTED, "message: issued by somebody else");
    *why = SAML_FINE;
    return MAUTH_OK;
}

/* The signed documents of a message; NULL where there is no such signature. */
struct signed_parts {
    xmlDoc *response, *assertion;
};

static enum mauth_rc
verify_parts(const struct message *m, const struct trusted *t, struct signed_parts *out)
{
    enum mauth_rc rc = MAUTH_OK;

    if (m->response_signature)
        rc = reread(m->response_signature, NS_PROTOCOL, "Response", t, &out->response);
    if (rc == MAUTH_OK && m->assertion_signature)
        rc = reread(m->assertion_signature, NS_SAML, "Assertion", t, &out->assertion);
    return rc;
}

enum mauth_rc
message_verify(struct message *m, const struct mauth_key *const *keys, size_t count,
    const struct assertion_expect *want, struct assertion *out, enum saml_refusal *why,
    struct mauth_err *err)
{
    const struct trusted t = {keys, count, why, err};
    struct signed_parts parts = {NULL, NULL};
    const xmlNode *response = m->response, *assertion = NULL;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    *why = SAML_FINE;
    rc = verify_parts(m, &t, &parts);
    if (rc)
        goto out;
    if (parts.response) {
        response = xmlDocGetRootElement(parts.response);
        assertion = xml_only(response, NS_SAML, "Assertion");
    }
    if (parts.assertion)
        assertion = xmlDocGetRootElement(parts.assertion);
    if (response)
        rc = check_response(response, want, why, err);
    if (rc == MAUTH_OK && assertion)
        rc = assertion_check(assertion, want, out, why, err);
    else if (rc == MAUTH_OK)
        rc = mauth_fail(err, MAUTH_INTERNAL, "message: nothing is signed");
out:
    xmlFreeDoc(parts.response);
    xmlFreeDoc(parts.assertion);
    return rc;
}
