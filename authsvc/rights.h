/*
 * Rights: what a caller asks to be allowed, where, for whom; proven over the graph in
 * one read transaction, and issued as tickets that say what proved it.
 *
 * In this order: new, prove, issue, record. After each of the first three
 * rights_refusal() is asked.
 */
#ifndef AUTHSVC_RIGHTS_H
#define AUTHSVC_RIGHTS_H

#include <stdbool.h>

#include "authsvc/caller.h"
#include "authsvc/issue.h"
#include "authsvc/token_answer.h"
#include "net/form.h"
#include "store/kv.h"

enum {
    RIGHTS_AUDIENCES = 8, /* of a request: as many tickets as a credential may join */
    RIGHTS_INITIAL = 4,
    RIGHTS_FOLDERS = 7,
    RIGHTS_NODES = TICKET_PERMITS,
    RIGHTS_LINES = RIGHTS_AUDIENCES * RIGHTS_NODES,
    RIGHTS_ACTIONS = TICKET_ACTIONS
};

struct rights;

/*
 * Read what is asked for: `audience`, `resource` and `scope` (else: `read`). All are
 * borrowed as long as *out is there; caller may be filled in up to rights_prove(). The
 * ground is that of the request.
 */
MAUTH_MUST_USE enum mauth_rc rights_new(const struct issue_ground *ground,
    const struct caller *caller, const struct form *form, struct rights **out,
    struct mauth_err *err);
/*
 * Nobody asks: what the root points to. For the first RIGHTS_INITIAL services, by name,
 * whose registered actions (else: `read`) are granted anywhere, a ticket for the subject's
 * own node and the first RIGHTS_FOLDERS of his folders, by their ids; or, where a folder
 * is named, for that alone. Only what `grant` allows. What is refused is nothing: then
 * there are no tickets.
 *
 * caller as above; or NULL, when the session is about to be put, or looked at, by who
 * records the tickets: then the ground is complete but for the graph's state and the
 * device, whose key_hash this is.
 */
MAUTH_MUST_USE enum mauth_rc rights_new_initial(const struct issue_ground *ground,
    const struct caller *caller, const uint8_t key_hash[GRAPH_KEY_HASH],
    const struct id *folder, struct rights **out, struct mauth_err *err);
void rights_free(struct rights *r);

/*
 * Prove each action on each node, for each audience, by the rules in force. An action
 * is granted by `grant action(NODE)`, and then permitted by the ticket, or by `allow
 * action(NODE)` if what makes that true is something that tickets say; without a
 * resource, by `allow action(AUDIENCE)`. What is not granted is left out.
 */
MAUTH_MUST_USE enum mauth_rc rights_prove(struct rights *r, struct mauth_err *err);

/* Sign the tickets and make their records ready. */
MAUTH_MUST_USE enum mauth_rc rights_issue(struct rights *r, struct mauth_err *err);

/* Put the records. */
kv_fn rights_record;

/* Why there are no tickets (authsvc/oauth.h), or NULL. */
const char *rights_refusal(const struct rights *r);
/* What the caller lacks for it on his own side, in sentences; "" when there is nothing
 * to say. */
const char *rights_lacks(const struct rights *r);
/* Is it because the rules deny it, so that it goes on record? */
MAUTH_MUST_USE bool rights_are_denied(const struct rights *r);
MAUTH_MUST_USE enum mauth_rc rights_prepare_refusal(
    struct rights *r, struct mauth_err *err);
kv_fn rights_record_refusal;

/* The tickets. Borrowed from r. */
void rights_answer(struct rights *r, struct token_answer *out);

#endif
