/* An account service of the test's own: it signs trust files and tickets at will. */
#ifndef TESTS_ISSUER_H
#define TESTS_ISSUER_H

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "keys/trust_write.h"
#include "tests/unit/golden.h"
#include "tickets/encode.h"
#include <meshauth/credential.h>

#define STORAGE "urn:meshauth:service:storage"
#define RELAY   "urn:meshauth:service:relay"
#define FOLDERS GOLDEN_ISSUER "/v1/mesh/folders/"
#define ALICE   "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOB     "usr_0bbbbbbbbbbbbbbbbbbbbbbbbb"
#define PC      "dev_0ccccccccccccccccccccccccc"
#define PHONE   "dev_0ddddddddddddddddddddddddd"
#define TRIP    "fld_0ttttttttttttttttttttttttt"
#define WORK    "fld_0wwwwwwwwwwwwwwwwwwwwwwwww"
#define SESSION "ses_0sssssssssssssssssssssssss"

enum {
    ISSUER_NOW = 1795341900 /* the time of all checks, unless a test says otherwise */
};

struct issuer {
    char dir[64];
    char trust_file[96];
    char rules_file[96];
    char vkey[NOTE_VKEY_MAX + 1];
    uint8_t root_seed[NOTE_KEY_BYTES], authority_seed[NOTE_KEY_BYTES];
    struct note_verifier root, authority;
    struct signer *signer; /* the golden P-256 key */
    uint8_t device[MAUTH_SPKI_MAX];
    size_t device_len;
    /* what the next trust file says */
    uint64_t epoch, sequence;
    int64_t issued_s, expires_s;
    enum trust_state state;
    int64_t key_from_s;
    struct text key_audience; /* empty: all */
    const char *revocations[8];
    size_t revocation_count;
    /* what the next ticket is made with */
    unsigned next_id;
};

static inline void
issuer_write_trust(struct issuer *s)
{
    struct trust_delegation d = {.issuer = GOLDEN_ISSUER,
        .epoch = s->epoch,
        .authority = &s->authority,
        .from_s = 0,
        .until_s = TIME_MAX_S};
    struct trust_key key = {.key = signer_key(s->signer),
        .state = s->state,
        .from_s = s->key_from_s,
        .until_s = TIME_MAX_S,
        .all_audiences = s->key_audience.len == 0,
        .audience = &s->key_audience,
        .audiences = s->key_audience.len != 0};
    struct trust_statement t = {.issuer = GOLDEN_ISSUER,
        .epoch = s->epoch,
        .sequence = s->sequence,
        .issued_s = s->issued_s,
        .expires_s = s->expires_s,
        .keys = &key,
        .key_count = 1,
        .revocations = s->revocations,
        .revocation_count = s->revocation_count};
    struct buf delegation, out;

    buf_init(&delegation);
    buf_init(&out);
    assert_int_equal(
        trust_write_delegation(&d, &s->root, s->root_seed, &delegation, NULL),
        MAUTH_OK);
    assert_int_equal(trust_write((struct text){(char *)delegation.data, delegation.len},
                         &t, &s->authority, s->authority_seed, &out, NULL),
        MAUTH_OK);
    assert_int_equal(
        file_replace(s->trust_file, out.data, out.len, FILE_PUBLIC, NULL), MAUTH_OK);
    buf_clear(&delegation);
    buf_clear(&out);
}

static inline void
issuer_write_rules(struct issuer *s, const char *rules)
{
    assert_int_equal(
        file_replace(s->rules_file, rules, strlen(rules), FILE_PUBLIC, NULL), MAUTH_OK);
}

/* The policy of the mesh. */
static inline void
issuer_write_mesh_rules(struct issuer *s)
{
    struct buf rules;

    buf_init(&rules);
    assert_int_equal(
        file_read(MAUTH_TEST_DATA "/../../policy/mesh.rules", 65536, &rules, NULL),
        MAUTH_OK);
    issuer_write_rules(s, buf_cstr(&rules));
    buf_clear(&rules);
}

static inline void
issuer_make(struct issuer *s)
{
    const uint8_t *spki;
    uint8_t key[NOTE_KEY_BYTES];
    struct mauth_key *device = golden_key("device.pub.pem");

    memset(s, 0, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    snprintf(s->trust_file, sizeof(s->trust_file), "%s/trust", s->dir);
    snprintf(s->rules_file, sizeof(s->rules_file), "%s/mesh.rules", s->dir);
    assert_int_equal(note_generate(s->root_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/root", key, &s->root, NULL), MAUTH_OK);
    assert_int_equal(note_generate(s->authority_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/authority", key, &s->authority, NULL),
        MAUTH_OK);
    note_verifier_format(&s->root, s->vkey);
    s->signer = golden_signer("p256");
    spki = mauth_key_spki(device, &s->device_len);
    memcpy(s->device, spki, s->device_len);
    mauth_key_free(device);
    s->epoch = s->sequence = 1;
    s->issued_s = ISSUER_NOW - 60;
    s->expires_s = ISSUER_NOW + 3600;
    s->state = TRUST_ACTIVE;
    issuer_write_trust(s);
    issuer_write_mesh_rules(s);
}

static inline void
issuer_remove(struct issuer *s)
{
    unlink(s->trust_file);
    unlink(s->rules_file);
    rmdir(s->dir);
    signer_free(s->signer);
}

/* Alice's rights ticket for the storage, bound to the device's key, without permits. */
static inline struct ticket
issuer_draft(const struct issuer *s)
{
    struct ticket t = {.issuer = text_of(GOLDEN_ISSUER),
        .subject = text_of(ALICE),
        .issued_s = ISSUER_NOW - 10,
        .not_before_s = ISSUER_NOW - 10,
        .not_on_or_after_s = ISSUER_NOW + 590,
        .holder_spki = s->device,
        .holder_spki_len = s->device_len,
        .audience = {text_of(STORAGE)},
        .audiences = 1,
        .fact = {{FACT_ASOF, {text_of("100")}}, {FACT_SESSION, {text_of(SESSION)}}},
        .facts = 2};

    return t;
}

static inline void
draft_fact(struct ticket *t, enum ticket_relation relation, const char *a,
    const char *b, const char *c)
{
    struct ticket_fact f = {relation, {text_of(a), text_of(b), text_of(c)}};

    t->fact[t->facts++] = f;
}

static inline void
draft_permit(struct ticket *t, const char *resource, const char *action)
{
    t->permit[t->permits].resource = text_of(resource);
    t->permit[t->permits].first = t->actions;
    t->permit[t->permits++].count = 1;
    t->action[t->actions++] = text_of(action);
}

/* Signed, under a fresh ID, as a credential that the caller frees. */
static inline char *
issuer_sign(struct issuer *s, const struct ticket *draft, bool deflated)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct ticket t = *draft;
    char id[TICKET_ID_LEN + 1];
    struct buf xml;
    char *out = NULL;

    if (!t.id.len) {
        snprintf(id, sizeof(id), "_%032x", ++s->next_id);
        t.id = text_of(id);
    }
    buf_init(&xml);
    if (ticket_sign(&t, s->signer, &xml, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    assert_int_equal(
        mauth_credential_encode((const char *)xml.data, xml.len, deflated, &out, NULL),
        MAUTH_OK);
    buf_clear(&xml);
    return out;
}

#endif
