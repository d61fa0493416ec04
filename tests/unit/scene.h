/* The golden ticket "rights" about to be verified: all that a check needs. */
#ifndef TESTS_SCENE_H
#define TESTS_SCENE_H

#include "tests/unit/golden.h"

/* Everything a check needs, good as it is; a test spoils one thing. */
struct scene {
    struct mauth_trust *trust;
    struct mauth_key *device;
    struct mauth_expect want;
};

static inline struct scene
scene(void)
{
    struct scene s = {.trust = golden_trust(), .device = golden_key("device.pub.pem")};

    s.want = (struct mauth_expect){.size = sizeof(s.want),
        .audience = "urn:meshauth:service:storage",
        .now_s = golden_time("2026-11-22T10:05:00Z"),
        .skew_s = MAUTH_SKEW_DEFAULT_S};
    s.want.holder_spki = mauth_key_spki(s.device, &s.want.holder_spki_len);
    return s;
}

static inline void
strike(struct scene *s)
{
    mauth_trust_free(s->trust);
    mauth_key_free(s->device);
}

static inline enum mauth_reason
verdict(const char *xml, size_t len, const struct scene *s)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_ticket *t = NULL;

    if (mauth_ticket_verify(xml, len, s->trust, &s->want, &t, &err) == MAUTH_OK) {
        assert_non_null(t);
        mauth_ticket_free(t);
        return MAUTH_REASON_NONE;
    }
    assert_null(t);
    assert_int_not_equal(err.reason, MAUTH_REASON_NONE);
    return err.reason;
}

static inline void
expect(const struct scene *s, const char *xml, size_t len, enum mauth_reason want,
    const char *what)
{
    enum mauth_reason got = verdict(xml, len, s);

    if (got != want)
        fail_msg("%s: \"%s\" instead of \"%s\"", what, mauth_reason_name(got),
            mauth_reason_name(want));
}

#endif
