/* What the trust file says of keys, ids and times; what the rules say. */
#include "tests/attack/attack.h"

#define TRUST      "docs/trust-file.md"
#define REVOCATION "docs/trust-file.md: revocations"
#define REASONS    "docs/tickets.md: reasons"
#define STOLEN     "Golden SAML 2017"

/* Changes to the trust file. */

static void
set_all_keys(struct trust_key key[HOUSE_KEYS], enum trust_state state)
{
    for (size_t i = 0; i < HOUSE_KEYS; i++)
        key[i].state = state;
}

static void
revoke_keys(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_all_keys(key, TRUST_REVOKED);
}

static void
keys_are_next(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_all_keys(key, TRUST_NEXT);
}

static void
keys_retire(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_all_keys(key, TRUST_RETIRING);
}

static void
set_windows(struct trust_key key[HOUSE_KEYS], const char *from, const char *until)
{
    for (size_t i = 0; i < HOUSE_KEYS; i++) {
        key[i].from_s = golden_time(from);
        key[i].until_s = golden_time(until);
    }
}

static void
window_fits(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_windows(key, "2026-11-22T10:00:00Z", "2026-11-22T10:10:00Z");
}

static void
window_opens_late(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_windows(key, "2026-11-22T10:00:01Z", "2026-12-01T00:00:00Z");
}

static void
window_closes_early(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_windows(key, "2026-11-01T00:00:00Z", "2026-11-22T10:09:59Z");
}

static void
window_is_over(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)g;
    set_windows(key, "2026-11-01T00:00:00Z", "2026-11-22T09:00:00Z");
}

/* Only the stranger's keys, so to say: none that signs tickets. */
static void
one_key_left(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    key[0] = key[2];
    g->statement.key_count = 1;
}

static void
set_audiences(struct trust_key key[HOUSE_KEYS], const struct text *list, size_t count)
{
    for (size_t i = 0; i < HOUSE_KEYS; i++) {
        key[i].all_audiences = false;
        key[i].audiences = count;
        key[i].audience = list;
    }
}

static void
keys_for_another(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    static const struct text list[] = {{"urn:meshauth:service:archive", 28}};

    (void)g;
    set_audiences(key, list, COUNT(list));
}

static void
keys_for_relay(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    static const struct text list[] = {{"urn:meshauth:service:relay", 26}};

    (void)g;
    set_audiences(key, list, COUNT(list));
}

static void
keys_for_storage(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    static const struct text list[] = {
        {"urn:meshauth:service:archive", 28}, {STORAGE, sizeof(STORAGE) - 1}};

    (void)g;
    set_audiences(key, list, COUNT(list));
}

static void
trust_just_expired(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)key;
    g->statement.expires_s = golden_time("2026-11-22T10:05:00Z");
}

static void
trust_about_to_expire(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)key;
    g->statement.expires_s = golden_time("2026-11-22T10:05:01Z");
}

static void
trust_of_tomorrow(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)key;
    g->statement.issued_s = golden_time("2026-11-22T10:06:01Z");
}

static void
trust_of_the_next_minute(struct golden_statement *g, struct trust_key key[HOUSE_KEYS])
{
    (void)key;
    g->statement.issued_s = golden_time("2026-11-22T10:06:00Z");
}

#define REVOKE(name, line)                                              \
    static void name(struct golden_statement *g, struct trust_key *key) \
    {                                                                   \
        static const char *const lines[] = {line};                      \
                                                                        \
        (void)key;                                                      \
        g->statement.revocations = lines;                               \
        g->statement.revocation_count = COUNT(lines);                   \
    }

REVOKE(revoke_all, "revoke 4712 *")
REVOKE(revoke_all_before, "revoke 4711 *")
REVOKE(revoke_subject, "revoke 4712 " ALICE)
REVOKE(revoke_session, "revoke 4712 " SESSION)
REVOKE(revoke_session_before, "revoke 4711 " SESSION)
REVOKE(revoke_device, "revoke 4712 " DEVICE)
REVOKE(revoke_folder, "revoke 4712 " FOLDER)
REVOKE(revoke_pair, "revoke 4712 " SESSION " " ALICE)
REVOKE(revoke_half, "revoke 4712 " SESSION " " BOB)
REVOKE(revoke_ticket, "revoke 4712 _03030303030303030303030303030303")
REVOKE(revoke_other_ticket, "revoke 4712 _03030303030303030303030303030304")

/* Forty claims, over which tangle() would have to look at all pairs and more. */
static void
many_claims(struct forgery *f, int unused)
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    struct buf b;

    (void)unused;
    buf_init(&b);
    buf_str(&b, FACT_4711);
    for (unsigned i = 0; i < 40; i++)
        buf_printf(&b,
            FACT("claimed", VALUE("dev_0%c%caaaaaaaaaaaaaaaaaaaaaaa")
                                VALUE("usr_0%c%caaaaaaaaaaaaaaaaaaaaaaa")),
            digits[i / 32], digits[i % 32], digits[i / 32], digits[i % 32]);
    buf_str(&b, FACT("role", VALUE(ALICE) VALUE("user")) FACT_SES);
    f->xml.len = (size_t)((uint8_t *)memmem(
                              f->xml.data, f->xml.len, FACT_4711, strlen(FACT_4711)) -
                          f->xml.data);
    buf_put(&f->xml, b.data, b.len);
    buf_str(&f->xml, "</saml:AttributeStatement></saml:Assertion>");
    buf_clear(&b);
}

#define UNDER(n, t, change, r, ...) \
    MADE(AS_IS, n, t, NULL, 0, r, .at.trust = (change), __VA_ARGS__)

static const struct attack list[] = {
    /* The trust file's times. */
    MISMADE("behind the end of the trust file", TRUST, "T10:10:00Z", "T12:00:00Z",
        TRUST_EXPIRED, .on = SHORT, .everywhere = true,
        .at.now = "2026-11-22T11:04:00Z"),
    MISMADE("a second before the end of the trust file", "control", "T10:10:00Z",
        "T12:00:00Z", NONE, .on = SHORT, .everywhere = true,
        .at.now = "2026-11-22T11:03:59Z"),
    UNDER("at the end of the trust file, whatever the skew", TRUST, trust_just_expired,
        TRUST_EXPIRED, .at.skew_s = 180),
    UNDER("the trust file's last second", "control", trust_about_to_expire, NONE),
    UNDER("a trust file from after now and skew", TRUST, trust_of_tomorrow, CLOCK),
    UNDER("a trust file from now and skew", "control", trust_of_the_next_minute, NONE),
    MADE(AS_IS, "a clock before the trust file and skew", TRUST, NULL, 0, CLOCK,
        .at.now = "2026-11-22T10:02:59Z"),
    MADE(AS_IS, "a clock of 1970", TRUST, NULL, 0, CLOCK,
        .at.now = "1970-01-01T00:00:00Z"),
    MADE(AS_IS, "a clock of 9999", TRUST, NULL, 0, TRUST_EXPIRED,
        .at.now = "9999-12-31T23:59:59Z"),

    /* Keys. */
    UNDER("a revoked key", STOLEN, revoke_keys, KEY_REVOKED),
    MISMADE("a revoked key, other values", STOLEN, "T10:10:00Z", "T10:11:00Z",
        KEY_REVOKED, .on = SHORT, .everywhere = true, .at.trust = revoke_keys),
    UNDER("a key that is to sign next", "control", keys_are_next, NONE),
    UNDER("a key that retires", "control", keys_retire, NONE),
    UNDER("a key that is gone from the trust file", STOLEN, one_key_left, KEY_UNKNOWN),
    UNDER("a key's window, to the second", "control", window_fits, NONE, .on = SHORT),
    UNDER("issued before its key's window", TRUST, window_opens_late, KEY_WINDOW),
    UNDER("outliving its key's window", TRUST, window_closes_early, KEY_WINDOW,
        .on = SHORT),
    UNDER("behind its key's window", STOLEN, window_is_over, KEY_WINDOW),
    UNDER("a key that is not for this service", TRUST, keys_for_another, AUDIENCE),
    UNDER("a key that is for one of two audiences", TRUST, keys_for_relay, AUDIENCE,
        .on = P2P),
    UNDER("a key that is for this service", "control", keys_for_storage, NONE,
        .on = PERMITS),

    /* Revocations. */
    UNDER("all revoked", REVOCATION, revoke_all, REVOKED),
    UNDER("all revoked, but before", "control", revoke_all_before, NONE),
    UNDER("the subject revoked", REVOCATION, revoke_subject, REVOKED, .on = SHORT),
    UNDER("the session revoked", REVOCATION, revoke_session, REVOKED),
    UNDER("the session revoked, but before", "control", revoke_session_before, NONE),
    MISMADE("the session revoked, asof of the revocation", "control", FACT_4711,
        FACT("asof", VALUE("4712")), NONE, .at.trust = revoke_session),
    UNDER("the device revoked", REVOCATION, revoke_device, REVOKED, .on = RIGHTS | P2P),
    UNDER("the folder of a resource revoked", REVOCATION, revoke_folder, REVOKED,
        .on = PERMITS),
    UNDER("both ids revoked", REVOCATION, revoke_pair, REVOKED, .on = SHORT),
    UNDER("one of two ids revoked", "control", revoke_half, NONE, .on = RIGHTS),
    UNDER("its very ID revoked", REVOCATION, revoke_ticket, REVOKED, .on = RIGHTS),
    UNDER("another ID revoked", "control", revoke_other_ticket, NONE, .on = RIGHTS),

    /* One thing before the other. */
    FORGED("form before signature", REASONS, "<saml:Subject>", "<saml:Subject >", FORM),
    FORGED("form before the trust file's end", REASONS, " Version", "  Version", FORM,
        .at.trust = trust_just_expired),
    MADE(AS_IS, "the trust file's end before the ticket's", REASONS, NULL, 0,
        TRUST_EXPIRED, .at.now = "2026-11-23T10:05:00Z"),
    FORGED("the trust file's end before the issuer", REASONS,
        "https://auth.mesh.example<", "https://evil.example<", TRUST_EXPIRED,
        .on = SHORT, .at.trust = trust_just_expired),
    FORGED("the issuer before the key", REASONS, "https://auth.mesh.example<",
        "https://evil.example<", ISSUER, .on = SHORT,
        .edit[1] = {"<ds:KeyName>$K", "<ds:KeyName>$X"}),
    FORGED("the revoked key before the signature", REASONS, FACT_4711,
        FACT("asof", VALUE("4712")), KEY_REVOKED, .at.trust = revoke_keys),
    FORGED("the key's window before the signature", REASONS, FACT_4711,
        FACT("asof", VALUE("4712")), KEY_WINDOW, .at.trust = window_is_over),
    FORGED("the signature before its end", REASONS, FACT_4711,
        FACT("asof", VALUE("4712")), SIGNATURE, .on = SHORT,
        .at.now = "2026-11-22T10:30:00Z"),
    MADE(AS_IS, "its end before the audience", REASONS, NULL, 0, EXPIRED, .on = SHORT,
        .at = {.now = "2026-11-22T10:30:00Z",
            .audience = "urn:meshauth:service:archive"}),
    MADE(AS_IS, "the audience before the revocation", REASONS, NULL, 0, AUDIENCE,
        .at = {.trust = revoke_all, .audience = "urn:meshauth:service:archive"}),
    MADE(AS_IS, "the revocation before the holder", REASONS, NULL, 0, REVOKED,
        .on = BOUND, .at = {.trust = revoke_all, .proof = OTHER_KEY}),
    MADE(AS_IS, "the holder before the rules", REASONS, NULL, 0, HOLDER, .on = BOUND,
        .at = {.proof = OTHER_KEY, .action = "no-such-action"}),

    /* Rules. */
    MADE(AS_IS, "what no rule allows", "docs/rules.md", NULL, 0, NO_RULE,
        .at.action = "leave"),
    MADE(AS_IS, "what no rule knows", "docs/rules.md", NULL, 0, NO_RULE,
        .at.action = "no-such-action"),
    MADE(AS_IS, "an action that is none", "docs/rules.md", NULL, 0, NO_RULE,
        .at.action = "enter "),
    MADE(SIGNED, "more facts than a decision may look at", "docs/rules.md: decisions",
        many_claims, 0, BOUND, .on = RIGHTS | BEARER, .at.action = "tangle"),
    MADE(SIGNED, "the same facts for a simple question", "control", many_claims, 0,
        NONE, .on = RIGHTS | BEARER),
};

const struct attack_group attacks_on_services = {
    "Trust, revocation, rules, the order of reasons", list, COUNT(list)};
