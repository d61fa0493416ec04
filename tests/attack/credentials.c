/* How a ticket travels: base64url, and DEFLATE. */
#include <zlib.h>

#include "base/b64.h"
#include "tests/attack/attack.h"

#define B64     "RFC 4648 3.5"
#define DEFLATE "RFC 1951"
#define BOMB    "CVE-2023-28119"
#define HEADER  "RFC 9110 11.4"

/* base64url, a little wrong. */
enum text_form {
    PADDED,
    PADDED_TWICE,
    STANDARD_ALPHABET,
    BITS_LEFT,
    DIGIT_MORE,
    BLANK_BEFORE,
    BLANK_BEHIND,
    LINE_END_BEHIND,
    BLANK_WITHIN,
    LINES,
    NUL_BEHIND,
    COMMA_BEHIND,
    QUOTED,
    PERCENT,
    NOT_ENCODED,
    ENCODED_TWICE,
    IN_HEX,
    A_JWT,
    HIGH_BIT,
};

static void
put_standard(struct buf *b, const struct forgery *f)
{
    bool differs;
    char *at = buf_space(b, b64_encoded_len(B64_STD, f->xml.len));

    assert_non_null(at);
    b64_encode(B64_STD, f->xml.data, f->xml.len, at);
    while (b->data[b->len - 1] == '=')
        b->len--;
    differs = memchr(b->data, '+', b->len) || memchr(b->data, '/', b->len);
    assert_true(differs);
}

/* So many line ends as a mail would have. */
static void
put_lines(struct buf *b)
{
    struct buf lines;

    buf_init(&lines);
    for (size_t i = 0; i < b->len; i += 76) {
        buf_put(&lines, b->data + i, b->len - i < 76 ? b->len - i : 76);
        buf_str(&lines, "\r\n");
    }
    buf_clear(b);
    *b = lines;
}

static void
put_hex(struct buf *b, const struct forgery *f)
{
    for (size_t i = 0; i < f->xml.len; i++)
        buf_printf(b, "%02x", f->xml.data[i]);
}

/* The bits of the last digit that belong to no byte; there are some or made. */
static void
leave_bits(struct buf *b, const struct forgery *f)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    if (b->len % 4 == 0) { /* a byte that no ticket ends with, but bits as well */
        buf_rewind(b);
        spell(b, f->xml.data, f->xml.len - 1);
    }
    b->data[b->len - 1] = (uint8_t)(strchr(digits, b->data[b->len - 1])[1]);
}

static void
respell(struct forgery *f, int form)
{
    struct buf *b = &f->credential, inner;

    if (form == NOT_ENCODED)
        buf_put(b, f->xml.data, f->xml.len);
    else if (form == STANDARD_ALPHABET)
        put_standard(b, f);
    else if (form == IN_HEX)
        put_hex(b, f);
    else if (form != A_JWT)
        spell(b, f->xml.data, f->xml.len);
    switch ((enum text_form)form) {
    case PADDED: buf_str(b, "="); break;
    case PADDED_TWICE: buf_str(b, "=="); break;
    case BITS_LEFT: leave_bits(b, f); break;
    case DIGIT_MORE:
        while (b->len % 4 != 1)
            buf_u8(b, 'A');
        break;
    case BLANK_BEHIND: buf_u8(b, ' '); break;
    case LINE_END_BEHIND: buf_u8(b, '\n'); break;
    case BLANK_WITHIN: b->data[b->len / 2] = ' '; break;
    case LINES: put_lines(b); break;
    case NUL_BEHIND: buf_u8(b, 0); break;
    case COMMA_BEHIND: buf_u8(b, ','); break;
    case PERCENT: buf_str(b, "%3D"); break;
    case HIGH_BIT: b->data[b->len / 2] |= 0x80; break;
    case A_JWT: buf_str(b, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9."); break;
    case BLANK_BEFORE:
    case QUOTED:
    case ENCODED_TWICE:
        inner = *b;
        buf_init(b);
        if (form == ENCODED_TWICE)
            spell(b, inner.data, inner.len);
        else
            buf_str(b, form == QUOTED ? "\"" : " ");
        if (form != ENCODED_TWICE)
            buf_put(b, inner.data, inner.len);
        if (form == QUOTED)
            buf_u8(b, '"');
        buf_clear(&inner);
        break;
    case STANDARD_ALPHABET:
    case NOT_ENCODED:
    case IN_HEX: break;
    }
}

/* The first n characters, for each n. */
static void
cut_credential(struct forgery *f, int deflated)
{
    if (deflated)
        spell_deflated(&f->credential, f->xml.data, f->xml.len);
    else
        spell(&f->credential, f->xml.data, f->xml.len);
    f->more = f->step + 2 < f->credential.len;
    f->credential.len = f->step + 1;
}

/* One letter, so many times; starting as XML does, or not. */
static void
put_letters(struct forgery *f, int count)
{
    unsigned n = (unsigned)(count < 0 ? -count : count);

    buf_str(&f->credential, count < 0 ? "PA" : "AA");
    while (f->credential.len < n)
        buf_u8(&f->credential, 'A');
}

/* DEFLATE. */

/* window as zlib takes it: -15 raw, 15 zlib, 31 gzip. */
static void
squeeze(struct buf *out, const uint8_t *in, size_t len, int window, int level,
    int strategy, int end)
{
    z_stream z = {0};
    size_t max = len + len / 8 + 256, start = out->len;
    struct buf copy;
    uint8_t *room;
    int rc;

    buf_init(&copy);
    buf_put(&copy, in, len);
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, window, 8, strategy), Z_OK);
    room = buf_space(out, max);
    assert_non_null(room);
    z.next_in = copy.data;
    z.avail_in = (uInt)len;
    z.next_out = room;
    z.avail_out = (uInt)max;
    rc = deflate(&z, end);
    assert_true(rc == Z_STREAM_END || (end != Z_FINISH && rc == Z_OK));
    out->len = start + (size_t)z.total_out;
    deflateEnd(&z);
    buf_clear(&copy);
}

static void
raw(struct buf *out, const struct buf *in)
{
    squeeze(out, in->data, in->len, -15, 6, Z_DEFAULT_STRATEGY, Z_FINISH);
}

enum stream {
    RAW,
    STORED,
    FIXED_CODES,
    HUFFMAN_ONLY,
    EMPTY_BLOCK_BEHIND,
    IN_ZLIB,
    IN_GZIP,
    BYTE_BEHIND,
    ZEROS_BEHIND,
    BLANK_BEHIND_IT,
    TWO_STREAMS,
    NO_LAST_BLOCK,
    RESERVED_BLOCK,
    WRONG_LENGTH,
    TOO_FAR_BACK,
    TWICE_DEFLATED,
    OF_NOTHING,
    FIRST_BYTE_WRONG,
    LAST_BYTE_MISSING,
};

static void
put_stream(struct buf *b, const struct forgery *f, enum stream which)
{
    static const uint8_t too_far[] = {0x4b, 0x04, 0x52, 0x00}; /* "a", 3 from 5 back */
    const uint8_t *in = f->xml.data;
    size_t len = f->xml.len;
    struct buf once;

    switch (which) {
    case STORED: squeeze(b, in, len, -15, 0, Z_DEFAULT_STRATEGY, Z_FINISH); return;
    case FIXED_CODES: squeeze(b, in, len, -15, 9, Z_FIXED, Z_FINISH); return;
    case HUFFMAN_ONLY: squeeze(b, in, len, -15, 9, Z_HUFFMAN_ONLY, Z_FINISH); return;
    case IN_ZLIB: squeeze(b, in, len, 15, 6, Z_DEFAULT_STRATEGY, Z_FINISH); return;
    case IN_GZIP: squeeze(b, in, len, 31, 6, Z_DEFAULT_STRATEGY, Z_FINISH); return;
    case NO_LAST_BLOCK:
        squeeze(b, in, len, -15, 6, Z_DEFAULT_STRATEGY, Z_SYNC_FLUSH);
        return;
    case EMPTY_BLOCK_BEHIND:
        squeeze(b, in, len, -15, 6, Z_DEFAULT_STRATEGY, Z_SYNC_FLUSH);
        buf_put(b, "\x01\x00\x00\xff\xff", 5);
        return;
    case WRONG_LENGTH:
        squeeze(b, in, len, -15, 0, Z_DEFAULT_STRATEGY, Z_FINISH);
        b->data[3] ^= 1;
        return;
    case TOO_FAR_BACK: buf_put(b, too_far, sizeof(too_far)); return;
    case OF_NOTHING: buf_put(b, "\x03\x00", 2); return;
    case TWICE_DEFLATED:
        buf_init(&once);
        raw(&once, &f->xml);
        raw(b, &once);
        buf_clear(&once);
        return;
    default: raw(b, &f->xml);
    }
    switch (which) {
    case BYTE_BEHIND: buf_u8(b, 'x'); return;
    case ZEROS_BEHIND: buf_put(b, "\0\0\0\0", 4); return;
    case BLANK_BEHIND_IT: buf_u8(b, '\n'); return;
    case TWO_STREAMS: raw(b, &f->xml); return;
    case RESERVED_BLOCK: b->data[0] |= 6; return;
    case FIRST_BYTE_WRONG: b->data[0] ^= 0x40; return;
    case LAST_BYTE_MISSING: b->len--; return;
    default: return;
    }
}

static void
deflate_as(struct forgery *f, int which)
{
    struct buf b;

    buf_init(&b);
    put_stream(&b, f, (enum stream)which);
    spell(&f->credential, b.data, b.len);
    buf_clear(&b);
}

/* The ticket and then so many blanks, deflated; or, below zero, blanks alone. */
static void
put_bomb(struct forgery *f, int size)
{
    size_t n = (size_t)(size < 0 ? -size : size), start = size < 0 ? 0 : f->xml.len;
    uint8_t *all = malloc(n);
    struct buf b;

    assert_true(all && start <= n);
    memset(all, ' ', n);
    memcpy(all, f->xml.data, start);
    buf_init(&b);
    squeeze(&b, all, n, -15, 9, Z_DEFAULT_STRATEGY, Z_FINISH);
    spell(&f->credential, b.data, b.len);
    buf_clear(&b);
    free(all);
}

#define TEXT(n, t, form)      MADE(AS_IS, n, t, respell, form, FORM)
#define STREAM(n, t, which)   MADE(AS_IS, n, t, deflate_as, which, FORM)
#define GOOD_STREAM(n, which) MADE(AS_IS, n, "control", deflate_as, which, NONE)
static const struct attack list[] = {
    /* base64url. */
    TEXT("padding", B64, PADDED),
    TEXT("two characters of padding", B64, PADDED_TWICE),
    TEXT("the standard alphabet", "RFC 4648 5", STANDARD_ALPHABET),
    TEXT("bits left over", "Base64 malleability in practice 2022", BITS_LEFT),
    TEXT("a digit too many", B64, DIGIT_MORE),
    TEXT("a blank in front", HEADER, BLANK_BEFORE),
    TEXT("a blank behind", HEADER, BLANK_BEHIND),
    TEXT("a line end behind", "CWE-113", LINE_END_BEHIND),
    TEXT("a blank within", B64, BLANK_WITHIN),
    TEXT("lines", "RFC 4648 3.1", LINES),
    TEXT("a NUL behind", "CWE-158", NUL_BEHIND),
    TEXT("a comma behind", HEADER, COMMA_BEHIND),
    TEXT("in quotes", HEADER, QUOTED),
    TEXT("percent-encoded padding", "RFC 3986 2.1", PERCENT),
    TEXT("a byte above 127", B64, HIGH_BIT),
    TEXT("XML as it is", HEADER, NOT_ENCODED),
    TEXT("base64url of base64url", "one form", ENCODED_TWICE),
    TEXT("hexadecimal", "one form", IN_HEX),
    TEXT("a JWT, alg none", "RFC 7519 6", A_JWT),
    MADE(AS_IS, "cut off behind every character, plain", "CWE-130", cut_credential, 0,
        FORM, .on = RIGHTS | P256),
    MADE(AS_IS, "cut off behind every character, deflated", "CWE-130", cut_credential,
        1, FORM, .on = RIGHTS | BEARER),
    MADE(AS_IS, "60,001 characters", BOMB, put_letters, 60001, SIZE),
    MADE(AS_IS, "60,000 characters, deflated", "control of form", put_letters, 60000,
        FORM),
    MADE(AS_IS, "60,000 characters, plain", BOMB, put_letters, -60000, SIZE),
    MADE(AS_IS, "a megabyte", BOMB, put_letters, 1 << 20, SIZE, .on = RIGHTS | P256),

    /* DEFLATE. */
    GOOD_STREAM("raw DEFLATE", RAW),
    GOOD_STREAM("stored blocks", STORED),
    GOOD_STREAM("fixed codes", FIXED_CODES),
    GOOD_STREAM("codes without matches", HUFFMAN_ONLY),
    GOOD_STREAM("an empty block at the end", EMPTY_BLOCK_BEHIND),
    STREAM("zlib's wrapper", "RFC 1950", IN_ZLIB),
    STREAM("gzip's wrapper", "RFC 1952", IN_GZIP),
    STREAM("a byte behind the stream", DEFLATE, BYTE_BEHIND),
    STREAM("zeros behind the stream", DEFLATE, ZEROS_BEHIND),
    STREAM("a line end behind the stream", DEFLATE, BLANK_BEHIND_IT),
    STREAM("two streams", DEFLATE, TWO_STREAMS),
    STREAM("no last block", DEFLATE, NO_LAST_BLOCK),
    STREAM("a block of the reserved type", DEFLATE, RESERVED_BLOCK),
    STREAM("a stored block of the wrong length", DEFLATE, WRONG_LENGTH),
    STREAM("a distance too far back", DEFLATE, TOO_FAR_BACK),
    STREAM("deflated twice", "one form", TWICE_DEFLATED),
    STREAM("a stream of nothing", DEFLATE, OF_NOTHING),
    STREAM("the first byte wrong", DEFLATE, FIRST_BYTE_WRONG),
    STREAM("the last byte missing", DEFLATE, LAST_BYTE_MISSING),
    MADE(AS_IS, "a bomb of 16 KiB and a byte", BOMB, put_bomb, 16385, SIZE),
    MADE(AS_IS, "16 KiB, the ticket and blanks", "control of form", put_bomb, 16384,
        FORM),
    MADE(AS_IS, "a bomb of 1 MiB", BOMB, put_bomb, 1 << 20, SIZE, .on = RIGHTS | P256),
    MADE(
        AS_IS, "a bomb of 40 MiB", BOMB, put_bomb, 40 << 20, SIZE, .on = RIGHTS | P256),
    MADE(AS_IS, "a bomb of blanks alone", BOMB, put_bomb, -(8 << 20), SIZE,
        .on = RIGHTS | P256),
};

const struct attack_group attacks_on_credentials = {
    "Credentials: base64url and DEFLATE", list, COUNT(list)};
