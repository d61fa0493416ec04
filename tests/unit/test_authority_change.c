#include "base/file.h"
#include "keys/trust_write.h"
#include "store/authority_change.h"
#include "store/signing_key.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/press.h"

#define NOW_S 1500

static struct authority_change
change_of(const struct press *p, enum authority_op op)
{
    return (struct authority_change){.op = op,
        .seal = p->seal,
        .issuer = "https://a.example",
        .now_s = NOW_S,
        .who = {.actor = "uid:0", .client = "local"}};
}

static enum mauth_rc
do_it(struct press *p, struct authority_change *c)
{
    enum mauth_rc rc;

    assert_int_equal(authority_change_ready(c, NULL), MAUTH_OK);
    rc = kv_write(p->s.kv, authority_change_run, c, NULL);
    assert_int_equal(rc, MAUTH_OK);
    authority_change_clear(c);
    return c->refused;
}

struct look {
    const struct press *p;
    struct keystore_authority now, pending;
    enum mauth_rc waits;
    uint64_t serial;
    struct buf view;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;
    enum mauth_rc rc = authority_load(txn, l->p->seal, &l->now, err);

    l->waits = authority_load_pending(txn, l->p->seal, &l->pending, err);
    if (rc == MAUTH_OK)
        rc = authority_view(txn, l->p->seal, NOW_S, 0, &l->view, err);
    return rc ? rc : signing_key_serial(txn, &l->serial, err);
}

static struct look
look_at(const struct press *p)
{
    struct look l = {.p = p};

    buf_init(&l.view);
    assert_int_equal(kv_read(p->s.kv, look, &l, NULL), MAUTH_OK);
    assert_non_null(buf_cstr(&l.view));
    return l;
}

static void
look_clear(struct look *l)
{
    authority_clear(&l->now);
    authority_clear(&l->pending);
    buf_clear(&l->view);
}

static void
request(struct press *p, struct buf *text)
{
    struct authority_change c = change_of(p, AUTHORITY_REQUEST);
    struct look l;

    assert_int_equal(do_it(p, &c), MAUTH_OK);
    l = look_at(p);
    assert_int_equal(l.waits, MAUTH_OK);
    buf_rewind(text);
    buf_text(text, l.pending.delegation);
    look_clear(&l);
}

static void
sign(struct press *p, const struct buf *text, const struct note_verifier *root,
    const uint8_t *seed, struct buf *note)
{
    buf_rewind(note);
    assert_int_equal(note_sign((struct text){(const char *)text->data, text->len},
                         root ? root : &p->authority.root,
                         seed ? seed : mauth_secret_bytes(p->root_seed), note, NULL),
        MAUTH_OK);
}

static enum mauth_rc
install(struct press *p, const struct buf *note)
{
    struct authority_change c = change_of(p, AUTHORITY_INSTALL);

    c.delegation = (struct text){(const char *)note->data, note->len};
    return do_it(p, &c);
}

struct papers {
    struct press p;
    struct buf text, note;
};

static int
set_up(void **state)
{
    static struct papers x;

    press_set_up(&x.p);
    buf_init(&x.text);
    buf_init(&x.note);
    *state = &x;
    return 0;
}

static int
tear_down(void **state)
{
    struct papers *x = *state;

    buf_clear(&x->text);
    buf_clear(&x->note);
    press_tear_down(&x->p);
    return 0;
}

static void
waits_and_then_is_in_force(void **state)
{
    struct papers *x = *state;
    struct look before = look_at(&x->p), asked, after;

    request(&x->p, &x->text);
    asked = look_at(&x->p);
    assert_int_equal(asked.now.epoch, 3); /* nothing has changed yet */
    assert_int_equal(asked.serial, before.serial);
    assert_int_equal(asked.pending.epoch, 4);
    assert_non_null(strstr(buf_cstr(&asked.view), "\"pending\":{\"epoch\":4,"));
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_OK);
    after = look_at(&x->p);
    assert_int_equal(after.now.epoch, 4);
    assert_int_equal(after.waits, MAUTH_NOT_FOUND);
    assert_int_not_equal(after.serial, before.serial); /* a running service follows */
    assert_memory_equal(
        &after.now.verifier, &asked.pending.verifier, sizeof(after.now.verifier));
    assert_memory_equal(mauth_secret_bytes(after.now.seed),
        mauth_secret_bytes(asked.pending.seed), NOTE_KEY_BYTES);
    assert_null(strstr(buf_cstr(&after.view), "pending"));
    assert_int_equal(install(&x->p, &x->note), MAUTH_NOT_FOUND); /* not twice */
    look_clear(&before);
    look_clear(&asked);
    look_clear(&after);
}

/* What readers make of it: the new one follows, and nothing of the old one does. */
static void
ends_the_old_one(void **state)
{
    struct papers *x = *state;
    struct mauth_trust *old = NULL, *new = NULL, *late = NULL;
    struct buf file;

    buf_init(&file);
    assert_int_equal(publish_trust(x->p.s.kv, x->p.keys, &x->p.o, NULL), MAUTH_OK);
    assert_int_equal(file_read(x->p.path, 1 << 20, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, x->p.vkey, &old, NULL), MAUTH_OK);
    request(&x->p, &x->text);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_OK);

    /* A thief goes on with the old key, whatever numbers he takes. */
    for (int i = 0; i < 3; i++)
        assert_int_equal(publish_trust(x->p.s.kv, x->p.keys, &x->p.o, NULL), MAUTH_OK);
    buf_rewind(&file);
    assert_int_equal(file_read(x->p.path, 1 << 20, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, x->p.vkey, &late, NULL), MAUTH_OK);

    keystore_free(x->p.keys);
    assert_int_equal(kv_read(x->p.s.kv, press_load, &x->p, NULL), MAUTH_OK);
    assert_int_equal(publish_trust(x->p.s.kv, x->p.keys, &x->p.o, NULL), MAUTH_OK);
    buf_rewind(&file);
    assert_int_equal(file_read(x->p.path, 1 << 20, &file, NULL), MAUTH_OK);
    assert_int_equal(
        mauth_trust_parse(file.data, file.len, x->p.vkey, &new, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_epoch(new), 4);
    assert_int_equal(mauth_trust_follows(old, late, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(old, new, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(late, new, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_follows(new, late, NULL), MAUTH_DENIED);
    mauth_trust_free(old);
    mauth_trust_free(late);
    mauth_trust_free(new);
    buf_clear(&file);
}

static void
refuses_requests(void **state)
{
    static const struct {
        const char *name;
        uint64_t epoch;
        int64_t life_s;
        enum mauth_rc rc;
    } cases[] = {
        {"the epoch that is in force", 3, 0, MAUTH_INVALID},
        {"one that was", 2, 0, MAUTH_INVALID},
        {"one that no file can say", KEYSTORE_EPOCH_MAX + 1, 0, MAUTH_INVALID},
        {"too short", 0, 3599, MAUTH_INVALID},
        {"too long", 0, AUTHORITY_LIFE_MAX_S + INT64_C(1), MAUTH_INVALID},
        {"far on", KEYSTORE_EPOCH_MAX, AUTHORITY_LIFE_MAX_S, MAUTH_OK},
        {"the next", 0, 3600, MAUTH_OK},
    };
    struct papers *x = *state;

    for (size_t i = 0; i < COUNT(cases); i++) {
        struct authority_change c = change_of(&x->p, AUTHORITY_REQUEST);
        struct look l;

        c.epoch = cases[i].epoch;
        c.life_s = cases[i].life_s;
        if (do_it(&x->p, &c) != cases[i].rc)
            fail_msg("%s: %d", cases[i].name, (int)c.refused);
        l = look_at(&x->p);
        assert_int_equal(l.waits, cases[i].rc ? MAUTH_NOT_FOUND : MAUTH_OK);
        look_clear(&l);
    }
}

static void
refuses_notes(void **state)
{
    struct papers *x = *state;
    struct note_verifier stranger, elsewhere;
    struct mauth_secret *seed;
    struct buf old, other;
    struct look l;

    buf_init(&old);
    buf_init(&other);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_NOT_FOUND);

    request(&x->p, &old);
    request(&x->p, &x->text); /* takes the other's place */
    sign(&x->p, &old, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_CONFLICT);

    assert_int_equal(
        note_secret_new("a.example/root", &seed, &stranger, NULL), MAUTH_OK);
    sign(&x->p, &x->text, &stranger, mauth_secret_bytes(seed), &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_UNTRUSTED);
    elsewhere = x->p.authority.verifier;
    sign(
        &x->p, &x->text, &elsewhere, mauth_secret_bytes(x->p.authority.seed), &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_UNTRUSTED);

    /* Unsigned, twice, cut off at each byte, another byte. */
    assert_int_equal(install(&x->p, &x->text), MAUTH_MALFORMED);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    buf_put(&other, x->note.data, x->note.len);
    buf_put(&other, x->note.data, x->note.len);
    assert_int_equal(install(&x->p, &other), MAUTH_MALFORMED);
    for (size_t i = 0; i < x->note.len; i += 7) {
        buf_rewind(&other);
        buf_put(&other, x->note.data, i);
        assert_int_not_equal(install(&x->p, &other), MAUTH_OK);
        buf_rewind(&other);
        buf_put(&other, x->note.data, x->note.len);
        other.data[i] ^= 1;
        assert_int_not_equal(install(&x->p, &other), MAUTH_OK);
    }
    l = look_at(&x->p);
    assert_int_equal(l.now.epoch, 3);
    assert_int_equal(l.waits, MAUTH_OK);
    look_clear(&l);
    assert_int_equal(install(&x->p, &x->note), MAUTH_OK);
    mauth_secret_free(seed);
    buf_clear(&old);
    buf_clear(&other);
}

/* Signed by the right root, for a service of another name. */
static void
refuses_another_issuer(void **state)
{
    struct papers *x = *state;
    struct trust_delegation d = {
        "https://a.example.org", 4, &x->p.authority.verifier, NOW_S, NOW_S + 9000};
    struct note_verifier v;

    assert_int_equal(note_verifier_make("a.example.org/authority",
                         x->p.authority.verifier.key, &v, NULL),
        MAUTH_OK);
    d.authority = &v;
    request(&x->p, &x->text);
    trust_write_request(&d, &x->note);
    buf_rewind(&x->text);
    buf_put(&x->text, x->note.data, x->note.len);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_UNTRUSTED);
}

static void
refuses_what_came_too_late(void **state)
{
    struct papers *x = *state;
    struct authority_change c = change_of(&x->p, AUTHORITY_REQUEST);
    struct look l;

    c.life_s = 3600;
    assert_int_equal(do_it(&x->p, &c), MAUTH_OK);
    l = look_at(&x->p);
    buf_text(&x->text, l.pending.delegation);
    look_clear(&l);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    c = change_of(&x->p, AUTHORITY_INSTALL);
    c.now_s = NOW_S + 3600;
    c.delegation = (struct text){(const char *)x->note.data, x->note.len};
    assert_int_equal(do_it(&x->p, &c), MAUTH_EXPIRED);
    c = change_of(&x->p, AUTHORITY_INSTALL);
    c.now_s = NOW_S + 3599;
    c.delegation = (struct text){(const char *)x->note.data, x->note.len};
    assert_int_equal(do_it(&x->p, &c), MAUTH_OK);
}

static void
pins_another_root(void **state)
{
    struct papers *x = *state;
    struct authority_change c = change_of(&x->p, AUTHORITY_INSTALL);
    struct note_verifier root, misnamed;
    struct mauth_secret *seed;
    struct look l;

    assert_int_equal(note_secret_new("a.example/root", &seed, &root, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("b.example/root", root.key, &misnamed, NULL), MAUTH_OK);
    request(&x->p, &x->text);
    sign(&x->p, &x->text, &misnamed, mauth_secret_bytes(seed), &x->note);
    c.delegation = (struct text){(const char *)x->note.data, x->note.len};
    c.new_root = &misnamed;
    assert_int_equal(do_it(&x->p, &c), MAUTH_UNTRUSTED);
    sign(&x->p, &x->text, &root, mauth_secret_bytes(seed), &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_UNTRUSTED); /* it must be said */
    c.delegation = (struct text){(const char *)x->note.data, x->note.len};
    c.new_root = &root;
    assert_int_equal(do_it(&x->p, &c), MAUTH_OK);
    l = look_at(&x->p);
    assert_memory_equal(&l.now.root, &root, sizeof(root));
    look_clear(&l);
    /* The old one is nobody from now on. */
    request(&x->p, &x->text);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_UNTRUSTED);
    mauth_secret_free(seed);
}

static void
is_on_record(void **state)
{
    struct papers *x = *state;
    char vkey[NOTE_VKEY_MAX + 1];
    struct look l;
    struct audit_log log;

    request(&x->p, &x->text);
    l = look_at(&x->p);
    note_verifier_format(&l.pending.verifier, vkey);
    look_clear(&l);
    assert_int_equal(install(&x->p, &x->text), MAUTH_MALFORMED);
    sign(&x->p, &x->text, NULL, NULL, &x->note);
    assert_int_equal(install(&x->p, &x->note), MAUTH_OK);
    audit_log_read(&log, x->p.s.kv); /* newest first */
    assert_int_equal(log.count, 3);
    assert_string_equal(audit_log_text(&log, 2, "action"), "authority.request");
    assert_string_equal(audit_log_text(&log, 2, "outcome"), "done");
    assert_string_equal(audit_log_text(&log, 1, "action"), "authority.install");
    assert_string_equal(audit_log_text(&log, 1, "outcome"), "deny");
    assert_string_equal(audit_log_text(&log, 1, "reason"), "authority");
    assert_string_equal(audit_log_text(&log, 0, "outcome"), "done");
    for (size_t i = 0; i < log.count; i += 2) {
        assert_string_equal(audit_log_resource(&log, i, 0), "https://a.example");
        assert_string_equal(audit_log_resource(&log, i, 1), "epoch 4");
        assert_string_equal(audit_log_resource(&log, i, 2), vkey);
    }
    audit_log_clear(&log);
}

int
main(void)
{
#define PAPERS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    static const struct CMUnitTest tests[] = {
        PAPERS_TEST(waits_and_then_is_in_force),
        PAPERS_TEST(ends_the_old_one),
        PAPERS_TEST(refuses_requests),
        PAPERS_TEST(refuses_notes),
        PAPERS_TEST(refuses_another_issuer),
        PAPERS_TEST(refuses_what_came_too_late),
        PAPERS_TEST(pins_another_root),
        PAPERS_TEST(is_on_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
