/* The golden rights ticket and others like it, in the hands of those who are timed. */
#ifndef TESTS_BENCH_TICKET_H
#define TESTS_BENCH_TICKET_H

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/hash.h"
#include "keys/key.h"
#include "tests/bench/xmlsec.h"
#include <meshauth/ticket.h>

/* What a service has when a request comes in. */
struct bench_host {
    struct mauth_trust *trust;
    struct mauth_key *device;
    struct mauth_expect want;
};

MAUTH_MUST_USE enum mauth_rc bench_host_open(
    struct bench_host *host, struct mauth_err *err);
void bench_host_close(struct bench_host *host);

/* One ticket, in all the forms in which somebody wants it. */
struct bench_ticket {
    struct buf file; /* its two credentials, which lie in it */
    struct text plain, deflated;
    struct text plain_header, deflated_header; /* "Bearer CREDENTIAL" ... */
    char *header[2];                           /* ... in memory of their own */
    char *resource;                            /* that it permits to be read */
    char xml[MAUTH_TICKET_MAX];
    size_t xml_len;
    /* As raw OpenSSL gets it: nothing left to find or to decode. */
    EVP_PKEY *key;
    struct buf digested;      /* what DigestValue is over, joined */
    uint8_t digest[HASH_LEN]; /* DigestValue */
    struct buf info;          /* SignedInfo as it was signed */
    uint8_t signature[KEY_SIGNATURE_MAX];
    size_t signature_len;
    struct xmlsec_key *xmlsec_key;
};

/*
 * The golden ticket of "p256" or "rsa2048", or, when varied, one like it with ids of
 * its own, signed anew. Close it also when this fails.
 */
MAUTH_MUST_USE enum mauth_rc bench_ticket_open(
    struct bench_ticket *t, const char *alg, bool varied, struct mauth_err *err);
void bench_ticket_close(struct bench_ticket *t);

#endif
