#include <zlib.h>

#include "tests/unit/golden.h"
#include <meshauth/credential.h>

static enum mauth_reason
reason(const char *text, size_t len)
{
    static char out[MAUTH_TICKET_MAX];
    struct mauth_err err = MAUTH_ERR_INIT;
    size_t n = 7;

    if (mauth_credential_decode(text, len, out, &n, &err) == MAUTH_OK)
        return MAUTH_REASON_NONE;
    assert_int_equal(n, 0);
    return err.reason;
}

static void
reads_the_golden_credentials(void **state)
{
    static char out[MAUTH_TICKET_MAX];

    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        for (size_t a = 0; a < COUNT(golden_algs); a++) {
            char name[64];
            size_t len, n, lines = 0;
            char *xml = golden_xml(golden_kinds[k], golden_algs[a], &len), *both, *made;

            snprintf(name, sizeof(name), "%s.%s", golden_kinds[k], golden_algs[a]);
            both = golden_file(name, ".credential", NULL);
            for (char *l = strtok(both, "\n"); l; l = strtok(NULL, "\n"), lines++) {
                assert_int_equal(
                    mauth_credential_decode(l, strlen(l), out, &n, NULL), MAUTH_OK);
                assert_int_equal(n, len);
                assert_memory_equal(out, xml, len);
                assert_int_equal(
                    mauth_credential_encode(xml, len, lines == 1, &made, NULL),
                    MAUTH_OK);
                if (lines == 0)
                    assert_string_equal(made, l);
                assert_int_equal(
                    mauth_credential_decode(made, strlen(made), out, &n, NULL),
                    MAUTH_OK);
                assert_int_equal(n, len);
                assert_memory_equal(out, xml, len);
                free(made);
            }
            assert_int_equal(lines, 2);
            free(both);
            free(xml);
        }
    }
}

/* base64url of the raw DEFLATE of size bytes, with extra junk bytes behind it. */
static char *
deflated(size_t size, size_t junk, size_t cut)
{
    static uint8_t in[70000], out[70000];
    z_stream z = {.next_in = in,
        .avail_in = (uInt)size,
        .next_out = out,
        .avail_out = sizeof(out)};
    char *text;
    size_t len;

    memset(in, 'x', sizeof(in));
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, 0), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    len = z.total_out + junk - cut;
    deflateEnd(&z);
    text = calloc(1, b64_encoded_len(B64_URL, len) + 1);
    b64_encode(B64_URL, out, len, text);
    return text;
}

static void
inflates_exactly_and_within_bounds(void **state)
{
    static const struct {
        size_t size, junk, cut;
        enum mauth_reason want;
    } cases[] = {{100, 0, 0, MAUTH_REASON_NONE}, {100, 1, 0, MAUTH_REASON_FORM},
        {100, 0, 1, MAUTH_REASON_FORM}, {MAUTH_TICKET_MAX, 0, 0, MAUTH_REASON_NONE},
        {MAUTH_TICKET_MAX, 1, 0, MAUTH_REASON_FORM},
        {MAUTH_TICKET_MAX + 1, 0, 0, MAUTH_REASON_SIZE},
        {70000, 0, 0, MAUTH_REASON_SIZE}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *text = deflated(cases[i].size, cases[i].junk, cases[i].cut);

        assert_int_equal(reason(text, strlen(text)), cases[i].want);
        free(text);
    }
}

static void
refuses_other_texts(void **state)
{
    static const char *const bad[] = {"", "=", "PA==", "PA=", "P", "P A", "PA\n", "PB",
        "P+", "P/", "PA~PA", "PA,PA", "_w", "AAAA", "AQAA"};
    char *large = malloc(MAUTH_CREDENTIAL_MAX + 1);

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++)
        if (reason(bad[i], strlen(bad[i])) != MAUTH_REASON_FORM)
            fail_msg("taken: \"%s\"", bad[i]);
    memset(large, 'P', MAUTH_CREDENTIAL_MAX + 1);
    assert_int_equal(reason(large, MAUTH_CREDENTIAL_MAX + 1), MAUTH_REASON_SIZE);
    large[0] = 'P'; /* "<": plain, and too much of it */
    large[1] = 'D';
    assert_int_equal(reason(large, MAUTH_CREDENTIAL_MAX), MAUTH_REASON_SIZE);
    free(large);
}

/* Plain XML is read up to the longest ticket, to the byte. */
static void
takes_plain_up_to_the_bound(void **state)
{
    static char xml[MAUTH_TICKET_MAX + 1], out[MAUTH_TICKET_MAX];
    static char text[2 * sizeof(xml)];
    struct mauth_err err = MAUTH_ERR_INIT;
    size_t len, n;

    (void)state;
    memset(xml, '<', sizeof(xml));
    for (size_t less = 0; less < 3; less++) {
        len = b64_encode(B64_URL, xml, MAUTH_TICKET_MAX - less, text);
        assert_int_equal(mauth_credential_decode(text, len, out, &n, &err), MAUTH_OK);
        assert_int_equal(n, MAUTH_TICKET_MAX - less);
        assert_memory_equal(out, xml, n);
        text[len - 1] = '.';
        assert_int_equal(reason(text, len), MAUTH_REASON_FORM);
    }
    len = b64_encode(B64_URL, xml, MAUTH_TICKET_MAX + 1, text);
    assert_int_equal(reason(text, len), MAUTH_REASON_SIZE);
}

static void
encodes_tickets_only(void **state)
{
    static char xml[MAUTH_TICKET_MAX + 1];
    char *out = NULL;

    (void)state;
    memset(xml, '<', sizeof(xml));
    assert_int_equal(mauth_credential_encode(xml, 0, true, &out, NULL), MAUTH_INVALID);
    assert_int_equal(
        mauth_credential_encode(xml, sizeof(xml), true, &out, NULL), MAUTH_INVALID);
    assert_int_equal(mauth_credential_encode("x", 1, true, &out, NULL), MAUTH_INVALID);
    assert_null(out);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_golden_credentials),
        cmocka_unit_test(inflates_exactly_and_within_bounds),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(takes_plain_up_to_the_bound),
        cmocka_unit_test(encodes_tickets_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
