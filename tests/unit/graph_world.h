/* A small graph to act on, inside the one transaction of a test, which runs twice. */
#ifndef TESTS_GRAPH_WORLD_H
#define TESTS_GRAPH_WORLD_H

#include "store/graph_device.h"
#include "store/graph_folder.h"
#include "store/graph_link.h"
#include "store/graph_user.h"
#include "store/key.h"
#include "tests/unit/revoked.h"
#include "tests/unit/store_dir.h"

typedef void world_fn(struct kv_txn *txn);

struct world_run {
    world_fn *fn;
};

static inline enum mauth_rc
world_run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)err;
    ((const struct world_run *)arg)->fn(txn);
    return MAUTH_OK;
}

static inline void
in_world(world_fn *fn)
{
    struct world_run run = {fn};
    struct store_dir s;

    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, world_run, &run, NULL), MAUTH_OK);
    store_remove(&s);
}

/* A cmocka test of that name, from the function that acts. */
#define WORLD_TEST(name)                    \
    static void name##_in(struct kv_txn *); \
    static void name(void **state)          \
    {                                       \
        (void)state;                        \
        in_world(name##_in);                \
    }                                       \
    static void name##_in(struct kv_txn *txn)

/* Different for each n; the same of every kind, which must not matter. */
static inline struct id
nth(unsigned n)
{
    struct id id = {
        {(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};

    return id;
}

enum {
    WORLD_S = 1000 /* when all this is made */
};

static inline struct id
make_user(struct kv_txn *txn, unsigned n)
{
    char subject[16];
    struct graph_identity who = {text_of("https://i.example"), {subject, 0}};
    struct id id = nth(n);

    who.subject.len = (size_t)snprintf(subject, sizeof(subject), "%u", n);
    assert_int_equal(graph_user_create(txn, &id, &who, WORLD_S, NULL), MAUTH_OK);
    return id;
}

static inline struct graph_device
device_like(unsigned n)
{
    struct graph_device d = {.id = nth(n), .name = "PC", .created_s = WORLD_S};

    d.spki[3] = (uint8_t)n;
    d.spki[2] = (uint8_t)(n >> 8);
    d.spki_len = 4;
    return d;
}

/* Claimed by the user. */
static inline struct id
make_device(struct kv_txn *txn, unsigned n, const struct id *user)
{
    struct graph_device d = device_like(n), out;

    assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_OK);
    assert_int_equal(graph_device_claim(txn, &d.id, user, WORLD_S, NULL), MAUTH_OK);
    return d.id;
}

static inline struct id
make_folder(struct kv_txn *txn, unsigned n, const struct id *owner)
{
    struct graph_folder f = {.id = nth(n), .name = "Trip", .created_s = WORLD_S};

    assert_int_equal(graph_folder_create(txn, &f, owner, NULL), MAUTH_OK);
    return f.id;
}

static inline uint64_t
state_now(struct kv_txn *txn)
{
    uint64_t state;

    assert_int_equal(graph_state(txn, &state, NULL), MAUTH_OK);
    return state;
}

/* Is the link there, in both directions, in this role? */
static inline bool
is_linked(struct kv_txn *txn, enum graph_way way, const struct id *a,
    const struct id *b, const char *role)
{
    enum graph_way back = way % 2 ? way - 1 : way + 1;
    struct graph_link there, here;
    enum mauth_rc rc = graph_link_find(txn, way, a, b, &there, NULL);

    assert_int_equal(graph_link_find(txn, back, b, a, &here, NULL), rc);
    if (rc == MAUTH_NOT_FOUND)
        return false;
    assert_int_equal(rc, MAUTH_OK);
    assert_string_equal(there.role, here.role);
    assert_int_equal(there.version, here.version);
    assert_int_equal(there.created_s, here.created_s);
    assert_int_equal(there.updated_s, here.updated_s);
    return graph_role_is(there.role, role);
}

/* Asserts that what it loads is empty when it is not MAUTH_OK. */
typedef enum mauth_rc world_load(struct kv_txn *txn, const struct id *id);

static inline void
put_raw(struct kv_txn *txn, const struct store_key *key, const void *value, size_t len)
{
    struct text v = {value, len};

    assert_int_equal(kv_put(txn, store_key_text(key), v, NULL), MAUTH_OK);
}

/* A record (of this id, or NULL) that is shorter, longer or of another version than it should be. */
static inline void
check_damage(
    struct kv_txn *txn, enum store_space space, const struct id *id, world_load *load)
{
    uint8_t was[4096];
    struct store_key key;
    struct text value;
    size_t len;

    store_key(&key, space, id, id ? ID_BYTES : 0);
    assert_int_equal(kv_get(txn, store_key_text(&key), &value, NULL), MAUTH_OK);
    len = value.len;
    assert_true(len < sizeof(was));
    memcpy(was, value.p, len);
    was[len] = 0;
    assert_int_equal(load(txn, id), MAUTH_OK);
    for (size_t cut = 0; cut < len; cut++) {
        put_raw(txn, &key, was, cut);
        assert_int_equal(load(txn, id), MAUTH_UNAVAILABLE);
    }
    put_raw(txn, &key, was, len + 1);
    assert_int_equal(load(txn, id), MAUTH_UNAVAILABLE);
    was[0]++;
    put_raw(txn, &key, was, len);
    assert_int_equal(load(txn, id), MAUTH_UNAVAILABLE);
    was[0]--;
    put_raw(txn, &key, was, len);
    assert_int_equal(load(txn, id), MAUTH_OK);
}

/* All zeros? */
static inline bool
is_blank(const void *p, size_t len)
{
    const uint8_t *b = p;

    while (len && !*b)
        b++, len--;
    return !len;
}

#endif
