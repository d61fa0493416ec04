#include "store/key_warnings.h"

#include <inttypes.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/authority.h"
#include "store/key.h"

enum {
    DAY_S = 86400
};

static bool
ends_soon(int64_t until_s, int64_t now_s)
{
    return until_s - now_s <= (int64_t)KEY_WARNING_DAYS * DAY_S;
}

/* "ends at T, in N days", "ended at T". */
static void
say_end(struct buf *out, int64_t until_s, int64_t now_s)
{
    int64_t days = (until_s - now_s) / DAY_S;
    char when[TIME_LEN + 1];

    time_format(until_s, when);
    if (until_s <= now_s)
        buf_printf(out, "ended at %s", when);
    else if (days == 0)
        buf_printf(out, "ends at %s, in less than a day", when);
    else
        buf_printf(
            out, "ends at %s, in %" PRId64 " day%s", when, days, days == 1 ? "" : "s");
}

static void
look_at_authority(const struct keystore *keys, int64_t now_s, struct buf *out)
{
    struct delegation d;

    if (authority_read(keystore_authority(keys), &d, NULL) != MAUTH_OK ||
        !ends_soon(d.until_s, now_s))
        return; /* what cannot be read signs nothing, of which the log tells */
    buf_str(out, "The authority's time ");
    say_end(out, d.until_s, now_s);
    buf_str(
        out, d.until_s <= now_s
                 ? ", and no trust file can be signed: `meshauth authority renew`.\n"
                 : ": `meshauth authority renew`.\n");
}

static bool
is_for_same(const struct trust_key *a, const struct trust_key *b)
{
    if (a->all_audiences != b->all_audiences || a->audiences != b->audiences)
        return false;
    for (size_t i = 0; i < a->audiences; i++)
        if (!text_equal(a->audience[i], b->audience[i]))
            return false;
    return true;
}

/* One that can take over before the end, and lasts; or NULL. */
static const struct trust_key *
find_successor(const struct keystore *keys, const struct trust_key *k, int64_t now_s)
{
    for (size_t i = 0; i < keystore_count(keys); i++) {
        const struct trust_key *other = keystore_at(keys, i);

        if (other->state == TRUST_NEXT && is_for_same(k, other) &&
            other->from_s <= k->until_s && !ends_soon(other->until_s, now_s))
            return other;
    }
    return NULL;
}

static void
look_at_key(const struct keystore *keys, const struct trust_key *k, int64_t now_s,
    int64_t handover_s, struct buf *out)
{
    const struct trust_key *next = find_successor(keys, k, now_s);

    if (k->state != TRUST_ACTIVE || !ends_soon(k->until_s, now_s) ||
        (next && k->until_s - now_s > handover_s))
        return;
    buf_printf(out, "The signing key %s ", mauth_key_id(k->key));
    say_end(out, k->until_s, now_s);
    if (next)
        buf_printf(out,
            ", and the one that follows it does not sign yet: `meshauth keys activate "
            "%s`.\n",
            mauth_key_id(next->key));
    else
        buf_str(out, ", and none is ready to follow it: `meshauth keys prepare`.\n");
}

enum mauth_rc
key_warnings(const struct keystore *keys, int64_t now_s, int64_t handover_s,
    struct buf *out, struct mauth_err *err)
{
    look_at_authority(keys, now_s, out);
    for (size_t i = 0; i < keystore_count(keys); i++)
        look_at_key(keys, keystore_at(keys, i), now_s, handover_s, out);
    return buf_ok(out) ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "keys: no memory");
}

static void
look_for_away(const struct keystore *keys, struct buf *out)
{
    for (size_t i = 0; i < keystore_count(keys); i++) {
        struct mauth_err why = MAUTH_ERR_INIT;

        if (keystore_ready(keys, i, &why) != MAUTH_OK)
            buf_printf(out, "The signing key %s does not sign: %s.\n",
                mauth_key_id(keystore_at(keys, i)->key), why.text);
    }
}

enum mauth_rc
key_warnings_all(const struct keystore *keys, int64_t now_s, int64_t handover_s,
    struct buf *out, struct mauth_err *err)
{
    look_for_away(keys, out);
    return key_warnings(keys, now_s, handover_s, out, err);
}

enum mauth_rc
key_warnings_json(const struct keystore *keys, int64_t now_s, int64_t handover_s,
    struct buf *out, struct mauth_err *err)
{
    struct buf lines;
    enum mauth_rc rc;

    buf_init(&lines);
    rc = key_warnings_all(keys, now_s, handover_s, &lines, err);
    if (rc == MAUTH_OK)
        buf_json_lines(out, buf_slice(&lines));
    buf_clear(&lines);
    if (rc == MAUTH_OK && !buf_ok(out))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "keys: no memory");
    return rc;
}
