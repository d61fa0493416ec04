/*
 * The mesh's rules, read from the configuration's rules_file and replaced by SIGHUP.
 * Other rules than before are a change of the graph (store/rules_mark.h). Safe from any
 * thread.
 */
#ifndef AUTHSVC_RULES_IN_FORCE_H
#define AUTHSVC_RULES_IN_FORCE_H

#include "authsvc/shared.h"
#include "store/kv.h"
#include <meshauth/rules.h>

struct rules_in_force;

/*
 * Read them and put them in force. MAUTH_MALFORMED, MAUTH_TOO_LARGE: err->text is
 * "FILE: line 3, column 7, ...".
 */
MAUTH_MUST_USE enum mauth_rc in_force_open(struct kv *kv, const char *file,
    struct rules_in_force **out, struct mauth_err *err);
void in_force_close(struct rules_in_force *r); /* all references were dropped */

/* Read them again. On failure the old ones stay in force. One thread at a time. */
MAUTH_MUST_USE enum mauth_rc in_force_reload(
    struct rules_in_force *r, bool *changed, struct mauth_err *err);

/*
 * Those of now, to be shared_drop()ped. tried: not NULL after a MAUTH_CONFLICT below,
 * those that were not in force; if they are still those of now, then what comes is, of
 * which the store knows a moment before we do.
 */
struct shared_ref *in_force_take(
    struct rules_in_force *r, const struct shared_ref *tried);
const struct mauth_rules *in_force_rules(const struct shared_ref *ref);

/* Are they still in force, in this transaction? MAUTH_CONFLICT: take others. */
MAUTH_MUST_USE enum mauth_rc in_force_check(
    struct kv_txn *txn, const struct shared_ref *ref, struct mauth_err *err);

#endif
