#include "audit/merkle.h"
#include "audit/proof.h"
#include "tests/unit/unit.h"

/*
 * A tree of so many leaves, all nodes of the kept levels, and its root at each size.
 */
enum {
    LEAVES = 1100
};

static uint8_t node[2][LEAVES][HASH_LEN], leaf[LEAVES][HASH_LEN];
static uint8_t root[LEAVES + 1][HASH_LEN];

static enum mauth_rc
note(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    (void)arg;
    (void)err;
    assert_true(level == 0 || level == 8);
    memcpy(node[level / 8][index], hash, HASH_LEN);
    return MAUTH_OK;
}

static size_t size_now; /* what is beyond does not exist yet */

static enum mauth_rc
get(unsigned level, uint64_t index, uint8_t out[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    (void)arg;
    (void)err;
    assert_true(level == 0 || level == 8);
    assert_true((index + 1) << level <= size_now);
    memcpy(out, node[level / 8][index], HASH_LEN);
    return MAUTH_OK;
}

static int
grow(void **state)
{
    struct merkle m = {0};

    (void)state;
    assert_int_equal(merkle_root(&m, root[0], NULL), MAUTH_OK);
    for (uint32_t i = 0; i < LEAVES; i++) {
        assert_int_equal(merkle_leaf(&i, sizeof(i), leaf[i], NULL), MAUTH_OK);
        assert_int_equal(merkle_append(&m, leaf[i], note, NULL, NULL), MAUTH_OK);
        assert_int_equal(merkle_root(&m, root[i + 1], NULL), MAUTH_OK);
    }
    return 0;
}

static void
makes_roots(void **state)
{
    uint8_t got[HASH_LEN];

    (void)state;
    for (size_now = 0; size_now <= LEAVES; size_now++) {
        assert_int_equal(proof_root(size_now, get, NULL, got, NULL), MAUTH_OK);
        assert_memory_equal(got, root[size_now], HASH_LEN);
    }
}

/* Each changed in one bit, cut, lengthened, or about something else: refused. */
static void
refuse_leaf(size_t index, size_t size, const struct audit_proof *good)
{
    struct audit_proof p = *good;

    for (size_t i = 0; i < p.count; i++) {
        p.hash[i][i % HASH_LEN] ^= 1;
        assert_int_equal(
            proof_check_leaf(leaf[index], index, size, root[size], &p, NULL),
            MAUTH_DENIED);
        p.hash[i][i % HASH_LEN] ^= 1;
    }
    p.count++;
    assert_int_equal(
        proof_check_leaf(leaf[index], index, size, root[size], &p, NULL), MAUTH_DENIED);
    p.count = good->count;
    if (p.count) {
        p.count--;
        assert_int_equal(
            proof_check_leaf(leaf[index], index, size, root[size], &p, NULL),
            MAUTH_DENIED);
    }
    assert_int_equal(proof_check_leaf(leaf[(index + 1) % LEAVES], index, size,
                         root[size], good, NULL),
        MAUTH_DENIED);
    assert_int_equal(
        proof_check_leaf(leaf[index], index, size, root[size - 1], good, NULL),
        MAUTH_DENIED);
    assert_int_equal(proof_check_leaf(leaf[index], size, size, root[size], good, NULL),
        MAUTH_DENIED);
}

static void
proves_leaves(void **state)
{
    static struct audit_proof p;

    (void)state;
    for (size_t size = 1; size <= LEAVES; size += size < 300 ? 1 : 37) {
        size_now = size;
        for (size_t index = 0; index < size; index += size < 40 ? 1 : 13) {
            assert_int_equal(proof_of_leaf(index, size, get, NULL, &p, NULL), MAUTH_OK);
            assert_int_equal(
                proof_check_leaf(leaf[index], index, size, root[size], &p, NULL),
                MAUTH_OK);
            refuse_leaf(index, size, &p);
        }
        assert_int_equal(proof_of_leaf(size, size, get, NULL, &p, NULL), MAUTH_INVALID);
    }
}

static void
refuse_growth(size_t from, size_t size, const struct audit_proof *good)
{
    struct audit_proof p = *good;

    for (size_t i = 0; i < p.count; i++) {
        p.hash[i][i % HASH_LEN] ^= 1;
        assert_int_equal(
            proof_check_growth(from, root[from], size, root[size], &p, NULL),
            MAUTH_DENIED);
        p.hash[i][i % HASH_LEN] ^= 1;
    }
    p.count++;
    assert_int_equal(
        proof_check_growth(from, root[from], size, root[size], &p, NULL), MAUTH_DENIED);
    p.count = good->count;
    if (p.count) {
        p.count--;
        assert_int_equal(
            proof_check_growth(from, root[from], size, root[size], &p, NULL),
            MAUTH_DENIED);
    }
    assert_int_equal(
        proof_check_growth(from, root[from - 1], size, root[size], good, NULL),
        MAUTH_DENIED);
    assert_int_equal(
        proof_check_growth(from, root[from], size, root[size - 1], good, NULL),
        MAUTH_DENIED);
}

static void
proves_growth(void **state)
{
    static struct audit_proof p;

    (void)state;
    for (size_t size = 1; size <= LEAVES; size += size < 150 ? 1 : 53) {
        size_now = size;
        for (size_t from = 1; from <= size; from += size < 70 ? 1 : 11) {
            assert_int_equal(
                proof_of_growth(from, size, get, NULL, &p, NULL), MAUTH_OK);
            assert_int_equal(
                proof_check_growth(from, root[from], size, root[size], &p, NULL),
                MAUTH_OK);
            refuse_growth(from, size, &p);
        }
        assert_int_equal(proof_of_growth(0, size, get, NULL, &p, NULL), MAUTH_INVALID);
        assert_int_equal(
            proof_of_growth(size + 1, size, get, NULL, &p, NULL), MAUTH_INVALID);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_roots),
        cmocka_unit_test(proves_leaves),
        cmocka_unit_test(proves_growth),
    };

    return cmocka_run_group_tests(tests, grow, NULL);
}
