/* Taking a valid ticket, making another one of it, and signing that with any key. */
#ifndef TESTS_FORGERY_H
#define TESTS_FORGERY_H

#include "base/buf.h"
#include "keys/signer.h"
#include "tests/unit/unit.h"

/* A valid ticket, and what forgers want of it. */
struct base {
    const char *kind, *alg;
    const char *audience; /* who will take it */
    unsigned is;          /* IDENTITY... */
    char *xml;
    size_t len;
    struct text id, signature, signature_value, key_id;
};

void base_load(struct base *b);
/* The same of a ticket that is no golden one: xml, malloc'd and terminated, is the base's
 * from now on. */
void base_take(struct base *b, char *xml);
void base_clear(struct base *b);

struct forgery {
    const struct base *base;
    const struct house *house;
    struct buf xml;
    struct buf credential; /* when the case is one of its spelling */
    struct buf spki;       /* the key that is bound, when another than the device's */
    bool is_set;           /* several tickets, or another header: not for one alone */
    unsigned step;         /* a case of many: counts them... */
    bool more;             /* ...while this is set */
    bool missed;           /* a base that is no ticket lacks what the case changes */
};

typedef void forgery_make(struct forgery *f, int arg);

void forgery_start(
    struct forgery *f, const struct base *base, const struct house *house);
void forgery_clear(struct forgery *f);

/*
 * Replaces what is found, which must be there. In both texts:
 *
 *   $0  what was found             $A  the valid ticket     $S  its Signature
 *   $I  its ID                     $U  the ticket without it
 *   $J  another ID                 $E  $U with another ID and subject
 *   $K  its KeyName                $F  $U with another subject
 *   $L  that of another trusted key of its kind      $R  ... of the other kind
 *   $X  that of a stranger's key   $P  the SPKI of its key, in base64
 */
void forgery_edit(
    struct forgery *f, const char *find, const char *put, bool everywhere);

/* DigestValue over what it is now over; false when there is none of these elements. */
MAUTH_MUST_USE bool forgery_rehash(struct forgery *f);
/* SignatureValue over what is now SignedInfo, as a verifier would take it. */
MAUTH_MUST_USE bool forgery_sign(struct forgery *f, const struct signer *key);

/* The raw bytes of SignatureValue. */
size_t forgery_signature(const struct forgery *f, uint8_t raw[KEY_SIGNATURE_MAX]);
/* Bytes, in base64, as the content of the first element of this local name. */
MAUTH_MUST_USE bool forgery_put(
    struct forgery *f, const char *local, const uint8_t *raw, size_t len);

/* base64url of any bytes, or of their DEFLATE, appended. */
void spell(struct buf *out, const void *data, size_t len);
void spell_deflated(struct buf *out, const void *data, size_t len);

#endif
