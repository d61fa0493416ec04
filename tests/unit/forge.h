/*
 * Signing with the golden root and authority what the golden trust file might have
 * said instead.
 */
#ifndef TESTS_FORGE_H
#define TESTS_FORGE_H

#include "base/hash.h"
#include "base/str.h"
#include "keys/trust_write.h"
#include "tests/unit/golden.h"

/* Root and authority of the golden file, to sign what it might have said. */
struct forge {
    struct note_verifier root, authority;
    uint8_t root_seed[NOTE_KEY_BYTES], authority_seed[NOTE_KEY_BYTES];
};

static inline struct forge
golden_forge(void)
{
    struct forge f;
    uint8_t der[128], key[NOTE_KEY_BYTES];
    size_t len;

    /* The seed ends the PKCS#8 form of an Ed25519 key (RFC 8410). */
    len = golden_der("root.pem", der, sizeof(der));
    memcpy(f.root_seed, der + len - NOTE_KEY_BYTES, NOTE_KEY_BYTES);
    assert_int_equal(note_public(f.root_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/root", key, &f.root, NULL), MAUTH_OK);
    len = golden_der("authority.pem", der, sizeof(der));
    memcpy(f.authority_seed, der + len - NOTE_KEY_BYTES, NOTE_KEY_BYTES);
    assert_int_equal(note_public(f.authority_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/authority", key, &f.authority, NULL),
        MAUTH_OK);
    return f;
}

/* What the golden trust file says, to be written; clear it afterwards. */
struct golden_statement {
    struct forge forge;
    struct trust_delegation delegation;
    struct trust_key key[2];
    struct trust_statement statement;
};

static const char *const golden_revocations[] = {
    "revoke 4713 fld_0fffffffffffffffffffffffff usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
    "revoke 4700 dev_0yyyyyyyyyyyyyyyyyyyyyyyyy usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
    "revoke 4712 dev_0zzzzzzzzzzzzzzzzzzzzzzzzz"};

static inline void
golden_statement_init(struct golden_statement *g)
{
    *g = (struct golden_statement){.forge = golden_forge()};
    g->delegation = (struct trust_delegation){.issuer = GOLDEN_ISSUER,
        .epoch = 1,
        .authority = &g->forge.authority,
        .from_s = golden_time("2026-11-01T00:00:00Z"),
        .until_s = golden_time("2027-11-01T00:00:00Z")};
    g->key[0] = (struct trust_key){
        .key = golden_key("signing-p256.pub.pem"), .state = TRUST_ACTIVE};
    g->key[1] = (struct trust_key){
        .key = golden_key("signing-rsa2048.pub.pem"), .state = TRUST_RETIRING};
    for (int i = 0; i < 2; i++) {
        g->key[i].from_s = golden_time("2026-11-01T00:00:00Z");
        g->key[i].until_s = golden_time("2026-12-01T00:00:00Z");
        g->key[i].all_audiences = true;
    }
    g->statement = (struct trust_statement){.issuer = GOLDEN_ISSUER,
        .epoch = 1,
        .sequence = 42,
        .issued_s = golden_time("2026-11-22T10:04:00Z"),
        .expires_s = golden_time("2026-11-22T11:04:00Z"),
        .tree_size = 1234,
        .keys = g->key,
        .key_count = 2,
        .revocations = golden_revocations,
        .revocation_count = COUNT(golden_revocations)};
    assert_int_equal(hash_bytes("example", 7, g->statement.tree_root, NULL), MAUTH_OK);
}

static inline void
golden_statement_clear(struct golden_statement *g)
{
    trust_key_clear(&g->key[0]);
    trust_key_clear(&g->key[1]);
}

/* Delegation and file, as g says; out is appended to. */
static inline enum mauth_rc
golden_write(const struct golden_statement *g, struct buf *out, struct mauth_err *err)
{
    struct buf delegation;
    enum mauth_rc rc;

    buf_init(&delegation);
    rc = trust_write_delegation(
        &g->delegation, &g->forge.root, g->forge.root_seed, &delegation, err);
    if (rc == MAUTH_OK)
        rc = trust_write((struct text){(char *)delegation.data, delegation.len},
            &g->statement, &g->forge.authority, g->forge.authority_seed, out, err);
    buf_clear(&delegation);
    return rc;
}

#endif
