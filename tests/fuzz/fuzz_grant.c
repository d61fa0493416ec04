#include "cli/grant.h"
#include "tests/fuzz/fuzz.h"

/* The golden device, for which the answers of the corpus are. */
static const char device_pem[] =
    "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEjZnroNRqNXS6ghlaK2hOYflDcD8j\n"
    "JYdkAIRVld6p14GefD8yGWvpXXoXbKMkzV6hjk2R74QsyPhRBZdGY2DzGw==\n"
    "-----END PUBLIC KEY-----\n";

static const struct mauth_key *
device(void)
{
    static struct mauth_key *key;

    if (!key)
        MUST(!mauth_key_from_pem(device_pem, strlen(device_pem), &key, NULL));
    return key;
}

/* What is taken is whole, and reads back from what is kept of it. */
static void
check(const struct grant *g, const struct grant_owner *owner)
{
    json_t *kept = grant_json(g), *again;
    struct grant *back = NULL;

    MUST(kept && grant_count(g) > 0 && grant_count(g) <= GRANT_TICKETS);
    MUST(mauth_ticket_is_identity(grant_ticket(g, 0)));
    for (size_t i = 0; i < grant_count(g); i++)
        MUST(!strcmp(mauth_ticket_issuer(grant_ticket(g, i)), owner->issuer));
    MUST(!grant_from_json(kept, owner, &back, NULL));
    again = grant_json(back);
    MUST(json_equal(kept, again));
    json_decref(again);
    json_decref(kept);
    grant_free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct grant_owner owner = {"https://auth.mesh.example", device()};
    struct text json = {(const char *)data, size};
    struct grant *g = NULL;

    if (grant_from_answer(json, &owner, &g, NULL) == MAUTH_OK)
        check(g, &owner);
    else
        MUST(!g);
    grant_free(g);
    return 0;
}
