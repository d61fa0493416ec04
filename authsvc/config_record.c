#include "authsvc/config_record.h"

#include <stdio.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "store/audit.h"
#include "store/mark.h"

struct change {
    const struct config *config;
    struct audit_entry *record;
};

static enum mauth_rc
put_in_force(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct change *c = arg;
    enum mauth_rc rc = mark_check(txn, SPACE_CONFIG, c->config->hash, err);

    if (rc != MAUTH_CONFLICT)
        return rc;
    rc = mark_put(txn, SPACE_CONFIG, c->config->hash, err);
    return rc ? rc : audit_append(txn, c->record, err);
}

enum mauth_rc
config_record(struct kv *kv, const struct config *config, struct mauth_err *err)
{
    char hex[2 * HASH_LEN + 1], hash[sizeof(hex) + 8];
    const struct audit_record r = {
        .time_us = time_now_us(),
        .actor = "meshauthd",
        .action = "config.load",
        .resources = {config->path, hash},
        .resource_count = 2,
        .outcome = "done",
    };
    struct change c = {.config = config};
    enum mauth_rc rc;

    str_hex(config->hash, HASH_LEN, hex);
    snprintf(hash, sizeof(hash), "sha256:%s", hex);
    rc = audit_entry_new(&r, &c.record, err);
    if (rc == MAUTH_OK)
        rc = kv_write(kv, put_in_force, &c, err);
    audit_entry_free(c.record);
    return rc;
}
