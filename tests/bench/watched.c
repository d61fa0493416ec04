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
    LOOK_MS = 100
};

static const char rule[] = "allow read(R) if permit(read, P), within(R, P).\n";

static enum mauth_rc
run(const struct watched *w, const char *const *argv, char out[WATCHED_OUTPUT],
    struct mauth_err *err)
{
    if (!spawn_and_read(w->service->dir, argv, out, WATCHED_OUTPUT))
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %s %s fails: %.100s", argv[1],
            argv[2], out);
    return MAUTH_OK;
}

enum mauth_rc
watched_run(const struct watched *w, const char *const *words, char out[WATCHED_OUTPUT],
    struct mauth_err *err)
{
    const char *argv[1 + WATCHED_WORDS + 4] = {w->program};
    size_t n = 1;

    for (size_t i = 0; i < WATCHED_WORDS && words[i]; i++)
        argv[n++] = words[i];
    argv[n++] = "-c";
    argv[n++] = w->config;
    argv[n] = "--json";
    return run(w, argv, out, err);
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

static enum mauth_rc
pin_root(const struct watched *w, struct mauth_err *err)
{
    char out[WATCHED_OUTPUT], fingerprint[128];
    char url[64], trust[PATH_MAX + 8], root[PATH_MAX + 16], ca[PATH_MAX + 16];
    const char *const show[] = {
        w->program, "trust", "show", trust, "--root", root, "--json", NULL};
    const char *const bootstrap[] = {w->program, "trust", "bootstrap", url, "--out",
        w->dir, "--ca", ca, "--fingerprint", fingerprint, NULL};
    const char *home = w->service->home;
    enum mauth_rc rc;

    snprintf(url, sizeof(url), "https://127.0.0.1:%d", w->service->port);
    snprintf(trust, sizeof(trust), "%s/trust", home);
    snprintf(root, sizeof(root), "%s/root.vkey", home);
    snprintf(ca, sizeof(ca), "%s/tls.crt", home);
    rc = run(w, show, out, err);
    if (rc == MAUTH_OK &&
        !watched_member(out, "fingerprint", fingerprint, sizeof(fingerprint)))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: no fingerprint");
    return rc ? rc : run(w, bootstrap, out, err);
}

/* The root is pinned by its fingerprint, the service registered by its key. */
static enum mauth_rc
set_up(const struct watched *w, struct mauth_err *err)
{
    char out[WATCHED_OUTPUT], key[PATH_MAX + 32], id[64];
    const char *const add[] = {"service", "add", "watched", "--key", key, NULL};
    const char *const fetch[] = {
        w->program, "trust", "fetch", w->dir, "--service", id, NULL};
    enum mauth_rc rc = pin_root(w, err);

    snprintf(key, sizeof(key), "%s/service.crt", w->dir);
    if (rc == MAUTH_OK)
        rc = watched_run(w, add, out, err);
    if (rc == MAUTH_OK && !watched_member(out, "id", id, sizeof(id)))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: the service has no id");
    return rc ? rc : run(w, fetch, out, err);
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
