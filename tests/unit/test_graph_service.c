#include "base/hash.h"
#include "store/graph_role.h"
#include "store/graph_service.h"
#include "store/graph_session.h"
#include "store/key.h"
#include "tests/unit/golden.h"
#include "tests/unit/revoked.h"

struct act {
    struct graph_service service; /* in and out */
    struct graph_service_page page;
    struct graph_principal principal;
    struct graph_session session;
    struct id id;
    const char *name;
    const char *after;
    size_t limit;
    uint8_t key_hash[GRAPH_KEY_HASH];
    uint64_t number;
};

static enum mauth_rc
create(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_service_create(txn, &((const struct act *)arg)->service, err);
}

static enum mauth_rc
update(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_service_update(txn, &((const struct act *)arg)->service, err);
}

static enum mauth_rc delete (struct kv_txn *txn, void *arg, struct mauth_err *err) {
    return graph_service_delete(txn, &((const struct act *)arg)->id, 99, err);
}

static enum mauth_rc
by_id(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_by_id(txn, &a->id, &a->service, err);
}

static enum mauth_rc
by_name(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_by_name(txn, a->name, &a->service, err);
}

static enum mauth_rc
by_key_hash(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_by_key_hash(txn, a->key_hash, &a->service, err);
}

static enum mauth_rc
page(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_page(txn, a->after, a->limit, &a->page, err);
}

static enum mauth_rc
log_in(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_session_create(txn, &((const struct act *)arg)->session, err);
}

static enum mauth_rc
look_at_session(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const struct id session = {.b = {77}};

    return graph_session_by_id(txn, &session, &((struct act *)arg)->session, err);
}

static enum mauth_rc
grant(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_role_grant(
        txn, &((const struct act *)arg)->principal, "publish", 5, err);
}

static enum mauth_rc
has_role(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_role_has(txn, &((const struct act *)arg)->principal, "publish", err);
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

/* A key of its own for each last byte; no arithmetic is done with it here. */
static void
give_key(struct graph_service *s, uint8_t last)
{
    s->spki_len = golden_der("device.pub.pem", s->spki, sizeof(s->spki));
    s->spki[s->spki_len - 1] = last;
}

static struct graph_service
full(const char *name)
{
    struct graph_service s = {.created_s = 5, .actions = 2};

    assert_int_equal(id_new(&s.id, NULL), MAUTH_OK);
    snprintf(s.name, sizeof(s.name), "%s", name);
    snprintf(s.url, sizeof(s.url), "https://%s.example/v1", name);
    snprintf(s.action[0], sizeof(s.action[0]), "read");
    snprintf(s.action[1], sizeof(s.action[1]), "write");
    give_key(&s, (uint8_t)name[0]);
    return s;
}

static enum mauth_rc
try(struct kv *kv, const struct graph_service *s)
{
    struct act a = {.service = *s};

    return kv_write(kv, create, &a, NULL);
}

static void
registers_services(void **state)
{
    struct act a = {.name = "storage"};
    struct graph_service want = full("storage");
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(try(s.kv, &want), MAUTH_OK);
    assert_int_equal(number(s.kv), 2);
    want.version = 1;
    want.updated_s = 5;
    want.live = true;
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.service, &want, sizeof(want));
    a.id = want.id;
    memset(&a.service, 0, sizeof(a.service));
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.service, &want, sizeof(want));
    assert_int_equal(hash_bytes(want.spki, want.spki_len, a.key_hash, NULL), MAUTH_OK);
    memset(&a.service, 0, sizeof(a.service));
    assert_int_equal(kv_read(s.kv, by_key_hash, &a, NULL), MAUTH_OK);
    assert_memory_equal(&a.service, &want, sizeof(want));
    a.key_hash[0] ^= 1;
    assert_int_equal(kv_read(s.kv, by_key_hash, &a, NULL), MAUTH_NOT_FOUND);
    a.name = "Storage";
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_NOT_FOUND);
    store_remove(&s);
}

/* With nothing but a name it is an audience. Many may have no key and no prefix. */
static void
registers_audiences(void **state)
{
    static const char *const names[] = {"storage", "relay"};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    for (size_t i = 0; i < COUNT(names); i++) {
        struct act a = {.name = names[i]};

        snprintf(a.service.name, sizeof(a.service.name), "%s", names[i]);
        assert_int_equal(id_new(&a.service.id, NULL), MAUTH_OK);
        assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_OK);
        assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_OK);
        assert_int_equal(a.service.spki_len, 0);
        assert_string_equal(a.service.url, "");
        assert_int_equal(a.service.actions, 0);
    }
    store_remove(&s);
}

#define LONG63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct refusal {
    const char *why;
    const char *name;
    const char *url;
    const char *action[3];
    int key; /* its last byte; -1: none; -2: not a key */
    enum mauth_rc rc;
} refusals[] = {
    {"no name", "", "", {NULL}, -1, MAUTH_INVALID},
    {"upper case", "Relay", "", {NULL}, -1, MAUTH_INVALID},
    {"a digit first", "1relay", "", {NULL}, -1, MAUTH_INVALID},
    {"a name like a path", "a/b", "", {NULL}, -1, MAUTH_INVALID},
    {"an id", "svc_0aaaaaaaaaaaaaaaaaaaaaaaaa", "", {NULL}, -1, MAUTH_INVALID},
    {"the same name", "storage", "", {NULL}, -1, MAUTH_CONFLICT},
    {"the same key", "relay", "", {NULL}, 's', MAUTH_CONFLICT},
    {"no key's form", "relay", "", {NULL}, -2, MAUTH_INVALID},
    {"the same prefix", "relay", "https://storage.example/v1", {NULL}, -1,
        MAUTH_CONFLICT},
    {"a prefix below", "relay", "https://storage.example/v1/a", {NULL}, -1,
        MAUTH_CONFLICT},
    {"a prefix far below", "relay", "https://storage.example/v1/a/b/c", {NULL}, -1,
        MAUTH_CONFLICT},
    {"a prefix above", "relay", "https://storage.example", {NULL}, -1, MAUTH_CONFLICT},
    {"plain HTTP", "relay", "http://relay.example", {NULL}, -1, MAUTH_INVALID},
    {"no host", "relay", "https://", {NULL}, -1, MAUTH_INVALID},
    {"a slash at its end", "relay", "https://relay.example/", {NULL}, -1,
        MAUTH_INVALID},
    {"a query", "relay", "https://relay.example/a?b", {NULL}, -1, MAUTH_INVALID},
    {"a fragment", "relay", "https://relay.example/a#b", {NULL}, -1, MAUTH_INVALID},
    {"userinfo", "relay", "https://u@relay.example/a", {NULL}, -1, MAUTH_INVALID},
    {"the default port", "relay", "https://relay.example:443/a", {NULL}, -1,
        MAUTH_INVALID},
    {"dots", "relay", "https://relay.example/a/../b", {NULL}, -1, MAUTH_INVALID},
    {"two slashes", "relay", "https://relay.example//b", {NULL}, -1, MAUTH_INVALID},
    {"an upper-case host", "relay", "https://Relay.example/b", {NULL}, -1,
        MAUTH_INVALID},
    {"no action", "relay", "", {""}, -1, MAUTH_INVALID},
    {"an action that is no name", "relay", "", {"read", "Write"}, -1, MAUTH_INVALID},
    {"an action twice", "relay", "", {"read", "write", "read"}, -1, MAUTH_INVALID},
};

static void
refuses(void **state)
{
    struct graph_service first = full("storage");
    struct store_dir s;
    uint64_t before;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(try(s.kv, &first), MAUTH_OK);
    before = number(s.kv);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *r = &refusals[i];
        struct graph_service want = {.id = {.b = {1}}};
        struct act a = {.id = {.b = {1}}};

        snprintf(want.name, sizeof(want.name), "%s", r->name);
        snprintf(want.url, sizeof(want.url), "%s", r->url);
        for (; want.actions < 3 && r->action[want.actions]; want.actions++)
            snprintf(want.action[want.actions], sizeof(want.action[0]), "%s",
                r->action[want.actions]);
        if (r->key != -1)
            give_key(&want, (uint8_t)r->key);
        want.spki_len -= r->key == -2;
        if (try(s.kv, &want) != r->rc)
            fail_msg("%s", r->why);
        assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_NOT_FOUND);
        a.name = r->name;
        assert_int_equal(kv_read(s.kv, by_name, &a, NULL),
            strcmp(r->name, "storage") == 0 ? MAUTH_OK : MAUTH_NOT_FOUND);
    }
    assert_int_equal(number(s.kv), before);
    /* The id of another, also when that is gone. */
    first.name[0] = 'x';
    first.url[0] = '\0';
    first.spki_len = 0;
    assert_int_equal(try(s.kv, &first), MAUTH_CONFLICT);
    store_remove(&s);
}

/* Prefixes that only look alike do not meet. */
static void
takes_neighbours(void **state)
{
    static const char *const urls[] = {"https://storage.example/v1",
        "https://storage.example/v11", "https://storage.example/v2",
        "https://storage.example/v", "https://storage.example:8443",
        "https://storage.example.org", "https://[::1]:8443/v1"};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct graph_service want = {.id = {.b = {(uint8_t)(i + 1)}}};

        snprintf(want.name, sizeof(want.name), "s%zu", i);
        snprintf(want.url, sizeof(want.url), "%s", urls[i]);
        if (try(s.kv, &want) != MAUTH_OK)
            fail_msg("%s", urls[i]);
    }
    store_remove(&s);
}

static enum mauth_rc
by_url(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;

    return graph_service_by_url(txn, text_of(a->name), &a->service, err);
}

static void
finds_by_what_lies_under_a_prefix(void **state)
{
    static const struct {
        const char *url;
        const char *name;
    } cases[] = {
        {"https://storage.example/v1", "storage"},
        {"https://storage.example/v1/", "storage"},
        {"https://storage.example/v1/a/b%20c", "storage"},
        {"https://storage.example/v11", NULL},
        {"https://storage.example/v", NULL},
        {"https://storage.example/", NULL},
        {"https://storage.example", NULL},
        {"https://storage.example/v1/../v1", NULL},
        {"https://storage.example/v1/a?b", NULL},
        {"https://storage.example/v1//a", NULL},
        {"https://storage.example/v1/%61", NULL},
        {"https://relay.example:8443", "relay"},
        {"https://relay.example:8443/", "relay"},
        {"https://relay.example:8443/x", "relay"},
        {"https://relay.example:84430/x", NULL},
        {"https://relay.example/x", NULL},
        {"http://relay.example:8443/x", NULL},
        {"", NULL},
        {"/", NULL},
    };
    struct graph_service storage = {.id = {.b = {1}}, .name = "storage"};
    struct graph_service relay = {.id = {.b = {2}}, .name = "relay"};
    struct act a = {.id = {.b = {1}}};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    snprintf(storage.url, sizeof(storage.url), "https://storage.example/v1");
    snprintf(relay.url, sizeof(relay.url), "https://relay.example:8443");
    assert_int_equal(try(s.kv, &storage), MAUTH_OK);
    assert_int_equal(try(s.kv, &relay), MAUTH_OK);
    for (size_t i = 0; i < COUNT(cases); i++) {
        a.name = cases[i].url;
        if (kv_read(s.kv, by_url, &a, NULL) !=
                (cases[i].name ? MAUTH_OK : MAUTH_NOT_FOUND) ||
            strcmp(a.service.name, cases[i].name ? cases[i].name : "") != 0)
            fail_msg("%s: %s", cases[i].url, a.service.name);
    }
    store_remove(&s);
}

/* All that a service may have at once fits into its record. */
static void
takes_the_largest(void **state)
{
    struct act a = {.service = {.id = {.b = {1}}, .spki_len = MAUTH_SPKI_MAX}};
    struct graph_service *w = &a.service;
    struct mauth_key *key;
    size_t len;
    char *pem = test_data("vectors/keys/rsa4096.pub.pem", &len);
    struct store_dir s;
    const uint8_t *spki;

    (void)state;
    store_make(&s, "");
    assert_int_equal(mauth_key_from_pem(pem, len, &key, NULL), MAUTH_OK);
    spki = mauth_key_spki(key, &w->spki_len);
    memcpy(w->spki, spki, w->spki_len);
    memset(w->name, 'n', GRAPH_NAME_MAX);
    memset(w->url, 'u', GRAPH_URL_MAX);
    memcpy(w->url, "https://relay.example/", 22);
    for (w->actions = 0; w->actions < GRAPH_ACTIONS; w->actions++) {
        memset(w->action[w->actions], 'a', GRAPH_NAME_MAX);
        w->action[w->actions][1] = (char)('a' + w->actions);
    }
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_OK);
    a.id = w->id;
    memset(w, 0, sizeof(*w));
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_int_equal(strlen(w->url), GRAPH_URL_MAX);
    assert_int_equal(w->actions, GRAPH_ACTIONS);
    assert_string_equal(&w->action[15][2], &LONG63[1]);
    w->actions++;
    w->id.b[0]++;
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_INVALID);
    mauth_key_free(key);
    free(pem);
    store_remove(&s);
}

/* Everything hangs on an id; these have sessions and a role. */
static void
settle(struct kv *kv, struct act *a, const struct graph_service *s)
{
    a->id = s->id;
    a->principal = (struct graph_principal){ID_SERVICE, s->id};
    a->session = (struct graph_session){.id = {.b = {77}},
        .subject_kind = ID_SERVICE,
        .subject = s->id,
        .ends_s = 100,
        .open = true};
    assert_int_equal(kv_write(kv, grant, a, NULL), MAUTH_OK);
    assert_int_equal(kv_write(kv, log_in, a, NULL), MAUTH_OK);
}

static bool
is_logged_in(struct kv *kv, struct act *a)
{
    assert_int_equal(kv_read(kv, look_at_session, a, NULL), MAUTH_OK);
    return a->session.open;
}

static void
updates(void **state)
{
    struct graph_service want = full("storage"), other = full("relay");
    struct act a = {.name = "storage"};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(try(s.kv, &want), MAUTH_OK);
    assert_int_equal(try(s.kv, &other), MAUTH_OK);
    settle(s.kv, &a, &want);
    /* A prefix above its own, an action more: nothing narrows. */
    a.service = want;
    a.service.updated_s = 50;
    snprintf(a.service.url, sizeof(a.service.url), "https://storage.example");
    snprintf(a.service.action[2], sizeof(a.service.action[2]), "delete");
    a.service.actions = 3;
    snprintf(a.service.name, sizeof(a.service.name), "another");
    assert_int_equal(kv_write(s.kv, update, &a, NULL), MAUTH_OK);
    assert_int_equal(revoked_since(s.kv, ID_SERVICE, &want.id), 0);
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_OK);
    assert_int_equal(a.service.version, 2);
    assert_int_equal(a.service.created_s, 5);
    assert_int_equal(a.service.updated_s, 50);
    assert_string_equal(a.service.url, "https://storage.example");
    assert_int_equal(a.service.actions, 3);
    assert_true(is_logged_in(s.kv, &a));
    /* An action less: what was issued is dead, who logged in stays. */
    a.service.actions = 1;
    assert_int_equal(kv_write(s.kv, update, &a, NULL), MAUTH_OK);
    assert_int_equal(revoked_since(s.kv, ID_SERVICE, &want.id), number(s.kv));
    assert_true(is_logged_in(s.kv, &a));
    /* What is another's. */
    a.service.spki_len = other.spki_len;
    memcpy(a.service.spki, other.spki, other.spki_len);
    assert_int_equal(kv_write(s.kv, update, &a, NULL), MAUTH_CONFLICT);
    assert_true(is_logged_in(s.kv, &a));
    /* Another key: its sessions end, and the old key leads nowhere. */
    give_key(&a.service, 0x55);
    assert_int_equal(kv_write(s.kv, update, &a, NULL), MAUTH_OK);
    assert_int_equal(revoked_since(s.kv, ID_SERVICE, &want.id), number(s.kv));
    assert_false(is_logged_in(s.kv, &a));
    assert_int_equal(hash_bytes(want.spki, want.spki_len, a.key_hash, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_key_hash, &a, NULL), MAUTH_NOT_FOUND);
    a.service = (struct graph_service){.id = {.b = {1}}, .name = "x"};
    assert_int_equal(kv_write(s.kv, update, &a, NULL), MAUTH_NOT_FOUND);
    store_remove(&s);
}

static void
deletes(void **state)
{
    struct graph_service want = full("storage"), again = full("storage");
    struct act a = {.name = "storage", .id = {.b = {1}}};
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, delete, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(try(s.kv, &want), MAUTH_OK);
    settle(s.kv, &a, &want);
    assert_int_equal(kv_write(s.kv, delete, &a, NULL), MAUTH_OK);
    assert_int_equal(revoked_since(s.kv, ID_SERVICE, &want.id), number(s.kv));
    assert_false(is_logged_in(s.kv, &a));
    assert_int_equal(kv_read(s.kv, has_role, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_false(a.service.live);
    assert_int_equal(a.service.version, 2);
    assert_int_equal(a.service.updated_s, 99);
    assert_int_equal(kv_write(s.kv, delete, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_write(s.kv, grant, &a, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(kv_write(s.kv, update, &a, NULL), MAUTH_NOT_FOUND);
    /* All that it had is free, but for its id. */
    assert_int_equal(try(s.kv, &want), MAUTH_CONFLICT);
    assert_int_equal(try(s.kv, &again), MAUTH_OK);
    store_remove(&s);
}

static void
pages_by_name(void **state)
{
    struct act a = {.limit = 0};
    struct store_dir s;
    size_t seen = 0;
    char last[GRAPH_NAME_MAX + 1] = "";

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_OK);
    assert_int_equal(a.page.count, 0);
    for (uint8_t i = 0; i < 40; i++) {
        struct graph_service want = {.id = {.b = {i, 1}}};

        snprintf(want.name, sizeof(want.name), "s%u", (i * 7U) % 40);
        assert_int_equal(try(s.kv, &want), MAUTH_OK);
    }
    do {
        assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_OK);
        assert_true(a.page.count > 0);
        for (size_t i = 0; i < a.page.count; i++, seen++) {
            assert_true(strcmp(last, a.page.item[i].name) < 0);
            memcpy(last, a.page.item[i].name, sizeof(last));
        }
        a.after = last;
    } while (a.page.more);
    assert_int_equal(seen, 40);
    a.after = NULL;
    a.limit = 3;
    assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_OK);
    assert_int_equal(a.page.count, 3);
    assert_true(a.page.more);
    store_remove(&s);
}

/* A way that leads nowhere is damage: to take it for "none" would let a name be given
 * twice. */
static void
notices_what_is_missing(void **state)
{
    struct act a = {.service = full("storage"), .name = "storage"};
    struct store_record record;
    struct store_key key;
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    a.id = a.service.id;
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_OK);
    store_key(&key, SPACE_SERVICE, a.id.b, ID_BYTES);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    record.len--;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_write(s.kv, store_record_delete, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_name, &a, NULL), MAUTH_UNAVAILABLE);
    assert_int_equal(kv_read(s.kv, page, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

static void
has_room_for_every_key(void **state)
{
    struct act a = {.service = {.id = {.b = {1}}, .name = "storage"}, .id = {.b = {1}}};
    struct store_record record;
    struct store_key key;
    struct store_dir s;
    size_t at;

    (void)state;
    store_make(&s, "");
    assert_int_equal(kv_write(s.kv, create, &a, NULL), MAUTH_OK);
    store_key(&key, SPACE_SERVICE, a.id.b, ID_BYTES);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    /* At its end: the key's length, the key, and that there are no actions. */
    at = record.len - 3;
    memset(record.value + record.len, 0, MAUTH_SPKI_MAX + 1);
    memset(record.value + at + 2, 0x30, MAUTH_SPKI_MAX);
    record.value[at] = MAUTH_SPKI_MAX >> 8;
    record.value[at + 1] = MAUTH_SPKI_MAX & 0xff;
    record.len += MAUTH_SPKI_MAX;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_OK);
    assert_int_equal(a.service.spki_len, MAUTH_SPKI_MAX);
    assert_int_equal(a.service.spki[MAUTH_SPKI_MAX - 1], 0x30);
    record.value[at + 1]++;
    record.len++;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(kv_read(s.kv, by_id, &a, NULL), MAUTH_UNAVAILABLE);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(registers_services),
        cmocka_unit_test(registers_audiences),
        cmocka_unit_test(refuses),
        cmocka_unit_test(takes_neighbours),
        cmocka_unit_test(finds_by_what_lies_under_a_prefix),
        cmocka_unit_test(takes_the_largest),
        cmocka_unit_test(updates),
        cmocka_unit_test(deletes),
        cmocka_unit_test(pages_by_name),
        cmocka_unit_test(notices_what_is_missing),
        cmocka_unit_test(has_room_for_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
