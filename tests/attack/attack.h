/*
 * Forged, malformed and misused tickets: what each is after, how it is made from a
 * valid one, and the reason for which it must be refused (docs/tickets.md).
 */
#ifndef TESTS_ATTACK_H
#define TESTS_ATTACK_H

#include "tests/attack/forgery.h"
#include "tests/attack/house.h"

/* Which valid tickets it is derived from. */
enum {
    IDENTITY = 1, /* has an AuthnStatement */
    RIGHTS = 2,   /* has permits, and is bound to a key */
    BEARER = 4,   /* has permits, and is bound to none */
    P2P = 8,      /* has two audiences and no permit */
    P256 = 16,
    RSA2048 = 32,
    LOGIN = 64, /* is no ticket: an identity one that is a login elsewhere */
    PERMITS = RIGHTS | BEARER,
    BOUND = IDENTITY | RIGHTS | P2P,
    SHORT = RIGHTS | BEARER | P2P, /* from 10:00:00 to 10:10:00 */
};

/* Who had it last, and so what of the signature fits. */
enum hand {
    AS_IS,    /* nobody: bytes are as they were edited */
    REHASHED, /* an outsider, who can make DigestValue fit */
    RESIGNED, /* the key's owner, DigestValue left as it is */
    SIGNED,   /* the key's owner */
};

struct edit {
    const char *find; /* NULL: all; both may name parts of the ticket, see forgery.h */
    const char *put;
};

struct attack {
    const char *name;
    const char *target; /* a CVE, a paper, a clause */
    unsigned on;        /* kinds and algorithms; 0: all */
    struct edit edit[4];
    bool everywhere; /* each place where edit[].find is */
    forgery_make *make;
    int arg;
    enum hand hand;
    enum house_key key;   /* of SIGNED and RESIGNED */
    struct edit after[2]; /* what is done when it is signed */
    forgery_make *finish;
    struct situation at;
    enum mauth_reason reason; /* NONE: a control, which must be accepted */
};

struct attack_group {
    const char *title;
    const struct attack *list;
    size_t count;
};

extern const struct attack_group attacks_by_wrapping, attacks_on_references,
    attacks_on_signatures, attacks_on_key_info, attacks_on_xml, attacks_on_values,
    attacks_on_statements, attacks_on_facts, attacks_on_holders, attacks_on_credentials,
    attacks_on_headers, attacks_on_services;

#define ATTACK(who, n, t, f, p, r, ...)                                 \
    {                                                                   \
        .name = (n), .target = (t), .edit[0] = {(f), (p)}, .hand = who, \
        .reason = MAUTH_REASON_##r, __VA_ARGS__                         \
    }
/* By somebody without the key; by somebody who makes the digest fit as well. */
#define FORGED(...)   ATTACK(AS_IS, __VA_ARGS__)
#define DIGESTED(...) ATTACK(REHASHED, __VA_ARGS__)
/* With the genuine key, over what was made of the ticket. */
#define MISMADE(...) ATTACK(SIGNED, __VA_ARGS__)
/* Nothing of the ticket is changed but what a function makes of it, or around it. */
#define MADE(who, n, t, m, a, r, ...)                                          \
    {                                                                          \
        .name = (n), .target = (t), .make = (m), .arg = (int)(a), .hand = who, \
        .reason = MAUTH_REASON_##r, __VA_ARGS__                                \
    }

/* Parts of all the tickets. */
#define SAML_NS    "urn:oasis:names:tc:SAML:2.0:assertion"
#define DS_NS      "http://www.w3.org/2000/09/xmldsig#"
#define EXC_C14N   "http://www.w3.org/2001/10/xml-exc-c14n#"
#define FORMAT     "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
#define ISSUER_TAG "<saml:Issuer>https://auth.mesh.example</saml:Issuer>"
#define ALICE      "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOB        "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define DEVICE     "dev_0xxxxxxxxxxxxxxxxxxxxxxxxx"
#define FOLDER     "fld_0fffffffffffffffffffffffff"
#define SESSION    "ses_0sssssssssssssssssssssssss"
#define STORAGE    "urn:meshauth:service:storage"

#define AUDIENCE(a) "<saml:Audience>" a "</saml:Audience>"
#define VALUE(v)    "<saml:AttributeValue>" v "</saml:AttributeValue>"
#define FACT(relation, values)                                                  \
    "<saml:Attribute Name=\"urn:meshauth:fact:" relation                        \
    "\" NameFormat=\"urn:oasis:names:tc:SAML:2.0:attrname-format:uri\">" values \
    "</saml:Attribute>"
#define FACT_4711 FACT("asof", VALUE("4711"))
#define FACT_SES  FACT("session", VALUE(SESSION))
#define ACTION(name) \
    "<saml:Action Namespace=\"urn:meshauth:action\">" name "</saml:Action>"
#define RWEDC(name)                                                             \
    "<saml:Action Namespace=\"urn:oasis:names:tc:SAML:1.0:action:rwedc\">" name \
    "</saml:Action>"
#define PERMIT(resource, actions)                                           \
    "<saml:AuthzDecisionStatement Decision=\"Permit\" Resource=\"" resource \
    "\">" actions "</saml:AuthzDecisionStatement>"
#define ATTRIBUTES "<saml:AttributeStatement>"

#endif
