/*
 * The configuration file of meshauthd (libconfig syntax), read strictly: an
 * unknown name, a wrong type or a value out of range is an error that names
 * file and line and says what would be right. docs/configuration.md lists it all.
 *
 * Read by meshauthd and by the admin commands. Paths in it are relative to the
 * file's folder; here they are made absolute or joined with it.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include <meshauth/err.h>

enum {
    CONFIG_PROVIDERS = 16,
    CONFIG_CLIENT_IDS = 16,
    CONFIG_EMAIL_DOMAINS = 16,
    CONFIG_SCOPES = 16,
    CONFIG_PKCS11_MODULES = 8,
    CONFIG_FILE_MAX = 64 * 1024
};

struct config_provider {
    const char *name;   /* [a-z][a-z0-9-]{0,31}; unique */
    const char *type;   /* "oidc" or "saml"; see config_is_saml() */
    const char *issuer; /* "iss" of its ID tokens, or its entityID; unique */
    const char *client_id[CONFIG_CLIENT_IDS];
    size_t client_ids;
    const char
        *login_client_id; /* of client_id, for `meshauth login`; NULL: the first */
    const char *scope[CONFIG_SCOPES]; /* that `meshauth login` asks for beside openid */
    size_t scopes;
    const char *email_domain[CONFIG_EMAIL_DOMAINS]; /* that it is authoritative for */
    size_t email_domains;
    const char *jwks_file;     /* NULL: found by OpenID discovery from the issuer */
    const char *ca_file;       /* for discovery; NULL: the system's */
    const char *metadata_file; /* of a SAML provider; or else the URL */
    const char *metadata_url;
    const char *metadata_key; /* PEM: who signs the metadata; needed with the URL */
    bool create_users;        /* the first login makes the user */
    bool key_in_nonce; /* an ID token's nonce must be bound to the key that is proven */
    bool demo;         /* anyone can mint; only on loopback */
    int64_t max_age_s; /* "iat" or IssueInstant not older; default 600; 60 to 86400 */
};

struct config {
    const char *path;
    const char *dir;
    uint8_t hash[HASH_LEN]; /* SHA-256 of the file */

    struct {
        const char *url;        /* https://..., no slash at the end */
        const char *trust_file; /* default "trust" */
    } issuer;

    struct {
        const char *address;      /* default 127.0.0.1; an IPv4 or IPv6 address */
        int port;                 /* default 8443 */
        const char *certificate;  /* PEM chain, default tls.crt */
        const char *key;          /* default tls.key */
        const char *admin_socket; /* default admin.sock; at most 107 bytes */
    } listen;

    const char *store;         /* "lmdb:DIR", made absolute; default lmdb:store */
    const char *seal_key_file; /* default seal.key */
    const char *rules_file;    /* default mesh.rules */

    /* That keys may lie behind; absolute. None: no key in a token is taken. */
    const char *pkcs11_module[CONFIG_PKCS11_MODULES];
    size_t pkcs11_modules;

    struct config_provider provider[CONFIG_PROVIDERS];
    size_t providers;

    struct {
        int64_t identity_s; /* default 3600; 60 to 43200 */
        int64_t rights_s;   /* default 600; 60 to 43200 */
        int64_t session_s;  /* default 2592000 (30 days); 3600 to 31536000 */
        int64_t trust_s;    /* life of a trust file, default 3600; 120 to 43200 */
    } tickets;

    struct {
        int64_t period_s; /* how long a key signs; default 0: keys stay until an admin
                             acts; 0 to 25920000 (300 days) */
        int64_t publish_ahead_s; /* a new one before it signs, default 86400; 120 to
                                    2592000; tickets.trust_s or more, below period_s */
        const char *algorithm;   /* of new ones; NULL: as the one that they follow */
    } keys;

    struct {
        int threads;              /* default: number of processors; 1 to 64 */
        int connections;          /* default 1000; 16 to 100000 */
        int connections_per_ip;   /* default 100; 1 to 100000 */
        int changes_per_minute;   /* of one principal, default 60; 1 to 1000000 */
        int decisions_per_minute; /* of one service, default 600; 1 to 1000000 */
        int64_t
            request_s; /* deadline of a handshake or request, default 15; 1 to 300 */
        int disk_reserve_mib; /* default 64; 0 to 1048576 */
        int64_t idle_s;       /* a connection without a request, default 60; 1 to 600 */
    } limits;

    /* How long records stay in the store before they go to the archive; the default, 0:
     * for ever. */
    struct {
        int keep_days; /* 0 to 36500 */
        int keep_mib;  /* of records; 0 to 16777216 */
    } audit;
};

/*
 * MAUTH_MALFORMED    err->text is "FILE:LINE: what is wrong, and what would be right"
 * MAUTH_TOO_LARGE    more than CONFIG_FILE_MAX bytes
 * MAUTH_NOT_FOUND, MAUTH_UNAVAILABLE  the file cannot be read
 *
 * (Not config_read: libconfig exports a function of that name.)
 */
MAUTH_MUST_USE enum mauth_rc config_load(
    const char *path, struct config **out, struct mauth_err *err);
void config_free(struct config *c);

/* Of assertions, not of ID tokens. */
bool config_is_saml(const struct config_provider *p);

/* Of the tickets that it allows. */
int64_t config_longest_ticket_s(const struct config *c);

/* By how long before a signing key's end the next one should sign: with a schedule for as
 * long as its last tickets last, by hand a week. */
int64_t config_handover_s(const struct config *c);

/* True for 127.0.0.0/8 and ::1. */
bool config_is_loopback(const char *address);

#endif
