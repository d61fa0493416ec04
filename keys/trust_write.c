#include "keys/trust_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/delegation.h"
#include "keys/lines.h"
#include "keys/revocations.h"

#define NUMBER_MAX UINT64_C(999999999999999999) /* str_number() */

static void
put_time(struct buf *b, int64_t t_s)
{
    char text[TIME_LEN + 1];

    time_format(t_s, text);
    buf_str(b, text);
}

static enum mauth_rc
sign_lines(struct buf *lines, const struct note_verifier *v,
    const uint8_t seed[NOTE_KEY_BYTES], struct buf *out, struct mauth_err *err)
{
    struct text text = buf_slice(lines);

    if (!buf_ok(lines))
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    return note_sign(text, v, seed, out, err);
}

void
trust_write_request(const struct trust_delegation *d, struct buf *out)
{
    char vkey[NOTE_VKEY_MAX + 1];

    note_verifier_format(d->authority, vkey);
    buf_str(out, "meshauth-authority v1\nissuer ");
    buf_str(out, d->issuer);
    buf_printf(out, "\nepoch %" PRIu64 "\nauthority ", d->epoch);
    buf_str(out, vkey);
    buf_str(out, " ");
    put_time(out, d->from_s);
    buf_str(out, " ");
    put_time(out, d->until_s);
    buf_str(out, "\n");
}

enum mauth_rc
trust_write_delegation(const struct trust_delegation *d,
    const struct note_verifier *root, const uint8_t root_seed[NOTE_KEY_BYTES],
    struct buf *out, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    trust_write_request(d, &b);
    rc = sign_lines(&b, root, root_seed, out, err);
    buf_clear(&b);
    return rc;
}

static void
put_key(struct buf *b, const struct trust_key *key)
{
    const uint8_t *spki;
    size_t len;

    buf_str(b, "key ");
    buf_str(b, mauth_key_id(key->key));
    buf_str(b, " ");
    buf_str(b, trust_state_name(key->state));
    buf_str(b, " ");
    buf_str(b, key_alg_name(key_alg(key->key)));
    buf_str(b, " ");
    put_time(b, key->from_s);
    buf_str(b, " ");
    put_time(b, key->until_s);
    buf_str(b, " ");
    if (key->all_audiences)
        buf_str(b, "*");
    for (size_t i = 0; i < key->audiences; i++) {
        buf_str(b, i ? "," : "");
        buf_text(b, key->audience[i]);
    }
    buf_str(b, " ");
    spki = mauth_key_spki(key->key, &len);
    lines_put_base64(b, spki, len);
    buf_str(b, "\n");
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The lines in their order, each once; their number in *count. */
static enum mauth_rc
put_list(struct buf *b, const struct trust_statement *s, size_t *count,
    struct mauth_err *err)
{
    const char **sorted;

    *count = 0;
    if (!s->revocation_count)
        return MAUTH_OK;
    sorted = calloc(s->revocation_count, sizeof(*sorted));
    if (!sorted)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    memcpy(sorted, s->revocations, s->revocation_count * sizeof(*sorted));
    qsort(sorted, s->revocation_count, sizeof(*sorted), by_text);
    for (size_t i = 0; i < s->revocation_count; i++) {
        if (i && strcmp(sorted[i - 1], sorted[i]) == 0)
            continue;
        buf_str(b, sorted[i]);
        buf_str(b, "\n");
        ++*count;
    }
    free(sorted);
    return MAUTH_OK;
}

static void
put_statement(struct buf *b, const struct trust_statement *s, size_t revocations,
    const uint8_t list[HASH_LEN])
{
    buf_str(b, "meshauth-trust v1\nissuer ");
    buf_str(b, s->issuer);
    buf_printf(
        b, "\nepoch %" PRIu64 "\nsequence %" PRIu64 "\nissued ", s->epoch, s->sequence);
    put_time(b, s->issued_s);
    buf_str(b, "\nexpires ");
    put_time(b, s->expires_s);
    buf_printf(b, "\ncheckpoint %" PRIu64 " ", s->tree_size);
    lines_put_base64(b, s->tree_root, sizeof(s->tree_root));
    buf_str(b, "\n");
    for (size_t i = 0; i < s->key_count; i++)
        put_key(b, &s->keys[i]);
    buf_printf(b, "revocations %zu ", revocations);
    lines_put_base64(b, list, HASH_LEN);
    buf_str(b, "\n");
}

/* Does the root's note name this authority, for what the statement says? */
static enum mauth_rc
check_delegation(struct text delegation, const struct trust_statement *s,
    const struct note_verifier *authority, struct mauth_err *err)
{
    struct delegation d;
    struct reader r;
    struct text note;
    enum mauth_rc rc;

    reader_init(&r, delegation.p, delegation.len);
    if (!note_text(&r, &note))
        return mauth_fail(err, MAUTH_INVALID, "trust: the delegation is no note");
    rc = delegation_read(note, &d, err);
    if (rc)
        return rc;
    if (!text_is(d.issuer, s->issuer) || d.epoch != s->epoch ||
        memcmp(d.authority.key, authority->key, NOTE_KEY_BYTES) != 0)
        return mauth_fail(err, MAUTH_INVALID,
            "trust: the root delegated to another authority, issuer or epoch");
    if (!delegation_holds(&d, s->issued_s))
        return mauth_fail(err, MAUTH_EXPIRED,
            "trust: the root's delegation does not hold now; renew the authority");
    return MAUTH_OK;
}

static bool
is_listed_before(const struct trust_statement *s, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (strcmp(mauth_key_id(s->keys[i].key), mauth_key_id(s->keys[j].key)) == 0)
            return true;
    return false;
}

/* What no reader would take, and so must not replace a file that readers do take. */
static const char *
flaw_of(const struct trust_statement *s)
{
    struct revocation parsed;

    if (s->epoch > NUMBER_MAX || s->sequence > NUMBER_MAX || s->tree_size > NUMBER_MAX)
        return "a number of over 18 digits";
    if (s->issued_s < 0 || s->issued_s >= s->expires_s || s->expires_s > TIME_MAX_S ||
        s->expires_s - s->issued_s > TRUST_LIFE_MAX_S)
        return "it must expire within 12 hours after it was issued";
    if (s->key_count > TRUST_KEYS_MAX)
        return "too many keys";
    for (size_t i = 0; i < s->key_count; i++) {
        const char *flaw = trust_key_flaw(&s->keys[i]);

        if (flaw)
            return flaw;
        if (is_listed_before(s, i))
            return "a key is listed twice";
    }
    for (size_t i = 0; i < s->revocation_count; i++)
        if (!revocation_parse(text_of(s->revocations[i]), &parsed))
            return "a revocation that is none";
    return NULL;
}

static enum mauth_rc
check(struct text delegation, const struct trust_statement *s,
    const struct note_verifier *authority, struct mauth_err *err)
{
    const char *flaw = flaw_of(s);

    if (flaw)
        return mauth_fail(err, MAUTH_INVALID, "trust: %s", flaw);
    return check_delegation(delegation, s, authority, err);
}

static enum mauth_rc
compose(struct text delegation, const struct trust_statement *s,
    const struct note_verifier *authority, const uint8_t seed[NOTE_KEY_BYTES],
    struct buf *list, struct buf *lines, struct buf *out, struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;
    size_t count;

    rc = put_list(list, s, &count, err);
    if (rc == MAUTH_OK && !buf_ok(list))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    if (rc == MAUTH_OK)
        rc = hash_bytes(list->data, list->len, hash, err);
    if (rc)
        return rc;
    put_statement(lines, s, count, hash);
    buf_text(out, delegation);
    buf_str(out, "\n");
    rc = sign_lines(lines, authority, seed, out, err);
    if (rc)
        return rc;
    buf_str(out, "\n");
    buf_put(out, list->data, list->len);
    if (!buf_ok(out))
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    return MAUTH_OK;
}

enum mauth_rc
trust_write(struct text delegation, const struct trust_statement *s,
    const struct note_verifier *authority, const uint8_t authority_seed[NOTE_KEY_BYTES],
    struct buf *out, struct mauth_err *err)
{
    size_t start = out->len;
    struct buf list, lines;
    enum mauth_rc rc;

    buf_init(&list);
    buf_init(&lines);
    rc = check(delegation, s, authority, err);
    if (rc == MAUTH_OK)
        rc = compose(delegation, s, authority, authority_seed, &list, &lines, out, err);
    if (rc == MAUTH_OK && out->len - start > MAUTH_TRUST_MAX)
        rc = mauth_fail(
            err, MAUTH_TOO_LARGE, "trust: %zu bytes, no reader takes it", out->len);
    if (rc)
        out->len = start;
    buf_clear(&lines);
    buf_clear(&list);
    return rc;
}
