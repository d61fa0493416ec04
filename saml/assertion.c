#include "saml/assertion.h"

#include <inttypes.h>
#include <string.h>

#include "base/fail.h"
#include "saml/names.h"
#include "saml/xml.h"

#define BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"

enum {
    CONFIRMATIONS_MAX = 4
};

/* One check of an assertion, from its first element to its last. */
struct check {
    const struct assertion_expect *want;
    struct assertion *out;
    enum saml_refusal *why;
    struct mauth_err *err;
};

/* The code is the one whose callers act as the reason tells. */
#define refuse(c, reason, ...) \
    (*(c)->why = (reason), mauth_fail((c)->err, code_of(reason), __VA_ARGS__))

static enum mauth_rc
code_of(enum saml_refusal reason)
{
    switch (reason) {
    case SAML_EXPIRED:
    case SAML_NOT_YET:
    case SAML_AGE: return MAUTH_EXPIRED;
    case SAML_ISSUER: return MAUTH_UNTRUSTED;
    case SAML_CONFIRMATION:
    case SAML_RECIPIENT:
    case SAML_SOLICITED:
    case SAML_AUDIENCE:
    case SAML_CONDITION:
    case SAML_STATUS:
    case SAML_SUBJECT: return MAUTH_DENIED;
    case SAML_FINE:
    case SAML_FORM:
    case SAML_ENCRYPTED:
    case SAML_UNSIGNED:
    case SAML_ALG:
    case SAML_SIGNATURE: break;
    }
    return MAUTH_MALFORMED;
}

static bool
is_text(const xmlNode *n, const char *want)
{
    const char *text;

    return xml_text(n, &text) && strcmp(text, want) == 0;
}

static bool
is_attribute(const xmlNode *n, const char *name, const char *want)
{
    const char *value = xml_attribute(n, name);

    return value && strcmp(value, want) == 0;
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Times. */

/* An attribute that may be missing; otherwise is its value then. */
static enum mauth_rc
take_time(struct check *c, const xmlNode *n, const char *name, int64_t otherwise,
    int64_t *out_s)
{
    const char *text = xml_attribute(n, name);

    *out_s = otherwise;
    if (!text || xml_time(text, out_s))
        return MAUTH_OK;
    return refuse(c, SAML_FORM, "assertion: %s is no time in UTC", name);
}

static enum mauth_rc
check_end(struct check *c, const char *what, int64_t end_s)
{
    if (c->want->now_s - ASSERTION_SKEW_S >= end_s)
        return refuse(c, SAML_EXPIRED, "assertion: %s was %" PRId64 ", now %" PRId64,
            what, end_s, c->want->now_s);
    return MAUTH_OK;
}

static enum mauth_rc
check_begin(struct check *c, const char *what, int64_t begin_s)
{
    if (c->want->now_s + ASSERTION_SKEW_S < begin_s)
        return refuse(c, SAML_NOT_YET, "assertion: %s is %" PRId64 ", now %" PRId64,
            what, begin_s, c->want->now_s);
    return MAUTH_OK;
}

/* The head. */

static enum mauth_rc
check_head(struct check *c, const xmlNode *a)
{
    const char *id = xml_attribute(a, "ID");
    int64_t issued_s;
    enum mauth_rc rc;

    if (!is_attribute(a, "Version", "2.0") || !xml_attribute(a, "IssueInstant"))
        return refuse(c, SAML_FORM, "assertion: not SAML 2.0, or without IssueInstant");
    if (!id || !*id || strlen(id) > ASSERTION_ID_MAX)
        return refuse(c, SAML_FORM, "assertion: an ID that is empty or too long");
    memcpy(c->out->id, id, strlen(id) + 1);
    rc = take_time(c, a, "IssueInstant", 0, &issued_s);
    if (rc == MAUTH_OK)
        rc = check_begin(c, "IssueInstant", issued_s);
    if (rc)
        return rc;
    if (c->want->now_s - ASSERTION_SKEW_S >= issued_s + c->want->max_age_s)
        return refuse(c, SAML_AGE,
            "assertion: issued at %" PRId64 ", now %" PRId64 ", may be %" PRId64
            " s old",
            issued_s, c->want->now_s, c->want->max_age_s);
    c->out->too_old_s = issued_s + c->want->max_age_s;
    return MAUTH_OK;
}

/* The subject. */

static enum mauth_rc
check_bearer(struct check *c, const xmlNode *confirmation)
{
    const xmlNode *data = xml_only(confirmation, NS_SAML, "SubjectConfirmationData");
    int64_t end_s;
    enum mauth_rc rc;

    if (!data || !xml_attribute(data, "NotOnOrAfter") ||
        !xml_attribute(data, "Recipient"))
        return refuse(c, SAML_CONFIRMATION,
            "assertion: a bearer without Recipient or NotOnOrAfter");
    if (xml_attribute(data, "NotBefore")) /* profiles 4.1.4.2 */
        return refuse(c, SAML_CONFIRMATION, "assertion: a bearer with NotBefore");
    if (xml_attribute(data, "InResponseTo"))
        return refuse(c, SAML_SOLICITED, "assertion: in response to a request");
    if (!is_attribute(data, "Recipient", c->want->recipient))
        return refuse(c, SAML_RECIPIENT, "assertion: for another recipient");
    rc = take_time(c, data, "NotOnOrAfter", 0, &end_s);
    if (rc == MAUTH_OK)
        rc = check_end(c, "the bearer's NotOnOrAfter", end_s);
    if (rc == MAUTH_OK)
        c->out->too_old_s = earlier(c->out->too_old_s, end_s);
    return rc;
}

/* Exactly one is a bearer's; others, which ask for more than we see, are not used. */
static enum mauth_rc
check_confirmations(struct check *c, const xmlNode *subject)
{
    const xmlNode *bearer = NULL;
    size_t count = 0;

    for (const xmlNode *n = xml_first(subject); n; n = xml_next(n)) {
        if (!xml_is(n, NS_SAML, "SubjectConfirmation"))
            continue;
        count++;
        if (!is_attribute(n, "Method", BEARER))
            continue;
        if (bearer)
            return refuse(c, SAML_CONFIRMATION, "assertion: two bearers");
        bearer = n;
    }
    if (!bearer || count > CONFIRMATIONS_MAX)
        return refuse(
            c, SAML_CONFIRMATION, "assertion: no bearer, of %zu confirmations", count);
    return check_bearer(c, bearer);
}

static enum mauth_rc
check_subject(struct check *c, const xmlNode *a)
{
    const xmlNode *subject = xml_only(a, NS_SAML, "Subject");
    const xmlNode *name = xml_only(subject, NS_SAML, "NameID");
    enum mauth_rc rc;

    if (!name || xml_first(subject) != name)
        return refuse(c, SAML_SUBJECT, "assertion: not one Subject with one NameID");
    rc = subject_read(
        name, c->want->provider, c->want->audience, c->out->subject, c->err);
    if (rc == MAUTH_OK)
        return check_confirmations(c, subject);
    *c->why = SAML_SUBJECT;
    return rc;
}

/* The conditions. */

static bool
names_us(const xmlNode *restriction, const char *audience)
{
    for (const xmlNode *n = xml_first(restriction); n; n = xml_next(n))
        if (xml_is(n, NS_SAML, "Audience") && is_text(n, audience))
            return true;
    return false;
}

/* Each restriction must let us in, and there must be one (core 2.5.1.4). */
static enum mauth_rc
check_audiences(struct check *c, const xmlNode *conditions)
{
    size_t restrictions = 0;

    for (const xmlNode *n = xml_first(conditions); n; n = xml_next(n)) {
        if (xml_is(n, NS_SAML, "AudienceRestriction")) {
            restrictions++;
            if (!names_us(n, c->want->audience))
                return refuse(c, SAML_AUDIENCE, "assertion: for another audience");
        } else if (!xml_is(n, NS_SAML, "OneTimeUse") &&
                   !xml_is(n, NS_SAML, "ProxyRestriction")) {
            return refuse(c, SAML_CONDITION, "assertion: under an unknown condition");
        }
    }
    if (restrictions == 0)
        return refuse(c, SAML_AUDIENCE, "assertion: for no audience");
    return MAUTH_OK;
}

static enum mauth_rc
check_conditions(struct check *c, const xmlNode *a)
{
    const xmlNode *conditions = xml_only(a, NS_SAML, "Conditions");
    int64_t begin_s, end_s;
    enum mauth_rc rc;

    if (!conditions)
        return refuse(c, SAML_AUDIENCE, "assertion: not under one set of Conditions");
    rc = take_time(c, conditions, "NotBefore", 0, &begin_s);
    if (rc == MAUTH_OK)
        rc = take_time(c, conditions, "NotOnOrAfter", INT64_MAX, &end_s);
    if (rc == MAUTH_OK)
        rc = check_begin(c, "NotBefore", begin_s);
    if (rc == MAUTH_OK)
        rc = check_end(c, "NotOnOrAfter", end_s);
    if (rc == MAUTH_OK)
        rc = check_audiences(c, conditions);
    if (rc == MAUTH_OK)
        c->out->too_old_s = earlier(c->out->too_old_s, end_s);
    return rc;
}

/* The statements. */

static enum mauth_rc
check_authn(struct check *c, const xmlNode *a)
{
    const xmlNode *authn = xml_only(a, NS_SAML, "AuthnStatement");
    enum mauth_rc rc;

    if (!authn || !xml_attribute(authn, "AuthnInstant"))
        return refuse(
            c, SAML_FORM, "assertion: not one AuthnStatement with AuthnInstant");
    rc = take_time(c, authn, "AuthnInstant", 0, &c->out->authn_s);
    if (rc == MAUTH_OK)
        rc = take_time(
            c, authn, "SessionNotOnOrAfter", INT64_MAX, &c->out->session_ends_s);
    if (rc == MAUTH_OK)
        rc = check_begin(c, "AuthnInstant", c->out->authn_s);
    /* It would be the end of our session: no skew, so that one is left. */
    if (rc == MAUTH_OK && c->want->now_s >= c->out->session_ends_s)
        rc = refuse(c, SAML_EXPIRED, "assertion: its session has ended");
    return rc;
}

static bool
is_mail(const xmlNode *attribute)
{
    return xml_is(attribute, NS_SAML, "Attribute") &&
           (is_attribute(attribute, "Name", "mail") ||
               is_attribute(attribute, "Name", "urn:oid:0.9.2342.19200300.100.1.3"));
}

/* The address, when there is exactly one. Whether it is believed, others know. */
static void
take_mail(struct check *c, const xmlNode *a)
{
    const xmlNode *mail = NULL;
    size_t count = 0;
    const char *text;

    for (const xmlNode *s = xml_first(a); s; s = xml_next(s))
        for (const xmlNode *n = xml_first(s); n; n = xml_next(n))
            if (xml_is(s, NS_SAML, "AttributeStatement") && is_mail(n)) {
                mail = n;
                count++;
            }
    if (count != 1)
        return;
    mail = xml_only(mail, NS_SAML, "AttributeValue");
    if (mail && xml_text(mail, &text) && strlen(text) <= ASSERTION_EMAIL_MAX)
        memcpy(c->out->email, text, strlen(text) + 1);
}

static enum mauth_rc
check_issuer(struct check *c, const xmlNode *a)
{
    const xmlNode *issuer = xml_only(a, NS_SAML, "Issuer");

    if (!issuer || !is_text(issuer, c->want->provider))
        return refuse(c, SAML_ISSUER, "assertion: issued by somebody else");
    return MAUTH_OK;
}

enum mauth_rc
assertion_check(const xmlNode *element, const struct assertion_expect *want,
    struct assertion *out, enum saml_refusal *why, struct mauth_err *err)
{
    struct check c = {want, out, why, err};
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    *why = SAML_FINE;
    rc = check_head(&c, element);
    if (rc == MAUTH_OK)
        rc = check_issuer(&c, element);
    if (rc == MAUTH_OK)
        rc = check_subject(&c, element);
    if (rc == MAUTH_OK)
        rc = check_conditions(&c, element);
    if (rc == MAUTH_OK)
        rc = check_authn(&c, element);
    if (rc) {
        memset(out, 0, sizeof(*out)); /* nobody is vouched for */
        return rc;
    }
    out->too_old_s += ASSERTION_SKEW_S;
    take_mail(&c, element);
    return MAUTH_OK;
}
