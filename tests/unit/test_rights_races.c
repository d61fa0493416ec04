/*
 * Issue against removal: one thread proves and signs a rights ticket while another one
 * takes away what it stands on. Afterwards there is no ticket, or one that the next
 * trust file revokes. That each ticket was good by the trust file before is checked
 * first, so a ticket that survives could not go unnoticed.
 *
 * The issuer's delay follows the outcome, so that races stay close; MAUTH_RACES in the
 * environment says how many.
 */
#include <pthread.h>
#include <time.h>

#include "base/fail.h"
#include "tests/unit/proof_world.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define RACES 160
#else
#define RACES 480
#endif

enum {
    ITEMS = 32, /* of a round: one trust file for all of them */
    STEP_US = 40,
    DELAY_MAX_US = 20000,
    RULES_ROUNDS = 8
};

struct item {
    struct proof_device device;
    struct id user, folder;
    const struct removal *removal;
    bool sync;

    /* Told by the two threads. */
    enum mauth_rc issued, removed;
    char refusal[32];
    char *authorization;
};

struct round {
    struct proof_world p;
    struct id owner;
    struct proof_device peer;
    struct item item[ITEMS];
    unsigned people;
    unsigned random;
    pthread_barrier_t start;
    int delay_us; /* of the issuer */
    unsigned long tickets, refusals;
};

/* What is taken away. */
struct removal {
    const char *name;
    bool sync; /* a ticket to sync with the owner's device; else one for the folder */
    enum mauth_rc (*take)(struct kv_txn *txn, struct item *i);
};

static enum mauth_rc
take_membership(struct kv_txn *txn, struct item *i)
{
    return graph_member_remove(txn, &i->folder, &i->user, PROOF_NOW_S, NULL);
}

static enum mauth_rc
take_role(struct kv_txn *txn, struct item *i)
{
    return graph_member_set_role(
        txn, &i->folder, &i->user, GRAPH_READER, PROOF_NOW_S, NULL);
}

static enum mauth_rc
take_claim(struct kv_txn *txn, struct item *i)
{
    return graph_device_release(txn, &i->device.id, &i->user, PROOF_NOW_S, NULL);
}

static enum mauth_rc
take_mapping(struct kv_txn *txn, struct item *i)
{
    return graph_mapping_remove(txn, &i->device.id, &i->folder, PROOF_NOW_S, NULL);
}

static enum mauth_rc
take_session(struct kv_txn *txn, struct item *i)
{
    return graph_session_close(txn, &i->device.session.id, NULL);
}

static enum mauth_rc
take_folder(struct kv_txn *txn, struct item *i)
{
    return graph_folder_delete(txn, &i->folder, PROOF_NOW_S, NULL);
}

static enum mauth_rc
take_user(struct kv_txn *txn, struct item *i)
{
    return graph_user_delete(txn, &i->user, PROOF_NOW_S, NULL);
}

static const struct removal removals[] = {
    {"a member is removed", false, take_membership},
    {"a member is removed", true, take_membership},
    {"a role is lowered", false, take_role},
    {"a device is released", false, take_claim},
    {"a device is released", true, take_claim},
    {"a folder is unmapped", true, take_mapping},
    {"a session is closed", false, take_session},
    {"a session is closed", true, take_session},
    {"a folder is deleted", false, take_folder},
    {"a folder is deleted", true, take_folder},
    {"an account is closed", false, take_user},
    {"an account is closed", true, take_user},
};

static unsigned
roll(struct round *r, unsigned n)
{
    r->random = r->random * 1664525 + 1013904223;
    return (r->random >> 16) % n;
}

/* Before a round: each item has a user with a claimed device and a shared folder. */

static void
must(enum mauth_rc rc)
{
    assert_int_equal(rc, MAUTH_OK);
}

static void
put_person(struct kv_txn *txn, const struct id *id, unsigned n)
{
    char name[24];
    struct graph_identity who = {text_of("https://i.example"), {name, 0}};

    snprintf(name, sizeof(name), "user-%u", n);
    who.subject = text_of(name);
    must(graph_user_create(txn, id, &who, PROOF_NOW_S, NULL));
}

static void
put_device(struct kv_txn *txn, const struct proof_device *d)
{
    struct graph_device node = proof_node(d), out;

    must(graph_device_register(txn, &node, &out, NULL));
}

static enum mauth_rc
put_house(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct round *r = arg;

    (void)err;
    put_person(txn, &r->owner, 0);
    put_device(txn, &r->peer);
    must(graph_device_claim(txn, &r->peer.id, &r->owner, PROOF_NOW_S, NULL));
    for (unsigned i = 0; i < ITEMS; i++)
        put_device(txn, &r->item[i].device);
    return MAUTH_OK;
}

static void
put_item(struct kv_txn *txn, const struct round *r, const struct item *i, unsigned n)
{
    struct graph_folder f = {.id = i->folder, .name = "f"};

    put_person(txn, &i->user, n);
    must(graph_folder_create(txn, &f, &r->owner, NULL));
    must(graph_member_add(
        txn, &i->folder, &i->user, GRAPH_CONTRIBUTOR, PROOF_NOW_S, NULL));
    must(graph_device_claim(txn, &i->device.id, &i->user, PROOF_NOW_S, NULL));
    must(graph_mapping_add(txn, &i->device.id, &i->folder, PROOF_NOW_S, NULL));
    must(graph_mapping_add(txn, &r->peer.id, &i->folder, PROOF_NOW_S, NULL));
    must(graph_session_create(txn, &i->device.session, NULL));
}

static enum mauth_rc
put_items(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct round *r = arg;

    (void)err;
    for (unsigned i = 0; i < ITEMS; i++)
        put_item(txn, r, &r->item[i], r->people + i);
    return MAUTH_OK;
}

/* What a round has left. */
static enum mauth_rc
clear_items(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct round *r = arg;

    for (unsigned i = 0; i < ITEMS; i++) {
        const struct item *it = &r->item[i];
        enum mauth_rc rc = graph_user_delete(txn, &it->user, PROOF_NOW_S, err);

        if (rc != MAUTH_OK)
            assert_int_equal(rc, MAUTH_NOT_FOUND);
        rc = graph_folder_delete(txn, &it->folder, PROOF_NOW_S, err);
        if (rc != MAUTH_OK)
            assert_int_equal(rc, MAUTH_NOT_FOUND);
    }
    mauth_err_reset(err);
    return MAUTH_OK;
}

static void
begin(struct round *r)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        struct item *it = &r->item[i];

        must(id_new(&it->user, NULL));
        must(id_new(&it->folder, NULL));
        proof_begin_session(&it->device, &it->user);
        it->removal = &removals[roll(r, COUNT(removals))];
        it->sync = it->removal->sync;
    }
    must(kv_write(r->p.w.dir.store.kv, put_items, r, NULL));
    r->people += ITEMS;
    proof_publish(&r->p);
}

/* The two threads; nothing asserts in them. */

static void
form_of(const struct round *r, const struct item *i, char form[256])
{
    char id[ID_LEN + 1];

    if (i->sync) {
        id_format(ID_DEVICE, &r->peer.id, id);
        snprintf(form, 256, RELAY "&scope=sync&resource=" NODES "devices/%s", id);
    } else {
        id_format(ID_FOLDER, &i->folder, id);
        snprintf(form, 256, STORAGE "&scope=write&resource=" NODES "folders/%s", id);
    }
}

static enum mauth_rc
take_ticket(struct item *i, struct rights *rights)
{
    struct token_answer a = {.lines = 0};
    char *credential = NULL;
    enum mauth_rc rc;

    rights_answer(rights, &a);
    if (a.lines != 1)
        return MAUTH_INTERNAL;
    rc = mauth_credential_encode(
        a.line->ticket->xml, a.line->ticket->xml_len, true, &credential, NULL);
    if (rc == MAUTH_OK && asprintf(&i->authorization, "Bearer %s", credential) < 0)
        rc = MAUTH_NO_MEMORY;
    free(credential);
    return rc;
}

/* As the token endpoint does: prove, issue, and only when it is on record hand out. */
static enum mauth_rc
issue(const struct round *r, struct item *i)
{
    struct caller_world w = proof_caller(&r->p, &i->device);
    struct form *form = NULL;
    struct rights *rights = NULL;
    enum mauth_rc rc;
    char text[256];

    form_of(r, i, text);
    i->refusal[0] = '\0';
    rc = form_parse(text_of(text), &form, NULL);
    if (rc == MAUTH_OK)
        rc = rights_new(&w.ground, &w.caller, form, &rights, NULL);
    if (rc == MAUTH_OK && !rights_refusal(rights))
        rc = rights_prove(rights, NULL);
    if (rc == MAUTH_OK && !rights_refusal(rights))
        rc = rights_issue(rights, NULL);
    if (rc == MAUTH_OK && !rights_refusal(rights))
        rc = kv_write(w.dir.store.kv, rights_record, rights, NULL);
    if (rc == MAUTH_OK && rights_refusal(rights))
        snprintf(i->refusal, sizeof(i->refusal), "%s", rights_refusal(rights));
    else if (rc == MAUTH_OK)
        rc = take_ticket(i, rights);
    rights_free(rights);
    form_free(form);
    return rc;
}

static void
pause_us(int us)
{
    const struct timespec t = {0, us * 1000L};

    if (us > 0)
        nanosleep(&t, NULL);
}

static void *
issuer(void *arg)
{
    struct round *r = arg;

    for (unsigned i = 0; i < ITEMS; i++) {
        struct item *it = &r->item[i];

        pthread_barrier_wait(&r->start);
        pause_us(r->delay_us);
        it->issued = issue(r, it);
        if (it->issued == MAUTH_UNAVAILABLE && !it->removal) {
            /* Other rules are in the store and not yet in place: the client is told
             * to come again, which is as good as no. */
            snprintf(it->refusal, sizeof(it->refusal), "unavailable");
            it->issued = MAUTH_OK;
        }
        r->delay_us += it->refusal[0] ? -STEP_US : STEP_US;
        if (r->delay_us < 0 || r->delay_us > DELAY_MAX_US)
            r->delay_us = 0;
    }
    return NULL;
}

static enum mauth_rc
take(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct item *i = arg;

    (void)err;
    return i->removal->take(txn, i);
}

static void *
remover(void *arg)
{
    struct round *r = arg;

    for (unsigned i = 0; i < ITEMS; i++) {
        pthread_barrier_wait(&r->start);
        r->item[i].removed = kv_write(r->p.w.dir.store.kv, take, &r->item[i], NULL);
    }
    return NULL;
}

static void
run_both(struct round *r, void *(*first)(void *), void *(*second)(void *))
{
    pthread_t thread[2];

    assert_int_equal(pthread_barrier_init(&r->start, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread[0], NULL, first, r), 0);
    assert_int_equal(pthread_create(&thread[1], NULL, second, r), 0);
    assert_int_equal(pthread_join(thread[0], NULL), 0);
    assert_int_equal(pthread_join(thread[1], NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&r->start), 0);
}

/* Afterwards. */

static enum mauth_reason
try_ticket(const struct round *r, const struct item *i, bool *may)
{
    char id[2][ID_LEN + 1], url[160];
    const char *args[2] = {id[0], id[1]};

    id_format(ID_DEVICE, &i->device.id, id[0]);
    id_format(ID_DEVICE, &r->peer.id, id[1]);
    if (i->sync)
        return proof_check(
            r->p.relay, i->device.key, i->authorization, "sync", args, 2, may);
    id_format(ID_FOLDER, &i->folder, id[0]);
    snprintf(url, sizeof(url), NODES "folders/%s/a", id[0]);
    args[0] = url;
    return proof_check(
        r->p.storage, i->device.key, i->authorization, "write", args, 1, may);
}

static void
look_at_tickets(struct round *r, bool before)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        struct item *it = &r->item[i];
        const char *what = it->removal ? it->removal->name : "the rules change";
        enum mauth_reason reason;
        bool may;

        if (!it->authorization)
            continue;
        reason = try_ticket(r, it, &may);
        if (before && !may)
            fail_msg("%s: no good ticket: %s", what, mauth_reason_name(reason));
        if (!before && (may || reason != MAUTH_REASON_REVOKED))
            fail_msg("%s: a ticket survives: %s", what, mauth_reason_name(reason));
    }
}

static void
count_tickets(struct round *r)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        struct item *it = &r->item[i];

        assert_int_equal(it->issued, MAUTH_OK);
        assert_int_equal(it->removed, MAUTH_OK);
        assert_true((it->authorization != NULL) != (it->refusal[0] != '\0'));
        *(it->authorization ? &r->tickets : &r->refusals) += 1;
    }
}

static void
forget(struct round *r)
{
    for (unsigned i = 0; i < ITEMS; i++) {
        free(r->item[i].authorization);
        r->item[i].authorization = NULL;
    }
    must(kv_write(r->p.w.dir.store.kv, clear_items, r, NULL));
}

static int
make(void **state)
{
    static struct round r;

    memset(&r, 0, sizeof(r));
    *state = &r;
    r.random = (unsigned)time(NULL);
    r.people = 1;
    proof_make(&r.p);
    must(id_new(&r.owner, NULL));
    must(id_new(&r.peer.id, NULL));
    proof_new_key(&r.peer);
    for (unsigned i = 0; i < ITEMS; i++) {
        must(id_new(&r.item[i].device.id, NULL));
        proof_new_key(&r.item[i].device);
    }
    must(kv_write(r.p.w.dir.store.kv, put_house, &r, NULL));
    return 0;
}

static int
remove_it(void **state)
{
    struct round *r = *state;

    for (unsigned i = 0; i < ITEMS; i++) {
        free(r->item[i].authorization);
        mauth_key_free(r->item[i].device.key);
    }
    mauth_key_free(r->peer.key);
    proof_remove(&r->p);
    return 0;
}

static void
no_ticket_survives_a_removal(void **state)
{
    const char *races = getenv("MAUTH_RACES");
    unsigned long count = races ? strtoul(races, NULL, 10) : RACES;
    struct round *r = *state;

    for (unsigned long done = 0; done < count; done += ITEMS) {
        begin(r);
        run_both(r, issuer, remover);
        count_tickets(r);
        look_at_tickets(r, true);
        proof_publish(&r->p);
        look_at_tickets(r, false);
        forget(r);
    }
    print_message("%lu races: %lu tickets, all of them dead; %lu refusals\n",
        r->tickets + r->refusals, r->tickets, r->refusals);
    assert_true(r->tickets > 0 && r->refusals > 0);
}

/* Other rules, which let nobody write. */

static void *
reloader(void *arg)
{
    struct round *r = arg;

    for (unsigned i = 0; i < ITEMS; i++) {
        bool changed;

        pthread_barrier_wait(&r->start);
        r->item[i].removed =
            i == ITEMS / 2 ? in_force_reload(r->p.w.rules, &changed, NULL) : MAUTH_OK;
    }
    return NULL;
}

static void
write_rules(const struct round *r, bool strict)
{
    static const char writes[] = "can(contributor, write).       can(owner, write).";
    struct buf rules;
    char *at;

    buf_init(&rules);
    must(file_read(
        MAUTH_TEST_DATA "/../../policy/mesh.rules", MAUTH_RULES_MAX, &rules, NULL));
    assert_non_null(buf_cstr(&rules));
    at = strstr((char *)rules.data, writes);
    assert_non_null(at);
    if (strict)
        memset(at, ' ', strlen(writes));
    if (strict)
        memcpy(at, "can(nobody, write).", 19);
    must(file_replace(r->p.w.rules_file, rules.data, rules.len, FILE_PUBLIC, NULL));
    buf_clear(&rules);
}

static void
no_ticket_survives_other_rules(void **state)
{
    struct round *r = *state;
    bool changed;

    for (unsigned n = 0; n < RULES_ROUNDS; n++) {
        begin(r);
        for (unsigned i = 0; i < ITEMS; i++) {
            r->item[i].removal = NULL;
            r->item[i].sync = false;
        }
        write_rules(r, true);
        run_both(r, issuer, reloader);
        count_tickets(r);
        assert_non_null(r->item[0].authorization);     /* before */
        assert_null(r->item[ITEMS - 1].authorization); /* after */
        proof_publish(&r->p);
        look_at_tickets(r, false);
        write_rules(r, false);
        must(in_force_reload(r->p.w.rules, &changed, NULL));
        assert_true(changed);
        forget(r);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_ticket_survives_a_removal, make, remove_it),
        cmocka_unit_test_setup_teardown(
            no_ticket_survives_other_rules, make, remove_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
