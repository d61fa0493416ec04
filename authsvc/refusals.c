#include "authsvc/refusals.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "store/audit.h"

struct row {
    int64_t minute;
    const char *reason;
    uint64_t count;
    char prefix[REFUSALS_PREFIX];
};

struct refusals {
    pthread_mutex_t lock;
    size_t rows;
    struct row row[REFUSALS_ROWS + 1]; /* the last is for what does not fit */
};

enum mauth_rc
refusals_new(struct refusals **out, struct mauth_err *err)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return mauth_fail(err, MAUTH_NO_MEMORY, "refusals: no memory");
    pthread_mutex_init(&(*out)->lock, NULL);
    return MAUTH_OK;
}

void
refusals_free(struct refusals *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void
prefix_of_ipv4(const unsigned char *bytes, char out[REFUSALS_PREFIX])
{
    snprintf(out, REFUSALS_PREFIX, "%u.%u.%u.0/24", bytes[0], bytes[1], bytes[2]);
}

static void
prefix_of_ipv6(struct in6_addr a, char out[REFUSALS_PREFIX])
{
    char text[INET6_ADDRSTRLEN];

    memset(a.s6_addr + 8, 0, 8);
    inet_ntop(AF_INET6, &a, text, sizeof(text));
    snprintf(out, REFUSALS_PREFIX, "%s/64", text);
}

void
refusals_prefix(const char *client, char out[REFUSALS_PREFIX])
{
    struct in6_addr six;
    struct in_addr four;

    if (inet_pton(AF_INET, client, &four) == 1)
        prefix_of_ipv4((const unsigned char *)&four, out);
    else if (inet_pton(AF_INET6, client, &six) != 1)
        snprintf(out, REFUSALS_PREFIX, "%.*s", REFUSALS_PREFIX - 1, client);
    else if (IN6_IS_ADDR_V4MAPPED(&six)) /* IPv4, on a socket for both */
        prefix_of_ipv4(six.s6_addr + 12, out);
    else
        prefix_of_ipv6(six, out);
}

static struct row *
find_row(struct refusals *r, int64_t minute, const char *prefix, const char *reason)
{
    struct row *row = r->row;

    for (; row < r->row + r->rows; row++)
        if (row->minute == minute && strcmp(row->reason, reason) == 0 &&
            strcmp(row->prefix, prefix) == 0)
            return row;
    if (r->rows == REFUSALS_ROWS) {
        row = &r->row[REFUSALS_ROWS];
        prefix = reason = "other";
        if (row->count)
            return row;
    } else {
        r->rows++;
    }
    row->minute = minute;
    row->reason = reason;
    row->count = 0;
    snprintf(row->prefix, sizeof(row->prefix), "%s", prefix);
    return row;
}

void
refusals_count(
    struct refusals *r, int64_t now_s, const char *client, const char *reason)
{
    char prefix[REFUSALS_PREFIX];

    refusals_prefix(client, prefix);
    pthread_mutex_lock(&r->lock);
    find_row(r, now_s / 60, prefix, reason)->count++;
    pthread_mutex_unlock(&r->lock);
}

/* The records of a flush, made ready before the transaction. */
struct batch {
    size_t count;
    struct audit_entry *entry[REFUSALS_ROWS + 1];
};

static enum mauth_rc
append_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct batch *b = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < b->count && rc == MAUTH_OK; i++)
        rc = audit_append(txn, b->entry[i], err);
    return rc;
}

static enum mauth_rc
entry_of(const struct row *row, struct audit_entry **out, struct mauth_err *err)
{
    struct audit_record record = {
        .time_us = row->minute * 60 * 1000000,
        .actor = "meshauthd",
        .action = "refused",
        .outcome = "deny",
        .reason = row->reason,
        .client = row->prefix,
        .count = row->count,
    };

    return audit_entry_new(&record, out, err);
}

/* Takes the rows out; what is counted meanwhile starts new ones. */
static size_t
take_rows(struct refusals *r, struct row *rows)
{
    size_t count;

    pthread_mutex_lock(&r->lock);
    count = r->rows;
    memcpy(rows, r->row, count * sizeof(*rows));
    if (r->row[REFUSALS_ROWS].count)
        rows[count++] = r->row[REFUSALS_ROWS];
    r->rows = 0;
    r->row[REFUSALS_ROWS].count = 0;
    pthread_mutex_unlock(&r->lock);
    return count;
}

static void
put_back(struct refusals *r, const struct row *rows, size_t count)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < count; i++)
        find_row(r, rows[i].minute, rows[i].prefix, rows[i].reason)->count +=
            rows[i].count;
    pthread_mutex_unlock(&r->lock);
}

enum mauth_rc
refusals_flush(struct refusals *r, struct kv *kv, struct mauth_err *err)
{
    struct batch batch = {0};
    struct row *rows;
    enum mauth_rc rc;
    size_t count;

    rc = kv_check(kv, err);
    if (rc)
        return rc;
    rows = calloc(REFUSALS_ROWS + 1, sizeof(*rows));
    if (!rows)
        return mauth_fail(err, MAUTH_NO_MEMORY, "refusals: no memory");
    count = take_rows(r, rows);
    for (size_t i = 0; i < count && rc == MAUTH_OK; i++) {
        rc = entry_of(&rows[i], &batch.entry[i], err);
        batch.count += rc == MAUTH_OK;
    }
    if (rc == MAUTH_OK && count)
        rc = kv_write(kv, append_all, &batch, err);
    if (rc != MAUTH_OK)
        put_back(r, rows, count);
    for (size_t i = 0; i < batch.count; i++)
        audit_entry_free(batch.entry[i]);
    free(rows);
    return rc;
}
