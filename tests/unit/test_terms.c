#include "base/str.h"
#include "tests/unit/golden.h"
#include "tickets/decode.h"
#include "tickets/terms.h"

static struct mauth_ticket *
read_golden(const char *kind, const char *alg)
{
    struct mauth_ticket *t = NULL;
    size_t len;
    char *xml = golden_xml(kind, alg, &len);

    assert_int_equal(mauth_ticket_read_untrusted(xml, len, &t, NULL), MAUTH_OK);
    free(xml);
    return t;
}

/* The same bytes, in this memory, with a terminator behind them. */
static void
assert_moved(struct text kept, struct text t, const char *room, size_t size)
{
    if (!t.p) {
        assert_null(kept.p);
        assert_int_equal(kept.len, 0);
        return;
    }
    assert_true(text_equal(kept, t));
    assert_true(kept.p > room && kept.p + kept.len < room + size);
    assert_int_equal(kept.p[kept.len], '\0');
}

static void
assert_same(const struct ticket_terms *kept, const struct mauth_ticket *t, size_t size)
{
    const struct ticket *says = &t->says;
    const char *room = (const char *)kept;

    assert_int_equal(kept->issued_s, says->issued_s);
    assert_int_equal(kept->not_before_s, says->not_before_s);
    assert_int_equal(kept->not_on_or_after_s, says->not_on_or_after_s);
    assert_moved(kept->issuer, says->issuer, room, size);
    assert_moved(kept->key_id, says->key_id, room, size);
    assert_moved(kept->holder,
        (struct text){(const char *)says->holder_spki, says->holder_spki_len}, room,
        size);
    assert_int_equal(kept->audiences, says->audiences);
    for (size_t i = 0; i < says->audiences; i++)
        assert_moved(kept->audience[i], says->audience[i], room, size);
}

/* Of each kind of ticket; the sanitizer watches whether the room suffices. */
static void
test_kept_apart_from_the_ticket(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_kinds); i++) {
        for (size_t j = 0; j < COUNT(golden_algs); j++) {
            struct mauth_ticket *t = read_golden(golden_kinds[i], golden_algs[j]);
            size_t size = ticket_terms_room(t);
            void *room = malloc(size);
            struct ticket_terms *kept;

            assert_non_null(room);
            memset(room, 'x', size);
            kept = ticket_terms_keep(t, room);
            assert_ptr_equal(kept, room);
            assert_same(kept, t, size);
            free(room);
            mauth_ticket_free(t);
        }
    }
}

/* With all the audiences that a ticket can have. */
static void
test_many_audiences(void **state)
{
    static const char *const uris[TICKET_AUDIENCES] = {"urn:a", "urn:of-some-length",
        "urn:meshauth:service:storage", "https://auth.mesh.example"};
    struct mauth_ticket *t = read_golden("rights", "p256");
    struct ticket_terms *kept;
    size_t size;
    void *room;

    (void)state;
    t->says.audiences = TICKET_AUDIENCES;
    for (size_t i = 0; i < TICKET_AUDIENCES; i++)
        t->says.audience[i] = text_of(uris[i]);
    size = ticket_terms_room(t);
    room = malloc(size);
    assert_non_null(room);
    kept = ticket_terms_keep(t, room);
    assert_same(kept, t, size);
    free(room);
    mauth_ticket_free(t);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_apart_from_the_ticket),
        cmocka_unit_test(test_many_audiences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
