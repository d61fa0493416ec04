#include "store/publish.h"

#include <string.h>

#include "base/fail.h"
#include "base/file.h"
#include "keys/trust_write.h"
#include "store/audit.h"

struct moment {
    uint64_t sequence;
    struct audit_head head;
};

static enum mauth_rc
take_number(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct moment *m = arg;
    enum mauth_rc rc = audit_head(txn, &m->head, err);

    return rc ? rc : keystore_next_sequence(txn, &m->sequence, err);
}

enum mauth_rc
publish_trust(struct kv *kv, const struct keystore *keys,
    const struct publish_options *o, struct mauth_err *err)
{
    const struct keystore_authority *a = keystore_authority(keys);
    struct trust_key list[KEYSTORE_KEYS];
    struct trust_statement s = {.issuer = o->issuer,
        .epoch = a->epoch,
        .issued_s = o->now_s,
        .expires_s = o->now_s + o->life_s,
        .keys = list};
    struct moment m;
    enum mauth_rc rc;
    struct buf file;

    rc = kv_write(kv, take_number, &m, err);
    if (rc)
        return rc;
    s.sequence = m.sequence;
    s.tree_size = m.head.size;
    memcpy(s.tree_root, m.head.root, sizeof(s.tree_root));
    for (; s.key_count < keystore_count(keys); s.key_count++)
        list[s.key_count] = *keystore_at(keys, s.key_count);
    buf_init(&file);
    rc = trust_write(a->delegation, &s, &a->verifier, a->seed, &file, err);
    if (rc == MAUTH_OK)
        rc = file_replace(o->path, file.data, file.len, FILE_PUBLIC, err);
    buf_clear(&file);
    return rc;
}
