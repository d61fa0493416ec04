#include "store/graph_ticket.h"

#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/graph_record.h"
#include "store/revocations.h"

bool
graph_ticket_is_id(struct text id)
{
    if (id.len != REVOKED_ID_MAX || id.p[0] != '_')
        return false;
    for (size_t i = 1; i < id.len; i++)
        if (!((id.p[i] >= '0' && id.p[i] <= '9') || (id.p[i] >= 'a' && id.p[i] <= 'f')))
            return false;
    return true;
}

enum mauth_rc
graph_ticket_revoke(struct kv_txn *txn, const char *id, struct mauth_err *err)
{
    struct revoked gone = {.count = 1};
    enum mauth_rc rc;
    uint64_t state;

    if (!graph_ticket_is_id(text_of(id)))
        return mauth_fail(err, MAUTH_INVALID, "graph: no ticket's ID");
    memcpy(gone.id[0], id, REVOKED_ID_MAX + 1);
    rc = revocations_find(txn, &gone, &state, err);
    if (rc == MAUTH_OK)
        return MAUTH_CONFLICT;
    if (rc == MAUTH_NOT_FOUND)
        rc = graph_advance(txn, &gone.state, err);
    return rc ? rc : revocations_add(txn, &gone, err);
}
