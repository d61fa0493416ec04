#include "tests/fuzz/fuzz.h"
#include <meshauth/dpop.h>

/* The corpus has proofs that were good at another time: to pass at this one, somebody
 * must sign anew, and the private keys of the corpus are nobody's. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static _Alignas(64) uint8_t memory[1 << 13];
    struct mauth_dpop_want want = {.size = sizeof(want),
        .method = "GET",
        .url = "https://storage.example/files/a",
        .credential = "PHNhbWw6~AAAA",
        .credential_len = 13,
        .now_s = 4000000000};
    struct mauth_key *key = NULL;

    MUST(!mauth_replay_init(memory, sizeof(memory), &want.replay, NULL));
    MUST(mauth_dpop_check((const char *)data, size, &want, &key, NULL));
    MUST(!key);
    return 0;
}
