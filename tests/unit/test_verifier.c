#include "tests/unit/verifier_world.h"

static void
test_allows_and_denies(void **state)
{
    struct world *w = *state;

    for (int deflated = 0; deflated < 2; deflated++) {
        char *c = read_ticket(w, FOLDERS TRIP, deflated);

        for (int again = 0; again < 3; again++) { /* from the second on, by the cache */
            assert_int_equal(ask(w, c, "read", FOLDERS TRIP "/a/b"), MAUTH_OK);
            assert_string_equal(w->d.subject, ALICE);
            assert_string_equal(w->d.session, SESSION);
            assert_int_equal(w->d.http_status, 200);
            assert_int_equal(w->d.sequence, 1);
            assert_non_null(strstr(w->d.rule, "allow read(R)"));
            assert_non_null(strstr(w->d.facts, "permit(read, "));
            assert_int_equal(ask(w, c, "write", FOLDERS TRIP "/a/b"), MAUTH_DENIED);
            assert_int_equal(w->d.reason, MAUTH_REASON_NO_RULE);
            assert_int_equal(w->d.http_status, 403);
            assert_string_equal(w->d.rule, "");
            assert_string_equal(w->d.subject, ALICE);
            assert_int_equal(ask(w, c, "read", FOLDERS WORK), MAUTH_DENIED);
            assert_int_equal(ask(w, c, "read", FOLDERS TRIP "/../" WORK), MAUTH_DENIED);
            assert_int_equal(ask(w, c, "no-such-action", FOLDERS TRIP), MAUTH_DENIED);
        }
        free(c);
    }
}

/* Asked a third time, the answer is a kept one: it must be the one that was derived,
 * and end with the rules that it rests on. */
static void
test_asked_the_same_again(void **state)
{
    struct world *w = *state;
    char *c = read_ticket(w, FOLDERS TRIP, false);
    struct mauth_decision first;

    assert_int_equal(ask(w, c, "read", FOLDERS TRIP "/a"), MAUTH_OK);
    first = w->d;
    for (int again = 0; again < 3; again++) {
        assert_int_equal(ask(w, c, "read", FOLDERS TRIP "/a"), MAUTH_OK);
        assert_string_equal(w->d.subject, first.subject);
        assert_string_equal(w->d.holder, first.holder);
        assert_string_equal(w->d.session, first.session);
        assert_string_equal(w->d.ticket, first.ticket);
        assert_string_equal(w->d.key, first.key);
        assert_memory_equal(w->d.digest, first.digest, sizeof(first.digest));
        assert_int_equal(w->d.not_on_or_after_s, first.not_on_or_after_s);
        assert_string_equal(w->d.rule, first.rule);
        assert_string_equal(w->d.facts, first.facts);
        assert_int_equal(w->d.http_status, 200);
    }
    issuer_write_rules(
        &w->issuer, "allow write(R) if permit(write, P), within(R, P).\n");
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP "/a"), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_NO_RULE);
    free(c);
}

static void
test_headers(void **state)
{
    static const struct {
        const char *name;
        const char *format; /* with the credential where %s is */
        enum mauth_reason reason;
    } cases[] = {
        {"good", "Bearer %s", MAUTH_REASON_NONE},
        {"another case", "bEARER %s", MAUTH_REASON_NONE},
        {"under DPoP", "DPoP %s", MAUTH_REASON_NONE},
        {"twice the same", "Bearer %s~%s", MAUTH_REASON_NONE},
        {"no scheme", "%s", MAUTH_REASON_FORM},
        {"another scheme", "Basic %s", MAUTH_REASON_FORM},
        {"scheme alone", "Bearer", MAUTH_REASON_FORM},
        {"nothing behind it", "Bearer ", MAUTH_REASON_FORM},
        {"two spaces", "Bearer  %s", MAUTH_REASON_FORM},
        {"space at the end", "Bearer %s ", MAUTH_REASON_FORM},
        {"a comma", "Bearer %s, Bearer %s", MAUTH_REASON_FORM},
        {"empty at the end", "Bearer %s~", MAUTH_REASON_FORM},
        {"empty at the start", "Bearer ~%s", MAUTH_REASON_FORM},
        {"empty between", "Bearer %s~~%s", MAUTH_REASON_FORM},
        {"nine", "Bearer %1$s~%1$s~%1$s~%1$s~%1$s~%1$s~%1$s~%1$s~%1$s",
            MAUTH_REASON_SIZE},
        {"good and bad", "Bearer %s~AAAA", MAUTH_REASON_FORM},
        {"bad and good", "Bearer AAAA~%s", MAUTH_REASON_FORM},
        {"a NUL's place", "Bearer %s\x01", MAUTH_REASON_FORM},
    };
    struct world *w = *state;
    char *c = read_ticket(w, FOLDERS TRIP, true);
    const char *args[] = {FOLDERS TRIP};
    char header[32768];

    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < COUNT(cases); i++) {
            struct mauth_request r = {.size = sizeof(r),
                .authorization = header,
                .key_spki = w->issuer.device,
                .key_spki_len = w->issuer.device_len,
                .action = "read",
                .args = args,
                .arg_count = 1,
                .now_s = ISSUER_NOW};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            r.authorization_len =
                (size_t)snprintf(header, sizeof(header), cases[i].format, c, c);
#pragma GCC diagnostic pop
            assert_true((mauth_verifier_check(w->verifier, &r, &w->d) == MAUTH_OK) ==
                        (cases[i].reason == MAUTH_REASON_NONE));
            if (w->d.reason != cases[i].reason)
                fail_msg("%s: %s, %s", cases[i].name, mauth_reason_name(w->d.reason),
                    w->d.why);
            assert_int_equal(w->d.verdict == MAUTH_ALLOW, cases[i].reason == 0);
        }
    }
    free(c);
}

static void
test_no_header(void **state)
{
    struct world *w = *state;
    const char *args[] = {FOLDERS TRIP};
    struct mauth_request r = {.size = sizeof(r),
        .action = "read",
        .args = args,
        .arg_count = 1,
        .now_s = ISSUER_NOW};

    assert_int_equal(mauth_verifier_check(w->verifier, &r, &w->d), MAUTH_UNTRUSTED);
    assert_int_equal(w->d.http_status, 401);
    assert_int_equal(w->d.verdict, MAUTH_DENY);
    r.action = NULL;
    assert_int_equal(mauth_verifier_check(w->verifier, &r, &w->d), MAUTH_INVALID);
    r.action = "read";
    r.size--;
    assert_int_equal(mauth_verifier_check(w->verifier, &r, &w->d), MAUTH_INVALID);
    r.size++;
    r.now_s = -1;
    assert_int_equal(mauth_verifier_check(w->verifier, &r, &w->d), MAUTH_INVALID);
    r.now_s = ISSUER_NOW;
    args[0] = NULL;
    assert_int_equal(mauth_verifier_check(w->verifier, &r, &w->d), MAUTH_INVALID);
    w->d.size--;
    assert_int_equal(mauth_verifier_check(w->verifier, &r, &w->d), MAUTH_INVALID);
}

/* Facts of two tickets are never joined, but each may answer a question of its own. */
static void
test_sets(void **state)
{
    struct world *w = *state;
    struct ticket a = issuer_draft(&w->issuer), b = issuer_draft(&w->issuer), bad;
    char set[20000];
    char *one, *two, *three;

    draft_permit(&a, FOLDERS TRIP, "read");
    draft_permit(&b, FOLDERS WORK, "write");
    one = issuer_sign(&w->issuer, &a, true);
    two = issuer_sign(&w->issuer, &b, false);
    snprintf(set, sizeof(set), "%s~%s", one, two);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(ask(w, set, "read", FOLDERS TRIP), MAUTH_OK);
        assert_int_equal(ask(w, set, "write", FOLDERS WORK), MAUTH_OK);
        assert_int_equal(ask(w, set, "write", FOLDERS TRIP), MAUTH_DENIED);
        assert_int_equal(w->d.reason, MAUTH_REASON_NO_RULE);
    }
    free(two);

    bad = b;
    bad.subject = text_of(BOB);
    two = issuer_sign(&w->issuer, &bad, true);
    snprintf(set, sizeof(set), "%s~%s", one, two);
    assert_int_equal(ask(w, set, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_MIXED_SET);
    free(two);

    bad = b;
    bad.fact[1].arg[0] = text_of("ses_0ttttttttttttttttttttttttt");
    two = issuer_sign(&w->issuer, &bad, true);
    snprintf(set, sizeof(set), "%s~%s", one, two);
    assert_int_equal(ask(w, set, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_MIXED_SET);
    free(two);

    /* The reason is that of the first that fails. */
    bad = b;
    bad.issued_s = bad.not_before_s = ISSUER_NOW - 5000;
    bad.not_on_or_after_s = ISSUER_NOW - 4000;
    two = issuer_sign(&w->issuer, &bad, true);
    bad = b;
    bad.audience[0] = text_of(RELAY);
    three = issuer_sign(&w->issuer, &bad, true);
    snprintf(set, sizeof(set), "%s~%s~%s", one, three, two);
    assert_int_equal(ask(w, set, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_AUDIENCE);
    snprintf(set, sizeof(set), "%s~%s~%s", one, two, three);
    assert_int_equal(ask(w, set, "read", FOLDERS TRIP), MAUTH_EXPIRED);
    assert_int_equal(w->d.reason, MAUTH_REASON_EXPIRED);
    free(three);
    free(two);
    free(one);
}

static enum mauth_rc
sync_between(struct world *w, const char *credential, const char *x, const char *y)
{
    const char *args[] = {x, y};
    char header[16384];
    struct mauth_request r = {.size = sizeof(r),
        .authorization = header,
        .key_spki = w->issuer.device,
        .key_spki_len = w->issuer.device_len,
        .action = "sync",
        .args = args,
        .arg_count = 2,
        .now_s = ISSUER_NOW};

    r.authorization_len =
        (size_t)snprintf(header, sizeof(header), "DPoP %s", credential);
    return mauth_verifier_check(w->verifier, &r, &w->d);
}

/* One ticket proves that the Trip is on X, another that it is on Y: no proof. */
static void
test_facts_are_not_joined(void **state)
{
    struct world *w = *state;
    struct ticket a = issuer_draft(&w->issuer), b, both;
    char set[20000];
    char *one, *two, *three;

    draft_fact(&a, FACT_HOLDER, PC, NULL, NULL);
    draft_fact(&a, FACT_CLAIMED, PC, ALICE, NULL);
    draft_fact(&a, FACT_MEMBER, ALICE, TRIP, "reader");
    draft_fact(&a, FACT_MEMBER, BOB, TRIP, "reader");
    draft_fact(&a, FACT_CLAIMED, PHONE, BOB, NULL);
    b = both = a;
    draft_fact(&a, FACT_MAPPED, PC, TRIP, NULL);
    draft_fact(&b, FACT_MAPPED, PHONE, TRIP, NULL);
    draft_fact(&both, FACT_MAPPED, PC, TRIP, NULL);
    draft_fact(&both, FACT_MAPPED, PHONE, TRIP, NULL);
    one = issuer_sign(&w->issuer, &a, true);
    two = issuer_sign(&w->issuer, &b, true);
    three = issuer_sign(&w->issuer, &both, true);
    snprintf(set, sizeof(set), "%s~%s", one, two);
    assert_int_equal(sync_between(w, set, PC, PHONE), MAUTH_DENIED);
    assert_non_null(strstr(w->d.why, "mapped(" PHONE ", " TRIP ")"));
    assert_int_equal(sync_between(w, three, PC, PHONE), MAUTH_OK);
    assert_string_equal(w->d.holder, PC);
    assert_int_equal(sync_between(w, three, PHONE, PC), MAUTH_DENIED);
    assert_int_equal(sync_between(w, three, PC, PC), MAUTH_DENIED);
    free(three);
    free(two);
    free(one);
}

static void
test_checked_again_on_every_hit(void **state)
{
    struct world *w = *state;
    char *c = read_ticket(w, FOLDERS TRIP, false);

    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(ask_at(w, c, "read", FOLDERS TRIP, ISSUER_NOW + 649), MAUTH_OK);
    assert_int_equal(
        ask_at(w, c, "read", FOLDERS TRIP, ISSUER_NOW + 650), MAUTH_EXPIRED);
    assert_int_equal(w->d.reason, MAUTH_REASON_EXPIRED);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(
        ask_at(w, c, "read", FOLDERS TRIP, ISSUER_NOW - 71), MAUTH_EXPIRED);
    assert_int_equal(w->d.reason, MAUTH_REASON_NOT_YET);
    assert_int_equal(
        ask_at(w, c, "read", FOLDERS TRIP, ISSUER_NOW + 3600), MAUTH_UNAVAILABLE);
    assert_int_equal(w->d.reason, MAUTH_REASON_TRUST_EXPIRED);
    assert_int_equal(w->d.http_status, 503);

    w->issuer.device[60] ^= 1; /* somebody else shows it */
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_HOLDER);
    w->issuer.device[60] ^= 1;
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);

    w->issuer.sequence = 2;
    w->issuer.revocations[0] = "revoke 101 " ALICE;
    w->issuer.revocation_count = 1;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_REVOKED);

    w->issuer.sequence = 3;
    w->issuer.revocations[0] = "revoke 100 " ALICE; /* the ticket is as of 100 */
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);

    w->issuer.sequence = 4;
    w->issuer.state = TRUST_REVOKED;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_UNTRUSTED);
    assert_int_equal(w->d.reason, MAUTH_REASON_KEY_REVOKED);
    free(c);
}

static void
load_next(struct world *w)
{
    w->issuer.sequence++;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
}

/* What the trust file says of the key may change, and change back. */
static void
test_the_key_is_checked_again(void **state)
{
    struct world *w = *state;

    for (int deflated = 0; deflated < 2; deflated++) {
        char *c = read_ticket(w, FOLDERS TRIP, deflated);

        for (int again = 0; again < 2; again++) {
            assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
            w->issuer.key_audience = text_of("urn:meshauth:service:relay");
            load_next(w);
            assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_DENIED);
            assert_int_equal(w->d.reason, MAUTH_REASON_AUDIENCE);
            w->issuer.key_audience = text_of(STORAGE);
            load_next(w);
            assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
            assert_int_equal(w->d.sequence, w->issuer.sequence);
            w->issuer.key_audience = (struct text){"", 0};
            w->issuer.key_from_s = ISSUER_NOW + 1;
            load_next(w);
            assert_int_not_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
            assert_int_equal(w->d.reason, MAUTH_REASON_KEY_WINDOW);
            w->issuer.key_from_s = 0;
            load_next(w);
        }
        free(c);
    }
}

static void
test_bearer(void **state)
{
    struct world *w = *state;
    struct mauth_verifier_options o = options(&w->issuer);
    struct ticket t = issuer_draft(&w->issuer), bound = t;
    char set[20000];
    char *c, *other;

    t.holder_spki = NULL;
    draft_permit(&t, FOLDERS TRIP, "read");
    draft_permit(&bound, FOLDERS TRIP, "read");
    c = issuer_sign(&w->issuer, &t, true);
    other = issuer_sign(&w->issuer, &bound, true);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_NO_PROOF);
    mauth_verifier_close(w->verifier);
    o.allow_bearer = true;
    assert_int_equal(mauth_verifier_open(&o, &w->verifier, NULL), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    snprintf(set, sizeof(set), "%s~%s", other, c);
    assert_int_equal(ask(w, set, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.reason, MAUTH_REASON_MIXED_SET);
    free(other);
    free(c);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_allows_and_denies),
        TEST(test_asked_the_same_again),
        TEST(test_headers),
        TEST(test_no_header),
        TEST(test_sets),
        TEST(test_facts_are_not_joined),
        TEST(test_checked_again_on_every_hit),
        TEST(test_the_key_is_checked_again),
        TEST(test_bearer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
