#include "store/authority_change.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/trust_write.h"
#include "store/key.h"
#include "store/key_warnings.h"

static const char *const actions[] = {
    [AUTHORITY_REQUEST] = "authority.request",
    [AUTHORITY_INSTALL] = "authority.install",
};

enum mauth_rc
authority_change_ready(struct authority_change *c, struct mauth_err *err)
{
    char name[NOTE_NAME_MAX + 1];
    enum mauth_rc rc;
    int n;

    if (!c->life_s)
        c->life_s = AUTHORITY_LIFE_S;
    rc = mauth_random(c->nonce, sizeof(c->nonce), err);
    if (rc == MAUTH_OK)
        rc = mauth_random(c->salt, sizeof(c->salt), err);
    if (rc != MAUTH_OK || c->op == AUTHORITY_INSTALL)
        return rc;
    n = snprintf(name, sizeof(name), "%s/authority", c->issuer + strlen("https://"));
    if (n < 0 || (size_t)n >= sizeof(name))
        return mauth_fail(err, MAUTH_INVALID, "authority: too long an issuer");
    return note_secret_new(name, &c->made.seed, &c->made.verifier, err);
}

void
authority_change_clear(struct authority_change *c)
{
    mauth_secret_free(c->made.seed);
    c->made.seed = NULL;
}

/* To request. */

static enum mauth_rc
check_request(struct authority_change *c, const struct keystore_authority *now,
    struct mauth_err *err)
{
    c->becomes = c->epoch ? c->epoch : now->epoch + 1;
    if (c->becomes <= now->epoch || c->becomes > KEYSTORE_EPOCH_MAX)
        return mauth_fail(err, MAUTH_INVALID,
            "An epoch above %" PRIu64 " is needed: what it is now.", now->epoch);
    if (c->life_s < AUTHORITY_LIFE_MIN_S || c->life_s > AUTHORITY_LIFE_MAX_S)
        return mauth_fail(err, MAUTH_INVALID,
            "An authority is good for an hour at least and for 3650 days at most.");
    return MAUTH_OK;
}

static enum mauth_rc
request(struct kv_txn *txn, struct authority_change *c, struct mauth_err *err)
{
    struct trust_delegation d = {.issuer = c->issuer, .authority = &c->made.verifier};
    struct keystore_authority now, next = c->made;
    enum mauth_rc rc = authority_load(txn, c->seal, &now, err);
    struct buf text;

    buf_init(&text);
    if (rc == MAUTH_OK)
        rc = check_request(c, &now, err);
    if (rc != MAUTH_OK)
        goto out;
    d.epoch = c->becomes;
    d.from_s = c->now_s;
    d.until_s = c->now_s + c->life_s;
    trust_write_request(&d, &text);
    next.root = now.root;
    next.epoch = c->becomes;
    next.delegation = buf_slice(&text);
    if (!buf_ok(&text))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "authority: no memory");
    else
        rc = authority_put_pending(txn, c->seal, &next, c->nonce, err);
    fault_point("authority.waits");
out:
    buf_clear(&text);
    authority_clear(&now);
    return rc;
}

/* To install. */

/* What the root signed, found good for this issuer. */
static enum mauth_rc
open_delegation(const struct authority_change *c, const struct note_verifier *root,
    struct text *note, struct delegation *d, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct reader r;

    reader_init(&r, c->delegation.p, c->delegation.len);
    rc = note_open(&r, root, note, err);
    if (rc == MAUTH_OK && !reader_done(&r))
        rc = mauth_fail(err, MAUTH_MALFORMED, "More than one signed note.");
    if (rc == MAUTH_OK)
        rc = delegation_read(*note, d, err);
    if (rc == MAUTH_OK && !text_is(d->issuer, c->issuer))
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "It was signed for another issuer.");
    if (rc == MAUTH_OK && !delegation_is_named(root, d->issuer, "/root"))
        rc = mauth_fail(err, MAUTH_UNTRUSTED, "The root is not this issuer's.");
    return rc;
}

/* Is it what was asked for last, and better than what there is? */
static enum mauth_rc
check_answer(const struct authority_change *c, const struct keystore_authority *now,
    const struct keystore_authority *pending, struct text note,
    const struct delegation *d, struct mauth_err *err)
{
    if (!text_equal(note, pending->delegation))
        return mauth_fail(err, MAUTH_CONFLICT,
            "It does not answer what was requested last, which is epoch %" PRIu64 ".",
            pending->epoch);
    if (d->epoch <= now->epoch)
        return mauth_fail(err, MAUTH_CONFLICT,
            "Epoch %" PRIu64 " is in force, and this is %" PRIu64 ".", now->epoch,
            d->epoch);
    if (!delegation_holds(d, c->now_s))
        return mauth_fail(err, MAUTH_EXPIRED, "Its window is not open now.");
    return MAUTH_OK;
}

static enum mauth_rc
install(struct kv_txn *txn, struct authority_change *c, struct mauth_err *err)
{
    struct keystore_authority now, pending = {.epoch = 0};
    struct text note, waited;
    struct delegation d;
    enum mauth_rc rc = authority_load(txn, c->seal, &now, err);

    if (rc == MAUTH_OK)
        rc = authority_load_pending(txn, c->seal, &pending, err);
    if (rc == MAUTH_NOT_FOUND)
        rc = mauth_fail(err, MAUTH_NOT_FOUND, "No new authority was requested.");
    if (rc == MAUTH_OK && c->new_root)
        pending.root = *c->new_root;
    if (rc == MAUTH_OK)
        rc = open_delegation(c, &pending.root, &note, &d, err);
    if (rc == MAUTH_OK)
        rc = check_answer(c, &now, &pending, note, &d, err);
    if (rc == MAUTH_OK) {
        c->becomes = pending.epoch;
        c->made.verifier = pending.verifier; /* for the record */
        waited = pending.delegation;
        pending.delegation = c->delegation;
        rc = keystore_authority_put(txn, c->seal, &pending, c->nonce, err);
        pending.delegation = waited;
    }
    fault_point("authority.put");
    if (rc == MAUTH_OK)
        rc = authority_drop_pending(txn, err);
    if (rc == MAUTH_OK)
        rc = authority_resume(txn, err);
    authority_clear(&pending);
    authority_clear(&now);
    return rc;
}

/* Both. */

static bool
is_refusal(enum mauth_rc rc)
{
    switch (rc) {
    case MAUTH_INVALID:
    case MAUTH_MALFORMED:
    case MAUTH_UNTRUSTED:
    case MAUTH_NOT_FOUND:
    case MAUTH_CONFLICT:
    case MAUTH_EXPIRED: return true;
    case MAUTH_OK:
    case MAUTH_TOO_LARGE:
    case MAUTH_DENIED:
    case MAUTH_INTERNAL:
    case MAUTH_NO_MEMORY:
    case MAUTH_UNAVAILABLE: break;
    }
    return false;
}

static enum mauth_rc
record(struct kv_txn *txn, const struct authority_change *c, const char *reason,
    struct mauth_err *err)
{
    char vkey[NOTE_VKEY_MAX + 1], root[NOTE_VKEY_MAX + 1], epoch[32];
    struct audit_record r = c->who;

    r.time_us = time_now_us();
    r.action = actions[c->op];
    r.outcome = reason ? "deny" : "done";
    r.reason = reason;
    r.resources[r.resource_count++] = c->issuer;
    if (!reason) {
        note_verifier_format(&c->made.verifier, vkey);
        snprintf(epoch, sizeof(epoch), "epoch %" PRIu64, c->becomes);
        r.resources[r.resource_count++] = epoch;
        r.resources[r.resource_count++] = vkey;
    }
    if (c->new_root) {
        note_verifier_format(c->new_root, root);
        r.resources[r.resource_count++] = root;
    }
    return audit_append_record(txn, &r, c->salt, err);
}

enum mauth_rc
authority_change_run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct authority_change *c = arg;
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc =
        c->op == AUTHORITY_REQUEST ? request(txn, c, &why) : install(txn, c, &why);

    c->refused = is_refusal(rc) ? rc : MAUTH_OK;
    c->why = why;
    if (rc != MAUTH_OK && !c->refused) {
        if (err)
            *err = why;
        return rc;
    }
    rc = record(txn, c, c->refused ? "authority" : NULL, err);
    fault_point("authority.recorded");
    return rc;
}

enum mauth_rc
authority_change_refuse(struct kv_txn *txn, const struct authority_change *c,
    const char *reason, struct mauth_err *err)
{
    return record(txn, c, reason, err);
}

/* What is there. */

static enum mauth_rc
write_one(const struct keystore_authority *a, struct buf *out, struct mauth_err *err)
{
    char vkey[NOTE_VKEY_MAX + 1], from[TIME_LEN + 1], until[TIME_LEN + 1];
    struct delegation d;
    enum mauth_rc rc = authority_read(a, &d, err);

    if (rc != MAUTH_OK)
        return rc;
    note_verifier_format(&a->verifier, vkey);
    time_format(d.from_s, from);
    time_format(d.until_s, until);
    buf_printf(out, "\"epoch\":%" PRIu64 ",\"authority\":\"%s\",", a->epoch, vkey);
    buf_printf(out, "\"from\":\"%s\",\"until\":\"%s\"", from, until);
    return MAUTH_OK;
}

static enum mauth_rc
write_in_force(struct kv_txn *txn, const struct mauth_secret *seal, struct buf *out,
    struct mauth_err *err)
{
    struct keystore_authority a;
    char root[NOTE_VKEY_MAX + 1], fingerprint[NOTE_FINGERPRINT_LEN + 1];
    struct delegation d;
    enum mauth_rc rc = authority_load(txn, seal, &a, err);

    if (rc == MAUTH_OK)
        rc = authority_read(&a, &d, err);
    if (rc == MAUTH_OK)
        rc = note_fingerprint(&a.root, fingerprint, err);
    if (rc == MAUTH_OK) {
        note_verifier_format(&a.root, root);
        buf_str(out, "{\"issuer\":");
        buf_json(out, d.issuer);
        buf_printf(
            out, ",\"root\":\"%s\",\"root_fingerprint\":\"%s\",", root, fingerprint);
        rc = write_one(&a, out, err);
    }
    authority_clear(&a);
    return rc;
}

static enum mauth_rc
write_pending(struct kv_txn *txn, const struct mauth_secret *seal, struct buf *out,
    struct mauth_err *err)
{
    struct keystore_authority a;
    enum mauth_rc rc = authority_load_pending(txn, seal, &a, err);

    if (rc == MAUTH_OK) {
        buf_str(out, ",\"pending\":{");
        rc = write_one(&a, out, err);
        buf_str(out, ",\"request\":");
        buf_json(out, a.delegation);
        buf_str(out, "}");
    }
    authority_clear(&a);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

static enum mauth_rc
write_warnings(struct kv_txn *txn, const struct mauth_secret *seal, int64_t now_s,
    int64_t handover_s, struct buf *out, struct mauth_err *err)
{
    struct keystore *keys = NULL;
    bool suspended;
    enum mauth_rc rc = authority_is_suspended(txn, &suspended, err);

    buf_str(out, ",\"warnings\":");
    if (rc == MAUTH_OK && suspended) {
        buf_str(out,
            "[\"The store was restored from a backup: this authority is not in "
            "force, and another is needed, `meshauth authority renew`.\"]");
        return MAUTH_OK;
    }
    if (rc == MAUTH_OK)
        rc = keystore_load(txn, seal, &keys, err);
    if (rc != MAUTH_OK)
        return rc;
    rc = key_warnings_json(keys, now_s, handover_s, out, err);
    keystore_free(keys);
    return rc;
}

enum mauth_rc
authority_view(struct kv_txn *txn, const struct mauth_secret *seal, int64_t now_s,
    int64_t handover_s, struct buf *out, struct mauth_err *err)
{
    enum mauth_rc rc = write_in_force(txn, seal, out, err);

    if (rc == MAUTH_OK)
        rc = write_pending(txn, seal, out, err);
    if (rc == MAUTH_OK)
        rc = write_warnings(txn, seal, now_s, handover_s, out, err);
    buf_str(out, "}");
    if (rc == MAUTH_OK && !buf_ok(out))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "authority: no memory");
    return rc;
}
