#include "tickets/decode.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "tickets/template.h"

static struct text
between(const struct pass *p, const char *start)
{
    return (struct text){start, (size_t)((const char *)p->in.p - start)};
}

static void
read_all(struct pass *p, struct mauth_ticket *t)
{
    const char *start = (const char *)p->in.p;

    template_head(p, &t->says);
    t->head = between(p, start);
    template_signature_open(p);
    start = (const char *)p->in.p;
    template_signed_info(p, &t->says);
    t->signed_info = between(p, start);
    template_signature_value(p, &t->says);
    start = (const char *)p->in.p;
    template_tail(p, &t->says);
    t->tail = between(p, start);
}

/* What was read, written again, must be what was there. */
static bool
reads_back(struct ticket *t, const char *xml, size_t len)
{
    char again[MAUTH_TICKET_MAX];
    struct pass p = {.again = true};
    struct buf b;

    buf_init_fixed(&b, again, sizeof(again));
    p.out = &b;
    template_head(&p, t);
    template_signature_open(&p);
    template_signed_info(&p, t);
    template_signature_value(&p, t);
    template_tail(&p, t);
    return pass_ok(&p) && b.len == len && memcmp(again, xml, len) == 0;
}

static enum mauth_rc
decode(struct mauth_ticket *t, const char *xml, size_t len, struct mauth_err *err)
{
    struct text pieces[2];
    struct pass p = {.reading = true};
    const char *flaw;
    struct buf pool;

    buf_init_fixed(&pool, t->pool, t->pool_len);
    p.pool = &pool;
    reader_init(&p.in, xml, len);
    read_all(&p, t);
    if (!pass_ok(&p))
        return mauth_refuse(err, MAUTH_REASON_FORM,
            "ticket: not of the form from byte %zu on", len - p.in.left);
    if (!reader_done(&p.in))
        return mauth_refuse(err, MAUTH_REASON_FORM,
            "ticket: %zu bytes behind the end of the assertion", p.in.left);
    flaw = ticket_flaw(&t->says);
    if (flaw)
        return mauth_refuse(err, MAUTH_REASON_FORM, "ticket: %s", flaw);
    if (!reads_back(&t->says, xml, len))
        return mauth_refuse(
            err, MAUTH_REASON_FORM, "ticket: parts that must agree do not");
    if (!str_number(ticket_asof(&t->says), &t->asof))
        return mauth_refuse(err, MAUTH_REASON_FORM, "ticket: asof is no number");
    pieces[0] = t->head;
    pieces[1] = t->tail;
    return hash_sha256(pieces, 2, t->digest, err);
}

enum mauth_rc
ticket_decode(
    const char *xml, size_t len, struct mauth_ticket **out, struct mauth_err *err)
{
    struct mauth_ticket *t;
    enum mauth_rc rc;

    *out = NULL;
    if (len > MAUTH_TICKET_MAX)
        return mauth_refuse(err, MAUTH_REASON_SIZE, "ticket: %zu bytes", len);
    /* A value with its terminator is shorter than the bytes around it. */
    t = calloc(1, sizeof(*t) + len);
    if (!t)
        return mauth_fail(err, MAUTH_NO_MEMORY, "ticket: no memory");
    t->pool_len = len;
    rc = decode(t, xml, len, err);
    if (rc) {
        free(t);
        return rc;
    }
    *out = t;
    return MAUTH_OK;
}

void
ticket_forget_input(struct mauth_ticket *t)
{
    t->head = t->tail = t->signed_info = (struct text){"", 0};
}
