#include "tickets/encode.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "tickets/template.h"

void
ticket_id_of(const uint8_t random[TICKET_ID_RANDOM], char out[TICKET_ID_LEN + 1])
{
    out[0] = '_';
    str_hex(random, TICKET_ID_RANDOM, out + 1);
}

enum mauth_rc
ticket_new_id(char out[TICKET_ID_LEN + 1], struct mauth_err *err)
{
    uint8_t random[TICKET_ID_RANDOM];
    enum mauth_rc rc = mauth_random(random, sizeof(random), err);

    out[0] = '\0';
    if (rc == MAUTH_OK)
        ticket_id_of(random, out);
    return rc;
}

static int
by_text(const void *a, const void *b)
{
    return text_compare(*(const struct text *)a, *(const struct text *)b);
}

static int
by_resource(const void *a, const void *b)
{
    return text_compare(((const struct ticket_permit *)a)->resource,
        ((const struct ticket_permit *)b)->resource);
}

static int
by_fact(const void *a, const void *b)
{
    return ticket_fact_compare(a, b);
}

/* Counts inside their arrays; then everything in its order. */
static bool
arrange(struct ticket *t)
{
    if (t->audiences > TICKET_AUDIENCES || t->permits > TICKET_PERMITS ||
        t->actions > TICKET_ACTIONS || t->facts > TICKET_FACTS)
        return false;
    for (size_t i = 0; i < t->permits; i++) {
        struct ticket_permit *p = &t->permit[i];

        if (p->first > t->actions || p->count > t->actions - p->first)
            return false;
        qsort(&t->action[p->first], p->count, sizeof(*t->action), by_text);
    }
    qsort(t->permit, t->permits, sizeof(*t->permit), by_resource);
    qsort(t->fact, t->facts, sizeof(*t->fact), by_fact);
    return true;
}

/* Why a pass failed. */
static enum mauth_rc
failed(const struct pass *p, struct mauth_err *err)
{
    if (p->failed)
        return mauth_fail(err, MAUTH_INVALID, "ticket: a value is not of its form");
    return mauth_fail(err, MAUTH_NO_MEMORY, "ticket: no memory");
}

/* SignedInfo in canonical form, and its signature in place of t->signature. */
static enum mauth_rc
sign(struct ticket *t, const struct signer *signer, uint8_t raw[KEY_SIGNATURE_MAX],
    struct mauth_err *err)
{
    struct buf info;
    struct pass p = {.out = &info};
    struct text piece;
    enum mauth_rc rc;
    size_t len = 0;

    buf_init(&info);
    buf_str(&info, TEMPLATE_SIGNED_INFO);
    template_signed_info(&p, t);
    piece = buf_slice(&info);
    if (pass_ok(&p))
        rc = signer_sign(signer, &piece, 1, raw, &len, err);
    else
        rc = failed(&p, err);
    buf_clear(&info);
    t->signature = (struct text){(const char *)raw, len};
    return rc;
}

static enum mauth_rc
digest(struct ticket *t, struct text head, struct text tail, struct mauth_err *err)
{
    struct text pieces[2] = {head, tail};

    return hash_sha256(pieces, 2, t->digest, err);
}

static enum mauth_rc
write_all(struct ticket *t, const struct signer *signer, struct buf *xml,
    struct buf *tail, uint8_t raw[KEY_SIGNATURE_MAX], struct mauth_err *err)
{
    struct pass p = {.out = xml}, q = {.out = tail};
    const char *flaw;
    enum mauth_rc rc;

    template_head(&p, t);
    template_tail(&q, t);
    if (!pass_ok(&p))
        return failed(&p, err);
    if (!pass_ok(&q))
        return failed(&q, err);
    if (t->not_on_or_after_s - t->issued_s > MAUTH_LIFETIME_MAX_S)
        return mauth_fail(err, MAUTH_INVALID, "ticket: it would live over 12 hours");
    rc = digest(t, buf_slice(xml), buf_slice(tail), err);
    if (rc == MAUTH_OK)
        rc = sign(t, signer, raw, err);
    if (rc)
        return rc;
    flaw = ticket_flaw(t);
    if (flaw)
        return mauth_fail(err, MAUTH_INVALID, "ticket: %s", flaw);
    template_signature_open(&p);
    template_signed_info(&p, t);
    template_signature_value(&p, t);
    buf_text(xml, buf_slice(tail));
    if (!pass_ok(&p))
        return failed(&p, err);
    if (xml->len > MAUTH_TICKET_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "ticket: %zu bytes", xml->len);
    return MAUTH_OK;
}

enum mauth_rc
ticket_sign(struct ticket *t, const struct signer *signer, struct buf *out,
    struct mauth_err *err)
{
    const struct mauth_key *key = signer_key(signer);
    uint8_t raw[KEY_SIGNATURE_MAX];
    struct buf xml, tail;
    enum mauth_rc rc;

    if (!arrange(t))
        return mauth_fail(err, MAUTH_TOO_LARGE, "ticket: too many parts");
    t->alg = key_alg(key);
    t->key_id = text_of(mauth_key_id(key));
    buf_init(&xml);
    buf_init(&tail);
    rc = write_all(t, signer, &xml, &tail, raw, err);
    if (rc == MAUTH_OK) {
        buf_text(out, buf_slice(&xml));
        if (!buf_ok(out))
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "ticket: no memory");
    }
    t->signature = (struct text){"", 0}; /* it lay on our stack */
    buf_clear(&tail);
    buf_clear(&xml);
    return rc;
}
