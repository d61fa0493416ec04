#include <zlib.h>

#include "tests/fuzz/inflate_differ.h"
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

/*
 * Streams that a compressor would hardly write. What RFC 1951 does not have, but
 * libdeflate of today takes, it may as well refuse.
 */
#define BYTES(s) s, sizeof(s) - 1
static const struct {
    const char *name, *stream;
    size_t len;
    enum inflate_verdict want;
} odd[] = {
    {"literals and no distance code",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x41"), INFLATE_TAKEN},
    {"one distance code",
        BYTES("\x0d\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\xae\xfc\x42\x0c"),
        INFLATE_TAKEN},
    {"one distance code's unused half",
        BYTES("\x0d\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\xae\xfc\x42\x0e"),
        INFLATE_LOOSE},
    {"a match without distance codes",
        BYTES("\x0d\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\xae\xfc\x92\x18"),
        INFLATE_LOOSE},
    {"one distance code of two bits",
        BYTES("\x0d\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\xae\xfc\xd2\x30"),
        INFLATE_REFUSED},
    {"distance codes that leave room",
        BYTES("\x05\xe1\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\xad"), INFLATE_REFUSED},
    {"too many distance codes",
        BYTES("\x05\xe2\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x80"), INFLATE_REFUSED},
    {"nothing but the end",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\xf8\x77\x4d\x00"), INFLATE_TAKEN},
    {"its unused half", BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\xf8\x77\x4d\x02"),
        INFLATE_LOOSE},
    {"literal codes that leave room",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\xae\x7c\x12"), INFLATE_REFUSED},
    {"too many literal codes",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\x68\xc5\x05\xf2\x89"),
        INFLATE_REFUSED},
    {"no code for the end",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\x68\xc5\x05\xfa\x05"),
        INFLATE_REFUSED},
    {"286 literal and length codes",
        BYTES("\xed\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x4e\x04"),
        INFLATE_TAKEN},
    {"287 literal and length codes",
        BYTES("\xf5\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x52\x04"),
        INFLATE_LOOSE},
    {"30 distance codes",
        BYTES("\x05\xfd\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x4e\x04"),
        INFLATE_TAKEN},
    {"31 distance codes",
        BYTES("\x05\xfe\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x52\x04"),
        INFLATE_LOOSE},
    {"a run from lengths into distances",
        BYTES("\x05\xe3\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x8f"), INFLATE_TAKEN},
    {"a run of zeros past the last code",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x87"), INFLATE_LOOSE},
    {"a repetition past the last code",
        BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x43"), INFLATE_LOOSE},
    {"a repetition of nothing", BYTES("\x05\xe0\x37\x0d\x00\x00\x00\xc0\x20\x0c\x01"),
        INFLATE_REFUSED},
    {"a repetition across",
        BYTES("\x05\xe1\x37\x0d\x00\x00\x00\xc0\x20\xd8\x46\x3e\x20"), INFLATE_TAKEN},
    {"fixed codes", BYTES("\xab\x00\x00"), INFLATE_TAKEN},
    {"length code 286", BYTES("\xab\x18\x03\x00"), INFLATE_LOOSE},
    {"length code 287", BYTES("\xab\x18\x07\x00"), INFLATE_LOOSE},
    {"distance code 30", BYTES("\xab\x00\x3e\x00\x00\x00"), INFLATE_REFUSED},
    {"length 258 by code 284", BYTES("\xab\x18\xf9\x00\x00"), INFLATE_TAKEN},
    {"bits behind the end", BYTES("\xab\x00\x80"), INFLATE_TAKEN},
    {"bits before a stored length", BYTES("\xf9\x01\x00\xfe\xff\x78"), INFLATE_TAKEN},
    {"no length stored", BYTES("\x01\x01\x00\xfe"), INFLATE_REFUSED},
    {"too little stored", BYTES("\x01\x02\x00\xfd\xff\x78"), INFLATE_REFUSED},
};

static void
inflates_odd_streams_as_zlib_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odd); i++) {
        enum inflate_verdict got =
            inflate_ask((const uint8_t *)odd[i].stream, odd[i].len);

        if (got != odd[i].want &&
            (odd[i].want != INFLATE_LOOSE || got != INFLATE_REFUSED))
            fail_msg("%s: %d", odd[i].name, (int)got);
    }
}

/* The golden streams with a few bits changed, and cut off; the same each time. */
static void
inflates_mutants_as_zlib_does(void **state)
{
    static uint8_t stream[MAUTH_TICKET_MAX], mutant[MAUTH_TICKET_MAX];
    uint32_t random = 2463534242u;

    (void)state;
    for (size_t k = 0; k < COUNT(golden_kinds); k++) {
        size_t xml_len, len;
        char *xml = golden_xml(golden_kinds[k], "p256", &xml_len), *text;

        assert_int_equal(
            mauth_credential_encode(xml, xml_len, true, &text, NULL), MAUTH_OK);
        assert_true(
            b64_decode(B64_URL, text, strlen(text), stream, sizeof(stream), &len));
        assert_int_equal(inflate_ask(stream, len), INFLATE_TAKEN);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(inflate_ask(stream, cut), INFLATE_REFUSED);
        for (unsigned i = 0; i < 2000; i++) {
            memcpy(mutant, stream, len);
            for (unsigned bits = 0; bits < 1 + i % 3; bits++) {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                /* Every other one in the description of the codes. */
                mutant[(random >> 3) % (i % 2 ? len : 80)] ^=
                    (uint8_t)(1u << (random & 7));
            }
            if (mutant[0] != '<')
                inflate_ask(mutant, len);
        }
        free(text);
        free(xml);
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
        cmocka_unit_test(inflates_odd_streams_as_zlib_does),
        cmocka_unit_test(inflates_mutants_as_zlib_does),
        cmocka_unit_test(refuses_other_texts),
        cmocka_unit_test(takes_plain_up_to_the_bound),
        cmocka_unit_test(encodes_tickets_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
