#include "tests/unit/keep_world.h"
#include "updater/witness.h"

static enum mauth_rc
take(struct world *w, struct text file, bool *changed)
{
    struct keep_news news = {.changed = true};
    enum mauth_rc rc = take_at(w, file, NOW, &news);

    *changed = news.changed;
    return rc;
}

static void
take_well(struct world *w, struct text file)
{
    bool changed;

    assert_int_equal(take(w, file, &changed), MAUTH_OK);
    assert_true(changed);
}

/* What lies there is this, byte for byte, and everybody may read it. */
static void
assert_lies_there(const struct world *w, struct text file)
{
    struct stat st;
    size_t len;
    char *text = scratch_read(&w->dir, "trust", &len);

    assert_non_null(text);
    assert_int_equal(len, file.len);
    assert_memory_equal(text, file.p, len);
    assert_int_equal(stat(w->trust, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    free(text);
}

static void
takes_what_follows(void **state)
{
    struct world *w = *state;
    struct text file;
    bool changed;

    assert_null(keep_trust(w->keep));
    assert_int_equal(keep_text(w->keep).len, 0);
    take_well(w, make(w));
    file = make(w);
    assert_lies_there(w, file);
    assert_int_equal(mauth_trust_sequence(keep_trust(w->keep)), 42);
    assert_true(text_equal(keep_text(w->keep), file));
    assert_int_equal(take(w, file, &changed), MAUTH_OK); /* the same again */
    assert_false(changed);
    w->g.statement.sequence = 43;
    take_well(w, make(w));
    w->g.statement.sequence = 1;
    w->g.statement.epoch = w->g.delegation.epoch = 2;
    file = make(w);
    take_well(w, file);
    assert_lies_there(w, file);
    open_again(w);
    assert_int_equal(mauth_trust_epoch(keep_trust(w->keep)), 2);
    assert_int_equal(take(w, make(w), &changed), MAUTH_OK);
    assert_false(changed);
    assert_false(keep_has_alarm(w->keep));
}

/* Each of these is refused, and what was there stays. */
static void
another_list(struct world *w)
{
    w->g.statement.sequence = 43;
    make(w);
    memcpy(strstr((char *)w->file.data, "revoke 4712"), "revoke 4711", 11);
}

static void
a_changed_byte(struct world *w)
{
    w->g.statement.sequence = 43;
    make(w);
    *(strstr((char *)w->file.data, "sequence 43") + strlen("sequence 4")) = '4';
}

static void
a_stranger(struct world *w)
{
    w->g.statement.sequence = 43;
    w->g.forge.root_seed[0] ^= 1;
    make(w);
}

static void
a_strange_authority(struct world *w)
{
    w->g.statement.sequence = 43;
    w->g.forge.authority_seed[0] ^= 1;
    make(w);
}

static void
cut_in_the_list(struct world *w)
{
    w->g.statement.sequence = 43;
    make(w);
    w->file.len -= 10;
}

static void
cut_in_the_notes(struct world *w)
{
    w->g.statement.sequence = 43;
    make(w);
    w->file.len = 300;
}

static void
nothing(struct world *w)
{
    w->file.len = 0;
}

static void
a_lower_sequence(struct world *w)
{
    w->g.statement.sequence = 41;
    make(w);
}

static void
an_old_epoch(struct world *w)
{
    w->g.statement.epoch = w->g.delegation.epoch = 1;
    w->g.statement.sequence = 99;
    make(w);
}

static void
another_issuer(struct world *w)
{
    static const char other[] = "https://auth.mesh.exampla";

    w->g.statement.sequence = 43;
    w->g.statement.issuer = w->g.delegation.issuer = other;
    assert_int_equal(note_verifier_make("auth.mesh.exampla/root", w->g.forge.root.key,
                         &w->g.forge.root, NULL),
        MAUTH_OK);
    assert_int_equal(note_verifier_make("auth.mesh.exampla/authority",
                         w->g.forge.authority.key, &w->g.forge.authority, NULL),
        MAUTH_OK);
    make(w);
}

static void
an_expired_one(struct world *w)
{
    w->g.statement.sequence = 43;
    w->g.statement.issued_s = golden_time("2026-11-22T09:04:00Z");
    w->g.statement.expires_s = golden_time(NOW);
    make(w);
}

static void
one_from_the_future(struct world *w)
{
    w->g.statement.sequence = 43;
    w->g.statement.issued_s = golden_time(NOW) + 61;
    w->g.statement.expires_s = golden_time(NOW) + 3600;
    make(w);
}

static void
the_same_number(struct world *w)
{
    w->g.statement.expires_s += 60;
    make(w);
}

static void
a_shorter_log(struct world *w)
{
    w->g.statement.sequence = 43;
    w->g.statement.tree_size = 1233;
    make(w);
}

static void
another_log(struct world *w)
{
    w->g.statement.sequence = 43;
    w->g.statement.tree_root[5] ^= 1;
    make(w);
}

static void
keeps_the_old_one(void **state)
{
    static const struct {
        const char *name;
        void (*prepare)(struct world *);
        enum mauth_rc rc;
    } refusals[] = {
        {"nothing", nothing, MAUTH_MALFORMED},
        {"cut in the notes", cut_in_the_notes, MAUTH_MALFORMED},
        {"cut in the list", cut_in_the_list, MAUTH_UNTRUSTED},
        {"a list that does not fit its hash", another_list, MAUTH_UNTRUSTED},
        {"a changed byte", a_changed_byte, MAUTH_UNTRUSTED},
        {"a stranger's root", a_stranger, MAUTH_UNTRUSTED},
        {"a stranger's authority", a_strange_authority, MAUTH_UNTRUSTED},
        {"another issuer", another_issuer, MAUTH_UNTRUSTED},
        {"a lower sequence", a_lower_sequence, MAUTH_DENIED},
        {"an old epoch", an_old_epoch, MAUTH_DENIED},
        {"expired", an_expired_one, MAUTH_EXPIRED},
        {"from the future", one_from_the_future, MAUTH_EXPIRED},
        {"the same number, other bytes", the_same_number, MAUTH_CONFLICT},
        {"a shorter audit log", a_shorter_log, MAUTH_CONFLICT},
        {"another audit log", another_log, MAUTH_CONFLICT},
    };
    struct world *w = *state;
    struct golden_statement good;
    struct buf held;

    w->g.statement.epoch = w->g.delegation.epoch = 2;
    take_well(w, make(w));
    good = w->g;
    buf_init(&held);
    buf_text(&held, make(w));
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct text file;
        bool changed;

        refusals[i].prepare(w);
        file = (struct text){(const char *)w->file.data, w->file.len};
        if (take(w, file, &changed) != refusals[i].rc || changed)
            fail_msg("%s", refusals[i].name);
        assert_lies_there(w, (struct text){(const char *)held.data, held.len});
        assert_int_equal(mauth_trust_sequence(keep_trust(w->keep)), 42);
        /* Evidence of what proves a forgery, and of nothing else. */
        assert_int_equal(keep_has_alarm(w->keep), refusals[i].rc == MAUTH_CONFLICT);
        if (keep_has_alarm(w->keep)) {
            size_t len;
            char *evidence = scratch_read(&w->dir, "trust.alarm", &len);

            assert_int_equal(len, file.len);
            assert_memory_equal(evidence, file.p, len);
            free(evidence);
            evidence = scratch_read(&w->dir, "trust.alarm.before", &len);
            assert_int_equal(len, held.len);
            assert_memory_equal(evidence, held.data, len);
            free(evidence);
            unlink(w->alarm);
        }
        w->g = good;
    }
    /* And goes on. */
    w->g.statement.sequence = 43;
    take_well(w, make(w));
    buf_clear(&held);
}

/* The pinned name says whose root it is; a folder may be set up for another URL. */
static void
refuses_another_issuer_of_the_same_root(void **state)
{
    struct world *w = *state;
    bool changed;

    w->o.issuer = "https://auth.mesh.example:444";
    open_again(w);
    assert_int_equal(take(w, make(w), &changed), MAUTH_DENIED);
    assert_null(keep_trust(w->keep));
    assert_false(scratch_has(&w->dir, "trust"));
}

static void
keeps_the_first_evidence(void **state)
{
    struct world *w = *state;
    struct buf first;
    size_t len;
    char *evidence;
    bool changed;

    take_well(w, make(w));
    buf_init(&first);
    w->g.statement.expires_s += 60;
    buf_text(&first, make(w));
    assert_int_equal(take(w, make(w), &changed), MAUTH_CONFLICT);
    w->g.statement.expires_s += 60;
    assert_int_equal(take(w, make(w), &changed), MAUTH_CONFLICT);
    evidence = scratch_read(&w->dir, "trust.alarm", &len);
    assert_int_equal(len, first.len);
    assert_memory_equal(evidence, first.data, len);
    open_again(w);
    assert_true(keep_has_alarm(w->keep));
    free(evidence);
    buf_clear(&first);
}

/* Who takes the trust file away does not make an older one welcome. */
static void
remembers_without_the_file(void **state)
{
    struct world *w = *state;
    bool changed;

    take_well(w, make(w));
    assert_int_equal(unlink(w->trust), 0);
    open_again(w);
    assert_null(keep_trust(w->keep));
    w->g.statement.sequence = 41;
    assert_int_equal(take(w, make(w), &changed), MAUTH_DENIED);
    w->g.statement.sequence = 42;
    take_well(w, make(w));
}

static void
tells_that_what_lies_there_is_none(void **state)
{
    struct mauth_err trouble = MAUTH_ERR_INIT;
    struct world *w = *state;

    keep_close(w->keep);
    scratch_write(&w->dir, "trust", "half of", 7);
    assert_int_equal(keep_open(&w->o, &w->keep, &trouble, NULL), MAUTH_OK);
    assert_int_equal(trouble.rc, MAUTH_MALFORMED);
    assert_null(keep_trust(w->keep));
    take_well(w, make(w));
    assert_lies_there(w, make(w));
}

static void
does_not_start_without_what_it_witnessed(void **state)
{
    struct mauth_err trouble = MAUTH_ERR_INIT, err = MAUTH_ERR_INIT;
    struct world *w = *state;

    keep_close(w->keep);
    scratch_write(&w->dir, "trust.witness", "half of", 7);
    assert_int_equal(keep_open(&w->o, &w->keep, &trouble, &err), MAUTH_MALFORMED);
    assert_null(w->keep);
}

/* A backup was restored, which the root has vouched for: both are kept. */
/* Whoever waits for it is to hear of it soon. */
static void
tells_of_a_new_key(void **state)
{
    struct world *w = *state;
    struct keep_news news;

    w->g.statement.key_count = 1;
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_false(news.new_key); /* there was no file before */
    w->g.statement.sequence = 43;
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_false(news.new_key);
    w->g.statement.sequence = 44;
    w->g.statement.key_count = 2;
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_true(news.new_key);
    w->g.statement.sequence = 45;
    w->g.statement.key_count = 1;
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_false(news.new_key);
}

static void
tells_of_a_log_that_a_new_epoch_rewrote(void **state)
{
    struct world *w = *state;
    struct keep_news news;
    struct witness seen;

    take_well(w, make(w));
    w->g.statement.epoch = w->g.delegation.epoch = 2;
    w->g.statement.tree_size = 1000;
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_true(news.changed);
    assert_true(news.rewritten);
    assert_false(keep_has_alarm(w->keep));
    assert_int_equal(witness_read(w->witness, &seen, NULL), MAUTH_OK);
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.at[0].size, 1234);
    assert_int_equal(seen.at[1].size, 1000);
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_false(news.changed);
}

/* Either file cannot be replaced, for a folder has its name. */
static void
keeps_the_old_one_when_the_disk_fails(void **state)
{
    struct world *w = *state;
    const char *const paths[] = {w->witness, w->trust};
    struct text file;
    bool changed;

    take_well(w, make(w));
    w->g.statement.sequence = 43;
    file = make(w);
    for (size_t i = 0; i < COUNT(paths); i++) {
        assert_int_equal(unlink(paths[i]), 0);
        assert_int_equal(mkdir(paths[i], 0700), 0);
        assert_int_equal(take(w, file, &changed), MAUTH_UNAVAILABLE);
        assert_false(changed);
        assert_int_equal(mauth_trust_sequence(keep_trust(w->keep)), 42);
        assert_int_equal(rmdir(paths[i]), 0);
    }
    take_well(w, file);
    assert_lies_there(w, file);
}

/* The clock may be off by as much as verifiers allow. */
static void
bears_clocks_that_differ(void **state)
{
    struct world *w = *state;
    struct keep_news news;

    w->g.statement.issued_s = golden_time(NOW) + 60;
    w->g.statement.expires_s = golden_time(NOW) + 3600;
    assert_int_equal(take_at(w, make(w), NOW, &news), MAUTH_OK);
    assert_true(news.changed);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(takes_what_follows),
        TEST(keeps_the_old_one),
        TEST(refuses_another_issuer_of_the_same_root),
        TEST(keeps_the_first_evidence),
        TEST(remembers_without_the_file),
        TEST(tells_that_what_lies_there_is_none),
        TEST(does_not_start_without_what_it_witnessed),
        TEST(tells_of_a_new_key),
        TEST(tells_of_a_log_that_a_new_epoch_rewrote),
        TEST(keeps_the_old_one_when_the_disk_fails),
        TEST(bears_clocks_that_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
