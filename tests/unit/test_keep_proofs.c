/* updater/keep.h: that the audit log has only grown. */
#include "audit/merkle.h"
#include "tests/unit/keep_world.h"

/* A log of three records, a leaf each, and what its service says when it is asked. */
struct log {
    uint8_t leaf[3][HASH_LEN], root[4][HASH_LEN]; /* of so many records */
    enum mauth_rc answer;
    bool lies;
    size_t asked;
};

static enum mauth_rc
prove_growth(uint64_t from, uint64_t size, struct audit_proof *out, void *arg,
    struct mauth_err *err)
{
    struct log *l = arg;

    (void)err;
    l->asked++;
    if (l->answer != MAUTH_OK)
        return l->answer;
    /* Each is a complete subtree of the next: what came is all the proof. */
    assert_true(from == size - 1 && size <= 3);
    out->count = 1;
    memcpy(out->hash[0], l->leaf[l->lies ? 0 : size - 1], HASH_LEN);
    return MAUTH_OK;
}

static void
grow(struct world *w, const struct log *l, uint64_t size)
{
    w->g.statement.sequence++;
    w->g.statement.tree_size = size;
    memcpy(w->g.statement.tree_root, l->root[size], HASH_LEN);
}

static void
demands_proofs(void **state)
{
    struct world *w = *state;
    struct log l = {.answer = MAUTH_OK};
    struct merkle tree = {.size = 0};
    struct keep_news news;

    for (size_t i = 0; i < 3; i++) {
        memset(l.leaf[i], (int)i + 1, HASH_LEN);
        assert_int_equal(merkle_append(&tree, l.leaf[i], NULL, NULL, NULL), MAUTH_OK);
        assert_int_equal(merkle_root(&tree, l.root[i + 1], NULL), MAUTH_OK);
    }
    w->o.prove = prove_growth;
    w->o.arg = &l;
    open_again(w);
    grow(w, &l, 1);
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_int_equal(l.asked, 0); /* there is nothing before it */
    /* Taken without a proof, for it may revoke; and that is not forgotten. */
    l.answer = MAUTH_UNAVAILABLE;
    grow(w, &l, 2);
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_true(news.changed);
    assert_int_equal(keep_check_proofs(w->keep, NULL), MAUTH_UNTRUSTED);
    open_again(w);
    assert_int_equal(keep_check_proofs(w->keep, NULL), MAUTH_UNTRUSTED);
    /* With the next one both are demanded. */
    l.answer = MAUTH_OK;
    l.asked = 0;
    grow(w, &l, 3);
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_int_equal(l.asked, 2);
    assert_int_equal(keep_check_proofs(w->keep, NULL), MAUTH_OK);
}

/* The root is another log's: no proof can show it. */
static void
finds_a_rewritten_log(void **state)
{
    struct world *w = *state;
    struct log l = {.lies = true};
    struct keep_news news;

    w->o.prove = prove_growth;
    w->o.arg = &l;
    open_again(w);
    memset(l.root[1], 1, HASH_LEN);
    memset(l.root[2], 2, HASH_LEN);
    grow(w, &l, 1);
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    grow(w, &l, 2);
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_CONFLICT);
    assert_false(news.changed);
    assert_true(keep_has_alarm(w->keep));
    assert_int_equal(l.asked, 1);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(demands_proofs),
        TEST(finds_a_rewritten_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
