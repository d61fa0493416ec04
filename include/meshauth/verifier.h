/*
 * The one question that a service asks at each request: may whoever sent this
 * Authorization header, having proven this key, do this? Answered on the spot
 * from two files, the trust file and the rules: no network, no thread, no call
 * home.
 *
 *     struct mauth_verifier_options o = {.size = sizeof(o),
 *         .trust_file = "/var/lib/storage/trust",
 *         .root_vkey = "auth.example/root+1a2b3c4d+AQ...",
 *         .audience = "urn:meshauth:service:storage",
 *         .rules_file = "/etc/storage/mesh.rules"};
 *     struct mauth_request r = {.size = sizeof(r), .authorization = header, ...};
 *     struct mauth_decision d = {.size = sizeof(d)};
 *
 *     if (mauth_verifier_check(verifier, &r, &d) == MAUTH_OK) ...
 *
 * A verifier is made to be shared by all threads of a process. It looks by
 * itself, from within checks, whether one of its files was replaced, keeps the
 * last good ones when the new ones are bad, and says so.
 */
#ifndef MESHAUTH_VERIFIER_H
#define MESHAUTH_VERIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

#ifdef __cplusplus
extern "C" {
#endif

struct mauth_verifier;

/* Zeros mean the defaults; a member that a later version adds starts as zero. */
struct mauth_verifier_options {
    size_t size;            /* sizeof(struct mauth_verifier_options) */
    const char *trust_file; /* path; replaced by rename() while we run */
    const char *root_vkey;  /* the root's verifier key, as in root.vkey */
    const char *audience;   /* who we are: "urn:meshauth:service:NAME" */
    const char *rules_file; /* path; replaced by rename() while we run */
    const char *status_dir; /* where to say what is loaded and which tickets came; in
                               memory (/run); NULL: nowhere */
    int32_t skew_s;         /* 0: 60 s; at most MAUTH_SKEW_MAX_S */
    bool allow_bearer;      /* accept tickets that are bound to no key */
    uint32_t look_ms;       /* between two looks at the files; 0: 200 */
    size_t cache_entries;   /* 0: 10,000; at most 2^24 */
    size_t cache_bytes;     /* 0: 128 MiB */
};

/*
 * Open one. Both files must be there and good. Strings are copied.
 *
 * MAUTH_INVALID                    the options make no sense
 * MAUTH_NOT_FOUND, _UNAVAILABLE    a file cannot be read
 * MAUTH_MALFORMED, _TOO_LARGE      a file is not what it should be
 * MAUTH_UNTRUSTED                  the trust file is not of this root
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_verifier_open(
    const struct mauth_verifier_options *options, struct mauth_verifier **out,
    struct mauth_err *err);

/* No check may be under way. NULL is fine. */
MAUTH_API void mauth_verifier_close(struct mauth_verifier *v);

/*
 * Look at the files now. For a timer of the host's, so that a verifier that is
 * asked nothing still loads (and, with a status directory, reports) what is new.
 * Safe from any thread.
 *
 * MAUTH_OK  what is there is loaded, now or before
 * others    as of mauth_verifier_open(); also MAUTH_DENIED (an older trust file)
 *           and MAUTH_CONFLICT (a fork: another file under the same number; raise
 *           an alarm). What that file said before stays in force; the other file is
 *           loaded all the same.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_verifier_refresh(
    struct mauth_verifier *v, struct mauth_err *err);

struct mauth_request {
    size_t size;               /* sizeof(struct mauth_request) */
    const char *authorization; /* the header's value; NULL: there was none */
    size_t authorization_len;
    const uint8_t *key_spki; /* the key proven by TLS or DPoP (DER); NULL: none */
    size_t key_spki_len;
    const char *action;      /* "read" */
    const char *const *args; /* what it is done to: a URL, two devices */
    size_t arg_count;        /* at most MAUTH_RULES_ARGS_MAX */
    int64_t now_s;           /* Unix seconds */
};

enum mauth_verdict {
    MAUTH_DENY = 0,
    MAUTH_ALLOW
};

enum {
    MAUTH_DECISION_ID = 36,
    MAUTH_DECISION_FACTS = 2048,
    MAUTH_DECISION_RULE = 512,
    MAUTH_DECISION_JSON = 24576 /* bytes, for mauth_decision_json() */
};

/* A plain value: copy it, keep it, nothing to free. Unknown strings are "". */
struct mauth_decision {
    size_t size; /* sizeof(struct mauth_decision), set by the caller */
    enum mauth_verdict verdict;
    enum mauth_reason reason;        /* why not */
    int http_status;                 /* 200, 401, 403 or 503; what a service answers */
    char subject[MAUTH_DECISION_ID]; /* usr_... or svc_... */
    char holder[MAUTH_DECISION_ID];  /* dev_..., when the key is a device's */
    char session[MAUTH_DECISION_ID]; /* ses_... */
    char ticket[MAUTH_DECISION_ID];  /* its ID */
    char key[MAUTH_DECISION_ID];     /* id of the key that signed it */
    uint8_t digest[32];              /* its DigestValue */
    int64_t not_on_or_after_s;       /* a subscription ends then at the latest */
    uint64_t epoch;                  /* of the trust file that was in force */
    uint64_t sequence;
    char rule[MAUTH_DECISION_RULE];   /* the rule that allowed it */
    char facts[MAUTH_DECISION_FACTS]; /* what made it true: "holder(dev_...), ..." */
    char why[208];                    /* a denial in a sentence, for a log */
};

/*
 * Decide. Never blocks on anything but short locks; a few system calls each
 * look_ms. Does not allocate when it has seen the ticket before.
 *
 * MAUTH_OK       allowed: decision->verdict is MAUTH_ALLOW
 * MAUTH_INVALID  the request makes no sense
 * others         denied, by decision->reason; or MAUTH_NO_MEMORY, MAUTH_INTERNAL.
 *                Either way the verdict is MAUTH_DENY
 *
 * A credential of several tickets is all good or refused; the answer then comes
 * from the first of its tickets that proves it. Facts of two tickets are never
 * joined.
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_verifier_check(struct mauth_verifier *v,
    const struct mauth_request *request, struct mauth_decision *decision);

/*
 * The decision as one line of JSON, for a service's own log: time, outcome,
 * reason, subject, holder, session, ticket, digest, key, action, args, rule,
 * facts, epoch, sequence. Terminated, without a newline; foreign text is
 * escaped and cut at 512 bytes.
 *
 *   out, cap  where it goes; MAUTH_DECISION_JSON always suffice
 *   len       its length
 *
 * MAUTH_TOO_LARGE  cap is too small; nothing was written
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_decision_json(
    const struct mauth_decision *decision, const struct mauth_request *request,
    char *out, size_t cap, size_t *len, struct mauth_err *err);

/*
 * Hand a decision in, to be put on record by the account service: for those that an
 * auditor will ask about, at most some a second. It is one write into a ring in the
 * status directory, from where the updater sends it (with --loaded); behind 2,048 more
 * it is gone. What is too long of it is cut.
 *
 * That a ticket was accepted for the first time is told the same way by every check,
 * without a call: the account service raises an alarm when it has not issued it, for then
 * somebody else has a signing key. A check waits for that write, but not for anybody who
 * reads it, and no decision hangs on it.
 *
 * MAUTH_INVALID      of another version
 * MAUTH_UNAVAILABLE  there is no status directory, or it cannot be written
 */
MAUTH_API MAUTH_MUST_USE enum mauth_rc mauth_verifier_record(struct mauth_verifier *v,
    const struct mauth_decision *decision, const struct mauth_request *request,
    struct mauth_err *err);

#ifdef __cplusplus
}
#endif

#endif
