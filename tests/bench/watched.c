#include "tests/bench/watched.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fail.h"
#include "base/file.h"
#include "keys/note.h"
#include "tests/bench/spawn.h"

enum {
    COMMAND = 6 * PATH_MAX,
    LOOK_MS = 100
};

static const char rule[] = "allow read(R) if permit(read, P), within(R, P).\n";

/* Paths are our own: they hold no quote. */
static enum mauth_rc
run(const char *command, char out[WATCHED_OUTPUT], struct mauth_err *err)
{
    FILE *f = popen(command, "re"); // NOLINT(cert-env33-c): of our own words
    size_t n = 0;

    if (f)
        n = fread(out, 1, WATCHED_OUTPUT - 1, f);
    out[n] = '\0';
    if (!f || pclose(f) != 0)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "bench: %.300s: %.100s", command, out);
    return MAUTH_OK;
}

enum mauth_rc
watched_run(const struct watched *w, const char *words, char out[WATCHED_OUTPUT],
    struct mauth_err *err)
{
    char command[COMMAND];

    snprintf(command, sizeof(command), "'%s' %.8000s -c '%s' --json 2>>'%s/log'",
        w->program, words, w->config, w->service->dir);
    return run(command, out, err);
}

bool
watched_member(const char *json, const char *name, char *out, size_t size)
{
    char member[64];
    const char *at;
    size_t len;

    snprintf(member, sizeof(member), "\"%s\":\"", name);
    at = strstr(json, member);
    if (!at)
        return false;
    at += strlen(member);
    len = strcspn(at, "\"");
    if (len >= size)
        return false;
    memcpy(out, at, len);
    out[len] = '\0';
    return true;
}

static enum mauth_rc
read_root(const struct watched *w, char vkey[NOTE_VKEY_MAX + 2], struct mauth_err *err)
{
    char path[PATH_MAX + 32];
    struct buf file;
    enum mauth_rc rc;

    buf_init(&file);
    snprintf(path, sizeof(path), "%s/root.vkey", w->service->home);
    rc = file_read(path, NOTE_VKEY_MAX + 1, &file, err);
    if (rc == MAUTH_OK) {
        memcpy(vkey, file.data, file.len);
        vkey[file.len] = '\0';
        vkey[strcspn(vkey, "\n")] = '\0';
    }
    buf_clear(&file);
    return rc;
}

/* The root is pinned by its fingerprint, the service registered by its key. */
static enum mauth_rc
set_up(const struct watched *w, struct mauth_err *err)
{
    char command[COMMAND], out[WATCHED_OUTPUT], fingerprint[128], id[64];
    const char *home = w->service->home;
    enum mauth_rc rc;

    snprintf(command, sizeof(command),
        "'%s' trust show '%s/trust' --root '%s/root.vkey' --json", w->program, home,
        home);
    rc = run(command, out, err);
    if (rc == MAUTH_OK &&
        !watched_member(out, "fingerprint", fingerprint, sizeof(fingerprint)))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: no fingerprint");
    if (rc != MAUTH_OK)
        return rc;
    snprintf(command, sizeof(command),
        "'%s' trust bootstrap https://127.0.0.1:%d --out '%s' --ca '%s/tls.crt' "
        "--fingerprint %s 2>>'%s/log'",
        w->program, w->service->port, w->dir, home, fingerprint, w->service->dir);
    rc = run(command, out, err);
    snprintf(
        command, sizeof(command), "service add watched --key '%s/service.crt'", w->dir);
    if (rc == MAUTH_OK)
        rc = watched_run(w, command, out, err);
    if (rc == MAUTH_OK && !watched_member(out, "id", id, sizeof(id)))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: the service has no id");
    if (rc != MAUTH_OK)
        return rc;
    snprintf(command, sizeof(command), "'%s' trust fetch '%s' --service %s 2>>'%s/log'",
        w->program, w->dir, id, w->service->dir);
    return run(command, out, err);
}

static enum mauth_rc
open_verifier(struct watched *w, struct mauth_err *err)
{
    char trust[PATH_MAX + 32], rules[PATH_MAX + 32], vkey[NOTE_VKEY_MAX + 2];
    const struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = trust,
        .root_vkey = vkey,
        .audience = "urn:meshauth:service:storage",
        .rules_file = rules,
        .status_dir = w->loaded,
        .look_ms = LOOK_MS};
    enum mauth_rc rc = read_root(w, vkey, err);

    snprintf(trust, sizeof(trust), "%s/trust", w->dir);
    snprintf(rules, sizeof(rules), "%s/rules", w->dir);
    if (rc == MAUTH_OK)
        rc = file_create(rules, rule, sizeof(rule) - 1, FILE_PUBLIC, err);
    return rc ? rc : mauth_verifier_open(&o, &w->verifier, err);
}

enum mauth_rc
watched_open(struct watched *w, const struct bench_service *service,
    const char *programs, struct mauth_err *err)
{
    const char *const argv[] = {
        w->program, "trust", "watch", w->dir, "--loaded", w->loaded, NULL};
    enum mauth_rc rc;

    memset(w, 0, sizeof(*w));
    w->service = service;
    snprintf(w->config, sizeof(w->config), "%s/meshauth.conf", service->home);
    snprintf(w->dir, sizeof(w->dir), "%s/watched", service->dir);
    snprintf(w->loaded, sizeof(w->loaded), "%s/loaded", service->dir);
    if (!bench_service_find(programs, "cli/meshauth", w->program))
        return mauth_fail(err, MAUTH_NOT_FOUND, "bench: no program cli/meshauth");
    if (mkdir(w->loaded, 0700) != 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no folder %s", w->loaded);
    rc = set_up(w, err);
    if (rc == MAUTH_OK)
        rc = open_verifier(w, err);
    if (rc == MAUTH_OK) {
        w->updater = spawn(service->dir, argv);
        if (w->updater < 0)
            rc = mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no updater");
    }
    return rc;
}

void
watched_close(struct watched *w)
{
    if (w->updater > 0) {
        watched_go_on(w);
        spawn_end(&w->updater);
    }
    mauth_verifier_close(w->verifier);
    w->verifier = NULL;
}

void
watched_stop(const struct watched *w)
{
    kill(w->updater, SIGSTOP);
}

void
watched_go_on(const struct watched *w)
{
    kill(w->updater, SIGCONT);
}
