/*
 * The graph under threads that want what only one of them can have. Each change goes
 * through kv_write() with its record, as in the service, while others read. Run it under
 * ThreadSanitizer too.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "store/audit.h"
#include "store/graph_invitation.h"
#include "store/graph_member.h"
#include "tests/unit/graph_world.h"

enum {
    RACERS = 3,
    ROUNDS = 120,
    NOW_S = WORLD_S + 1
};

/* What is raced for in one round. */
struct scene {
    struct id folder, device, invitation;
    struct id user[RACERS]; /* alice, bob, carol: the same in all rounds */
};

typedef enum mauth_rc act_fn(
    struct kv_txn *txn, const struct scene *s, struct mauth_err *err);
/* Who of the racers had the better end, from what they were told and what is there. */
typedef size_t verdict_fn(
    struct kv_txn *txn, const struct scene *s, const enum mauth_rc rc[RACERS]);

struct race {
    void (*prepare)(struct kv_txn *txn, const struct scene *s);
    act_fn *act[RACERS];
    verdict_fn *verdict;
    size_t ends; /* how many different ones there are */
};

/* Preparing. */

static void
prepare_folder(struct kv_txn *txn, const struct scene *s)
{
    struct graph_folder f = {.id = s->folder, .name = "Trip", .created_s = WORLD_S};

    assert_int_equal(graph_folder_create(txn, &f, &s->user[0], NULL), MAUTH_OK);
}

static void
prepare_invitation(struct kv_txn *txn, const struct scene *s)
{
    struct graph_invitation i = {.id = s->invitation,
        .folder = s->folder,
        .inviter = s->user[0],
        .role = GRAPH_READER,
        .created_s = WORLD_S,
        .expires_s = NOW_S + 60};

    prepare_folder(txn, s);
    assert_int_equal(graph_invitation_create(txn, &i, NULL), MAUTH_OK);
}

static void
prepare_device(struct kv_txn *txn, const struct scene *s)
{
    struct graph_device d = {.id = s->device,
                            .name = "PC",
                            .created_s = WORLD_S,
                            .spki_len = ID_BYTES},
                        out;

    memcpy(d.spki, s->device.b, ID_BYTES);
    assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_OK);
}

static void
prepare_claimed(struct kv_txn *txn, const struct scene *s)
{
    prepare_folder(txn, s);
    prepare_device(txn, s);
    assert_int_equal(
        graph_device_claim(txn, &s->device, &s->user[0], WORLD_S, NULL), MAUTH_OK);
}

static void
prepare_members(struct kv_txn *txn, const struct scene *s)
{
    prepare_folder(txn, s);
    for (size_t i = 1; i < RACERS; i++)
        assert_int_equal(graph_member_add(txn, &s->folder, &s->user[i],
                             GRAPH_CONTRIBUTOR, WORLD_S, NULL),
            MAUTH_OK);
}

static void
prepare_nothing(struct kv_txn *txn, const struct scene *s)
{
    assert_int_equal(graph_folder_by_id(
                         txn, &s->folder, &(struct graph_folder){.live = false}, NULL),
        MAUTH_NOT_FOUND);
}

/* Acting. */

static enum mauth_rc
alice_revokes(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_invitation_revoke(txn, &s->invitation, NOW_S, err);
}

static enum mauth_rc
accept_as(struct kv_txn *txn, const struct scene *s, size_t who, struct mauth_err *err)
{
    enum graph_closed why;

    return graph_invitation_accept(
        txn, &s->invitation, &s->user[who], NOW_S, &why, err);
}

static enum mauth_rc
bob_accepts(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return accept_as(txn, s, 1, err);
}

static enum mauth_rc
carol_accepts(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return accept_as(txn, s, 2, err);
}

static enum mauth_rc
alice_claims(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_device_claim(txn, &s->device, &s->user[0], NOW_S, err);
}

static enum mauth_rc
bob_claims(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_device_claim(txn, &s->device, &s->user[1], NOW_S, err);
}

static enum mauth_rc
carol_claims(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_device_claim(txn, &s->device, &s->user[2], NOW_S, err);
}

static enum mauth_rc
alice_releases(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_device_release(txn, &s->device, &s->user[0], NOW_S, err);
}

static enum mauth_rc
alice_maps(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_mapping_add(txn, &s->device, &s->folder, NOW_S, err);
}

static enum mauth_rc
alice_unmaps(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_mapping_remove(txn, &s->device, &s->folder, NOW_S, err);
}

static enum mauth_rc
passes_to_bob(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_member_pass(txn, &s->folder, &s->user[0], &s->user[1], NOW_S, err);
}

static enum mauth_rc
bob_leaves(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_member_remove(txn, &s->folder, &s->user[1], NOW_S, err);
}

static enum mauth_rc
passes_to_carol(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return graph_member_pass(txn, &s->folder, &s->user[0], &s->user[2], NOW_S, err);
}

static enum mauth_rc
create_as(struct kv_txn *txn, const struct scene *s, size_t who, struct mauth_err *err)
{
    struct graph_folder f = {.id = s->folder, .name = "Trip", .created_s = NOW_S};

    return graph_folder_create(txn, &f, &s->user[who], err);
}

static enum mauth_rc
alice_creates(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return create_as(txn, s, 0, err);
}

static enum mauth_rc
bob_creates(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return create_as(txn, s, 1, err);
}

static enum mauth_rc
carol_creates(struct kv_txn *txn, const struct scene *s, struct mauth_err *err)
{
    return create_as(txn, s, 2, err);
}

/* Judging. */

/* The only one who was told MAUTH_OK; the others were told of a conflict. */
static size_t
only_winner(const enum mauth_rc rc[RACERS])
{
    size_t winner = RACERS;

    for (size_t i = 0; i < RACERS; i++) {
        if (rc[i] == MAUTH_CONFLICT)
            continue;
        assert_int_equal(rc[i], MAUTH_OK);
        assert_int_equal(winner, RACERS);
        winner = i;
    }
    assert_true(winner < RACERS);
    return winner;
}

static size_t
judge_invitation(
    struct kv_txn *txn, const struct scene *s, const enum mauth_rc rc[RACERS])
{
    size_t winner = only_winner(rc);
    struct graph_invitation i;

    assert_int_equal(
        graph_invitation_by_id(txn, &s->invitation, NOW_S, &i, NULL), MAUTH_OK);
    assert_int_equal(i.state, winner ? GRAPH_ACCEPTED : GRAPH_REVOKED);
    for (size_t u = 1; u < RACERS; u++)
        assert_int_equal(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &s->folder, &s->user[u],
                             GRAPH_READER),
            u == winner);
    return winner;
}

static size_t
judge_claim(struct kv_txn *txn, const struct scene *s, const enum mauth_rc rc[RACERS])
{
    size_t winner = only_winner(rc);

    for (size_t u = 0; u < RACERS; u++)
        assert_int_equal(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &s->device,
                             &s->user[u], GRAPH_NO_ROLE),
            u == winner);
    return winner;
}

/* 0: released first; 1: mapped, and that went with the claim; 2: it was unmapped. */
static size_t
judge_release(struct kv_txn *txn, const struct scene *s, const enum mauth_rc rc[RACERS])
{
    size_t end = rc[1] == MAUTH_DENIED ? 0 : rc[2] == MAUTH_OK ? 2 : 1;
    bool taken;

    assert_int_equal(rc[0], MAUTH_OK);
    assert_int_equal(rc[1], end ? MAUTH_OK : MAUTH_DENIED);
    assert_int_equal(rc[2], end == 2 ? MAUTH_OK : MAUTH_NOT_FOUND);
    assert_false(is_linked(
        txn, GRAPH_CLAIMED_BY_DEVICE, &s->device, &s->user[0], GRAPH_NO_ROLE));
    assert_false(
        is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &s->device, &s->folder, GRAPH_NO_ROLE));
    assert_true(revoked_in(txn, ID_DEVICE, &s->device, ID_USER, &s->user[0]) > 0);
    taken = revoked_in(txn, ID_DEVICE, &s->device, ID_KINDS, NULL) > 0;
    assert_int_equal(taken, end == 1);
    assert_int_equal(
        revoked_in(txn, ID_DEVICE, &s->device, ID_FOLDER, &s->folder) > 0, end == 2);
    return end;
}

/* 0: bob has it; 1: carol has it, and bob had left before it could be his; 2: she has
 * it, and he left afterwards, or found that it was no longer alice's to give. */
static size_t
judge_passing(struct kv_txn *txn, const struct scene *s, const enum mauth_rc rc[RACERS])
{
    static const char *const roles[RACERS][RACERS] = {
        {GRAPH_CONTRIBUTOR, GRAPH_OWNER, GRAPH_CONTRIBUTOR},
        {GRAPH_CONTRIBUTOR, GRAPH_NO_ROLE, GRAPH_OWNER},
        {GRAPH_CONTRIBUTOR, GRAPH_NO_ROLE, GRAPH_OWNER}};
    static const char *const all[] = {GRAPH_READER, GRAPH_CONTRIBUTOR, GRAPH_OWNER};
    size_t end = rc[0] == MAUTH_OK ? 0 : rc[0] == MAUTH_NOT_FOUND ? 1 : 2;

    assert_int_equal(rc[0], end == 0   ? MAUTH_OK
                            : end == 1 ? MAUTH_NOT_FOUND
                                       : MAUTH_CONFLICT);
    assert_int_equal(rc[1], end ? MAUTH_OK : MAUTH_CONFLICT);
    assert_int_equal(rc[2], end ? MAUTH_OK : MAUTH_CONFLICT);
    for (size_t u = 0; u < RACERS; u++)
        for (size_t i = 0; i < COUNT(all); i++)
            assert_int_equal(
                is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &s->folder, &s->user[u], all[i]),
                graph_role_is(all[i], roles[end][u]));
    return end;
}

static size_t
judge_creation(
    struct kv_txn *txn, const struct scene *s, const enum mauth_rc rc[RACERS])
{
    size_t winner = only_winner(rc);

    for (size_t u = 0; u < RACERS; u++)
        assert_int_equal(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &s->folder, &s->user[u],
                             GRAPH_OWNER),
            u == winner);
    return winner;
}

/* Running. */

/* What one racer does, with the record of what came of it. */
struct act {
    act_fn *fn;
    const struct scene *scene;
    uint8_t salt[AUDIT_SALT];
    enum mauth_rc told;
};

static enum mauth_rc
run_act(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct act *a = arg;
    struct audit_record r = {.time_us = NOW_S, .action = "race"};

    a->told = a->fn(txn, a->scene, err);
    if (a->told != MAUTH_OK && a->told != MAUTH_CONFLICT &&
        a->told != MAUTH_NOT_FOUND && a->told != MAUTH_DENIED)
        return a->told;
    r.outcome = a->told == MAUTH_OK ? "done" : "deny";
    return audit_append_record(txn, &r, a->salt, err);
}

/* Racers who all wait for the start of a round, and the one who sends them off. */
struct track {
    struct kv *kv;
    pthread_barrier_t line; /* crossed at the start and at the end of a round */
    struct act act[RACERS];
    struct scene scene;
    atomic_bool over;
};

struct racer {
    struct track *track;
    size_t lane;
    enum mauth_rc rc;
    pthread_t thread;
};

static void *
run_racer(void *arg)
{
    struct racer *r = arg;

    for (;;) {
        pthread_barrier_wait(&r->track->line);
        if (atomic_load(&r->track->over))
            return NULL;
        r->rc = kv_write(r->track->kv, run_act, &r->track->act[r->lane], NULL);
        pthread_barrier_wait(&r->track->line);
    }
}

/* Whoever looks meanwhile sees nothing half done. */
struct look {
    const struct scene *scene;
    size_t owners;
};

static enum mauth_rc
look(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct look *l = arg;
    struct graph_page page;
    enum mauth_rc rc;

    (void)is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &l->scene->device, &l->scene->user[0],
        GRAPH_NO_ROLE);
    if (is_linked(txn, GRAPH_MAPPED_BY_DEVICE, &l->scene->device, &l->scene->folder,
            GRAPH_NO_ROLE))
        assert_true(is_linked(txn, GRAPH_CLAIMED_BY_DEVICE, &l->scene->device,
            &l->scene->user[0], GRAPH_NO_ROLE));
    rc = graph_link_page(
        txn, GRAPH_MEMBER_BY_FOLDER, &l->scene->folder, NULL, &page, err);
    l->owners = 0;
    for (size_t i = 0; i < page.count; i++) {
        l->owners += graph_role_is(page.links[i].role, GRAPH_OWNER);
        assert_true(is_linked(txn, GRAPH_MEMBER_BY_FOLDER, &l->scene->folder,
            &page.links[i].to, page.links[i].role));
    }
    assert_int_equal(l->owners, page.count > 0);
    return rc;
}

struct setting {
    const struct race *race;
    const struct scene *scene;
    const enum mauth_rc *rc;
    size_t end;
    uint64_t records;
};

static enum mauth_rc
prepare(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct setting *s = arg;

    (void)err;
    s->race->prepare(txn, s->scene);
    return MAUTH_OK;
}

static enum mauth_rc
judge(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct setting *s = arg;
    struct audit_head head;
    enum mauth_rc rc = audit_head(txn, &head, err);

    s->end = s->race->verdict(txn, s->scene, s->rc);
    s->records = head.size;
    return rc;
}

static enum mauth_rc
make_users(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    (void)arg;
    (void)err;
    for (unsigned u = 0; u < RACERS; u++)
        (void)make_user(txn, u + 1);
    return MAUTH_OK;
}

/* One round; its end. The lanes change places, so that none is always first. */
static size_t
run_round(struct track *t, struct racer racer[RACERS], const struct race *race,
    unsigned round)
{
    struct setting s = {.race = race, .scene = &t->scene};
    struct look l = {.scene = &t->scene};
    enum mauth_rc told[RACERS];

    t->scene = (struct scene){.folder = nth(round * 4 + 100),
        .device = nth(round * 4 + 101),
        .invitation = nth(round * 4 + 102),
        .user = {nth(1), nth(2), nth(3)}};
    assert_int_equal(kv_write(t->kv, prepare, &s, NULL), MAUTH_OK);
    for (size_t i = 0; i < RACERS; i++) {
        t->act[i] = (struct act){.fn = race->act[(i + round) % RACERS],
            .scene = &t->scene,
            .salt = {(uint8_t)i, (uint8_t)round}};
        racer[i].rc = MAUTH_INTERNAL;
    }
    pthread_barrier_wait(&t->line);
    for (int i = 0; i < 8; i++)
        assert_int_equal(kv_read(t->kv, look, &l, NULL), MAUTH_OK);
    pthread_barrier_wait(&t->line);
    for (size_t i = 0; i < RACERS; i++) {
        assert_int_equal(racer[i].rc, MAUTH_OK);
        told[(i + round) % RACERS] = t->act[i].told;
    }
    s.rc = told;
    assert_int_equal(kv_read(t->kv, judge, &s, NULL), MAUTH_OK);
    assert_int_equal(s.records, (uint64_t)(round + 1) * RACERS);
    return s.end;
}

static void
run(const struct race *race, const char *options)
{
    struct track t = {.over = false};
    struct racer racer[RACERS];
    size_t seen[RACERS] = {0};
    struct store_dir s;

    store_make(&s, options);
    t.kv = s.kv;
    assert_int_equal(kv_write(s.kv, make_users, NULL, NULL), MAUTH_OK);
    assert_int_equal(pthread_barrier_init(&t.line, NULL, RACERS + 1), 0);
    for (size_t i = 0; i < RACERS; i++) {
        racer[i] = (struct racer){.track = &t, .lane = i};
        assert_int_equal(
            pthread_create(&racer[i].thread, NULL, run_racer, &racer[i]), 0);
    }
    for (unsigned round = 0; round < ROUNDS; round++)
        seen[run_round(&t, racer, race, round)]++;
    atomic_store(&t.over, true);
    pthread_barrier_wait(&t.line);
    for (size_t i = 0; i < RACERS; i++)
        pthread_join(racer[i].thread, NULL);
    pthread_barrier_destroy(&t.line);
    store_remove(&s);
    for (size_t i = 0; i < race->ends; i++)
        assert_true(seen[i] > 0); /* else nothing was raced */
}

static void
accept_against_revoke(void **state)
{
    static const struct race race = {prepare_invitation,
        {alice_revokes, bob_accepts, carol_accepts}, judge_invitation, 3};

    (void)state;
    run(&race, "");
    run(&race, "?twice=1");
}

static void
claim_against_claim(void **state)
{
    static const struct race race = {
        prepare_device, {alice_claims, bob_claims, carol_claims}, judge_claim, 3};

    (void)state;
    run(&race, "");
}

static void
release_against_map(void **state)
{
    static const struct race race = {
        prepare_claimed, {alice_releases, alice_maps, alice_unmaps}, judge_release, 3};

    (void)state;
    run(&race, "");
}

static void
leaving_against_passing_on(void **state)
{
    static const struct race race = {prepare_members,
        {passes_to_bob, bob_leaves, passes_to_carol}, judge_passing, 3};

    (void)state;
    run(&race, "");
    run(&race, "?twice=1");
}

static void
create_against_create(void **state)
{
    static const struct race race = {prepare_nothing,
        {alice_creates, bob_creates, carol_creates}, judge_creation, 3};

    (void)state;
    run(&race, "");
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_against_revoke),
        cmocka_unit_test(claim_against_claim),
        cmocka_unit_test(release_against_map),
        cmocka_unit_test(leaving_against_passing_on),
        cmocka_unit_test(create_against_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
