#include "authsvc/housekeeper.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "authsvc/documents.h"
#include "authsvc/key_schedule.h"
#include "authsvc/key_watch.h"
#include "authsvc/log.h"
#include "authsvc/own_keys.h"
#include "authsvc/own_trust.h"
#include "authsvc/parking.h"
#include "authsvc/refusals.h"
#include "authsvc/trouble.h"
#include "authsvc/verifiers.h"
#include "base/fail.h"
#include "base/fault.h"
#include "base/str.h"
#include "base/time.h"
#include "base/wake.h"
#include "store/graph_change.h"
#include "store/graph_purge.h"
#include "store/key.h"
#include "store/key_warnings.h"
#include "store/publish.h"
#include "store/revocations.h"

struct housekeeper {
    const struct service *service;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool now;
    bool stop;
    /* the thread's own */
    uint64_t generation;   /* of the store, when there was nothing new in it */
    uint64_t revocations;  /* their serial number in the last trust file */
    bool trust_failed;     /* the last one was not replaced */
    bool keys_failed;      /* those of the store were not read */
    int64_t next_trust_ms; /* when it is signed again, whatever happens */
    int64_t next_turn_ms;
    int64_t next_warning_ms;
    bool purging;                 /* there may be more that ended long ago */
    uint64_t followed_generation; /* of the store, when followers were last woken */
    uint64_t followed_state;      /* of the graph */
    struct key_watch key_watch;
};

enum {
    LOOK_MS = 200, /* between looks at what was revoked: all hear of it in a second */
    RETRY_MS = 1000,
    TURN_MS = HOUSEKEEPER_PERIOD_S * 1000,
    DAY_MS = 24 * 3600 * 1000,
    PURGE_STEP = 256 /* of what is due, in one transaction at each look */
};

static enum mauth_rc
read_serial(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return revocations_serial(txn, arg, err);
}

/* What has been published: reports of who has loaded it are to be believed. */
static struct trust_place
tell_verifiers(struct housekeeper *h)
{
    struct shared_ref *ref = shared_take(h->service->trust);
    struct trust_place place = trust_place_of(own_trust_of(ref));

    verifiers_published(h->service->verifiers, own_trust_of(ref));
    shared_drop(ref);
    return place;
}

/* Which file listed a key first; if it is not noted now, the next one is. */
static void
note_keys(struct housekeeper *h, const struct keystore *keys, struct trust_place place)
{
    const struct service *s = h->service;
    struct mauth_err err = MAUTH_ERR_INIT;

    if (publish_note_keys(s->kv, keys, s->seal, place, &err) != MAUTH_OK)
        log_error("it is not on record which keys are published: %s", err.text);
}

/* And what else tells of keys. Takes the serial number first: what is revoked meanwhile is
 * found at the next look. */
static enum mauth_rc
sign_trust(struct housekeeper *h, struct mauth_err *err)
{
    const struct service *s = h->service;
    const struct publish_options options = {
        .issuer = s->config->issuer.url,
        .path = s->config->issuer.trust_file,
        .life_s = s->config->tickets.trust_s,
        .now_s = time_now_s(),
    };
    struct shared_ref *ref = own_keys_take(s->keys);
    const struct keystore *keys = own_keys_of(ref);
    uint64_t serial;
    enum mauth_rc rc;

    rc = kv_read(s->kv, read_serial, &serial, err);
    if (rc == MAUTH_OK)
        rc = publish_trust(s->kv, keys, &options, err);
    fault_point("trust.published");
    if (rc == MAUTH_OK)
        rc = own_trust_load(
            s->trust, options.path, &keystore_authority(keys)->verifier, err);
    if (rc == MAUTH_OK) {
        note_keys(h, keys, tell_verifiers(h));
        h->revocations = serial;
        parking_wake(s->waiting);
    }
    if (rc == MAUTH_OK && s->documents)
        rc = documents_refresh(s->documents, keys, options.now_s, err);
    shared_drop(ref);
    return rc;
}

/* The file of before the start, if there is one that is ours: deltas go on from it. */
static void
take_up(struct housekeeper *h)
{
    const struct service *s = h->service;
    struct shared_ref *keys = own_keys_take(s->keys);
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    rc = own_trust_load(s->trust, s->config->issuer.trust_file,
        &keystore_authority(own_keys_of(keys))->verifier, &err);
    if (rc == MAUTH_OK)
        tell_verifiers(h);
    else if (rc != MAUTH_NOT_FOUND)
        log_info("nothing goes on from the trust file of before: %s", err.text);
    shared_drop(keys);
}

/* Are there other keys in the store than before? From now on they sign. */
static bool
are_keys_new(struct housekeeper *h)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool changed, failed;

    failed = own_keys_reload(h->service->keys, &changed, &err) != MAUTH_OK;
    if (trouble_note(h->service->troubles, TROUBLE_KEYS, &err))
        log_error("the keys stay as they were: %s", err.text);
    if (changed)
        log_info("other keys are in force");
    if (changed)
        fault_point("keys.in-force");
    h->keys_failed = failed;
    return changed;
}

/* Is there anything of which the last trust file does not tell? If in doubt, yes. */
static bool
is_news(struct housekeeper *h)
{
    uint64_t generation = kv_generation(h->service->kv), serial;

    if (generation == h->generation)
        return false;
    if (are_keys_new(h))
        return true;
    if (h->keys_failed)
        return false; /* looked at again soon */
    if (kv_read(h->service->kv, read_serial, &serial, NULL) != MAUTH_OK ||
        serial != h->revocations)
        return true;
    h->generation = generation;
    return false;
}

static enum mauth_rc
read_state(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return graph_state(txn, arg, err);
}

/* Those who wait for a change of the graph look again when there was one. */
static void
wake_followers(struct housekeeper *h)
{
    uint64_t generation = kv_generation(h->service->kv), state;

    if (generation == h->followed_generation ||
        kv_read(h->service->kv, read_state, &state, NULL) != MAUTH_OK)
        return;
    h->followed_generation = generation;
    if (state == h->followed_state)
        return;
    h->followed_state = state;
    parking_wake(h->service->followers);
}

static void
publish(struct housekeeper *h)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (h->trust_failed)
        (void)are_keys_new(
            h); /* it may have been the keys: an authority past its time */
    h->trust_failed = sign_trust(h, &err) != MAUTH_OK;
    if (trouble_note(h->service->troubles, TROUBLE_TRUST_FILE, &err))
        log_error("the trust file was not replaced: %s", err.text);
    h->next_trust_ms = time_monotonic_ms() + (h->trust_failed ? RETRY_MS : TURN_MS);
}

struct purge {
    int64_t now_s;
    size_t nodes;
    size_t changes;
};

static enum mauth_rc
purge_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct purge *p = arg;
    enum mauth_rc rc = graph_purge(txn, p->now_s, PURGE_STEP, &p->nodes, err);

    if (rc == MAUTH_OK)
        rc = graph_change_purge(txn, p->now_s, PURGE_STEP, &p->changes, err);
    return rc;
}

/* Some of what ended long ago: a step at each look, so that nothing waits for it, least of
 * all the trust file. */
static void
purge(struct housekeeper *h)
{
    struct purge p = {.now_s = time_now_s()};
    struct mauth_err err = MAUTH_ERR_INIT;

    if (kv_write(h->service->kv, purge_some, &p, &err) != MAUTH_OK)
        log_error("what ended long ago is still kept: %s", err.text);
    h->purging = p.nodes == PURGE_STEP || p.changes == PURGE_STEP;
}

/* Keys whose time is over leave, each with its record. */
static void
end_keys(struct housekeeper *h)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    char id[MAUTH_KEY_ID_LEN + 1];
    enum mauth_rc rc;

    do {
        rc = own_keys_end(h->service->keys, time_now_s(), id, &err);
        if (rc == MAUTH_OK && id[0])
            log_info("the key %s has come to its end", id);
    } while (rc == MAUTH_OK && id[0]);
    if (rc != MAUTH_OK)
        log_error("keys that have come to their end are still listed: %s", err.text);
}

/* What will end unless somebody sees to it; said once a day. */
static void
warn(struct housekeeper *h)
{
    int64_t handover_s = config_handover_s(h->service->config);
    struct shared_ref *keys;
    struct text rest, line;
    struct buf lines;

    if (time_monotonic_ms() < h->next_warning_ms)
        return;
    h->next_warning_ms = time_monotonic_ms() + DAY_MS;
    keys = own_keys_take(h->service->keys);
    buf_init(&lines);
    if (key_warnings(own_keys_of(keys), time_now_s(), handover_s, &lines, NULL) ==
        MAUTH_OK)
        for (rest = buf_slice(&lines); text_cut(&rest, '\n', &line);)
            log_error("%.*s", (int)line.len, line.p);
    buf_clear(&lines);
    shared_drop(keys);
}

static void
say_step(const struct key_schedule_step *step)
{
    if (step->op == ADMIN_KEY_PREPARE)
        log_info("prepared the key %s", step->id);
    else
        log_info("the key %s signs from now on", step->id);
}

/*
 * The steps of their schedule that are due. What holds one up is said once, and holds up
 * none of the others.
 */
static void
rotate_keys(struct housekeeper *h)
{
    struct mauth_err first = MAUTH_ERR_INIT;
    struct key_schedule_step step;
    size_t refused = 0;

    do {
        struct mauth_err err = MAUTH_ERR_INIT;
        enum mauth_rc rc =
            key_schedule_do(h->service, time_now_s(), refused, &step, &err);

        if (rc == MAUTH_OK && step.was_due)
            say_step(&step);
        if (rc != MAUTH_OK && !refused++)
            (void)mauth_fail(&first, rc, "it cannot be %s: %s",
                step.op == ADMIN_KEY_PREPARE ? "prepared" : "made active", err.text);
    } while (step.was_due);
    if (trouble_note(h->service->troubles, TROUBLE_NEXT_KEY, &first))
        log_error("the next key is due, and %s", first.text);
}

static void
take_turn(struct housekeeper *h)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    end_keys(h);
    warn(h);
    rotate_keys(h);
    if (refusals_flush(h->service->refusals, h->service->kv, &err) != MAUTH_OK)
        log_error("refusals are not on record yet: %s", err.text);
    mauth_err_reset(&err);
    if (verifiers_flush(h->service->verifiers, &err) != MAUTH_OK)
        log_error("who has loaded what is not on record yet: %s", err.text);
    h->purging = true;
    h->next_turn_ms = time_monotonic_ms() + TURN_MS;
}

enum call {
    CALL_NONE, /* time for a look has come */
    CALL_NOW,
    CALL_STOP
};

static enum call
wait_for_call(struct housekeeper *h)
{
    int64_t end_ms = time_monotonic_ms() + LOOK_MS;
    enum call call;

    pthread_mutex_lock(&h->lock);
    while (!h->now && !h->stop && wake_wait(&h->wake, &h->lock, end_ms))
        ;
    call = h->stop ? CALL_STOP : h->now ? CALL_NOW : CALL_NONE;
    h->now = false;
    pthread_mutex_unlock(&h->lock);
    return call;
}

static void
watch_keys(struct housekeeper *h)
{
    struct shared_ref *keys = own_keys_take(h->service->keys);

    key_watch_look(&h->key_watch, own_keys_of(keys));
    shared_drop(keys);
}

static void *
keep_house(void *arg)
{
    struct housekeeper *h = arg;
    enum call call;

    do {
        call = wait_for_call(h);
        wake_followers(h);
        if (call != CALL_NONE || time_monotonic_ms() >= h->next_trust_ms ||
            (!h->trust_failed && is_news(h)))
            publish(h);
        if (call != CALL_NONE || time_monotonic_ms() >= h->next_turn_ms)
            take_turn(h);
        if (h->purging)
            purge(h);
        watch_keys(h);
    } while (call != CALL_STOP);
    return NULL;
}

enum mauth_rc
housekeeper_start(
    const struct service *service, struct housekeeper **out, struct mauth_err *err)
{
    struct housekeeper *h;
    enum mauth_rc rc;

    *out = NULL;
    h = calloc(1, sizeof(*h));
    if (!h)
        return mauth_fail(err, MAUTH_NO_MEMORY, "housekeeper: no memory");
    h->service = service;
    take_up(h);
    rc = key_schedule_lengthen(service, time_now_s(), err);
    if (rc == MAUTH_OK)
        rc = sign_trust(h, err);
    if (rc != MAUTH_OK) {
        free(h);
        return rc;
    }
    h->next_trust_ms = h->next_turn_ms = time_monotonic_ms() + TURN_MS;
    warn(h);
    pthread_mutex_init(&h->lock, NULL);
    wake_init(&h->wake);
    if (pthread_create(&h->thread, NULL, keep_house, h) != 0) {
        free(h);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "housekeeper: no thread");
    }
    *out = h;
    return MAUTH_OK;
}

static void
tell(struct housekeeper *h, bool *what)
{
    pthread_mutex_lock(&h->lock);
    *what = true;
    pthread_cond_signal(&h->wake);
    pthread_mutex_unlock(&h->lock);
}

void
housekeeper_wake(struct housekeeper *h)
{
    tell(h, &h->now);
}

void
housekeeper_stop(struct housekeeper *h)
{
    if (!h)
        return;
    tell(h, &h->stop);
    pthread_join(h->thread, NULL);
    pthread_cond_destroy(&h->wake);
    pthread_mutex_destroy(&h->lock);
    free(h);
}
