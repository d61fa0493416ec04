#include "keys/trust.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "keys/delegation.h"
#include "keys/key.h"
#include "keys/lines.h"
#include "keys/note.h"
#include "keys/revocations.h"

struct mauth_trust {
    char *data; /* the file; all slices point into it */
    char *issuer;
    bool bare;
    uint64_t epoch;
    uint64_t sequence;
    int64_t issued_s;
    int64_t expires_s;
    uint8_t hash[HASH_LEN];
    struct delegation authority;
    uint64_t tree_size; /* the audit checkpoint */
    uint8_t tree_root[HASH_LEN];
    uint64_t revocation_count;
    struct trust_key *keys;
    size_t key_count;
    struct revocations revoked;
};

static enum mauth_rc
read_keys(struct reader *r, struct mauth_trust *trust, struct mauth_err *err)
{
    while (reader_accept(r, "key ", 4)) {
        struct trust_key *grown, *key;
        enum mauth_rc rc;

        if (trust->key_count == TRUST_KEYS_MAX)
            return mauth_fail(
                err, MAUTH_TOO_LARGE, "trust: over %d keys", TRUST_KEYS_MAX);
        grown = realloc(trust->keys, (trust->key_count + 1) * sizeof(*grown));
        if (!grown)
            return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
        trust->keys = grown;
        key = &grown[trust->key_count++];
        rc = trust_key_read(r, key, err);
        if (rc)
            return rc;
        for (size_t i = 0; i + 1 < trust->key_count; i++)
            if (strcmp(mauth_key_id(grown[i].key), mauth_key_id(key->key)) == 0)
                return mauth_fail(err, MAUTH_MALFORMED, "trust: key %s is listed twice",
                    mauth_key_id(key->key));
    }
    return MAUTH_OK;
}

struct listing { /* what the statement says of the list behind it */
    uint64_t count;
    uint8_t hash[HASH_LEN];
};

static enum mauth_rc
read_statement(struct text note, const struct delegation *d, struct mauth_trust *trust,
    struct listing *list, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct reader r;
    struct text issuer;
    uint64_t epoch;

    reader_init(&r, note.p, note.len);
    lines_expect(&r, "meshauth-trust v1\n");
    issuer = lines_issuer(&r);
    lines_expect(&r, "epoch ");
    epoch = lines_number(&r, '\n');
    lines_expect(&r, "sequence ");
    trust->sequence = lines_number(&r, '\n');
    lines_expect(&r, "issued ");
    trust->issued_s = lines_instant(&r, '\n');
    lines_expect(&r, "expires ");
    trust->expires_s = lines_instant(&r, '\n');
    lines_expect(&r, "checkpoint ");
    trust->tree_size = lines_number(&r, ' ');
    lines_hash(&r, '\n', trust->tree_root);
    if (reader_ok(&r)) {
        rc = read_keys(&r, trust, err);
        if (rc)
            return rc;
    }
    lines_expect(&r, "revocations ");
    list->count = lines_number(&r, ' ');
    lines_hash(&r, '\n', list->hash);
    if (!reader_done(&r))
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: the statement is not meshauth-trust v1");
    if (!text_equal(issuer, d->issuer) || epoch != d->epoch)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "trust: root and authority do not speak of the same issuer and epoch");
    if (!delegation_holds(d, trust->issued_s))
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "trust: issued outside the authority's window");
    if (trust->expires_s <= trust->issued_s ||
        trust->expires_s - trust->issued_s > TRUST_LIFE_MAX_S)
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust: it must expire within 12 hours after it was issued");
    trust->epoch = epoch;
    return MAUTH_OK;
}

static enum mauth_rc
read_list(struct reader *r, const struct listing *list, struct mauth_trust *trust,
    struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;
    uint64_t key;

    rc = hash_bytes(r->p, r->left, hash, err);
    if (rc)
        return rc;
    if (memcmp(hash, list->hash, HASH_LEN) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "trust: the list of revocations is not the signed one");
    memcpy(&key, hash, sizeof(key)); /* who chose ids did not know the whole list */
    return revocations_read(r, list->count, key, &trust->revoked, err);
}

/* Whom a file is believed: a root, or an authority that no root need vouch for; nobody
 * when both are NULL. */
struct anchor {
    const struct note_verifier *root;
    const struct note_verifier *authority;
};

static enum mauth_rc
read_delegation(struct reader *r, const struct note_verifier *root,
    struct delegation *d, struct mauth_err *err)
{
    struct text note;
    enum mauth_rc rc = note_open(r, root, &note, err);

    if (rc == MAUTH_OK)
        rc = delegation_read(note, d, err);
    if (rc)
        return rc;
    if (!delegation_is_named(root, d->issuer, "/root"))
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "trust: the root is not of this issuer");
    return MAUTH_OK;
}

/* What the root says, by whomever it was signed, as long as it names this authority (or
 * any, when it is NULL). */
static enum mauth_rc
pass_delegation(struct reader *r, const struct note_verifier *authority,
    struct delegation *d, struct mauth_err *err)
{
    struct text note;
    enum mauth_rc rc;

    if (!note_text(r, &note))
        return mauth_fail(err, MAUTH_MALFORMED, "trust: no note of the root");
    (void)reader_until(r, '\n'); /* the signature */
    rc = delegation_read(note, d, err);
    if (rc || !authority)
        return rc;
    if (strcmp(d->authority.name, authority->name) != 0 ||
        memcmp(d->authority.key, authority->key, NOTE_KEY_BYTES) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED, "trust: of another authority");
    return MAUTH_OK;
}

static enum mauth_rc
read_file(struct mauth_trust *trust, size_t len, const struct anchor *anchor,
    struct mauth_err *err)
{
    struct delegation d = {0};
    struct listing list = {0};
    struct text note;
    enum mauth_rc rc;
    struct reader r;

    reader_init(&r, trust->data, len);
    rc = anchor->root ? read_delegation(&r, anchor->root, &d, err)
                      : pass_delegation(&r, anchor->authority, &d, err);
    if (rc)
        return rc;
    lines_expect(&r, "\n");
    rc = note_open(&r, &d.authority, &note, err);
    if (rc == MAUTH_OK)
        rc = read_statement(note, &d, trust, &list, err);
    if (rc)
        return rc;
    lines_expect(&r, "\n");
    if (!reader_ok(&r))
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: no empty line before the revocations");
    rc = read_list(&r, &list, trust, err);
    if (rc)
        return rc;
    trust->authority = d;
    trust->revocation_count = list.count;
    trust->issuer = strndup(d.issuer.p, d.issuer.len);
    if (!trust->issuer)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    return hash_bytes(trust->data, len, trust->hash, err);
}

static enum mauth_rc
parse(const void *data, size_t len, const struct anchor *anchor,
    struct mauth_trust **out, struct mauth_err *err)
{
    struct mauth_trust *trust;
    enum mauth_rc rc;

    trust = calloc(1, sizeof(*trust));
    if (trust)
        trust->data = malloc(len + 1);
    if (!trust || !trust->data) {
        mauth_trust_free(trust);
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    }
    if (len)
        memcpy(trust->data, data, len);
    rc = read_file(trust, len, anchor, err);
    if (rc) {
        mauth_trust_free(trust);
        return rc;
    }
    *out = trust;
    return MAUTH_OK;
}

enum mauth_rc
mauth_trust_parse(const void *data, size_t len, const char *root_vkey,
    struct mauth_trust **out, struct mauth_err *err)
{
    struct note_verifier root;
    struct anchor anchor = {.root = &root};
    enum mauth_rc rc;

    *out = NULL;
    if (len > MAUTH_TRUST_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "trust: %zu bytes", len);
    rc = note_verifier_parse(root_vkey, strlen(root_vkey), &root, err);
    return rc ? rc : parse(data, len, &anchor, out, err);
}

enum mauth_rc
trust_parse_own(const void *data, size_t len, const struct note_verifier *authority,
    struct mauth_trust **out, struct mauth_err *err)
{
    struct anchor anchor = {.authority = authority};

    *out = NULL;
    if (len > MAUTH_TRUST_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "trust: %zu bytes", len);
    return parse(data, len, &anchor, out, err);
}

enum mauth_rc
trust_parse_untrusted(
    const void *data, size_t len, struct mauth_trust **out, struct mauth_err *err)
{
    const struct anchor nobody = {.root = NULL};

    *out = NULL;
    if (len > MAUTH_TRUST_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "trust: %zu bytes", len);
    return parse(data, len, &nobody, out, err);
}

enum mauth_rc
mauth_trust_from_key(const char *issuer, const struct mauth_key *key,
    struct mauth_trust **out, struct mauth_err *err)
{
    struct mauth_trust *trust;
    struct mauth_key *copy = NULL;
    enum mauth_rc rc;

    *out = NULL;
    if (!str_is_uri(text_of(issuer)))
        return mauth_fail(err, MAUTH_INVALID, "trust: the issuer is no URI");
    trust = calloc(1, sizeof(*trust));
    if (trust) {
        trust->keys = calloc(1, sizeof(*trust->keys));
        trust->issuer = strdup(issuer);
    }
    if (!trust || !trust->keys || !trust->issuer) {
        mauth_trust_free(trust);
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    }
    rc = key_copy(key, &copy, err);
    if (rc) {
        mauth_trust_free(trust);
        return rc;
    }
    trust->bare = true;
    trust->expires_s = INT64_MAX;
    trust->key_count = 1;
    trust->keys[0] = (struct trust_key){.key = copy,
        .state = TRUST_ACTIVE,
        .from_s = 0,
        .until_s = INT64_MAX,
        .all_audiences = true};
    *out = trust;
    return MAUTH_OK;
}

void
mauth_trust_free(struct mauth_trust *trust)
{
    if (!trust)
        return;
    for (size_t i = 0; i < trust->key_count; i++)
        trust_key_clear(&trust->keys[i]);
    free(trust->keys);
    revocations_clear(&trust->revoked);
    free(trust->issuer);
    free(trust->data);
    free(trust);
}

enum mauth_rc
mauth_trust_follows(const struct mauth_trust *now, const struct mauth_trust *next,
    struct mauth_err *err)
{
    if (!now)
        return MAUTH_OK;
    if (strcmp(now->issuer, next->issuer) != 0 || now->bare || next->bare)
        return mauth_fail(err, MAUTH_DENIED, "trust: of another issuer");
    if (next->epoch < now->epoch ||
        (next->epoch == now->epoch && next->sequence < now->sequence))
        return mauth_fail(err, MAUTH_DENIED,
            "trust: epoch %" PRIu64 " sequence %" PRIu64
            " is older than what is loaded (%" PRIu64 ", %" PRIu64 ")",
            next->epoch, next->sequence, now->epoch, now->sequence);
    if (next->epoch == now->epoch && next->sequence == now->sequence &&
        memcmp(next->hash, now->hash, HASH_LEN) != 0)
        return mauth_fail(err, MAUTH_CONFLICT,
            "trust: two files with epoch %" PRIu64 " sequence %" PRIu64
            " and different content: somebody else signs with the authority's key",
            next->epoch, next->sequence);
    return MAUTH_OK;
}

const char *
mauth_trust_issuer(const struct mauth_trust *trust)
{
    return trust->issuer;
}

uint64_t
mauth_trust_epoch(const struct mauth_trust *trust)
{
    return trust->epoch;
}

uint64_t
mauth_trust_sequence(const struct mauth_trust *trust)
{
    return trust->sequence;
}

int64_t
mauth_trust_issued_s(const struct mauth_trust *trust)
{
    return trust->issued_s;
}

int64_t
mauth_trust_expires_s(const struct mauth_trust *trust)
{
    return trust->expires_s;
}

size_t
trust_key_count(const struct mauth_trust *trust)
{
    return trust->key_count;
}

const struct trust_key *
trust_key_at(const struct mauth_trust *trust, size_t i)
{
    return i < trust->key_count ? &trust->keys[i] : NULL;
}

const struct trust_key *
trust_key_find(const struct mauth_trust *trust, struct text id)
{
    for (size_t i = 0; i < trust->key_count; i++)
        if (text_is(id, mauth_key_id(trust->keys[i].key)))
            return &trust->keys[i];
    return NULL;
}

bool
trust_is_bare(const struct mauth_trust *trust)
{
    return trust->bare;
}

const struct delegation *
trust_authority(const struct mauth_trust *trust)
{
    return &trust->authority;
}

const uint8_t *
trust_hash(const struct mauth_trust *trust)
{
    return trust->hash;
}

uint64_t
trust_revocation_count(const struct mauth_trust *trust)
{
    return trust->revocation_count;
}

uint64_t
trust_checkpoint(const struct mauth_trust *trust, uint8_t tree_root[HASH_LEN])
{
    memcpy(tree_root, trust->tree_root, HASH_LEN);
    return trust->tree_size;
}

bool
trust_has_revocations_after(const struct mauth_trust *trust, uint64_t asof)
{
    return asof < trust->revoked.highest;
}

bool
trust_revokes(const struct mauth_trust *trust, uint64_t asof, const struct text *ids,
    size_t count)
{
    return revocations_hit(&trust->revoked, asof, ids, count);
}
