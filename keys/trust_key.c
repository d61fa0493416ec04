#include "keys/trust_key.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/lines.h"

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

static bool
has_comma(struct text t)
{
    return t.len && memchr(t.p, ',', t.len);
}

const char *
trust_key_flaw(const struct trust_key *key)
{
    if (key->from_s < 0 || key->from_s >= key->until_s || key->until_s > TIME_MAX_S)
        return "a key's window does not open before it closes";
    if (key->all_audiences)
        return key->audiences ? "a key for all audiences and for some" : NULL;
    if (!key->audiences || key->audiences > TRUST_AUDIENCES_MAX)
        return "a key with no audience or too many";
    for (size_t i = 0; i < key->audiences; i++)
        if (!str_is_uri(key->audience[i]) || has_comma(key->audience[i]))
            return "an audience that is no URI, or has a comma";
    return NULL;
}

enum mauth_rc
trust_key_set_audiences(struct trust_key *key, struct text list, struct mauth_err *err)
{
    struct text item, *slot;
    size_t count = 1;

    if (text_is(list, "*")) {
        key->all_audiences = true;
        return MAUTH_OK;
    }
    for (size_t i = 0; i < list.len; i++)
        count += list.p[i] == ',';
    if (count > TRUST_AUDIENCES_MAX)
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
    return MAUTH_OK;
}

enum mauth_rc
trust_key_read(struct reader *r, struct trust_key *out, struct mauth_err *err)
{
    struct text id = reader_until(r, ' '), state = reader_until(r, ' ');
    struct text alg = reader_until(r, ' '), audiences, spki;
    uint8_t der[MAUTH_SPKI_MAX];
    struct mauth_key *made;
    const char *flaw;
    enum mauth_rc rc;
    size_t n;

    memset(out, 0, sizeof(*out));
    out->from_s = lines_instant(r, ' ');
    out->until_s = lines_instant(r, ' ');
    audiences = reader_until(r, ' ');
    spki = reader_until(r, '\n');
    if (!reader_ok(r) || !trust_state_parse(state, &out->state) ||
        !b64_decode(B64_STD, spki.p, spki.len, der, sizeof(der), &n))
        return mauth_fail(err, MAUTH_MALFORMED, "trust: a key line of the wrong form");
    rc = mauth_key_from_spki(der, n, &made, err);
    if (rc)
        return rc;
    out->key = made;
    if (!text_is(id, mauth_key_id(made)) || !text_is(alg, key_alg_name(key_alg(made))))
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust: a key line whose id or algorithm is not the key's (%s)",
            mauth_key_id(made));
    rc = trust_key_set_audiences(out, audiences, err);
    if (rc)
        return rc;
    flaw = trust_key_flaw(out);
    if (flaw)
        return mauth_fail(err, MAUTH_MALFORMED, "trust: %s", flaw);
    return MAUTH_OK;
}

/* Keys and audiences are const to all but their owner. */
void
trust_key_clear(struct trust_key *key)
{
    union {
        const void *borrowed;
        void *owned;
    } made = {key->key}, audience = {key->audience};

    mauth_key_free(made.owned);
    free(audience.owned);
    memset(key, 0, sizeof(*key));
}
