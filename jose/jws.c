#include "jose/jws.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cjose/jws.h>
#include <openssl/err.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"
#include "jose/jwk.h"
#include "keys/signer.h"

struct jws {
    json_t *header;
    json_t *claims;
    const char *alg; /* one of algs[] */
    const char *kid; /* belongs to header; NULL: none */
    bool proof;      /* of DPoP: with its key in own */
    struct jwk own;
    size_t signature_len;
    size_t len;
    char token[];
};

static const char *const algs[] = {"ES256", "RS256"};

/*
 * Members of a header that would hand us a key, tell us where to find one, or
 * change what is signed (RFC 7515 4.1, RFC 7797). Others that we do not know
 * are ignored, as RFC 7515 4 says; "crit" would be the way to forbid that.
 */
static const char *const forbidden[] = {"crit", "jku", "x5u", "x5c", "b64", "jwk"};

void
jws_free(struct jws *j)
{
    if (!j)
        return;
    json_decref(j->header);
    json_decref(j->claims);
    jwk_clear(&j->own);
    free(j);
}

const char *
jws_untrusted_issuer(const struct jws *j)
{
    return json_string_value(json_object_get(j->claims, "iss"));
}

const json_t *
jws_untrusted_claims(const struct jws *j)
{
    return j->claims;
}

/* A part of a token as a JSON object; NULL unless it is exactly that. */
static json_t *
read_part(struct text part, uint8_t *scratch, size_t cap)
{
    json_t *json;
    size_t len;

    if (!b64_decode(B64_URL, part.p, part.len, scratch, cap, &len) || len == 0)
        return NULL;
    json = json_loadb((const char *)scratch, len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

/*
 * "typ" says what kind of token it is (RFC 8725 3.11), with or without
 * "application/" (RFC 7515 4.1.9); an access token must not pass as a login, nor
 * a login as a proof.
 */
static bool
is_type(const json_t *typ, bool proof)
{
    const char *name = json_string_value(typ);

    if (!typ)
        return !proof;
    if (name && strncasecmp(name, "application/", 12) == 0)
        name += 12;
    return name && strcasecmp(name, proof ? "dpop+jwt" : "JWT") == 0;
}

/* A proof's own key, which must make signatures of the header's algorithm. */
static enum mauth_rc
take_own_key(struct jws *j, enum jws_refusal *why, struct mauth_err *err)
{
    enum mauth_rc rc = jwk_parse(json_object_get(j->header, "jwk"), &j->own, err);

    *why = JWS_KEY;
    if (rc)
        return rc;
    if (!j->own.key)
        return mauth_fail(err, MAUTH_MALFORMED, "jws: a key of another kind");
    *why = JWS_ALG;
    if (strcmp(j->own.alg, j->alg) != 0)
        return mauth_fail(
            err, MAUTH_MALFORMED, "jws: %s with a key for %s", j->alg, j->own.alg);
    return MAUTH_OK;
}

static enum mauth_rc
check_header(struct jws *j, enum jws_refusal *why, struct mauth_err *err)
{
    const json_t *alg = json_object_get(j->header, "alg");
    const json_t *kid = json_object_get(j->header, "kid");
    char quoted[32];

    for (size_t i = 0; json_is_string(alg) && i < sizeof(algs) / sizeof(*algs); i++)
        if (strcmp(json_string_value(alg), algs[i]) == 0)
            j->alg = algs[i];
    *why = JWS_ALG;
    if (!j->alg)
        return mauth_fail(err, MAUTH_MALFORMED, "jws: algorithm \"%s\"",
            mauth_quote(json_string_value(alg), json_string_length(alg), quoted,
                sizeof(quoted)));
    *why = JWS_HEADER;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden) - j->proof; i++)
        if (json_object_get(j->header, forbidden[i]))
            return mauth_fail(
                err, MAUTH_MALFORMED, "jws: \"%s\" in the header", forbidden[i]);
    if (!is_type(json_object_get(j->header, "typ"), j->proof))
        return mauth_fail(err, MAUTH_MALFORMED, "jws: the type is not %s",
            j->proof ? "dpop+jwt" : "JWT");
    if (kid && (!json_is_string(kid) || json_string_length(kid) > JWK_KID_MAX))
        return mauth_fail(err, MAUTH_MALFORMED, "jws: \"kid\" is not a short string");
    j->kid = json_string_value(kid);
    if (j->proof) {
        enum mauth_rc rc = take_own_key(j, why, err);

        if (rc)
            return rc;
    }
    *why = JWS_FINE;
    return MAUTH_OK;
}

static enum mauth_rc
take_apart(struct jws *j, uint8_t *scratch, size_t cap, enum jws_refusal *why,
    struct mauth_err *err)
{
    struct text rest = {j->token, j->len}, header, claims;
    enum mauth_rc rc;

    *why = JWS_FORM;
    if (!text_cut(&rest, '.', &header) || !text_cut(&rest, '.', &claims))
        return mauth_fail(err, MAUTH_MALFORMED, "jws: not three parts");
    j->header = read_part(header, scratch, cap);
    if (!j->header)
        return mauth_fail(err, MAUTH_MALFORMED, "jws: the header is not a JSON object");
    rc = check_header(j, why, err);
    if (rc)
        return rc;
    *why = JWS_FORM;
    j->claims = read_part(claims, scratch, cap);
    if (!j->claims)
        return mauth_fail(
            err, MAUTH_MALFORMED, "jws: the claims are not a JSON object");
    /* A further dot is not base64url, nor are padding, "+" and "/". */
    if (!b64_decode(B64_URL, rest.p, rest.len, scratch, cap, &j->signature_len))
        return mauth_fail(err, MAUTH_MALFORMED, "jws: the signature is not base64url");
    *why = JWS_FINE;
    return MAUTH_OK;
}

static enum mauth_rc
parse(struct text token, bool proof, struct jws **out, enum jws_refusal *why,
    struct mauth_err *err)
{
    size_t cap = b64_decoded_max(token.len);
    uint8_t *scratch = NULL;
    struct jws *j = NULL;
    enum mauth_rc rc;

    *out = NULL;
    *why = JWS_FORM;
    if (token.len == 0 || token.len > JWS_MAX)
        return mauth_fail(err, token.len ? MAUTH_TOO_LARGE : MAUTH_MALFORMED,
            "jws: %zu characters", token.len);
    *why = JWS_FINE; /* it is not the token's fault */
    scratch = malloc(cap);
    j = calloc(1, sizeof(*j) + token.len);
    if (!scratch || !j) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jws: no memory");
        goto out;
    }
    memcpy(j->token, token.p, token.len);
    j->len = token.len;
    j->proof = proof;
    rc = take_apart(j, scratch, cap, why, err);
    if (rc)
        goto out;
    *out = j;
    j = NULL; /* now the caller's */
out:
    jws_free(j);
    free(scratch);
    return rc;
}

enum mauth_rc
jws_parse(
    struct text token, struct jws **out, enum jws_refusal *why, struct mauth_err *err)
{
    return parse(token, false, out, why, err);
}

enum mauth_rc
jws_parse_proof(
    struct text token, struct jws **out, enum jws_refusal *why, struct mauth_err *err)
{
    return parse(token, true, out, why, err);
}

/* The one key that the token names; without a name, the one of its algorithm. */
static enum mauth_rc
find_key(const struct jws *j, const struct jwks *keys, const struct jwk **out,
    enum jws_refusal *why, struct mauth_err *err)
{
    size_t found = 0;
    char quoted[64];

    for (size_t i = 0; i < jwks_count(keys); i++) {
        const struct jwk *k = jwks_at(keys, i);

        if (j->kid ? !k->kid || strcmp(k->kid, j->kid) != 0
                   : strcmp(k->alg, j->alg) != 0)
            continue;
        *out = k;
        found++;
    }
    *why = JWS_KEY;
    if (found != 1 && j->kid)
        return mauth_fail(err, MAUTH_UNTRUSTED, "jws: no key named \"%s\"",
            mauth_quote(j->kid, strlen(j->kid), quoted, sizeof(quoted)));
    if (found != 1)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "jws: it names no key, and %zu are for %s", found, j->alg);
    *why = JWS_ALG;
    if (strcmp((*out)->alg, j->alg) != 0)
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "jws: %s with a key for %s", j->alg, (*out)->alg);
    return MAUTH_OK;
}

static enum mauth_rc
verify_with(struct jws *j, const struct jwk *k, const json_t **claims,
    enum jws_refusal *why, struct mauth_err *err)
{
    cjose_jws_t *raw;
    bool ok;

    *why = JWS_SIGNATURE;
    /* cjose would split an ECDSA signature of any length in the middle. */
    if (j->signature_len != k->signature_len)
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "jws: a signature of %zu bytes", j->signature_len);
    raw = cjose_jws_import(j->token, j->len, NULL);
    ok = raw && cjose_jws_verify(raw, k->key, NULL);
    cjose_jws_release(raw);
    ERR_clear_error();
    if (!ok)
        return mauth_fail(err, MAUTH_UNTRUSTED, "jws: the signature does not verify");
    /*
     * Base64url was read strictly, so the claims that we hold are the bytes that
     * were signed and no others.
     */
    *claims = j->claims;
    *why = JWS_FINE;
    return MAUTH_OK;
}

enum mauth_rc
jws_verify(struct jws *j, const struct jwks *keys, const json_t **claims,
    enum jws_refusal *why, struct mauth_err *err)
{
    const struct jwk *k = NULL;
    enum mauth_rc rc;

    *claims = NULL;
    rc = find_key(j, keys, &k, why, err);
    return rc ? rc : verify_with(j, k, claims, why, err);
}

enum mauth_rc
jws_verify_with(struct jws *j, const struct mauth_key *key, const json_t **claims,
    enum jws_refusal *why, struct mauth_err *err)
{
    struct jwk k = {.kid = NULL};
    json_t *json = NULL;
    enum mauth_rc rc;

    *claims = NULL;
    *why = JWS_FINE; /* it is not the token's fault */
    rc = jwk_write(key, &json, err);
    if (rc == MAUTH_OK)
        rc = jwk_parse(json, &k, err);
    if (rc == MAUTH_OK && !k.key)
        rc = mauth_fail(err, MAUTH_INVALID, "jws: a key of another kind");
    if (rc == MAUTH_OK && strcmp(k.alg, j->alg) != 0) {
        *why = JWS_ALG;
        rc = mauth_fail(
            err, MAUTH_UNTRUSTED, "jws: %s with a key for %s", j->alg, k.alg);
    }
    if (rc == MAUTH_OK)
        rc = verify_with(j, &k, claims, why, err);
    jwk_clear(&k);
    json_decref(json);
    return rc;
}

enum mauth_rc
jws_verify_proof(struct jws *j, const json_t **claims, struct text *spki,
    enum jws_refusal *why, struct mauth_err *err)
{
    enum mauth_rc rc;

    *claims = NULL;
    *spki = (struct text){"", 0};
    if (!j->proof)
        return mauth_fail(err, MAUTH_INVALID, "jws: not read as a proof");
    rc = verify_with(j, &j->own, claims, why, err);
    if (rc == MAUTH_OK)
        *spki = buf_slice(&j->own.spki);
    return rc;
}

static void
put_part(struct buf *out, const char *data, size_t len)
{
    void *text = buf_space(out, b64_encoded_len(B64_URL, len));

    if (text)
        b64_encode(B64_URL, data, len, text);
}

/* What is signed: header, dot, claims. The header is taken over. */
static enum mauth_rc
put_signed(struct buf *out, json_t *json, const json_t *claims, struct mauth_err *err)
{
    char *header = json_dumps(json, JSON_COMPACT);
    char *body = json_dumps(claims, JSON_COMPACT);

    if (header && body) {
        put_part(out, header, strlen(header));
        buf_str(out, ".");
        put_part(out, body, strlen(body));
    }
    json_decref(json);
    free(header);
    free(body);
    if (!header || !body)
        return mauth_fail(err, MAUTH_INVALID, "jws: cannot write header and claims");
    return MAUTH_OK;
}

/* The header is taken over; NULL when there was no memory for it. */
static enum mauth_rc
sign(const struct signer *signer, json_t *header, const json_t *claims, char **out,
    struct mauth_err *err)
{
    uint8_t raw[KEY_SIGNATURE_MAX];
    struct text piece;
    struct buf token;
    enum mauth_rc rc;
    size_t len;

    buf_init(&token);
    rc = put_signed(&token, header, claims, err);
    if (rc)
        goto out;
    piece = buf_slice(&token);
    rc = signer_sign(signer, &piece, 1, raw, &len, err);
    if (rc)
        goto out;
    buf_str(&token, ".");
    put_part(&token, (const char *)raw, len);
    if (buf_ok(&token) && token.len > JWS_MAX) {
        rc = mauth_fail(err, MAUTH_TOO_LARGE, "jws: %zu characters", token.len);
        goto out;
    }
    *out = buf_detach(&token, &len);
    if (!*out)
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "jws: no memory");
out:
    buf_clear(&token);
    return rc;
}

static const char *
alg_of(const struct signer *s)
{
    return key_alg(signer_key(s)) == KEY_ECDSA_SHA256 ? "ES256" : "RS256";
}

enum mauth_rc
jws_sign(const json_t *claims, const char *pem, const char *kid, char **out,
    struct mauth_err *err)
{
    struct signer *signer = NULL;
    enum mauth_rc rc;

    *out = NULL;
    rc = jwk_signer(pem, &signer, err);
    if (rc == MAUTH_OK)
        rc = sign(signer,
            json_pack(
                "{s:s, s:s, s:s*}", "alg", alg_of(signer), "typ", "JWT", "kid", kid),
            claims, out, err);
    signer_free(signer);
    return rc;
}

enum mauth_rc
jws_sign_proof(const json_t *claims, const char *pem, char **out, struct mauth_err *err)
{
    struct signer *signer = NULL;
    json_t *key = NULL;
    enum mauth_rc rc;

    *out = NULL;
    rc = jwk_signer(pem, &signer, err);
    if (rc == MAUTH_OK)
        rc = jwk_write(signer_key(signer), &key, err);
    if (rc == MAUTH_OK)
        rc = sign(signer,
            json_pack("{s:s, s:s, s:O}", "typ", "dpop+jwt", "alg", alg_of(signer),
                "jwk", key),
            claims, out, err);
    json_decref(key);
    signer_free(signer);
    return rc;
}
