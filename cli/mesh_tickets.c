#include "cli/mesh_tickets.h"

#include "base/str.h"
#include "base/time.h"

/* The same login goes on. */
static enum mauth_rc
keep(struct account *a, json_t *tickets, struct mauth_err *err)
{
    const struct grant_owner owner = {account_url(a), account_key(a)};
    struct grant *grant = NULL;
    enum mauth_rc rc =
        grant_extend(account_grant(a), tickets, &owner, time_now_s(), &grant, err);

    if (rc == MAUTH_OK)
        rc = account_save(a, grant, text_of(NULL), account_logged_in_s(a), err);
    if (rc != MAUTH_OK)
        grant_free(grant);
    return rc;
}

void
mesh_keep_tickets(const struct call *call, struct account *a, json_t *node)
{
    json_t *tickets = json_object_get(node, "tickets");
    struct mauth_err err = MAUTH_ERR_INIT;

    if (tickets && keep(a, tickets, &err) != MAUTH_OK)
        command_complain(call, "the answer's tickets are not kept: %s", err.text);
    json_object_del(node, "tickets");
}
