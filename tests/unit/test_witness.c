#include "base/buf.h"
#include "tests/unit/scratch_dir.h"
#include "updater/witness.h"

static struct checkpoint
seen(uint64_t epoch, uint64_t sequence, uint64_t size, uint8_t root)
{
    struct checkpoint c = {.epoch = epoch, .sequence = sequence, .size = size};

    memset(c.root, root, sizeof(c.root));
    return c;
}

static void
judges(void **state)
{
    static const struct {
        const char *name;
        uint64_t epoch, sequence, size;
        uint8_t root;
        enum mauth_rc rc;
        bool rewritten;
    } cases[] = {
        {"the same again", 2, 10, 100, 1, MAUTH_OK, false},
        {"an idle log", 2, 11, 100, 1, MAUTH_OK, false},
        {"a longer log", 2, 11, 101, 2, MAUTH_OK, false},
        {"a lower sequence", 2, 9, 101, 2, MAUTH_DENIED, false},
        {"a lower epoch", 1, 99, 101, 2, MAUTH_DENIED, false},
        {"a shorter log", 2, 11, 99, 2, MAUTH_CONFLICT, false},
        {"a shorter log under the same number", 2, 10, 99, 2, MAUTH_CONFLICT, false},
        {"a longer log under the same number", 2, 10, 101, 2, MAUTH_CONFLICT, false},
        {"another log of the same size", 2, 11, 100, 2, MAUTH_CONFLICT, false},
        {"a shorter log in a new epoch", 3, 1, 99, 2, MAUTH_OK, true},
        {"another log in a new epoch", 3, 11, 100, 2, MAUTH_OK, true},
        {"a longer log in a new epoch", 3, 11, 101, 2, MAUTH_OK, false},
        {"the same log in a new epoch", 3, 11, 100, 1, MAUTH_OK, false},
    };
    const struct checkpoint last = seen(2, 10, 100, 1);
    struct witness w = {0};
    bool rewritten = true;

    (void)state;
    assert_int_equal(witness_check(&w, &last, &rewritten, NULL), MAUTH_OK);
    assert_false(rewritten);
    witness_add(&w, &last);
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct checkpoint c =
            seen(cases[i].epoch, cases[i].sequence, cases[i].size, cases[i].root);

        if (witness_check(&w, &c, &rewritten, NULL) != cases[i].rc ||
            rewritten != cases[i].rewritten)
            fail_msg("%s", cases[i].name);
    }
}

/* However long it goes on; what is left is spread over all of the time. */
static void
stays_small(void **state)
{
    struct witness w = {0};

    (void)state;
    for (uint64_t i = 1; i <= 100000; i++) {
        const struct checkpoint c = seen(i <= 500 ? 1 : 2, i, 10 * i, (uint8_t)i);

        witness_add(&w, &c);
        assert_in_range(w.count, 1, WITNESS_MAX);
    }
    assert_int_equal(w.at[0].sequence, 1);
    assert_int_equal(w.at[w.count - 1].sequence, 100000);
    for (size_t i = 1; i < w.count; i++)
        assert_true(w.at[i - 1].sequence < w.at[i].sequence);
    /* The border between the epochs. */
    for (size_t i = 1; i < w.count; i++)
        if (w.at[i].epoch != w.at[i - 1].epoch) {
            assert_int_equal(w.at[i - 1].sequence, 500);
            assert_int_equal(w.at[i].sequence, 501);
        }
    assert_true(w.at[w.count / 2].sequence > 1000);
}

static void
forgets_the_oldest_when_all_are_borders(void **state)
{
    struct witness w = {0};

    (void)state;
    for (uint64_t i = 1; i <= 1000; i++) {
        const struct checkpoint c = seen(i, 1, i, 1);

        witness_add(&w, &c);
    }
    assert_int_equal(w.count, WITNESS_MAX);
    assert_int_equal(w.at[0].epoch, 1000 - WITNESS_MAX + 1);
    assert_int_equal(w.at[WITNESS_MAX - 1].epoch, 1000);
}

static void
counts_an_idle_log_once(void **state)
{
    struct checkpoint c = seen(1, 1, 5, 5);
    struct witness w = {0};

    (void)state;
    for (c.sequence = 1; c.sequence < 10; c.sequence++)
        witness_add(&w, &c);
    assert_int_equal(w.count, 1);
    assert_int_equal(w.at[0].sequence, 9);
}

static void
is_kept_in_a_file(void **state)
{
    struct witness w = {0}, again;
    struct scratch_dir d;

    (void)state;
    scratch_dir_make(&d);
    assert_int_equal(
        witness_read(scratch_path(&d, "w"), &again, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(witness_write(scratch_path(&d, "w"), &w, NULL), MAUTH_OK);
    assert_int_equal(witness_read(scratch_path(&d, "w"), &again, NULL), MAUTH_OK);
    assert_int_equal(again.count, 0);
    for (uint64_t i = 1; i <= WITNESS_MAX; i++) {
        const struct checkpoint c =
            seen(UINT64_C(999999999999999999), i, i * 1000000007, (uint8_t)i);

        witness_add(&w, &c);
    }
    assert_int_equal(witness_write(scratch_path(&d, "w"), &w, NULL), MAUTH_OK);
    assert_int_equal(witness_read(scratch_path(&d, "w"), &again, NULL), MAUTH_OK);
    assert_int_equal(again.count, w.count);
    for (size_t i = 0; i < w.count; i++) {
        assert_int_equal(again.at[i].sequence, w.at[i].sequence);
        assert_int_equal(again.at[i].size, w.at[i].size);
        assert_memory_equal(again.at[i].root, w.at[i].root, HASH_LEN);
    }
    scratch_dir_remove(&d);
}

#define HEAD "meshauth-witness v1\n"
#define ROOT " AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"

static void
refuses_what_is_no_such_file(void **state)
{
    static const struct {
        const char *name, *text;
    } refusals[] = {
        {"empty", ""},
        {"another version", "meshauth-witness v2\n"},
        {"no end of line", "meshauth-witness v1"},
        {"another line", HEAD "note 1 1 1" ROOT},
        {"too few words", HEAD "checkpoint 1 1" ROOT},
        {"no hash", HEAD "checkpoint 1 1 1 AAAA\n"},
        {"cut off", HEAD "checkpoint 1 1 1 AAAAAAAAAAAAAAAAAAA"},
        {"one twice", HEAD "checkpoint 1 1 1" ROOT "checkpoint 1 1 1" ROOT},
        {"not in order", HEAD "checkpoint 2 1 1" ROOT "checkpoint 1 9 1" ROOT},
    };
    struct scratch_dir d;
    struct witness w;
    struct buf b;

    (void)state;
    scratch_dir_make(&d);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        scratch_write(&d, "w", refusals[i].text, strlen(refusals[i].text));
        if (witness_read(scratch_path(&d, "w"), &w, NULL) != MAUTH_MALFORMED || w.count)
            fail_msg("taken: %s", refusals[i].name);
    }
    buf_init(&b);
    buf_str(&b, HEAD);
    for (unsigned i = 1; i <= WITNESS_MAX + 1; i++)
        buf_printf(&b, "checkpoint 1 %u 1" ROOT, i);
    assert_true(buf_ok(&b));
    scratch_write(&d, "w", b.data, b.len);
    assert_int_equal(witness_read(scratch_path(&d, "w"), &w, NULL), MAUTH_MALFORMED);
    assert_int_equal(w.count, 0);
    buf_clear(&b);
    scratch_dir_remove(&d);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges),
        cmocka_unit_test(stays_small),
        cmocka_unit_test(forgets_the_oldest_when_all_are_borders),
        cmocka_unit_test(counts_an_idle_log_once),
        cmocka_unit_test(is_kept_in_a_file),
        cmocka_unit_test(refuses_what_is_no_such_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
