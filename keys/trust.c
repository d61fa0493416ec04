#include "keys/trust.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/note.h"

enum {
    KEYS_MAX = 256,
    AUDIENCES_MAX = 64,
    REVOKED_IDS = 3,
    EXPIRES_MAX_S = 43200, /* after issued */
    TICKET_ID_DIGITS = 32
};

struct entry { /* ids ceased to hold together at state number n */
    uint64_t n;
    size_t count;
    struct text id[REVOKED_IDS];
};

struct mauth_trust {
    char *data; /* the file; all slices point into it */
    char *issuer;
    bool bare;
    uint64_t epoch;
    uint64_t sequence;
    int64_t issued_s;
    int64_t expires_s;
    uint8_t hash[HASH_LEN];
    struct trust_key *keys;
    size_t key_count;
    struct entry *entries; /* by first id */
    size_t entry_count;
    uint64_t all_before; /* of "revoke N *" */
    uint64_t highest;    /* of all entries */
};

static const char *const state_names[] = {"next", "active", "retiring", "revoked"};

const char *
trust_state_name(enum trust_state state)
{
    return state_names[state];
}

bool
trust_state_parse(struct text name, enum trust_state *out)
{
    for (size_t i = 0; i < sizeof(state_names) / sizeof(*state_names); i++) {
        if (text_is(name, state_names[i])) {
            *out = (enum trust_state)i;
            return true;
        }
    }
    return false;
}

/* What the lines of a note are read with. Failures latch in r. */

static void
expect(struct reader *r, const char *literal)
{
    reader_expect(r, literal, strlen(literal));
}

static uint64_t
number(struct reader *r, char end)
{
    uint64_t n;

    if (!str_number(reader_until(r, end), &n))
        r->failed = true;
    return n;
}

static int64_t
instant(struct reader *r, char end)
{
    struct text t = reader_until(r, end);
    int64_t at;

    if (!time_parse(t.p, t.len, &at))
        r->failed = true;
    return at;
}

static void
hash_value(struct reader *r, uint8_t out[HASH_LEN])
{
    struct text t = reader_until(r, '\n');
    size_t n;

    memset(out, 0, HASH_LEN);
    if (!b64_decode(B64_STD, t.p, t.len, out, HASH_LEN, &n) || n != HASH_LEN)
        r->failed = true;
}

/* "issuer URL": the same in both notes; the first sets it. */
static struct text
issuer_line(struct reader *r)
{
    struct text t;

    expect(r, "issuer ");
    t = reader_until(r, '\n');
    if (!str_is_uri(t) || !text_starts(t, "https://"))
        r->failed = true;
    return t;
}

struct delegation {
    struct text issuer;
    uint64_t epoch;
    struct note_verifier authority;
    int64_t from_s;
    int64_t until_s;
};

/* Is v's name the issuer without https://, and suffix? */
static bool
is_named(const struct note_verifier *v, struct text issuer, const char *suffix)
{
    struct text name = text_of(v->name);
    size_t host = issuer.len - strlen("https://");

    return name.len == host + strlen(suffix) &&
           memcmp(name.p, issuer.p + issuer.len - host, host) == 0 &&
           strcmp(name.p + host, suffix) == 0;
}

static enum mauth_rc
read_delegation(struct text note, const struct note_verifier *root,
    struct delegation *d, struct mauth_err *err)
{
    struct text vkey;
    enum mauth_rc rc;
    struct reader r;

    reader_init(&r, note.p, note.len);
    expect(&r, "meshauth-authority v1\n");
    d->issuer = issuer_line(&r);
    expect(&r, "epoch ");
    d->epoch = number(&r, '\n');
    expect(&r, "authority ");
    vkey = reader_until(&r, ' ');
    d->from_s = instant(&r, ' ');
    d->until_s = instant(&r, '\n');
    if (!reader_done(&r) || d->from_s >= d->until_s)
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust: the root's note is not meshauth-authority v1");
    rc = note_verifier_parse(vkey.p, vkey.len, &d->authority, err);
    if (rc)
        return rc;
    if (!is_named(root, d->issuer, "/root") ||
        !is_named(&d->authority, d->issuer, "/authority"))
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "trust: root or authority are not of this issuer");
    return MAUTH_OK;
}

static enum mauth_rc
read_audiences(struct text list, struct trust_key *key, struct mauth_err *err)
{
    struct text item, *slot;
    size_t count = 1;

    if (text_is(list, "*")) {
        key->all_audiences = true;
        return MAUTH_OK;
    }
    for (size_t i = 0; i < list.len; i++)
        count += list.p[i] == ',';
    if (count > AUDIENCES_MAX)
        return mauth_fail(
            err, MAUTH_TOO_LARGE, "trust: a key with %zu audiences", count);
    slot = calloc(count, sizeof(*slot));
    if (!slot)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    key->audience = slot;
    key->audiences = count;
    while (text_cut(&list, ',', &item))
        *slot++ = item;
    *slot = list;
    for (size_t i = 0; i < count; i++)
        if (!str_is_uri(key->audience[i]))
            return mauth_fail(
                err, MAUTH_MALFORMED, "trust: an audience that is no URI");
    return MAUTH_OK;
}

/* key ID STATE ALG FROM UNTIL AUDIENCES SPKI */
static enum mauth_rc
read_key(struct reader *r, struct trust_key *key, struct mauth_err *err)
{
    struct text id = reader_until(r, ' '), state = reader_until(r, ' ');
    struct text alg = reader_until(r, ' '), audiences, spki;
    uint8_t der[MAUTH_SPKI_MAX];
    struct mauth_key *made;
    enum mauth_rc rc;
    size_t n;

    key->from_s = instant(r, ' ');
    key->until_s = instant(r, ' ');
    audiences = reader_until(r, ' ');
    spki = reader_until(r, '\n');
    if (!reader_ok(r) || !trust_state_parse(state, &key->state) ||
        key->from_s >= key->until_s ||
        !b64_decode(B64_STD, spki.p, spki.len, der, sizeof(der), &n))
        return mauth_fail(err, MAUTH_MALFORMED, "trust: a key line of the wrong form");
    rc = mauth_key_from_spki(der, n, &made, err);
    if (rc)
        return rc;
    key->key = made;
    if (!text_is(id, mauth_key_id(made)) || !text_is(alg, key_alg_name(key_alg(made))))
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust: a key line whose id or algorithm is not the key's (%s)",
            mauth_key_id(made));
    return read_audiences(audiences, key, err);
}

static enum mauth_rc
read_keys(struct reader *r, struct mauth_trust *trust, struct mauth_err *err)
{
    while (reader_accept(r, "key ", 4)) {
        struct trust_key *grown, *key;
        enum mauth_rc rc;

        if (trust->key_count == KEYS_MAX)
            return mauth_fail(err, MAUTH_TOO_LARGE, "trust: over %d keys", KEYS_MAX);
        grown = realloc(trust->keys, (trust->key_count + 1) * sizeof(*grown));
        if (!grown)
            return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
        trust->keys = grown;
        key = &grown[trust->key_count++];
        memset(key, 0, sizeof(*key));
        rc = read_key(r, key, err);
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
    uint8_t tree_root[HASH_LEN];
    enum mauth_rc rc;
    struct reader r;
    struct text issuer;
    uint64_t epoch;

    reader_init(&r, note.p, note.len);
    expect(&r, "meshauth-trust v1\n");
    issuer = issuer_line(&r);
    expect(&r, "epoch ");
    epoch = number(&r, '\n');
    expect(&r, "sequence ");
    trust->sequence = number(&r, '\n');
    expect(&r, "issued ");
    trust->issued_s = instant(&r, '\n');
    expect(&r, "expires ");
    trust->expires_s = instant(&r, '\n');
    expect(&r, "checkpoint ");
    (void)number(&r, ' ');
    hash_value(&r, tree_root);
    if (reader_ok(&r)) {
        rc = read_keys(&r, trust, err);
        if (rc)
            return rc;
    }
    expect(&r, "revocations ");
    list->count = number(&r, ' ');
    hash_value(&r, list->hash);
    if (!reader_done(&r))
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: the statement is not meshauth-trust v1");
    if (!text_equal(issuer, d->issuer) || epoch != d->epoch)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "trust: root and authority do not speak of the same issuer and epoch");
    if (trust->issued_s < d->from_s || trust->issued_s >= d->until_s)
        return mauth_fail(
            err, MAUTH_UNTRUSTED, "trust: issued outside the authority's window");
    if (trust->expires_s <= trust->issued_s ||
        trust->expires_s - trust->issued_s > EXPIRES_MAX_S)
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust: it must expire within 12 hours after it was issued");
    trust->epoch = epoch;
    return MAUTH_OK;
}

static bool
is_revocable(struct text id)
{
    if (id.len == 1 + TICKET_ID_DIGITS && id.p[0] == '_') {
        struct text hex = {id.p + 1, TICKET_ID_DIGITS};

        return str_is_hex(hex, TICKET_ID_DIGITS);
    }
    return id_kind_of(id.p, id.len) != ID_KINDS;
}

/* revoke N ID [ID [ID]], or revoke N * */
static bool
read_entry(struct text line, struct entry *e)
{
    struct text word, previous = {"", 0};

    memset(e, 0, sizeof(*e));
    if (!text_cut(&line, ' ', &word) || !text_is(word, "revoke") ||
        !text_cut(&line, ' ', &word) || !str_number(word, &e->n))
        return false;
    if (text_is(line, "*"))
        return true;
    for (bool last = false; !last;) {
        last = !text_cut(&line, ' ', &word);
        if (last)
            word = line;
        if (e->count == REVOKED_IDS || !is_revocable(word) ||
            text_compare(previous, word) >= 0)
            return false;
        e->id[e->count++] = previous = word;
    }
    return true;
}

static int
by_first_id(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;

    return text_compare(x->id[0], y->id[0]);
}

static enum mauth_rc
read_list(struct reader *r, const struct listing *list, struct mauth_trust *trust,
    struct mauth_err *err)
{
    struct text previous = {"", 0}, whole = {(const char *)r->p, r->left};
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc;

    rc = hash_sha256(&whole, 1, hash, err);
    if (rc)
        return rc;
    if (memcmp(hash, list->hash, HASH_LEN) != 0)
        return mauth_fail(err, MAUTH_UNTRUSTED,
            "trust: the list of revocations is not the signed one");
    if (list->count > r->left / 10) /* "revoke 1 *" and more */
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: fewer revocations than counted");
    trust->entries = calloc((size_t)list->count + 1, sizeof(*trust->entries));
    if (!trust->entries)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    for (uint64_t i = 0; i < list->count; i++) {
        struct text line = reader_until(r, '\n');
        struct entry e;

        if (!reader_ok(r) || !read_entry(line, &e) || text_compare(previous, line) >= 0)
            return mauth_fail(err, MAUTH_MALFORMED,
                "trust: revocation %" PRIu64 " has not the form or order it must have",
                i + 1);
        previous = line;
        if (e.n > trust->highest)
            trust->highest = e.n;
        if (e.count > 0)
            trust->entries[trust->entry_count++] = e;
        else if (e.n > trust->all_before)
            trust->all_before = e.n;
    }
    if (!reader_done(r))
        return mauth_fail(err, MAUTH_MALFORMED, "trust: more revocations than counted");
    qsort(trust->entries, trust->entry_count, sizeof(*trust->entries), by_first_id);
    return MAUTH_OK;
}

static enum mauth_rc
read_file(struct mauth_trust *trust, size_t len, const struct note_verifier *root,
    struct mauth_err *err)
{
    struct delegation d = {0};
    struct listing list = {0};
    struct text note;
    enum mauth_rc rc;
    struct reader r;

    reader_init(&r, trust->data, len);
    rc = note_open(&r, root, &note, err);
    if (rc == MAUTH_OK)
        rc = read_delegation(note, root, &d, err);
    if (rc)
        return rc;
    expect(&r, "\n");
    rc = note_open(&r, &d.authority, &note, err);
    if (rc == MAUTH_OK)
        rc = read_statement(note, &d, trust, &list, err);
    if (rc)
        return rc;
    expect(&r, "\n");
    if (!reader_ok(&r))
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: no empty line before the revocations");
    rc = read_list(&r, &list, trust, err);
    if (rc)
        return rc;
    trust->issuer = strndup(d.issuer.p, d.issuer.len);
    if (!trust->issuer)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    return hash_bytes(trust->data, len, trust->hash, err);
}

enum mauth_rc
mauth_trust_parse(const void *data, size_t len, const char *root_vkey,
    struct mauth_trust **out, struct mauth_err *err)
{
    struct mauth_trust *trust;
    struct note_verifier root;
    enum mauth_rc rc;

    *out = NULL;
    if (len > MAUTH_TRUST_MAX)
        return mauth_fail(err, MAUTH_TOO_LARGE, "trust: %zu bytes", len);
    rc = note_verifier_parse(root_vkey, strlen(root_vkey), &root, err);
    if (rc)
        return rc;
    trust = calloc(1, sizeof(*trust));
    if (trust)
        trust->data = malloc(len + 1);
    if (!trust || !trust->data) {
        mauth_trust_free(trust);
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    }
    if (len)
        memcpy(trust->data, data, len);
    rc = read_file(trust, len, &root, err);
    if (rc) {
        mauth_trust_free(trust);
        return rc;
    }
    *out = trust;
    return MAUTH_OK;
}

enum mauth_rc
mauth_trust_from_key(const char *issuer, const struct mauth_key *key,
    struct mauth_trust **out, struct mauth_err *err)
{
    struct mauth_trust *trust;
    struct mauth_key *copy = NULL;
    const uint8_t *spki;
    enum mauth_rc rc;
    size_t len;

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
    spki = mauth_key_spki(key, &len);
    rc = mauth_key_from_spki(spki, len, &copy, err);
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

/* Keys and audiences are const to all but their owner. */
static void
free_key(struct trust_key *key)
{
    union {
        const void *borrowed;
        void *owned;
    } made = {key->key}, audience = {key->audience};

    mauth_key_free(made.owned);
    free(audience.owned);
}

void
mauth_trust_free(struct mauth_trust *trust)
{
    if (!trust)
        return;
    for (size_t i = 0; i < trust->key_count; i++)
        free_key(&trust->keys[i]);
    free(trust->keys);
    free(trust->entries);
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

bool
trust_has_revocations_after(const struct mauth_trust *trust, uint64_t asof)
{
    return asof < trust->highest;
}

/* Are all ids of the entry among these? Both are sorted. */
static bool
covers(const struct text *ids, size_t count, const struct entry *e)
{
    size_t found = 0;

    for (size_t i = 0; i < count && found < e->count; i++)
        found += text_equal(ids[i], e->id[found]);
    return found == e->count;
}

bool
trust_revokes(const struct mauth_trust *trust, uint64_t asof, const struct text *ids,
    size_t count)
{
    if (asof < trust->all_before)
        return true;
    if (asof >= trust->highest)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t low = 0, high = trust->entry_count;

        while (low < high) { /* the first entry that begins with this id */
            size_t middle = low + (high - low) / 2;

            if (text_compare(trust->entries[middle].id[0], ids[i]) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        for (;
             low < trust->entry_count && text_equal(trust->entries[low].id[0], ids[i]);
             low++)
            if (asof < trust->entries[low].n &&
                covers(ids, count, &trust->entries[low]))
                return true;
    }
    return false;
}
