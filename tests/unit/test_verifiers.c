/* authsvc/verifiers.h */
#include <pthread.h>

#include "authsvc/verifiers.h"
#include "keys/trust.h"
#include "store/graph_service.h"
#include "tests/unit/forge.h"
#include "tests/unit/graph_world.h"

enum {
    THREADS = 4,
    ROUNDS = 500
};

struct world {
    struct store_dir s;
    struct verifiers *v;
    struct mauth_trust *file[3]; /* 1.42, 1.43, 1.44 */
};

static enum mauth_rc
make_services(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)arg;
    for (unsigned n = 1; n <= THREADS; n++) {
        struct graph_service s = {.id = nth(n), .created_s = WORLD_S};
        enum mauth_rc rc;

        snprintf(s.name, sizeof(s.name), "relay-%u", n);
        rc = graph_service_create(txn, &s, err);
        if (rc != MAUTH_OK)
            return rc;
    }
    return MAUTH_OK;
}

static enum mauth_rc
delete_service(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_service_delete(txn, arg, WORLD_S, err);
}

static void
make_files(struct world *w)
{
    struct golden_statement g;
    char *vkey = golden_vkey();

    golden_statement_init(&g);
    for (int i = 0; i < 3; i++) {
        struct buf b;

        buf_init(&b);
        assert_int_equal(golden_write(&g, &b, NULL), MAUTH_OK);
        assert_int_equal(
            mauth_trust_parse(b.data, b.len, vkey, &w->file[i], NULL), MAUTH_OK);
        g.statement.sequence++;
        buf_clear(&b);
    }
    golden_statement_clear(&g);
    free(vkey);
}

static int
set_up(void **state)
{
    static struct world w;

    memset(&w, 0, sizeof(w));
    store_make(&w.s, "?twice=1");
    assert_int_equal(kv_write(w.s.kv, make_services, NULL, NULL), MAUTH_OK);
    assert_int_equal(verifiers_open(w.s.kv, &w.v, NULL), MAUTH_OK);
    make_files(&w);
    *state = &w;
    return 0;
}

static int
tear_down(void **state)
{
    struct world *w = *state;

    verifiers_close(w->v);
    verifiers_close(NULL);
    for (int i = 0; i < 3; i++)
        mauth_trust_free(w->file[i]);
    store_remove(&w->s);
    return 0;
}

static void
open_again(struct world *w)
{
    verifiers_close(w->v);
    store_reopen(&w->s);
    assert_int_equal(verifiers_open(w->s.kv, &w->v, NULL), MAUTH_OK);
}

static struct trust_report
report_of(const struct mauth_trust *trust)
{
    struct trust_report r = {.place = trust_place_of(trust)};

    memcpy(r.hash, trust_hash(trust), HASH_LEN);
    return r;
}

/* Is it an alarm? */
static bool
say(struct world *w, unsigned n, const struct trust_report *r, int64_t now_s)
{
    struct id id = nth(n);
    bool is_alarm;

    assert_int_equal(verifiers_report(w->v, &id, r, now_s, &is_alarm, NULL), MAUTH_OK);
    return is_alarm;
}

/* What is known of one; seen_s is 0 when nothing is. */
static struct readiness
known(struct world *w, unsigned n)
{
    struct readiness *all, found = {.seen_s = 0};
    struct id id = nth(n);
    size_t count;

    assert_int_equal(verifiers_take(w->v, &all, &count, NULL), MAUTH_OK);
    for (size_t i = 0; i < count; i++)
        if (memcmp(all[i].service.b, id.b, ID_BYTES) == 0)
            found = all[i];
    free(all);
    return found;
}

static void
keeps_the_last_report(void **state)
{
    struct world *w = *state;
    struct trust_report first = report_of(w->file[0]), second = report_of(w->file[1]);

    verifiers_published(w->v, w->file[0]);
    verifiers_published(w->v, w->file[1]);
    assert_false(say(w, 1, &first, 100));
    assert_false(say(w, 2, &second, 110));
    assert_false(say(w, 1, &first, 120));
    assert_int_equal(known(w, 1).loaded.sequence, 42);
    assert_int_equal(known(w, 1).since_s, 100);
    assert_int_equal(known(w, 1).seen_s, 120);
    assert_false(say(w, 1, &second, 130));
    assert_int_equal(known(w, 1).loaded.sequence, 43);
    assert_int_equal(known(w, 1).since_s, 130);
    assert_int_equal(known(w, 2).seen_s, 110);
    assert_int_equal(known(w, 3).seen_s, 0);
}

static void
outlives_a_restart_once_it_is_on_record(void **state)
{
    struct world *w = *state;
    struct trust_report first = report_of(w->file[0]);
    uint64_t generation;

    assert_false(say(w, 1, &first, 100));
    open_again(w);
    assert_int_equal(known(w, 1).seen_s, 0);
    assert_false(say(w, 1, &first, 100));
    assert_int_equal(verifiers_flush(w->v, NULL), MAUTH_OK);
    open_again(w);
    assert_int_equal(known(w, 1).seen_s, 100);
    assert_memory_equal(known(w, 1).hash, first.hash, HASH_LEN);
    /* Without news nothing is written. */
    generation = kv_generation(w->s.kv);
    assert_int_equal(verifiers_flush(w->v, NULL), MAUTH_OK);
    assert_int_equal(kv_generation(w->s.kv), generation);
}

static void
forgets_who_is_gone(void **state)
{
    struct world *w = *state;
    struct trust_report first = report_of(w->file[0]);
    struct id id = nth(1);

    assert_false(say(w, 1, &first, 100));
    assert_false(say(w, 2, &first, 100));
    assert_int_equal(kv_write(w->s.kv, delete_service, &id, NULL), MAUTH_OK);
    assert_int_equal(verifiers_flush(w->v, NULL), MAUTH_OK);
    assert_int_equal(known(w, 1).seen_s, 0);
    assert_int_equal(known(w, 2).seen_s, 100);
    open_again(w);
    assert_int_equal(known(w, 1).seen_s, 0);
    assert_int_equal(known(w, 2).seen_s, 100);
}

/* Somebody else signs with the authority's key: it is said once, and it is not ready. */
static void
raises_an_alarm(void **state)
{
    struct world *w = *state;
    struct trust_report other = report_of(w->file[1]), later = report_of(w->file[2]);
    struct trust_report earlier = report_of(w->file[0]);

    assert_false(say(w, 1, &later, 100)); /* nothing is known of what was published */
    verifiers_published(w->v, w->file[1]);
    other.hash[31] ^= 1;
    assert_true(say(w, 1, &other, 110));
    assert_false(say(w, 1, &other, 120));
    assert_true(known(w, 1).is_strange);
    assert_true(say(w, 1, &later, 130)); /* not published yet */
    assert_true(known(w, 1).is_strange);
    verifiers_published(w->v, w->file[2]);
    other = report_of(w->file[1]);
    assert_false(say(w, 1, &other, 140));
    assert_false(say(w, 1, &later, 150));
    assert_false(known(w, 1).is_strange);
    /* From before the first that is known: nobody can say. */
    assert_false(say(w, 2, &earlier, 160));
    assert_false(known(w, 2).is_strange);
}

static void
reads_reports(void **state)
{
    static const char hash[] =
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    static const struct {
        const char *before, *hash, *behind;
    } bad[] = {
        {"", hash, ""},
        {"1.", hash, ""},
        {"1.2", "", ""},
        {"1.2.", "", ""},
        {"1.2.", hash, "0"},
        {"1.2.", hash + 1, ""},
        {"1.2.", hash, "."},
        {"1.2.3.", hash, ""},
        {"01.2.", hash, ""},
        {".2.", hash, ""},
        {"1.2 .", hash, ""},
        {"1.2.A", hash + 1, ""},
    };
    struct trust_report r;
    char text[160];

    (void)state;
    snprintf(text, sizeof(text), "1.2.%s", hash);
    assert_true(verifiers_read(text_of(text), &r));
    assert_int_equal(r.place.epoch, 1);
    assert_int_equal(r.place.sequence, 2);
    assert_int_equal(r.hash[15], 0xff);
    for (size_t i = 0; i < COUNT(bad); i++) {
        snprintf(
            text, sizeof(text), "%s%s%s", bad[i].before, bad[i].hash, bad[i].behind);
        if (verifiers_read(text_of(text), &r))
            fail_msg("accepted: %s", text);
    }
    assert_false(verifiers_read(text_of(""), &r));
}

struct reporter {
    struct world *w;
    pthread_t thread;
    unsigned n;
};

static void *
report_on(void *arg)
{
    struct reporter *r = arg;
    struct trust_report files[] = {report_of(r->w->file[0]), report_of(r->w->file[1])};

    for (int i = 1; i <= ROUNDS; i++)
        (void)say(r->w, r->n, &files[i % 2], i);
    return NULL;
}

/* Reports while they are put on record: the last one of each is there in the end. */
static void
many_report_at_once(void **state)
{
    struct world *w = *state;
    struct reporter r[THREADS];

    for (unsigned i = 0; i < THREADS; i++) {
        r[i] = (struct reporter){.w = w, .n = i + 1};
        assert_int_equal(pthread_create(&r[i].thread, NULL, report_on, &r[i]), 0);
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(verifiers_flush(w->v, NULL), MAUTH_OK);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(r[i].thread, NULL);
    assert_int_equal(verifiers_flush(w->v, NULL), MAUTH_OK);
    open_again(w);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(known(w, i + 1).seen_s, ROUNDS);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keeps_the_last_report, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            outlives_a_restart_once_it_is_on_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(forgets_who_is_gone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(raises_an_alarm, set_up, tear_down),
        cmocka_unit_test(reads_reports),
        cmocka_unit_test_setup_teardown(many_report_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
