#include "verifier/verifier.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "keys/note.h"

enum {
    LOOK_MS = 200,
    ENTRIES = 10000,
    BYTES = 128 << 20,
    AUDIENCE_MAX = 512
};

/* Options. */

static enum mauth_rc
check_options(const struct mauth_verifier_options *o, struct mauth_err *err)
{
    struct note_verifier root;

    if (o->size != sizeof(*o))
        return mauth_fail(err, MAUTH_INVALID, "verifier: options of another version");
    if (!o->trust_file || !o->rules_file || !o->root_vkey || !o->audience)
        return mauth_fail(err, MAUTH_INVALID,
            "verifier: trust_file, root_vkey, audience and rules_file are needed");
    if (!str_is_uri(text_of(o->audience)) || strlen(o->audience) > AUDIENCE_MAX)
        return mauth_fail(err, MAUTH_INVALID, "verifier: the audience is no URI");
    if (o->skew_s < 0 || o->skew_s > MAUTH_SKEW_MAX_S)
        return mauth_fail(
            err, MAUTH_INVALID, "verifier: skew_s is 0 to %d", MAUTH_SKEW_MAX_S);
    if (o->cache_entries > 1 << 24)
        return mauth_fail(
            err, MAUTH_INVALID, "verifier: cache_entries is at most 2^24");
    return note_verifier_parse(o->root_vkey, strlen(o->root_vkey), &root, err);
}

static const char *
keep(char **at, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = *at;

    memcpy(copy, text, size);
    *at += size;
    return copy;
}

static enum mauth_rc
copy_options(struct mauth_verifier *v, const struct mauth_verifier_options *o,
    struct mauth_err *err)
{
    const char *status = o->status_dir ? o->status_dir : "";
    char *at = malloc(strlen(o->trust_file) + strlen(o->rules_file) +
                      strlen(o->root_vkey) + strlen(o->audience) + strlen(status) + 5);

    v->texts = at;
    if (!at)
        return mauth_fail(err, MAUTH_NO_MEMORY, "verifier: no memory");
    v->files.trust_file = keep(&at, o->trust_file);
    v->files.rules_file = keep(&at, o->rules_file);
    v->files.root_vkey = keep(&at, o->root_vkey);
    v->audience = keep(&at, o->audience);
    v->status_dir = *status ? keep(&at, status) : NULL;
    v->skew_s = o->skew_s ? o->skew_s : MAUTH_SKEW_DEFAULT_S;
    v->allow_bearer = o->allow_bearer;
    v->look_ms = o->look_ms ? o->look_ms : LOOK_MS;
    return MAUTH_OK;
}

/* Loading. */

/* Takes the new one over. Whoever still works with the old one has it counted. */
static void
swap_in(struct mauth_verifier *v, struct loaded *fresh)
{
    cache_load(v->cache, fresh);
    loaded_release(v->loaded);
    v->loaded = fresh;
}

/* With v->loading held. */
static void
report(struct mauth_verifier *v)
{
    const char *trouble = v->trouble.rc ? v->trouble.text : NULL;

    /* A status directory that cannot be written must not stop decisions; whoever
     * reads it sees that the report has grown old. */
    if (v->status_dir && v->loaded &&
        loaded_report(v->loaded, v->status_dir, v->audience, time_now_s(), trouble,
            NULL) != MAUTH_OK)
        return;
}

/* With v->loading held. */
static enum mauth_rc
look(struct mauth_verifier *v, struct mauth_err *err)
{
    struct loaded *now = v->loaded, *fresh = NULL;
    enum mauth_rc rc;

    if (now && loaded_is_current(now, &v->files) && !v->trouble.rc)
        return MAUTH_OK;
    mauth_err_reset(&v->trouble);
    rc = loaded_read(&v->files, now, &fresh, &v->trouble);
    if (fresh)
        swap_in(v, fresh);
    if (rc != MAUTH_OK && err && !err->rc)
        *err = v->trouble;
    report(v);
    return rc;
}

enum mauth_rc
mauth_verifier_refresh(struct mauth_verifier *v, struct mauth_err *err)
{
    enum mauth_rc rc;

    pthread_mutex_lock(&v->loading);
    rc = look(v, err);
    pthread_mutex_unlock(&v->loading);
    return rc;
}

static int64_t
coarse_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void
verifier_look(struct mauth_verifier *v)
{
    int64_t now_ms = coarse_now_ms();
    int64_t due_ms = atomic_load_explicit(&v->next_look_ms, memory_order_relaxed);
    enum mauth_rc rc;

    if (now_ms < due_ms)
        return;
    if (!atomic_compare_exchange_strong(&v->next_look_ms, &due_ms, now_ms + v->look_ms))
        return;
    if (pthread_mutex_trylock(&v->loading) != 0)
        return;
    rc = look(v, NULL);
    (void)rc; /* what was wrong stands in v->trouble */
    pthread_mutex_unlock(&v->loading);
}

static enum mauth_rc
start(struct mauth_verifier *v, const struct mauth_verifier_options *o,
    struct mauth_err *err)
{
    enum mauth_rc rc = copy_options(v, o, err);

    if (rc == MAUTH_OK)
        rc = cache_new(o->cache_entries ? o->cache_entries : ENTRIES,
            o->cache_bytes ? o->cache_bytes : BYTES, &v->cache, err);
    if (rc == MAUTH_OK)
        rc = mauth_verifier_refresh(v, err);
    if (rc == MAUTH_OK && v->status_dir)
        rc = journal_open(v->status_dir, &v->journal, err);
    atomic_store(&v->next_look_ms, coarse_now_ms() + v->look_ms);
    return rc;
}

enum mauth_rc
mauth_verifier_open(const struct mauth_verifier_options *options,
    struct mauth_verifier **out, struct mauth_err *err)
{
    struct mauth_verifier *v;
    enum mauth_rc rc = check_options(options, err);

    *out = NULL;
    if (rc != MAUTH_OK)
        return rc;
    v = calloc(1, sizeof(*v));
    if (!v)
        return mauth_fail(err, MAUTH_NO_MEMORY, "verifier: no memory");
    pthread_mutex_init(&v->loading, NULL);
    rc = start(v, options, err);
    if (rc == MAUTH_OK)
        *out = v;
    else
        mauth_verifier_close(v);
    return rc;
}

enum mauth_rc
mauth_verifier_record(struct mauth_verifier *v, const struct mauth_decision *decision,
    const struct mauth_request *request, struct mauth_err *err)
{
    if (decision->size != sizeof(*decision) || request->size != sizeof(*request) ||
        !request->action || request->arg_count > MAUTH_RULES_ARGS_MAX)
        return mauth_fail(err, MAUTH_INVALID, "decision: of another version");
    if (!v->journal)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "decision: there is no status_dir");
    return journal_record(v->journal, decision, request, err);
}

void
mauth_verifier_close(struct mauth_verifier *v)
{
    if (!v)
        return;
    if (v->status_dir && v->loaded)
        loaded_unreport(v->status_dir);
    journal_close(v->journal);
    pthread_mutex_destroy(&v->loading);
    cache_free(v->cache);
    loaded_release(v->loaded);
    free(v->texts);
    free(v);
}
