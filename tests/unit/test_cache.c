#include <pthread.h>

#include "base/str.h"
#include "tests/unit/golden.h"
#include "verifier/cache.h"
#include "verifier/mix.h"
#include <meshauth/credential.h>

enum {
    WEIGHT = 4096,
    ENTRY = 1536, /* more than what an entry takes besides */
    ROOM = 1 << 30
};

/* The golden rights ticket under the n-th ID; nobody checks its signature here. */
static struct mauth_ticket *
make_ticket(unsigned n)
{
    struct mauth_ticket *t = NULL;
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);
    char id[33];

    snprintf(id, sizeof(id), "%032x", n);
    memcpy(strstr(xml, "ID=\"_") + 5, id, 32);
    memcpy(strstr(xml, "URI=\"#_") + 7, id, 32);
    assert_int_equal(mauth_ticket_read_untrusted(xml, len, &t, NULL), MAUTH_OK);
    free(xml);
    return t;
}

static struct text
name(char *out, size_t size, const char *what, unsigned n)
{
    snprintf(out, size, "%s-%u", what, n);
    return text_of(out);
}

/* Its stripe is locked, for cache_unlock(). */
static struct cached *
look_for(struct cache *c, struct text credential, uint64_t *hash)
{
    *hash = cache_seek(c, credential);
    (void)!cache_lock(c, *hash);
    return cache_find(c, *hash, credential);
}

static bool
holds(struct cache *c, struct text credential)
{
    uint64_t hash;
    bool found = look_for(c, credential, &hash) != NULL;

    cache_unlock(c, hash);
    return found;
}

static void
put(struct cache *c, const char *what, unsigned n)
{
    char text[64];

    cache_put(c, name(text, sizeof(text), what, n), make_ticket(n), WEIGHT, n);
}

static bool
has(struct cache *c, const char *what, unsigned n)
{
    char text[64];

    return holds(c, name(text, sizeof(text), what, n));
}

static struct cache *
make(size_t entries, size_t bytes)
{
    struct cache *c = NULL;

    assert_int_equal(cache_new(entries, bytes, &c, NULL), MAUTH_OK);
    return c;
}

static void
test_finds_what_was_put(void **state)
{
    struct cache *c = make(8, ROOM);
    struct cached *held;
    uint64_t hash;

    (void)state;
    assert_false(has(c, "a", 1));
    put(c, "a", 1);
    held = look_for(c, text_of("a-1"), &hash);
    assert_non_null(held);
    assert_int_equal(held->checked, 1);
    assert_int_equal(held->recall->generation, 0);
    assert_true(text_is(held->terms->issuer, GOLDEN_ISSUER));
    assert_string_equal(
        mauth_ticket_id(held->ticket), "_00000000000000000000000000000001");
    cache_unlock(c, hash);
    assert_false(has(c, "a", 2));
    assert_false(holds(c, text_of("a-")));
    assert_false(holds(c, text_of("")));
    cache_free(c);
}

static void
test_one_entry_for_a_ticket(void **state)
{
    struct cache *c = make(8, ROOM);

    (void)state;
    for (unsigned i = 0; i < 100; i++) {
        char text[64];

        cache_put(
            c, name(text, sizeof(text), "spelling", i), make_ticket(7), WEIGHT, 0);
        assert_true(has(c, "spelling", i));
        assert_int_equal(cache_use(c).entries, 1);
    }
    assert_false(has(c, "spelling", 98));
    cache_free(c);
}

static void
test_bounded_in_entries(void **state)
{
    struct cache *c = make(16, ROOM);
    size_t found = 0;

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        put(c, "a", i);
        assert_true(cache_use(c).entries <= 16);
        assert_true(has(c, "a", i));
    }
    for (unsigned i = 0; i < 200; i++)
        found += has(c, "a", i);
    assert_int_equal(found, 16);
    cache_free(c);
}

static void
test_bounded_in_bytes(void **state)
{
    struct cache *c = make(1000, 3 * (WEIGHT + ENTRY));

    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        put(c, "a", i);
        assert_true(cache_use(c).bytes <= 3 * (WEIGHT + ENTRY));
    }
    assert_int_equal(cache_use(c).entries, 3);
    cache_put(c, text_of("too heavy"), make_ticket(99), ROOM, 0);
    assert_false(holds(c, text_of("too heavy")));
    assert_int_equal(cache_use(c).entries, 3);
    cache_free(c);
}

/* Credentials that are made to hash alike push out each other, and nobody else. */
static void
test_chosen_collisions(void **state)
{
    struct cache *c = make(1000, ROOM);
    size_t found = 0;
    char alike[400];

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        put(c, "others", i);
    memset(alike, 'A', sizeof(alike));
    for (unsigned i = 0; i < 200; i++) {
        int len = snprintf(alike + 300, sizeof(alike) - 300, "%04u", i);
        struct text credential = {alike, 300 + (size_t)len};

        alike[300 + len] = 'A';
        assert_int_equal(
            cache_seek(c, credential), cache_seek(c, (struct text){alike, 300}));
        cache_put(c, credential, make_ticket(1000 + i), WEIGHT, 0);
        assert_true(holds(c, credential));
        assert_true(cache_use(c).entries <= 108);
    }
    for (unsigned i = 0; i < 100; i++)
        found += has(c, "others", i);
    assert_true(found >= 92); /* whoever was in the same bucket may be gone */
    cache_free(c);
}

static void
test_the_used_stay_longer(void **state)
{
    struct cache *c = make(4, ROOM);

    (void)state;
    put(c, "a", 0);
    for (unsigned i = 1; i < 100; i++) {
        assert_true(has(c, "a", 0)); /* used each time: never the one to go */
        put(c, "a", i);
    }
    cache_free(c);
}

static void
test_drop(void **state)
{
    struct cache *c = make(4, ROOM);

    (void)state;
    put(c, "a", 1);
    put(c, "a", 2);
    cache_drop(c, text_of("a-1"));
    cache_drop(c, text_of("a-1"));
    cache_drop(c, text_of("nothing"));
    assert_false(has(c, "a", 1));
    assert_true(has(c, "a", 2));
    assert_int_equal(cache_use(c).entries, 1);
    put(c, "a", 1);
    assert_true(has(c, "a", 1));
    cache_free(c);
}

/* What cannot be kept is given back all the same (the leak checker watches). */
static void
test_nothing_fits(void **state)
{
    struct cache *c = make(1, 1);

    (void)state;
    put(c, "a", 1);
    assert_false(has(c, "a", 1));
    cache_free(c);
    cache_free(NULL);
}

struct crowd {
    struct cache *cache;
    unsigned seed;
    size_t hits;
};

static void *
mill_about(void *arg)
{
    struct crowd *w = arg;

    for (int i = 0; i < 3000; i++) {
        unsigned n = (unsigned)rand_r(&w->seed) % 64;
        char text[64];
        struct text credential = name(text, sizeof(text), "a", n);
        uint64_t hash;
        struct cached *held = look_for(w->cache, credential, &hash);
        bool hit = held != NULL;

        if (held)
            held->checked++;
        cache_unlock(w->cache, hash);
        w->hits += hit;
        if (!hit)
            put(w->cache, "a", n);
        else if (n == 5)
            cache_drop(w->cache, credential);
    }
    return NULL;
}

static void
test_threads(void **state)
{
    struct crowd crowd[4];
    pthread_t thread[4];
    struct cache *c = make(48, ROOM);

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        crowd[i] = (struct crowd){c, i + 1, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, mill_about, &crowd[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        assert_true(crowd[i].hits > 0);
    }
    assert_true(cache_use(c).entries <= 48);
    cache_free(c);
}

/* Every stripe says what is loaded, and holds it by its count. */
static void
test_what_is_loaded(void **state)
{
    struct cache *c = make(8, ROOM);
    struct loaded *l[2];

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        l[i] = calloc(1, sizeof(*l[i]));
        assert_non_null(l[i]);
        atomic_init(&l[i]->users, 1);
    }
    assert_null(cache_lock(c, 0));
    cache_unlock(c, 0);
    for (size_t i = 0; i < 2; i++) {
        cache_load(c, l[i]);
        for (uint64_t hash = 0; hash < 1000; hash++) {
            assert_ptr_equal(cache_lock(c, hash), l[i]);
            cache_unlock(c, hash);
        }
        assert_true(atomic_load(&l[i]->users) > 1);
    }
    assert_int_equal(atomic_load(&l[0]->users), 1);
    cache_free(c);
    assert_int_equal(atomic_load(&l[1]->users), 1);
    loaded_release(l[0]);
    loaded_release(l[1]);
}

/* Credentials are told apart by where the ID lies: it must lie there. */
static void
check_hash_covers_the_id(bool deflated)
{
    size_t len;
    char *xml = golden_xml("rights", "p256", &len);
    uint64_t first, second;
    char *text;

    for (size_t i = 0; i < 32; i++) {
        char *digit = strstr(xml, "ID=\"_") + 5 + i;

        assert_int_equal(mauth_credential_encode(xml, len, deflated, &text, NULL), 0);
        first = mix_credential(1, text, strlen(text));
        free(text);
        *digit = *digit == '0' ? '1' : '0';
        assert_int_equal(mauth_credential_encode(xml, len, deflated, &text, NULL), 0);
        second = mix_credential(1, text, strlen(text));
        assert_true(first != second);
        assert_true(second != mix_credential(2, text, strlen(text)));
        free(text);
    }
    free(xml);
}

static void
test_hash_covers_the_id(void **state)
{
    (void)state;
    check_hash_covers_the_id(false);
    check_hash_covers_the_id(true);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_what_was_put),
        cmocka_unit_test(test_one_entry_for_a_ticket),
        cmocka_unit_test(test_bounded_in_entries),
        cmocka_unit_test(test_bounded_in_bytes),
        cmocka_unit_test(test_chosen_collisions),
        cmocka_unit_test(test_the_used_stay_longer),
        cmocka_unit_test(test_drop),
        cmocka_unit_test(test_nothing_fits),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_what_is_loaded),
        cmocka_unit_test(test_hash_covers_the_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
