#include "tickets/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/trust.h"
#include "tickets/template.h"

/* The checks, in their frozen order; each refuses with its own reason. */

static enum mauth_rc
check_trust(const struct mauth_trust *trust, const struct mauth_expect *want,
    struct mauth_err *err)
{
    if (trust_is_bare(trust))
        return MAUTH_OK;
    if (want->now_s >= mauth_trust_expires_s(trust))
        return mauth_refuse(err, MAUTH_REASON_TRUST_EXPIRED,
            "trust file: expired %" PRId64 " s ago",
            want->now_s - mauth_trust_expires_s(trust));
    if (want->now_s < mauth_trust_issued_s(trust) - want->skew_s)
        return mauth_refuse(err, MAUTH_REASON_CLOCK,
            "clock: %" PRId64 " s behind the trust file",
            mauth_trust_issued_s(trust) - want->now_s);
    return MAUTH_OK;
}

static enum mauth_rc
check_key(const struct ticket_terms *t, const struct mauth_trust *trust,
    const struct trust_key **out, struct mauth_err *err)
{
    const struct trust_key *key;
    char quoted[64];

    if (!text_is(t->issuer, mauth_trust_issuer(trust)))
        return mauth_refuse(err, MAUTH_REASON_ISSUER, "ticket: issued by \"%s\"",
            mauth_quote(t->issuer.p, t->issuer.len, quoted, sizeof(quoted)));
    key = trust_key_find(trust, t->key_id);
    if (!key)
        return mauth_refuse(
            err, MAUTH_REASON_KEY_UNKNOWN, "ticket: key %s is unknown", t->key_id.p);
    if (key->state == TRUST_REVOKED)
        return mauth_refuse(
            err, MAUTH_REASON_KEY_REVOKED, "ticket: key %s is revoked", t->key_id.p);
    if (t->issued_s < key->from_s || t->not_on_or_after_s > key->until_s)
        return mauth_refuse(err, MAUTH_REASON_KEY_WINDOW,
            "ticket: outside the window of key %s", t->key_id.p);
    *out = key;
    return MAUTH_OK;
}

static enum mauth_rc
check_signature(
    const struct mauth_ticket *t, const struct mauth_key *key, struct mauth_err *err)
{
    struct text pieces[2] = {text_of(TEMPLATE_SIGNED_INFO), t->signed_info};

    if (t->says.alg != key_alg(key))
        return mauth_refuse(err, MAUTH_REASON_SIGNATURE,
            "ticket: key %s does not make %s", mauth_key_id(key),
            key_alg_name(t->says.alg));
    if (memcmp(t->digest, t->says.digest, HASH_LEN) != 0)
        return mauth_refuse(
            err, MAUTH_REASON_SIGNATURE, "ticket: altered since it was signed");
    return key_check(key, pieces, 2, (const uint8_t *)t->says.signature.p,
        t->says.signature.len, err);
}

/* bound: "from" or "until". */
static enum mauth_rc
refuse_time(enum mauth_reason reason, const char *bound, int64_t t_s, int64_t now_s,
    struct mauth_err *err)
{
    char t[TIME_LEN + 1], now[TIME_LEN + 1];

    time_format(t_s, t);
    time_format(now_s, now);
    return mauth_refuse(err, reason, "ticket: valid %s %s, now %s", bound, t, now);
}

static enum mauth_rc
check_times(const struct ticket_terms *t, const struct mauth_expect *want,
    struct mauth_err *err)
{
    int64_t soonest = want->now_s + want->skew_s;
    int64_t from_s = t->not_before_s > t->issued_s ? t->not_before_s : t->issued_s;

    if (from_s > soonest)
        return refuse_time(MAUTH_REASON_NOT_YET, "from", from_s, want->now_s, err);
    if (want->now_s - want->skew_s >= t->not_on_or_after_s)
        return refuse_time(
            MAUTH_REASON_EXPIRED, "until", t->not_on_or_after_s, want->now_s, err);
    if (t->not_on_or_after_s - t->issued_s > MAUTH_LIFETIME_MAX_S)
        return mauth_refuse(err, MAUTH_REASON_LIFETIME,
            "ticket: made for %" PRId64 " s, 12 hours are the most",
            t->not_on_or_after_s - t->issued_s);
    return MAUTH_OK;
}

static bool
is_among(struct text t, const struct text *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(t, list[i]))
            return true;
    return false;
}

static enum mauth_rc
check_audience(const struct ticket_terms *t, const struct trust_key *key,
    const struct mauth_expect *want, struct mauth_err *err)
{
    char quoted[96];

    for (size_t i = 0; !key->all_audiences && i < t->audiences; i++)
        if (!is_among(t->audience[i], key->audience, key->audiences))
            return mauth_refuse(err, MAUTH_REASON_AUDIENCE,
                "ticket: key %s is not meant for one of its audiences", t->key_id.p);
    if (!is_among(text_of(want->audience), t->audience, t->audiences))
        return mauth_refuse(err, MAUTH_REASON_AUDIENCE,
            "ticket: meant for %s%s, not for us",
            mauth_quote(t->audience[0].p, t->audience[0].len, quoted, sizeof(quoted)),
            t->audiences > 1 ? " and others" : "");
    return MAUTH_OK;
}

enum {
    SEGMENTS = MAUTH_TICKET_MAX / (ID_LEN + 1), /* ids in all resources together */
    MENTIONS = 2 + TICKET_FACTS * TICKET_ARGS + SEGMENTS
};

/* The path of a URI (RFC 3986 3): behind scheme and authority, before query and
 * fragment. It may begin without a '/'. */
static struct text
path_of(struct text uri)
{
    struct text part;

    for (size_t i = 0; i < uri.len; i++)
        if (uri.p[i] == '?' || uri.p[i] == '#')
            uri.len = i;
    (void)!text_cut(&uri, ':', &part);
    if (text_starts(uri, "//")) {
        uri.p += 2;
        uri.len -= 2;
        if (!text_cut(&uri, '/', &part))
            uri.len = 0;
    }
    return uri;
}

/* Every id-shaped segment of a resource's path. */
static size_t
mention_path(struct text resource, struct text *out, size_t room)
{
    struct text path = path_of(resource);
    size_t n = 0;

    while (path.len && n < room) {
        struct text segment, rest = path;

        if (!text_cut(&rest, '/', &segment)) {
            segment = path;
            rest.len = 0;
        }
        if (id_kind_of(segment.p, segment.len) != ID_KINDS)
            out[n++] = segment;
        path = rest;
    }
    return n;
}

static int
by_text(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static size_t
mentions(const struct ticket *t, struct text out[MENTIONS])
{
    size_t n = 0, kept = 0;

    out[n++] = t->id;
    out[n++] = t->subject;
    for (size_t i = 0; i < t->facts; i++)
        for (size_t j = 0; j < ticket_relation_arity(t->fact[i].relation); j++)
            out[n++] = t->fact[i].arg[j];
    for (size_t i = 0; i < t->permits; i++)
        n += mention_path(t->permit[i].resource, out + n, MENTIONS - n);
    qsort(out, n, sizeof(*out), by_text);
    for (size_t i = 0; i < n; i++)
        if (!kept || !text_equal(out[kept - 1], out[i]))
            out[kept++] = out[i];
    return kept;
}

static enum mauth_rc
check_revoked(const struct mauth_ticket *t, const struct mauth_trust *trust,
    struct mauth_err *err)
{
    struct text ids[MENTIONS];

    if (!trust_has_revocations_after(trust, t->asof))
        return MAUTH_OK;
    if (trust_revokes(trust, t->asof, ids, mentions(&t->says, ids)))
        return mauth_refuse(
            err, MAUTH_REASON_REVOKED, "ticket: %s is revoked", t->says.id.p);
    return MAUTH_OK;
}

static enum mauth_rc
check_holder(const struct ticket_terms *t, const struct mauth_expect *want,
    struct mauth_err *err)
{
    if (!t->holder.p) {
        if (!want->allow_bearer)
            return mauth_refuse(err, MAUTH_REASON_NO_PROOF,
                "ticket: bound to no key, which is not allowed here");
        return MAUTH_OK;
    }
    if (!want->holder_spki)
        return mauth_refuse(
            err, MAUTH_REASON_NO_PROOF, "ticket: its holder's key was not proven");
    /* Public keys: there is nothing that time could tell. */
    if (want->holder_spki_len != t->holder.len ||
        memcmp(want->holder_spki, t->holder.p, t->holder.len) != 0)
        return mauth_refuse(err, MAUTH_REASON_HOLDER,
            "ticket: bound to another key than the proven one");
    return MAUTH_OK;
}

/* What a check of a ticket may leave out, because it was done before. */
enum {
    SIGNATURE_STANDS = 1,
    NOT_REVOKED = 2
};

static enum mauth_rc
check_all(const struct mauth_ticket *t, const struct ticket_terms *terms,
    const struct mauth_trust *trust, const struct mauth_expect *want, unsigned known,
    struct mauth_err *err)
{
    const struct trust_key *key = NULL;
    enum mauth_rc rc = check_trust(trust, want, err);

    if (rc == MAUTH_OK)
        rc = check_key(terms, trust, &key, err);
    if (rc == MAUTH_OK && !(known & SIGNATURE_STANDS))
        rc = check_signature(t, key->key, err);
    if (rc == MAUTH_OK)
        rc = check_times(terms, want, err);
    if (rc == MAUTH_OK)
        rc = check_audience(terms, key, want, err);
    if (rc == MAUTH_OK && !(known & NOT_REVOKED))
        rc = check_revoked(t, trust, err);
    if (rc == MAUTH_OK)
        rc = check_holder(terms, want, err);
    return rc;
}

enum mauth_rc
ticket_check_again(const struct mauth_ticket *t, const struct ticket_terms *terms,
    const struct mauth_trust *trust, const struct mauth_expect *want, bool same_trust,
    struct mauth_err *err)
{
    return check_all(
        t, terms, trust, want, SIGNATURE_STANDS | (same_trust ? NOT_REVOKED : 0), err);
}

static bool
makes_sense(const struct mauth_expect *want)
{
    return want->size == sizeof(*want) && want->audience && want->skew_s >= 0 &&
           want->skew_s <= MAUTH_SKEW_MAX_S && want->now_s >= 0 &&
           want->now_s <= INT64_MAX / 2;
}

enum mauth_rc
mauth_ticket_verify(const char *xml, size_t len, const struct mauth_trust *trust,
    const struct mauth_expect *want, struct mauth_ticket **out, struct mauth_err *err)
{
    struct ticket_terms terms;
    struct mauth_ticket *t;
    enum mauth_rc rc;

    *out = NULL;
    if (!makes_sense(want))
        return mauth_fail(err, MAUTH_INVALID,
            "ticket: what is expected of it makes no sense (size, audience, time, "
            "skew)");
    rc = ticket_decode(xml, len, &t, err);
    if (rc)
        return rc;
    terms = ticket_terms_of(t);
    rc = check_all(t, &terms, trust, want, 0, err);
    if (rc) {
        mauth_ticket_free(t);
        return rc;
    }
    ticket_forget_input(t);
    *out = t;
    return MAUTH_OK;
}
