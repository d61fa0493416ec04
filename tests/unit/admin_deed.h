/* An admin's changes, as the command makes them, and what of them is on record. */
#ifndef TESTS_ADMIN_DEED_H
#define TESTS_ADMIN_DEED_H

#include "base/fail.h"
#include "store/admin.h"
#include "tests/unit/audit_log.h"

#define ADMIN_DEED_BY "uid:7"

/* One change, and what came of it. */
struct admin_deed {
    struct admin_change change;
    enum mauth_rc rc;
    char why[208];
};

static inline enum mauth_rc
admin_deed_run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct audit_record who = {.actor = ADMIN_DEED_BY, .client = "local"};
    struct admin_deed *d = arg;

    d->rc = admin_change_find(txn, &d->change, err);
    if (d->rc == MAUTH_OK)
        d->rc = admin_change_apply(txn, &d->change, err);
    snprintf(d->why, sizeof(d->why), "%s", err->text);
    mauth_err_reset(err);
    if (d->rc == MAUTH_OK && d->change.unchanged)
        return MAUTH_OK;
    return admin_change_record(txn, &d->change, &who,
        d->rc ? admin_change_reason(&d->change, d->rc) : NULL, err);
}

static inline enum mauth_rc
admin_deed_carry_out(struct kv *kv, struct admin_deed *d, int64_t now_s)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    d->change.now_s = now_s;
    assert_int_equal(admin_change_ready(&d->change, NULL), MAUTH_OK);
    if (kv_write(kv, admin_deed_run, d, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return d->rc;
}

/*
 * The newest record says so, with these two resources, "" for none; how many records
 * there are. The log is read anew.
 */
static inline size_t
admin_deed_on_record(struct audit_log *log, struct kv *kv, const char *action,
    const char *outcome, const char *reason, const char *first, const char *second)
{
    audit_log_clear(log);
    audit_log_read(log, kv);
    assert_string_equal(audit_log_text(log, 0, "action"), action);
    assert_string_equal(audit_log_text(log, 0, "outcome"), outcome);
    assert_string_equal(audit_log_text(log, 0, "reason"), reason);
    assert_string_equal(audit_log_text(log, 0, "actor"), ADMIN_DEED_BY);
    assert_string_equal(audit_log_resource(log, 0, 0), first);
    assert_string_equal(audit_log_resource(log, 0, 1), second);
    return log->count;
}

#endif
