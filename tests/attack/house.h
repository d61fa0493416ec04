/*
 * Where forgeries are tried: an issuer's keys and its trust file, a service with its
 * rules, the key that its client proves; each as it should be, or changed.
 */
#ifndef TESTS_HOUSE_H
#define TESTS_HOUSE_H

#include "tests/unit/forge.h"
#include <meshauth/verifier.h>

struct base;
struct forgery;

enum house_key {
    KEY_ITS_OWN,  /* the one that signed the ticket */
    KEY_SECOND,   /* trusted as well, P-256 */
    KEY_OTHER,    /* the trusted key of the other algorithm */
    KEY_STRANGER, /* not trusted, of the same kind as the ticket's */
};

enum proof {
    PROVEN, /* the key that the ticket is bound to */
    NO_KEY,
    OTHER_KEY,
    SHORT_KEY, /* the right one but for its last byte */
    LONG_KEY,
    EMPTY_KEY,
};

enum {
    HOUSE_KEYS = 3,
    HOUSE_SERVICES = 128
};

/* Makes the trust file another one; its keys are P-256, RSA, the second. */
typedef void house_change(struct golden_statement *g, struct trust_key key[HOUSE_KEYS]);

/* How the world is; zeros are what the golden tickets are good for. */
struct situation {
    const char *now;      /* 2026-11-22T10:05:00Z */
    int32_t skew_s;       /* 60 */
    const char *audience; /* the ticket's own */
    enum proof proof;
    bool no_bearer;
    house_change *trust;
    const char *scheme; /* "Bearer " */
    const char *action; /* "enter", which every ticket may */
};

/* A service in some situation, kept for the next case that wants the same. */
struct service {
    const char *audience;
    int32_t skew_s;
    bool allow_bearer;
    house_change *changed;
    struct mauth_trust *trust;
    struct mauth_verifier *verifier;
};

struct house {
    char dir[64];
    char *vkey;
    struct signer *p256, *rsa, *second, *stranger_p256, *stranger_rsa;
    struct mauth_key *device;
    struct service service[HOUSE_SERVICES];
    size_t services;
};

void house_open(struct house *h);
void house_close(struct house *h);

const struct signer *house_signer(
    const struct house *h, const struct base *base, enum house_key key);

struct service *house_service(
    struct house *h, const struct base *base, const struct situation *at);

/* What came of it. */
struct outcome {
    enum mauth_reason reason;
    bool accepted;
    char trouble[128]; /* not "": something came out that must not */
};

/* One ticket, through mauth_credential_decode() and mauth_ticket_verify(). */
void house_verify(const struct house *h, const struct service *s,
    const struct forgery *f, const struct situation *at, struct outcome *out);

/* A header, through mauth_verifier_check(). */
void house_check(const struct house *h, const struct service *s,
    const struct forgery *f, const struct situation *at, struct outcome *out);

#endif
