#include "keys/key_certificate.h"
#include "saml/descriptor.h"
#include "saml/metadata.h"
#include "tests/unit/saml_idp.h"

#define ISSUER "https://auth.example/a&b"

/* A key in each of the forms that are needed. */
struct made {
    struct signer *signer;
    struct buf pkcs8, certificate;
};

static void
make(struct made *m, enum signer_kind kind)
{
    buf_init_secret(&m->pkcs8);
    buf_init(&m->certificate);
    assert_int_equal(signer_generate(kind, &m->pkcs8, NULL), MAUTH_OK);
    assert_int_equal(
        signer_from_pkcs8(m->pkcs8.data, m->pkcs8.len, &m->signer, NULL), MAUTH_OK);
    assert_int_equal(
        key_certificate_make(m->signer, IDP_NOW_S, TIME_MAX_S, &m->certificate, NULL),
        MAUTH_OK);
}

static void
clear(struct made *m)
{
    signer_free(m->signer);
    buf_clear(&m->pkcs8);
    buf_clear(&m->certificate);
}

static struct text
slice(const struct buf *b)
{
    return (struct text){(const char *)b->data, b->len};
}

static enum mauth_rc
write(
    const struct made *signs, const struct made *listed, size_t count, struct buf *out)
{
    struct descriptor_key keys[4];
    const struct descriptor d = {.issuer = ISSUER,
        .endpoint = ISSUER "/v1/token",
        .id = "_0123456789abcdef",
        .valid_until_s = IDP_NOW_S + 60,
        .cache_s = 3600,
        .key = keys,
        .keys = count};

    for (size_t i = 0; i < count; i++)
        keys[i] = (struct descriptor_key){
            mauth_key_id(signer_key(listed[i].signer)), slice(&listed[i].certificate)};
    buf_init(out);
    return descriptor_write(
        &d, slice(&signs->pkcs8), slice(&signs->certificate), out, NULL);
}

static enum mauth_rc
parse(struct text xml, const struct made *pinned, int64_t now_s, struct metadata **out)
{
    return metadata_parse(xml, ISSUER, signer_key(pinned->signer), now_s, out, NULL);
}

/* By what reads other people's metadata, pinned to the key. */
static void
is_read_by_its_key(void **state)
{
    static const enum signer_kind kinds[] = {SIGNER_P256, SIGNER_RSA3072};
    struct made listed[2];

    (void)state;
    make(&listed[0], SIGNER_P256);
    make(&listed[1], SIGNER_RSA2048);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct metadata *m = NULL;
        struct made signs;
        struct buf xml;
        size_t count;

        make(&signs, kinds[i]);
        assert_int_equal(write(&signs, listed, 2, &xml), MAUTH_OK);
        assert_int_equal(parse(slice(&xml), &signs, IDP_NOW_S, &m), MAUTH_OK);
        metadata_keys(m, &count);
        assert_int_equal(count, 2);
        for (size_t k = 0; k < count; k++)
            assert_string_equal(mauth_key_id(metadata_keys(m, &count)[k]),
                mauth_key_id(signer_key(listed[k].signer)));
        assert_int_equal(metadata_valid_until_s(m), IDP_NOW_S + 60);
        metadata_free(m);
        m = NULL;
        assert_int_equal(
            parse(slice(&xml), &listed[0], IDP_NOW_S, &m), MAUTH_UNTRUSTED);
        assert_int_equal(parse(slice(&xml), &signs, IDP_NOW_S + 60, &m), MAUTH_EXPIRED);
        assert_null(m);
        buf_clear(&xml);
        clear(&signs);
    }
    clear(&listed[0]);
    clear(&listed[1]);
}

static void
is_signed_as_a_whole(void **state)
{
    static const char *const edits[][2] = {
        {"cacheDuration=\"PT3600S\"", "cacheDuration=\"PT9600S\""},
        {"use=\"signing\"", "use=\"encryption\""}, {"/v1/token", "/v1/other"},
        {"<ds:KeyName>", "<ds:KeyName>0"}, {"validUntil=\"2026", "validUntil=\"2027"}};
    struct made signs, listed;
    struct buf xml;

    (void)state;
    make(&signs, SIGNER_P256);
    make(&listed, SIGNER_P256);
    assert_int_equal(write(&signs, &listed, 1, &xml), MAUTH_OK);
    for (size_t i = 0; i < COUNT(edits); i++) {
        char *edited = idp_edit(buf_cstr(&xml), edits[i][0], edits[i][1]);
        struct metadata *m = NULL;

        assert_int_equal(
            parse(text_of(edited), &signs, IDP_NOW_S, &m), MAUTH_UNTRUSTED);
        assert_null(m);
        free(edited);
    }
    buf_clear(&xml);
    clear(&listed);
    clear(&signs);
}

static void
is_not_made_without_a_key(void **state)
{
    struct made signs, listed;
    struct buf xml;

    (void)state;
    make(&signs, SIGNER_P256);
    make(&listed, SIGNER_P256);
    signs.pkcs8.data[0] ^= 1;
    assert_int_equal(write(&signs, &listed, 1, &xml), MAUTH_INTERNAL);
    assert_int_equal(xml.len, 0);
    signs.pkcs8.data[0] ^= 1;
    signs.certificate.data[0] ^= 1;
    assert_int_equal(write(&signs, &listed, 1, &xml), MAUTH_INTERNAL);
    assert_int_equal(xml.len, 0);
    clear(&listed);
    clear(&signs);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_read_by_its_key),
        cmocka_unit_test(is_signed_as_a_whole),
        cmocka_unit_test(is_not_made_without_a_key),
    };

    return cmocka_run_group_tests(tests, idp_group_start, idp_group_end);
}
