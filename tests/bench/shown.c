#include "tests/bench/shown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include <meshauth/credential.h>
#include <meshauth/ticket.h>

struct text
shown_find(const char *answer)
{
    static const char member[] = "\"access_token\":\"";
    const char *at = strstr(answer, member);

    if (!at)
        return (struct text){"", 0};
    at += sizeof(member) - 1;
    return (struct text){at, strcspn(at, "\"")};
}

enum mauth_rc
shown_take(struct shown *s, struct text credential, struct mauth_err *err)
{
    struct mauth_ticket *ticket = NULL;
    char xml[MAUTH_TICKET_MAX];
    enum mauth_rc rc;
    size_t len;

    shown_clear(s);
    rc = mauth_credential_decode(credential.p, credential.len, xml, &len, err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_read_untrusted(xml, len, &ticket, err);
    if (rc != MAUTH_OK)
        return rc;
    s->resource = strdup(mauth_ticket_permit_resource(ticket, 0));
    snprintf(s->id, sizeof(s->id), "%s", mauth_ticket_id(ticket));
    if (asprintf(&s->header, "Bearer %.*s", (int)credential.len, credential.p) < 0)
        s->header = NULL;
    mauth_ticket_free(ticket);
    if (!s->header || !s->resource)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    return MAUTH_OK;
}

void
shown_clear(struct shown *s)
{
    free(s->header);
    free(s->resource);
    memset(s, 0, sizeof(*s));
}

enum mauth_rc
shown_ask(struct mauth_verifier *v, const struct shown *s, const uint8_t *spki,
    size_t spki_len, struct mauth_decision *d, struct mauth_err *err)
{
    const char *args[] = {s->resource};
    const struct mauth_request r = {.size = sizeof(r),
        .authorization = s->header,
        .authorization_len = strlen(s->header),
        .key_spki = spki,
        .key_spki_len = spki_len,
        .action = "read",
        .args = args,
        .arg_count = 1,
        .now_s = time(NULL)};

    memset(d, 0, sizeof(*d));
    d->size = sizeof(*d);
    return mauth_verifier_check(v, &r, d) == MAUTH_INVALID
               ? mauth_fail(err, MAUTH_INTERNAL, "bench: no question")
               : MAUTH_OK;
}
