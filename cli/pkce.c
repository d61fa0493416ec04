#include "cli/pkce.h"

#include <stdint.h>
#include <string.h>

#include "base/b64.h"
#include "base/hash.h"
#include "base/secret.h"

static void
spell(const uint8_t raw[HASH_LEN], char out[PKCE_LEN + 1])
{
    out[b64_encode(B64_URL, raw, HASH_LEN, out)] = '\0';
}

enum mauth_rc
pkce_random(char out[PKCE_LEN + 1], struct mauth_err *err)
{
    uint8_t raw[HASH_LEN];
    enum mauth_rc rc = mauth_random(raw, sizeof(raw), err);

    out[0] = '\0';
    if (rc == MAUTH_OK)
        spell(raw, out);
    mauth_wipe(raw, sizeof(raw));
    return rc;
}

enum mauth_rc
pkce_challenge(const char *verifier, char out[PKCE_LEN + 1], struct mauth_err *err)
{
    uint8_t digest[HASH_LEN];
    enum mauth_rc rc = hash_bytes(verifier, strlen(verifier), digest, err);

    out[0] = '\0';
    if (rc == MAUTH_OK)
        spell(digest, out);
    return rc;
}

enum mauth_rc
pkce_new(struct pkce *out, struct mauth_err *err)
{
    enum mauth_rc rc = pkce_random(out->verifier, err);

    out->challenge[0] = '\0';
    return rc ? rc : pkce_challenge(out->verifier, out->challenge, err);
}

void
pkce_clear(struct pkce *p)
{
    mauth_wipe(p, sizeof(*p));
}
