#include "authsvc/client_assertion.h"

#include <inttypes.h>
#include <string.h>

#include <jansson.h>

#include "authsvc/claims.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "jose/jws.h"

/* A set of its own among all names that serve once. */
static const char kind[] = "client-assertion";

static const char *
reason_of(enum jws_refusal why)
{
    switch (why) {
    case JWS_FINE: return NULL;
    case JWS_FORM:
    case JWS_ALG:
    case JWS_HEADER:
    case JWS_KEY: return "assertion-form";
    case JWS_SIGNATURE: return "assertion-signature";
    }
    return NULL;
}

static bool
is_text(const json_t *value, const char *want)
{
    return json_is_string(value) && strcmp(json_string_value(value), want) == 0;
}

static enum mauth_rc
check_names(const struct client_assertion *a, const json_t *claims, const char **reason,
    struct mauth_err *err)
{
    const json_t *aud = json_object_get(claims, "aud");

    *reason = "assertion-subject";
    if (!is_text(json_object_get(claims, "iss"), a->client) ||
        !is_text(json_object_get(claims, "sub"), a->client))
        return mauth_fail(err, MAUTH_DENIED, "assertion: of another client");
    /* Not the token endpoint's URL, and nobody else's: who is named may show it, too. */
    *reason = "assertion-audience";
    if (json_array_size(aud) == 1)
        aud = json_array_get(aud, 0);
    if (!is_text(aud, a->issuer))
        return mauth_fail(err, MAUTH_DENIED, "assertion: for another audience");
    *reason = NULL;
    return MAUTH_OK;
}

/* Absent: 0. */
static bool
take_past(const json_t *claims, const char *name, int64_t *out_s)
{
    const json_t *value = json_object_get(claims, name);

    *out_s = 0;
    return !value || claims_time(value, out_s);
}

static enum mauth_rc
check_times(struct client_assertion *a, const json_t *claims, const char **reason,
    struct mauth_err *err)
{
    int64_t ends_s, issued_s, not_before_s;

    *reason = "assertion-claims";
    if (!claims_time(json_object_get(claims, "exp"), &ends_s) ||
        !take_past(claims, "iat", &issued_s) ||
        !take_past(claims, "nbf", &not_before_s))
        return mauth_fail(
            err, MAUTH_MALFORMED, "assertion: \"exp\", \"iat\" or \"nbf\" is no time");
    *reason = "assertion-expired";
    if (a->now_s >= ends_s + CLIENT_ASSERTION_SKEW_S)
        return mauth_fail(err, MAUTH_EXPIRED,
            "assertion: expired at %" PRId64 ", now %" PRId64, ends_s, a->now_s);
    *reason = "assertion-lifetime";
    if (ends_s > a->now_s + CLIENT_ASSERTION_LIFE_S + CLIENT_ASSERTION_SKEW_S)
        return mauth_fail(err, MAUTH_DENIED,
            "assertion: until %" PRId64 ", now %" PRId64, ends_s, a->now_s);
    *reason = "assertion-not-yet";
    if (issued_s > a->now_s + CLIENT_ASSERTION_SKEW_S ||
        not_before_s > a->now_s + CLIENT_ASSERTION_SKEW_S)
        return mauth_fail(err, MAUTH_EXPIRED,
            "assertion: issued at %" PRId64 ", not before %" PRId64 ", now %" PRId64,
            issued_s, not_before_s, a->now_s);
    a->too_old_s = ends_s + CLIENT_ASSERTION_SKEW_S;
    *reason = NULL;
    return MAUTH_OK;
}

/* One name for each client's "jti". */
static enum mauth_rc
take_name(struct client_assertion *a, const json_t *claims, const char **reason,
    struct mauth_err *err)
{
    const json_t *jti = json_object_get(claims, "jti");
    uint8_t raw[sizeof(kind) + CLIENT_ASSERTION_JTI_MAX + 64];
    size_t len = json_string_length(jti);
    struct buf b;

    *reason = "assertion-claims";
    if (!json_is_string(jti) || len == 0 || len > CLIENT_ASSERTION_JTI_MAX)
        return mauth_fail(err, MAUTH_MALFORMED, "assertion: \"jti\" of %zu bytes", len);
    *reason = NULL;
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_field(&b, kind, sizeof(kind) - 1);
    buf_field(&b, a->client, strlen(a->client));
    buf_field(&b, json_string_value(jti), len);
    if (!buf_ok(&b))
        return mauth_fail(err, MAUTH_INVALID, "assertion: the client's name");
    return hash_bytes(b.data, b.len, a->name, err);
}

enum mauth_rc
client_assertion_check(struct client_assertion *a, struct text token,
    const char **reason, struct mauth_err *err)
{
    enum jws_refusal why = JWS_FINE;
    const json_t *claims = NULL;
    struct jws *jws = NULL;
    enum mauth_rc rc;

    rc = jws_parse(token, &jws, &why, err);
    if (rc == MAUTH_OK)
        rc = jws_verify_with(jws, a->key, &claims, &why, err);
    *reason = reason_of(why);
    if (rc == MAUTH_OK)
        rc = check_names(a, claims, reason, err);
    if (rc == MAUTH_OK)
        rc = check_times(a, claims, reason, err);
    if (rc == MAUTH_OK)
        rc = take_name(a, claims, reason, err);
    jws_free(jws);
    return rc;
}
