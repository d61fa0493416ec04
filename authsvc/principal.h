/*
 * Who asks something that is no node of the graph, and whether the rules let him:
 * "trust", "administer". By the identity ticket of the request, or by the admin socket.
 */
#ifndef AUTHSVC_PRINCIPAL_H
#define AUTHSVC_PRINCIPAL_H

#include "authsvc/caller.h"
#include "authsvc/commit.h"
#include "authsvc/shared.h"
#include "facts/explain.h"
#include "store/audit.h"

enum {
    PRINCIPAL_RULE = 512
};

struct principal_question {
    const char *action;
    const struct text *arg;
    size_t args;
    const struct id *shown;
    uint64_t steps; /* undecided after so many: no; 0: as many as rules may take */
};

/* A problem of principal_begin(): other rules are in force by now; take them and ask anew. */
extern const char principal_again[];

struct principal {
    bool local; /* came in by the admin socket */
    struct caller caller;
    struct shared_ref *rules;
    char actor[ID_LEN + 1]; /* usr_..., svc_..., uid:0 */
    char session[ID_LEN + 1];
    char device[ID_LEN + 1];
    /* Found by principal_begin(): the device whose key was proven, if it is registered. */
    struct id holder;
    bool has_holder;
    char rule[PRINCIPAL_RULE]; /* that let him, of the last question; "" for none */
    char why[EXPLAIN_DENIAL];  /* of principal_explain() */
};

/*
 * Take who asks, and the rules. As caller_take(): NULL, or a problem, to be answered by
 * caller_refuse(); and principal_clear() it in either case.
 */
const char *principal_take(
    struct http_exchange *x, struct principal *out, struct mauth_err *err);
/* The same; false: who asks is refused, and that is answered. */
bool principal_admit(struct http_exchange *x, struct principal *out);
/* Has he made few enough changes in the last minute? The admin socket is free. */
bool principal_in_pace(const struct http_exchange *x, const struct principal *p);
/* Nobody, who has a secret to show. */
void principal_take_nobody(struct http_exchange *x, struct principal *out);
/* The rules that are in force now. */
void principal_take_rules(struct http_exchange *x, struct principal *p);
void principal_clear(struct principal *p);

/*
 * At the beginning of the transaction that decides: are his session open and these the
 * rules? *problem is NULL, "session" or principal_again.
 */
MAUTH_MUST_USE enum mauth_rc principal_begin(struct kv_txn *txn, struct principal *p,
    const char **problem, struct mauth_err *err);

/* Then: may he do this, to these? shown is the invitation whose secret he has, or NULL. */
MAUTH_MUST_USE enum mauth_rc principal_may(struct kv_txn *txn, struct http_exchange *x,
    struct principal *p, const struct principal_question *q, bool *may,
    struct mauth_err *err);

/*
 * And when he may not, though he knows of all that the question names: what he lacks for
 * it, on his own side. what is how it is called, "" for nothing. principal_refuse()
 * tells him.
 */
MAUTH_MUST_USE enum mauth_rc principal_explain(struct kv_txn *txn,
    struct http_exchange *x, struct principal *p, const struct principal_question *q,
    const char *what, struct mauth_err *err);

/*
 * Both, of an action without arguments: *problem is NULL, "session", "forbidden" or
 * principal_again.
 */
MAUTH_MUST_USE enum mauth_rc principal_ask(struct kv_txn *txn, struct http_exchange *x,
    struct principal *p, const char *action, const char **problem,
    struct mauth_err *err);

/*
 * Read by the rules in force: fn, which calls principal_ask() and sets *problem, runs
 * once more when they were replaced meanwhile.
 */
MAUTH_MUST_USE enum mauth_rc principal_read(struct http_exchange *x,
    struct principal *p, kv_fn *fn, void *arg, const char **problem,
    struct mauth_err *err);

/*
 * The same for a change. It stands at the beginning of the exchange's state; of what is in
 * it before, only commit.job.needed counts. then(x) goes on, by when commit.job and
 * *problem say what has become of it. What revokes more than a change of one thing does
 * counts as so many more changes, which its principal waits for.
 */
struct principal_change {
    struct commit commit;
    struct principal *principal;
    kv_fn *fn;
    void *arg;
    const char *const *problem;
    http_step *then;
    unsigned runs;
    uint64_t revoked; /* entries of the list, or ones that were put anew */
};
void principal_write(struct http_exchange *x, struct principal *p, kv_fn *fn, void *arg,
    const char *const *problem, http_step *then);

/* Who it is, for a record. Borrowed from both. */
void principal_record(
    const struct principal *p, const struct http_exchange *x, struct audit_record *out);

/* Answer with a problem of principal_ask() or what comes behind it; reads are counted. */
void principal_refuse(struct http_exchange *x, const struct principal *p,
    const char *problem, const char *detail, bool on_record);

#endif
