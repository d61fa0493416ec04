#include "verifier/journal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/time.h"
#include "verifier/decision.h"

enum {
    ACCEPTED_SLOT = 256,
    DECISION_SLOT = 2048,
    DIGEST_B64 = 44
};

const struct ring_kind journal_accepted = {"accepted", ACCEPTED_SLOT, 8192};
const struct ring_kind journal_decisions = {"decisions", DECISION_SLOT, 2048};

struct journal {
    struct ring *accepted;
    pthread_mutex_t lock;   /* of what follows */
    struct ring *decisions; /* NULL until the first is handed in */
    char *dir;
};

enum mauth_rc
journal_open(const char *dir, struct journal **out, struct mauth_err *err)
{
    struct journal *j = calloc(1, sizeof(*j));
    enum mauth_rc rc;

    *out = NULL;
    if (j)
        j->dir = strdup(dir);
    if (!j || !j->dir) {
        free(j);
        return mauth_fail(err, MAUTH_NO_MEMORY, "verifier: no memory");
    }
    pthread_mutex_init(&j->lock, NULL);
    rc = ring_open(dir, &journal_accepted, &j->accepted, err);
    if (rc) {
        journal_close(j);
        return rc;
    }
    *out = j;
    return MAUTH_OK;
}

void
journal_close(struct journal *j)
{
    if (!j)
        return;
    ring_close(j->accepted);
    ring_close(j->decisions);
    pthread_mutex_destroy(&j->lock);
    free(j->dir);
    free(j);
}

/* Ids of a ticket hold nothing that JSON would escape. */
void
journal_accept(struct journal *j, const struct journal_ticket *t, int64_t now_s)
{
    char raw[ACCEPTED_SLOT - RING_OVERHEAD];
    char now[TIME_LEN + 1], digest[DIGEST_B64 + 1];
    struct buf b;

    time_format(now_s, now);
    digest[b64_encode(B64_STD, t->digest, sizeof(t->digest), digest)] = '\0';
    buf_init_fixed(&b, raw, sizeof(raw));
    buf_str(&b, "{\"time\":\"");
    buf_str(&b, now);
    buf_str(&b, "\",\"ticket\":\"");
    buf_str(&b, t->id);
    buf_str(&b, "\",\"digest\":\"");
    buf_str(&b, digest);
    buf_str(&b, "\",\"key\":\"");
    buf_str(&b, t->key);
    buf_str(&b, "\"}");
    if (buf_ok(&b) && ring_put(j->accepted, b.data, b.len, NULL) != MAUTH_OK)
        return;
}

static enum mauth_rc
take_decisions(struct journal *j, struct ring **out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    pthread_mutex_lock(&j->lock);
    if (!j->decisions)
        rc = ring_open(j->dir, &journal_decisions, &j->decisions, err);
    *out = j->decisions;
    pthread_mutex_unlock(&j->lock);
    return rc;
}

enum mauth_rc
journal_record(struct journal *j, const struct mauth_decision *d,
    const struct mauth_request *r, struct mauth_err *err)
{
    char raw[DECISION_SLOT - RING_OVERHEAD];
    struct ring *ring;
    enum mauth_rc rc;
    struct buf b;

    rc = take_decisions(j, &ring, err);
    if (rc)
        return rc;
    buf_init_fixed(&b, raw, sizeof(raw));
    decision_write(d, r, false, &b);
    if (!buf_ok(&b)) {
        buf_init_fixed(&b, raw, sizeof(raw));
        decision_write(d, r, true, &b);
    }
    if (!buf_ok(&b))
        return mauth_fail(err, MAUTH_INTERNAL, "decision: does not fit");
    return ring_put(ring, b.data, b.len, err);
}
