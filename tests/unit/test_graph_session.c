#include "store/graph_purge.h"
#include "store/graph_session.h"
#include "store/key.h"
#include "tests/unit/graph_world.h"

struct act {
    struct graph_session session;
    struct id id;
    uint64_t number;
    size_t count;
};

static enum mauth_rc
create(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_session_create(txn, &((const struct act *)arg)->session, err);
}

static enum mauth_rc
by_id(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_session_by_id(txn, &a->id, &a->session, err);
}

static enum mauth_rc
close_it(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_session_close(txn, &((const struct act *)arg)->id, err);
}

static enum mauth_rc
close_of_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_session_close_of_key(txn, a->session.subject_kind, &a->session.subject,
        a->session.key_hash, &a->count, err);
}

static enum mauth_rc
close_on_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_session_close_on_key(
        txn, ((const struct act *)arg)->session.key_hash, err);
}

static enum mauth_rc
close_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_session_close_all(
        txn, a->session.subject_kind, &a->session.subject, err);
}

static enum mauth_rc
state_of(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, &((struct act *)arg)->number, err);
}

static uint64_t
number(struct kv *kv)
{
    struct act a;

    assert_int_equal(kv_read(kv, state_of, &a, NULL), MAUTH_OK);
    return a.number;
}

/* A new open session of this subject and key; its id. */
static struct id
open_one(struct kv *kv, enum id_kind kind, uint8_t subject, uint8_t key)
{
    struct act a = {.session = {.subject_kind = kind,
                        .subject = {.b = {subject}},
                        .key_hash = {key},
                        .started_s = 10,
                        .ends_s = 20,
                        .open = true,
                        .by_certificate = kind == ID_SERVICE}};

    assert_int_equal(id_new(&a.session.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(kv, create, &a, NULL), MAUTH_OK);
    return a.session.id;
}

static bool
is_open(struct kv *kv, const struct id *id)
{
    struct act a = {.id = *id};

    assert_int_equal(kv_read(kv, by_id, &a, NULL), MAUTH_OK);
    return a.session.open;
}

static void
keeps_sessions(void **state)
{
    struct store_dir s;
    struct act a = {.id = {.b = {9}}};

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_NOT_FOUND);
    a.id = open_one(s.kv, ID_SERVICE, 3, 7);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.session.id, &a.id, sizeof(a.id));
    assert_int_equal(a.session.subject_kind, ID_SERVICE);
    assert_int_equal(a.session.subject.b[0], 3);
    assert_int_equal(a.session.key_hash[0], 7);
    assert_int_equal(a.session.started_s, 10);
    assert_int_equal(a.session.ends_s, 20);
    assert_true(a.session.open);
    assert_true(a.session.by_certificate);
    assert_int_equal(kv_write(s.kv, close_it, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_false(a.session.open);
    assert_true(a.session.by_certificate);
    a.id = open_one(s.kv, ID_USER, 3, 7);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_false(a.session.by_certificate);
    store_remove(&s);
}

static void
wants_a_principal_in_a_session(void **state)
{
    struct act a = {.session = {.subject_kind = ID_DEVICE, .open = true}};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_INVALID);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_NOT_FOUND);
    store_remove(&s);
}

static void
closes_one_for_good(void **state)
{
    struct store_dir s;
    struct act a = {.id = {.b = {9}}};
    struct id other;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, close_it, &a, NULL), MAUTH_NOT_FOUND);
    a.id = open_one(s.kv, ID_USER, 1, 1);
    other = open_one(s.kv, ID_USER, 1, 1);
    before = number(s.kv);
    assert_int_equal(kv_write(s.kv, close_it, &a, NULL), MAUTH_OK);
    assert_int_equal(number(s.kv), before + 1);
    assert_int_equal(revoked_since(s.kv, ID_SESSION, &a.id), before + 1);
    assert_false(is_open(s.kv, &a.id));
    assert_true(is_open(s.kv, &other));
    assert_int_equal(kv_write(s.kv, close_it, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(number(s.kv), before + 1);
    store_remove(&s);
}

/* More than one batch of them; others that differ in one thing each stay open. */
static void
closes_those_of_a_key(void **state)
{
    struct act a = {
        .session = {.subject_kind = ID_USER, .subject = {.b = {1}}, .key_hash = {1}}};
    struct id mine[130], others[4];
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    others[0] = open_one(s.kv, ID_USER, 1, 2);
    others[1] = open_one(s.kv, ID_USER, 2, 1);
    others[2] = open_one(s.kv, ID_SERVICE, 1, 1);
    others[3] = open_one(s.kv, ID_USER, 1, 0);
    for (size_t i = 0; i < COUNT(mine); i++)
        mine[i] = open_one(s.kv, ID_USER, 1, 1);
    before = number(s.kv);
    assert_int_equal(kv_write(s.kv, close_of_key, &a, NULL), MAUTH_OK);
    assert_int_equal(a.count, COUNT(mine));
    assert_int_equal(number(s.kv), before + 1);
    for (size_t i = 0; i < COUNT(mine); i++) {
        assert_false(is_open(s.kv, &mine[i]));
        assert_int_equal(revoked_since(s.kv, ID_SESSION, &mine[i]), before + 1);
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        assert_true(is_open(s.kv, &others[i]));
        assert_int_equal(revoked_since(s.kv, ID_SESSION, &others[i]), 0);
    }
    /* Nothing left to close is no change. */
    assert_int_equal(kv_write(s.kv, close_of_key, &a, NULL), MAUTH_OK);
    assert_int_equal(a.count, 0);
    assert_int_equal(number(s.kv), before + 1);
    store_remove(&s);
}

/* So many that the list of revocations would be full of them. */
static void
revokes_the_subject_of_many(void **state)
{
    struct act a = {
        .session = {.subject_kind = ID_USER, .subject = {.b = {1}}, .key_hash = {1}}};
    struct id mine[GRAPH_SESSIONS_REVOKED + 70], other;
    struct store_dir s;
    size_t listed = 0;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    other = open_one(s.kv, ID_USER, 1, 2);
    for (size_t i = 0; i < COUNT(mine); i++)
        mine[i] = open_one(s.kv, ID_USER, 1, 1);
    before = number(s.kv);
    assert_int_equal(kv_write(s.kv, close_of_key, &a, NULL), MAUTH_OK);
    assert_int_equal(a.count, COUNT(mine));
    for (size_t i = 0; i < COUNT(mine); i++) {
        assert_false(is_open(s.kv, &mine[i]));
        listed += revoked_since(s.kv, ID_SESSION, &mine[i]) == before + 1;
    }
    assert_int_equal(listed, GRAPH_SESSIONS_REVOKED);
    assert_int_equal(revoked_since(s.kv, ID_USER, &a.session.subject), before + 1);
    assert_true(is_open(s.kv, &other));
    store_remove(&s);
}

/* Of one key, whoever's: beyond as many, all their subjects. */
static void
revokes_the_subjects_of_many_on_a_key(void **state)
{
    struct act a = {.session = {.key_hash = {1}}};
    struct id on_key[GRAPH_SESSIONS_REVOKED + 70], other, subject = {.b = {0}};
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    for (size_t i = 0; i < COUNT(on_key); i++)
        on_key[i] = open_one(s.kv, ID_USER, (uint8_t)(1 + i / 100), 1);
    other = open_one(s.kv, ID_USER, 1, 2);
    before = number(s.kv);
    assert_int_equal(kv_write(s.kv, close_on_key, &a, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(on_key); i++)
        assert_false(is_open(s.kv, &on_key[i]));
    assert_int_equal(number(s.kv), before + 1);
    for (uint8_t n = 1; n <= 4; n++) {
        size_t listed = 0;

        for (size_t i = 100 * (n - 1U); i < 100 * (size_t)n && i < COUNT(on_key); i++)
            listed += revoked_since(s.kv, ID_SESSION, &on_key[i]) == before + 1;
        subject.b[0] = n;
        assert_int_equal(listed, n < 3 ? 100 : n == 3 ? 56 : 0);
        assert_int_equal(
            revoked_since(s.kv, ID_USER, &subject), n < 3 ? 0 : before + 1);
    }
    assert_true(is_open(s.kv, &other));
    assert_int_equal(revoked_since(s.kv, ID_SESSION, &other), 0);
    store_remove(&s);
}

static void
closes_all_of_a_subject(void **state)
{
    struct act a = {.session = {.subject_kind = ID_SERVICE, .subject = {.b = {1}}}};
    struct id mine[70], other, user;
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    for (size_t i = 0; i < COUNT(mine); i++)
        mine[i] = open_one(s.kv, ID_SERVICE, 1, (uint8_t)(i * 17));
    other = open_one(s.kv, ID_SERVICE, 2, 1);
    user = open_one(s.kv, ID_USER, 1, 1);
    before = number(s.kv);
    assert_int_equal(kv_write(s.kv, close_all, &a, NULL), MAUTH_OK);
    for (size_t i = 0; i < COUNT(mine); i++) {
        assert_false(is_open(s.kv, &mine[i]));
        assert_int_equal(revoked_since(s.kv, ID_SESSION, &mine[i]), 0);
    }
    assert_true(is_open(s.kv, &other));
    assert_true(is_open(s.kv, &user));
    assert_int_equal(number(s.kv), before);
    store_remove(&s);
}

static void
notices_damage(void **state)
{
    struct store_record record;
    struct store_key key;
    struct store_dir s;
    struct act a = {.session = {.subject_kind = ID_USER, .subject = {.b = {1}}}};

    (void)state;
    store_make(&s, "");
    a.id = open_one(s.kv, ID_USER, 1, 1);
    store_key(&key, SPACE_SESSION, a.id.b, ID_BYTES);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    for (unsigned kind = 0; kind < 256; kind++) {
        bool good = kind == ID_USER || kind == ID_SERVICE;

        record.value[1] = (uint8_t)kind; /* its subject's */
        assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
        assert_int_equal(
            kv_read(s.kv, by_id, &a, NULL), good ? MAUTH_OK : MAUTH_UNAVAILABLE);
    }
    assert_int_equal(kv_write(s.kv, store_record_delete, &record, NULL), MAUTH_OK);
    a.session = (struct graph_session){.subject_kind = ID_USER, .subject = {.b = {1}}};
    assert_int_equal(kv_write(s.kv, close_all, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

static enum mauth_rc
purge(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_purge(txn, (int64_t)a->number, 64, &a->count, err);
}

/* Open or closed, it is forgotten when its time is over, and not before. */
static void
forgets_what_is_over(void **state)
{
    struct act a = {.session = {.id = {.b = {1}},
                        .subject_kind = ID_USER,
                        .subject = {.b = {2}},
                        .started_s = 100,
                        .ends_s = 200,
                        .open = true}};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_OK);
    a.session.id.b[0] = 2;
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_OK);
    a.id = a.session.id;
    assert_int_equal(kv_write(s.kv, close_it, &a, NULL), MAUTH_OK);
    a.number = 199;
    assert_int_equal(kv_write(s.kv, purge, &a, NULL), MAUTH_OK);
    assert_int_equal(a.count, 0);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    a.number = 200;
    assert_int_equal(kv_write(s.kv, purge, &a, NULL), MAUTH_OK);
    assert_int_equal(a.count, 2);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_NOT_FOUND);
    a.id.b[0] = 1;
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_NOT_FOUND);
    a.session.subject_kind = ID_USER;
    a.session.subject.b[0] = 2;
    assert_int_equal(kv_write(s.kv, close_of_key, &a, NULL), MAUTH_OK);
    assert_int_equal(a.count, 0); /* nothing is left of the open one */
    store_remove(&s);
}

static enum mauth_rc
extend(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct act *a = arg;

    return graph_session_extend(txn, &a->id, (int64_t)a->number, err);
}

static int64_t
end_of(struct kv *kv, const struct id *id)
{
    struct act a = {.id = *id};

    assert_int_equal(kv_read(kv, by_id, &a, NULL), MAUTH_OK);
    return a.session.ends_s;
}

static void
extends_open_ones(void **state)
{
    struct act a = {.number = 30};
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, extend, &a, NULL), MAUTH_NOT_FOUND);
    a.id = open_one(s.kv, ID_USER, 1, 1);
    before = number(s.kv);
    assert_int_equal(kv_write(s.kv, extend, &a, NULL), MAUTH_OK);
    assert_int_equal(end_of(s.kv, &a.id), 30);
    a.number = 25; /* never shorter */
    assert_int_equal(kv_write(s.kv, extend, &a, NULL), MAUTH_OK);
    assert_int_equal(end_of(s.kv, &a.id), 30);
    assert_int_equal(number(s.kv), before); /* no change of the graph */
    a.number = 20;
    assert_int_equal(kv_write(s.kv, purge, &a, NULL), MAUTH_OK);
    assert_true(is_open(s.kv, &a.id));
    assert_int_equal(kv_write(s.kv, close_it, &a, NULL), MAUTH_OK);
    a.number = 40;
    assert_int_equal(kv_write(s.kv, extend, &a, NULL), MAUTH_NOT_FOUND);
    a.number = 30;
    assert_int_equal(kv_write(s.kv, purge, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_NOT_FOUND);
    store_remove(&s);
}

static bool
goes_on(struct kv_txn *txn, const struct id *id, int64_t now_s)
{
    struct graph_session s;
    bool yes;

    assert_int_equal(graph_session_by_id(txn, id, &s, NULL), MAUTH_OK);
    assert_int_equal(graph_session_goes_on(txn, &s, now_s, &yes, NULL), MAUTH_OK);
    return yes;
}

static struct graph_session
session_on(
    struct kv_txn *txn, uint8_t n, const struct id *subject, const struct id *dev)
{
    struct graph_session s = {
        .id = {.b = {n}}, .subject = *subject, .ends_s = 200, .open = true};
    struct graph_device d;

    assert_int_equal(graph_device_by_id(txn, dev, &d, NULL), MAUTH_OK);
    memcpy(s.key_hash, d.key_hash, sizeof(s.key_hash));
    assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    return s;
}

static void
mark(struct kv_txn *txn, const struct id *dev, bool unattended)
{
    assert_int_equal(
        graph_device_update(txn, dev, "PC", unattended, 1, NULL), MAUTH_OK);
}

/* A device that nobody sits at outlives its session, as long as the claim stands. */
WORLD_TEST(goes_on_behind_its_end_on_a_device_that_is_unattended)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 3, &alice);
    struct graph_session hers = session_on(txn, 1, &alice, &pc);
    struct graph_session his = session_on(txn, 2, &bob, &pc), found;
    size_t count;

    assert_true(goes_on(txn, &hers.id, 199));
    assert_false(goes_on(txn, &hers.id, 200));
    mark(txn, &pc, true);
    assert_true(goes_on(txn, &hers.id, 200));
    assert_true(goes_on(txn, &his.id, 199));
    assert_false(goes_on(txn, &his.id, 200)); /* it is not his */
    assert_int_equal(graph_purge(txn, 1000, 64, &count, NULL), MAUTH_OK);
    assert_int_equal(graph_session_by_id(txn, &his.id, &found, NULL), MAUTH_NOT_FOUND);
    assert_true(goes_on(txn, &hers.id, 1000));
    mark(txn, &pc, false);
    assert_false(goes_on(txn, &hers.id, 1000));
    mark(txn, &pc, true);
    assert_int_equal(graph_device_release(txn, &pc, &alice, 1000, NULL), MAUTH_OK);
    assert_false(goes_on(txn, &hers.id, 1000));
    assert_false(goes_on(txn, &hers.id, 199)); /* closed */
    assert_int_equal(graph_purge(txn, 1000 + 86400, 64, &count, NULL), MAUTH_OK);
    assert_int_equal(graph_session_by_id(txn, &hers.id, &found, NULL), MAUTH_NOT_FOUND);
}

/* Each once, whatever the page; and none of another subject or kind. */
WORLD_TEST(pages_through_the_open_ones)
{
    const struct id alice = nth(1), bob = nth(2), none = nth(99);
    struct graph_sessions page;
    size_t seen = 0;

    for (unsigned i = 0; i < 7; i++) {
        struct graph_session s = {.id = nth(10 + i),
            .subject_kind = i == 5 ? ID_SERVICE : ID_USER,
            .subject = i == 6 ? bob : alice,
            .key_hash = {(uint8_t)(i % 3)},
            .ends_s = 20,
            .open = i != 4};

        assert_int_equal(graph_session_create(txn, &s, NULL), MAUTH_OK);
    }
    for (const struct id *after = NULL; seen < 10; after = &page.items[0].id) {
        struct id at = after ? *after : none;

        assert_int_equal(graph_session_page(
                             txn, ID_USER, &alice, after ? &at : NULL, 1, &page, NULL),
            MAUTH_OK);
        assert_int_equal(page.count, 1);
        assert_memory_equal(&page.items[0].subject, &alice, sizeof(alice));
        assert_true(page.items[0].open);
        seen++;
        if (!page.more)
            break;
        if (seen == 2) /* one that is closed meanwhile is a place to go on from */
            assert_int_equal(
                graph_session_close(txn, &page.items[0].id, NULL), MAUTH_OK);
    }
    assert_int_equal(seen, 4);
    assert_int_equal(
        graph_session_page(txn, ID_USER, &alice, NULL, 0, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 3);
    assert_false(page.more);
    assert_int_equal(
        graph_session_page(txn, ID_USER, &none, NULL, 0, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 0);
    for (unsigned i = 15; i <= 17; i++) { /* a service's, another's, none at all */
        const struct id after = nth(i);

        assert_int_equal(
            graph_session_page(txn, ID_USER, &alice, &after, 0, &page, NULL),
            MAUTH_NOT_FOUND);
        assert_int_equal(page.count, 0);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_sessions),
        cmocka_unit_test(wants_a_principal_in_a_session),
        cmocka_unit_test(closes_one_for_good),
        cmocka_unit_test(closes_those_of_a_key),
        cmocka_unit_test(revokes_the_subject_of_many),
        cmocka_unit_test(revokes_the_subjects_of_many_on_a_key),
        cmocka_unit_test(closes_all_of_a_subject),
        cmocka_unit_test(notices_damage),
        cmocka_unit_test(forgets_what_is_over),
        cmocka_unit_test(extends_open_ones),
        cmocka_unit_test(pages_through_the_open_ones),
        cmocka_unit_test(goes_on_behind_its_end_on_a_device_that_is_unattended),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
