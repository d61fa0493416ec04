/* A verifier with the files of an issuer, and tickets of Alice to show it. */
#ifndef TESTS_VERIFIER_WORLD_H
#define TESTS_VERIFIER_WORLD_H

#include "tests/unit/issuer.h"
#include <meshauth/verifier.h>

struct world {
    struct issuer issuer;
    struct mauth_verifier *verifier;
    struct mauth_decision d;
};

static inline struct mauth_verifier_options
options(const struct issuer *s)
{
    struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = s->trust_file,
        .root_vkey = s->vkey,
        .audience = STORAGE,
        .rules_file = s->rules_file,
        .look_ms = 1};

    return o;
}

static inline int
setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct mauth_verifier_options o;

    assert_non_null(w);
    issuer_make(&w->issuer);
    o = options(&w->issuer);
    assert_int_equal(mauth_verifier_open(&o, &w->verifier, NULL), MAUTH_OK);
    w->d.size = sizeof(w->d);
    *state = w;
    return 0;
}

static inline int
teardown(void **state)
{
    struct world *w = *state;

    mauth_verifier_close(w->verifier);
    issuer_remove(&w->issuer);
    free(w);
    return 0;
}

/* May Alice's device do this on the Trip, with these credentials? */
static inline enum mauth_rc
ask_at(struct world *w, const char *credentials, const char *action, const char *url,
    int64_t now_s)
{
    const char *args[] = {url};
    struct mauth_request r = {.size = sizeof(r),
        .key_spki = w->issuer.device,
        .key_spki_len = w->issuer.device_len,
        .action = action,
        .args = args,
        .arg_count = 1,
        .now_s = now_s};
    size_t size = strlen(credentials) + 8;
    char *header = malloc(size);
    enum mauth_rc rc;

    assert_non_null(header);

    snprintf(header, size, "Bearer %s", credentials);
    r.authorization = header;
    r.authorization_len = strlen(header);
    rc = mauth_verifier_check(w->verifier, &r, &w->d);
    assert_int_equal(rc == MAUTH_OK, w->d.verdict == MAUTH_ALLOW);
    free(header);
    return rc;
}

static inline enum mauth_rc
ask(struct world *w, const char *credentials, const char *action, const char *url)
{
    return ask_at(w, credentials, action, url, ISSUER_NOW);
}

static inline char *
read_ticket(struct world *w, const char *url, bool deflated)
{
    struct ticket t = issuer_draft(&w->issuer);

    draft_permit(&t, url, "read");
    return issuer_sign(&w->issuer, &t, deflated);
}

#endif
