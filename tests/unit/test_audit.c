#include <jansson.h>

#include "audit/merkle.h"
#include "base/hash.h"
#include "store/audit_find.h"
#include "store/key.h"
#include "tests/unit/store_dir.h"

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, arg, err);
}

static void
add(struct store_dir *s, const struct audit_record *r)
{
    struct audit_entry *e = NULL;

    assert_int_equal(audit_entry_new(r, &e, NULL), MAUTH_OK);
    assert_int_equal(kv_write(s->kv, append, e, NULL), MAUTH_OK);
    audit_entry_free(e);
}

struct found {
    uint64_t sequence[64];
    char json[64][4096];
    size_t count;
};

static bool
note(uint64_t sequence, struct text json, void *arg)
{
    struct found *f = arg;

    f->sequence[f->count] = sequence;
    snprintf(f->json[f->count++], sizeof(f->json[0]), "%.*s", (int)json.len, json.p);
    return true;
}

static struct found *
find(struct store_dir *s, struct audit_filter filter)
{
    static struct found f;

    memset(&f, 0, sizeof(f));
    assert_int_equal(audit_find(s->kv, NULL, &filter, note, &f, NULL, NULL), MAUTH_OK);
    return &f;
}

static void
writes_records_down(void **state)
{
    static const uint8_t digest[HASH_LEN] = {1, 2, 3};
    struct audit_record r = {.time_us = 1795341900123456,
        .actor = "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa",
        .device = "0123456789abcdef",
        .session = "ses_0aaaaaaaaaaaaaaaaaaaaaaaaa",
        .action = "login",
        .resources = {"https://a.example", "say \"sequence\":7"},
        .resource_count = 2,
        .outcome = "allow",
        .ticket = "_00112233445566778899aabbccddeeff",
        .digest = digest,
        .key = "fedcba9876543210",
        .client = "127.0.0.1",
        .request = "abc"};
    struct found *f;
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    add(&s, &r);
    r = (struct audit_record){.time_us = 1795341900123457,
        .action = "refused",
        .outcome = "deny",
        .reason = "token-form",
        .count = 3};
    add(&s, &r);
    f = find(&s, (struct audit_filter){0});
    assert_int_equal(f->count, 2);
    assert_string_equal(f->json[0],
        "{\"action\":\"refused\",\"count\":3,\"outcome\":\"deny\",\"reason\":"
        "\"token-form\",\"sequence\":1,\"time\":\"2026-11-22T10:05:00.123457Z\",\"v\":"
        "1}");
    assert_string_equal(f->json[1],
        "{\"action\":\"login\",\"actor\":\"usr_0aaaaaaaaaaaaaaaaaaaaaaaaa\",\"client\":"
        "\"127.0.0.1\",\"device\":\"0123456789abcdef\",\"digest\":"
        "\"AQIDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"key\":\"fedcba9876543210\","
        "\"outcome\":\"allow\",\"request\":\"abc\",\"resources\":[\"https://"
        "a.example\","
        "\"say \\\"sequence\\\":7\"],\"sequence\":0,\"session\":"
        "\"ses_0aaaaaaaaaaaaaaaaaaaaaaaaa\",\"ticket\":"
        "\"_00112233445566778899aabbccddeeff\",\"time\":\"2026-11-22T10:05:00."
        "123456Z\",\"v\":1}");
    store_remove(&s);
}

static void
caps_and_quotes_foreign_text(void **state)
{
    static const char *const texts[] = {"tab\there", "\xff\xfe not UTF-8", "\x1b[31m",
        "\xe2\x80\xa8 line separator", "\x7f", "\xc2\x9b is what ESC [ is"};
    static char large[AUDIT_FIELD_MAX * 4];
    struct audit_record r = {.action = "x", .outcome = "deny"};
    struct store_dir s;
    struct found *f;

    (void)state;
    store_make(&s, "");
    for (size_t i = 0; i < COUNT(texts); i++) {
        r.reason = texts[i];
        add(&s, &r);
    }
    memset(large, 'a', sizeof(large) - 1);
    large[AUDIT_FIELD_MAX - 1] = '\xc3'; /* a character across the bound */
    large[AUDIT_FIELD_MAX] = '\xa4';
    r.reason = large;
    add(&s, &r);
    f = find(&s, (struct audit_filter){0});
    assert_int_equal(f->count, COUNT(texts) + 1);
    for (size_t i = 0; i < f->count; i++) {
        json_t *o = json_loads(f->json[i], JSON_REJECT_DUPLICATES, NULL);

        assert_non_null(o);
        assert_true(
            json_string_length(json_object_get(o, "reason")) <= AUDIT_FIELD_MAX + 3);
        json_decref(o);
        for (const char *c = f->json[i]; *c; c++)
            assert_true((uint8_t)*c >= ' ' && *c != 0x7f);
        assert_null(strstr(f->json[i], "\xc2\x9b"));
    }
    store_remove(&s);
}

static void
filters(void **state)
{
    struct audit_record r = {.outcome = "allow"};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    for (int i = 0; i < 20; i++) {
        r.time_us = (1000 + i) * INT64_C(1000000);
        r.action = i % 2 ? "login" : "ticket.issue";
        r.actor = i % 5 ? "usr_a" : "usr_b";
        r.ticket = i == 7 ? "_7" : NULL;
        r.session = i < 3 ? "ses_x" : NULL;
        r.outcome = i == 11 ? "deny" : "allow";
        r.reason = i == 11 ? "user-closed" : NULL;
        add(&s, &r);
    }
    assert_int_equal(find(&s, (struct audit_filter){0})->count, 20);
    assert_int_equal(find(&s, (struct audit_filter){.limit = 5})->count, 5);
    assert_int_equal(find(&s, (struct audit_filter){.limit = 5})->sequence[0], 19);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_ACTION] = "login"})->count, 10);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_ACTOR] = "usr_b"})->count, 4);
    assert_int_equal(find(&s, (struct audit_filter){.value[AUDIT_ACTOR] = "usr_b",
                                  .value[AUDIT_ACTION] = "login"})
                         ->count,
        2);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_TICKET] = "_7"})->count, 1);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_SESSION] = "ses_x"})->count, 3);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_OUTCOME] = "deny"})->count, 1);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_REASON] = "user-closed"})->count,
        1);
    assert_int_equal(
        find(&s, (struct audit_filter){.value[AUDIT_REASON] = "other"})->count, 0);
    assert_int_equal(
        find(&s, (struct audit_filter){.since_us = INT64_C(1015000000)})->count, 5);
    assert_int_equal(
        find(&s, (struct audit_filter){.until_us = INT64_C(1015000000)})->count, 15);
    store_remove(&s);
}

/* The head is the RFC 6962 root over SHA-256(salt || record), recomputed from
 * what lies in the store. */
struct recount {
    struct merkle tree;
    struct audit_head head;
};

static enum mauth_rc
ignore(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    (void)level, (void)index, (void)hash, (void)arg, (void)err;
    return MAUTH_OK;
}

static bool
count_record(struct text key, struct text value, void *arg)
{
    uint8_t salted[HASH_LEN], leaf[HASH_LEN];
    struct recount *r = arg;

    (void)key;
    assert_int_equal(hash_bytes(value.p + 1, value.len - 1, salted, NULL), MAUTH_OK);
    assert_int_equal(merkle_leaf(salted, HASH_LEN, leaf, NULL), MAUTH_OK);
    assert_int_equal(merkle_append(&r->tree, leaf, ignore, NULL, NULL), MAUTH_OK);
    return true;
}

static enum mauth_rc
recount(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct recount *r = arg;

    assert_int_equal(
        kv_scan(txn, text_of("R"), text_of("S"), KV_UP, count_record, r, err),
        MAUTH_OK);
    return audit_head(txn, &r->head, err);
}

static void
keeps_the_tree(void **state)
{
    struct audit_record r = {.action = "x", .outcome = "done"};
    struct store_dir s;
    uint8_t root[HASH_LEN];

    (void)state;
    store_make(&s, "?twice=1");
    for (int i = 0; i < 40; i++) {
        struct recount c = {0};

        assert_int_equal(kv_read(s.kv, recount, &c, NULL), MAUTH_OK);
        assert_int_equal(c.head.size, i);
        assert_int_equal(merkle_root(&c.tree, root, NULL), MAUTH_OK);
        assert_memory_equal(root, c.head.root, HASH_LEN);
        add(&s, &r);
        if (i % 10 == 0)
            store_reopen(&s);
    }
    store_remove(&s);
}

/* The largest record there can be: each text of foreign bytes, each byte escaped. */
static void
appends_the_largest_record(void **state)
{
    static char foreign[100000];
    struct audit_record r = {.time_us = INT64_MAX,
        .actor = foreign,
        .device = foreign,
        .session = foreign,
        .action = foreign,
        .resource_count = AUDIT_RESOURCES,
        .outcome = foreign,
        .reason = foreign,
        .rule = foreign,
        .ticket = foreign,
        .key = foreign,
        .client = foreign,
        .request = foreign,
        .count = INT64_MAX};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    for (size_t i = 0; i < AUDIT_RESOURCES; i++)
        r.resources[i] = foreign;
    for (int byte = 1; byte < 256; byte += 63) {
        memset(foreign, byte, sizeof(foreign) - 1);
        add(&s, &r);
    }
    assert_int_equal(find(&s, (struct audit_filter){0})->count, 5);
    assert_int_equal(find(&s, (struct audit_filter){.since_us = -1})->count, 5);
    store_remove(&s);
}

/* Whoever asks is not told that there is nothing where there is damage. */
static void
reports_a_damaged_record(void **state)
{
    struct audit_record r = {.action = "x", .outcome = "done"};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct store_record record;
    struct store_key key;
    const struct audit_filter all = {0};
    struct store_dir s;
    struct found f = {0};

    (void)state;
    store_make(&s, "");
    for (int i = 0; i < 3; i++)
        add(&s, &r);
    store_key(&key, SPACE_AUDIT_RECORD, NULL, 0);
    buf_u64(&key.b, 1);
    record.key = store_key_text(&key);
    assert_int_equal(kv_read(s.kv, store_record_get, &record, NULL), MAUTH_OK);
    record.len--;
    assert_int_equal(kv_write(s.kv, store_record_put, &record, NULL), MAUTH_OK);
    assert_int_equal(
        audit_find(s.kv, NULL, &all, note, &f, NULL, &err), MAUTH_UNAVAILABLE);
    assert_non_null(strstr(err.text, "record 1 "));
    assert_int_equal(f.count, 1);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_records_down),
        cmocka_unit_test(caps_and_quotes_foreign_text),
        cmocka_unit_test(filters),
        cmocka_unit_test(keeps_the_tree),
        cmocka_unit_test(appends_the_largest_record),
        cmocka_unit_test(reports_a_damaged_record),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
