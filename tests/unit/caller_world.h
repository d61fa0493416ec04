/*
 * A service with the mesh's rules in force; Alice, who has logged in on her PC, and what
 * her identity ticket says of her.
 */
#ifndef TESTS_CALLER_WORLD_H
#define TESTS_CALLER_WORLD_H

#include "authsvc/caller.h"
#include "authsvc/issue.h"
#include "authsvc/rules_in_force.h"
#include "base/file.h"
#include "store/graph_device.h"
#include "store/graph_user.h"
#include "tests/unit/audit_log.h"
#include "tests/unit/service_dir.h"

enum {
    CALLER_NOW_S = SERVICE_FROM_S + 1000,
    CALLER_SESSION_S = 40000
};

struct caller_world {
    struct service_dir dir;
    char rules_file[96];
    struct rules_in_force *rules;
    struct id alice, pc;
    struct graph_session session;
    struct caller caller;
    struct issue_ground ground;
    struct audit_log log;
};

/* Something that a test does to the store, in a transaction that runs twice. */
typedef void caller_act(struct kv_txn *txn, struct caller_world *w);

struct caller_run {
    caller_act *act;
    struct caller_world *w;
};

static inline enum mauth_rc
caller_run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct caller_run *run = arg;

    (void)err;
    run->act(txn, run->w);
    return MAUTH_OK;
}

static inline void
caller_do(struct caller_world *w, caller_act *act)
{
    struct caller_run run = {act, w};

    assert_int_equal(kv_write(w->dir.store.kv, caller_run, &run, NULL), MAUTH_OK);
}

static inline void
caller_settle(struct kv_txn *txn, struct caller_world *w)
{
    const struct graph_identity who = {text_of("https://i.example"), text_of("alice")};
    struct graph_device d = {.id = w->pc, .name = "PC"}, out;
    const uint8_t *spki = mauth_key_spki(w->dir.device, &d.spki_len);

    memcpy(d.spki, spki, d.spki_len);
    assert_int_equal(graph_user_create(txn, &w->alice, &who, 1, NULL), MAUTH_OK);
    assert_int_equal(graph_device_register(txn, &d, &out, NULL), MAUTH_OK);
    assert_int_equal(graph_device_claim(txn, &w->pc, &w->alice, 1, NULL), MAUTH_OK);
    w->session = (struct graph_session){.id = {.b = {9}},
        .subject = w->alice,
        .started_s = CALLER_NOW_S - 100,
        .ends_s = CALLER_NOW_S - 100 + CALLER_SESSION_S,
        .open = true};
    memcpy(w->session.key_hash, out.key_hash, sizeof(out.key_hash));
    assert_int_equal(graph_session_create(txn, &w->session, NULL), MAUTH_OK);
}

/* Other rules, written over those of the mesh. */
static inline void
caller_write_rules(struct caller_world *w, const char *more)
{
    FILE *f = fopen(w->rules_file, "w");
    struct buf rules;

    buf_init(&rules);
    assert_int_equal(file_read(MAUTH_TEST_DATA "/../../policy/mesh.rules",
                         MAUTH_RULES_MAX, &rules, NULL),
        MAUTH_OK);
    assert_non_null(f);
    assert_true(fprintf(f, "%s%s", buf_cstr(&rules), more) > 0);
    assert_int_equal(fclose(f), 0);
    buf_clear(&rules);
}

static inline int
caller_world_make(struct caller_world *w, const char *more_rules)
{
    memset(w, 0, sizeof(*w));
    service_make_with_key(&w->dir, "?twice=1"); /* as when a batch is replayed */
    snprintf(w->rules_file, sizeof(w->rules_file), "%s/mesh.rules", w->dir.store.dir);
    caller_write_rules(w, more_rules);
    assert_int_equal(
        in_force_open(w->dir.store.kv, w->rules_file, &w->rules, NULL), MAUTH_OK);
    w->dir.service.rules = w->rules;
    w->alice.b[0] = 1;
    w->pc.b[0] = 2;
    caller_do(w, caller_settle);
    w->caller = (struct caller){.now_s = CALLER_NOW_S,
        .proof = {.key = w->dir.device},
        .kind = ID_USER,
        .principal = w->alice,
        .session = w->session.id};
    memcpy(w->caller.key_hash, w->session.key_hash, sizeof(w->caller.key_hash));
    w->ground = (struct issue_ground){.service = &w->dir.service,
        .holder = w->dir.device,
        .client = "192.0.2.1",
        .request = "request-1"};
    return 0;
}

static inline int
caller_world_remove(struct caller_world *w)
{
    audit_log_clear(&w->log);
    in_force_close(w->rules);
    unlink(w->rules_file);
    service_remove(&w->dir);
    return 0;
}

static inline enum mauth_rc
caller_read_session(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct graph_session *s = arg;
    struct id id = s->id;

    return graph_session_by_id(txn, &id, s, err);
}

static inline struct graph_session
caller_session_now(const struct caller_world *w)
{
    struct graph_session s = {.id = w->session.id};

    assert_int_equal(kv_read(w->dir.store.kv, caller_read_session, &s, NULL), MAUTH_OK);
    return s;
}

/* How many records there are; they are in w->log. */
static inline size_t
caller_records(struct caller_world *w)
{
    audit_log_clear(&w->log);
    audit_log_read(&w->log, w->dir.store.kv);
    return w->log.count;
}

#endif
