#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include <meshauth/err.h>

static const char *const reasons[] = {
    [MAUTH_REASON_NONE] = "",
    [MAUTH_REASON_SIZE] = "size",
    [MAUTH_REASON_FORM] = "form",
    [MAUTH_REASON_TRUST_EXPIRED] = "trust-expired",
    [MAUTH_REASON_CLOCK] = "clock",
    [MAUTH_REASON_ISSUER] = "issuer",
    [MAUTH_REASON_KEY_UNKNOWN] = "key-unknown",
    [MAUTH_REASON_KEY_REVOKED] = "key-revoked",
    [MAUTH_REASON_KEY_WINDOW] = "key-window",
    [MAUTH_REASON_SIGNATURE] = "signature",
    [MAUTH_REASON_NOT_YET] = "not-yet",
    [MAUTH_REASON_EXPIRED] = "expired",
    [MAUTH_REASON_LIFETIME] = "lifetime",
    [MAUTH_REASON_AUDIENCE] = "audience",
    [MAUTH_REASON_REVOKED] = "revoked",
    [MAUTH_REASON_HOLDER] = "holder",
    [MAUTH_REASON_NO_PROOF] = "no-proof",
    [MAUTH_REASON_MIXED_SET] = "mixed-set",
    [MAUTH_REASON_NO_RULE] = "no-rule",
    [MAUTH_REASON_BOUND] = "bound",
};

static const char *const codes[] = {
    [MAUTH_OK] = "ok",
    [MAUTH_INTERNAL] = "internal",
    [MAUTH_NO_MEMORY] = "no-memory",
    [MAUTH_INVALID] = "invalid",
    [MAUTH_MALFORMED] = "malformed",
    [MAUTH_TOO_LARGE] = "too-large",
    [MAUTH_UNTRUSTED] = "untrusted",
    [MAUTH_EXPIRED] = "expired",
    [MAUTH_DENIED] = "denied",
    [MAUTH_NOT_FOUND] = "not-found",
    [MAUTH_CONFLICT] = "conflict",
    [MAUTH_UNAVAILABLE] = "unavailable",
};

const char *
mauth_reason_name(enum mauth_reason reason)
{
    if ((size_t)reason >= sizeof(reasons) / sizeof(*reasons))
        return "";
    return reasons[reason];
}

const char *
mauth_rc_name(enum mauth_rc rc)
{
    if ((size_t)rc >= sizeof(codes) / sizeof(*codes))
        return "internal";
    return codes[rc];
}

void
mauth_err_note(struct mauth_err *err, enum mauth_rc rc, enum mauth_reason reason,
    const char *where, const char *format, ...)
{
    va_list ap;

    if (!err || err->rc != MAUTH_OK)
        return;
    err->rc = rc;
    err->reason = reason;
    snprintf(err->where, sizeof(err->where), "%s", where);
    va_start(ap, format);
    vsnprintf(err->text, sizeof(err->text), format, ap);
    va_end(ap);
}

void
mauth_err_reset(struct mauth_err *err)
{
    if (err)
        memset(err, 0, sizeof(*err));
}

const char *
mauth_quote(const void *text, size_t len, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *in = text;
    size_t at = 0, i;

    for (i = 0; i < len; i++) {
        int plain = in[i] > 0x1f && in[i] < 0x7f && in[i] != '"' && in[i] != '\\';

        if (at + 8 > size) { /* room for this one, "..." and the end */
            memcpy(out + at, "...", 3);
            at += 3;
            break;
        }
        if (plain) {
            out[at++] = (char)in[i];
            continue;
        }
        out[at++] = '\\';
        out[at++] = 'x';
        out[at++] = hex[in[i] >> 4];
        out[at++] = hex[in[i] & 15];
    }
    out[at] = '\0';
    return out;
}
