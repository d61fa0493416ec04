#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "jose/jws.h"
#include <meshauth/dpop.h>

enum {
    JTI_MAX = 256,
    ATH_LEN = 43 /* base64url of SHA-256 */
};

static bool
makes_sense(const struct mauth_dpop_want *want)
{
    return want->size == sizeof(*want) && want->method && want->url && want->replay &&
           want->now_s >= 0 && want->now_s <= INT64_MAX / 2 && want->window_s >= 0 &&
           want->window_s <= MAUTH_DPOP_WINDOW_MAX_S &&
           (want->credential || want->credential_len == 0);
}

/* A claim that must be this string; NULL in wanted: any string will do. */
static enum mauth_rc
claim(const json_t *claims, const char *name, const char **out, struct mauth_err *err)
{
    const json_t *v = json_object_get(claims, name);

    *out = json_string_value(v);
    if (!*out || json_string_length(v) == 0)
        return mauth_fail(err, MAUTH_MALFORMED, "dpop: no \"%s\"", name);
    return MAUTH_OK;
}

static enum mauth_rc
check_target(
    const json_t *claims, const struct mauth_dpop_want *want, struct mauth_err *err)
{
    const char *method, *url;
    enum mauth_rc rc = claim(claims, "htm", &method, err);
    char quoted[96];

    if (rc == MAUTH_OK)
        rc = claim(claims, "htu", &url, err);
    if (rc != MAUTH_OK)
        return rc;
    if (strcmp(method, want->method) != 0)
        return mauth_fail(err, MAUTH_DENIED, "dpop: for the method \"%s\"",
            mauth_quote(method, strlen(method), quoted, sizeof(quoted)));
    if (strcmp(url, want->url) != 0)
        return mauth_fail(err, MAUTH_DENIED, "dpop: for the URL \"%s\"",
            mauth_quote(url, strlen(url), quoted, sizeof(quoted)));
    return MAUTH_OK;
}

/* RFC 9449 4.3, number 12: a credential must be named, and none where there is none. */
static enum mauth_rc
check_credential(
    const json_t *claims, const struct mauth_dpop_want *want, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    char wanted[ATH_LEN + 1];
    const char *ath;
    enum mauth_rc rc;

    if (!want->credential)
        return MAUTH_OK;
    rc = claim(claims, "ath", &ath, err);
    if (rc == MAUTH_OK)
        rc = hash_bytes(want->credential, want->credential_len, hash, err);
    if (rc != MAUTH_OK)
        return rc;
    wanted[b64_encode(B64_URL, hash, HASH_LEN, wanted)] = '\0';
    return strcmp(ath, wanted) == 0
               ? MAUTH_OK
               : mauth_fail(err, MAUTH_DENIED, "dpop: for another credential");
}

/* The one that is handed out now, or the one before. */
static bool
is_wanted_nonce(const json_t *nonce, const struct mauth_dpop_want *want)
{
    const char *text = json_string_value(nonce);

    return text && (strcmp(text, want->nonce) == 0 ||
                       (want->older_nonce && strcmp(text, want->older_nonce) == 0));
}

static enum mauth_rc
check_fresh(
    const json_t *claims, const struct mauth_dpop_want *want, struct mauth_err *err)
{
    int64_t window_s = want->window_s ? want->window_s : MAUTH_DPOP_WINDOW_S;
    const json_t *iat = json_object_get(claims, "iat");
    const json_t *nonce = json_object_get(claims, "nonce");
    int64_t at_s = json_integer_value(iat);

    if (!json_is_integer(iat) || at_s < 0 || at_s > INT64_MAX / 2)
        return mauth_fail(err, MAUTH_MALFORMED, "dpop: no \"iat\"");
    if (nonce && !json_is_string(nonce))
        return mauth_fail(err, MAUTH_MALFORMED, "dpop: the nonce is no string");
    if (want->nonce && !is_wanted_nonce(nonce, want))
        return mauth_fail(err, MAUTH_EXPIRED, "dpop: without the nonce");
    if (at_s < want->now_s - window_s)
        return mauth_fail(err, MAUTH_EXPIRED,
            "dpop: made %" PRId64 " s ago, may be %" PRId64, want->now_s - at_s,
            window_s);
    if (at_s > want->now_s + window_s)
        return mauth_fail(err, MAUTH_EXPIRED,
            "dpop: made by a clock that is %" PRId64 " s ahead, may be %" PRId64,
            at_s - want->now_s, window_s);
    return MAUTH_OK;
}

/* Last of all: only a proof that is good takes a place in the memory. */
static enum mauth_rc
take_once(const json_t *claims, struct text spki, const struct mauth_dpop_want *want,
    struct mauth_err *err)
{
    int64_t window_s = want->window_s ? want->window_s : MAUTH_DPOP_WINDOW_S;
    int64_t at_s = json_integer_value(json_object_get(claims, "iat"));
    struct text pieces[2] = {spki, {"", 0}};
    uint8_t name[HASH_LEN];
    const char *jti;
    enum mauth_rc rc = claim(claims, "jti", &jti, err);

    if (rc != MAUTH_OK)
        return rc;
    pieces[1] = text_of(jti);
    if (pieces[1].len > JTI_MAX)
        return mauth_fail(
            err, MAUTH_MALFORMED, "dpop: a \"jti\" of %zu characters", pieces[1].len);
    rc = hash_sha256(pieces, 2, name, err);
    if (rc != MAUTH_OK)
        return rc;
    return mauth_replay_take(
        want->replay, name, sizeof(name), want->now_s, at_s + window_s + 1, err);
}

static enum mauth_rc
check(struct jws *j, const struct mauth_dpop_want *want, struct mauth_key **out,
    struct mauth_err *err)
{
    enum jws_refusal why;
    const json_t *claims;
    struct mauth_key *key = NULL;
    struct text spki;
    enum mauth_rc rc = jws_verify_proof(j, &claims, &spki, &why, err);

    if (rc == MAUTH_OK)
        rc = check_target(claims, want, err);
    if (rc == MAUTH_OK)
        rc = check_credential(claims, want, err);
    if (rc == MAUTH_OK)
        rc = check_fresh(claims, want, err);
    if (rc == MAUTH_OK)
        rc = mauth_key_from_spki(spki.p, spki.len, &key, err);
    if (rc == MAUTH_OK)
        rc = take_once(claims, spki, want, err);
    if (rc == MAUTH_OK)
        *out = key;
    else
        mauth_key_free(key);
    return rc;
}

enum mauth_rc
mauth_dpop_check(const char *proof, size_t len, const struct mauth_dpop_want *want,
    struct mauth_key **out, struct mauth_err *err)
{
    enum jws_refusal why;
    struct jws *j = NULL;
    enum mauth_rc rc;

    *out = NULL;
    if (!makes_sense(want))
        return mauth_fail(err, MAUTH_INVALID, "dpop: what is wanted makes no sense");
    if (len > MAUTH_DPOP_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "dpop: %zu characters", len);
    rc = jws_parse_proof((struct text){proof, len}, &j, &why, err);
    if (rc == MAUTH_OK)
        rc = check(j, want, out, err);
    jws_free(j);
    return rc;
}
