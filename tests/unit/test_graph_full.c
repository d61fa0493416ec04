/*
 * A graph that grows past its map, by several threads at once: each change and its record
 * are there once, or were refused and are not there at all.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "store/audit.h"
#include "store/graph_change.h"
#include "tests/unit/graph_world.h"

enum {
    THREADS = 4,
    CHANGES = 200, /* of each */
    MAP = 256 << 10
};

/* A folder of the thread's own user, with the record of that. */
struct making {
    struct graph_folder folder;
    struct id owner;
    uint8_t salt[AUDIT_SALT];
    unsigned runs;
    enum mauth_rc rc;
};

static enum mauth_rc
make(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct making *m = arg;
    struct audit_record r = {.time_us = WORLD_S, .action = "folder.create"};
    enum mauth_rc rc;

    m->runs++;
    rc = graph_folder_create(txn, &m->folder, &m->owner, err);
    return rc ? rc : audit_append_record(txn, &r, m->salt, err);
}

struct thread {
    pthread_t thread;
    struct kv *kv;
    struct making makings[CHANGES];
};

static void *
make_all(void *arg)
{
    struct thread *t = arg;

    for (size_t i = 0; i < CHANGES; i++)
        t->makings[i].rc = kv_write(t->kv, make, &t->makings[i], NULL);
    return NULL;
}

static enum mauth_rc
make_users(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)arg;
    (void)err;
    for (unsigned i = 0; i < THREADS; i++)
        (void)make_user(txn, i + 1);
    return MAUTH_OK;
}

static void
make_with_threads(struct kv *kv, struct thread thread[THREADS])
{
    assert_int_equal(kv_write(kv, make_users, NULL, NULL), MAUTH_OK);
    for (unsigned i = 0; i < THREADS; i++) {
        thread[i].kv = kv;
        for (unsigned k = 0; k < CHANGES; k++) {
            struct making *m = &thread[i].makings[k];

            *m = (struct making){.folder = {.id = nth((k + 1) << 8 | i),
                                     .name = "Trip",
                                     .created_s = WORLD_S},
                .owner = nth(i + 1),
                .salt = {(uint8_t)i, (uint8_t)k}};
        }
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(
            pthread_create(&thread[i].thread, NULL, make_all, &thread[i]), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i].thread, NULL);
}

/* What the store has of all that. */
struct count {
    const struct thread *thread;
    size_t there;
    uint64_t records;
    uint64_t state;
    size_t changes; /* a folder each */
};

static void
count_changes(struct kv_txn *txn, struct count *c)
{
    struct graph_changes page;
    uint64_t after = 1;

    do {
        assert_int_equal(
            graph_change_page(txn, after, GRAPH_PAGE_MAX, &page, NULL), MAUTH_OK);
        for (size_t i = 0; i < page.count; i++)
            c->changes += page.items[i].type == GRAPH_CHANGED_FOLDER;
        if (page.count)
            after = page.items[page.count - 1].sequence;
    } while (page.more);
    assert_int_equal(after, c->state);
}

static enum mauth_rc
count(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct count *c = arg;
    struct audit_head head;

    c->there = c->changes = 0;
    assert_int_equal(audit_head(txn, &head, err), MAUTH_OK);
    c->records = head.size;
    c->state = state_now(txn);
    for (unsigned i = 0; i < THREADS; i++)
        for (unsigned k = 0; k < CHANGES; k++) {
            const struct making *m = &c->thread[i].makings[k];
            struct graph_folder f;
            bool is = graph_folder_by_id(txn, &m->folder.id, &f, NULL) == MAUTH_OK;

            assert_int_equal(is, m->rc == MAUTH_OK);
            assert_int_equal(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &m->folder.id,
                                 &m->owner, GRAPH_OWNER),
                is);
            c->there += is;
        }
    count_changes(txn, c);
    return MAUTH_OK;
}

static size_t
count_all(struct kv *kv, const struct thread thread[THREADS])
{
    struct count c = {.thread = thread};

    assert_int_equal(kv_read(kv, count, &c, NULL), MAUTH_OK);
    assert_int_equal(c.records, c.there);
    assert_int_equal(c.changes, c.there);
    return c.there;
}

static off_t
size_of(const struct store_dir *s)
{
    char path[128];
    struct stat st;

    snprintf(path, sizeof(path), "%s/store/data.mdb", s->dir);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

struct onlooker {
    pthread_t thread;
    struct kv *kv;
    atomic_bool stop;
    size_t failed;
};

static enum mauth_rc
peek(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, arg, err);
}

static void *
look_on(void *arg)
{
    struct onlooker *o = arg;
    uint64_t state, last = 0;

    while (!atomic_load(&o->stop)) {
        o->failed += kv_read(o->kv, peek, &state, NULL) != MAUTH_OK || state < last;
        last = state;
    }
    return NULL;
}

/* What met a full map is run again when the map has grown. */
static void
loses_nothing_when_the_map_is_full(void **state)
{
    static struct thread thread[THREADS];
    struct onlooker o = {.stop = false};
    struct store_dir s;
    size_t runs = 0;

    (void)state;
    store_make(&s, "?map=262144");
    o.kv = s.kv;
    assert_int_equal(pthread_create(&o.thread, NULL, look_on, &o), 0);
    make_with_threads(s.kv, thread);
    atomic_store(&o.stop, true);
    pthread_join(o.thread, NULL);
    assert_int_equal(o.failed, 0);
    assert_int_equal(count_all(s.kv, thread), THREADS * CHANGES);
    assert_true(size_of(&s) > MAP);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t k = 0; k < CHANGES; k++)
            runs += thread[i].makings[k].runs;
    assert_true(runs > (size_t)THREADS * CHANGES); /* else it was never full */
    store_reopen(&s);
    assert_int_equal(count_all(s.kv, thread), THREADS * CHANGES);
    store_remove(&s);
}

/* One that cannot grow refuses; with room again, it goes on. */
static void
refuses_whole_changes_without_room(void **state)
{
    static struct thread thread[THREADS];
    struct store_dir s;
    size_t there;

    (void)state;
    store_make(&s, "?map=262144&max=524288");
    make_with_threads(s.kv, thread);
    there = count_all(s.kv, thread);
    assert_true(there > 0 && there < (size_t)THREADS * CHANGES);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t k = 0; k < CHANGES; k++)
            assert_true(thread[i].makings[k].rc == MAUTH_OK ||
                        thread[i].makings[k].rc == MAUTH_UNAVAILABLE);
    *strchr(s.url, '?') = '\0'; /* the default is room enough */
    store_reopen(&s);
    assert_int_equal(count_all(s.kv, thread), there);
    for (size_t i = 0; i < THREADS; i++)
        for (size_t k = 0; k < CHANGES; k++) {
            struct making *m = &thread[i].makings[k];

            if (m->rc != MAUTH_OK)
                m->rc = kv_write(s.kv, make, m, NULL);
            assert_int_equal(m->rc, MAUTH_OK);
        }
    assert_int_equal(count_all(s.kv, thread), THREADS * CHANGES);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(loses_nothing_when_the_map_is_full),
        cmocka_unit_test(refuses_whole_changes_without_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
