#include "jose/jwks.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/fail.h"
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

static enum mauth_rc
write_set(
    const struct mauth_key *key, const char *kid, char **out, struct mauth_err *err)
{
    json_t *json = NULL, *set = NULL;
    enum mauth_rc rc = jwk_write(key, &json, err);

    if (rc)
        return rc;
    if (json_object_set_new(json, "use", json_string("sig")) == 0 &&
        json_object_set_new(json, "alg",
            json_string(key_alg(key) == KEY_ECDSA_SHA256 ? "ES256" : "RS256")) == 0 &&
        (!kid || json_object_set_new(json, "kid", json_string(kid)) == 0))
        set = json_pack("{s:[O]}", "keys", json);
    if (set)
        *out = json_dumps(set, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(json);
    json_decref(set);
    if (!*out)
        return mauth_fail(err, MAUTH_INTERNAL, "jwks: cannot write the key");
    return MAUTH_OK;
}

enum mauth_rc
jwks_from_pem(const char *pem, const char *kid, char **out, struct mauth_err *err)
{
    struct mauth_key *public = NULL;
    struct signer *signer = NULL;
    enum mauth_rc rc;

    *out = NULL;
    if (mauth_key_from_pem(pem, strlen(pem), &public, NULL) == MAUTH_OK)
        rc = write_set(public, kid, out, err);
    else if ((rc = jwk_signer(pem, &signer, err)) == MAUTH_OK)
        rc = write_set(signer_key(signer), kid, out, err);
    mauth_key_free(public);
    signer_free(signer);
    return rc;
}
