#include "store/backup.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "store/counter.h"
#include "store/graph.h"
#include "store/key.h"

struct making {
    const char *path;
    struct backup_head *head;
    struct backup_writer *writer;
    enum mauth_rc rc;
    struct mauth_err *err;
};

static bool
write_one(struct text key, struct text value, void *arg)
{
    struct making *m = arg;

    m->rc = backup_writer_put(m->writer, key, value, m->err);
    return m->rc == MAUTH_OK;
}

static enum mauth_rc
look(struct kv_txn *txn, struct backup_head *h, struct mauth_err *err)
{
    enum mauth_rc rc = authority_epoch(txn, &h->epoch, err);

    if (rc == MAUTH_OK)
        rc = counter_read(txn, SPACE_TRUST_SEQUENCE, &h->sequence, err);
    if (rc == MAUTH_OK)
        rc = graph_state(txn, &h->state, err);
    return rc ? rc : audit_head(txn, &h->tree, err);
}

/* The head and all that it speaks of, from one view of the store. */
static enum mauth_rc
write_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const struct text nothing = {"", 0};
    struct making *m = arg;
    enum mauth_rc rc = look(txn, m->head, err);

    m->err = err;
    if (rc == MAUTH_OK)
        rc = backup_writer_open(m->path, m->head, &m->writer, err);
    if (rc == MAUTH_OK)
        rc = kv_scan(txn, nothing, nothing, KV_UP, write_one, m, err);
    return rc ? rc : m->rc;
}

enum mauth_rc
backup_make(struct kv *kv, const char *issuer, int64_t now_s, const char *path,
    struct backup_head *out, struct mauth_err *err)
{
    struct making m = {.path = path, .head = out};
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    if (strlen(issuer) > BACKUP_ISSUER_MAX)
        return mauth_fail(err, MAUTH_INVALID, "backup: too long an issuer");
    snprintf(out->issuer, sizeof(out->issuer), "%s", issuer);
    out->made_s = now_s;
    out->schema = KV_SCHEMA;
    rc = kv_read(kv, write_all, &m, err);
    if (rc == MAUTH_OK)
        rc = backup_writer_finish(m.writer, out->hash, err);
    backup_writer_free(m.writer);
    return rc;
}
