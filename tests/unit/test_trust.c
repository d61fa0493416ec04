#include "keys/trust.h"
#include "tests/unit/forge.h"

/* The three parts of the golden file, without signatures. */
struct parts {
    char *delegation, *statement, *list;
};

static struct parts
golden_parts(void)
{
    char *data = golden_file("trust", "", NULL);
    char *second = strstr(data, "meshauth-trust"), *third = strstr(data, "revoke 4700");
    struct parts p;

    p.list = strdup(third);
    *strstr(second, "\n\xe2\x80\x94") = '\0';
    p.statement = strdup(second);
    *strstr(data, "\n\xe2\x80\x94") = '\0';
    p.delegation = strdup(data);
    free(data);
    return p;
}

static void
free_parts(struct parts *p)
{
    free(p->delegation);
    free(p->statement);
    free(p->list);
}

static void
replace(char **in, const char *what, const char *with)
{
    char *at = strstr(*in, what), *made;
    size_t size = strlen(*in) + strlen(with) + 1;

    if (!at)
        fail_msg("not there: %s", what);
    made = malloc(size);
    assert_non_null(made);
    snprintf(made, size, "%.*s%s%s", (int)(at - *in), *in, with, at + strlen(what));
    free(*in);
    *in = made;
}

/* Makes the statement fit the list. */
static void
count_list(struct parts *p)
{
    char line[128], b64[45] = "";
    uint8_t hash[HASH_LEN];
    size_t n = 0;
    char *at = strstr(p->statement, "revocations ");

    for (const char *c = p->list; *c; c++)
        n += *c == '\n';
    assert_int_equal(hash_bytes(p->list, strlen(p->list), hash, NULL), MAUTH_OK);
    b64_encode(B64_STD, hash, sizeof(hash), b64);
    snprintf(line, sizeof(line), "revocations %zu %s\n", n, b64);
    *at = '\0';
    at = malloc(strlen(p->statement) + strlen(line) + 1);
    sprintf(at, "%s%s", p->statement, line);
    free(p->statement);
    p->statement = at;
}

static enum mauth_rc
parse(const struct parts *p, const struct forge *f, struct mauth_trust **out,
    struct mauth_err *err)
{
    char vkey[NOTE_VKEY_MAX + 1];
    enum mauth_rc rc;
    struct buf b;

    buf_init(&b);
    assert_int_equal(
        note_sign(text_of(p->delegation), &f->root, f->root_seed, &b, NULL), MAUTH_OK);
    buf_str(&b, "\n");
    assert_int_equal(
        note_sign(text_of(p->statement), &f->authority, f->authority_seed, &b, NULL),
        MAUTH_OK);
    buf_str(&b, "\n");
    buf_str(&b, p->list);
    note_verifier_format(&f->root, vkey);
    rc = mauth_trust_parse(b.data, b.len, vkey, out, err);
    buf_clear(&b);
    return rc;
}

static void
reads_the_golden_file(void **state)
{
    struct mauth_trust *trust = golden_trust();
    struct mauth_key *key = golden_key("signing-rsa2048.pub.pem");
    const struct trust_key *found;

    (void)state;
    assert_string_equal(mauth_trust_issuer(trust), GOLDEN_ISSUER);
    assert_int_equal(mauth_trust_epoch(trust), 1);
    assert_int_equal(mauth_trust_sequence(trust), 42);
    assert_int_equal(mauth_trust_issued_s(trust), golden_time("2026-11-22T10:04:00Z"));
    assert_int_equal(mauth_trust_expires_s(trust), golden_time("2026-11-22T11:04:00Z"));
    assert_int_equal(trust_key_count(trust), 2);
    found = trust_key_find(trust, text_of(mauth_key_id(key)));
    assert_non_null(found);
    assert_int_equal(found->state, TRUST_RETIRING);
    assert_true(found->all_audiences);
    assert_null(trust_key_find(trust, text_of("0000000000000000")));
    assert_false(trust_is_bare(trust));
    mauth_key_free(key);
    mauth_trust_free(trust);
    mauth_trust_free(NULL);
}

static void
tells_of_authority_and_log(void **state)
{
    struct mauth_trust *trust = golden_trust();
    const struct delegation *d = trust_authority(trust);
    uint8_t tree_root[HASH_LEN], want[HASH_LEN];
    size_t len;
    char *file = golden_file("trust", "", &len);

    (void)state;
    assert_string_equal(d->authority.name, "auth.mesh.example/authority");
    assert_int_equal(d->until_s, golden_time("2027-11-01T00:00:00Z"));
    assert_int_equal(trust_revocation_count(trust), 3);
    assert_int_equal(trust_checkpoint(trust, tree_root), 1234);
    assert_int_equal(hash_bytes("example", 7, want, NULL), MAUTH_OK);
    assert_memory_equal(tree_root, want, HASH_LEN);
    assert_int_equal(hash_bytes(file, len, want, NULL), MAUTH_OK);
    assert_memory_equal(trust_hash(trust), want, HASH_LEN);
    free(file);
    mauth_trust_free(trust);
}

/* Who only looks needs no root, but what he sees was signed by the authority in it. */
static void
reads_without_a_root_what_its_authority_signed(void **state)
{
    struct mauth_trust *trust;
    size_t len;
    char *file = golden_file("trust", "", &len);

    (void)state;
    /* The root's signature, of which nothing is known. */
    *(strstr(file, "/root ") + 20) ^= 1;
    assert_int_equal(trust_parse_untrusted(file, len, &trust, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_sequence(trust), 42);
    mauth_trust_free(trust);
    *(strstr(file, "sequence 42") + strlen("sequence 4")) = '3';
    assert_int_equal(trust_parse_untrusted(file, len, &trust, NULL), MAUTH_UNTRUSTED);
    assert_null(trust);
    free(file);
}

static void
refuses_each_changed_byte(void **state)
{
    char *vkey = golden_vkey();
    size_t len;
    char *data = golden_file("trust", "", &len);
    struct mauth_trust *trust = NULL;

    (void)state;
    for (size_t i = 0; i < len; i++) {
        data[i] ^= 1;
        assert_int_not_equal(
            mauth_trust_parse(data, len, vkey, &trust, NULL), MAUTH_OK);
        assert_null(trust);
        data[i] ^= 1;
        assert_int_not_equal(mauth_trust_parse(data, i, vkey, &trust, NULL), MAUTH_OK);
        assert_null(trust);
    }
    free(data);
    free(vkey);
}

/* Correctly signed, and wrong. */
static const struct refusal {
    const char *name;
    char part; /* of the delegation, the statement or the list */
    const char *what, *with;
    enum mauth_rc rc;
} refusals[] = {
    {"another version", 'd', "v1", "v2", MAUTH_MALFORMED},
    {"not https", 'd', "https://", "http://", MAUTH_MALFORMED},
    {"another issuer", 'd', "auth.mesh.example\n", "auth.mesh.exampl\n",
        MAUTH_UNTRUSTED},
    {"another epoch", 's', "epoch 1", "epoch 2", MAUTH_UNTRUSTED},
    {"leading zero", 's', "sequence 42", "sequence 042", MAUTH_MALFORMED},
    {"issuers differ", 's', "auth.mesh.example\n", "auth.mesh.exampl\n",
        MAUTH_UNTRUSTED},
    {"authority not yet", 'd', "2026-11-01T", "2026-11-23T", MAUTH_UNTRUSTED},
    {"authority no more", 'd', "2027-11-01T", "2026-11-22T", MAUTH_UNTRUSTED},
    {"window the wrong way", 'd', "2027-11-01T", "2026-10-01T", MAUTH_MALFORMED},
    {"no such date", 's', "issued 2026-11-22", "issued 2026-11-31", MAUTH_MALFORMED},
    {"expires at once", 's', "expires 2026-11-22T11:04", "expires 2026-11-22T10:04",
        MAUTH_MALFORMED},
    {"lives over 12 h", 's', "expires 2026-11-22T11:04:00",
        "expires 2026-11-22T22:04:01", MAUTH_MALFORMED},
    {"two spaces", 's', "sequence 42", "sequence  42", MAUTH_MALFORMED},
    {"carriage return", 's', "sequence 42", "sequence 42\r", MAUTH_MALFORMED},
    {"unknown line", 's', "checkpoint", "also this\ncheckpoint", MAUTH_MALFORMED},
    {"unknown line at the end", 's', "revocations", "unknown 1\nrevocations",
        MAUTH_MALFORMED},
    {"unknown state", 's', " active ", " asleep ", MAUTH_MALFORMED},
    {"id of another key", 's', "9feb3f281bcca060", "9feb3f281bcca061", MAUTH_MALFORMED},
    {"algorithm of another key", 's', "ecdsa-sha256", "rsa-sha256", MAUTH_MALFORMED},
    {"key window the wrong way", 's', "2026-12-01T", "2026-10-01T", MAUTH_MALFORMED},
    {"audience that is none", 's', "Z * ", "Z storage ", MAUTH_MALFORMED},
    {"empty audience", 's', "Z * ", "Z urn:x,,urn:y ", MAUTH_MALFORMED},
    {"key of no kind", 's', "MFkw", "MFkx", MAUTH_MALFORMED},
    {"more revocations counted", 's', "revocations 3", "revocations 4",
        MAUTH_MALFORMED},
    {"fewer revocations counted", 's', "revocations 3", "revocations 2",
        MAUTH_MALFORMED},
    {"absurdly many", 's', "revocations 3", "revocations 999999999999",
        MAUTH_MALFORMED},
    {"order of lines", 'l', "revoke 4700", "revoke 4799", MAUTH_MALFORMED},
    {"not a revocation", 'l', "revoke 4700", "forgive 4700", MAUTH_MALFORMED},
    {"ids not ascending", 'l',
        "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb dev_0yyyyyyyyyyyyyyyyyyyyyyyyy",
        MAUTH_MALFORMED},
    {"an id twice", 'l',
        "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        MAUTH_MALFORMED},
    {"no id", 'l', " dev_0yyyyyyyyyyyyyyyyyyyyyyyyy usr_0bbbbbbbbbbbbbbbbbbbbbbbbb", "",
        MAUTH_MALFORMED},
    {"not an id", 'l', "dev_0y", "dev_8y", MAUTH_MALFORMED},
    {"space at the end", 'l', "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb\n",
        "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb \n", MAUTH_MALFORMED},
    {"four ids", 'l', "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy",
        "dev_0wwwwwwwwwwwwwwwwwwwwwwwww dev_0xxxxxxxxxxxxxxxxxxxxxxxxx "
        "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy",
        MAUTH_MALFORMED},
    {"all and one", 'l', "dev_0yyyyyyyyyyyyyyyyyyyyyyyyy", "*", MAUTH_MALFORMED},
    {"last line cut", 'l',
        "4713 fld_0fffffffffffffffffffffffff usr_0bbbbbbbbbbbbbbbbbbbbbbbbb\n",
        "4713 fld_0fffffffffffffffffffffffff", MAUTH_MALFORMED},
};

static void
refuses_what_is_signed_and_wrong(void **state)
{
    struct forge f = golden_forge();

    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *c = &refusals[i];
        struct parts p = golden_parts();
        struct mauth_trust *trust = NULL;
        enum mauth_rc rc;

        replace(
            c->part == 'd' ? &p.delegation : (c->part == 's' ? &p.statement : &p.list),
            c->what, c->with);
        if (c->part == 'l')
            count_list(&p);
        rc = parse(&p, &f, &trust, NULL);
        if (rc != c->rc || trust)
            fail_msg("%s: %s", c->name, mauth_rc_name(rc));
        free_parts(&p);
    }
}

static void
accepts_what_is_allowed(void **state)
{
    static const struct refusal allowed[] = {
        {"as it is", 'l', "", "", MAUTH_OK},
        {"all tickets", 'l', "revoke 4700 ", "revoke 4699 *\nrevoke 4700 ", MAUTH_OK},
        {"a ticket", 'l', "revoke 4700 ",
            "revoke 1 _00112233445566778899aabbccddeeff\nrevoke 4700 ", MAUTH_OK},
        {"audiences", 's', "Z * ", "Z urn:meshauth:service:a,urn:meshauth:service:b ",
            MAUTH_OK},
        {"twelve hours", 's', "expires 2026-11-22T11:04", "expires 2026-11-22T22:04",
            MAUTH_OK},
    };
    struct forge f = golden_forge();

    (void)state;
    for (size_t i = 0; i < COUNT(allowed); i++) {
        struct parts p = golden_parts();
        struct mauth_err err = MAUTH_ERR_INIT;
        struct mauth_trust *trust = NULL;

        replace(allowed[i].part == 's' ? &p.statement : &p.list, allowed[i].what,
            allowed[i].with);
        count_list(&p);
        if (parse(&p, &f, &trust, &err) != MAUTH_OK)
            fail_msg("%s: %s", allowed[i].name, err.text);
        mauth_trust_free(trust);
        free_parts(&p);
    }
}

static void
refuses_strangers(void **state)
{
    struct forge f = golden_forge(), stranger = f;
    struct parts p = golden_parts();
    struct mauth_trust *trust = NULL;
    char vkey[NOTE_VKEY_MAX + 1];
    uint8_t key[NOTE_KEY_BYTES];
    char *data;
    size_t len;

    (void)state;
    /* An authority that the root did not name. */
    assert_int_equal(note_generate(stranger.authority_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make(f.authority.name, key, &stranger.authority, NULL), MAUTH_OK);
    assert_int_equal(parse(&p, &stranger, &trust, NULL), MAUTH_UNTRUSTED);
    /* Another root than the pinned one. */
    assert_int_equal(note_generate(stranger.root_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make(f.root.name, key, &stranger.root, NULL), MAUTH_OK);
    note_verifier_format(&stranger.root, vkey);
    data = golden_file("trust", "", &len);
    assert_int_equal(mauth_trust_parse(data, len, vkey, &trust, NULL), MAUTH_UNTRUSTED);
    assert_int_equal(
        mauth_trust_parse(data, len, "junk", &trust, NULL), MAUTH_MALFORMED);
    assert_null(trust);
    free(data);
    free_parts(&p);
}

/* Who holds the authority's key believes what it signed, and only that. */
static void
reads_its_own(void **state)
{
    struct forge f = golden_forge();
    struct note_verifier stranger;
    struct mauth_trust *trust = NULL;
    uint8_t seed[NOTE_KEY_BYTES], key[NOTE_KEY_BYTES];
    size_t len, behind_root;
    char *data = golden_file("trust", "", &len);

    (void)state;
    assert_int_equal(trust_parse_own(data, len, &f.authority, &trust, NULL), MAUTH_OK);
    assert_string_equal(mauth_trust_issuer(trust), GOLDEN_ISSUER);
    mauth_trust_free(trust);
    assert_int_equal(note_generate(seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make(f.authority.name, key, &stranger, NULL), MAUTH_OK);
    assert_int_equal(
        trust_parse_own(data, len, &stranger, &trust, NULL), MAUTH_UNTRUSTED);
    assert_null(trust);
    behind_root = (size_t)(strstr(data, "meshauth-trust") - data);
    for (size_t i = behind_root; i < len; i++) {
        data[i] ^= 1;
        assert_int_not_equal(
            trust_parse_own(data, len, &f.authority, &trust, NULL), MAUTH_OK);
        assert_null(trust);
        data[i] ^= 1;
    }
    for (size_t i = 0; i < len; i++) {
        assert_int_not_equal(
            trust_parse_own(data, i, &f.authority, &trust, NULL), MAUTH_OK);
        assert_null(trust);
    }
    free(data);
}

static struct mauth_trust *
with_sequence(const char *epoch, const char *sequence, const char *list)
{
    struct forge f = golden_forge();
    struct parts p = golden_parts();
    struct mauth_trust *trust = NULL;

    replace(&p.delegation, "epoch 1", epoch);
    replace(&p.statement, "epoch 1", epoch);
    replace(&p.statement, "sequence 42", sequence);
    free(p.list);
    p.list = strdup(list);
    count_list(&p);
    assert_int_equal(parse(&p, &f, &trust, NULL), MAUTH_OK);
    free_parts(&p);
    return trust;
}

static void
follows_in_order_only(void **state)
{
    struct mauth_trust *now = with_sequence("epoch 2", "sequence 42", "");
    struct mauth_trust *older = with_sequence("epoch 2", "sequence 41", "");
    struct mauth_trust *newer = with_sequence("epoch 2", "sequence 43", "");
    struct mauth_trust *fork = with_sequence("epoch 2", "sequence 42", "revoke 1 *\n");
    struct mauth_trust *old_epoch = with_sequence("epoch 1", "sequence 99", "");
    struct mauth_trust *new_epoch = with_sequence("epoch 3", "sequence 1", "");

    (void)state;
    assert_int_equal(mauth_trust_follows(NULL, now, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(now, now, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(now, newer, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(now, new_epoch, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(now, older, NULL), MAUTH_DENIED);
    assert_int_equal(mauth_trust_follows(now, old_epoch, NULL), MAUTH_DENIED);
    assert_int_equal(mauth_trust_follows(now, fork, NULL), MAUTH_CONFLICT);
    mauth_trust_free(now);
    mauth_trust_free(older);
    mauth_trust_free(newer);
    mauth_trust_free(fork);
    mauth_trust_free(old_epoch);
    mauth_trust_free(new_epoch);
}

static void
knows_what_is_revoked(void **state)
{
    struct text usr = text_of("usr_0aaaaaaaaaaaaaaaaaaaaaaaaa");
    struct mauth_trust *trust = with_sequence("epoch 1", "sequence 1",
        "revoke 30 usr_0aaaaaaaaaaaaaaaaaaaaaaaaa\nrevoke 7 *\n");

    (void)state;
    assert_true(trust_revokes(trust, 29, &usr, 1));
    assert_false(trust_revokes(trust, 30, &usr, 1));
    assert_true(trust_revokes(trust, 6, NULL, 0));
    assert_true(trust_has_revocations_after(trust, 29));
    assert_false(trust_has_revocations_after(trust, 30));
    mauth_trust_free(trust);
}

static void
trusts_a_bare_key(void **state)
{
    struct mauth_key *key = golden_key("signing-p256.pub.pem");
    struct mauth_trust *trust = NULL;

    (void)state;
    assert_int_equal(mauth_trust_from_key(GOLDEN_ISSUER, key, &trust, NULL), MAUTH_OK);
    assert_true(trust_is_bare(trust));
    assert_int_equal(trust_key_count(trust), 1);
    assert_false(trust_revokes(trust, 0, NULL, 0));
    mauth_trust_free(trust);
    assert_int_equal(mauth_trust_from_key("no uri", key, &trust, NULL), MAUTH_INVALID);
    assert_null(trust);
    mauth_key_free(key);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_golden_file),
        cmocka_unit_test(tells_of_authority_and_log),
        cmocka_unit_test(reads_without_a_root_what_its_authority_signed),
        cmocka_unit_test(refuses_each_changed_byte),
        cmocka_unit_test(refuses_what_is_signed_and_wrong),
        cmocka_unit_test(accepts_what_is_allowed),
        cmocka_unit_test(refuses_strangers),
        cmocka_unit_test(reads_its_own),
        cmocka_unit_test(follows_in_order_only),
        cmocka_unit_test(knows_what_is_revoked),
        cmocka_unit_test(trusts_a_bare_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
