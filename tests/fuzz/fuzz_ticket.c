#include "tests/fuzz/fuzz.h"
#include <meshauth/ticket.h>

static struct mauth_trust *
trust(void)
{
    static struct mauth_trust *made;
    struct mauth_key *key;

    if (!made) {
        MUST(!mauth_key_from_pem(GOLDEN_P256, strlen(GOLDEN_P256), &key, NULL));
        MUST(!mauth_trust_from_key("https://auth.mesh.example", key, &made, NULL));
        mauth_key_free(key);
    }
    return made;
}

/* No golden ticket is for this audience: to pass, a signature must be forged. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct mauth_expect want = {.size = sizeof(want),
        .audience = "urn:meshauth:service:fuzz",
        .now_s = 1795341900,
        .skew_s = 60,
        .allow_bearer = true};
    struct mauth_ticket *t = NULL;

    MUST(mauth_ticket_verify((const char *)data, size, trust(), &want, &t, NULL));
    MUST(!t);
    if (mauth_ticket_read_untrusted((const char *)data, size, &t, NULL) == MAUTH_OK) {
        MUST(mauth_ticket_id(t) && mauth_ticket_subject(t) && mauth_ticket_session(t));
        MUST(mauth_ticket_audience_count(t) > 0);
        MUST(!mauth_ticket_is_identity(t) || mauth_ticket_permit_count(t) == 0);
    }
    mauth_ticket_free(t);
    return 0;
}
