#include "keys/delegation.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "keys/lines.h"

bool
delegation_is_named(
    const struct note_verifier *v, struct text issuer, const char *suffix)
{
    struct text name = text_of(v->name), host = issuer;

    if (!text_starts(issuer, "https://"))
        return false;
    host.p += strlen("https://");
    host.len -= strlen("https://");
    return name.len == host.len + strlen(suffix) &&
           memcmp(name.p, host.p, host.len) == 0 &&
           strcmp(name.p + host.len, suffix) == 0;
}

bool
delegation_holds(const struct delegation *d, int64_t at_s)
{
    return d->from_s <= at_s && at_s < d->until_s;
}

enum mauth_rc
delegation_read(struct text note, struct delegation *out, struct mauth_err *err)
{
    struct text vkey;
    enum mauth_rc rc;
    struct reader r;

    memset(out, 0, sizeof(*out));
    reader_init(&r, note.p, note.len);
    lines_expect(&r, "meshauth-authority v1\n");
    out->issuer = lines_issuer(&r);
    lines_expect(&r, "epoch ");
    out->epoch = lines_number(&r, '\n');
    lines_expect(&r, "authority ");
    vkey = reader_until(&r, ' ');
    out->from_s = lines_instant(&r, ' ');
    out->until_s = lines_instant(&r, '\n');
    if (!reader_done(&r) || out->from_s >= out->until_s)
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust: the root's note is not meshauth-authority v1");
    rc = note_verifier_parse(vkey.p, vkey.len, &out->authority, err);
    if (rc)
        return rc;
    if (!delegation_is_named(&out->authority, out->issuer, "/authority"))
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "trust: the authority is not of this issuer");
    return MAUTH_OK;
}
