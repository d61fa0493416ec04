#include "jose/jwks.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "jose/jwk.h"
#include "keys/signer.h"

struct jwks {
    size_t count;
    struct jwk key[JWKS_KEYS];
};

size_t
jwks_count(const struct jwks *s)
{
    return s->count;
}

const struct jwk *
jwks_at(const struct jwks *s, size_t i)
{
    return &s->key[i];
}

void
jwks_free(struct jwks *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->count; i++)
        jwk_clear(&s->key[i]);
    free(s);
}

/* Also among keys that we leave out: a name means one key, or nothing. */
static enum mauth_rc
refuse_twins(const json_t *keys, struct mauth_err *err)
{
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *kid = json_object_get(json_array_get(keys, i), "kid");
        char quoted[64];

        for (size_t j = 0; kid && j < i; j++)
            if (json_equal(kid, json_object_get(json_array_get(keys, j), "kid")))
                return mauth_fail(err, MAUTH_MALFORMED, "jwks: two keys named \"%s\"",
                    mauth_quote(json_string_value(kid), json_string_length(kid), quoted,
                        sizeof(quoted)));
    }
    return MAUTH_OK;
}

static enum mauth_rc
take_keys(const json_t *keys, struct jwks *s, struct mauth_err *err)
{
    size_t i;
    json_t *key;

    if (!json_is_array(keys))
        return mauth_fail(err, MAUTH_MALFORMED, "jwks: no array \"keys\"");
    if (json_array_size(keys) > JWKS_KEYS)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "jwks: %zu keys", json_array_size(keys));
    json_array_foreach(keys, i, key)
    {
        enum mauth_rc rc = jwk_parse(key, &s->key[s->count], err);

        if (rc)
            return rc;
        if (s->key[s->count].key)
            s->count++;
        else
            jwk_clear(&s->key[s->count]);
    }
    return refuse_twins(keys, err);
}

enum mauth_rc
jwks_parse(struct text json, struct jwks **out, struct mauth_err *err)
{
    json_t *root = NULL;
    struct jwks *s = NULL;
    enum mauth_rc rc;
    json_error_t e;

    *out = NULL;
    if (json.len > JWKS_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "jwks: %zu bytes", json.len);
    root = json_loadb(json.len ? json.p : "", json.len, JSON_REJECT_DUPLICATES, &e);
    if (!json_is_object(root)) {
        rc = mauth_fail(err, MAUTH_MALFORMED, "jwks: not a JSON object");
        goto out;
    }
    s = calloc(1, sizeof(*s));
    if (!s) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jwks: no memory");
        goto out;
    }
    rc = take_keys(json_object_get(root, "keys"), s, err);
    if (rc)
        goto out;
    *out = s;
    s = NULL; /* now the caller's */
out:
    jwks_free(s);
    json_decref(root);
    return rc;
}

/* RFC 7517 4.7: base64 with padding, not base64url. */
static bool
set_certificate(json_t *json, struct text der)
{
    char *text = malloc(b64_encoded_len(B64_STD, der.len));
    size_t len;
    bool ok;

    if (!text)
        return false;
    len = b64_encode(B64_STD, der.p, der.len, text);
    ok = json_object_set_new(json, "x5c", json_pack("[s%]", text, len)) == 0;
    free(text);
    return ok;
}

static enum mauth_rc
append(json_t *keys, const struct jwks_entry *e, struct mauth_err *err)
{
    bool ecdsa = key_alg(e->key) == KEY_ECDSA_SHA256;
    json_t *json = NULL;
    enum mauth_rc rc = jwk_write(e->key, &json, err);
    bool ok;

    if (rc != MAUTH_OK)
        return rc;
    ok = json_object_set_new(json, "use", json_string("sig")) == 0 &&
         json_object_set_new(json, "alg", json_string(ecdsa ? "ES256" : "RS256")) == 0;
    if (ok && e->kid)
        ok = json_object_set_new(json, "kid", json_string(e->kid)) == 0;
    if (ok && e->certificate.len)
        ok = set_certificate(json, e->certificate);
    if (ok)
        ok = json_array_append(keys, json) == 0;
    json_decref(json);
    return ok ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "jwks: no memory");
}

enum mauth_rc
jwks_write(
    const struct jwks_entry *entries, size_t count, char **out, struct mauth_err *err)
{
    json_t *keys = json_array(), *set = keys ? json_pack("{s:O}", "keys", keys) : NULL;
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (!set)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jwks: no memory");
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++)
        rc = append(keys, &entries[i], err);
    if (rc == MAUTH_OK)
        *out = json_dumps(set, JSON_COMPACT | JSON_SORT_KEYS);
    if (rc == MAUTH_OK && !*out)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jwks: no memory");
    json_decref(set);
    json_decref(keys);
    return rc;
}

enum mauth_rc
jwks_thumbprint(
    const struct mauth_key *key, char out[JWKS_THUMBPRINT + 1], struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    json_t *json = NULL;
    char *text = NULL;
    enum mauth_rc rc = jwk_write(key, &json, err);

    out[0] = '\0';
    if (rc != MAUTH_OK)
        return rc;
    text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    if (!text)
        return mauth_fail(err, MAUTH_NO_MEMORY, "jwks: no memory");
    rc = hash_bytes(text, strlen(text), hash, err);
    free(text);
    if (rc == MAUTH_OK)
        out[b64_encode(B64_URL, hash, sizeof(hash), out)] = '\0';
    return rc;
}

enum mauth_rc
jwks_from_pem(const char *pem, const char *kid, char **out, struct mauth_err *err)
{
    struct mauth_key *public = NULL;
    struct signer *signer = NULL;
    struct jwks_entry entry = {.kid = kid};
    enum mauth_rc rc = MAUTH_OK;

    *out = NULL;
    if (mauth_key_from_pem(pem, strlen(pem), &public, NULL) == MAUTH_OK)
        entry.key = public;
    else if ((rc = jwk_signer(pem, &signer, err)) == MAUTH_OK)
        entry.key = signer_key(signer);
    if (rc == MAUTH_OK)
        rc = jwks_write(&entry, 1, out, err);
    mauth_key_free(public);
    signer_free(signer);
    return rc;
}
