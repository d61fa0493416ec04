#include "cli/trust_json.h"

#include "base/b64.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/trust.h"

enum {
    HASH_B64 = 44 /* characters */
};

json_t *
trust_json_time(int64_t t_s)
{
    char text[TIME_LEN + 1];

    time_format(t_s, text);
    return json_string(text);
}

static json_t *
checkpoint(const struct mauth_trust *trust)
{
    char root[HASH_B64 + 1] = "";
    uint8_t hash[HASH_LEN];
    uint64_t size = trust_checkpoint(trust, hash);

    b64_encode(B64_STD, hash, sizeof(hash), root);
    return json_pack("{s:I, s:s}", "size", (json_int_t)size, "root", root);
}

json_t *
trust_json_core(const struct mauth_trust *trust)
{
    char hash[2 * HASH_LEN + 1];

    str_hex(trust_hash(trust), HASH_LEN, hash);
    return json_pack("{s:s, s:I, s:I, s:o, s:o, s:o, s:I, s:s}", "issuer",
        mauth_trust_issuer(trust), "epoch", (json_int_t)mauth_trust_epoch(trust),
        "sequence", (json_int_t)mauth_trust_sequence(trust), "issued",
        trust_json_time(mauth_trust_issued_s(trust)), "expires",
        trust_json_time(mauth_trust_expires_s(trust)), "checkpoint", checkpoint(trust),
        "revocations", (json_int_t)trust_revocation_count(trust), "hash", hash);
}
