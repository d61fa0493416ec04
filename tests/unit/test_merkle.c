#include "audit/merkle.h"
#include "base/str.h"
#include "tests/unit/unit.h"

/* The eight leaves and nine roots that the makers of RFC 6962 test with. */
static const struct text leaves[] = {{"", 0}, {"\x00", 1}, {"\x10", 1}, {"\x20\x21", 2},
    {"\x30\x31", 2}, {"\x40\x41\x42\x43", 4}, {"\x50\x51\x52\x53\x54\x55\x56\x57", 8},
    {"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f", 16}};

static const char *const roots[] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

static enum mauth_rc
ignore(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    (void)level, (void)index, (void)hash, (void)arg, (void)err;
    return MAUTH_OK;
}

static void
expect_root(const struct merkle *m, const char *want)
{
    char hex[2 * HASH_LEN + 1];
    uint8_t root[HASH_LEN];

    assert_int_equal(merkle_root(m, root, NULL), MAUTH_OK);
    str_hex(root, HASH_LEN, hex);
    assert_string_equal(hex, want);
}

static void
has_the_known_roots(void **state)
{
    struct merkle m = {0}, again;
    uint8_t raw[4096], leaf[HASH_LEN];
    struct reader r;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < COUNT(leaves); i++) {
        expect_root(&m, roots[i]);
        assert_int_equal(merkle_leaf(leaves[i].p, leaves[i].len, leaf, NULL), MAUTH_OK);
        assert_int_equal(merkle_append(&m, leaf, ignore, NULL, NULL), MAUTH_OK);
        /* Written and read, it goes on as if nothing had been. */
        buf_init_fixed(&b, raw, sizeof(raw));
        merkle_write(&m, &b);
        reader_init(&r, raw, b.len);
        merkle_read(&r, &again);
        assert_true(reader_done(&r));
        m = again;
    }
    expect_root(&m, roots[8]);
}

/* The recursive definition of RFC 6962, word by word. */
static void
definition(uint8_t (*leaf)[HASH_LEN], size_t n, uint8_t out[HASH_LEN])
{
    struct text pieces[3] = {{"\x01", 1}};
    uint8_t left[HASH_LEN], right[HASH_LEN];
    size_t k = 1;

    if (n == 1) {
        memcpy(out, leaf[0], HASH_LEN);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    definition(leaf, k, left);
    definition(leaf + k, n - k, right);
    pieces[1] = (struct text){(char *)left, HASH_LEN};
    pieces[2] = (struct text){(char *)right, HASH_LEN};
    assert_int_equal(hash_sha256(pieces, 3, out, NULL), MAUTH_OK);
}

struct emitted {
    unsigned level[2048];
    uint64_t index[2048];
    uint8_t hash[2048][HASH_LEN];
    size_t count;
};

static enum mauth_rc
note(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    struct emitted *e = arg;

    (void)err;
    e->level[e->count] = level;
    e->index[e->count] = index;
    memcpy(e->hash[e->count++], hash, HASH_LEN);
    return MAUTH_OK;
}

static void
follows_the_definition(void **state)
{
    enum {
        N = 700
    };
    static uint8_t leaf[N][HASH_LEN];
    static struct emitted e;
    uint8_t want[HASH_LEN], got[HASH_LEN];
    struct merkle m = {0};
    size_t high = 0;

    (void)state;
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(merkle_leaf(&i, sizeof(i), leaf[i], NULL), MAUTH_OK);
        assert_int_equal(merkle_append(&m, leaf[i], note, &e, NULL), MAUTH_OK);
        definition(leaf, i + 1, want);
        assert_int_equal(merkle_root(&m, got, NULL), MAUTH_OK);
        assert_memory_equal(got, want, HASH_LEN);
    }
    for (size_t i = 0; i < e.count; i++) {
        if (e.level[i] == 0) {
            assert_memory_equal(e.hash[i], leaf[e.index[i]], HASH_LEN);
            continue;
        }
        assert_int_equal(e.level[i], 8);
        assert_int_equal(e.index[i], high++);
        definition(leaf + 256 * e.index[i], 256, want);
        assert_memory_equal(e.hash[i], want, HASH_LEN);
    }
    assert_int_equal(high, N / 256);
    assert_int_equal(e.count, N + high);
}

/* The leaf that fills a tree of three levels of tiles, and the one after it. */
static void
hands_out_every_eighth_level(void **state)
{
    static struct merkle m = {.size = (1 << 24) - 1};
    static struct emitted e;
    uint8_t leaf[HASH_LEN] = {1}, root[HASH_LEN];

    (void)state;
    assert_int_equal(merkle_append(&m, leaf, note, &e, NULL), MAUTH_OK);
    assert_int_equal(e.count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(e.level[i], 8 * i);
        assert_int_equal(e.index[i], (1 << (24 - 8 * i)) - 1);
    }
    assert_int_equal(merkle_root(&m, root, NULL), MAUTH_OK);
    assert_memory_equal(root, e.hash[3], HASH_LEN);
    assert_int_equal(merkle_append(&m, leaf, note, &e, NULL), MAUTH_OK);
    assert_int_equal(e.count, 5);
    assert_int_equal(e.level[4], 0);
    assert_int_equal(e.index[4], 1 << 24);
}

static enum mauth_rc
fail_at(unsigned level, uint64_t index, const uint8_t hash[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    (void)index, (void)hash, (void)err;
    return level == *(unsigned *)arg ? MAUTH_UNAVAILABLE : MAUTH_OK;
}

/* An append that fails leaves the tree as it was. */
static void
fails_without_a_trace(void **state)
{
    uint8_t leaf[HASH_LEN] = {1};
    struct merkle m = {0}, before;

    (void)state;
    for (int i = 0; i < 255; i++)
        assert_int_equal(merkle_append(&m, leaf, ignore, NULL, NULL), MAUTH_OK);
    before = m;
    for (unsigned level = 0; level <= 8; level += 8) {
        assert_int_equal(
            merkle_append(&m, leaf, fail_at, &level, NULL), MAUTH_UNAVAILABLE);
        assert_memory_equal(&m, &before, sizeof(m));
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_known_roots),
        cmocka_unit_test(follows_the_definition),
        cmocka_unit_test(hands_out_every_eighth_level),
        cmocka_unit_test(fails_without_a_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
