/*
 * How our own code reports a failure:
 *
 *     if (len > MAX)
 *         return mauth_fail(err, MAUTH_TOO_LARGE, "note: %zu bytes", len);
 *     if (now_s >= end_s)
 *         return mauth_refuse(err, MAUTH_REASON_EXPIRED, "ticket: closed at ...");
 *
 * Macros, so that compilers and analysers see which code is returned. Foreign
 * text goes through mauth_quote() first; secrets never go in.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include <stddef.h>

#include <meshauth/err.h>

#define MAUTH_STR_(x) #x
#define MAUTH_STR(x)  MAUTH_STR_(x)
#define MAUTH_WHERE   __FILE__ ":" MAUTH_STR(__LINE__)

/* Notes the failure in err, if there is one and it has none yet; yields rc. */
#define mauth_fail(err, rc, ...) \
    (mauth_err_note((err), (rc), MAUTH_REASON_NONE, MAUTH_WHERE, __VA_ARGS__), (rc))

/* The same with a frozen reason, whose code is mauth_reason_rc(reason). */
#define mauth_refuse(err, reason, ...)                                        \
    (mauth_err_note(                                                          \
         (err), mauth_reason_rc(reason), (reason), MAUTH_WHERE, __VA_ARGS__), \
        mauth_reason_rc(reason))

void mauth_err_note(struct mauth_err *err, enum mauth_rc rc, enum mauth_reason reason,
    const char *where, const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * The code that a refusal for this reason returns; MAUTH_INTERNAL for NONE. Inline,
 * so that analysers see that it is never MAUTH_OK.
 */
static inline enum mauth_rc
mauth_reason_rc(enum mauth_reason reason)
{
    switch (reason) {
    case MAUTH_REASON_NONE: return MAUTH_INTERNAL;
    case MAUTH_REASON_SIZE: return MAUTH_TOO_LARGE;
    case MAUTH_REASON_FORM: return MAUTH_MALFORMED;
    case MAUTH_REASON_TRUST_EXPIRED:
    case MAUTH_REASON_CLOCK: return MAUTH_UNAVAILABLE;
    case MAUTH_REASON_ISSUER:
    case MAUTH_REASON_KEY_UNKNOWN:
    case MAUTH_REASON_KEY_REVOKED:
    case MAUTH_REASON_KEY_WINDOW:
    case MAUTH_REASON_SIGNATURE: return MAUTH_UNTRUSTED;
    case MAUTH_REASON_NOT_YET:
    case MAUTH_REASON_EXPIRED:
    case MAUTH_REASON_LIFETIME: return MAUTH_EXPIRED;
    case MAUTH_REASON_AUDIENCE:
    case MAUTH_REASON_REVOKED:
    case MAUTH_REASON_HOLDER:
    case MAUTH_REASON_NO_PROOF:
    case MAUTH_REASON_MIXED_SET:
    case MAUTH_REASON_NO_RULE:
    case MAUTH_REASON_BOUND: return MAUTH_DENIED;
    }
    return MAUTH_INTERNAL;
}

/* Forget what err holds, so that it can take another story. */
void mauth_err_reset(struct mauth_err *err);

/*
 * Foreign text made fit for a message: printable ASCII kept, quotes and
 * backslashes and all else as \xNN, cut with "..." at what out holds.
 * Returns out, always terminated. size is at least 8.
 */
const char *mauth_quote(const void *text, size_t len, char *out, size_t size);

#endif
