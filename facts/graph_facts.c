#include "facts/graph_facts.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/graph_folder.h"
#include "store/graph_invitation.h"
#include "store/graph_link.h"
#include "store/graph_role.h"
#include "store/graph_service.h"
#include "store/graph_user.h"

/* How a relation lies in the graph: as links from either end. */
struct relation {
    enum graph_way way[2]; /* by the first argument, by the second */
    enum id_kind kind[2];
};

static const struct relation claimed = {
    {GRAPH_CLAIMED_BY_DEVICE, GRAPH_CLAIMED_BY_USER}, {ID_DEVICE, ID_USER}};
static const struct relation mapped = {
    {GRAPH_MAPPED_BY_DEVICE, GRAPH_MAPPED_BY_FOLDER}, {ID_DEVICE, ID_FOLDER}};
static const struct relation member = {
    {GRAPH_MEMBER_BY_USER, GRAPH_MEMBER_BY_FOLDER}, {ID_USER, ID_FOLDER}};

static void
give_text(struct fact_cursor *c, unsigned arg, const char *text)
{
    c->arg[arg] = text_of(text);
}

/* A name that does not outlive this call. */
static void
give_role(struct fact_cursor *c, unsigned arg, const char *role)
{
    snprintf(c->room[arg], FACTS_ROOM, "%s", role);
    give_text(c, arg, c->room[arg]);
}

static void
give_id(struct fact_cursor *c, unsigned arg, enum id_kind kind, const struct id *id)
{
    id_format(kind, id, c->room[arg]);
    c->arg[arg].p = c->room[arg];
    c->arg[arg].len = ID_LEN;
}

/* The i-th value that is asked for; false when it is none of this kind. */
static bool
wanted_id(const struct fact_cursor *c, unsigned arg, enum id_kind kind, struct id *out)
{
    return id_parse(kind, c->want[arg].p, c->want[arg].len, out);
}

/* Is this the first call of the walk? */
static bool
is_first(struct fact_cursor *c)
{
    return c->at[0]++ == 0;
}

/* From one end: the next link behind the one that the cursor shows. */
static enum mauth_rc
next_link(struct kv_txn *txn, const struct relation *r, unsigned near,
    struct fact_cursor *c, struct graph_link *out, struct mauth_err *err)
{
    unsigned far = 1 - near;
    struct id from, after;
    bool first = is_first(c);

    if (!wanted_id(c, near, r->kind[near], &from))
        return MAUTH_NOT_FOUND;
    if (!first && !id_parse(r->kind[far], c->arg[far].p, c->arg[far].len, &after))
        return mauth_fail(err, MAUTH_INTERNAL, "facts: the walk has lost its place");
    return graph_link_next(txn, r->way[near], &from, first ? NULL : &after, out, err);
}

/* By both ends: there is one such link, or none. */
static enum mauth_rc
only_link(struct kv_txn *txn, const struct relation *r, struct fact_cursor *c,
    struct graph_link *out, struct mauth_err *err)
{
    struct id from, to;

    if (!is_first(c) || !wanted_id(c, 0, r->kind[0], &from) ||
        !wanted_id(c, 1, r->kind[1], &to))
        return MAUTH_NOT_FOUND;
    return graph_link_find(txn, r->way[0], &from, &to, out, err);
}

static enum mauth_rc
next_of_relation(struct kv_txn *txn, const struct relation *r, struct fact_cursor *c,
    struct mauth_err *err)
{
    unsigned near = c->key & 1U ? 0 : 1, far = 1 - near;
    struct graph_link link;
    enum mauth_rc rc;

    if ((c->key & 3U) == 3U)
        rc = only_link(txn, r, c, &link, err);
    else
        rc = next_link(txn, r, near, c, &link, err);
    if (rc != MAUTH_OK)
        return rc;
    c->arg[near] = c->want[near];
    give_id(c, far, r->kind[far], &link.to);
    if (r == &member)
        give_role(c, 2, link.role);
    return MAUTH_OK;
}

/* A fact of one value, which the request gives or does not. */
static enum mauth_rc
only_id(struct fact_cursor *c, enum id_kind kind, const struct id *id)
{
    if (!id || !is_first(c))
        return MAUTH_NOT_FOUND;
    give_id(c, 0, kind, id);
    return MAUTH_OK;
}

static enum mauth_rc
only_text(struct fact_cursor *c, const char *text)
{
    if (!text || !is_first(c))
        return MAUTH_NOT_FOUND;
    give_text(c, 0, text);
    return MAUTH_OK;
}

/* The walk has the one fact that it asks for. */
static enum mauth_rc
give_wanted(struct fact_cursor *c)
{
    for (unsigned i = 0; i < PREDICATE_ARGS_MAX; i++)
        c->arg[i] = c->want[i];
    return MAUTH_OK;
}

static enum mauth_rc
only_account(struct kv_txn *txn, struct fact_cursor *c, struct mauth_err *err)
{
    struct graph_user user;
    enum mauth_rc rc;
    struct id id;

    if (!is_first(c) || !wanted_id(c, 0, ID_USER, &id))
        return MAUTH_NOT_FOUND;
    rc = graph_user_by_id(txn, &id, &user, err);
    if (rc == MAUTH_OK)
        rc = user.live ? give_wanted(c) : MAUTH_NOT_FOUND;
    return rc;
}

static enum mauth_rc
only_service(struct kv_txn *txn, struct fact_cursor *c, struct mauth_err *err)
{
    struct graph_service service;
    enum mauth_rc rc;
    struct id id;

    if (!is_first(c) || !wanted_id(c, 0, ID_SERVICE, &id))
        return MAUTH_NOT_FOUND;
    rc = graph_service_by_id(txn, &id, &service, err);
    if (rc == MAUTH_OK)
        rc = service.live ? give_wanted(c) : MAUTH_NOT_FOUND;
    return rc;
}

/* role(principal, role): both, or all of one principal. */
static enum mauth_rc
next_role(struct kv_txn *txn, struct fact_cursor *c, struct mauth_err *err)
{
    struct graph_principal p;
    struct graph_role_page page;
    struct graph_grant after;
    enum mauth_rc rc;
    bool first = is_first(c);

    if (!graph_principal_parse(c->want[0], &p))
        return MAUTH_NOT_FOUND;
    after.principal = p;
    if (!first)
        snprintf(
            after.role, sizeof(after.role), "%.*s", (int)c->arg[1].len, c->arg[1].p);
    rc = graph_role_page(txn, &p, first ? NULL : &after, 1, &page, err);
    if (rc != MAUTH_OK || !page.count)
        return rc ? rc : MAUTH_NOT_FOUND;
    c->arg[0] = c->want[0];
    give_role(c, 1, page.item[0].role);
    return MAUTH_OK;
}

/* sharing(folder, role): its owner lets contributors invite. */
static enum mauth_rc
next_sharing(struct kv_txn *txn, struct fact_cursor *c, struct mauth_err *err)
{
    struct graph_folder folder;
    enum mauth_rc rc;
    struct id id;

    if (!is_first(c) || !wanted_id(c, 0, ID_FOLDER, &id))
        return MAUTH_NOT_FOUND;
    rc = graph_folder_by_id(txn, &id, &folder, err);
    if (rc != MAUTH_OK || !folder.live || !folder.contributors_invite)
        return rc ? rc : MAUTH_NOT_FOUND;
    c->arg[0] = c->want[0];
    give_text(c, 1, GRAPH_CONTRIBUTOR);
    return MAUTH_OK;
}

/* addressed(invitation, user): it names this user, or nobody. */
static enum mauth_rc
give_addressed(struct kv_txn *txn, const struct graph_invitation *i,
    struct fact_cursor *c, struct mauth_err *err)
{
    struct graph_user user;
    enum mauth_rc rc;
    struct id id;

    if (!wanted_id(c, 1, ID_USER, &id))
        return MAUTH_NOT_FOUND;
    rc = graph_user_by_id(txn, &id, &user, err);
    if (rc != MAUTH_OK || !user.live || !graph_invitation_is_for(i, &user))
        return rc ? rc : MAUTH_NOT_FOUND;
    return give_wanted(c);
}

static enum mauth_rc
only_invitation(
    const struct graph_facts *f, struct fact_cursor *c, struct mauth_err *err)
{
    struct graph_invitation i;
    enum mauth_rc rc;
    struct id id;

    if (!is_first(c) || !wanted_id(c, 0, ID_INVITATION, &id))
        return MAUTH_NOT_FOUND;
    rc = graph_invitation_by_id(f->txn, &id, f->now_s, &i, err);
    if (rc != MAUTH_OK)
        return rc;
    if (c->predicate == PREDICATE_ADDRESSED)
        return give_addressed(f->txn, &i, c, err);
    c->arg[0] = c->want[0];
    if (c->predicate == PREDICATE_INVITER) {
        give_id(c, 1, ID_USER, &i.inviter);
        return MAUTH_OK;
    }
    give_id(c, 1, ID_FOLDER, &i.folder);
    give_role(c, 2, i.role);
    return i.state == GRAPH_PENDING ? MAUTH_OK : MAUTH_NOT_FOUND;
}

static enum mauth_rc
next_fact(void *self, struct fact_cursor *c, struct mauth_err *err)
{
    const struct graph_facts *f = self;

    switch (c->predicate) {
    case PREDICATE_CLAIMED: return next_of_relation(f->txn, &claimed, c, err);
    case PREDICATE_MAPPED: return next_of_relation(f->txn, &mapped, c, err);
    case PREDICATE_MEMBER: return next_of_relation(f->txn, &member, c, err);
    case PREDICATE_ROLE: return next_role(f->txn, c, err);
    case PREDICATE_SERVICE: return only_service(f->txn, c, err);
    case PREDICATE_ACCOUNT: return only_account(f->txn, c, err);
    case PREDICATE_SHARING: return next_sharing(f->txn, c, err);
    case PREDICATE_INVITATION:
    case PREDICATE_INVITER:
    case PREDICATE_ADDRESSED: return only_invitation(f, c, err);
    case PREDICATE_CALLER: return only_id(c, f->caller_kind, f->caller);
    case PREDICATE_SUBJECT: return only_id(c, f->subject_kind, f->subject);
    case PREDICATE_HOLDER: return only_id(c, ID_DEVICE, f->holder);
    case PREDICATE_SESSION: return only_id(c, ID_SESSION, f->session);
    case PREDICATE_SHOWN: return only_id(c, ID_INVITATION, f->shown);
    case PREDICATE_KEY: return only_text(c, f->key);
    case PREDICATE_LOCAL: return only_text(c, f->local ? "" : NULL);
    case PREDICATE_PERMIT:
    case PREDICATE_DEVICE:
    case PREDICATE_FOLDER:
    case PREDICATE_USER:
    case PREDICATE_WITHIN:
    case PREDICATES: break;
    }
    return mauth_fail(err, MAUTH_INTERNAL, "facts: the graph has none of these");
}

struct fact_source
graph_facts_source(struct graph_facts *facts)
{
    struct fact_source source = {SIDE_GRAPH, facts, next_fact, NULL};

    return source;
}
