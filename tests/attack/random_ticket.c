#include "tests/attack/random_ticket.h"

#include <string.h>

#include "base/id.h"
#include "base/str.h"
#include "keys/der.h"
#include "tests/unit/unit.h"

uint64_t
dice_throw(struct dice *d)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

size_t
dice_below(struct dice *d, size_t n)
{
    return (size_t)(dice_throw(d) % n);
}

static bool
one_in(struct dice *d, size_t n)
{
    return dice_below(d, n) == 0;
}

/* Values. */

static char *
take_room(struct random_ticket *r, size_t len)
{
    char *at = r->room + r->used;

    assert_true(len <= sizeof(r->room) - r->used);
    r->used += len;
    return at;
}

static struct text
some_of(struct random_ticket *r, struct dice *d, const char *alphabet, size_t len)
{
    size_t letters = strlen(alphabet);
    char *at = take_room(r, len);

    for (size_t i = 0; i < len; i++)
        at[i] = alphabet[dice_below(d, letters)];
    return (struct text){at, len};
}

static struct text
join(struct random_ticket *r, struct text a, struct text b)
{
    char *at = take_room(r, a.len + b.len);

    memcpy(at, a.p, a.len);
    memcpy(at + a.len, b.p, b.len);
    return (struct text){at, a.len + b.len};
}

static struct text
random_id(struct random_ticket *r, struct dice *d, enum id_kind kind)
{
    char *at = take_room(r, ID_LEN + 1);
    struct id id;

    for (size_t i = 0; i < sizeof(id.b); i++)
        id.b[i] = (uint8_t)dice_throw(d);
    id_format(kind, &id, at);
    return (struct text){at, ID_LEN};
}

static struct text
random_name(struct random_ticket *r, struct dice *d)
{
    struct text first = some_of(r, d, "abcdefghijklmnopqrstuvwxyz", 1);

    return join(r, first,
        some_of(r, d, "abcdefghijklmnopqrstuvwxyz0123456789_.-",
            one_in(d, 8) ? 63 : dice_below(d, 12)));
}

static struct text
random_number(struct random_ticket *r, struct dice *d)
{
    if (one_in(d, 8))
        return text_of("0");
    return join(r, some_of(r, d, "123456789", 1),
        some_of(r, d, "0123456789", dice_below(d, 18)));
}

/* Any characters that a URI may have, and '%' with its digits. */
static struct text
random_uri(struct random_ticket *r, struct dice *d, size_t most)
{
    static const char any[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "0123456789-._~:/?#[]@!$&'()*+,;=&&&///";
    struct text uri = join(r, some_of(r, d, "abchtpsxyzAZ", 1 + dice_below(d, 4)),
        text_of(one_in(d, 2) ? "://" : ":"));

    for (size_t n = dice_below(d, 6); n > 0; n--) {
        uri = join(r, uri, some_of(r, d, any, dice_below(d, most / 6)));
        if (one_in(d, 3))
            uri = join(r, join(r, uri, text_of("%")),
                some_of(r, d, "0123456789abcdefABCDEF", 2));
    }
    return uri;
}

/* Parts of a ticket. */

static void
set_holder(struct random_ticket *r, struct dice *d)
{
    uint8_t n[512], e[3] = {1, 0, 1}, *at;
    struct buf der;

    for (size_t i = 0; i < sizeof(n); i++)
        n[i] = (uint8_t)dice_throw(d);
    n[0] |= 0x80;
    buf_init(&der);
    if (one_in(d, 4)) {
        der_make_rsa(n, 256 + 128 * dice_below(d, 3), e, sizeof(e), &der);
    } else {
        at = buf_space(&der, DER_P256_LEN);
        assert_non_null(at);
        der_make_p256(n, at); /* nobody looks whether it is on the curve */
    }
    r->draft.holder_spki = (uint8_t *)take_room(r, der.len);
    memcpy(r->room + r->used - der.len, der.data, der.len);
    r->draft.holder_spki_len = der.len;
    buf_clear(&der);
}

static void
set_times(struct ticket *t, struct dice *d)
{
    t->issued_s = RANDOM_NOW_S - (int64_t)dice_below(d, 20000);
    t->not_before_s = RANDOM_NOW_S - (int64_t)dice_below(d, 1000000);
    t->not_on_or_after_s = RANDOM_NOW_S + 1 + (int64_t)dice_below(d, 20000);
}

static void
set_audiences(struct random_ticket *r, struct dice *d, bool identity)
{
    struct ticket *t = &r->draft;

    if (identity) {
        t->audience[t->audiences++] = t->issuer;
        return;
    }
    t->audience[t->audiences++] = text_of("urn:meshauth:service:storage");
    for (size_t n = t->holder_spki ? dice_below(d, 4) : 0; n > 0; n--) {
        struct text last = one_in(d, 2) ? join(r, text_of("urn:meshauth:service:x"),
                                              some_of(r, d, "abcdefghij0123456789", 12))
                                        : join(r, text_of("urn:meshauth:device:"),
                                              random_id(r, d, ID_DEVICE));

        t->audience[t->audiences++] = last;
    }
}

/* So that no two are the same: each begins with its own number. */
static void
set_permits(struct random_ticket *r, struct dice *d)
{
    static const char *const names[] = {"read", "write", "delete", "control"};
    struct ticket *t = &r->draft;
    size_t permits = one_in(d, 8) ? TICKET_PERMITS : dice_below(d, 5);

    for (size_t i = 0; i < permits; i++) {
        size_t left = TICKET_ACTIONS - t->actions - (permits - i - 1);
        size_t count = 1 + dice_below(d, left < 8 ? left : 8);
        struct ticket_permit *p = &t->permit[t->permits++];

        *p = (struct ticket_permit){
            join(r, random_uri(r, d, 120), text_of("/")), t->actions, count};
        p->resource = join(r, p->resource, some_of(r, d, "0123456789abcdef", 12));
        for (size_t j = 0; j < count; j++)
            t->action[t->actions++] =
                j < 4 && one_in(d, 2)
                    ? text_of(names[j])
                    : join(r, random_name(r, d), some_of(r, d, "abcdefghij", 0));
    }
}

/* Names are short enough to come twice; then the later one is dropped. */
static void
drop_double_actions(struct ticket *t)
{
    struct text kept[TICKET_ACTIONS];
    size_t n = 0;

    for (size_t i = 0; i < t->permits; i++) {
        struct ticket_permit *p = &t->permit[i];
        size_t first = n;

        for (size_t j = 0; j < p->count; j++) {
            bool there = false;

            for (size_t k = first; k < n; k++)
                there |= text_equal(kept[k], t->action[p->first + j]);
            if (!there)
                kept[n++] = t->action[p->first + j];
        }
        p->first = first;
        p->count = n - first;
    }
    memcpy(t->action, kept, n * sizeof(*kept));
    t->actions = n;
}

static void
add_fact(struct ticket *t, enum ticket_relation relation, struct text a, struct text b,
    struct text c)
{
    t->fact[t->facts++] = (struct ticket_fact){relation, {a, b, c}};
}

static void
add_random_fact(struct random_ticket *r, struct dice *d)
{
    static const struct text none = {"", 0};
    struct ticket *t = &r->draft;
    struct text user = random_id(r, d, ID_USER), folder = random_id(r, d, ID_FOLDER);
    struct text device = random_id(r, d, ID_DEVICE);

    switch (dice_below(d, 5)) {
    case 0: add_fact(t, FACT_CLAIMED, device, user, none); return;
    case 1: add_fact(t, FACT_MAPPED, device, folder, none); return;
    case 2: add_fact(t, FACT_MEMBER, user, folder, random_name(r, d)); return;
    case 3: add_fact(t, FACT_ROLE, user, random_name(r, d), none); return;
    default: add_fact(t, FACT_SERVICE, random_id(r, d, ID_SERVICE), none, none);
    }
}

static void
set_facts(struct random_ticket *r, struct dice *d, struct text session, bool service)
{
    static const struct text none = {"", 0};
    struct ticket *t = &r->draft;

    add_fact(t, FACT_ASOF, random_number(r, d), none, none);
    add_fact(t, FACT_SESSION, session, none, none);
    if (service)
        add_fact(t, FACT_SERVICE, t->subject, none, none);
    if (t->holder_spki && one_in(d, 2))
        add_fact(t, FACT_HOLDER, random_id(r, d, ID_DEVICE), none, none);
    for (size_t n = one_in(d, 16) ? 30 : dice_below(d, 6); n > 0; n--)
        add_random_fact(r, d);
}

void
random_ticket_make(struct random_ticket *r, struct dice *d, const char *issuer)
{
    struct ticket *t = &r->draft;
    bool identity = one_in(d, 3), service = one_in(d, 4);

    memset(t, 0, sizeof(*t));
    r->used = 0;
    t->id = join(r, text_of("_"), some_of(r, d, "0123456789abcdef", TICKET_ID_LEN - 1));
    t->issuer = text_of(issuer);
    t->subject = random_id(r, d, service ? ID_SERVICE : ID_USER);
    set_times(t, d);
    if (!one_in(d, 3))
        set_holder(r, d);
    set_audiences(r, d, identity);
    if (identity) {
        t->has_authn = true;
        t->authn_instant_s = (int64_t)dice_below(d, RANDOM_NOW_S);
        t->authn_class = random_uri(r, d, 60);
    } else {
        set_permits(r, d);
        drop_double_actions(t);
    }
    set_facts(r, d, random_id(r, d, ID_SESSION), service);
}

/* Changes. */

/* Another character that may stand where this one does. */
static char
like(struct dice *d, char c)
{
    static const char *const classes[] = {"0123456789", "abcdefghjkmnpqrstvwxyz",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "-_.~:/?#[]@!$&'()*+,;=%"};

    for (size_t i = 0; i < COUNT(classes); i++)
        if (c && strchr(classes[i], c))
            return classes[i][dice_below(d, strlen(classes[i]))];
    return (char)dice_throw(d);
}

/* Puts len bytes in the place of gone ones; 0 if there is no room. */
static size_t
replace(char *xml, size_t len, size_t cap, size_t at, size_t gone, struct text put)
{
    if (len - gone + put.len > cap)
        return 0;
    memmove(xml + at + put.len, xml + at + gone, len - at - gone);
    memcpy(xml + at, put.p, put.len);
    return len - gone + put.len;
}

/* An element of a random name behind a random place: from '<' to the end tag's '>'. */
static struct text
some_element(struct dice *d, struct text in, const char *name)
{
    char open[48], close[48];
    size_t open_len = (size_t)snprintf(open, sizeof(open), "<saml:%s", name);
    size_t close_len = (size_t)snprintf(close, sizeof(close), "</saml:%s>", name);
    size_t from = dice_below(d, in.len);
    const char *start = memmem(in.p + from, in.len - from, open, open_len), *end;

    if (!start)
        start = memmem(in.p, in.len, open, open_len);
    if (!start)
        return (struct text){in.p, 0};
    end = memmem(start, (size_t)(in.p + in.len - start), close, close_len);
    if (!end)
        return (struct text){in.p, 0};
    return (struct text){start, (size_t)(end - start) + close_len};
}

static size_t
change_element(struct dice *d, char *xml, size_t len, size_t cap, struct text other)
{
    static const char *const names[] = {"Attribute", "AttributeValue", "Audience",
        "AuthzDecisionStatement", "Action", "Issuer", "NameID", "Subject",
        "SubjectConfirmation", "Conditions", "AuthnStatement", "AttributeStatement"};
    const char *name = names[dice_below(d, COUNT(names))];
    struct text mine = some_element(d, (struct text){xml, len}, name);
    struct text theirs = some_element(d, other, name);
    size_t at = (size_t)(mine.p - xml);
    char copy[2048];

    switch (dice_below(d, 4)) {
    case 0: return replace(xml, len, cap, at, mine.len, (struct text){"", 0});
    case 1: return replace(xml, len, cap, at, mine.len, theirs);
    case 2: return replace(xml, len, cap, at, 0, theirs);
    default:
        if (mine.len > sizeof(copy))
            return 0;
        memcpy(copy, mine.p, mine.len);
        return replace(xml, len, cap, at + mine.len, 0, (struct text){copy, mine.len});
    }
}

static size_t
change_token(struct dice *d, char *xml, size_t len, size_t cap)
{
    static const char *const tokens[] = {"&amp;", "&", "&lt;", "<!---->", "<?x?>",
        "<![CDATA[]]>", " ", "\n", "\t", "'", "\"", "/", ">", "<", "xmlns=\"\"", "=",
        "0", "a", "Z", "&#38;", "\xef\xbb\xbf", "saml:", "ds:"};
    const char *token = tokens[dice_below(d, COUNT(tokens))];
    size_t at = dice_below(d, len);
    size_t gone = one_in(d, 2) ? dice_below(d, 4) : 0;

    if (gone > len - at)
        gone = 0;
    return replace(xml, len, cap, at, gone, text_of(token));
}

/* Up to a place of mine, then from a like place of the other's: the same tag. */
static size_t
splice(struct dice *d, char *xml, size_t len, size_t cap, struct text other)
{
    size_t at = dice_below(d, len), n;
    const char *tag = memchr(xml + at, '<', len - at), *there;

    if (!tag)
        return 0;
    at = (size_t)(tag - xml);
    n = len - at < 12 ? len - at : 12;
    there = memmem(other.p, other.len, tag, n);
    if (!there)
        return 0;
    return replace(xml, len, cap, at, len - at,
        (struct text){there, (size_t)(other.p + other.len - there)});
}

static size_t
change_range(struct dice *d, char *xml, size_t len, size_t cap)
{
    size_t at = dice_below(d, len), n = 1 + dice_below(d, 40);
    char copy[40];

    if (n > len - at)
        n = len - at;
    memcpy(copy, xml + at, n);
    if (one_in(d, 3))
        return replace(xml, len, cap, at, n, (struct text){"", 0});
    return replace(xml, len, cap, dice_below(d, len), one_in(d, 2) ? 0 : 1,
        (struct text){copy, n});
}

size_t
random_change(struct dice *d, char *xml, size_t len, size_t cap, struct text other)
{
    size_t at = dice_below(d, len);
    char c = (char)dice_throw(d);

    switch (dice_below(d, 8)) {
    case 0: xml[at] = c; return len;
    case 1: xml[at] = (char)(xml[at] ^ 1 << dice_below(d, 8)); return len;
    case 2: return replace(xml, len, cap, at, one_in(d, 2), (struct text){&c, 1});
    case 3: return change_element(d, xml, len, cap, other);
    case 4: return change_token(d, xml, len, cap);
    case 5: return splice(d, xml, len, cap, other);
    case 6: return change_range(d, xml, len, cap);
    default: xml[at] = like(d, xml[at]); return len;
    }
}

void
random_value_change(struct dice *d, char *xml, size_t len)
{
    size_t at = dice_below(d, len), end;

    /* to the next text or attribute */
    while (at + 1 < len && !(xml[at] == '>' && xml[at + 1] != '<') &&
           !(xml[at] == '=' && xml[at + 1] == '"'))
        at++;
    at += xml[at] == '=' ? 2 : 1;
    end = at;
    while (end < len && xml[end] != '<' && xml[end] != '"')
        end++;
    if (end > at) {
        at += dice_below(d, end - at);
        xml[at] = like(d, xml[at]);
    }
}
