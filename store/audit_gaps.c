#include "store/audit_gaps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/terms.h"
#include "base/fail.h"
#include "base/str.h"
#include "store/audit.h"
#include "store/audit_erase.h"

static enum mauth_rc
look_for_erasure(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_gaps *g = arg;
    struct audit_erasure e;
    enum mauth_rc rc = audit_erase_next(txn, NULL, &e, err);

    g->erasing = g->erasing || rc == MAUTH_OK;
    return rc == MAUTH_NOT_FOUND ? MAUTH_OK : rc;
}

enum mauth_rc
audit_gaps_open(struct kv *kv, struct audit_gaps *out, struct mauth_err *err)
{
    enum mauth_rc rc;

    *out = (struct audit_gaps){.named = NULL};
    rc = audit_segments_read(kv, &out->segments, err);
    if (rc == MAUTH_OK)
        rc = kv_read(kv, look_for_erasure, out, err);
    if (rc != MAUTH_OK)
        return rc;
    out->named = calloc(out->segments.count + 1, sizeof(*out->named));
    return out->named ? MAUTH_OK : mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
}

void
audit_gaps_clear(struct audit_gaps *g)
{
    audit_segments_clear(&g->segments);
    free(g->named);
    g->named = NULL;
}

static void
note_segment(struct audit_gaps *g, struct text json)
{
    for (size_t i = 0; i < g->segments.count; i++) {
        const char *name = g->segments.item[i].name;

        if (memmem(json.p, json.len, name, strlen(name)))
            g->named[i] = true;
    }
}

void
audit_gaps_note(struct audit_gaps *g, struct text json)
{
    static const char archive[] = "\"audit.archive\"";
    static const char erased[] = "\"" AUDIT_ERASED_ACTION "\"";
    struct audit_terms terms;

    if (!memmem(json.p, json.len, archive, strlen(archive)) &&
        !memmem(json.p, json.len, erased, strlen(erased)))
        return;
    if (!audit_terms_read(json, &terms))
        return;
    if (audit_terms_have(&terms, AUDIT_ACTION, text_of("audit.archive")))
        note_segment(g, json);
    if (audit_terms_have(&terms, AUDIT_ACTION, text_of(AUDIT_ERASED_ACTION)))
        g->erased = true;
}

static bool
note_stored(const struct audit_stored *found, void *arg)
{
    if (!found->erased)
        audit_gaps_note(arg, found->json);
    return true;
}

struct late {
    struct audit_gaps *g;
    uint64_t size;
};

/* What was put on record while the look was under way. */
static enum mauth_rc
note_late(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct late *l = arg;
    enum mauth_rc rc = look_for_erasure(txn, l->g, err);

    return rc ? rc
              : audit_scan(txn, l->size, UINT64_MAX, KV_UP, note_stored, l->g, err);
}

/* From the beginning of the log to what is in the store, one behind the other. */
static bool
cover(const struct audit_segments *s, uint64_t first, struct audit_gap *gap)
{
    gap->at = 0;
    for (size_t i = 0; i < s->count && s->item[i].head.first <= gap->at; i++)
        if (gap->at < s->item[i].head.first + s->item[i].head.count)
            gap->at = s->item[i].head.first + s->item[i].head.count;
    if (gap->at >= first)
        return true;
    snprintf(gap->where, sizeof(gap->where),
        "Record %" PRIu64 " is gone, and no segment of the archive has it.", gap->at);
    return false;
}

static bool
is_there(const struct audit_segment *s)
{
    return access(s->path, F_OK) == 0;
}

/* The record of a leaving stands behind what has left: unless that has left as well, and
 * is elsewhere, it was looked at. */
static bool
are_named(const struct audit_gaps *g, bool *whole, struct audit_gap *gap)
{
    const struct audit_segments *s = &g->segments;

    *whole = true;
    for (size_t i = s->count; i-- > 0;) {
        if (*whole && !g->named[i]) {
            gap->at = s->item[i].head.first;
            snprintf(gap->where, sizeof(gap->where),
                "Record %" PRIu64 " is gone, and no record tells that its segment %s "
                "left.",
                gap->at, s->item[i].name);
            return false;
        }
        *whole = *whole && is_there(&s->item[i]);
    }
    return true;
}

enum mauth_rc
audit_gaps_check(struct kv *kv, struct audit_gaps *g, uint64_t first, uint64_t erased,
    uint64_t size, struct audit_gap *gap, struct mauth_err *err)
{
    struct late l = {.g = g, .size = size};
    struct audit_segments now;
    bool good, whole;
    enum mauth_rc rc = kv_read(kv, note_late, &l, err);

    *gap = (struct audit_gap){.at = 0};
    if (rc == MAUTH_OK)
        rc = audit_segments_read(kv, &now, err);
    if (rc != MAUTH_OK)
        return rc;
    good = cover(&now, first, gap) && are_named(g, &whole, gap);
    audit_segments_clear(&now);
    if (!good || !whole || !erased || g->erasing || g->erased)
        return MAUTH_OK;
    gap->at = 0; /* it may be any of them */
    snprintf(gap->where, sizeof(gap->where),
        "%" PRIu64 " records are erased, and the log tells of no erasure.", erased);
    return MAUTH_OK;
}
