#include "store/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/file.h"
#include "keys/trust_write.h"
#include "store/audit.h"
#include "store/revocations.h"
#include "store/signing_key.h"

enum { /* a newline and blanks are as long as the NULs */
    LINE_LONGEST = sizeof("revoke 18446744073709551615") +
                   sizeof(((const struct revoked *)NULL)->id)
};

_Static_assert(REVOKED_MAX <= MAUTH_TRUST_MAX / 8 * 7 / LINE_LONGEST,
    "as many as may be revoked, the keys and the notes fit into a trust file");

struct moment {
    int64_t now_s;
    uint64_t sequence;
    struct buf lines; /* of revocations, each with a NUL */
    size_t line_count;
    struct audit_head head;
};

static enum mauth_rc
take_number(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct moment *m = arg;
    enum mauth_rc rc = audit_head(txn, &m->head, err);

    buf_rewind(&m->lines);
    if (rc == MAUTH_OK)
        rc = revocations_list(txn, m->now_s, &m->lines, &m->line_count, err);
    return rc ? rc : keystore_next_sequence(txn, &m->sequence, err);
}

/* The lines, one pointer each; malloc'd. */
static const char **
point_to_lines(const struct moment *m)
{
    const char **list = calloc(m->line_count + 1, sizeof(*list));
    const char *line = (const char *)m->lines.data;

    for (size_t i = 0; list && i < m->line_count; i++) {
        list[i] = line;
        line += strlen(line) + 1;
    }
    return list;
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
    struct moment m = {.now_s = o->now_s};
    const char **lines = NULL;
    enum mauth_rc rc;
    struct buf file;

    buf_init(&m.lines);
    buf_init(&file);
    rc = kv_write(kv, take_number, &m, err);
    if (rc)
        goto out;
    fault_point("trust.numbered");
    lines = point_to_lines(&m);
    if (!lines) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
        goto out;
    }
    s.revocations = lines;
    s.revocation_count = m.line_count;
    s.sequence = m.sequence;
    s.tree_size = m.head.size;
    memcpy(s.tree_root, m.head.root, sizeof(s.tree_root));
    for (; s.key_count < keystore_count(keys); s.key_count++)
        list[s.key_count] = *keystore_at(keys, s.key_count);
    rc = trust_write(
        a->delegation, &s, &a->verifier, mauth_secret_bytes(a->seed), &file, err);
    if (rc == MAUTH_OK)
        rc = file_replace(o->path, file.data, file.len, FILE_PUBLIC, err);
out:
    buf_clear(&file);
    buf_clear(&m.lines);
    free(lines);
    return rc;
}

/* Keys that this file is the first to list. */
struct note {
    const struct keystore *keys;
    const struct mauth_secret *seal;
    struct trust_place place;
    uint8_t nonce[KEYSTORE_KEYS][12];
};

static enum mauth_rc
note_key(struct kv_txn *txn, const struct note *n, size_t i, struct mauth_err *err)
{
    const char *id = mauth_key_id(keystore_at(n->keys, i)->key);
    struct signing_key k;
    enum mauth_rc rc;

    signing_key_init(&k);
    rc = signing_key_find(txn, n->seal, id, &k, err);
    if (rc == MAUTH_OK && !k.listed.epoch && !k.listed.sequence) {
        k.listed = n->place;
        rc = signing_key_put(txn, n->seal, &k, n->nonce[i], err);
    }
    signing_key_clear(&k);
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc; /* it has ended meanwhile */
}

static enum mauth_rc
note_keys(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct note *n = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < keystore_count(n->keys) && rc == MAUTH_OK; i++)
        if (!keystore_is_listed(n->keys, i))
            rc = note_key(txn, n, i, err);
    fault_point("key.listed");
    return rc;
}

enum mauth_rc
publish_note_keys(struct kv *kv, const struct keystore *keys,
    const struct mauth_secret *seal, struct trust_place place, struct mauth_err *err)
{
    struct note n = {.keys = keys, .seal = seal, .place = place};
    bool is_news = false;
    enum mauth_rc rc;

    for (size_t i = 0; i < keystore_count(keys); i++)
        is_news = is_news || !keystore_is_listed(keys, i);
    if (!is_news)
        return MAUTH_OK;
    rc = mauth_random(n.nonce, sizeof(n.nonce), err);
    return rc ? rc : kv_write(kv, note_keys, &n, err);
}
