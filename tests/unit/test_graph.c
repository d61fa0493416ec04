#include "store/graph.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

/* A small script language: each function reads its arguments from here. */
struct act {
    struct id id;
    const char *name;
    struct graph_service service;
    struct graph_session session;
    int64_t now_s;
};

static enum mauth_rc
create_service(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_create(txn, &a->id, a->name, a->now_s, err);
}

static enum mauth_rc
service_by_name(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_by_name(txn, a->name, &a->service, err);
}

static enum mauth_rc
create_session(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_session_create(txn, &((struct act *)arg)->session, err);
}

static enum mauth_rc
session_by_id(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_session_by_id(txn, &a->id, &a->session, err);
}

static void
registers_services(void **state)
{
    struct act a = {.name = "storage", .now_s = 5};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, service_by_name, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_service, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_service, &a, NULL), MAUTH_CONFLICT);
    assert_int_equal(kv_read(s.kv, service_by_name, &a, NULL), MAUTH_OK);
    assert_string_equal(a.service.name, "storage");
    assert_memory_equal(&a.service.id, &a.id, sizeof(a.id));
    assert_int_equal(a.service.spki_len, 0);
    assert_true(a.service.live);
    a.name = "Storage";
    assert_int_equal(kv_write(s.kv, create_service, &a, NULL), MAUTH_INVALID);
    assert_int_equal(kv_read(s.kv, service_by_name, &a, NULL), MAUTH_NOT_FOUND);
    store_remove(&s);
}

static void
keeps_sessions(void **state)
{
    struct graph_session made = {.subject_kind = ID_USER,
        .key_hash = {7},
        .started_s = 10,
        .ends_s = 20,
        .open = true};
    struct act a = {.session = made};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, session_by_id, &a, NULL), MAUTH_NOT_FOUND);
    made.id = a.id;
    assert_int_equal(id_new(&made.subject, NULL), MAUTH_OK);
    a.session = made;
    assert_int_equal(kv_write(s.kv, create_session, &a, NULL), MAUTH_OK);
    memset(&a.session, 0, sizeof(a.session));
    assert_int_equal(kv_read(s.kv, session_by_id, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.session.subject, &made.subject, sizeof(made.subject));
    assert_memory_equal(a.session.key_hash, made.key_hash, GRAPH_KEY_HASH);
    assert_int_equal(a.session.subject_kind, ID_USER);
    assert_int_equal(a.session.ends_s, 20);
    assert_true(a.session.open);
    store_remove(&s);
}

/* A record that another one promises and that is not there is damage. */
static void
notices_what_is_missing(void **state)
{
    struct act a = {.name = "storage"};
    struct store_record gone;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_service, &a, NULL), MAUTH_OK);
    store_key(&key, SPACE_SERVICE, a.id.b, ID_BYTES);
    gone.key = store_key_text(&key);
    assert_int_equal(kv_write(s.kv, store_record_delete, &gone, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, service_by_name, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

static void
wants_a_principal_in_a_session(void **state)
{
    struct act a = {.session = {.subject_kind = ID_DEVICE}};
    struct store_record record;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_write(s.kv, create_session, &a, NULL), MAUTH_INVALID);
    a.session.subject_kind = ID_SERVICE;
    assert_int_equal(kv_write(s.kv, create_session, &a, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, session_by_id, &a, NULL), MAUTH_OK);
    assert_int_equal(a.session.subject_kind, ID_SERVICE);
    store_key(&key, SPACE_SESSION, a.id.b, ID_BYTES);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    for (unsigned kind = 0; kind < 256; kind++) {
        bool good = kind == ID_USER || kind == ID_SERVICE;

        record.value[1] = (uint8_t)kind;
        assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
        assert_int_equal(kv_read(s.kv, session_by_id, &a, NULL),
            good ? MAUTH_OK : MAUTH_UNAVAILABLE);
    }
    store_remove(&s);
}

/* RSA with 4096 bits is a key that a service may register. */
static void
has_room_for_every_key(void **state)
{
    struct act a = {.name = "storage"};
    struct store_record record;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    assert_int_equal(id_new(&a.id, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s.kv, create_service, &a, NULL), MAUTH_OK);
    store_key(&key, SPACE_SERVICE, a.id.b, ID_BYTES);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    /* The key is the last field: its length, then its bytes. */
    memset(record.value + record.len, 0x30, MAUTH_SPKI_MAX + 1);
    record.value[record.len - 2] = MAUTH_SPKI_MAX >> 8;
    record.value[record.len - 1] = MAUTH_SPKI_MAX & 0xff;
    record.len += MAUTH_SPKI_MAX;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, service_by_name, &a, NULL), MAUTH_OK);
    assert_int_equal(a.service.spki_len, MAUTH_SPKI_MAX);
    assert_int_equal(a.service.spki[MAUTH_SPKI_MAX - 1], 0x30);
    record.value[record.len - MAUTH_SPKI_MAX - 1]++;
    record.len++;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, service_by_name, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_services),
        cmocka_unit_test(keeps_sessions),
        cmocka_unit_test(notices_what_is_missing),
        cmocka_unit_test(wants_a_principal_in_a_session),
        cmocka_unit_test(has_room_for_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
