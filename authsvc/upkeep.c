#include "authsvc/upkeep.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "authsvc/log.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/time.h"
#include "base/wake.h"
#include "store/audit_erase.h"
#include "store/audit_indexing.h"

enum {
    NICE = 10,
    LOOK_MS = 200,      /* between looks for something to do */
    ARCHIVE_MS = 10000, /* ... and for records that are to leave */
    AGAIN_MS = 60000    /* after a failure */
};

enum duty_name {
    INDEX,
    ERASE,
    ARCHIVE,
    DUTIES
};

/* What is to be done again and again; a failure is told once. */
struct duty {
    int64_t at_ms; /* not before */
    char trouble[sizeof(((struct mauth_err *)0)->text)];
};

struct upkeep {
    struct kv *kv;
    struct audit_index *index;
    struct audit_keep keep;
    struct duty duty[DUTIES];
    pthread_t thread;
    pthread_rwlock_t asked; /* held to read by questions */
    pthread_mutex_t lock;   /* of what follows, and of the troubles */
    pthread_cond_t wake;
    bool stop;
};

/* What it is when it cannot be done. */
static const char *const said[DUTIES] = {
    [INDEX] = "The audit log is not indexed",
    [ERASE] = "What was to be erased from the audit log is not",
    [ARCHIVE] = "The audit log's oldest records do not leave",
};

void
upkeep_give_way(void)
{
    (void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE);
}

/* False when it is to end. */
static bool
rest(struct upkeep *u, long ms)
{
    int64_t end_ms = time_monotonic_ms() + ms;
    bool stop;

    pthread_mutex_lock(&u->lock);
    if (!u->stop && ms)
        (void)wake_wait(&u->wake, &u->lock, end_ms);
    stop = u->stop;
    pthread_mutex_unlock(&u->lock);
    return !stop;
}

/* After a step: when to look again. True: at once. */
static bool
note(struct upkeep *u, enum duty_name name, bool more, int64_t pause_ms,
    const struct mauth_err *err)
{
    struct duty *d = &u->duty[name];
    bool news;

    pthread_mutex_lock(&u->lock);
    news = err->rc && !d->trouble[0];
    snprintf(d->trouble, sizeof(d->trouble), "%s", err->rc ? err->text : "");
    pthread_mutex_unlock(&u->lock);
    if (news)
        log_error("%s: %s", said[name], err->text);
    more = more && !err->rc;
    d->at_ms = time_monotonic_ms() + (err->rc ? AGAIN_MS : more ? 0 : pause_ms);
    return more;
}

static bool
index_some(struct upkeep *u)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool more = false;

    if (!u->index)
        return false;
    (void)!audit_indexing_step(u->kv, u->index, &more, &err);
    return note(u, INDEX, more, LOOK_MS, &err);
}

static bool
erase_some(struct upkeep *u)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    struct audit_erasure e;
    char user[ID_LEN + 1];
    bool more = false;

    (void)!audit_erase_step(u->kv, u->index, &e, &more, &err);
    if (more && !err.rc && e.at == e.end) {
        id_format(ID_USER, &e.user, user);
        log_info("%" PRIu64 " records of the audit log about %s were erased", e.erased,
            user);
    }
    return note(u, ERASE, more, LOOK_MS, &err);
}

static bool
archive_some(struct upkeep *u)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    bool more = false;

    (void)!audit_archive_step(u->kv, u->index, &u->keep, time_now_us(), &more, &err);
    return note(u, ARCHIVE, more, ARCHIVE_MS, &err);
}

/* It waits for the questions that are being answered, and no further one begins. */
static void
keep_out(bool begins, void *arg)
{
    struct upkeep *u = arg;

    if (begins)
        pthread_rwlock_wrlock(&u->asked);
    else
        pthread_rwlock_unlock(&u->asked);
}

void
upkeep_hold(struct upkeep *u)
{
    pthread_rwlock_rdlock(&u->asked);
}

void
upkeep_release(struct upkeep *u)
{
    pthread_rwlock_unlock(&u->asked);
}

static void
init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t a;

    pthread_rwlockattr_init(&a);
    pthread_rwlockattr_setkind_np(&a, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &a);
    pthread_rwlockattr_destroy(&a);
}

static void *
run(void *arg)
{
    static bool (*const duties[DUTIES])(struct upkeep *) = {
        [INDEX] = index_some, [ERASE] = erase_some, [ARCHIVE] = archive_some};
    struct upkeep *u = arg;
    bool more;

    upkeep_give_way();
    do {
        more = false;
        for (size_t i = 0; i < DUTIES; i++)
            if (u->duty[i].at_ms <= time_monotonic_ms())
                more = duties[i](u) || more;
    } while (rest(u, more ? 0 : LOOK_MS));
    return NULL;
}

void
upkeep_complain(struct upkeep *u, struct buf *lines)
{
    pthread_mutex_lock(&u->lock);
    for (size_t i = 0; i < DUTIES; i++)
        if (u->duty[i].trouble[0])
            buf_printf(lines, "%s: %s\n", said[i], u->duty[i].trouble);
    pthread_mutex_unlock(&u->lock);
}

/* What was being written when the process died. */
static void
tidy(const struct kv *kv)
{
    char *dir = audit_segments_folder(kv);

    if (dir)
        archive_tidy(dir);
    free(dir);
}

enum mauth_rc
upkeep_start(struct kv *kv, struct audit_index *index, const struct audit_keep *keep,
    struct upkeep **out, struct mauth_err *err)
{
    struct upkeep *u = calloc(1, sizeof(*u));

    *out = NULL;
    if (!u)
        return mauth_fail(err, MAUTH_NO_MEMORY, "upkeep: no memory");
    u->kv = kv;
    u->index = index;
    u->keep = *keep;
    u->keep.dropping = keep_out;
    u->keep.arg = u;
    init_lock(&u->asked);
    tidy(kv);
    pthread_mutex_init(&u->lock, NULL);
    wake_init(&u->wake);
    if (pthread_create(&u->thread, NULL, run, u) != 0) {
        pthread_cond_destroy(&u->wake);
        pthread_mutex_destroy(&u->lock);
        pthread_rwlock_destroy(&u->asked);
        free(u);
        return mauth_fail(err, MAUTH_UNAVAILABLE, "upkeep: no thread");
    }
    *out = u;
    return MAUTH_OK;
}

void
upkeep_stop(struct upkeep *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    u->stop = true;
    pthread_cond_signal(&u->wake);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    pthread_cond_destroy(&u->wake);
    pthread_mutex_destroy(&u->lock);
    pthread_rwlock_destroy(&u->asked);
    free(u);
}
