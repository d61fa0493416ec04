#include "store/issued.h"

#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "store/audit.h"
#include "store/audit_find.h"

enum {
    BATCH = 4096,   /* records of one read transaction */
    TIME_EACH = 64, /* of them the time of one is looked at */
    CANDIDATES = 64 /* of the index, for one ticket */
};

struct search {
    struct issued_ticket *ticket;
    size_t count;
    size_t left; /* not found so far */
    int64_t since_us;
    uint64_t at;     /* records from here downwards ... */
    uint64_t floor;  /* ... to this one */
    uint64_t looked; /* how many */
    bool has_ended;  /* what lies below is older than since_us */
    bool lacks_some; /* records that are gone or damaged */
    bool was_erased; /* an index knows nothing of such records */
    uint64_t candidate[CANDIDATES];
    size_t candidates;
};

/* A record. */

static struct issued_ticket *
find_ticket(struct search *s, const char *id)
{
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(s->ticket[i].id, id, ISSUED_ID) == 0)
            return &s->ticket[i];
    return NULL;
}

static void
found(struct search *s, struct issued_ticket *t, const uint8_t digest[HASH_LEN])
{
    if (t->state == ISSUED_HERE)
        return;
    if (memcmp(t->digest, digest, HASH_LEN) == 0) {
        t->state = ISSUED_HERE;
        s->left--;
    } else {
        t->state = ISSUED_OTHERWISE;
    }
}

/* What follows this, which can stand nowhere else in a record: quotes are escaped. */
static const char *
member(struct text json, const char *begin, size_t len)
{
    size_t n = strlen(begin);
    const char *at = memmem(json.p, json.len, begin, n);

    return at && json.len - (size_t)(at - json.p) >= n + len ? at + n : NULL;
}

static void
look_at_kept(struct search *s, struct text json)
{
    static const size_t digest_len = 44;
    const char *id = member(json, "\"ticket\":\"", ISSUED_ID), *digest;
    struct issued_ticket *t = id ? find_ticket(s, id) : NULL;
    struct audit_terms terms;
    uint8_t raw[HASH_LEN];
    size_t len;

    if (!t)
        return;
    digest = member(json, "\"digest\":\"", digest_len);
    if (digest && audit_terms_read(json, &terms) && audit_terms_are_of_issue(&terms) &&
        b64_decode(B64_STD, digest, digest_len, raw, sizeof(raw), &len) &&
        len == sizeof(raw))
        found(s, t, raw);
}

/* Of one that was erased, these two are left: they are kept for nothing else. */
static void
look_at(struct search *s, const struct audit_stored *record)
{
    struct issued_ticket *t = NULL;

    if (!record->erased) {
        look_at_kept(s, record->json);
        return;
    }
    if (record->ticket.len == ISSUED_ID && record->digest.len == HASH_LEN)
        t = find_ticket(s, record->ticket.p);
    if (t)
        found(s, t, (const uint8_t *)record->digest.p);
}

/* One by one, the newest first. */

static bool
is_older(const struct search *s, const struct audit_stored *record)
{
    struct audit_terms terms;

    if (record->erased)
        return record->time_us < s->since_us;
    return audit_terms_read(record->json, &terms) && terms.time_us < s->since_us;
}

static enum mauth_rc
look_through(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct search *s = arg;

    for (size_t n = 0; n < BATCH && s->at > s->floor && s->left && !s->has_ended; n++) {
        struct mauth_err why = MAUTH_ERR_INIT;
        struct audit_stored record;
        enum mauth_rc rc = audit_get(txn, --s->at, &record, &why);

        s->looked++;
        if (rc == MAUTH_NOT_FOUND || rc == MAUTH_UNAVAILABLE) {
            s->lacks_some = true; /* in an archive, or damaged */
            continue;
        }
        if (rc)
            return mauth_fail(err, rc, "%s", why.text);
        look_at(s, &record);
        s->has_ended = n % TIME_EACH == 0 && is_older(s, &record);
    }
    return MAUTH_OK;
}

static enum mauth_rc
walk(struct kv *kv, struct search *s, uint64_t from, uint64_t floor,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    s->at = from;
    s->floor = floor;
    while (rc == MAUTH_OK && s->left && s->at > s->floor && !s->has_ended &&
           s->looked < ISSUED_LOOKED)
        rc = kv_read(kv, look_through, s, err);
    if (s->left && s->at > s->floor && !s->has_ended)
        s->lacks_some = true;
    return rc;
}

/* By the index: the oldest first, as nothing names a ticket before its issue does. */

static bool
take_candidate(uint64_t sequence, void *arg)
{
    struct search *s = arg;

    s->candidate[s->candidates++] = sequence;
    return s->candidates < CANDIDATES;
}

static enum mauth_rc
look_at_candidates(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct search *s = arg;

    (void)err;
    for (size_t i = 0; i < s->candidates; i++) {
        struct audit_stored record;

        if (audit_get(txn, s->candidate[i], &record, NULL) == MAUTH_OK)
            look_at(s, &record);
        else
            s->lacks_some = true;
    }
    return MAUTH_OK;
}

static enum mauth_rc
ask_index(struct kv *kv, struct audit_index *index, struct search *s, uint64_t first,
    uint64_t next, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < s->count && rc == MAUTH_OK; i++) {
        struct audit_filter f = {
            .value[AUDIT_TICKET] = s->ticket[i].id, .oldest_first = true};

        if (s->ticket[i].state == ISSUED_HERE)
            continue;
        s->candidates = 0;
        audit_index_find(index, &f, first, next, take_candidate, s);
        if (s->candidates)
            rc = kv_read(kv, look_at_candidates, s, err);
    }
    return rc;
}

static bool
take_erasure(uint64_t sequence, struct text json, void *arg)
{
    (void)sequence;
    (void)json;
    *(bool *)arg = true;
    return false;
}

/* An index does not know of records that were erased. That they were is on record. */
static enum mauth_rc
look_for_erasures(
    struct kv *kv, struct audit_index *index, struct search *s, struct mauth_err *err)
{
    const struct audit_filter f = {
        .value[AUDIT_ACTION] = "audit.erase", .since_us = s->since_us, .limit = 1};

    return audit_find(kv, index, &f, take_erasure, &s->was_erased, NULL, err);
}

/* The newest, which the index does not have yet; then by the index; then what is left of
 * the time that is asked for. */
static enum mauth_rc
search(
    struct kv *kv, struct audit_index *index, struct search *s, struct mauth_err *err)
{
    struct audit_range b = {0, 0};
    uint64_t first = 0, next = 0;
    enum mauth_rc rc = audit_range(kv, &b, err);

    if (index)
        audit_index_range(index, &first, &next);
    if (next > b.next || first >= next)
        first = next = b.next;
    first = first < b.first ? b.first : first;
    next = next < first ? first : next;
    if (rc == MAUTH_OK)
        rc = walk(kv, s, b.next, next, err);
    if (rc == MAUTH_OK && s->left && !s->has_ended && next > first)
        rc = ask_index(kv, index, s, first, next, err);
    if (rc == MAUTH_OK && s->left && !s->has_ended && next > first)
        rc = look_for_erasures(kv, index, s, err);
    if (rc == MAUTH_OK && s->left && s->was_erased)
        rc = walk(kv, s, next, first, err);
    if (rc == MAUTH_OK && s->left && !s->has_ended)
        rc = walk(kv, s, first, b.first, err);
    if (rc == MAUTH_OK && s->left && !s->has_ended && b.first > 0) {
        rc = walk(kv, s, b.first + 1, b.first, err); /* its time */
        s->lacks_some = s->lacks_some || !s->has_ended;
    }
    return rc;
}

enum mauth_rc
issued_find(struct kv *kv, struct audit_index *index, struct issued_ticket *tickets,
    size_t count, int64_t since_us, struct mauth_err *err)
{
    struct search s = {
        .ticket = tickets, .count = count, .left = count, .since_us = since_us};
    enum mauth_rc rc;

    for (size_t i = 0; i < count; i++)
        tickets[i].state = ISSUED_NOWHERE;
    rc = count ? search(kv, index, &s, err) : MAUTH_OK;
    for (size_t i = 0; i < count; i++)
        if (tickets[i].state == ISSUED_NOWHERE && s.lacks_some)
            tickets[i].state = ISSUED_UNSURE;
    return rc;
}
