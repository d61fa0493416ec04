#include "jose/key_nonce.h"

#include <stdio.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/secret.h"

static enum mauth_rc
hash_text(
    const void *data, size_t len, char out[KEY_NONCE_PART + 1], struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc = hash_bytes(data, len, hash, err);

    if (rc == MAUTH_OK)
        out[b64_encode(B64_URL, hash, sizeof(hash), out)] = '\0';
    return rc;
}

/* What follows the random part, which comes first in out. */
static enum mauth_rc
complete(
    char out[KEY_NONCE_LEN + 1], const struct mauth_key *key, struct mauth_err *err)
{
    char text[KEY_NONCE_LEN + 1];
    size_t len;
    const uint8_t *spki = mauth_key_spki(key, &len);
    enum mauth_rc rc;

    memcpy(text, out, KEY_NONCE_PART);
    text[KEY_NONCE_PART] = out[KEY_NONCE_PART] = '.';
    rc = hash_text(spki, len, text + KEY_NONCE_PART + 1, err);
    if (rc == MAUTH_OK)
        rc = hash_text(text, KEY_NONCE_LEN, out + KEY_NONCE_PART + 1, err);
    return rc;
}

enum mauth_rc
key_nonce_new(
    const struct mauth_key *key, char out[KEY_NONCE_LEN + 1], struct mauth_err *err)
{
    uint8_t random[HASH_LEN];
    enum mauth_rc rc = mauth_random(random, sizeof(random), err);

    out[0] = '\0';
    if (rc != MAUTH_OK)
        return rc;
    b64_encode(B64_URL, random, sizeof(random), out);
    return complete(out, key, err);
}

bool
key_nonce_is_of(const char *nonce, const struct mauth_key *key)
{
    char want[KEY_NONCE_LEN + 1];

    if (strlen(nonce) != KEY_NONCE_LEN)
        return false;
    memcpy(want, nonce, KEY_NONCE_PART);
    return complete(want, key, NULL) == MAUTH_OK && strcmp(want, nonce) == 0;
}
