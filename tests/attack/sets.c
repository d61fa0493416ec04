/* Authorization headers: the scheme, and sets of tickets. */
#include "tests/attack/attack.h"

#define BOMB    "CVE-2023-28119"
#define HEADER  "RFC 9110 11.4"
#define SETS    "docs/tickets.md: sets"
#define MALLORY "usr_0mmmmmmmmmmmmmmmmmmmmmmmmm"

/* Another ticket of the issuer's: this one, edited and signed again. */
static void
add_other(struct forgery *f, const char *find, const char *put)
{
    struct forgery other = {0};

    forgery_start(&other, f->base, f->house);
    forgery_edit(&other, find, put, false);
    forgery_rehash(&other);
    forgery_sign(&other, house_signer(f->house, f->base, KEY_ITS_OWN));
    spell(&f->credential, other.xml.data, other.xml.len);
    forgery_clear(&other);
}

static void
add_golden(struct forgery *f, const char *kind)
{
    size_t len;
    char *xml = golden_xml(kind, f->base->alg, &len);

    spell(&f->credential, xml, len);
    free(xml);
}

static void
add_spoilt(struct forgery *f)
{
    struct buf xml;

    buf_init(&xml);
    buf_put(&xml, f->xml.data, f->xml.len);
    /* asof: well formed, and no longer what was signed */
    ((uint8_t *)memmem(xml.data, xml.len, "4711", 4))[0]++;
    spell(&f->credential, xml.data, xml.len);
    buf_clear(&xml);
}

/* A set, part by part. */
enum {
    NOTHING,
    GOOD,       /* the ticket */
    GOOD_SHORT, /* deflated */
    JUNK,       /* AAAA */
    SPOILT,     /* its signature does not fit */
    ENDED,      /* over since 10:01:00 */
    ELSEWHERE,  /* for another service */
    OF_MALLORY, /* another subject */
    NEXT_SESSION,
    RIGHTS_TICKET, /* golden: bound */
    FIRST_ROLE,
    SECOND_ROLE,
    BOTH_ROLES,
};

#define SET2(a, b)    ((a) << 4 | (b))
#define SET3(a, b, c) ((a) << 8 | (b) << 4 | (c))
#define OTHER_SESSION "ses_0rrrrrrrrrrrrrrrrrrrrrrrrr"
#define ROLE(name)    FACT("role", VALUE(ALICE) VALUE(name))

static void
add_part(struct forgery *f, int part)
{
    switch (part) {
    case GOOD: spell(&f->credential, f->xml.data, f->xml.len); return;
    case GOOD_SHORT: spell_deflated(&f->credential, f->xml.data, f->xml.len); return;
    case JUNK: buf_str(&f->credential, "AAAA"); return;
    case SPOILT: add_spoilt(f); return;
    case ENDED: add_other(f, "T10:10:00Z", "T10:01:00Z"); return;
    case ELSEWHERE:
        add_other(f, AUDIENCE(STORAGE), AUDIENCE("urn:meshauth:service:archive"));
        return;
    case OF_MALLORY:
        add_other(f, ALICE "</saml:NameID>", MALLORY "</saml:NameID>");
        return;
    case NEXT_SESSION:
        add_other(f, FACT_SES, FACT("session", VALUE(OTHER_SESSION)));
        return;
    case RIGHTS_TICKET: add_golden(f, "rights"); return;
    case FIRST_ROLE: add_other(f, FACT_SES, ROLE("first") "$0"); return;
    case SECOND_ROLE: add_other(f, FACT_SES, ROLE("second") "$0"); return;
    case BOTH_ROLES: add_other(f, FACT_SES, ROLE("first") ROLE("second") "$0"); return;
    default: return;
    }
}

static void
put_set(struct forgery *f, int parts)
{
    bool more = false;

    f->is_set = true;
    for (int shift = 8; shift >= 0; shift -= 4) {
        int part = parts >> shift & 15;

        if (!more && part == NOTHING)
            continue;
        if (more)
            buf_u8(&f->credential, '~');
        add_part(f, part);
        more = true;
    }
}

static void
put_many(struct forgery *f, int count)
{
    f->is_set = true;
    for (int i = 0; i < count; i++) {
        if (i)
            buf_u8(&f->credential, '~');
        spell_deflated(&f->credential, f->xml.data, f->xml.len);
    }
}

/* '~' where no ticket is: in front, behind, alone. */
static void
put_tilde(struct forgery *f, int where)
{
    static const struct {
        const char *before, *behind;
    } tildes[] = {{"~", ""}, {"", "~"}, {"~~", ""}};

    f->is_set = true;
    buf_str(&f->credential, tildes[where].before);
    if (where < 2)
        spell(&f->credential, f->xml.data, f->xml.len);
    buf_str(&f->credential, tildes[where].behind);
}

static void
put_nothing(struct forgery *f, int unused)
{
    (void)unused;
    f->is_set = true;
}

/* Fills up a header to one character more than is read. */
static void
put_long_set(struct forgery *f, int unused)
{
    (void)unused;
    put_set(f, GOOD);
    buf_u8(&f->credential, '~');
    while (f->credential.len < 60001)
        buf_u8(&f->credential, 'A');
}

#define SCHEME(n, scheme_, r)      MADE(AS_IS, n, HEADER, NULL, 0, r, .at.scheme = (scheme_))
#define SET(n, t, parts, r, kinds) MADE(AS_IS, n, t, put_set, parts, r, .on = (kinds))

static const struct attack list[] = {
    /* The header. */
    SCHEME("Bearer", "Bearer ", NONE),
    SCHEME("bearer", "bearer ", NONE),
    SCHEME("DPoP", "DPoP ", NONE),
    SCHEME("no scheme", "", FORM),
    SCHEME("Basic", "Basic ", FORM),
    SCHEME("Token", "Token ", FORM),
    SCHEME("a longer scheme", "Bearers ", FORM),
    SCHEME("a colon behind the scheme", "Bearer: ", FORM),
    SCHEME("the scheme twice", "Bearer Bearer ", FORM),
    SCHEME("two blanks", "Bearer  ", FORM),
    SCHEME("a tab", "Bearer\t", FORM),
    SCHEME("a blank in front", " Bearer ", FORM),
    SCHEME("no blank", "Bearer", FORM),
    SCHEME("a parameter", "Bearer token=", FORM),
    MADE(AS_IS, "nothing behind the scheme", HEADER, put_nothing, 0, FORM),

    /* Sets. */
    SET("the same ticket twice", "control", SET2(GOOD, GOOD), NONE, 0),
    SET("the same ticket, plain and deflated", "control", SET2(GOOD, GOOD_SHORT), NONE,
        0),
    SET("a good one and junk", SETS, SET2(GOOD, JUNK), FORM, 0),
    SET("junk and a good one", SETS, SET2(JUNK, GOOD), FORM, 0),
    SET("a good one and a forged one", SETS, SET2(GOOD, SPOILT), SIGNATURE, 0),
    SET("a forged one and a good one", SETS, SET2(SPOILT, GOOD), SIGNATURE, 0),
    SET("two good ones around a forged one", SETS, SET3(GOOD, SPOILT, GOOD), SIGNATURE,
        0),
    SET("a good one and one that ended", SETS, SET2(GOOD, ENDED), EXPIRED,
        RIGHTS | P2P),
    SET("one that ended and a good one", SETS, SET2(ENDED, GOOD), EXPIRED,
        RIGHTS | P2P),
    SET("a good one and one for another service", SETS, SET2(GOOD, ELSEWHERE), AUDIENCE,
        RIGHTS),
    SET("two subjects", SETS, SET2(GOOD, OF_MALLORY), MIXED_SET, SHORT),
    SET("two subjects, the third again the first", SETS, SET3(GOOD, OF_MALLORY, GOOD),
        MIXED_SET, SHORT),
    SET("two sessions", SETS, SET2(GOOD, NEXT_SESSION), MIXED_SET, SHORT),
    SET("a bearer's and a bound one", SETS, SET2(GOOD, RIGHTS_TICKET), MIXED_SET,
        BEARER),
    SET("a bound one and a bearer's", SETS, SET2(RIGHTS_TICKET, GOOD), MIXED_SET,
        BEARER),
    MADE(AS_IS, "facts of two tickets", "docs/rules.md: of one ticket", put_set,
        SET2(FIRST_ROLE, SECOND_ROLE), NO_RULE, .on = SHORT, .at.action = "join"),
    MADE(AS_IS, "facts of one ticket of two", "control", put_set,
        SET2(FIRST_ROLE, BOTH_ROLES), NONE, .on = SHORT, .at.action = "join"),
    MADE(AS_IS, "another key's ticket", SETS, put_set, SET2(GOOD, GOOD), HOLDER,
        .on = BOUND, .at.proof = OTHER_KEY),
    MADE(AS_IS, "eight tickets", "control", put_many, 8, NONE),
    MADE(AS_IS, "nine tickets", SETS, put_many, 9, SIZE),
    MADE(AS_IS, "'~' in front", SETS, put_tilde, 0, FORM),
    MADE(AS_IS, "'~' behind", SETS, put_tilde, 1, FORM),
    MADE(AS_IS, "'~' alone", SETS, put_tilde, 2, FORM),
    MADE(AS_IS, "a set of 60,001 characters", BOMB, put_long_set, 0, SIZE),
};

const struct attack_group attacks_on_headers = {
    "Headers and sets of tickets", list, COUNT(list)};
