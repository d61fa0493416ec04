/*
 * How every call of meshauth answers: a code to act on, and, for whoever asks,
 * the story of the first failure.
 *
 * A struct mauth_err starts as {0} (MAUTH_ERR_INIT), is owned by the caller,
 * may always be NULL, and keeps the first failure it is told of. It is a plain
 * value: copy it freely, no clean-up. Not shared between threads while a call
 * uses it.
 */
#ifndef MESHAUTH_ERR_H
#define MESHAUTH_ERR_H

#include <meshauth/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What the caller may act on. Zero is success; everything else refuses. */
enum mauth_rc {
    MAUTH_OK = 0,
    MAUTH_INTERNAL,    /* our bug, or a library below us failed without cause */
    MAUTH_NO_MEMORY,   /* an allocation failed; nothing was changed */
    MAUTH_INVALID,     /* the caller broke the contract of the call */
    MAUTH_MALFORMED,   /* foreign bytes are not of the form they must have */
    MAUTH_TOO_LARGE,   /* foreign bytes, or a count in them, pass a bound */
    MAUTH_UNTRUSTED,   /* nobody we trust vouches for this */
    MAUTH_EXPIRED,     /* outside its time */
    MAUTH_DENIED,      /* understood, genuine, and not allowed */
    MAUTH_NOT_FOUND,   /* no such thing */
    MAUTH_CONFLICT,    /* something else is there already, or holds the lock */
    MAUTH_UNAVAILABLE, /* disk, network, store: may work later */
};

/*
 * Why a ticket or a request was refused. Names and meanings are frozen; the
 * order is the order of the checks (see docs/tickets.md).
 */
enum mauth_reason {
    MAUTH_REASON_NONE = 0,
    MAUTH_REASON_SIZE,
    MAUTH_REASON_FORM,
    MAUTH_REASON_TRUST_EXPIRED,
    MAUTH_REASON_CLOCK,
    MAUTH_REASON_ISSUER,
    MAUTH_REASON_KEY_UNKNOWN,
    MAUTH_REASON_KEY_REVOKED,
    MAUTH_REASON_KEY_WINDOW,
    MAUTH_REASON_SIGNATURE,
    MAUTH_REASON_NOT_YET,
    MAUTH_REASON_EXPIRED,
    MAUTH_REASON_LIFETIME,
    MAUTH_REASON_AUDIENCE,
    MAUTH_REASON_REVOKED,
    MAUTH_REASON_HOLDER,
    MAUTH_REASON_NO_PROOF,
    MAUTH_REASON_MIXED_SET,
    MAUTH_REASON_NO_RULE,
    MAUTH_REASON_BOUND,
};

struct mauth_err {
    enum mauth_rc rc;         /* MAUTH_OK while nothing failed */
    enum mauth_reason reason; /* set when a ticket or a request was refused */
    char where[48];           /* file:line of ours */
    char text[208];           /* one sentence, for a log; printable ASCII */
};

#define MAUTH_ERR_INIT                      \
    {                                       \
        MAUTH_OK, MAUTH_REASON_NONE, "", "" \
    }

/* "trust-expired" for MAUTH_REASON_TRUST_EXPIRED, "" for NONE; static. */
MAUTH_API const char *mauth_reason_name(enum mauth_reason reason);

/* A short name of the code, "malformed" for MAUTH_MALFORMED; static. */
MAUTH_API const char *mauth_rc_name(enum mauth_rc rc);

#ifdef __cplusplus
}
#endif

#endif
