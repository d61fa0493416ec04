#include "authsvc/verifiers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "keys/trust.h"

/* One, and whether that is on record. */
struct row {
    struct readiness is;
    bool is_news;
    bool is_gone;
};

struct verifiers {
    struct kv *kv;
    pthread_mutex_t lock;
    struct row *row;
    size_t count;
    struct trust_report file[VERIFIERS_FILES]; /* a ring */
    size_t files;                              /* ever put in */
};

/* Begin and end. */

static struct row *
add(struct verifiers *v, const struct readiness *is)
{
    struct row *grown = realloc(v->row, (v->count + 1) * sizeof(*grown));

    if (!grown)
        return NULL;
    v->row = grown;
    grown[v->count] = (struct row){.is = *is};
    return &grown[v->count++];
}

struct reading {
    struct readiness *is;
    size_t count;
};

static enum mauth_rc
read_all(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct reading *reading = arg;

    return readiness_take(txn, &reading->is, &reading->count, err);
}

static enum mauth_rc
take_up(struct verifiers *v, struct mauth_err *err)
{
    struct reading reading = {NULL, 0};
    enum mauth_rc rc = kv_read(v->kv, read_all, &reading, err);

    for (size_t i = 0; i < reading.count && rc == MAUTH_OK; i++)
        if (!add(v, &reading.is[i]))
            rc = mauth_fail(err, MAUTH_NO_MEMORY, "verifiers: no memory");
    free(reading.is);
    return rc;
}

enum mauth_rc
verifiers_open(struct kv *kv, struct verifiers **out, struct mauth_err *err)
{
    struct verifiers *v = calloc(1, sizeof(*v));
    enum mauth_rc rc;

    *out = NULL;
    if (!v)
        return mauth_fail(err, MAUTH_NO_MEMORY, "verifiers: no memory");
    v->kv = kv;
    pthread_mutex_init(&v->lock, NULL);
    rc = take_up(v, err);
    if (rc != MAUTH_OK) {
        verifiers_close(v);
        return rc;
    }
    *out = v;
    return MAUTH_OK;
}

void
verifiers_close(struct verifiers *v)
{
    if (!v)
        return;
    pthread_mutex_destroy(&v->lock);
    free(v->row);
    free(v);
}

/* What we published. */

void
verifiers_published(struct verifiers *v, const struct mauth_trust *trust)
{
    struct trust_report *file;

    pthread_mutex_lock(&v->lock);
    file = &v->file[v->files++ % VERIFIERS_FILES];
    file->place = trust_place_of(trust);
    memcpy(file->hash, trust_hash(trust), HASH_LEN);
    pthread_mutex_unlock(&v->lock);
}

/* Another than ours? Of what lies before the ones that are known nobody can say. */
static bool
is_strange(const struct verifiers *v, const struct trust_report *report)
{
    size_t known = v->files < VERIFIERS_FILES ? v->files : VERIFIERS_FILES;
    bool is_known_time = known == 0;

    for (size_t i = 0; i < known; i++) {
        int order = trust_place_compare(v->file[i].place, report->place);

        if (order == 0)
            return memcmp(v->file[i].hash, report->hash, HASH_LEN) != 0;
        is_known_time = is_known_time || order < 0;
    }
    return known && is_known_time;
}

/* Reports. */

bool
verifiers_read(struct text t, struct trust_report *out)
{
    const char *dot = memrchr(t.p, '.', t.len);
    struct text place = {t.p, dot ? (size_t)(dot - t.p) : 0}, hash = {"", 0};

    memset(out, 0, sizeof(*out));
    if (!dot || !trust_place_read(place, &out->place))
        return false;
    hash.p = dot + 1;
    hash.len = t.len - place.len - 1;
    return str_unhex(hash, HASH_LEN, out->hash);
}

/* It is looked for at this place first. */
static struct row *
find(const struct verifiers *v, const struct id *service, size_t at)
{
    for (size_t n = 0; n < v->count; n++) {
        struct row *row = &v->row[(at + n) % v->count];

        if (memcmp(row->is.service.b, service->b, ID_BYTES) == 0)
            return row;
    }
    return NULL;
}

static bool
says_it_again(const struct row *row, const struct trust_report *report)
{
    return trust_place_compare(row->is.loaded, report->place) == 0 &&
           memcmp(row->is.hash, report->hash, HASH_LEN) == 0;
}

enum mauth_rc
verifiers_report(struct verifiers *v, const struct id *service,
    const struct trust_report *report, int64_t now_s, bool *is_alarm,
    struct mauth_err *err)
{
    const struct readiness first = {.service = *service};
    enum mauth_rc rc = MAUTH_OK;
    struct row *row;

    *is_alarm = false;
    pthread_mutex_lock(&v->lock);
    row = find(v, service, 0);
    if (!row)
        row = add(v, &first);
    if (!row) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "verifiers: no memory");
        goto out;
    }
    if (!row->is.seen_s || !says_it_again(row, report)) {
        row->is.loaded = report->place;
        memcpy(row->is.hash, report->hash, HASH_LEN);
        row->is.since_s = now_s;
        row->is.is_strange = is_strange(v, report);
        *is_alarm = row->is.is_strange;
    }
    row->is.seen_s = now_s;
    row->is_news = true;
out:
    pthread_mutex_unlock(&v->lock);
    return rc;
}

/* On record. */

static enum mauth_rc
copy(struct verifiers *v, struct row **out, size_t *count, struct mauth_err *err)
{
    pthread_mutex_lock(&v->lock);
    *count = v->count;
    *out = calloc(v->count + 1, sizeof(**out));
    if (*out && v->count)
        memcpy(*out, v->row, v->count * sizeof(**out));
    pthread_mutex_unlock(&v->lock);
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "verifiers: no memory");
}

struct batch {
    struct row *row;
    size_t count;
};

static enum mauth_rc
put_batch(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct batch *b = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (size_t i = 0; i < b->count && rc == MAUTH_OK; i++) {
        if (!b->row[i].is_news)
            continue;
        rc = readiness_put(txn, &b->row[i].is, err);
        b->row[i].is_gone = rc == MAUTH_NOT_FOUND;
        if (b->row[i].is_gone)
            rc = MAUTH_OK;
    }
    return rc;
}

/* What was put is no news, unless it has been reported anew; what is gone goes. */
static void
settle(struct verifiers *v, const struct batch *b)
{
    pthread_mutex_lock(&v->lock);
    for (size_t i = 0; i < b->count; i++) {
        struct row *row = find(v, &b->row[i].is.service, i);

        if (row && b->row[i].is_gone)
            *row = v->row[--v->count];
        else if (row && row->is.seen_s == b->row[i].is.seen_s &&
                 row->is.since_s == b->row[i].is.since_s)
            row->is_news = false;
    }
    pthread_mutex_unlock(&v->lock);
}

enum mauth_rc
verifiers_flush(struct verifiers *v, struct mauth_err *err)
{
    struct batch b = {0};
    bool is_news = false;
    enum mauth_rc rc = copy(v, &b.row, &b.count, err);

    for (size_t i = 0; i < b.count && rc == MAUTH_OK; i++)
        is_news = is_news || b.row[i].is_news;
    if (rc == MAUTH_OK && is_news)
        rc = kv_write(v->kv, put_batch, &b, err);
    if (rc == MAUTH_OK)
        settle(v, &b);
    free(b.row);
    return rc;
}

enum mauth_rc
verifiers_take(
    struct verifiers *v, struct readiness **out, size_t *count, struct mauth_err *err)
{
    struct row *row;
    enum mauth_rc rc = copy(v, &row, count, err);

    *out = NULL;
    if (rc != MAUTH_OK)
        return rc;
    *out = calloc(*count + 1, sizeof(**out));
    for (size_t i = 0; *out && i < *count; i++)
        (*out)[i] = row[i].is;
    free(row);
    return *out ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "verifiers: no memory");
}
