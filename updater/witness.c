#include "updater/witness.h"

#include <inttypes.h>
#include <string.h>

#include "base/b64.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"
#include "keys/lines.h"
#include "keys/trust.h"

enum {
    LINE_MAX_LEN = 128,
    HASH_B64 = 44 /* characters */
};

void
checkpoint_of(const struct mauth_trust *trust, struct checkpoint *out)
{
    out->epoch = mauth_trust_epoch(trust);
    out->sequence = mauth_trust_sequence(trust);
    out->size = trust_checkpoint(trust, out->root);
    out->unproven = false;
}

static bool
is_before(const struct checkpoint *a, const struct checkpoint *b)
{
    return a->epoch != b->epoch ? a->epoch < b->epoch : a->sequence < b->sequence;
}

/* Can b, which is not before a, be a later state of the log that a is of, or the same
 * under the same number? Of what lies between, only a proof of consistency tells. */
static bool
contradicts(const struct checkpoint *a, const struct checkpoint *b)
{
    return b->size < a->size || (b->size > a->size && !is_before(a, b)) ||
           (b->size == a->size && memcmp(a->root, b->root, HASH_LEN) != 0);
}

enum mauth_rc
witness_check(const struct witness *w, const struct checkpoint *c, bool *rewritten,
    struct mauth_err *err)
{
    const struct checkpoint *last = w->count ? &w->at[w->count - 1] : NULL;

    *rewritten = false;
    if (!last)
        return MAUTH_OK;
    if (is_before(c, last))
        return mauth_fail(err, MAUTH_DENIED,
            "trust: epoch %" PRIu64 " sequence %" PRIu64
            " is older than one that was seen (%" PRIu64 ", %" PRIu64 ")",
            c->epoch, c->sequence, last->epoch, last->sequence);
    if (!contradicts(last, c))
        return MAUTH_OK;
    if (c->epoch == last->epoch)
        return mauth_fail(err, MAUTH_CONFLICT,
            "trust: the audit log was rewritten: it had %" PRIu64
            " records, and now has %" PRIu64 "%s, in the same epoch",
            last->size, c->size, c->size == last->size ? " others" : "");
    *rewritten = true;
    return MAUTH_OK;
}

/* Marks b as proven, if it is. */
static enum mauth_rc
demand(const struct checkpoint *a, struct checkpoint *b, witness_prove *prove,
    void *arg, struct mauth_err *err)
{
    struct audit_proof proof;
    enum mauth_rc rc;

    if (a->size == 0 || a->size == b->size) {
        b->unproven = false;
        return MAUTH_OK;
    }
    rc = prove ? prove(a->size, b->size, &proof, arg, err) : MAUTH_UNAVAILABLE;
    if (rc == MAUTH_OK)
        rc = proof_check_growth(a->size, a->root, b->size, b->root, &proof, NULL);
    if (rc == MAUTH_DENIED)
        return mauth_fail(err, MAUTH_CONFLICT,
            "trust: the audit log was rewritten: that of %" PRIu64
            " records does not hold the one of %" PRIu64,
            b->size, a->size);
    b->unproven = rc != MAUTH_OK;
    return rc == MAUTH_UNAVAILABLE ? MAUTH_OK : rc;
}

enum mauth_rc
witness_demand(struct witness *w, struct checkpoint *c, witness_prove *prove, void *arg,
    struct mauth_err *err)
{
    const struct checkpoint *before = NULL;
    enum mauth_rc rc = MAUTH_OK;

    c->unproven = false;
    for (size_t i = 0; i < w->count && rc == MAUTH_OK; i++) {
        if (w->at[i].epoch != c->epoch)
            continue;
        if (before && w->at[i].unproven)
            rc = demand(before, &w->at[i], prove, arg, err);
        before = &w->at[i];
    }
    if (rc == MAUTH_OK && before)
        rc = demand(before, c, prove, arg, err);
    return rc;
}

size_t
witness_unproven(const struct witness *w)
{
    size_t n = 0;

    for (size_t i = 0; i < w->count; i++)
        n += w->at[i].unproven;
    return n;
}

/* Stands at a border between epochs, or at either end of the list? */
static bool
is_border(const struct witness *w, size_t i)
{
    return i == 0 || i + 1 == w->count || w->at[i - 1].epoch != w->at[i].epoch ||
           w->at[i + 1].epoch != w->at[i].epoch;
}

/* Every other one goes; so each is the likelier gone the longer it has been there. */
static void
thin(struct witness *w)
{
    size_t kept = 0;

    for (size_t i = 0, before = w->count; i < before; i++)
        if (is_border(w, i) || i % 2 == 0)
            w->at[kept++] = w->at[i];
    if (kept == w->count) { /* nothing but borders: the oldest goes */
        memmove(&w->at[0], &w->at[1], (kept - 1) * sizeof(w->at[0]));
        kept--;
    }
    w->count = kept;
}

void
witness_add(struct witness *w, const struct checkpoint *c)
{
    struct checkpoint *last = w->count ? &w->at[w->count - 1] : NULL;

    if (last && last->epoch == c->epoch && last->size == c->size) {
        last->sequence = c->sequence; /* the log was idle */
        last->unproven = c->unproven;
        return;
    }
    if (w->count == WITNESS_MAX)
        thin(w);
    w->at[w->count++] = *c;
}

enum mauth_rc
witness_write(const char *path, const struct witness *w, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    buf_str(&b, "meshauth-witness v1\n");
    for (size_t i = 0; i < w->count; i++) {
        const struct checkpoint *c = &w->at[i];
        char root[HASH_B64 + 1] = "";

        b64_encode(B64_STD, c->root, HASH_LEN, root);
        buf_printf(&b, "%s %" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n",
            c->unproven ? "unproven" : "checkpoint", c->epoch, c->sequence, c->size,
            root);
    }
    if (buf_ok(&b))
        rc = file_replace(path, b.data, b.len, FILE_PUBLIC, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&b);
    return rc;
}

static bool
parse(const struct buf *file, struct witness *out)
{
    struct reader r;

    reader_init(&r, file->data, file->len);
    lines_expect(&r, "meshauth-witness v1\n");
    while (out->count < WITNESS_MAX) {
        struct checkpoint *c = &out->at[out->count];

        c->unproven = reader_accept(&r, "unproven ", 9);
        if (!c->unproven && !reader_accept(&r, "checkpoint ", 11))
            break;
        out->count++;
        c->epoch = lines_number(&r, ' ');
        c->sequence = lines_number(&r, ' ');
        c->size = lines_number(&r, ' ');
        lines_hash(&r, '\n', c->root);
        if (out->count > 1 && !is_before(c - 1, c))
            return false;
    }
    return reader_done(&r);
}

enum mauth_rc
witness_read(const char *path, struct witness *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    memset(out, 0, sizeof(*out));
    buf_init(&file);
    rc = file_read(path, (size_t)WITNESS_MAX * LINE_MAX_LEN, &file, err);
    if (rc == MAUTH_OK && !parse(&file, out))
        rc = mauth_fail(err, MAUTH_MALFORMED,
            "%s: not a list of checkpoints (meshauth-witness v1)", path);
    if (rc)
        memset(out, 0, sizeof(*out));
    buf_clear(&file);
    return rc;
}
