#include "store/revocations.h"
#include "store/signing_key.h"
#include "tests/unit/issuer.h"
#include "tests/unit/press.h"

/* What lies at the path, as a verifier that pins the root reads it. */
static struct mauth_trust *
published(const struct press *p)
{
    struct mauth_trust *trust = NULL;
    struct buf file;

    buf_init(&file);
    assert_int_equal(file_read(p->path, MAUTH_TRUST_MAX, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, p->vkey, &trust, NULL), MAUTH_OK);
    buf_clear(&file);
    return trust;
}

static void
publishes_trust(void **state)
{
    struct mauth_trust *first, *second;
    struct press p;
    struct stat st;

    (void)state;
    press_set_up(&p);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    first = published(&p);
    p.o.now_s = 1560;
    store_reopen(&p.s);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    second = published(&p);
    assert_int_equal(mauth_trust_epoch(second), 3);
    assert_int_equal(mauth_trust_issued_s(second), 1560);
    assert_int_equal(mauth_trust_expires_s(second), 1560 + 3600);
    assert_int_equal(mauth_trust_follows(first, second, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(second, first, NULL), MAUTH_DENIED);
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    mauth_trust_free(first);
    mauth_trust_free(second);
    press_tear_down(&p);
}

static bool
is_first_listed(struct press *p)
{
    keystore_free(p->keys);
    assert_int_equal(kv_read(p->s.kv, press_load, p, NULL), MAUTH_OK);
    return keystore_is_listed(p->keys, 0);
}

struct look {
    const struct press *p;
    struct trust_place listed;
    uint64_t serial;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;
    struct signing_key k;
    enum mauth_rc rc;

    signing_key_init(&k);
    rc = signing_key_find(
        txn, l->p->seal, mauth_key_id(keystore_at(l->p->keys, 0)->key), &k, err);
    l->listed = k.listed;
    signing_key_clear(&k);
    return rc ? rc : signing_key_serial(txn, &l->serial, err);
}

/* Whoever has loaded that file or a later one knows the key. */
static void
notes_which_file_listed_a_key_first(void **state)
{
    struct look before, after;
    struct press p;

    (void)state;
    press_set_up(&p);
    assert_false(is_first_listed(&p));
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    assert_int_equal(
        publish_note_keys(p.s.kv, p.keys, p.seal, (struct trust_place){3, 7}, NULL),
        MAUTH_OK);
    before.p = after.p = &p;
    assert_int_equal(kv_read(p.s.kv, look, &before, NULL), MAUTH_OK);
    assert_int_equal(before.listed.epoch, 3);
    assert_int_equal(before.listed.sequence, 7);
    /* By who knows it, and by who does not know it yet. */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            publish_note_keys(p.s.kv, p.keys, p.seal, (struct trust_place){3, 8}, NULL),
            MAUTH_OK);
        assert_int_equal(kv_read(p.s.kv, look, &after, NULL), MAUTH_OK);
        assert_int_equal(after.listed.sequence, 7);
        assert_int_equal(after.serial, before.serial);
        assert_true(is_first_listed(&p));
    }
    press_tear_down(&p);
}

/* A number whose file did not come to be is not used for another one. */
static void
uses_each_number_once(void **state)
{
    struct mauth_trust *trust;
    struct press p;
    uint64_t first;

    (void)state;
    press_set_up(&p);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    trust = published(&p);
    first = mauth_trust_sequence(trust);
    mauth_trust_free(trust);
    p.o.path = "/nowhere/at/all";
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_UNAVAILABLE);
    p.o.path = p.path;
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    trust = published(&p);
    assert_int_equal(mauth_trust_sequence(trust), first + 2);
    mauth_trust_free(trust);
    press_tear_down(&p);
}

/* A file that readers would refuse does not replace one that they take. */
static void
keeps_the_old_file(void **state)
{
    static const struct {
        const char *name, *issuer;
        int64_t now_s, life_s;
        enum mauth_rc rc;
    } cases[] = {
        {"authority not yet", "https://a.example", 999, 60, MAUTH_EXPIRED},
        {"authority no more", "https://a.example", 9000, 60, MAUTH_EXPIRED},
        {"another issuer", "https://b.example", 1560, 60, MAUTH_INVALID},
        {"no life", "https://a.example", 1560, 0, MAUTH_INVALID},
        {"too long a life", "https://a.example", 1560, 43201, MAUTH_INVALID},
    };
    struct mauth_trust *trust;
    struct press p;

    (void)state;
    press_set_up(&p);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct publish_options o = {
            cases[i].issuer, p.path, cases[i].life_s, cases[i].now_s};
        enum mauth_rc rc = publish_trust(p.s.kv, p.keys, &o, NULL);

        if (rc != cases[i].rc)
            fail_msg("%s: %s", cases[i].name, mauth_rc_name(rc));
        trust = published(&p);
        assert_int_equal(mauth_trust_issued_s(trust), 1500);
        mauth_trust_free(trust);
    }
    press_tear_down(&p);
}

/* Asked at 1600 about a ticket from 1500 of the state 100, by which all of these are. */
#define TICKET  "_0000000000000000000000000000000a"
#define ISSUER  "https://a.example"
#define MENTION ISSUER "/v1/mesh/folders/" WORK "/photo.jpg"

static struct ticket
draft(const struct mauth_key *device)
{
    struct ticket t = {.id = text_of(TICKET),
        .issuer = text_of(ISSUER),
        .subject = text_of(ALICE),
        .issued_s = 1500,
        .not_before_s = 1500,
        .not_on_or_after_s = 2100,
        .audience = {text_of(STORAGE)},
        .audiences = 1,
        .fact = {{FACT_ASOF, {text_of("100")}}, {FACT_SESSION, {text_of(SESSION)}}},
        .facts = 2};

    t.holder_spki = mauth_key_spki(device, &t.holder_spki_len);
    draft_fact(&t, FACT_HOLDER, PC, NULL, NULL);
    draft_fact(&t, FACT_CLAIMED, PC, ALICE, NULL);
    draft_fact(&t, FACT_MEMBER, ALICE, TRIP, "reader");
    draft_permit(&t, MENTION, "read");
    return t;
}

/* Why the published file refuses the ticket, if it does. */
static enum mauth_reason
verdict(const struct press *p, const struct buf *xml, const struct mauth_key *device)
{
    struct mauth_expect want = {
        .size = sizeof(want), .audience = STORAGE, .now_s = 1600, .skew_s = 60};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_trust *trust = published(p);
    struct mauth_ticket *t = NULL;

    want.holder_spki = mauth_key_spki(device, &want.holder_spki_len);
    (void)!mauth_ticket_verify(
        (const char *)xml->data, xml->len, trust, &want, &t, &err);
    assert_true((t != NULL) == (err.reason == MAUTH_REASON_NONE));
    mauth_ticket_free(t);
    mauth_trust_free(trust);
    return err.reason;
}

static const struct {
    const char *name;
    struct revoked set;
    bool dead;
} revoked[] = {
    {"the user", {101, 1, {ALICE}}, true},
    {"the device", {101, 1, {PC}}, true},
    {"a member's folder", {101, 1, {TRIP}}, true},
    {"a folder in a URL", {101, 1, {WORK}}, true},
    {"the session", {101, 1, {SESSION}}, true},
    {"the ticket itself", {101, 1, {TICKET}}, true},
    {"a claim", {101, 2, {PC, ALICE}}, true},
    {"three of them", {101, 3, {PC, TRIP, ALICE}}, true},
    {"everything", {101, 0, {""}}, true},
    {"the user, by then", {100, 1, {ALICE}}, false},
    {"the ticket, by then", {100, 1, {TICKET}}, false},
    {"three of them, by then", {100, 3, {PC, TRIP, ALICE}}, false},
    {"everything, by then", {100, 0, {""}}, false},
    {"another user", {101, 1, {BOB}}, false},
    {"another ticket", {101, 1, {"_0000000000000000000000000000000b"}}, false},
    {"with another device", {101, 2, {PHONE, ALICE}}, false},
    {"by another member", {101, 3, {PC, TRIP, BOB}}, false},
};

static enum mauth_rc
add_set(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return revocations_add(txn, arg, err);
}

static void
judge(size_t i, const struct mauth_key *device)
{
    struct revoked set = revoked[i].set;
    struct ticket t = draft(device);
    enum mauth_reason reason;
    struct press p;
    struct buf xml;

    press_set_up(&p);
    buf_init(&xml);
    assert_int_equal(
        ticket_sign(
            &t, keystore_signer(p.keys, t.audience, t.audiences)->signer, &xml, NULL),
        MAUTH_OK);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    assert_int_equal(verdict(&p, &xml, device), MAUTH_REASON_NONE);
    assert_int_equal(kv_write(p.s.kv, add_set, &set, NULL), MAUTH_OK);
    assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
    reason = verdict(&p, &xml, device);
    if (reason != (revoked[i].dead ? MAUTH_REASON_REVOKED : MAUTH_REASON_NONE))
        fail_msg("%s: \"%s\"", revoked[i].name, mauth_reason_name(reason));
    buf_clear(&xml);
    press_tear_down(&p);
}

/* Tickets that mention all of a set die with the file that tells of it; others live. */
static void
tells_of_revocations(void **state)
{
    struct mauth_key *device = golden_key("device.pub.pem");

    (void)state;
    for (size_t i = 0; i < COUNT(revoked); i++)
        judge(i, device);
    mauth_key_free(device);
}

/* Half a day and six minutes after it was first told of, nothing needs it any more. */
static void
leaves_out_what_is_too_old(void **state)
{
    struct revoked set = {101, 1, {ALICE}};
    struct press p;

    (void)state;
    press_set_up_until(&p, 1500 + 2 * REVOKED_FOR_S);
    assert_int_equal(kv_write(p.s.kv, add_set, &set, NULL), MAUTH_OK);
    for (int64_t age_s = 0; age_s <= REVOKED_FOR_S; age_s += REVOKED_FOR_S / 2) {
        struct buf file;

        p.o.now_s = 1500 + age_s;
        assert_int_equal(publish_trust(p.s.kv, p.keys, &p.o, NULL), MAUTH_OK);
        mauth_trust_free(published(&p));
        buf_init(&file);
        assert_int_equal(file_read(p.path, MAUTH_TRUST_MAX, &file, NULL), MAUTH_OK);
        assert_int_equal(
            !!strstr(buf_cstr(&file), "revoke 101 " ALICE), age_s < REVOKED_FOR_S);
        buf_clear(&file);
    }
    press_tear_down(&p);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(publishes_trust),
        cmocka_unit_test(notes_which_file_listed_a_key_first),
        cmocka_unit_test(uses_each_number_once),
        cmocka_unit_test(keeps_the_old_file),
        cmocka_unit_test(tells_of_revocations),
        cmocka_unit_test(leaves_out_what_is_too_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
