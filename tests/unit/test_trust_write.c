#include "keys/trust_write.h"
#include "tests/unit/forge.h"

/* Ed25519 leaves nothing to chance: the golden file comes out byte for byte. */
static void
writes_the_golden_file(void **state)
{
    struct golden_statement g;
    struct buf out;
    size_t len;
    char *golden = golden_file("trust", "", &len);

    (void)state;
    golden_statement_init(&g);
    buf_init(&out);
    assert_int_equal(golden_write(&g, &out, NULL), MAUTH_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, golden, len);
    buf_clear(&out);
    free(golden);
    golden_statement_clear(&g);
}

/* One state change may be noted twice; a reader wants each line once. */
static void
writes_each_line_once(void **state)
{
    const char *twice[] = {golden_revocations[0], golden_revocations[1],
        golden_revocations[0], golden_revocations[2], golden_revocations[1]};
    struct golden_statement g;
    struct buf out;
    size_t len;
    char *golden = golden_file("trust", "", &len);

    (void)state;
    golden_statement_init(&g);
    g.statement.revocations = twice;
    g.statement.revocation_count = COUNT(twice);
    buf_init(&out);
    assert_int_equal(golden_write(&g, &out, NULL), MAUTH_OK);
    assert_int_equal(out.len, len);
    assert_memory_equal(out.data, golden, len);
    buf_clear(&out);
    free(golden);
    golden_statement_clear(&g);
}

static void
long_number(struct golden_statement *g)
{
    g->statement.sequence = UINT64_C(1000000000000000000);
}

static void
long_tree(struct golden_statement *g)
{
    g->statement.tree_size = UINT64_MAX;
}

static void
long_life(struct golden_statement *g)
{
    g->statement.expires_s = g->statement.issued_s + TRUST_LIFE_MAX_S + 1;
}

static void
no_life(struct golden_statement *g)
{
    g->statement.expires_s = g->statement.issued_s;
}

static void
before_1970(struct golden_statement *g)
{
    g->statement.issued_s = -1;
    g->statement.expires_s = 3600;
}

static void
early(struct golden_statement *g)
{
    g->statement.issued_s = g->delegation.from_s - 1;
    g->statement.expires_s = g->delegation.from_s + 100;
}

static void
late(struct golden_statement *g)
{
    g->statement.issued_s = g->delegation.until_s;
    g->statement.expires_s = g->delegation.until_s + 100;
}

static void
other_epoch(struct golden_statement *g)
{
    g->statement.epoch = 2;
}

static void
other_issuer(struct golden_statement *g)
{
    g->statement.issuer = "https://auth.mesh.exampl";
}

static void
other_authority(struct golden_statement *g)
{
    static struct note_verifier other;
    uint8_t seed[NOTE_KEY_BYTES], key[NOTE_KEY_BYTES];

    assert_int_equal(note_generate(seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make(g->forge.authority.name, key, &other, NULL), MAUTH_OK);
    g->delegation.authority = &other;
}

static void
key_twice(struct golden_statement *g)
{
    static struct trust_key keys[2];

    keys[0] = keys[1] = g->key[0];
    g->statement.keys = keys;
}

static void
key_window(struct golden_statement *g)
{
    g->key[1].until_s = g->key[1].from_s;
}

static void
no_audience(struct golden_statement *g)
{
    g->key[1].all_audiences = false;
}

static void
comma(struct golden_statement *g)
{
    static struct text audience;

    audience = text_of("urn:a,b");
    g->key[1].all_audiences = false;
    g->key[1].audience = &audience;
    g->key[1].audiences = 1;
}

static void
no_revocation(struct golden_statement *g)
{
    static const char *const lines[] = {"revoke 1 *\nrevoke 2 *"};

    g->statement.revocations = lines;
    g->statement.revocation_count = 1;
}

static const struct refusal {
    const char *name;
    void (*spoil)(struct golden_statement *g);
    enum mauth_rc rc;
} refusals[] = {
    {"a number of 19 digits", long_number, MAUTH_INVALID},
    {"a tree of 20 digits", long_tree, MAUTH_INVALID},
    {"over 12 hours", long_life, MAUTH_INVALID},
    {"no life", no_life, MAUTH_INVALID},
    {"before 1970", before_1970, MAUTH_INVALID},
    {"before the delegation", early, MAUTH_EXPIRED},
    {"after the delegation", late, MAUTH_EXPIRED},
    {"another epoch", other_epoch, MAUTH_INVALID},
    {"another issuer", other_issuer, MAUTH_INVALID},
    {"another authority", other_authority, MAUTH_INVALID},
    {"a key twice", key_twice, MAUTH_INVALID},
    {"a key with an empty window", key_window, MAUTH_INVALID},
    {"a key for nobody", no_audience, MAUTH_INVALID},
    {"an audience with a comma", comma, MAUTH_INVALID},
    {"two lines in one", no_revocation, MAUTH_INVALID},
};

/* Nothing is written that no reader would take. */
static void
refuses(void **state)
{
    struct golden_statement g;
    struct buf out;

    (void)state;
    buf_init(&out);
    buf_str(&out, "before");
    for (size_t i = 0; i < COUNT(refusals); i++) {
        enum mauth_rc rc;

        golden_statement_init(&g);
        refusals[i].spoil(&g);
        rc = golden_write(&g, &out, NULL);
        if (rc != refusals[i].rc || out.len != 6)
            fail_msg("%s: %s", refusals[i].name, mauth_rc_name(rc));
        if (g.key[1].audiences)
            g.key[1].audience = NULL; /* not ours to free */
        golden_statement_clear(&g);
    }
    buf_clear(&out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_golden_file),
        cmocka_unit_test(writes_each_line_once),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
