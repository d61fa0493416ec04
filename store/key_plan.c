#include "store/key_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

struct planning {
    struct kv_txn *txn;
    const struct key_plan *plan;
    const struct key_change *now;
    size_t skip;
    struct key_step *out;
};

/* The key that will follow another before its end: of several the one that has waited for
 * longest. */
struct following {
    const struct signing_key *active;
    int64_t now_s;
    bool found;
    int64_t created_s, from_s;
    char id[MAUTH_KEY_ID_LEN + 1];
};

static enum mauth_rc
match_next(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct following *f = arg;

    (void)err;
    if (k->state != TRUST_NEXT || k->until_s <= f->now_s ||
        k->from_s > f->active->until_s ||
        strcmp(k->audiences, f->active->audiences) != 0 ||
        (f->found && k->created_s >= f->created_s))
        return MAUTH_OK;
    f->found = true;
    f->created_s = k->created_s;
    f->from_s = k->from_s;
    snprintf(f->id, sizeof(f->id), "%s", mauth_key_id(k->key));
    return MAUTH_OK;
}

/* When an active key's last tickets would not be whole. */
static int64_t
by_end_s(const struct planning *p, const struct signing_key *k)
{
    return k->until_s - p->now->longest_s - KEY_RETIRES_MARGIN_S;
}

/* When its time to sign is over. */
static int64_t
due_s(const struct planning *p, const struct signing_key *k)
{
    int64_t by_period_s = k->active_s + p->plan->period_s;

    return by_period_s < by_end_s(p, k) ? by_period_s : by_end_s(p, k);
}

/* It has been published for long enough; or there is no more time for that, and whoever
 * activates it sees to it that all who verify have it. */
static bool
has_waited(
    const struct planning *p, const struct signing_key *k, const struct following *f)
{
    return p->now->now_s >= f->created_s + p->plan->ahead_s ||
           p->now->now_s >= by_end_s(p, k);
}

/* It is due: the step, unless it is to be skipped. */
static bool
takes(struct planning *p)
{
    if (!p->skip)
        return true;
    p->skip--;
    return false;
}

static void
plan_to_prepare(const struct planning *p, const struct signing_key *k)
{
    p->out->kind = KEY_STEP_PREPARE;
    p->out->algorithm = p->plan->kind ? *p->plan->kind : signer_kind_of(k->key);
    memcpy(p->out->audiences, k->audiences, sizeof(p->out->audiences));
}

static enum mauth_rc
plan_one(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct planning *p = arg;
    struct following f = {.active = k, .now_s = p->now->now_s};
    int64_t now_s = p->now->now_s, due;
    enum mauth_rc rc;

    if (p->out->kind != KEY_STEP_NONE || k->state != TRUST_ACTIVE)
        return MAUTH_OK;
    due = due_s(p, k);
    if (now_s < due - p->plan->ahead_s)
        return MAUTH_OK;
    rc = signing_key_each(p->txn, p->now->seal, match_next, &f, err);
    if (rc != MAUTH_OK)
        return rc;
    if (!f.found && k->token[0])
        return MAUTH_OK; /* what follows it is made in a token as well, by hand */
    if (!f.found && takes(p)) {
        plan_to_prepare(p, k);
    } else if (f.found && now_s >= due && now_s >= f.from_s && has_waited(p, k, &f) &&
               takes(p)) {
        p->out->kind = KEY_STEP_ACTIVATE;
        memcpy(p->out->id, f.id, sizeof(f.id));
    }
    return MAUTH_OK;
}

enum mauth_rc
key_plan_next(struct kv_txn *txn, const struct key_plan *plan,
    const struct key_change *now, struct key_step *out, struct mauth_err *err)
{
    struct planning p = {txn, plan, now, plan->skip, out};

    memset(out, 0, sizeof(*out));
    if (!plan->period_s)
        return MAUTH_OK;
    return signing_key_each(txn, now->seal, plan_one, &p, err);
}
