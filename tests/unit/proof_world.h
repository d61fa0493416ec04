/*
 * Rights tickets of several people's devices, and services that check them by the trust
 * file that is made from the same store.
 */
#ifndef TESTS_PROOF_WORLD_H
#define TESTS_PROOF_WORLD_H

#include "base/hash.h"
#include "keys/trust_write.h"
#include "store/graph_folder.h"
#include "store/graph_member.h"
#include "store/publish.h"
#include "tests/unit/rights_world.h"
#include <meshauth/credential.h>
#include <meshauth/verifier.h>

enum {
    PROOF_NOW_S = CALLER_NOW_S
};

struct proof_world {
    struct caller_world w;
    struct buf delegation;
    char vkey[NOTE_VKEY_MAX + 1];
    char trust_file[96];
    struct mauth_verifier *storage, *relay;
};

/* A device with a key of its own, and the session of whoever has logged in on it. */
struct proof_device {
    struct id id;
    struct mauth_key *key;
    struct graph_session session;
};

static inline enum mauth_rc
proof_put_authority(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {21}, root_seed[NOTE_KEY_BYTES] = {22};
    struct proof_world *p = arg;
    struct keystore_authority a = {.epoch = 1};
    struct trust_delegation d = {GOLDEN_ISSUER, 1, &a.verifier, 0, TIME_MAX_S};
    uint8_t key[NOTE_KEY_BYTES];
    enum mauth_rc rc;

    assert_int_equal(
        note_secret_new("auth.mesh.example/authority", &a.seed, &a.verifier, NULL),
        MAUTH_OK);
    assert_int_equal(note_public(root_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/root", key, &a.root, NULL), MAUTH_OK);
    note_verifier_format(&a.root, p->vkey);
    buf_rewind(&p->delegation);
    assert_int_equal(
        trust_write_delegation(&d, &a.root, root_seed, &p->delegation, NULL), MAUTH_OK);
    a.delegation = (struct text){(char *)p->delegation.data, p->delegation.len};
    rc = keystore_authority_put(txn, p->w.dir.seal, &a, nonce, err);
    mauth_secret_free(a.seed);
    return rc;
}

/* The trust file of now, at every service. */
static inline void
proof_publish(struct proof_world *p)
{
    struct publish_options o = {GOLDEN_ISSUER, p->trust_file, 3600, PROOF_NOW_S};
    struct shared_ref *keys = own_keys_take(p->w.dir.service.keys);
    struct mauth_err err = MAUTH_ERR_INIT;

    if (publish_trust(p->w.dir.store.kv, own_keys_of(keys), &o, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    shared_drop(keys);
    if (p->storage && mauth_verifier_refresh(p->storage, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    if (p->relay && mauth_verifier_refresh(p->relay, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

static inline struct mauth_verifier *
proof_verifier(const struct proof_world *p, const char *audience)
{
    struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = p->trust_file,
        .root_vkey = p->vkey,
        .audience = audience,
        .rules_file = p->w.rules_file,
        .look_ms = 3600000}; /* only when it is told to */
    struct mauth_verifier *v = NULL;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (mauth_verifier_open(&o, &v, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return v;
}

static inline void
proof_services(struct kv_txn *txn, struct caller_world *w)
{
    (void)w;
    add_service(txn, 1, "storage", "", "");
    add_service(txn, 3, "relay", "", "sync");
}

static inline void
proof_make(struct proof_world *p)
{
    memset(p, 0, sizeof(*p));
    buf_init(&p->delegation);
    caller_world_make(&p->w, "");
    caller_do(&p->w, proof_services);
    assert_int_equal(
        kv_write(p->w.dir.store.kv, proof_put_authority, p, NULL), MAUTH_OK);
    service_reload(&p->w.dir);
    snprintf(p->trust_file, sizeof(p->trust_file), "%s/trust", p->w.dir.store.dir);
    proof_publish(p);
    p->storage = proof_verifier(p, "urn:meshauth:service:storage");
    p->relay = proof_verifier(p, "urn:meshauth:service:relay");
}

static inline void
proof_remove(struct proof_world *p)
{
    mauth_verifier_close(p->storage);
    mauth_verifier_close(p->relay);
    unlink(p->trust_file);
    buf_clear(&p->delegation);
    caller_world_remove(&p->w);
}

static inline void
proof_new_key(struct proof_device *d)
{
    struct signer *s = NULL;
    struct buf pkcs8;
    const uint8_t *spki;
    size_t len;

    buf_init_secret(&pkcs8);
    assert_int_equal(signer_generate(SIGNER_P256, &pkcs8, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(pkcs8.data, pkcs8.len, &s, NULL), MAUTH_OK);
    spki = mauth_key_spki(signer_key(s), &len);
    assert_int_equal(mauth_key_from_spki(spki, len, &d->key, NULL), MAUTH_OK);
    signer_free(s);
    buf_clear(&pkcs8);
}

static inline struct graph_device
proof_node(const struct proof_device *d)
{
    struct graph_device node = {.id = d->id, .name = "device"};
    const uint8_t *spki = mauth_key_spki(d->key, &node.spki_len);

    memcpy(node.spki, spki, node.spki_len);
    return node;
}

/* The session of this user on the device, to be put into the store. */
static inline void
proof_begin_session(struct proof_device *d, const struct id *user)
{
    const uint8_t *spki;
    size_t len;

    d->session = (struct graph_session){.subject = *user,
        .started_s = PROOF_NOW_S - 100,
        .ends_s = PROOF_NOW_S + 40000,
        .open = true};
    assert_int_equal(id_new(&d->session.id, NULL), MAUTH_OK);
    spki = mauth_key_spki(d->key, &len);
    assert_int_equal(hash_bytes(spki, len, d->session.key_hash, NULL), MAUTH_OK);
}

/* As whom rights are asked for; everything else is the world's. */
static inline struct caller_world
proof_caller(const struct proof_world *p, const struct proof_device *d)
{
    struct caller_world w = p->w;

    w.caller = (struct caller){.now_s = PROOF_NOW_S,
        .proof = {.key = d->key},
        .kind = ID_USER,
        .principal = d->session.subject,
        .session = d->session.id};
    memcpy(w.caller.key_hash, d->session.key_hash, sizeof(w.caller.key_hash));
    w.ground.service = &p->w.dir.service;
    w.ground.holder = d->key;
    return w;
}

/* May it be done, with this credential? The reason else. */
static inline enum mauth_reason
proof_check(struct mauth_verifier *v, const struct mauth_key *key,
    const char *authorization, const char *action, const char *const *args,
    size_t count, bool *may)
{
    struct mauth_decision d = {.size = sizeof(d)};
    struct mauth_request r = {.size = sizeof(r),
        .authorization = authorization,
        .authorization_len = strlen(authorization),
        .action = action,
        .args = args,
        .arg_count = count,
        .now_s = PROOF_NOW_S};
    enum mauth_rc rc;

    r.key_spki = mauth_key_spki(key, &r.key_spki_len);
    rc = mauth_verifier_check(v, &r, &d);
    *may = rc == MAUTH_OK && d.verdict == MAUTH_ALLOW;
    assert_int_equal(*may, d.verdict == MAUTH_ALLOW);
    return d.reason;
}

#endif
