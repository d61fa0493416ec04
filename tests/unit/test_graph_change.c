#include "store/graph_change.h"
#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "store/graph_record.h"
#include "tests/unit/graph_world.h"

static void
put(struct kv_txn *txn, int64_t time_s)
{
    struct graph_change c = {.time_s = time_s,
        .op = GRAPH_UPDATED,
        .type = GRAPH_CHANGED_USER,
        .id = {nth(1)}};
    uint64_t before = state_now(txn);

    assert_int_equal(graph_change_put(txn, &c, NULL), MAUTH_OK);
    assert_int_equal(c.sequence, before + 1);
    assert_int_equal(state_now(txn), before + 1);
}

struct line {
    enum graph_change_op op;
    enum graph_change_type type;
    unsigned id[GRAPH_CHANGE_IDS];
};

/* Everything that the graph does, once. */
static void
act(struct kv_txn *txn)
{
    struct id alice = make_user(txn, 1), bob = make_user(txn, 2);
    struct id pc = make_device(txn, 3, &bob), trip = make_folder(txn, 4, &alice);
    struct graph_invitation i = {.id = nth(5),
        .folder = trip,
        .inviter = alice,
        .role = GRAPH_READER,
        .created_s = 5,
        .expires_s = 100};
    enum graph_closed why;

    assert_int_equal(graph_device_update(txn, &pc, "M", false, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_folder_update(txn, &trip, "T", false, 5, NULL), MAUTH_OK);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_int_equal(
        graph_invitation_accept(txn, &i.id, &bob, 6, &why, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_add(txn, &pc, &trip, 6, NULL), MAUTH_OK);
    assert_int_equal(graph_member_pass(txn, &trip, &alice, &bob, 7, NULL), MAUTH_OK);
    i.id = nth(6);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
    assert_int_equal(graph_member_remove(txn, &trip, &alice, 8, NULL), MAUTH_OK);
    assert_int_equal(graph_mapping_remove(txn, &pc, &trip, 8, NULL), MAUTH_OK);
    assert_int_equal(graph_user_delete(txn, &bob, 9, NULL), MAUTH_OK);
}

static const struct line lines[] = {
    {GRAPH_CREATED, GRAPH_CHANGED_USER, {1}},
    {GRAPH_CREATED, GRAPH_CHANGED_USER, {2}},
    {GRAPH_CREATED, GRAPH_CHANGED_DEVICE, {3}},
    {GRAPH_CREATED, GRAPH_CHANGED_CLAIM, {3, 2}},
    {GRAPH_CREATED, GRAPH_CHANGED_FOLDER, {4}},
    {GRAPH_CREATED, GRAPH_CHANGED_MEMBER, {4, 1}},
    {GRAPH_UPDATED, GRAPH_CHANGED_DEVICE, {3}},
    {GRAPH_UPDATED, GRAPH_CHANGED_FOLDER, {4}},
    {GRAPH_CREATED, GRAPH_CHANGED_INVITATION, {5, 4, 1}},
    {GRAPH_CREATED, GRAPH_CHANGED_MEMBER, {4, 2}},
    {GRAPH_UPDATED, GRAPH_CHANGED_INVITATION, {5, 4, 1}},
    {GRAPH_CREATED, GRAPH_CHANGED_MAPPING, {3, 4}},
    {GRAPH_UPDATED, GRAPH_CHANGED_MEMBER, {4, 2}},
    {GRAPH_UPDATED, GRAPH_CHANGED_MEMBER, {4, 1}},
    {GRAPH_CREATED, GRAPH_CHANGED_INVITATION, {6, 4, 1}},
    {GRAPH_UPDATED, GRAPH_CHANGED_INVITATION, {6, 4, 1}},
    {GRAPH_DELETED, GRAPH_CHANGED_MEMBER, {4, 1}},
    {GRAPH_DELETED, GRAPH_CHANGED_MAPPING, {3, 4}},
    {GRAPH_DELETED, GRAPH_CHANGED_FOLDER, {4}},
    {GRAPH_DELETED, GRAPH_CHANGED_CLAIM, {3, 2}},
    {GRAPH_DELETED, GRAPH_CHANGED_USER, {2}},
};

WORLD_TEST(tells_what_changed)
{
    struct graph_changes page;

    act(txn);
    assert_int_equal(state_now(txn), 1 + COUNT(lines));
    assert_int_equal(graph_change_page(txn, 0, GRAPH_PAGE_MAX, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, COUNT(lines));
    assert_false(page.more);
    for (size_t n = 0; n < COUNT(lines); n++) {
        const struct graph_change *c = &page.items[n];

        assert_int_equal(c->sequence, n + 2);
        assert_int_equal(c->op, lines[n].op);
        assert_int_equal(c->type, lines[n].type);
        for (size_t i = 0; i < graph_change_form(c->type)->count; i++) {
            struct id id = nth(lines[n].id[i]);

            assert_memory_equal(&c->id[i], &id, sizeof(id));
        }
    }
    assert_int_equal(page.items[COUNT(lines) - 1].time_s, 9);
}

WORLD_TEST(goes_on_from_where_a_reader_is)
{
    struct graph_changes page;
    uint64_t after = 0, skipped;
    size_t seen = 0;

    act(txn);
    assert_int_equal(graph_advance(txn, &skipped, NULL), MAUTH_OK); /* no change */
    put(txn, 10);
    do {
        assert_int_equal(graph_change_page(txn, after, 4, &page, NULL), MAUTH_OK);
        assert_in_range(page.count, 1, 4);
        assert_true(page.items[0].sequence > after);
        after = page.items[page.count - 1].sequence;
        seen += page.count;
    } while (page.more);
    assert_int_equal(seen, COUNT(lines) + 1);
    assert_int_equal(after, state_now(txn));
    assert_int_equal(graph_change_page(txn, skipped, 4, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 1);
    assert_int_equal(graph_change_page(txn, after, 4, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 0);
    assert_false(page.more);
    /* From a state that never was. */
    assert_int_equal(
        graph_change_page(txn, after + 1, 4, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(
        graph_change_page(txn, UINT64_MAX, 4, &page, NULL), MAUTH_NOT_FOUND);
}

WORLD_TEST(forgets_what_is_old)
{
    struct graph_changes page;
    size_t count;

    for (int64_t n = 1; n <= 10; n++)
        put(txn, n); /* 2 to 11 */
    assert_int_equal(
        graph_change_purge(txn, GRAPH_CHANGES_KEPT_S, 5, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 0);
    assert_int_equal(graph_change_page(txn, 0, 1, &page, NULL), MAUTH_OK);
    assert_int_equal(
        graph_change_purge(txn, GRAPH_CHANGES_KEPT_S + 8, 5, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 5); /* no more than that at once */
    assert_int_equal(
        graph_change_purge(txn, GRAPH_CHANGES_KEPT_S + 8, 5, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 2);
    assert_int_equal(
        graph_change_purge(txn, GRAPH_CHANGES_KEPT_S + 8, 5, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 0);
    /* Those who have not seen the last of them are told. */
    assert_int_equal(graph_change_page(txn, 0, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_change_page(txn, 7, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_true(is_blank(&page, sizeof(page)));
    assert_int_equal(graph_change_page(txn, 8, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 3);
    assert_int_equal(page.items[0].sequence, 9);
    /* All are gone; the sequence goes on. */
    assert_int_equal(graph_change_purge(txn, INT64_MAX, 64, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 3);
    assert_int_equal(graph_change_page(txn, 10, 9, &page, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(graph_change_page(txn, 11, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.count, 0);
    put(txn, 20);
    assert_int_equal(graph_change_page(txn, 11, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.items[0].sequence, 12);
}

WORLD_TEST(forgets_many_at_once)
{
    size_t count;

    for (unsigned n = 0; n < 3 * GRAPH_PAGE_MAX; n++)
        put(txn, 1);
    assert_int_equal(
        graph_change_purge(txn, INT64_MAX, 2 * GRAPH_PAGE_MAX + 1, &count, NULL),
        MAUTH_OK);
    assert_int_equal(count, 2 * GRAPH_PAGE_MAX + 1);
    assert_int_equal(graph_change_purge(txn, INT64_MAX, 1000, &count, NULL), MAUTH_OK);
    assert_int_equal(count, GRAPH_PAGE_MAX - 1);
}

/* A state as of which there are more than are kept. */
WORLD_TEST(forgets_what_is_too_much)
{
    uint8_t record[1 + sizeof(uint64_t)] = {1};
    struct store_key key;
    struct graph_changes page;
    size_t count;

    put(txn, 1); /* 2 */
    put(txn, 1); /* 3 */
    record[6] = GRAPH_CHANGES_KEPT >> 16 & 0xff;
    record[8] = 2;
    store_key(&key, SPACE_GRAPH_STATE, NULL, 0);
    put_raw(txn, &key, record, sizeof(record));
    assert_int_equal(state_now(txn), GRAPH_CHANGES_KEPT + 2);
    assert_int_equal(graph_change_purge(txn, 1, 64, &count, NULL), MAUTH_OK);
    assert_int_equal(count, 1);
    assert_int_equal(graph_change_page(txn, 2, 9, &page, NULL), MAUTH_OK);
    assert_int_equal(page.items[0].sequence, 3);
}

WORLD_TEST(notices_damage)
{
    uint8_t record[1 + 8 + 2 + ID_BYTES + 1] = {1};
    struct graph_changes page;
    struct store_key key;
    size_t count;

    put(txn, 1);
    store_key(&key, SPACE_CHANGE, NULL, 0);
    buf_u64(&key.b, 2);
    for (size_t len = 0; len <= sizeof(record) + 2; len++) {
        bool whole = len == sizeof(record) - 1;

        record[9] = len == sizeof(record) + 1 ? GRAPH_OPS : 0;
        record[10] = len == sizeof(record) + 2 ? GRAPH_CHANGE_TYPES : 0;
        put_raw(txn, &key, record, len > sizeof(record) ? sizeof(record) - 1 : len);
        assert_int_equal(graph_change_page(txn, 0, 9, &page, NULL),
            whole ? MAUTH_OK : MAUTH_UNAVAILABLE);
        assert_int_equal(is_blank(&page, sizeof(page)), !whole);
        if (!whole)
            assert_int_equal(
                graph_change_purge(txn, INT64_MAX, 9, &count, NULL), MAUTH_UNAVAILABLE);
    }
    store_key(&key, SPACE_CHANGE_GONE, NULL, 0);
    put_raw(txn, &key, record, 3);
    assert_int_equal(graph_change_page(txn, 0, 9, &page, NULL), MAUTH_UNAVAILABLE);
}

static void
names_what_it_tells(void **state)
{
    (void)state;
    assert_string_equal(graph_change_op_name(GRAPH_CREATED), "created");
    assert_string_equal(graph_change_op_name(GRAPH_UPDATED), "updated");
    assert_string_equal(graph_change_op_name(GRAPH_DELETED), "deleted");
    for (int t = 0; t < GRAPH_CHANGE_TYPES; t++) {
        const struct graph_change_form *f =
            graph_change_form((enum graph_change_type)t);

        assert_non_null(f->name);
        assert_in_range(f->count, 1, GRAPH_CHANGE_IDS);
        for (size_t i = 1; i < f->count; i++) /* as a revocation wants them */
            assert_true(strcmp(id_prefix(f->kind[i - 1]), id_prefix(f->kind[i])) < 0 ||
                        t == GRAPH_CHANGED_INVITATION);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_changed),
        cmocka_unit_test(goes_on_from_where_a_reader_is),
        cmocka_unit_test(forgets_what_is_old),
        cmocka_unit_test(forgets_many_at_once),
        cmocka_unit_test(forgets_what_is_too_much),
        cmocka_unit_test(notices_damage),
        cmocka_unit_test(names_what_it_tells),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
