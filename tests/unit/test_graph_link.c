#include "store/graph_link.h"
#include "tests/unit/store_dir.h"

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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_through_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
