#include "base/buf.h"
#include "base/str.h"
#include "tests/unit/unit.h"

static void
writes_and_reads_back(void **state)
{
    struct buf b;
    struct reader r;
    struct text t;

    (void)state;
    buf_init(&b);
    buf_u8(&b, 0x7f);
    buf_u16(&b, 0x0102);
    buf_u32(&b, 0x03040506);
    buf_u64(&b, UINT64_C(0x0708090a0b0c0d0e));
    buf_field(&b, "hello", 5);
    buf_printf(&b, "%d;", 42);
    assert_true(buf_ok(&b));

    reader_init(&r, b.data, b.len);
    assert_int_equal(reader_u8(&r), 0x7f);
    assert_int_equal(reader_u16(&r), 0x0102);
    assert_int_equal(reader_u32(&r), 0x03040506);
    assert_true(reader_u64(&r) == UINT64_C(0x0708090a0b0c0d0e));
    t = reader_field(&r);
    assert_int_equal(t.len, 5);
    assert_memory_equal(t.p, "hello", 5);
    assert_false(reader_accept(&r, "43", 2));
    t = reader_until(&r, ';');
    assert_int_equal(t.len, 2);
    assert_true(reader_done(&r));
    buf_clear(&b);
}

static void
reader_latches_its_first_failure(void **state)
{
    static const uint8_t bytes[] = {0, 9, 'x'};
    uint8_t copy[4] = {1, 1, 1, 1};
    struct reader r;

    (void)state;
    reader_init(&r, bytes, sizeof(bytes));
    assert_int_equal(reader_field(&r).len, 0); /* nine bytes promised, one there */
    assert_false(reader_ok(&r));
    assert_int_equal(reader_u8(&r), 0); /* although one byte is left */
    assert_null(reader_bytes(&r, 1));
    reader_copy(&r, copy, sizeof(copy));
    assert_int_equal(copy[0] | copy[3], 0);
    assert_false(reader_accept(&r, "", 0));
    assert_false(reader_done(&r));

    reader_init(&r, bytes, sizeof(bytes));
    assert_int_equal(reader_until(&r, '\n').len, 0);
    assert_false(reader_ok(&r));
    reader_init(&r, bytes, sizeof(bytes));
    reader_expect(&r, "ab", 2);
    assert_false(reader_ok(&r));
    reader_init(&r, bytes, sizeof(bytes));
    assert_true(reader_ok(&r));
    assert_false(reader_done(&r)); /* bytes are left */
}

static void
fixed_memory_never_grows(void **state)
{
    char memory[4];
    struct buf b;

    (void)state;
    buf_init_fixed(&b, memory, sizeof(memory));
    buf_str(&b, "abcd");
    assert_true(buf_ok(&b));
    assert_null(buf_cstr(&b)); /* no room for the terminator */
    assert_false(buf_ok(&b));
    buf_rewind(&b);
    buf_str(&b, "abcde");
    assert_false(buf_ok(&b));
    buf_str(&b, "a");
    assert_int_equal(b.len, 0); /* latched */
    buf_clear(&b);
}

static void
refuses_fields_that_do_not_fit_their_length(void **state)
{
    char *big = calloc(1, 65536);
    struct buf b;

    (void)state;
    assert_non_null(big);
    buf_init(&b);
    buf_field(&b, big, 65536);
    assert_false(buf_ok(&b));
    buf_clear(&b);
    free(big);
}

static void
detaches_with_a_terminator(void **state)
{
    struct buf b;
    size_t len;
    char *s;

    (void)state;
    buf_init_secret(&b);
    for (int i = 0; i < 500; i++)
        buf_printf(&b, "%s", "a longer piece of text, so that it must grow");
    buf_printf(&b, "%0200d", 7);
    s = buf_detach(&b, &len);
    assert_non_null(s);
    assert_int_equal(strlen(s), len);
    assert_string_equal(s + len - 3, "007");
    assert_null(b.data);
    free(s);
}

static void
writes_json_strings(void **state)
{
    static const struct {
        struct text text;
        const char *json;
    } cases[] = {{{"", 0}, "\"\""}, {{"plain", 5}, "\"plain\""},
        {{"a\"b", 3}, "\"a\\\"b\""}, {{"\\", 1}, "\"\\\\\""},
        {{"\0\n\x1f ", 4}, "\"\\u0000\\n\\u001F \""},
        {{"\b\f\r\t", 4}, "\"\\b\\f\\r\\t\""},
        {{"\xc3\xa9/\x7f", 4}, "\"\xc3\xa9/\x7f\""}};
    struct buf b;

    (void)state;
    buf_init(&b);
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_rewind(&b);
        buf_json(&b, cases[i].text);
        assert_string_equal(buf_cstr(&b), cases[i].json);
    }
    buf_rewind(&b);
    buf_json_lines(&b, text_of("one\n\"two\"\n"));
    buf_json_lines(&b, text_of(""));
    assert_string_equal(buf_cstr(&b), "[\"one\",\"\\\"two\\\"\"][]");
    buf_clear(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_and_reads_back),
        cmocka_unit_test(reader_latches_its_first_failure),
        cmocka_unit_test(fixed_memory_never_grows),
        cmocka_unit_test(refuses_fields_that_do_not_fit_their_length),
        cmocka_unit_test(detaches_with_a_terminator),
        cmocka_unit_test(writes_json_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
