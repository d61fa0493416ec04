/*
 * A store with a log: a record each hour, of one user after the other, and the questions
 * that its tests share.
 */
#ifndef TESTS_UNIT_AUDIT_WORLD_H
#define TESTS_UNIT_AUDIT_WORLD_H

#include "base/id.h"
#include "store/audit_archive.h"
#include "store/audit_erase.h"
#include "store/audit_find.h"
#include "store/audit_prove.h"
#include "store/audit_verify.h"
#include "store/issued.h"
#include "tests/unit/store_dir.h"

enum {
    RECORDS = 2000,
    USERS = 7
};

#define START_US INT64_C(1795341900000000)
#define HOUR_US  INT64_C(3600000000)
#define DAY_US   INT64_C(86400000000)

struct world {
    struct store_dir s;
    char user[USERS][ID_LEN + 1];
    uint64_t from, to;
    uint8_t seed; /* of its salts */
};

static inline void
ticket_of(uint64_t i, char out[ISSUED_ID + 1])
{
    snprintf(out, ISSUED_ID + 1, "_%032x", (unsigned)i);
}

static inline enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct world *w = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (uint64_t i = w->from; i < w->to && rc == MAUTH_OK; i++) {
        uint8_t salt[AUDIT_SALT] = {(uint8_t)i, (uint8_t)(i >> 8), w->seed};
        char ticket[ISSUED_ID + 1];
        const struct audit_record r = {.time_us = START_US + (int64_t)i * HOUR_US,
            .actor = w->user[i % USERS],
            .action = i % 5 ? "ticket.issue" : "folder.create",
            .outcome = i % 5 ? "allow" : "done",
            .ticket = i % 5 ? ticket : NULL,
            .digest = i % 5 ? salt : NULL};

        ticket_of(i, ticket);
        rc = audit_append_record(txn, &r, salt, err);
    }
    return rc;
}

static inline void
make(struct world *w)
{
    struct id id;

    store_make(&w->s, "");
    for (size_t i = 0; i < USERS; i++) {
        memset(id.b, (int)(i + 1), sizeof(id.b));
        id_format(ID_USER, &id, w->user[i]);
    }
    w->from = 0;
    w->to = RECORDS;
    assert_int_equal(kv_write(w->s.kv, append, w, NULL), MAUTH_OK);
}

static inline struct audit_range
range(struct world *w)
{
    struct audit_range r;

    assert_int_equal(audit_range(w->s.kv, &r, NULL), MAUTH_OK);
    return r;
}

/* All steps that there are; how many. */
static inline size_t
keep(struct world *w, struct audit_index *index, struct audit_keep k, int64_t now_us)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    size_t steps = 0;
    bool more = true;

    for (; more; steps++)
        if (audit_archive_step(w->s.kv, index, &k, now_us, &more, &err) != MAUTH_OK)
            fail_msg("%s", err.text);
    return steps - 1;
}

static inline int64_t
time_of(uint64_t i)
{
    return START_US + (int64_t)i * HOUR_US;
}

struct found {
    uint64_t sequence[RECORDS + 64];
    size_t count;
};

static inline bool
note(uint64_t sequence, struct text json, void *arg)
{
    struct found *f = arg;

    assert_true(json.len > 0);
    if (sequence < RECORDS) /* not what tells of segments */
        f->sequence[f->count++] = sequence;
    return true;
}

static inline struct found *
find(struct world *w, struct audit_index *index, struct audit_filter f)
{
    static struct found found;
    struct mauth_err err = MAUTH_ERR_INIT;

    found.count = 0;
    if (audit_find(w->s.kv, index, &f, note, &found, NULL, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return &found;
}

static inline bool
count_found(uint64_t sequence, struct text json, void *arg)
{
    (void)sequence;
    (void)json;
    ++*(size_t *)arg;
    return true;
}

static inline struct audit_verdict
verify(struct world *w)
{
    struct audit_verify_options o = {.seen = NULL};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct audit_verdict v;

    if (audit_verify(w->s.kv, &o, &v, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    return v;
}

static inline struct audit_segments
segments(struct world *w)
{
    struct audit_segments all;

    assert_int_equal(audit_segments_read(w->s.kv, &all, NULL), MAUTH_OK);
    return all;
}

/* arg: the user. */
static inline enum mauth_rc
begin_erasure(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_erase_begin(txn, arg, err);
}

#endif
