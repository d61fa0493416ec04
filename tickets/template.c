#include "tickets/template.h"

#include <string.h>

#include "base/b64.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"

#define SAML "urn:oasis:names:tc:SAML:2.0:assertion"
#define DS   "http://www.w3.org/2000/09/xmldsig#"
#define EXC  "http://www.w3.org/2001/10/xml-exc-c14n#"
#define MORE "http://www.w3.org/2001/04/xmldsig-more#"

const char TEMPLATE_SIGNED_INFO[] = "<ds:SignedInfo xmlns:ds=\"" DS "\">";

bool
pass_ok(const struct pass *p)
{
    return !p->failed &&
           (p->reading ? reader_ok(&p->in) && buf_ok(p->pool) : buf_ok(p->out));
}

/* Steps: fixed bytes, then values. */

static void
fixed(struct pass *p, const char *literal, size_t len)
{
    if (p->reading)
        reader_expect(&p->in, literal, len);
    else
        buf_put(p->out, literal, len);
}

#define FIXED(p, literal) fixed((p), "" literal, sizeof(literal) - 1)

/* Is there another one? Its first bytes are put or taken. */
static bool
another(struct pass *p, bool more, const char *literal, size_t len)
{
    if (p->reading)
        return reader_accept(&p->in, literal, len);
    if (more)
        buf_put(p->out, literal, len);
    return more;
}

#define ANOTHER(p, more, literal) another((p), (more), "" literal, sizeof(literal) - 1)

static void
escape(struct buf *out, struct text v)
{
    struct text part;

    while (text_cut(&v, '&', &part)) {
        buf_text(out, part);
        buf_str(out, "&amp;");
    }
    buf_text(out, v);
}

/* Keeps a terminated copy of raw in the pool, without its escapes. */
static struct text
keep(struct pass *p, struct text raw)
{
    static const char amp[] = "amp;";
    size_t start = p->pool->len;
    struct text part, kept = {"", 0};

    while (text_cut(&raw, '&', &part)) {
        if (!text_starts(raw, amp)) {
            p->failed = true;
            return kept;
        }
        raw.p += sizeof(amp) - 1;
        raw.len -= sizeof(amp) - 1;
        buf_text(p->pool, part);
        buf_u8(p->pool, '&');
    }
    buf_text(p->pool, raw);
    kept.len = p->pool->len - start;
    buf_u8(p->pool, 0);
    if (!buf_ok(p->pool))
        return (struct text){"", 0};
    kept.p = (const char *)p->pool->data + start;
    return kept;
}

typedef bool is_valid(struct text t);

/* A value up to the byte end, which belongs to the form as well. */
static void
value(struct pass *p, struct text *v, is_valid *valid, char end)
{
    if (p->reading)
        *v = keep(p, reader_until(&p->in, end));
    else
        escape(p->out, *v);
    if (!p->reading)
        buf_u8(p->out, (uint8_t)end);
    if (!p->again && !valid(*v))
        p->failed = true;
}

static void
instant(struct pass *p, int64_t *t_s, char end)
{
    char text[TIME_LEN + 1];

    if (p->reading) {
        struct text t = reader_until(&p->in, end);

        if (!time_parse(t.p, t.len, t_s))
            p->failed = true;
        return;
    }
    if (*t_s < 0 || *t_s > TIME_MAX_S)
        p->failed = true;
    time_format(*t_s, text);
    buf_put(p->out, text, TIME_LEN);
    buf_u8(p->out, (uint8_t)end);
}

/* Bytes in base64. */
static void
bytes(struct pass *p, struct text *v, char end)
{
    char *at;

    if (p->reading) {
        struct text raw = reader_until(&p->in, end);
        size_t len = 0, max = b64_decoded_max(raw.len);

        at = buf_space(p->pool, max);
        if (!at || !b64_decode(B64_STD, raw.p, raw.len, at, max, &len)) {
            p->failed = true;
            *v = (struct text){"", 0};
            return;
        }
        *v = (struct text){at, len};
        return;
    }
    at = buf_space(p->out, b64_encoded_len(B64_STD, v->len));
    if (at)
        b64_encode(B64_STD, v->p, v->len, at);
    buf_u8(p->out, (uint8_t)end);
}

/* What values may be. */

static bool
is_ticket_id(struct text t)
{
    struct text digits = {t.p + 1, TICKET_ID_LEN - 1};

    return t.len == TICKET_ID_LEN && t.p[0] == '_' &&
           str_is_hex(digits, TICKET_ID_LEN - 1);
}

static bool
is_key_id(struct text t)
{
    return str_is_hex(t, MAUTH_KEY_ID_LEN);
}

static bool
is_issuer(struct text t)
{
    return str_is_uri(t);
}

static bool
is_principal(struct text t)
{
    enum id_kind kind = id_kind_of(t.p, t.len);

    return kind == ID_USER || kind == ID_SERVICE;
}

static bool
is_device(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_DEVICE;
}

static bool
is_user(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_USER;
}

static bool
is_folder(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_FOLDER;
}

static bool
is_session(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_SESSION;
}

static bool
is_service(struct text t)
{
    return id_kind_of(t.p, t.len) == ID_SERVICE;
}

static bool
is_number(struct text t)
{
    uint64_t n;

    return str_number(t, &n);
}

static const struct {
    const char *name;
    size_t arity;
    is_valid *arg[TICKET_ARGS];
} relations[FACT_RELATIONS] = {
    [FACT_ASOF] = {"asof", 1, {is_number}},
    [FACT_CLAIMED] = {"claimed", 2, {is_device, is_user}},
    [FACT_HOLDER] = {"holder", 1, {is_device}},
    [FACT_MAPPED] = {"mapped", 2, {is_device, is_folder}},
    [FACT_MEMBER] = {"member", 3, {is_user, is_folder, str_is_name}},
    [FACT_ROLE] = {"role", 2, {is_principal, str_is_name}},
    [FACT_SERVICE] = {"service", 1, {is_service}},
    [FACT_SESSION] = {"session", 1, {is_session}},
};

const char *
ticket_relation_name(enum ticket_relation relation)
{
    return relations[relation].name;
}

size_t
ticket_relation_arity(enum ticket_relation relation)
{
    return relations[relation].arity;
}

/* The parts of the form. */

void
template_head(struct pass *p, struct ticket *t)
{
    FIXED(p, "<saml:Assertion xmlns:saml=\"" SAML "\" ID=\"");
    value(p, &t->id, is_ticket_id, '"');
    FIXED(p, " IssueInstant=\"");
    instant(p, &t->issued_s, '"');
    FIXED(p, " Version=\"2.0\"><saml:Issuer>");
    value(p, &t->issuer, is_issuer, '<');
    FIXED(p, "/saml:Issuer>");
}

void
template_signature_open(struct pass *p)
{
    FIXED(p, "<ds:Signature xmlns:ds=\"" DS "\"><ds:SignedInfo>");
}

static void
digest(struct pass *p, struct ticket *t)
{
    struct text raw = {(const char *)t->digest, HASH_LEN};

    bytes(p, &raw, '<');
    if (!p->reading)
        return;
    if (raw.len == HASH_LEN)
        memcpy(t->digest, raw.p, HASH_LEN);
    else
        p->failed = true;
}

void
template_signed_info(struct pass *p, struct ticket *t)
{
    struct text id = t->id;

    FIXED(p, "<ds:CanonicalizationMethod Algorithm=\"" EXC
             "\"></ds:CanonicalizationMethod><ds:SignatureMethod Algorithm=\"" MORE);
    if (ANOTHER(p, t->alg == KEY_RSA_SHA256, "rsa-sha256")) {
        t->alg = KEY_RSA_SHA256;
    } else {
        FIXED(p, "ecdsa-sha256");
        t->alg = KEY_ECDSA_SHA256;
    }
    FIXED(p, "\"></ds:SignatureMethod><ds:Reference URI=\"#");
    value(p, &id, is_ticket_id, '"');
    FIXED(p, "><ds:Transforms><ds:Transform Algorithm=\"" DS
             "enveloped-signature\"></ds:Transform><ds:Transform Algorithm=\"" EXC
             "\"></ds:Transform></ds:Transforms><ds:DigestMethod Algorithm=\""
             "http://www.w3.org/2001/04/xmlenc#sha256"
             "\"></ds:DigestMethod><ds:DigestValue>");
    digest(p, t);
    FIXED(p, "/ds:DigestValue></ds:Reference></ds:SignedInfo>");
}

void
template_signature_value(struct pass *p, struct ticket *t)
{
    FIXED(p, "<ds:SignatureValue>");
    bytes(p, &t->signature, '<');
    FIXED(p, "/ds:SignatureValue><ds:KeyInfo><ds:KeyName>");
    value(p, &t->key_id, is_key_id, '<');
    FIXED(p, "/ds:KeyName></ds:KeyInfo></ds:Signature>");
}

static void
confirmation(struct pass *p, struct ticket *t)
{
    struct text spki = {(const char *)t->holder_spki, t->holder_spki_len};
    struct text recipient = t->audience[0];
    int64_t until_s = t->not_on_or_after_s;

    FIXED(p, "<saml:SubjectConfirmation Method=\"urn:oasis:names:tc:SAML:2.0:cm:");
    if (ANOTHER(p, t->holder_spki != NULL, "holder-of-key")) {
        FIXED(p, "\"><saml:SubjectConfirmationData"
                 " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
                 " xsi:type=\"saml:KeyInfoConfirmationDataType\">"
                 "<ds:KeyInfo xmlns:ds=\"" DS "\"><dsig11:DEREncodedKeyValue"
                 " xmlns:dsig11=\"http://www.w3.org/2009/xmldsig11#\">");
        bytes(p, &spki, '<');
        if (!key_spki_is_well_formed((const uint8_t *)spki.p, spki.len))
            p->failed = true;
        t->holder_spki = (const uint8_t *)spki.p;
        t->holder_spki_len = spki.len;
        FIXED(p, "/dsig11:DEREncodedKeyValue></ds:KeyInfo>");
    } else {
        /* Recipient and NotOnOrAfter repeat what Conditions say: when they do
         * not, what is written again differs from what was read. */
        FIXED(p, "bearer\"><saml:SubjectConfirmationData NotOnOrAfter=\"");
        instant(p, &until_s, '"');
        FIXED(p, " Recipient=\"");
        value(p, &recipient, str_is_uri, '"');
        FIXED(p, ">");
    }
    FIXED(
        p, "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>");
}

static void
conditions(struct pass *p, struct ticket *t)
{
    size_t i = 0;

    FIXED(p, "<saml:Conditions NotBefore=\"");
    instant(p, &t->not_before_s, '"');
    FIXED(p, " NotOnOrAfter=\"");
    instant(p, &t->not_on_or_after_s, '"');
    FIXED(p, "><saml:AudienceRestriction>");
    for (; ANOTHER(p, i < t->audiences, "<saml:Audience>"); i++) {
        if (i == TICKET_AUDIENCES) {
            p->failed = true;
            return;
        }
        value(p, &t->audience[i], str_is_uri, '<');
        FIXED(p, "/saml:Audience>");
    }
    t->audiences = i;
    FIXED(p, "</saml:AudienceRestriction></saml:Conditions>");
}

static void
authn(struct pass *p, struct ticket *t)
{
    struct text session = ticket_session(t); /* reading: it comes later, see above */

    t->has_authn = ANOTHER(p, t->has_authn, "<saml:AuthnStatement AuthnInstant=\"");
    if (!t->has_authn)
        return;
    instant(p, &t->authn_instant_s, '"');
    FIXED(p, " SessionIndex=\"");
    value(p, &session, is_session, '"');
    FIXED(p, "><saml:AuthnContext><saml:AuthnContextClassRef>");
    value(p, &t->authn_class, str_is_uri, '<');
    FIXED(p, "/saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>");
}

/* Four actions have names in SAML (core 8.1.2); all others, never these, are ours. */
static const struct {
    const char *ours;
    const char *name;
} rwedc[] = {
    {"read", "Read"}, {"write", "Write"}, {"delete", "Delete"}, {"control", "Control"}};

enum {
    RWEDC = sizeof(rwedc) / sizeof(*rwedc)
};

static size_t
in_rwedc(struct text action)
{
    size_t i = 0;

    while (i < RWEDC && !text_is(action, rwedc[i].ours))
        i++;
    return i;
}

static bool
is_own_action(struct text t)
{
    return str_is_name(t) && in_rwedc(t) == RWEDC;
}

static bool
is_saml_action(struct text t)
{
    for (size_t i = 0; i < RWEDC; i++)
        if (text_is(t, rwedc[i].name))
            return true;
    return false;
}

/* The rest of <saml:Action Namespace=". */
static void
action(struct pass *p, struct text *name)
{
    size_t known = p->reading ? 0 : in_rwedc(*name);

    if (ANOTHER(p, known < RWEDC, "urn:oasis:names:tc:SAML:1.0:action:rwedc\">")) {
        struct text theirs = text_of(p->reading ? NULL : rwedc[known].name);

        value(p, &theirs, is_saml_action, '<');
        for (known = 0; known < RWEDC && !text_is(theirs, rwedc[known].name);)
            known++;
        if (known < RWEDC)
            *name = text_of(rwedc[known].ours);
    } else {
        FIXED(p, "urn:meshauth:action\">");
        value(p, name, is_own_action, '<');
    }
    FIXED(p, "/saml:Action>");
}

static void
permits(struct pass *p, struct ticket *t)
{
    size_t i = 0, next = 0;

    for (; ANOTHER(p, i < t->permits,
             "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"");
         i++) {
        struct ticket_permit *permit = &t->permit[i];
        size_t j = 0;

        if (i == TICKET_PERMITS) {
            p->failed = true;
            return;
        }
        value(p, &permit->resource, str_is_uri, '"');
        FIXED(p, ">");
        if (p->reading)
            permit->first = next;
        for (; ANOTHER(p, j < permit->count, "<saml:Action Namespace=\""); j++) {
            if (next == TICKET_ACTIONS) {
                p->failed = true;
                return;
            }
            action(p, &t->action[permit->first + j]);
            next++;
        }
        permit->count = j;
        FIXED(p, "</saml:AuthzDecisionStatement>");
    }
    t->permits = i;
    t->actions = next;
}

/* The rest of <saml:Attribute Name="urn:meshauth:fact:. */
static void
fact(struct pass *p, struct ticket_fact *f)
{
    size_t r = p->reading ? 0 : f->relation;

    if (p->reading) {
        struct text name = reader_until(&p->in, '"');

        while (r < FACT_RELATIONS && !text_is(name, relations[r].name))
            r++;
        if (r == FACT_RELATIONS) {
            p->failed = true;
            return;
        }
        f->relation = (enum ticket_relation)r;
    } else {
        buf_str(p->out, relations[r].name);
        buf_u8(p->out, '"');
    }
    FIXED(p, " NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">");
    for (size_t i = 0; i < relations[r].arity; i++) {
        FIXED(p, "<saml:AttributeValue>");
        value(p, &f->arg[i], relations[r].arg[i], '<');
        FIXED(p, "/saml:AttributeValue>");
    }
    FIXED(p, "</saml:Attribute>");
}

static void
facts(struct pass *p, struct ticket *t)
{
    size_t i = 0;

    FIXED(p, "<saml:AttributeStatement>");
    for (; ANOTHER(p, i < t->facts, "<saml:Attribute Name=\"urn:meshauth:fact:"); i++) {
        if (i == TICKET_FACTS) {
            p->failed = true;
            return;
        }
        fact(p, &t->fact[i]);
    }
    t->facts = i;
    FIXED(p, "</saml:AttributeStatement>");
}

void
template_tail(struct pass *p, struct ticket *t)
{
    FIXED(p, "<saml:Subject><saml:NameID"
             " Format=\"urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified\">");
    value(p, &t->subject, is_principal, '<');
    FIXED(p, "/saml:NameID>");
    confirmation(p, t);
    conditions(p, t);
    authn(p, t);
    permits(p, t);
    facts(p, t);
    FIXED(p, "</saml:Assertion>");
}
