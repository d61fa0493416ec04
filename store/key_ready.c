#include "store/key_ready.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/time.h"
#include "store/graph_service.h"

enum {
    NAMED = 2 /* in a refusal, so that it is one sentence */
};

static enum mauth_rc
add(struct kv_txn *txn, const struct readiness *is, struct key_ready *r,
    struct mauth_err *err)
{
    struct graph_service service;
    struct key_verifier *v = &r->verifier[r->count];
    enum mauth_rc rc;

    if (r->now_s - is->seen_s > READINESS_DAY_S)
        return MAUTH_OK;
    rc = graph_service_by_id(txn, &is->service, &service, err);
    if (rc == MAUTH_NOT_FOUND || (rc == MAUTH_OK && !service.live))
        return MAUTH_OK;
    if (rc != MAUTH_OK)
        return rc;
    v->is = *is;
    memcpy(v->name, service.name, sizeof(v->name));
    r->count++;
    return MAUTH_OK;
}

static int
by_name(const void *a, const void *b)
{
    return strcmp(
        ((const struct key_verifier *)a)->name, ((const struct key_verifier *)b)->name);
}

static enum mauth_rc
take(struct kv_txn *txn, const struct key_reports *reports, struct key_ready *r,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    r->verifier = calloc(reports->count + 1, sizeof(*r->verifier));
    if (!r->verifier)
        return mauth_fail(err, MAUTH_NO_MEMORY, "keys: no memory");
    for (size_t i = 0; i < reports->count && rc == MAUTH_OK; i++)
        rc = add(txn, &reports->is[i], r, err);
    qsort(r->verifier, r->count, sizeof(*r->verifier), by_name);
    return rc;
}

enum mauth_rc
key_ready_take(struct kv_txn *txn, const struct key_reports *reports, int64_t now_s,
    struct key_ready *out, struct mauth_err *err)
{
    struct readiness *on_record = NULL;
    struct key_reports all = *reports;
    enum mauth_rc rc = MAUTH_OK;

    *out = (struct key_ready){.now_s = now_s};
    if (!all.is) {
        rc = readiness_take(txn, &on_record, &all.count, err);
        all.is = on_record;
    }
    if (rc == MAUTH_OK)
        rc = take(txn, &all, out, err);
    free(on_record);
    return rc;
}

void
key_ready_clear(struct key_ready *r)
{
    free(r->verifier);
    memset(r, 0, sizeof(*r));
}

enum mauth_rc
key_ready_check(
    const struct key_ready *r, struct trust_place listed, struct mauth_err *err)
{
    char names[2 * NAMED * GRAPH_NAME_MAX + 1], since[TIME_LEN + 1], more[32] = "";
    size_t lacking = 0;
    struct buf b;

    buf_init_fixed(&b, names, sizeof(names) - 1);
    for (size_t i = 0; i < r->count; i++) {
        const struct key_verifier *v = &r->verifier[i];

        if (!readiness_lacks(&v->is, listed, r->now_s) || lacking++ >= NAMED)
            continue;
        time_format(v->is.since_s, since);
        buf_printf(&b, "%s%s (since %s)", lacking > 1 ? ", " : "", v->name, since);
    }
    names[b.len] = '\0';
    if (lacking > NAMED)
        snprintf(more, sizeof(more), " and %zu more", lacking - NAMED);
    if (!lacking)
        return MAUTH_OK;
    return mauth_fail(
        err, MAUTH_CONFLICT, "Who has not loaded the key yet: %s%s.", names, more);
}

static void
put_verifier(struct buf *out, const struct key_ready *r, const struct key_verifier *v,
    struct trust_place listed, const char *issuer)
{
    char id[ID_LEN + 1], place[TRUST_PLACE_MAX + 1], since[TIME_LEN + 1],
        seen[TIME_LEN + 1];

    id_format(ID_SERVICE, &v->is.service, id);
    trust_place_format(v->is.loaded, place);
    time_format(v->is.since_s, since);
    time_format(v->is.seen_s, seen);
    buf_printf(out, "{\"id\":\"%s\",\"url\":\"", id);
    buf_str(out, issuer);
    buf_printf(out,
        "/v1/admin/services/%s\",\"name\":\"%s\",\"loaded\":\"%s\",\"since\":\"%s\""
        ",\"seen\":\"%s\",\"ready\":%s}",
        id, v->name, place, since, seen,
        readiness_lacks(&v->is, listed, r->now_s) ? "false" : "true");
}

void
key_ready_view(const struct key_ready *r, struct trust_place listed, const char *issuer,
    struct buf *out)
{
    if (!r->count)
        return;
    buf_str(out, ",\"verifiers\":[");
    for (size_t i = 0; i < r->count; i++) {
        buf_str(out, i ? "," : "");
        put_verifier(out, r, &r->verifier[i], listed, issuer);
    }
    buf_u8(out, ']');
}
