/*
 * The tables of attacks against the path of outside providers: libxml2 and xmlsec1
 * behind the checks of saml/. For it the issuer of the tickets is a provider that
 * signed nothing else.
 *
 * None of what forgers without the key have made is a login. And below that: whatever is
 * found to be signed is, byte for byte, what the issuer did sign.
 */
#include "saml/library.h"
#include "saml/message.h"
#include "saml/signature.h"
#include "saml/xml.h"
#include "tests/attack/making.h"

static struct mauth_key *keys[2];
static size_t forged, verified;

static const struct mauth_key *const *
trusted(void)
{
    return (const struct mauth_key *const *)keys;
}

/* As text, the valid ticket without its Signature: tickets are canonical. */
static bool
is_genuine(const struct buf *bytes, const struct base *b)
{
    size_t before = (size_t)(b->signature.p - b->xml);
    size_t behind = b->len - before - b->signature.len;

    return bytes->len == before + behind && memcmp(bytes->data, b->xml, before) == 0 &&
           memcmp(bytes->data + before, b->signature.p + b->signature.len, behind) == 0;
}

static void
try_signatures(const struct forgery *f, const char *name)
{
    struct text xml = {(const char *)f->xml.data, f->xml.len};
    enum saml_refusal why;
    xmlDoc *doc;

    forged++;
    if (xml_parse(XML_MESSAGE, xml, &doc, NULL) != MAUTH_OK)
        return;
    for (xmlNode *n = xmlDocGetRootElement(doc); n; n = xml_walk(n)) {
        struct buf bytes;

        if (!xml_is(n, DS_NS, "Signature"))
            continue;
        buf_init(&bytes);
        if (signature_verify(n, trusted(), 2, &bytes, &why, NULL) == MAUTH_OK) {
            verified++;
            if (!is_genuine(&bytes, f->base))
                fail_msg("%s: signed is %s", name, buf_cstr(&bytes));
        }
        buf_clear(&bytes);
    }
    xmlFreeDoc(doc);
}

static void
try_message(const struct forgery *f, const char *name)
{
    const struct assertion_expect want = {GOLDEN_ISSUER, f->base->audience,
        f->base->audience, golden_time("2026-11-22T10:05:00Z"), 86400};
    struct text xml = {(const char *)f->xml.data, f->xml.len};
    struct message *m = NULL;
    enum saml_refusal why;
    struct assertion said;

    if (message_parse(xml, &m, &why, NULL) == MAUTH_OK &&
        message_verify(m, trusted(), 2, &want, &said, &why, NULL) == MAUTH_OK)
        fail_msg("%s: a login as %s", name, said.subject);
    assert_int_not_equal(why, SAML_FINE);
    message_free(m);
}

/* Whoever has the provider's key makes logins, whatever else is in them. */
static bool
is_forged(const struct attack *a)
{
    bool is_signed = a->hand == SIGNED || a->hand == RESIGNED;

    return !is_signed || a->key == KEY_STRANGER || a->key == KEY_SECOND;
}

/* More of a case of many would be more of the same here. */
static void
try_case(const struct house *house, const struct attack *a, const struct base *b)
{
    struct forgery f = {.step = 0};

    if (!is_forged(a) || !making_applies(a, b))
        return;
    forgery_start(&f, b, house);
    making_make(&f, a);
    if (!f.credential.len && !f.is_set) {
        try_message(&f, a->name);
        try_signatures(&f, a->name);
    }
    forgery_clear(&f);
}

static void
believes_nobody_but_the_issuer(void **state)
{
    static struct house house;

    (void)state;
    house_open(&house);
    keys[0] = golden_key("signing-p256.pub.pem");
    keys[1] = golden_key("signing-rsa2048.pub.pem");
    for (size_t b = 0; b < MAKING_BASES; b++)
        base_load(&making_bases[b]);
    for (size_t g = 0; g < MAKING_GROUPS; g++)
        for (size_t i = 0; i < making_groups[g]->count; i++)
            for (size_t b = 0; b < MAKING_USUAL_BASES; b++)
                try_case(&house, &making_groups[g]->list[i], &making_bases[b]);
    for (size_t b = 0; b < MAKING_BASES; b++)
        base_clear(&making_bases[b]);
    for (size_t i = 0; i < 2; i++)
        mauth_key_free(keys[i]);
    house_close(&house);
    printf("%zu forgeries, in which %zu signatures verified\n", forged, verified);
    /* Else nothing was tried: in many the signed ticket is still there. */
    assert_true(forged > 900 && verified > 400);
}

static int
start(void **state)
{
    (void)state;
    return saml_library_open(NULL) != MAUTH_OK;
}

static int
end(void **state)
{
    (void)state;
    saml_library_close();
    return 0;
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(believes_nobody_but_the_issuer),
    };

    return cmocka_run_group_tests(tests, start, end);
}
