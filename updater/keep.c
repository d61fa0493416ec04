#include "updater/keep.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "keys/trust.h"
#include "updater/witness.h"
#include <meshauth/ticket.h>

struct keep {
    struct keep_options o;
    struct mauth_trust *trust;
    struct buf file; /* its bytes */
    struct witness witness;
};

static enum mauth_rc
parse(const struct keep *k, struct text file, struct mauth_trust **out,
    struct mauth_err *err)
{
    enum mauth_rc rc = mauth_trust_parse(file.p, file.len, k->o.root_vkey, out, err);

    if (rc == MAUTH_OK && strcmp(mauth_trust_issuer(*out), k->o.issuer) != 0) {
        mauth_trust_free(*out);
        *out = NULL;
        rc = mauth_fail(err, MAUTH_DENIED, "trust: of another issuer");
    }
    return rc;
}

static enum mauth_rc
read_held(struct keep *k, struct mauth_err *err)
{
    enum mauth_rc rc = file_read(k->o.trust_file, MAUTH_TRUST_MAX, &k->file, err);

    if (rc == MAUTH_OK)
        rc = parse(k, buf_slice(&k->file), &k->trust, err);
    if (rc)
        buf_rewind(&k->file);
    return rc;
}

enum mauth_rc
keep_open(const struct keep_options *o, struct keep **out, struct mauth_err *trouble,
    struct mauth_err *err)
{
    struct keep *k = calloc(1, sizeof(*k));
    enum mauth_rc rc;

    *out = NULL;
    if (!k)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    k->o = *o;
    buf_init(&k->file);
    rc = witness_read(o->witness_file, &k->witness, err);
    if (rc == MAUTH_NOT_FOUND) {
        mauth_err_reset(err);
        rc = MAUTH_OK;
    }
    if (rc) {
        keep_close(k);
        return rc;
    }
    if (read_held(k, trouble) == MAUTH_NOT_FOUND)
        mauth_err_reset(trouble); /* there was none yet */
    *out = k;
    return MAUTH_OK;
}

void
keep_close(struct keep *k)
{
    if (!k)
        return;
    mauth_trust_free(k->trust);
    buf_clear(&k->file);
    free(k);
}

const struct mauth_trust *
keep_trust(const struct keep *k)
{
    return k->trust;
}

struct text
keep_text(const struct keep *k)
{
    return buf_slice(&k->file);
}

bool
keep_has_alarm(const struct keep *k)
{
    return access(k->o.alarm_file, F_OK) == 0;
}

static enum mauth_rc
check_time(const struct mauth_trust *t, int64_t now_s, struct mauth_err *err)
{
    if (now_s >= mauth_trust_expires_s(t))
        return mauth_fail(err, MAUTH_EXPIRED, "trust: what came has expired already");
    if (now_s < mauth_trust_issued_s(t) - MAUTH_SKEW_DEFAULT_S)
        return mauth_fail(err, MAUTH_EXPIRED,
            "trust: what came is from the future: this machine's clock is wrong, or "
            "theirs");
    return MAUTH_OK;
}

/* Everything about a genuine file that has to do with what was there before, and when. */
static enum mauth_rc
judge(const struct keep *k, const struct mauth_trust *next, int64_t now_s,
    bool *rewritten, struct mauth_err *err)
{
    struct checkpoint c;
    enum mauth_rc rc = mauth_trust_follows(k->trust, next, err);

    if (rc == MAUTH_OK)
        rc = check_time(next, now_s, err);
    if (rc)
        return rc;
    checkpoint_of(next, &c);
    return witness_check(&k->witness, &c, rewritten, err);
}

static enum mauth_rc
write_evidence(const struct keep *k, struct text file, struct mauth_err *err)
{
    const struct text held = keep_text(k);
    struct buf before;
    enum mauth_rc rc = file_create(k->o.alarm_file, file.p, file.len, FILE_PUBLIC, err);

    if (rc)
        return rc;
    buf_init(&before);
    buf_printf(&before, "%s.before", k->o.alarm_file);
    if (!buf_cstr(&before))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    else
        rc =
            file_replace((const char *)before.data, held.p, held.len, FILE_PUBLIC, err);
    buf_clear(&before);
    return rc;
}

/*
 * What came and what was held: it takes both to show that they contradict. The first ones
 * stay: what comes later may be the forger's next. Where the disk does not take them, the
 * alarm is raised without.
 */
static void
keep_evidence(const struct keep *k, struct text file)
{
    struct mauth_err none = MAUTH_ERR_INIT;

    if (write_evidence(k, file, &none) != MAUTH_OK)
        mauth_err_reset(&none);
}

/* The witness first: if the other file cannot be written, the same may come again. */
static enum mauth_rc
put(struct keep *k, const struct witness *w, struct text file, struct mauth_err *err)
{
    enum mauth_rc rc = witness_write(k->o.witness_file, w, err);

    if (rc)
        return rc;
    k->witness = *w;
    return file_replace(k->o.trust_file, file.p, file.len, FILE_PUBLIC, err);
}

static bool
is_held(const struct keep *k, struct text file)
{
    return k->trust && file.len == k->file.len &&
           memcmp(file.p, k->file.data, file.len) == 0;
}

static bool
has_new_key(const struct keep *k, const struct mauth_trust *next)
{
    for (size_t i = 0; k->trust && i < trust_key_count(next); i++)
        if (!trust_key_find(
                k->trust, text_of(mauth_key_id(trust_key_at(next, i)->key))))
            return true;
    return false;
}

enum mauth_rc
keep_take(struct keep *k, struct text file, int64_t now_s, struct keep_news *news,
    struct mauth_err *err)
{
    struct mauth_trust *next = NULL;
    struct witness w = k->witness;
    struct checkpoint c;
    struct buf bytes;
    enum mauth_rc rc;

    *news = (struct keep_news){.changed = false};
    buf_init(&bytes);
    rc = parse(k, file, &next, err);
    if (rc == MAUTH_OK)
        rc = judge(k, next, now_s, &news->rewritten, err);
    if (rc == MAUTH_OK && !is_held(k, file)) {
        checkpoint_of(next, &c);
        rc = witness_demand(&w, &c, k->o.prove, k->o.arg, err);
    }
    if (rc == MAUTH_CONFLICT)
        keep_evidence(k, file);
    if (rc || is_held(k, file))
        goto out;
    witness_add(&w, &c);
    buf_text(&bytes, file);
    if (buf_ok(&bytes))
        rc = put(k, &w, file, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (rc)
        goto out;
    news->new_key = has_new_key(k, next);
    mauth_trust_free(k->trust);
    buf_clear(&k->file);
    k->trust = next;
    k->file = bytes;
    next = NULL;
    buf_init(&bytes);
    news->changed = true;
out:
    if (rc)
        news->rewritten = false;
    buf_clear(&bytes);
    mauth_trust_free(next);
    return rc;
}

enum mauth_rc
keep_check_proofs(const struct keep *k, struct mauth_err *err)
{
    if (!witness_unproven(&k->witness))
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_UNTRUSTED,
        "the account service gives no proof that its audit log holds what it held "
        "before");
}
