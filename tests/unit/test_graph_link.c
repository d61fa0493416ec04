#include "store/graph_link.h"
#include "tests/unit/graph_world.h"

enum {
    MANY = 2 * GRAPH_PAGE_MAX
};

/* The far ends are 0 to MANY - 1 in the last byte; 0xff.. is the highest id. */
static enum mauth_rc
pages(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct id from, other, after = {{0}};
    struct graph_page page;
    size_t seen = 0, gone;

    (void)arg;
    memset(&from, 0xff, sizeof(from));
    memset(&other, 0xff, sizeof(other));
    other.b[ID_BYTES - 1] = 0xfe;
    for (int i = 0; i <= MANY; i++) {
        struct graph_link l = {.role = GRAPH_READER, .version = 1};

        l.to.b[ID_BYTES - 1] = (uint8_t)i;
        if (i == MANY)
            memset(&l.to, 0xff, sizeof(l.to));
        assert_int_equal(
            graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, &from, &l, err), MAUTH_OK);
        assert_int_equal(
            graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, &other, &l, err), MAUTH_OK);
    }
    do {
        assert_int_equal(graph_link_page(txn, GRAPH_MEMBER_BY_FOLDER, &other,
                             seen ? &after : NULL, &page, err),
            MAUTH_OK);
        assert_int_equal(page.more, seen < MANY);
        for (size_t i = 0; i < page.count && seen < MANY; i++)
            assert_int_equal(page.links[i].to.b[ID_BYTES - 1], seen++);
        after = page.links[page.count - 1].to;
    } while (page.more);
    assert_int_equal(page.count, 1);
    assert_memory_equal(&after, &from, sizeof(after));
    assert_int_equal(
        graph_link_delete_all(txn, GRAPH_MEMBER_BY_FOLDER, &other, &gone, err),
        MAUTH_OK);
    assert_int_equal(gone, MANY + 1);
    /* From the far end: the other folder's link alone is left. */
    assert_int_equal(
        graph_link_page(txn, GRAPH_MEMBER_BY_USER, &after, NULL, &page, err), MAUTH_OK);
    assert_int_equal(page.count, 1);
    assert_memory_equal(&page.links[0].to, &from, sizeof(from));
    return MAUTH_OK;
}

static void
pages_through_many(void **state)
{
    struct store_dir s;

    (void)state;
    store_make(&s, "?twice=1");
    assert_int_equal(kv_write(s.kv, pages, NULL, NULL), MAUTH_OK);
    store_remove(&s);
}

/* One step after the other, from both ends; the place in the walk is in the link. */
WORLD_TEST(steps_from_link_to_link)
{
    struct id from = nth(1), none = nth(2);
    struct graph_link l = {.role = GRAPH_OWNER};
    unsigned n;

    for (n = 0; n < 3; n++) {
        l = (struct graph_link){
            .to = nth(n), .role = {(char)('a' + n)}, .version = n + 1};
        assert_int_equal(
            graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, &from, &l, NULL), MAUTH_OK);
    }
    for (n = 0; n < 3; n++) {
        struct id to = nth(n);

        assert_int_equal(graph_link_next(txn, GRAPH_MEMBER_BY_FOLDER, &from,
                             n ? &l.to : NULL, &l, NULL),
            MAUTH_OK);
        assert_memory_equal(&l.to, &to, sizeof(to));
        assert_int_equal(l.role[0], 'a' + n);
        assert_int_equal(l.version, n + 1);
        assert_true(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &from, &to, l.role));
    }
    assert_int_equal(
        graph_link_next(txn, GRAPH_MEMBER_BY_FOLDER, &from, &l.to, &l, NULL),
        MAUTH_NOT_FOUND);
    assert_true(is_blank(&l, sizeof(l)));
    assert_int_equal(
        graph_link_next(txn, GRAPH_MEMBER_BY_FOLDER, &none, NULL, &l, NULL),
        MAUTH_NOT_FOUND);
    /* From the far end, and of one relation only. */
    assert_int_equal(
        graph_link_next(txn, GRAPH_MEMBER_BY_USER, &none, NULL, &l, NULL), MAUTH_OK);
    assert_memory_equal(&l.to, &from, sizeof(from));
    assert_int_equal(graph_link_next(txn, GRAPH_MEMBER_BY_USER, &none, &l.to, &l, NULL),
        MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_link_next(txn, GRAPH_MAPPED_BY_FOLDER, &from, NULL, &l, NULL),
        MAUTH_NOT_FOUND);
}

WORLD_TEST(notices_damage)
{
    struct id from = nth(1);
    struct graph_link l = {.to = nth(2), .role = GRAPH_OWNER}, found;
    uint8_t record[1 + 2 + 5 + 3 * sizeof(uint64_t) + 1] = {1, 0, 5, 'o', 'w'};
    struct graph_page page;
    struct store_key key;

    assert_int_equal(
        graph_link_put(txn, GRAPH_MEMBER_BY_FOLDER, &from, &l, NULL), MAUTH_OK);
    store_key(&key, SPACE_MEMBER_FOLDER, from.b, ID_BYTES);
    buf_put(&key.b, l.to.b, ID_BYTES);
    for (size_t len = 0; len <= sizeof(record) + 2; len++) {
        bool whole = len == sizeof(record) - 1;

        record[0] = len == sizeof(record) + 1 ? 2 : 1; /* another version */
        memcpy(&record[3], len == sizeof(record) + 2 ? "Owner" : "owner", 5);
        put_raw(txn, &key, record, len > sizeof(record) ? sizeof(record) - 1 : len);
        assert_int_equal(
            graph_link_find(txn, GRAPH_MEMBER_BY_FOLDER, &from, &l.to, &found, NULL),
            whole ? MAUTH_OK : MAUTH_UNAVAILABLE);
        assert_int_equal(is_blank(&found, sizeof(found)), !whole);
        assert_int_equal(
            graph_link_next(txn, GRAPH_MEMBER_BY_FOLDER, &from, NULL, &found, NULL),
            whole ? MAUTH_OK : MAUTH_UNAVAILABLE);
        assert_int_equal(is_blank(&found, sizeof(found)), !whole);
        assert_int_equal(
            graph_link_page(txn, GRAPH_MEMBER_BY_FOLDER, &from, NULL, &page, NULL),
            whole ? MAUTH_OK : MAUTH_UNAVAILABLE);
        assert_int_equal(page.count, whole);
    }
}

static void
names_roles(void **state)
{
    (void)state;
    assert_true(graph_role_can_be_given(GRAPH_READER));
    assert_true(graph_role_can_be_given("editor"));
    assert_false(graph_role_can_be_given(GRAPH_OWNER));
    assert_false(graph_role_can_be_given(GRAPH_NO_ROLE));
    assert_false(graph_role_can_be_given("Owner"));
    assert_true(graph_role_is("owner", GRAPH_OWNER));
    assert_false(graph_role_is("owners", GRAPH_OWNER));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_through_many),
        cmocka_unit_test(steps_from_link_to_link),
        cmocka_unit_test(notices_damage),
        cmocka_unit_test(names_roles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
