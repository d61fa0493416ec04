#include "base/hash.h"
#include "keys/trust_write.h"
#include "tests/unit/golden.h"

static void
seed_of(const char *file, const char *name, uint8_t seed[NOTE_KEY_BYTES],
    struct note_verifier *v)
{
    uint8_t der[128], key[NOTE_KEY_BYTES];
    size_t len = golden_der(file, der, sizeof(der));

    memcpy(seed, der + len - NOTE_KEY_BYTES, NOTE_KEY_BYTES);
    assert_int_equal(note_public(seed, key, NULL), MAUTH_OK);
    assert_int_equal(note_verifier_make(name, key, v, NULL), MAUTH_OK);
}

/* Ed25519 leaves nothing to chance: the golden file comes out byte for byte. */
static void
writes_the_golden_file(void **state)
{
    static const char *const revocations[] = {
        "revoke 4713 fld_0fffffffffffffffffffffffff usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        "revoke 4700 dev_0yyyyyyyyyyyyyyyyyyyyyyyyy usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        "revoke 4712 dev_0zzzzzzzzzzzzzzzzzzzzzzzzz"};
    uint8_t root_seed[NOTE_KEY_BYTES], seed[NOTE_KEY_BYTES];
    struct note_verifier root, authority;
    struct trust_delegation d = {.issuer = GOLDEN_ISSUER,
        .epoch = 1,
        .authority = &authority,
        .from_s = golden_time("2026-11-01T00:00:00Z"),
        .until_s = golden_time("2027-11-01T00:00:00Z")};
    struct mauth_key *p256 = golden_key("signing-p256.pub.pem");
    struct mauth_key *rsa = golden_key("signing-rsa2048.pub.pem");
    struct trust_key keys[2] = {
        {.key = p256, .state = TRUST_ACTIVE}, {.key = rsa, .state = TRUST_RETIRING}};
    struct trust_statement s = {.issuer = GOLDEN_ISSUER,
        .epoch = 1,
        .sequence = 42,
        .issued_s = golden_time("2026-11-22T10:04:00Z"),
        .expires_s = golden_time("2026-11-22T11:04:00Z"),
        .tree_size = 1234,
        .keys = keys,
        .key_count = 2,
        .revocations = revocations,
        .revocation_count = 3};
    size_t len;
    char *golden = golden_file("trust", "", &len);
    struct buf delegation, out;

    (void)state;
    seed_of("root.pem", "auth.mesh.example/root", root_seed, &root);
    seed_of("authority.pem", "auth.mesh.example/authority", seed, &authority);
    for (int i = 0; i < 2; i++) {
        keys[i].from_s = golden_time("2026-11-01T00:00:00Z");
        keys[i].until_s = golden_time("2026-12-01T00:00:00Z");
        keys[i].all_audiences = true;
    }
    assert_int_equal(hash_bytes("example", 7, s.tree_root, NULL), MAUTH_OK);
    buf_init(&delegation);
    buf_init(&out);
    assert_int_equal(
        trust_write_delegation(&d, &root, root_seed, &delegation, NULL), MAUTH_OK);
    assert_int_equal(trust_write((struct text){(char *)delegation.data, delegation.len},
                         &s, &authority, seed, &out, NULL),
        MAUTH_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, golden, len);
    buf_clear(&delegation);
    buf_clear(&out);
    free(golden);
    mauth_key_free(p256);
    mauth_key_free(rsa);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(writes_the_golden_file)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
