#include "authsvc/proof.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/secret.h"
#include "keys/key.h"
#include <meshauth/dpop.h>

enum {
    SECRET = 32,
    NONCE_BYTES = 16
};

struct proofs {
    struct mauth_secret *secret;
    void *memory;
    struct mauth_replay *replay;
};

static enum mauth_rc
fill(struct proofs *p, struct mauth_err *err)
{
    size_t bytes = mauth_replay_bytes(PROOF_NAMES);
    uint8_t secret[SECRET];
    enum mauth_rc rc = mauth_random(secret, sizeof(secret), err);

    if (rc == MAUTH_OK)
        rc = mauth_secret_new(secret, sizeof(secret), &p->secret, err);
    mauth_wipe(secret, sizeof(secret));
    if (rc != MAUTH_OK)
        return rc;
    p->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!p->memory)
        return mauth_fail(err, MAUTH_NO_MEMORY, "proof: no memory");
    return mauth_replay_init(p->memory, bytes, &p->replay, err);
}

enum mauth_rc
proofs_new(struct proofs **out, struct mauth_err *err)
{
    struct proofs *p = calloc(1, sizeof(*p));
    enum mauth_rc rc;

    *out = NULL;
    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "proof: no memory");
    rc = fill(p, err);
    if (rc == MAUTH_OK)
        *out = p;
    else
        proofs_free(p);
    return rc;
}

void
proofs_free(struct proofs *p)
{
    if (!p)
        return;
    mauth_secret_free(p->secret);
    free(p->memory);
    free(p);
}

/* Of the span of time that now_s lies in, or of one of those before it. */
static enum mauth_rc
nonce_of(const struct proofs *p, int64_t now_s, int64_t back, char out[PROOF_NONCE],
    struct mauth_err *err)
{
    uint8_t mac[EVP_MAX_MD_SIZE], span[8];
    unsigned len = 0;
    struct buf b;

    buf_init_fixed(&b, span, sizeof(span));
    buf_u64(&b, (uint64_t)(now_s / PROOF_NONCE_S - back));
    if (!HMAC(EVP_sha256(), mauth_secret_bytes(p->secret), SECRET, span, sizeof(span),
            mac, &len) ||
        len < NONCE_BYTES)
        return mauth_fail(err, MAUTH_NO_MEMORY, "proof: no memory");
    out[b64_encode(B64_URL, mac, NONCE_BYTES, out)] = '\0';
    return MAUTH_OK;
}

enum mauth_rc
proofs_nonce(
    const struct proofs *p, int64_t now_s, char out[PROOF_NONCE], struct mauth_err *err)
{
    return nonce_of(p, now_s, 0, out, err);
}

static const char *
reason_of(enum mauth_rc rc)
{
    switch (rc) {
    case MAUTH_OK: return NULL;
    case MAUTH_EXPIRED: return "dpop-nonce";
    case MAUTH_NO_MEMORY:
    case MAUTH_INTERNAL:
    case MAUTH_INVALID:
    case MAUTH_UNAVAILABLE: return "unavailable";
    default: return "dpop-proof";
    }
}

static const char *
take_dpop(struct proofs *p, struct http_exchange *x, const char *url,
    struct text credential, int64_t now_s, struct proof *out, struct mauth_err *err)
{
    const char *header = http_header(x, "DPoP");
    char nonce[PROOF_NONCE], older[PROOF_NONCE];
    struct mauth_dpop_want want = {.size = sizeof(want),
        .method = http_method(x),
        .url = url,
        .credential = credential.len ? credential.p : NULL,
        .credential_len = credential.len,
        .nonce = nonce,
        .older_nonce = older,
        .now_s = now_s,
        .replay = p->replay};
    enum mauth_rc rc = nonce_of(p, now_s, 0, nonce, err);

    if (rc == MAUTH_OK)
        rc = nonce_of(p, now_s, 1, older, err);
    if (rc == MAUTH_OK)
        rc = mauth_dpop_check(header, strlen(header), &want, &out->owned, err);
    out->by_dpop = rc == MAUTH_OK;
    return reason_of(rc);
}

const char *
proof_take(struct proofs *p, struct http_exchange *x, const char *url,
    struct text credential, int64_t now_s, struct proof *out, struct mauth_err *err)
{
    const char *header = http_header(x, "DPoP");
    const char *wrong = NULL;

    memset(out, 0, sizeof(*out));
    if (http_client_key(x, &out->key, err) != MAUTH_OK)
        return "key-kind";
    if (header)
        wrong = take_dpop(p, x, url, credential, now_s, out, err);
    if (wrong || !header)
        return wrong;
    if (out->key && !key_equal(out->key, out->owned))
        return "two-keys";
    out->key = out->owned;
    return NULL;
}

void
proof_clear(struct proof *proof)
{
    mauth_key_free(proof->owned);
    memset(proof, 0, sizeof(*proof));
}
