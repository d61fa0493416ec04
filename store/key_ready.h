/*
 * Which services would not know a key if it signed now: those that have reported in the
 * last day what they have loaded, and lack it. Inside a transaction.
 */
#ifndef STORE_KEY_READY_H
#define STORE_KEY_READY_H

#include "store/graph.h"
#include "store/readiness.h"

/* What services have loaded, as whoever hears them knows it; borrowed. is NULL: as it is
 * on record. */
struct key_reports {
    const struct readiness *is;
    size_t count;
};

struct key_verifier {
    struct readiness is;
    char name[GRAPH_NAME_MAX + 1];
};

/* Services that are still registered, and were seen in the last day. */
struct key_ready {
    int64_t now_s;
    struct key_verifier *verifier;
    size_t count;
};

/* To be cleared in any case. */
MAUTH_MUST_USE enum mauth_rc key_ready_take(struct kv_txn *txn,
    const struct key_reports *reports, int64_t now_s, struct key_ready *out,
    struct mauth_err *err);
void key_ready_clear(struct key_ready *r);

/*
 * May a key sign that this trust file was the first to list? MAUTH_CONFLICT: there is
 * who lacks it; err->text names some of them, and may be shown.
 */
MAUTH_MUST_USE enum mauth_rc key_ready_check(
    const struct key_ready *r, struct trust_place listed, struct mauth_err *err);

/* ,"verifiers":[...] for a key's JSON; nothing when there is none. */
void key_ready_view(const struct key_ready *r, struct trust_place listed,
    const char *issuer, struct buf *out);

#endif
