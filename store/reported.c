#include "store/reported.h"

#include <string.h>

#include "base/fail.h"
#include "store/graph_record.h"
#include "store/graph_service.h"

_Static_assert(1 + 44 + REPORTED_TICKETS * REPORTED_TICKET +
                       REPORTED_JOURNALS * sizeof(struct reported_journal) <=
                   RECORD_MAX,
    "a report must fit into a record");

static bool
read_record(struct reader *r, struct reported *out)
{
    out->since_s = (int64_t)reader_u64(r);
    out->last_s = (int64_t)reader_u64(r);
    out->alarms = reader_u64(r);
    out->untold = reader_u64(r);
    out->told = reader_u32(r);
    out->tickets = reader_u32(r);
    out->journals = reader_u32(r);
    if (out->tickets > REPORTED_TICKETS || out->journals > REPORTED_JOURNALS)
        return false;
    reader_copy(r, out->ticket, (size_t)out->tickets * REPORTED_TICKET);
    for (uint32_t i = 0; i < out->journals; i++) {
        reader_copy(r, out->journal[i].id, sizeof(out->journal[i].id));
        out->journal[i].next = reader_u64(r);
    }
    return reader_done(r);
}

enum mauth_rc
reported_load(struct kv_txn *txn, const struct id *service, struct reported *out,
    struct mauth_err *err)
{
    struct reader r;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    out->service = *service;
    rc = record_load(txn, SPACE_REPORTED, service->b, ID_BYTES, &r, err);
    if (rc == MAUTH_NOT_FOUND)
        return MAUTH_OK;
    if (rc == MAUTH_OK && !read_record(&r, out))
        rc = record_damaged("report", err);
    return rc;
}

enum mauth_rc
reported_put(struct kv_txn *txn, const struct reported *r, struct mauth_err *err)
{
    struct graph_service service;
    uint8_t raw[RECORD_MAX];
    enum mauth_rc rc;
    struct buf b;

    rc = graph_service_by_id(txn, &r->service, &service, err);
    if (rc == MAUTH_OK && !service.live)
        rc = MAUTH_NOT_FOUND;
    if (rc != MAUTH_OK)
        return rc;
    record_open(&b, raw);
    buf_u64(&b, (uint64_t)r->since_s);
    buf_u64(&b, (uint64_t)r->last_s);
    buf_u64(&b, r->alarms);
    buf_u64(&b, r->untold);
    buf_u32(&b, r->told);
    buf_u32(&b, r->tickets);
    buf_u32(&b, r->journals);
    buf_put(&b, r->ticket, (size_t)r->tickets * REPORTED_TICKET);
    for (uint32_t i = 0; i < r->journals; i++) {
        buf_put(&b, r->journal[i].id, sizeof(r->journal[i].id));
        buf_u64(&b, r->journal[i].next);
    }
    return record_save(txn, SPACE_REPORTED, r->service.b, ID_BYTES, &b, err);
}

enum mauth_rc
reported_forget(struct kv_txn *txn, const struct id *service, struct mauth_err *err)
{
    struct store_key key;

    store_key(&key, SPACE_REPORTED, service->b, ID_BYTES);
    return kv_delete(txn, store_key_text(&key), err);
}

static bool
is_on_record(const struct reported *r, const uint8_t ticket[REPORTED_TICKET])
{
    for (uint32_t i = 0; i < r->tickets; i++)
        if (memcmp(r->ticket[i], ticket, REPORTED_TICKET) == 0)
            return true;
    return false;
}

bool
reported_alarm(struct reported *r, const uint8_t ticket[REPORTED_TICKET], int64_t now_s,
    uint64_t *count)
{
    if (now_s - r->since_s >= REPORTED_HOUR_S || now_s < r->since_s) {
        r->since_s = now_s;
        r->told = 0;
    }
    r->last_s = now_s;
    r->alarms++;
    r->untold++;
    if (r->told >= REPORTED_ALARMS || is_on_record(r, ticket))
        return false;
    if (r->tickets < REPORTED_TICKETS)
        r->tickets++;
    memmove(r->ticket[1], r->ticket[0], (size_t)(r->tickets - 1) * REPORTED_TICKET);
    memcpy(r->ticket[0], ticket, REPORTED_TICKET);
    *count = r->untold;
    r->untold = 0;
    r->told++;
    return true;
}

bool
reported_entry(struct reported *r, const uint8_t journal[16], uint64_t number)
{
    struct reported_journal j = {.next = 0};
    uint32_t i = 0;

    while (i < r->journals && memcmp(r->journal[i].id, journal, sizeof(j.id)) != 0)
        i++;
    if (i < r->journals)
        j = r->journal[i];
    else if (r->journals < REPORTED_JOURNALS)
        r->journals++;
    else
        i--; /* the one that was read first of them goes */
    memcpy(j.id, journal, sizeof(j.id));
    memmove(&r->journal[1], &r->journal[0], i * sizeof(j));
    r->journal[0] = j;
    if (number < j.next)
        return false;
    r->journal[0].next = number + 1;
    return true;
}

/* All of them. */

struct walk {
    int64_t since_s;
    reported_each *each;
    void *arg;
    bool is_damaged;
};

static bool
visit(struct text key, struct text value, void *arg)
{
    struct walk *w = arg;
    struct reported one = {.tickets = 0};
    struct reader r;

    w->is_damaged =
        key.len != 1 + ID_BYTES || !record_begin(value, &r) || !read_record(&r, &one);
    if (w->is_damaged)
        return false;
    memcpy(one.service.b, key.p + 1, ID_BYTES);
    return one.last_s < w->since_s || w->each(&one, w->arg);
}

enum mauth_rc
reported_alarms(struct kv_txn *txn, int64_t since_s, reported_each *each, void *arg,
    struct mauth_err *err)
{
    struct walk w = {.since_s = since_s, .each = each, .arg = arg};
    struct store_key first, end;
    enum mauth_rc rc;

    store_key(&first, SPACE_REPORTED, NULL, 0);
    store_key(&end, (enum store_space)(SPACE_REPORTED + 1), NULL, 0);
    rc = kv_scan(
        txn, store_key_text(&first), store_key_text(&end), KV_UP, visit, &w, err);
    return rc == MAUTH_OK && w.is_damaged ? record_damaged("report", err) : rc;
}
