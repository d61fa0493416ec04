#include "store/key_life.h"

#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "base/time.h"

enum mauth_rc
key_change_ready(struct key_change *c, struct mauth_err *err)
{
    return mauth_random(c->nonce, sizeof(c->nonce), err);
}

/* Looks for another key with the same audiences in a state. */
struct search {
    const struct signing_key *not_this;
    enum trust_state state;
    int64_t now_s;
    char id[MAUTH_KEY_ID_LEN + 1];
    int64_t best_s;
};

static bool
is_open(const struct signing_key *k, int64_t now_s)
{
    return k->from_s <= now_s && now_s < k->until_s;
}

/* Of several the one that is good for longest. */
static enum mauth_rc
match(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct search *s = arg;

    (void)err;
    if (k->state != s->state || !is_open(k, s->now_s) || k->until_s <= s->best_s ||
        strcmp(k->audiences, s->not_this->audiences) != 0 ||
        strcmp(mauth_key_id(k->key), mauth_key_id(s->not_this->key)) == 0)
        return MAUTH_OK;
    s->best_s = k->until_s;
    snprintf(s->id, sizeof(s->id), "%s", mauth_key_id(k->key));
    return MAUTH_OK;
}

static enum mauth_rc
search(struct kv_txn *txn, struct key_change *c, const struct signing_key *not_this,
    enum trust_state state, struct mauth_err *err)
{
    struct search s = {.not_this = not_this, .state = state, .now_s = c->now_s};
    enum mauth_rc rc = signing_key_each(txn, c->seal, match, &s, err);

    memcpy(c->other, s.id, sizeof(c->other));
    return rc;
}

static void
make_active(struct signing_key *k, const struct key_change *c)
{
    k->state = TRUST_ACTIVE;
    k->active_s = c->now_s;
    k->retires_s = 0;
    if (k->longest_s < c->longest_s)
        k->longest_s = c->longest_s;
}

/* Until the last ticket that it may have signed has expired. */
static void
retire(struct signing_key *k, const struct key_change *c)
{
    int64_t longest_s = k->longest_s > c->longest_s ? k->longest_s : c->longest_s;

    k->state = TRUST_RETIRING;
    k->retires_s = c->now_s + longest_s + KEY_RETIRES_MARGIN_S;
}

/* The other one, changed. */
static enum mauth_rc
change_other(struct kv_txn *txn, const struct key_change *c, enum trust_state to,
    struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc;

    if (!c->other[0])
        return MAUTH_OK;
    signing_key_init(&k);
    rc = signing_key_find(txn, c->seal, c->other, &k, err);
    if (to == TRUST_ACTIVE)
        make_active(&k, c);
    else
        retire(&k, c);
    if (rc == MAUTH_OK)
        rc = signing_key_put(txn, c->seal, &k, c->nonce[1], err);
    signing_key_clear(&k);
    return rc;
}

/* May it sign? */
static enum mauth_rc
check_activation(const struct signing_key *k, int64_t now_s, struct mauth_err *err)
{
    const char *id = mauth_key_id(k->key);
    char when[TIME_LEN + 1];

    if (k->state == TRUST_REVOKED)
        return mauth_fail(err, MAUTH_CONFLICT, "The key %s was revoked.", id);
    time_format(is_open(k, now_s) || now_s < k->from_s ? k->from_s : k->until_s, when);
    if (now_s < k->from_s)
        return mauth_fail(
            err, MAUTH_CONFLICT, "The key %s is good only from %s.", id, when);
    if (!is_open(k, now_s))
        return mauth_fail(
            err, MAUTH_CONFLICT, "The key %s was good only until %s.", id, when);
    return MAUTH_OK;
}

static enum mauth_rc
activate(struct kv_txn *txn, struct key_change *c, struct signing_key *k,
    struct mauth_err *err)
{
    enum mauth_rc rc = check_activation(k, c->now_s, err);

    if (rc == MAUTH_OK)
        rc = search(txn, c, k, TRUST_ACTIVE, err);
    if (rc == MAUTH_OK)
        rc = change_other(txn, c, TRUST_RETIRING, err);
    if (rc != MAUTH_OK)
        return rc;
    fault_point("key.other-retired");
    make_active(k, c);
    return signing_key_put(txn, c->seal, k, c->nonce[0], err);
}

enum mauth_rc
key_life_activate(struct kv_txn *txn, struct key_change *c, const char *id,
    bool *changed, struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc;

    c->other[0] = '\0';
    signing_key_init(&k);
    rc = signing_key_find(txn, c->seal, id, &k, err);
    *changed = rc == MAUTH_OK && k.state != TRUST_ACTIVE;
    if (*changed)
        rc = activate(txn, c, &k, err);
    signing_key_clear(&k);
    return rc;
}

/* Whoever takes over from an active key that ends. */
static enum mauth_rc
hand_over(struct kv_txn *txn, struct key_change *c, const struct signing_key *k,
    struct mauth_err *err)
{
    enum mauth_rc rc = search(txn, c, k, TRUST_NEXT, err);

    if (rc == MAUTH_OK && !c->other[0])
        rc = search(txn, c, k, TRUST_RETIRING, err);
    return rc ? rc : change_other(txn, c, TRUST_ACTIVE, err);
}

enum mauth_rc
key_life_revoke(struct kv_txn *txn, struct key_change *c, const char *id, bool *changed,
    struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc;

    c->other[0] = '\0';
    signing_key_init(&k);
    rc = signing_key_find(txn, c->seal, id, &k, err);
    *changed = rc == MAUTH_OK && k.state != TRUST_REVOKED;
    if (*changed && k.state == TRUST_ACTIVE)
        rc = hand_over(txn, c, &k, err);
    fault_point("key.handed-over");
    if (rc == MAUTH_OK && *changed) {
        k.state = TRUST_REVOKED;
        k.retires_s = 0;
        buf_clear(&k.pkcs8);
        rc = signing_key_put(txn, c->seal, &k, c->nonce[0], err);
    }
    signing_key_clear(&k);
    return rc;
}

/* The longest ticket. */

struct shorter {
    int64_t longest_s;
    char id[MAUTH_KEY_ID_LEN + 1];
};

static enum mauth_rc
match_shorter(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct shorter *s = arg;

    (void)err;
    if (k->state == TRUST_ACTIVE && k->longest_s < s->longest_s)
        snprintf(s->id, sizeof(s->id), "%s", mauth_key_id(k->key));
    return MAUTH_OK;
}

enum mauth_rc
key_life_lengthen(
    struct kv_txn *txn, struct key_change *c, bool *changed, struct mauth_err *err)
{
    struct shorter s = {.longest_s = c->longest_s};
    struct signing_key k;
    enum mauth_rc rc = signing_key_each(txn, c->seal, match_shorter, &s, err);

    *changed = false;
    if (rc != MAUTH_OK || !s.id[0])
        return rc;
    signing_key_init(&k);
    rc = signing_key_find(txn, c->seal, s.id, &k, err);
    if (rc == MAUTH_OK) {
        k.longest_s = c->longest_s;
        rc = signing_key_put(txn, c->seal, &k, c->nonce[0], err);
    }
    *changed = rc == MAUTH_OK;
    signing_key_clear(&k);
    return rc;
}

/* The end. */

struct ended {
    int64_t now_s;
    char id[MAUTH_KEY_ID_LEN + 1];
};

static enum mauth_rc
match_ended(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct ended *e = arg;

    (void)err;
    if (e->now_s >= k->until_s ||
        (k->state == TRUST_RETIRING && e->now_s >= k->retires_s))
        snprintf(e->id, sizeof(e->id), "%s", mauth_key_id(k->key));
    return MAUTH_OK;
}

enum mauth_rc
key_life_ended(struct kv_txn *txn, const struct key_change *c,
    char id[MAUTH_KEY_ID_LEN + 1], struct mauth_err *err)
{
    struct ended e = {.now_s = c->now_s};
    enum mauth_rc rc = signing_key_each(txn, c->seal, match_ended, &e, err);

    memcpy(id, e.id, sizeof(e.id));
    return rc;
}

enum mauth_rc
key_life_end(struct kv_txn *txn, struct key_change *c, char id[MAUTH_KEY_ID_LEN + 1],
    struct mauth_err *err)
{
    struct signing_key k;
    enum mauth_rc rc = key_life_ended(txn, c, id, err);

    if (rc != MAUTH_OK || !id[0])
        return rc;
    signing_key_init(&k);
    rc = signing_key_find(txn, c->seal, id, &k, err);
    if (rc == MAUTH_OK)
        rc = signing_key_delete(txn, &k, err);
    signing_key_clear(&k);
    return rc;
}
