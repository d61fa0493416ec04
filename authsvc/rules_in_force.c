#include "authsvc/rules_in_force.h"

#include <stdlib.h>

#include "base/fail.h"
#include "base/time.h"
#include "policy/rules_file.h"
#include "store/audit.h"
#include "store/rules_mark.h"

struct rules_in_force {
    struct kv *kv;
    const char *file;
    struct shared *now;
    struct shared *next; /* what takes their place, from before the store says so */
};

static void
free_rules(void *rules)
{
    mauth_rules_free(rules);
}

/* To put other rules in force, with their record. */
struct change {
    const uint8_t *hash;
    struct audit_entry *record;
    bool changed;
};

static enum mauth_rc
put_in_force(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct change *c = arg;
    enum mauth_rc rc = rules_mark_set(txn, c->hash, &c->changed, err);

    if (rc == MAUTH_OK && c->changed)
        rc = audit_append(txn, c->record, err);
    return rc;
}

static enum mauth_rc
make_record(const char *file, struct audit_entry **out, struct mauth_err *err)
{
    struct audit_record r = {
        .time_us = time_now_us(),
        .actor = "meshauthd",
        .action = "rules.load",
        .resources = {file},
        .resource_count = 1,
        .outcome = "done",
    };

    return audit_entry_new(&r, out, err);
}

/* The rules of the file, ready to be put in place. */
static enum mauth_rc
wrap_file(struct rules_in_force *r, struct shared_ref **out, struct mauth_err *err)
{
    struct mauth_rules *rules = NULL;
    enum mauth_rc rc = rules_file_read(r->file, &rules, err);

    *out = NULL;
    if (rc == MAUTH_OK)
        rc = shared_wrap(r->now, rules, out, err);
    if (rc != MAUTH_OK)
        mauth_rules_free(rules);
    return rc;
}

static enum mauth_rc
write_mark(struct rules_in_force *r, const struct mauth_rules *rules, bool *changed,
    struct mauth_err *err)
{
    struct change c = {.hash = mauth_rules_hash(rules)};
    enum mauth_rc rc = make_record(r->file, &c.record, err);

    if (rc == MAUTH_OK)
        rc = kv_write(r->kv, put_in_force, &c, err);
    audit_entry_free(c.record);
    *changed = rc == MAUTH_OK && c.changed;
    return rc;
}

/*
 * Between the commit and our knowing of it others see the new hash already, so the new
 * rules lie ready before: whoever finds that those of now are no longer in force takes
 * them. What is not in force is never used, whatever lies here.
 */
enum mauth_rc
in_force_reload(struct rules_in_force *r, bool *changed, struct mauth_err *err)
{
    struct shared_ref *ref = NULL;
    enum mauth_rc rc = wrap_file(r, &ref, err);

    *changed = false;
    if (rc != MAUTH_OK)
        return rc;
    shared_put(r->next, ref);
    rc = write_mark(r, in_force_rules(ref), changed, err);
    if (rc == MAUTH_OK)
        shared_put(r->now, shared_take(r->next));
    else
        shared_put(r->next, shared_take(r->now));
    return rc;
}

enum mauth_rc
in_force_open(
    struct kv *kv, const char *file, struct rules_in_force **out, struct mauth_err *err)
{
    struct rules_in_force *r = calloc(1, sizeof(*r));
    enum mauth_rc rc;
    bool changed;

    *out = NULL;
    if (!r)
        return mauth_fail(err, MAUTH_NO_MEMORY, "rules: no memory");
    r->kv = kv;
    r->file = file;
    rc = shared_new(free_rules, &r->now, err);
    if (rc == MAUTH_OK)
        rc = shared_new(free_rules, &r->next, err);
    if (rc == MAUTH_OK)
        rc = in_force_reload(r, &changed, err);
    if (rc != MAUTH_OK) {
        in_force_close(r);
        return rc;
    }
    *out = r;
    return MAUTH_OK;
}

void
in_force_close(struct rules_in_force *r)
{
    if (!r)
        return;
    shared_free(r->next);
    shared_free(r->now);
    free(r);
}

struct shared_ref *
in_force_take(struct rules_in_force *r, const struct shared_ref *tried)
{
    struct shared_ref *now = shared_take(r->now);

    if (!tried || now != tried)
        return now;
    shared_drop(now);
    return shared_take(r->next);
}

const struct mauth_rules *
in_force_rules(const struct shared_ref *ref)
{
    return shared_object(ref);
}

enum mauth_rc
in_force_check(struct kv_txn *txn, const struct shared_ref *ref, struct mauth_err *err)
{
    return rules_mark_check(txn, mauth_rules_hash(in_force_rules(ref)), err);
}
