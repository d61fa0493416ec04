/*
 * What a trust file says of one signing key:
 *
 *     key ID STATE ALG FROM UNTIL AUDIENCES SPKI
 */
#ifndef KEYS_TRUST_KEY_H
#define KEYS_TRUST_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "keys/key.h"

enum {
    TRUST_AUDIENCES_MAX = 64 /* of one key */
};

enum trust_state {
    TRUST_NEXT, /* published, verifies, does not sign yet */
    TRUST_ACTIVE,
    TRUST_RETIRING,
    TRUST_REVOKED,
};

struct trust_key {
    const struct mauth_key *key;
    enum trust_state state;
    int64_t from_s;
    int64_t until_s;
    bool all_audiences;
    size_t audiences; /* joined by ',' in the file */
    const struct text *audience;
};

const char *trust_state_name(enum trust_state state);
MAUTH_MUST_USE bool trust_state_parse(struct text name, enum trust_state *out);

/*
 * Read the rest of a line, behind "key ". *out owns its key and its list of
 * audiences, which are slices of r's bytes: trust_key_clear() it, also after a
 * failure.
 */
MAUTH_MUST_USE enum mauth_rc trust_key_read(
    struct reader *r, struct trust_key *out, struct mauth_err *err);

/* Sets the audiences from "*" or from URIs joined by ','; slices of list. */
MAUTH_MUST_USE enum mauth_rc trust_key_set_audiences(
    struct trust_key *key, struct text list, struct mauth_err *err);

/* Frees what trust_key_read() and trust_key_set_audiences() made. */
void trust_key_clear(struct trust_key *key);

/* Why no trust file can say this; NULL when it can. A static sentence. */
MAUTH_MUST_USE const char *trust_key_flaw(const struct trust_key *key);

#endif
