/* The files of a verifier: read, kept, read again, and told of (verifier/loaded.h). */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/time.h"
#include "tests/unit/verifier_world.h"

static void
test_notices_by_itself(void **state)
{
    struct world *w = *state;
    char *c = read_ticket(w, FOLDERS TRIP, false);

    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    issuer_write_rules(
        &w->issuer, "allow write(R) if permit(read, P), within(R, P).\n");
    for (int i = 0; i < 200 && ask(w, c, "write", FOLDERS TRIP) != MAUTH_OK; i++)
        usleep(5000);
    assert_int_equal(ask(w, c, "write", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_DENIED);
    free(c);
}

static void
test_keeps_the_last_good_one(void **state)
{
    struct world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    char *c = read_ticket(w, FOLDERS TRIP, false);
    uint8_t key[NOTE_KEY_BYTES];

    issuer_write_rules(&w->issuer, "allow reed(R) if permt(read, P).\n");
    assert_int_equal(mauth_verifier_refresh(w->verifier, &err), MAUTH_MALFORMED);
    assert_non_null(strstr(err.text, "line 1"));
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    issuer_write_mesh_rules(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);

    w->issuer.sequence = 5;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
    w->issuer.sequence = 4; /* an older one */
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_DENIED);
    w->issuer.sequence = 5; /* a fork */
    w->issuer.expires_s++;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_CONFLICT);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(w->d.sequence, 5);
    assert_int_equal(note_generate(w->issuer.root_seed, key, NULL), MAUTH_OK);
    assert_int_equal(
        note_verifier_make("auth.mesh.example/root", key, &w->issuer.root, NULL),
        MAUTH_OK); /* a stranger signs */
    w->issuer.sequence = 6;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_UNTRUSTED);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);

    unlink(w->issuer.trust_file);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_NOT_FOUND);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    free(c);
}

/* A slip in the one holds up nothing of the other: revocations arrive, and rules. */
static void
test_takes_each_by_itself(void **state)
{
    struct world *w = *state;
    struct mauth_err err = MAUTH_ERR_INIT;
    char *c = read_ticket(w, FOLDERS TRIP, false);

    issuer_write_rules(&w->issuer, "allow reed(R) if permt(read, P).\n");
    w->issuer.sequence = 7;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, &err), MAUTH_MALFORMED);
    assert_non_null(strstr(err.text, "line 1"));
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK); /* by the old rules */
    assert_int_equal(w->d.sequence, 7);
    w->issuer.sequence = 8;
    issuer_write_trust(&w->issuer);
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_MALFORMED);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(w->d.sequence, 8);

    w->issuer.sequence = 6; /* an older one */
    issuer_write_trust(&w->issuer);
    issuer_write_rules(
        &w->issuer, "allow write(R) if permit(read, P), within(R, P).\n");
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_DENIED);
    assert_int_equal(ask(w, c, "write", FOLDERS TRIP), MAUTH_OK);
    assert_int_equal(ask(w, c, "read", FOLDERS TRIP), MAUTH_DENIED);
    assert_int_equal(w->d.sequence, 8);
    free(c);
}

static void
test_open_refuses(void **state)
{
    struct world *w = *state;
    struct mauth_verifier_options o = options(&w->issuer);
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_verifier *v;

    o.trust_file = "/nonexistent/trust"; /* which of the two, and where */
    assert_int_equal(mauth_verifier_open(&o, &v, &err), MAUTH_NOT_FOUND);
    assert_non_null(strstr(err.text, "trust file /nonexistent/trust: "));
    mauth_err_reset(&err);
    o = options(&w->issuer);
    o.rules_file = "/nonexistent/rules";
    assert_int_equal(mauth_verifier_open(&o, &v, &err), MAUTH_NOT_FOUND);
    assert_non_null(strstr(err.text, "rules file /nonexistent/rules: "));
    o = options(&w->issuer);

#define REFUSED(rc)                                            \
    assert_int_equal(mauth_verifier_open(&o, &v, NULL), (rc)); \
    assert_null(v);                                            \
    o = options(&w->issuer)

    o.size--;
    REFUSED(MAUTH_INVALID);
    o.trust_file = NULL;
    REFUSED(MAUTH_INVALID);
    o.audience = "no uri";
    REFUSED(MAUTH_INVALID);
    o.skew_s = 181;
    REFUSED(MAUTH_INVALID);
    o.root_vkey = "nonsense";
    REFUSED(MAUTH_MALFORMED);
    o.trust_file = "/nonexistent";
    REFUSED(MAUTH_NOT_FOUND);
    o.trust_file = "/nonexistent";
    o.status_dir = w->issuer.dir; /* there is nothing to tell of yet */
    REFUSED(MAUTH_NOT_FOUND);
    o.rules_file = "/nonexistent";
    REFUSED(MAUTH_NOT_FOUND);
    o.rules_file = w->issuer.trust_file;
    REFUSED(MAUTH_MALFORMED);
    o.root_vkey =
        "auth.mesh.example/root+c3441793+Aegk/JcWJVB0qqKDVHGG/TNVEpz5zKclCABt5dOnj3/r";
    REFUSED(MAUTH_UNTRUSTED);
#undef REFUSED
    mauth_verifier_close(NULL);
}

/* verifier/journal.h; it stays, for the next process. */
static void
remove_journal(const struct world *w)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/accepted.0", w->issuer.dir);
    assert_int_equal(unlink(path), 0);
}

static void
expect_public(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, FILE_PUBLIC);
}

static void
test_status(void **state)
{
    struct world *w = *state;
    struct mauth_verifier_options o = options(&w->issuer);
    char path[128], journal[128];
    mode_t mask;
    struct buf status;

    mauth_verifier_close(w->verifier);
    o.status_dir = w->issuer.dir;
    mask = umask(077);
    assert_int_equal(mauth_verifier_open(&o, &w->verifier, NULL), MAUTH_OK);
    umask(mask);
    snprintf(path, sizeof(path), "%s/%ld.status", w->issuer.dir, (long)getpid());
    expect_public(path); /* the updater is another user */
    snprintf(journal, sizeof(journal), "%s/accepted.0", w->issuer.dir);
    expect_public(journal);
    buf_init(&status);
    assert_int_equal(file_read(path, 4096, &status, NULL), MAUTH_OK);
    assert_non_null(strstr(buf_cstr(&status), "epoch 1\nsequence 1\nhash "));
    assert_null(strstr(buf_cstr(&status), "trouble"));
    buf_rewind(&status);
    issuer_write_rules(&w->issuer, "nonsense");
    assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_MALFORMED);
    assert_int_equal(file_read(path, 4096, &status, NULL), MAUTH_OK);
    assert_non_null(strstr(buf_cstr(&status), "trouble "));
    buf_clear(&status);
    mauth_verifier_close(w->verifier);
    w->verifier = NULL;
    assert_int_equal(access(path, F_OK), -1);
    remove_journal(w);
}

/* Whoever may write there, too, does not choose which file of ours is overwritten. */
static void
test_status_follows_no_link(void **state)
{
    struct world *w = *state;
    struct mauth_verifier_options o = options(&w->issuer);
    char path[128], fresh[sizeof(path) + 4];
    struct buf b;

    mauth_verifier_close(w->verifier);
    o.status_dir = w->issuer.dir;
    snprintf(path, sizeof(path), "%s/%ld.status", w->issuer.dir, (long)getpid());
    snprintf(fresh, sizeof(fresh), "%s.new", path);
    assert_int_equal(symlink(w->issuer.rules_file, fresh), 0);
    assert_int_equal(mauth_verifier_open(&o, &w->verifier, NULL), MAUTH_OK);
    buf_init(&b);
    assert_int_equal(file_read(w->issuer.rules_file, 65536, &b, NULL), MAUTH_OK);
    assert_null(strstr(buf_cstr(&b), "epoch 1\nsequence 1\nhash "));
    buf_rewind(&b);
    assert_int_equal(file_read(path, 4096, &b, NULL), MAUTH_OK);
    assert_non_null(strstr(buf_cstr(&b), "epoch 1\nsequence 1\nhash "));
    buf_clear(&b);
    remove_journal(w);
}

struct crowd {
    struct world mine; /* the verifier is shared, the rest is not */
    char *credential[8];
    atomic_bool *stop;
    size_t allowed;
};

static void *
keep_asking(void *arg)
{
    struct crowd *crowd = arg;

    for (size_t i = 0; !atomic_load(crowd->stop); i++)
        crowd->allowed += ask(&crowd->mine, crowd->credential[i % 8], "read",
                              FOLDERS TRIP) == MAUTH_OK;
    return NULL;
}

/* Four threads ask while trust and rules are replaced a hundred times. */
static void
test_threads(void **state)
{
    struct world *w = *state;
    struct crowd crowd[4];
    pthread_t thread[4];
    atomic_bool stop = false;
    char *c[8];

    for (size_t i = 0; i < 8; i++)
        c[i] = read_ticket(w, FOLDERS TRIP, i % 2);
    for (size_t i = 0; i < 4; i++) {
        crowd[i] = (struct crowd){.mine = *w, .stop = &stop};
        memcpy(crowd[i].credential, c, sizeof(c));
        assert_int_equal(pthread_create(&thread[i], NULL, keep_asking, &crowd[i]), 0);
    }
    for (int i = 0; i < 100; i++) {
        w->issuer.sequence++;
        issuer_write_trust(&w->issuer);
        issuer_write_mesh_rules(&w->issuer);
        assert_int_equal(mauth_verifier_refresh(w->verifier, NULL), MAUTH_OK);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(thread[i], NULL);
        assert_true(crowd[i].allowed > 0);
    }
    for (size_t i = 0; i < 8; i++)
        free(c[i]);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_notices_by_itself),
        TEST(test_keeps_the_last_good_one),
        TEST(test_takes_each_by_itself),
        TEST(test_open_refuses),
        TEST(test_status),
        TEST(test_status_follows_no_link),
        TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
