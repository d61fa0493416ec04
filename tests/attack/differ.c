/*
 * Random tickets and random changes to them.
 *
 *   - What was signed is read as it was meant; what is read, written by an independent
 *     writer, is what was read; both spellings of a credential are inverse.
 *   - No change, of any kind, decodes to something that would be written otherwise, or
 *     is accepted, if the genuine key has not signed it.
 *   - Where the genuine key has signed what came of a change, and we accept it, xmlsec1
 *     accepts it too, and libxml2 reads the same values.
 *
 *   attack_differ [--count CHANGES] [--seed N]
 *
 * ECDSA signatures are never the same twice, so a seed repeats most of a run, not all:
 * a failure prints its ticket.
 */
#include <inttypes.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "tests/attack/forgery.h"
#include "tests/attack/oracle.h"
#include "tests/attack/plain_writer.h"
#include "tests/attack/random_ticket.h"
#include "tests/unit/golden.h"
#include "tickets/encode.h"
#include <meshauth/credential.h>

enum {
    CHANGES = 300000,     /* unless --count says otherwise */
    OF_ONE = 1000,        /* changes to one ticket */
    RESIGNED_OF_ONE = 20, /* of them signed again */
    ROOM = MAUTH_TICKET_MAX + 4096,
};

/* One of the issuer's keys, as all that judge know it. */
struct judge {
    struct signer *signer;
    struct mauth_trust *trust;
    struct oracle_key *oracle;
};

struct differ {
    struct dice dice;
    uint64_t seed, count;
    struct judge p256, rsa;
    struct random_ticket ticket;
    struct buf xml, other; /* the ticket, and the one before it */
    uint64_t tickets, changes, trivial, decoded, resigned, accepted;
    uint64_t asked, refused; /* xmlsec1, of what was changed */
};

static void
judge_open(struct judge *j, const char *alg)
{
    j->signer = golden_signer(alg);
    assert_int_equal(
        mauth_trust_from_key(GOLDEN_ISSUER, signer_key(j->signer), &j->trust, NULL),
        MAUTH_OK);
    j->oracle = oracle_key_new(signer_key(j->signer));
    assert_non_null(j->oracle);
}

static void
judge_close(struct judge *j)
{
    oracle_key_free(j->oracle);
    mauth_trust_free(j->trust);
    signer_free(j->signer);
}

static void
complain(const struct differ *d, const char *what, const char *xml, size_t len)
{
    fail_msg("seed %" PRIu64 ", ticket %" PRIu64 ", change %" PRIu64 ": %s\n%.*s",
        d->seed, d->tickets, d->changes, what, (int)len, xml);
}

/* Good for whoever proves its key, now; NULL when we refuse it. */
static struct mauth_ticket *
verify(const struct judge *j, const char *xml, size_t len, const struct ticket *says)
{
    char audience[256];
    struct mauth_expect want = {.size = sizeof(want),
        .audience = audience,
        .now_s = RANDOM_NOW_S,
        .skew_s = MAUTH_SKEW_DEFAULT_S,
        .allow_bearer = true,
        .holder_spki = says->holder_spki,
        .holder_spki_len = says->holder_spki_len};
    struct mauth_ticket *t = NULL;

    snprintf(audience, sizeof(audience), "%.*s", (int)says->audience[0].len,
        says->audience[0].p);
    if (mauth_ticket_verify(xml, len, j->trust, &want, &t, NULL) != MAUTH_OK)
        assert_null(t);
    return t;
}

static bool
is_written_so(const struct mauth_ticket *t, const char *xml, size_t len)
{
    static char room[MAUTH_TICKET_MAX + 1];
    struct buf b;

    buf_init_fixed(&b, room, sizeof(room));
    plain_write(t, &b);
    return buf_ok(&b) && b.len == len && memcmp(room, xml, len) == 0;
}

/* Tickets as they were meant. */

static bool
facts_and_permits_are(const struct ticket *a, const struct ticket *b)
{
    if (a->permits != b->permits || a->actions != b->actions || a->facts != b->facts)
        return false;
    for (size_t i = 0; i < a->permits; i++) {
        const struct ticket_permit *p = &a->permit[i], *q = &b->permit[i];

        if (!text_equal(p->resource, q->resource) || p->count != q->count)
            return false;
        for (size_t j = 0; j < p->count; j++)
            if (!text_equal(a->action[p->first + j], b->action[q->first + j]))
                return false;
    }
    for (size_t i = 0; i < a->facts; i++)
        if (ticket_fact_compare(&a->fact[i], &b->fact[i]) != 0)
            return false;
    return true;
}

static bool
values_are(const struct ticket *a, const struct ticket *b)
{
    if (a->audiences != b->audiences || a->holder_spki_len != b->holder_spki_len)
        return false;
    for (size_t i = 0; i < a->audiences; i++)
        if (!text_equal(a->audience[i], b->audience[i]))
            return false;
    return text_equal(a->id, b->id) && text_equal(a->issuer, b->issuer) &&
           text_equal(a->subject, b->subject) && a->issued_s == b->issued_s &&
           a->not_before_s == b->not_before_s &&
           a->not_on_or_after_s == b->not_on_or_after_s &&
           a->has_authn == b->has_authn && a->authn_instant_s == b->authn_instant_s &&
           text_equal(a->authn_class, b->authn_class) &&
           (!a->holder_spki ||
               memcmp(a->holder_spki, b->holder_spki, a->holder_spki_len) == 0) &&
           facts_and_permits_are(a, b);
}

static void
check_credentials(const struct differ *d, const char *xml, size_t len)
{
    static char out[MAUTH_TICKET_MAX];

    for (int deflated = 0; deflated < 2; deflated++) {
        char *text = NULL;
        size_t n;

        assert_int_equal(
            mauth_credential_encode(xml, len, deflated, &text, NULL), MAUTH_OK);
        if (mauth_credential_decode(text, strlen(text), out, &n, NULL) != MAUTH_OK ||
            n != len || memcmp(out, xml, len) != 0)
            complain(d, "its credential is not read", xml, len);
        free(text);
    }
}

/* All that is accepted stands up to the second opinion. */
static void
check_accepted(const struct differ *d, const struct judge *j, const char *xml,
    size_t len, const struct mauth_ticket *t)
{
    const char *where;

    if (!is_written_so(t, xml, len))
        complain(d, "accepted, and would be written otherwise", xml, len);
    if (!oracle_accepts(xml, len, j->oracle))
        complain(d, "we accept what xmlsec1 does not", xml, len);
    where = oracle_differs(xml, len, t);
    if (where)
        complain(d, where, xml, len);
}

/* A fresh one in d->xml. Most are of P-256, which is quicker. */
static const struct judge *
make_ticket(struct differ *d)
{
    const struct judge *j = dice_below(&d->dice, 8) ? &d->p256 : &d->rsa;
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf swap = d->other;
    enum mauth_rc rc;

    d->other = d->xml;
    d->xml = swap;
    do {
        buf_rewind(&d->xml);
        random_ticket_make(&d->ticket, &d->dice, GOLDEN_ISSUER);
        mauth_err_reset(&err);
        rc = ticket_sign(&d->ticket.draft, j->signer, &d->xml, &err);
    } while (rc == MAUTH_TOO_LARGE);
    if (rc != MAUTH_OK)
        complain(d, err.text, (const char *)d->xml.data, d->xml.len);
    d->tickets++;
    return j;
}

static void
check_ticket(const struct differ *d, const struct judge *j)
{
    const char *xml = (const char *)d->xml.data;
    struct mauth_ticket *t = verify(j, xml, d->xml.len, &d->ticket.draft);

    if (!t)
        complain(d, "a good ticket was refused", xml, d->xml.len);
    if (!values_are(&d->ticket.draft, &t->says))
        complain(d, "read otherwise than written", xml, d->xml.len);
    check_accepted(d, j, xml, d->xml.len, t);
    if (d->tickets > 1 && !oracle_differs((const char *)d->other.data, d->other.len, t))
        complain(d, "libxml2 tells no ticket from another", xml, d->xml.len);
    check_credentials(d, xml, d->xml.len);
    mauth_ticket_free(t);
}

/* Changes. */

static size_t
change(struct differ *d, char room[ROOM])
{
    struct text other = {(const char *)d->other.data, d->other.len};
    size_t len = d->xml.len;

    memcpy(room, d->xml.data, len);
    for (size_t n = 1 + dice_below(&d->dice, 3); n > 0; n--) {
        size_t changed = random_change(&d->dice, room, len, ROOM, other);

        if (changed)
            len = changed;
    }
    return len;
}

static bool
is_original(const struct buf *b, const char *xml, size_t len)
{
    return b->len == len && memcmp(b->data, xml, len) == 0;
}

/* Without the key. */
static void
check_change(struct differ *d, const struct judge *j)
{
    static char room[ROOM];
    size_t len = change(d, room);
    struct mauth_ticket *t = NULL, *taken;

    d->changes++;
    if (is_original(&d->xml, room, len) || is_original(&d->other, room, len)) {
        d->trivial++;
        return;
    }
    if (ticket_decode(room, len, &t, NULL) != MAUTH_OK) {
        assert_null(t);
        return;
    }
    d->decoded++;
    if (!is_written_so(t, room, len))
        complain(d, "decoded, and would be written otherwise", room, len);
    taken = verify(j, room, len, &t->says);
    if (taken)
        complain(d, "accepted, though nobody has signed it", room, len);
    if (d->decoded % 8 == 0) {
        d->asked++;
        d->refused += !oracle_accepts(room, len, j->oracle);
    }
    mauth_ticket_free(t);
}

/* With it; the part that signs itself is as it was, or nothing could be signed. */
static void
check_resigned(struct differ *d, const struct judge *j)
{
    static char room[ROOM];
    struct mauth_ticket *t = NULL, *taken = NULL;
    struct forgery f = {0};
    size_t len = d->xml.len;

    if (dice_below(&d->dice, 3)) {
        memcpy(room, d->xml.data, len);
        random_value_change(&d->dice, room, len);
    } else {
        len = change(d, room);
    }
    buf_init(&f.xml);
    buf_put(&f.xml, room, len);
    if (forgery_rehash(&f) && forgery_sign(&f, j->signer)) {
        const char *xml = (const char *)f.xml.data;

        d->resigned++;
        if (ticket_decode(xml, f.xml.len, &t, NULL) == MAUTH_OK)
            taken = verify(j, xml, f.xml.len, &t->says);
        if (taken) {
            d->accepted++;
            check_accepted(d, j, xml, f.xml.len, taken);
        }
    }
    mauth_ticket_free(taken);
    mauth_ticket_free(t);
    buf_clear(&f.xml);
}

static void
print_counts(const struct differ *d)
{
    printf("seed %" PRIu64 ": %" PRIu64 " tickets\n", d->seed, d->tickets);
    printf("%" PRIu64 " changes: %" PRIu64 " changed nothing, %" PRIu64
           " decoded, none to anything else, none accepted\n",
        d->changes, d->trivial, d->decoded);
    printf("%" PRIu64 " signed again: %" PRIu64 " accepted, as by the others\n",
        d->resigned, d->accepted);
    printf("xmlsec1 refused %" PRIu64 " of %" PRIu64 " that were decoded\n", d->refused,
        d->asked);
}

static struct differ differ = {.seed = 1, .count = CHANGES};

static void
agrees_with_others(void **state)
{
    struct differ *d = &differ;

    (void)state;
    d->dice.state = d->seed;
    assert_true(oracle_open());
    judge_open(&d->p256, "p256");
    judge_open(&d->rsa, "rsa2048");
    buf_init(&d->xml);
    buf_init(&d->other);
    check_ticket(d, make_ticket(d));
    while (d->changes < d->count) {
        const struct judge *j = make_ticket(d);

        check_ticket(d, j);
        for (unsigned i = 0; i < OF_ONE; i++)
            check_change(d, j);
        for (unsigned i = 0; i < RESIGNED_OF_ONE; i++)
            check_resigned(d, j);
    }
    print_counts(d);
    /* xmlsec1 knows no KeyName, and would take any s: not all of them are its case. */
    assert_true(d->accepted > 0 && d->refused > d->asked / 2);
    buf_clear(&d->xml);
    buf_clear(&d->other);
    judge_close(&d->p256);
    judge_close(&d->rsa);
    oracle_close();
}

int
main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(agrees_with_others)};

    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t n = 0;

        if (!str_number(text_of(argv[i + 1]), &n))
            return 2;
        if (strcmp(argv[i], "--count") == 0)
            differ.count = n;
        else if (strcmp(argv[i], "--seed") == 0)
            differ.seed = n;
        else
            return 2;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
