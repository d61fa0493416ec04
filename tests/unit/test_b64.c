#include "base/b64.h"
#include "tests/unit/unit.h"

/* RFC 4648, section 10. */
static const struct {
    const char *plain, *std, *url;
} known[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

static void
check(enum b64_kind kind, const char *plain, const char *coded)
{
    char text[64], back[64];
    size_t len = strlen(plain), n;

    n = b64_encode(kind, plain, len, text);
    assert_int_equal(n, b64_encoded_len(kind, len));
    assert_int_equal(n, strlen(coded));
    assert_memory_equal(text, coded, n);
    assert_true(b64_decode(kind, coded, n, back, sizeof(back), &n));
    assert_int_equal(n, len);
    assert_memory_equal(back, plain, n);
    assert_true(len <= b64_decoded_max(strlen(coded)));
    if (len) {
        assert_false(b64_decode(kind, coded, strlen(coded), back, len - 1, &n));
        assert_int_equal(n, 0);
    }
}

static void
known_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++) {
        check(B64_STD, known[i].plain, known[i].std);
        check(B64_URL, known[i].plain, known[i].url);
    }
}

/* Each pair of digits, in both halves of a group. */
static void
encodes_every_pair(void **state)
{
    static const char *const digits[] = {
        [B64_STD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        [B64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    };

    (void)state;
    for (size_t kind = 0; kind < COUNT(digits); kind++)
        for (unsigned v = 0; v < 1U << 12; v++) {
            const uint8_t in[] = {
                (uint8_t)(v >> 4), (uint8_t)(v << 4 | v >> 8), (uint8_t)v};
            const char high = digits[kind][v >> 6], low = digits[kind][v & 63];
            const char want[] = {high, low, high, low};
            char out[4];

            assert_int_equal(
                b64_encode((enum b64_kind)kind, in, sizeof(in), out), sizeof(want));
            assert_memory_equal(out, want, sizeof(want));
        }
}

static void
refuses_every_other_spelling(void **state)
{
    static const struct {
        enum b64_kind kind;
        const char *text;
    } bad[] = {
        {B64_STD, "Zg"},
        {B64_STD, "Zg="},
        {B64_STD, "Zg==="},
        {B64_STD, "Zg=a"},
        {B64_STD, "Zh=="},
        {B64_STD, "Zm9="},
        {B64_STD, "===="},
        {B64_STD, "Z==="},
        {B64_STD, "Zm 9"},
        {B64_STD, "Zm9v\n"},
        {B64_STD, "-__-"},
        {B64_STD, "Zg==Zg=="},
        {B64_STD, "="},
        {B64_STD, "=Zg="},
        {B64_URL, "Zg=="},
        {B64_URL, "Z"},
        {B64_URL, "Zh"},
        {B64_URL, "Zm9"},
        {B64_URL, "+//+"},
        {B64_URL, "Zm9v "},
        {B64_URL, "Zm9v\x80"
                  "aaa"},
    };
    char out[64];
    size_t n;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        n = 1;
        if (b64_decode(bad[i].kind, bad[i].text, strlen(bad[i].text), out, 64, &n))
            fail_msg("accepted: %s", bad[i].text);
        assert_int_equal(n, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(encodes_every_pair),
        cmocka_unit_test(refuses_every_other_spelling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
