#include "authsvc/key_schedule.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "authsvc/verifiers.h"
#include "base/str.h"
#include "store/key_plan.h"
#include "store/keystore.h"

static struct key_change
change_now(const struct service *service, int64_t now_s)
{
    return (struct key_change){.seal = service->seal,
        .now_s = now_s,
        .longest_s = config_longest_ticket_s(service->config)};
}

struct lengthening {
    struct key_change change;
    bool changed;
};

static enum mauth_rc
lengthen_one(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct lengthening *l = arg;

    return key_life_lengthen(txn, &l->change, &l->changed, err);
}

enum mauth_rc
key_schedule_lengthen(
    const struct service *service, int64_t now_s, struct mauth_err *err)
{
    struct lengthening l = {.change = change_now(service, now_s), .changed = true};
    enum mauth_rc rc = MAUTH_OK;

    for (int i = 0; i < KEYSTORE_KEYS && rc == MAUTH_OK && l.changed; i++) {
        rc = key_change_ready(&l.change, err);
        if (rc == MAUTH_OK)
            rc = kv_write(service->kv, lengthen_one, &l, err);
    }
    return rc;
}

struct doing {
    struct key_plan plan;
    struct key_change now;
    struct key_step step;
    struct admin_change change;
    struct readiness *reports; /* of what verifiers have loaded */
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct doing *d = arg;

    return key_plan_next(txn, &d->plan, &d->now, &d->step, err);
}

static enum mauth_rc
carry_out(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct audit_record who = {.actor = "meshauthd"};
    struct admin_change *c = &((struct doing *)arg)->change;
    enum mauth_rc rc = admin_change_find(txn, c, err);

    if (rc == MAUTH_OK)
        rc = admin_change_apply(txn, c, err);
    if (rc != MAUTH_OK || c->unchanged)
        return rc;
    return admin_change_record(txn, c, &who, NULL, err);
}

static enum mauth_rc
take_step(const struct service *service, struct doing *d, struct buf *pkcs8,
    struct mauth_err *err)
{
    struct admin_change *c = &d->change;
    enum mauth_rc rc;

    c->now_s = d->now.now_s;
    c->op = d->step.kind == KEY_STEP_PREPARE ? ADMIN_KEY_PREPARE : ADMIN_KEY_ACTIVATE;
    c->whom = d->step.kind == KEY_STEP_PREPARE ? NULL : d->step.id;
    c->key.seal = service->seal;
    c->key.pkcs8 = pkcs8;
    c->key.longest_s = d->now.longest_s;
    rc = verifiers_take(service->verifiers, &d->reports, &c->key.reports.count, err);
    if (rc != MAUTH_OK)
        return rc;
    c->key.reports.is = d->reports;
    c->key.kind = d->step.algorithm;
    if (strcmp(d->step.audiences, "*") != 0)
        memcpy(c->key.audiences, d->step.audiences, sizeof(c->key.audiences));
    rc = admin_change_ready(c, err);
    if (rc == MAUTH_OK)
        rc = admin_key_try(service->kv, c, err);
    return rc ? rc : kv_write(service->kv, carry_out, d, err);
}

enum mauth_rc
key_schedule_do(const struct service *service, int64_t now_s, size_t skip,
    struct key_schedule_step *out, struct mauth_err *err)
{
    struct doing d = {.now = change_now(service, now_s)};
    const char *algorithm = service->config->keys.algorithm;
    enum signer_kind kind;
    struct buf pkcs8;
    enum mauth_rc rc;

    d.plan.period_s = service->config->keys.period_s;
    d.plan.skip = skip;
    d.plan.ahead_s = service->config->keys.publish_ahead_s;
    if (algorithm && signer_kind_parse(text_of(algorithm), &kind))
        d.plan.kind = &kind;
    memset(out, 0, sizeof(*out));
    rc = kv_read(service->kv, look, &d, err);
    if (rc != MAUTH_OK || d.step.kind == KEY_STEP_NONE)
        return rc;
    buf_init_secret(&pkcs8);
    rc = take_step(service, &d, &pkcs8, err);
    buf_clear(&pkcs8);
    free(d.reports);
    out->was_due = true;
    out->op = d.change.op;
    snprintf(out->id, sizeof(out->id), "%s",
        out->op == ADMIN_KEY_PREPARE ? d.change.key.id : d.step.id);
    return rc;
}
