/* What machines read of a trust file, in every command of `meshauth trust`. */
#ifndef CLI_TRUST_JSON_H
#define CLI_TRUST_JSON_H

#include <stdint.h>

#include <jansson.h>

#include <meshauth/trust.h>

/* RFC 3339, a string. */
json_t *trust_json_time(int64_t t_s);

/* "issuer", "epoch", "sequence", "issued", "expires", "checkpoint" ({size, root}),
 * "revocations" (how many), "hash". NULL without memory. */
json_t *trust_json_core(const struct mauth_trust *trust);

#endif
