#include "cli/watch_decisions.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "base/time.h"
#include "base/wake.h"
#include "net/fetch.h"
#include "updater/backoff.h"
#include "updater/journals.h"

enum {
    LOOK_MS = 500,
    MORE_MS = 100, /* while there is more than fits into a request */
    TIMEOUT_MS = 30000,
    STATUS_OK = 200,
    STATUS_BAD = 400,
    STATUS_DEAD = 401,
    STATUS_TOO_LARGE = 413
};

struct watch_decisions {
    struct watch_decisions_options options;
    struct fetch *fetch;
    struct journals *journals;
    struct journal_batch batch;
    struct backoff failures;
    size_t singly; /* entries to be sent one by one, as one among them is bad */
    struct mauth_err trouble;
    pthread_t thread;
    pthread_mutex_t lock; /* of what follows */
    pthread_cond_t wake;
    bool stop;
    struct watch_decisions_counts counts;
};

static bool
is_over(void *arg)
{
    struct watch_decisions *w = arg;
    bool stop;

    pthread_mutex_lock(&w->lock);
    stop = w->stop;
    pthread_mutex_unlock(&w->lock);
    return stop;
}

/* What is sent. */

/* What may stand in an entry; the account service looks closer. */
static bool
is_plain(const json_t *value)
{
    if (json_is_string(value) || json_is_integer(value))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)))
            return false;
    return json_is_array(value);
}

static json_t *
entry_json(struct text text, uint64_t number)
{
    json_t *o = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL), *value;
    bool good = json_is_object(o);
    const char *name;

    json_object_foreach(o, name, value) good = good && is_plain(value);
    if (good && json_object_set_new(o, "number", json_integer((json_int_t)number)) == 0)
        return o;
    json_decref(o);
    return NULL;
}

/* The body; *count is how many entries are in it. NULL without memory. */
static char *
write_body(const struct journal_batch *b, size_t *count)
{
    json_t *list = json_array(), *root;
    char hex[2 * RING_ID + 1], *text;

    for (size_t i = 0; i < b->count; i++) {
        json_t *one = entry_json(b->entry[i], b->number[i]);

        if (one)
            json_array_append_new(list, one);
    }
    *count = json_array_size(list);
    str_hex(b->id, RING_ID, hex);
    root = json_pack("{s:s, s:I, s:o}", "journal", hex, "lost", (json_int_t)b->lost,
        b->of_decisions ? "decisions" : "accepted", list);
    text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return text;
}

static enum mauth_rc
post(struct watch_decisions *w, const char *authorization, struct text body,
    long *status, struct mauth_err *err)
{
    const char *const headers[] = {authorization, NULL};
    struct fetch_request r = {.method = "POST",
        .content_type = "application/json",
        .body = body,
        .headers = headers};
    struct buf url, answer;
    enum mauth_rc rc;

    buf_init(&url);
    buf_init(&answer);
    buf_printf(&url, "%s/v1/audit/decisions", w->options.home->url.text);
    r.url = buf_cstr(&url);
    if (r.url && authorization)
        rc = fetch_do(w->fetch, &r, status, &answer, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&url);
    buf_clear(&answer);
    return rc;
}

/* MAUTH_MALFORMED: an entry is not taken. */
static enum mauth_rc
judge(long status, struct mauth_err *err)
{
    if (status == STATUS_OK)
        return MAUTH_OK;
    return mauth_fail(err,
        status == STATUS_BAD || status == STATUS_TOO_LARGE ? MAUTH_MALFORMED
                                                           : MAUTH_UNAVAILABLE,
        "the account service answered with status %ld", status);
}

static enum mauth_rc
hand_back(struct watch_decisions *w, const char *authorization,
    const struct journal_batch *b, size_t *count, struct mauth_err *err)
{
    char *body = write_body(b, count);
    enum mauth_rc rc = MAUTH_OK;
    long status = STATUS_OK;

    if (!body)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    if (*count || b->lost)
        rc = post(w, authorization, text_of(body), &status, err);
    if (rc == MAUTH_OK)
        rc = judge(status, err);
    free(body);
    return rc;
}

/* Done with, one way or the other. */
static enum mauth_rc
settle(struct watch_decisions *w, const struct journal_batch *b, size_t handed_back,
    struct mauth_err *err)
{
    if (w->singly)
        w->singly--;
    pthread_mutex_lock(&w->lock);
    w->counts.handed_back += handed_back;
    w->counts.lost += b->lost + b->count - handed_back;
    pthread_mutex_unlock(&w->lock);
    return journals_done(w->journals, b, err);
}

/* A bad entry takes no good one with it: those around it are sent one by one. */
static enum mauth_rc
work_on(struct watch_decisions *w, const char *authorization,
    const struct journal_batch *b, struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    size_t count = 0;
    enum mauth_rc rc = hand_back(w, authorization, b, &count, &why);

    if (rc == MAUTH_MALFORMED && b->count > 1) {
        w->singly = b->count;
        return MAUTH_OK;
    }
    if (why.rc)
        *err = why;
    if (rc == MAUTH_OK || rc == MAUTH_MALFORMED)
        rc = settle(w, b, rc == MAUTH_OK ? count : 0, err);
    return rc;
}

/* The next batch, if there is one and we are logged in; *more: there may be others. */
static enum mauth_rc
work(struct watch_decisions *w, bool *more, struct mauth_err *err)
{
    struct journal_batch *b = &w->batch;
    struct buf authorization;
    enum mauth_rc rc = MAUTH_OK;

    *more = false;
    buf_init_secret(&authorization);
    buf_str(&authorization, "Authorization: Bearer ");
    if (!trust_client_credential(w->options.client, &authorization))
        goto out; /* of which the other thread tells */
    rc = journals_take(
        w->journals, w->options.dir, w->singly ? 1 : JOURNALS_ENTRIES, b, err);
    if (rc)
        goto out;
    *more = b->count >= (b->of_decisions ? JOURNALS_DECISIONS : JOURNALS_ENTRIES) ||
            w->singly;
    if (b->count)
        rc = work_on(w, buf_cstr(&authorization), b, err);
    journal_batch_clear(b);
out:
    buf_clear(&authorization);
    return rc;
}

static void
wait_ms(struct watch_decisions *w, int64_t ms)
{
    int64_t end_ms = time_monotonic_ms() + ms;

    pthread_mutex_lock(&w->lock);
    while (!w->stop && wake_wait(&w->wake, &w->lock, end_ms))
        ;
    pthread_mutex_unlock(&w->lock);
}

static void
note(struct watch_decisions *w, const struct mauth_err *err)
{
    bool is_new = err->rc && strcmp(err->text, w->trouble.text) != 0;

    w->trouble = *err;
    if (is_new)
        w->options.complain(err, w->options.arg);
}

static void *
run(void *arg)
{
    struct watch_decisions *w = arg;

    while (!is_over(w)) {
        struct mauth_err err = MAUTH_ERR_INIT;
        uint64_t random = 0;
        bool more;
        enum mauth_rc rc = work(w, &more, &err);
        int64_t ms = more ? MORE_MS : LOOK_MS;

        if (is_over(w))
            break;
        note(w, &err);
        if (rc == MAUTH_OK)
            w->failures.failures = 0;
        else if (mauth_random(&random, sizeof(random), NULL) == MAUTH_OK)
            ms = backoff_wait_ms(&w->failures, fetch_retry_after_s(w->fetch), random);
        wait_ms(w, ms);
    }
    return NULL;
}

enum mauth_rc
watch_decisions_start(const struct watch_decisions_options *o,
    struct watch_decisions **out, struct mauth_err *err)
{
    struct watch_decisions *w = calloc(1, sizeof(*w));
    const struct fetch_options f = {
        .ca_file = o->home->has_ca ? o->home->ca_file : NULL,
        .cert_file = o->home->certificate_file,
        .key_file = o->home->key_file,
        .timeout_ms = TIMEOUT_MS,
        .gives_up = is_over,
        .arg = w,
    };
    struct mauth_err trouble = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    *out = NULL;
    if (!w)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    w->options = *o;
    pthread_mutex_init(&w->lock, NULL);
    wake_init(&w->wake);
    rc = fetch_open(&f, &w->fetch, err);
    if (rc == MAUTH_OK)
        rc = journals_open(o->home->journals_file, &w->journals, &trouble, err);
    if (rc == MAUTH_OK)
        note(w, &trouble);
    if (rc == MAUTH_OK && pthread_create(&w->thread, NULL, run, w) != 0)
        rc = mauth_fail(err, MAUTH_UNAVAILABLE, "no thread");
    if (rc == MAUTH_OK) {
        *out = w;
        return MAUTH_OK;
    }
    journals_close(w->journals);
    fetch_close(w->fetch);
    free(w);
    return rc;
}

void
watch_decisions_stop(struct watch_decisions *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    fetch_cancel(w->fetch);
    pthread_join(w->thread, NULL);
    journals_close(w->journals);
    fetch_close(w->fetch);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

struct watch_decisions_counts
watch_decisions_count(struct watch_decisions *w)
{
    struct watch_decisions_counts counts = {0, 0};

    if (!w)
        return counts;
    pthread_mutex_lock(&w->lock);
    counts = w->counts;
    pthread_mutex_unlock(&w->lock);
    return counts;
}
