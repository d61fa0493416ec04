/* An account service without its server, and an identity ticket that it has issued. */
#ifndef TESTS_UNIT_ISSUED_WORLD_H
#define TESTS_UNIT_ISSUED_WORLD_H

#include "authsvc/issue.h"
#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "tests/unit/golden.h"
#include "tests/unit/press.h"
#include "verifier/cache.h"
#include <meshauth/credential.h>

enum {
    NOW_S = 1500,
    LIFE_S = 1000,
    ASOF = 3
};

struct world {
    struct press press;
    struct config config;
    struct service service;
    struct mauth_key *device, *other;
    struct issued issued;
    char *credential;
};

static inline void
publish(struct world *w, int64_t now_s)
{
    w->press.o.now_s = now_s;
    assert_int_equal(
        publish_trust(w->press.s.kv, w->press.keys, &w->press.o, NULL), MAUTH_OK);
    assert_int_equal(own_trust_load(w->service.trust, w->press.path,
                         &w->press.authority.verifier, NULL),
        MAUTH_OK);
}

static inline void
issue(struct world *w)
{
    const struct issue_ground ground = {.service = &w->service,
        .now_s = NOW_S,
        .asof = ASOF,
        .subject_kind = ID_USER,
        .subject = {.b = {1}},
        .session = {.b = {2}},
        .authn_instant_s = NOW_S,
        .session_ends_s = NOW_S + LIFE_S,
        .holder = w->device,
        .client = "192.0.2.1",
        .request = "request-1"};

    assert_int_equal(issue_identity(&ground, &w->issued, NULL), MAUTH_OK);
    assert_int_equal(mauth_credential_encode(
                         w->issued.xml, w->issued.xml_len, false, &w->credential, NULL),
        MAUTH_OK);
}

static inline int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    press_set_up(&w.press);
    w.config.issuer.url = w.press.o.issuer;
    w.config.tickets.identity_s = LIFE_S;
    w.service.config = &w.config;
    w.service.kv = w.press.s.kv;
    w.device = golden_key("device.pub.pem");
    w.other = golden_key("signing-p256.pub.pem");
    assert_int_equal(
        own_keys_open(w.press.s.kv, w.press.seal, &w.service.keys, NULL), MAUTH_OK);
    assert_int_equal(own_trust_new(&w.service.trust, NULL), MAUTH_OK);
    assert_int_equal(cache_new(4, 1 << 20, &w.service.known, NULL), MAUTH_OK);
    publish(&w, NOW_S);
    issue(&w);
    *state = &w;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct world *w = *state;

    free(w->credential);
    issued_clear(&w->issued);
    cache_free(w->service.known);
    shared_free(w->service.trust);
    own_keys_close(w->service.keys);
    mauth_key_free(w->device);
    mauth_key_free(w->other);
    press_tear_down(&w->press);
    return 0;
}

#endif
