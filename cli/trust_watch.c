/* meshauth trust watch */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/secret.h"
#include "base/time.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/trust_client.h"
#include "cli/watch_decisions.h"
#include "cli/watch_signals.h"
#include "cli/watch_status.h"
#include "updater/backoff.h"
#include "updater/notify.h"

enum {
    OPT_LOADED,
    OPT_STATUS
};

static const struct command_option options[] = {
    [OPT_LOADED] = {"loaded", 0, "DIR", "where the service says what it has loaded"},
    [OPT_STATUS] = {"status", 0, "FILE", "keep a status here, for supervision"},
    {NULL, 0, NULL, NULL},
};

enum {
    IDLE_DOUBLINGS = 2, /* while it has no room for us to wait in: 8 s at most */
    QUICK_MS = 5000,    /* who answers sooner that there is nothing has not waited */
    LOOK_MS = 500,      /* between looks at what was loaded */
    SLICE_MS = 10000    /* of a long wait, after which the supervisor hears of us */
};

struct watcher {
    const struct call *call;
    struct trust_home home;
    struct trust_client *client;
    struct watch_status status;
    struct watch_decisions *decisions; /* NULL: without --loaded */
    struct backoff failures, idle;
    bool ready;
    bool said_unreadable; /* the folder of --loaded */
    bool awaits_loading;  /* a key has come that the service does not know yet ... */
    bool has_loaded;      /* ... and now does: that is reported at once */
    int64_t looked_ms;    /* into that folder */
};

/* Telling. */

static void
tell_supervisor(struct watcher *w, int64_t now_s)
{
    const char *name = watch_status_name(&w->status, now_s);
    char state[256];

    if (!w->ready)
        w->ready = strcmp(name, "good") == 0 || strcmp(name, "failing") == 0;
    snprintf(state, sizeof(state), "%sWATCHDOG=1\nSTATUS=%s%s%.160s",
        w->ready ? "READY=1\n" : "", name, w->status.trouble.rc ? ": " : "",
        w->status.trouble.text);
    notify_send(state);
}

/* A change that people want to find in a log. */
static void say(const struct watcher *w, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
say(const struct watcher *w, const char *format, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (w->call->json)
        (void)output_json(watch_status_json(&w->status, time_now_s()));
    else
        output_line(STYLE_PLAIN, "", "%s", text);
    fflush(stdout);
}

static void
say_trouble(const struct watcher *w, const struct mauth_err *err)
{
    command_complain(
        w->call, "%s%s", err->rc == MAUTH_CONFLICT ? "ALARM: " : "", err->text);
    if (w->call->json)
        say(w, "trouble");
}

/* What was found out; trouble is told of when it begins, changes or ends. */
static void
note_trouble(struct watcher *w, const struct mauth_err *err, int64_t now_s)
{
    bool is_new = strcmp(w->status.trouble.text, err->text) != 0;

    if (w->status.trouble.rc == MAUTH_OK)
        w->status.trouble_since_s = now_s;
    w->status.trouble = *err;
    if (is_new)
        say_trouble(w, err);
}

static void
note_success(struct watcher *w, const struct keep_news *news, int64_t now_s)
{
    const struct mauth_trust *t = keep_trust(trust_client_keep(w->client));
    bool was_bad = w->status.trouble.rc != MAUTH_OK || !w->status.confirmed_s;

    mauth_err_reset(&w->status.trouble);
    w->status.confirmed_s = now_s;
    if (news->rewritten)
        command_complain(w->call,
            "the audit log contradicts the one of the epoch before: was a backup "
            "restored?");
    if (was_bad && t)
        say(w, "good: epoch %" PRIu64 ", sequence %" PRIu64, mauth_trust_epoch(t),
            mauth_trust_sequence(t));
}

/* The file is good, and more than that cannot be said. */
static void
note_confirmed(struct watcher *w, const struct keep_news *news, int64_t now_s)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    if (keep_check_proofs(w->status.keep, &err) == MAUTH_OK) {
        note_success(w, news, now_s);
        return;
    }
    w->status.confirmed_s = now_s;
    note_trouble(w, &err, now_s);
}

/* In the thread that hands back. */
static void
complain_of_journals(const struct mauth_err *err, void *arg)
{
    const struct watcher *w = arg;

    command_complain(
        w->call, "what the service noted is not handed back: %s", err->text);
}

static void
write_status(struct watcher *w, int64_t now_s)
{
    const char *path = w->call->option[OPT_STATUS];
    struct mauth_err err = MAUTH_ERR_INIT;

    w->status.decisions = watch_decisions_count(w->decisions);
    if (path && watch_status_write(&w->status, path, now_s, &err) != MAUTH_OK)
        command_complain(w->call, "%s", err.text);
    tell_supervisor(w, now_s);
}

/* Looking. */

static const struct lowest *
find_loaded(struct watcher *w)
{
    const char *dir = w->call->option[OPT_LOADED];
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc rc;

    if (!dir)
        return NULL;
    rc = lowest_read(dir, &w->status.loaded, &err);
    if (rc == MAUTH_NOT_FOUND && !w->said_unreadable)
        command_complain(w->call,
            "--loaded: %s is not there: until the service says in it what it has "
            "loaded, "
            "nobody who switches to another key waits for it",
            dir);
    else if (rc == MAUTH_UNAVAILABLE && !w->said_unreadable)
        command_complain(w->call, "--loaded: %s", err.text);
    w->said_unreadable = rc != MAUTH_OK;
    return &w->status.loaded;
}

/*
 * Somebody may wait for a key to be known by everybody: what the service has loaded is
 * reported as soon as it has, and not when the next file comes. A request that is under
 * way is given up for it.
 */
static bool
has_loaded(void *arg)
{
    const struct mauth_trust *held;
    int64_t now_ms = time_monotonic_ms();
    struct watcher *w = arg;
    struct lowest l;

    if (!w->awaits_loading || now_ms - w->looked_ms < LOOK_MS)
        return false;
    w->looked_ms = now_ms;
    held = keep_trust(w->status.keep);
    if (lowest_read(w->call->option[OPT_LOADED], &l, NULL) != MAUTH_OK ||
        !l.processes || l.epoch < mauth_trust_epoch(held) ||
        (l.epoch == mauth_trust_epoch(held) && l.sequence < mauth_trust_sequence(held)))
        return false;
    w->awaits_loading = false;
    w->has_loaded = true;
    return true;
}

/* Is there nothing to be had, and was that said without waiting? */
static bool
is_hasty(const struct keep_news *news, int64_t took_ms)
{
    return !news->changed && took_ms < QUICK_MS;
}

/* Then the service is of no help, though it answers. */
static enum mauth_rc
check_life(const struct watcher *w, int64_t now_s, struct mauth_err *err)
{
    const struct mauth_trust *t = keep_trust(w->status.keep);

    if (t && now_s < mauth_trust_expires_s(t))
        return MAUTH_OK;
    return mauth_fail(err, MAUTH_EXPIRED,
        "the account service has nothing newer than a file that has expired");
}

/* One look; how long to wait until the next. */
static int64_t
look(struct watcher *w)
{
    const struct trust_wish wish = {
        .wait = true, .loaded = find_loaded(w), .gives_up = has_loaded, .arg = w};
    struct mauth_err err = MAUTH_ERR_INIT;
    int64_t start_ms = time_monotonic_ms(), now_s;
    struct keep_news news = {.changed = false};
    uint64_t random = 0;
    enum mauth_rc rc;

    w->has_loaded = false;
    watch_signals_allow(trust_client_fetch(w->client));
    rc = trust_client_look(w->client, &wish, &news, &err);
    watch_signals_deny();
    if (watch_signals_end() ||
        (rc == MAUTH_UNAVAILABLE && (watch_signals_asked() || w->has_loaded)))
        return 0; /* cancelled: that is no trouble */
    if (news.new_key)
        w->awaits_loading = wish.loaded != NULL;
    if (mauth_random(&random, sizeof(random), NULL) != MAUTH_OK)
        random = (uint64_t)start_ms;
    now_s = time_now_s();
    if (rc == MAUTH_OK)
        rc = check_life(w, now_s, &err);
    if (rc != MAUTH_OK) {
        note_trouble(w, &err, now_s);
        return backoff_wait_ms(
            &w->failures, trust_client_retry_after_s(w->client), random);
    }
    note_confirmed(w, &news, now_s);
    w->failures.failures = 0;
    if (!is_hasty(&news, time_monotonic_ms() - start_ms)) {
        w->idle.failures = 0;
        return 0;
    }
    if (w->idle.failures >= IDLE_DOUBLINGS)
        w->idle.failures = IDLE_DOUBLINGS;
    return backoff_wait_ms(&w->idle, 0, random);
}

static void
wait_for(struct watcher *w, int64_t ms)
{
    int64_t until_ms = time_monotonic_ms() + ms;

    for (;;) {
        int64_t left_ms = until_ms - time_monotonic_ms();

        write_status(w, time_now_s());
        if (left_ms <= 0 || watch_signals_end())
            return;
        watch_signals_sleep(left_ms < SLICE_MS ? left_ms : SLICE_MS);
        if (watch_signals_end() || watch_signals_asked())
            return;
    }
}

/* SIGHUP: what was under way was cancelled, and what was waited for is not any more. */
static enum mauth_rc
begin_again(struct watcher *w, struct mauth_err *err)
{
    if (!watch_signals_again())
        return MAUTH_OK;
    w->failures.failures = 0;
    w->idle.failures = 0;
    return trust_client_renew(w->client, err);
}

static enum command_exit
watch(struct watcher *w)
{
    struct mauth_err err = MAUTH_ERR_INIT;

    while (!watch_signals_end()) {
        int64_t ms = look(w);

        if (watch_signals_end())
            break;
        wait_for(w, watch_signals_asked() ? 0 : ms);
        if (begin_again(w, &err) != MAUTH_OK)
            return command_failed(w->call, &err);
    }
    notify_send("STOPPING=1");
    return COMMAND_DONE;
}

static enum mauth_rc
start_decisions(struct watcher *w, struct mauth_err *err)
{
    const struct watch_decisions_options o = {.home = &w->home,
        .client = w->client,
        .dir = w->call->option[OPT_LOADED],
        .complain = complain_of_journals,
        .arg = w};

    return o.dir ? watch_decisions_start(&o, &w->decisions, err) : MAUTH_OK;
}

static enum command_exit
start(struct watcher *w)
{
    struct mauth_err err = MAUTH_ERR_INIT, trouble = MAUTH_ERR_INIT;

    if (!w->home.service[0])
        return command_misused(w->call,
            "as which service? `meshauth trust fetch %s --service ID` says it once",
            w->home.dir);
    if (trust_client_open(&w->home, &w->client, &trouble, &err) != MAUTH_OK)
        return command_failed(w->call, &err);
    w->status.home = &w->home;
    w->status.keep = trust_client_keep(w->client);
    if (trouble.rc != MAUTH_OK)
        note_trouble(w, &trouble, time_now_s());
    if (keep_has_alarm(w->status.keep))
        command_complain(w->call,
            "ALARM of before: %s shows it; it stands until somebody takes that away",
            w->home.alarm_file);
    (void)find_loaded(w);
    write_status(w, time_now_s());
    if (start_decisions(w, &err) != MAUTH_OK)
        return command_failed(w->call, &err);
    return watch(w);
}

static enum command_exit
run(const struct call *call)
{
    struct watcher w = {.call = call};
    struct mauth_err err = MAUTH_ERR_INIT;
    enum command_exit code;

    watch_signals_begin();
    if (trust_home_open(call->arg[0], &w.home, &err) != MAUTH_OK)
        code = command_failed(call, &err);
    else
        code = start(&w);
    watch_decisions_stop(w.decisions);
    trust_client_close(w.client);
    trust_home_close(&w.home);
    return code;
}

const struct command trust_watch_command = {
    .noun = "trust",
    .verb = "watch",
    .synopsis = "DIR [--loaded DIR] [--status FILE] [--json]",
    .summary = "keep a service's trust file fresh, for good",
    .about =
        "Keeps the trust file in DIR fresh, where `trust bootstrap` has pinned the\n"
        "root: waits at the account service for the next one, and puts it in place "
        "once\n"
        "everything about it is right. When the account service is away the last good\n"
        "file stays. SIGHUP: look again at once. SIGTERM: end. With --json it prints\n"
        "its status, a line each time that something changes.",
    .example = "  meshauth trust watch /var/lib/meshauth-trust/relay \\\n"
               "      --loaded /run/relay/meshauth --status /run/relay/trust.json",
    .options = options,
    .args_min = 1,
    .args_max = 1,
    .run = run,
};
