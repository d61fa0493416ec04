/*
 * The tables of attacks against the path of outside providers: libxml2 and xmlsec1
 * behind the checks of saml/. For it the issuer of the tickets is a provider that
 * signed nothing else; beside its tickets it has signed a login of each kind of key.
 *
 * None of what forgers without the key have made is a login, though what they began with
 * may be one. And below that: whatever is found to be signed is, byte for byte, what the
 * issuer did sign. What the issuer itself has signed in a way that libxml2 and xmlsec1
 * might understand otherwise than we do is refused.
 */
#include "saml/library.h"
#include "saml/message.h"
#include "saml/signature.h"
#include "saml/xml.h"
#include "tests/attack/making.h"

#define CONFIRMATION     "<saml:SubjectConfirmation Method="
#define CONFIRMATION_END "</saml:SubjectConfirmation>"
#define BY_BEARER                                                          \
    CONFIRMATION                                                           \
    "\"urn:oasis:names:tc:SAML:2.0:cm:bearer\">"                           \
    "<saml:SubjectConfirmationData NotOnOrAfter=\"2026-11-22T11:00:00Z\" " \
    "Recipient=\"" GOLDEN_ISSUER "\"></saml:SubjectConfirmationData>"

enum {
    LOGINS = 2
};

static struct mauth_key *keys[2];
static struct base login[LOGINS] = {
    {.kind = "login", .alg = "p256", .audience = GOLDEN_ISSUER, .is = IDENTITY | P256},
    {.kind = "login",
        .alg = "rsa2048",
        .audience = GOLDEN_ISSUER,
        .is = IDENTITY | RSA2048},
};
static size_t forged, verified, misshaped;

/* Those that are not about what only tickets have. */
static const struct attack_group *const for_logins[] = {&attacks_by_wrapping,
    &attacks_on_references, &attacks_on_signatures, &attacks_on_key_info,
    &attacks_on_xml, &attacks_on_values, &attacks_on_statements};
/* And of these, the ones about what is signed. */
static const struct attack_group *const about_what_is_signed[] = {
    &attacks_by_wrapping, &attacks_on_references};

/* Tickets have one form, logins may have these: what is signed is what is read. */
static const char *const harmless[] = {"inclusive prefixes",
    "inclusive prefixes, none of them", "the name spaces declared in SignedInfo",
    "a DigestValue elsewhere in the assertion", "another ID, all signed",
    "an ID in upper case", "an ID of 31 digits", "an ID of 33 digits",
    "an ID without its underscore"};

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

/* Is it a login? */
static bool
is_login(struct text xml, const char *audience, struct assertion *said)
{
    const struct assertion_expect want = {
        GOLDEN_ISSUER, audience, audience, golden_time("2026-11-22T10:05:00Z"), 86400};
    struct message *m = NULL;
    enum saml_refusal why;
    bool good = message_parse(xml, &m, &why, NULL) == MAUTH_OK &&
                message_verify(m, trusted(), 2, &want, said, &why, NULL) == MAUTH_OK;

    assert_int_equal(why == SAML_FINE, good);
    message_free(m);
    return good;
}

static bool
say_the_same(const struct assertion *a, const struct assertion *b)
{
    return strcmp(a->id, b->id) == 0 && strcmp(a->subject, b->subject) == 0 &&
           strcmp(a->email, b->email) == 0 && a->authn_s == b->authn_s &&
           a->session_ends_s == b->session_ends_s && a->too_old_s == b->too_old_s;
}

/* Its signature can be written otherwise, but then it is the login that it was: of the
 * same ID, which is taken once. */
static void
try_message(const struct forgery *f, const char *name)
{
    struct text xml = {(const char *)f->xml.data, f->xml.len};
    struct text genuine = {f->base->xml, f->base->len};
    struct assertion said, was;

    if (is_login(xml, f->base->audience, &said) &&
        !(is_login(genuine, f->base->audience, &was) && say_the_same(&said, &was)))
        fail_msg("%s: a login as %s", name, said.subject);
}

/* Whoever has the provider's key makes logins, whatever else is in them. */
static bool
is_forged(const struct attack *a)
{
    bool is_signed = a->hand == SIGNED || a->hand == RESIGNED;

    return !is_signed || a->key == KEY_STRANGER || a->key == KEY_SECOND;
}

/* More of a case of many would be more of the same here. */
static bool
make(struct forgery *f, const struct house *house, const struct attack *a,
    const struct base *b)
{
    if (!making_applies(a, b))
        return false;
    forgery_start(f, b, house);
    making_make(f, a);
    if (!f->credential.len && !f->is_set && !f->missed)
        return true;
    forgery_clear(f);
    return false;
}

static void
try_case(const struct house *house, const struct attack *a, const struct base *b)
{
    struct forgery f = {.step = 0};

    if (!is_forged(a) || !make(&f, house, a, b))
        return;
    try_message(&f, a->name);
    try_signatures(&f, a->name);
    forgery_clear(&f);
}

static bool
is_harmless(const char *name)
{
    for (size_t i = 0; i < COUNT(harmless); i++)
        if (strcmp(name, harmless[i]) == 0)
            return true;
    return false;
}

static void
try_misshaped(const struct house *house, const struct attack *a, const struct base *b)
{
    struct forgery f = {.step = 0};
    struct assertion said;

    if (is_forged(a) || !make(&f, house, a, b))
        return;
    misshaped++;
    if (is_login((struct text){(const char *)f.xml.data, f.xml.len}, b->audience,
            &said) != is_harmless(a->name))
        fail_msg("%s: %s", a->name, is_harmless(a->name) ? "refused" : said.subject);
    forgery_clear(&f);
}

/* An identity ticket, but for its confirmation: anybody may bring it. */
static void
make_login(struct base *b, const struct base *from, const struct house *house)
{
    const char *at = strstr(from->xml, CONFIRMATION);
    const char *end = strstr(from->xml, CONFIRMATION_END);
    struct forgery f = {.step = 0};
    struct assertion said;

    assert_true(at && end);
    forgery_start(&f, from, house);
    buf_rewind(&f.xml);
    buf_put(&f.xml, from->xml, (size_t)(at - from->xml));
    buf_str(&f.xml, BY_BEARER);
    buf_str(&f.xml, end);
    assert_true(forgery_rehash(&f));
    assert_true(forgery_sign(&f, house_signer(house, from, KEY_ITS_OWN)));
    base_take(b, strdup(buf_cstr(&f.xml)));
    b->is |= LOGIN;
    forgery_clear(&f);
    assert_true(is_login((struct text){b->xml, b->len}, b->audience, &said));
}

typedef void try_fn(
    const struct house *house, const struct attack *a, const struct base *b);

static void
try_groups(const struct house *house, const struct attack_group *const *group,
    size_t count, try_fn *try)
{
    for (size_t g = 0; g < count; g++)
        for (size_t i = 0; i < group[g]->count; i++)
            for (size_t b = 0; b < LOGINS; b++)
                try(house, &group[g]->list[i], &login[b]);
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
    make_login(&login[0], &making_bases[1], &house);
    make_login(&login[1], &making_bases[6], &house);
    for (size_t g = 0; g < MAKING_GROUPS; g++)
        for (size_t i = 0; i < making_groups[g]->count; i++)
            for (size_t b = 0; b < MAKING_USUAL_BASES; b++)
                try_case(&house, &making_groups[g]->list[i], &making_bases[b]);
    try_groups(&house, for_logins, COUNT(for_logins), try_case);
    try_groups(
        &house, about_what_is_signed, COUNT(about_what_is_signed), try_misshaped);
    for (size_t b = 0; b < LOGINS; b++)
        base_clear(&login[b]);
    for (size_t b = 0; b < MAKING_BASES; b++)
        base_clear(&making_bases[b]);
    for (size_t i = 0; i < 2; i++)
        mauth_key_free(keys[i]);
    house_close(&house);
    printf("%zu forgeries, in which %zu signatures verified; %zu that the issuer "
           "misshaped\n",
        forged, verified, misshaped);
    /* Else nothing was tried: in many the signed ticket is still there. */
    assert_true(forged > 1100 && verified > 450 && misshaped > 150);
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
