#include "tests/bench/updater.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/str.h"
#include "keys/note.h"
#include "keys/trust_delta.h"
#include "keys/trust_place.h"
#include "tests/bench/waiters.h"

enum {
    CLIENT,
    UPDATER,
    BOTH,
    REQUEST_MAX = 16 << 10,
    LOOK_US = 1000,
    LOOKS = 10000,
    ANSWER_MAX = MAUTH_TRUST_MAX + 4096
};

static const char rule[] = "allow read(R) if permit(read, P), within(R, P).\n";

static enum mauth_rc
ask(struct updater *u, size_t connection, const char *request, size_t len,
    struct mauth_err *err)
{
    int status =
        bench_load_ask(u->load, connection, request, len, u->answer, ANSWER_MAX);
    char quoted[160];

    if (status == 200)
        return MAUTH_OK;
    mauth_quote(u->answer, status ? strlen(u->answer) : 0, quoted, sizeof(quoted));
    return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: %d %s", status, quoted);
}

/* The whole file, or what changed in it. */
static enum mauth_rc
take_file(struct updater *u, struct mauth_err *err)
{
    const char *body = strstr(u->answer, "\r\n\r\n");
    enum mauth_rc rc = MAUTH_OK;
    struct buf next;

    if (!body || !waiters_place(u->answer, u->after))
        return mauth_fail(err, MAUTH_MALFORMED, "bench: no file in the answer");
    body += 4;
    buf_init(&next);
    if (strcasestr(u->answer, "\r\nContent-Type: " TRUST_DELTA_TYPE))
        rc = trust_delta_apply(buf_slice(&u->file), text_of(body), &next, err);
    else
        buf_str(&next, body);
    if (rc == MAUTH_OK && !buf_ok(&next))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    if (rc == MAUTH_OK)
        rc = file_replace(u->trust, next.data, next.len, FILE_PUBLIC, err);
    if (rc != MAUTH_OK) {
        buf_clear(&next);
        return rc;
    }
    buf_clear(&u->file);
    u->file = next;
    return MAUTH_OK;
}

static enum mauth_rc
fetch(struct updater *u, struct mauth_err *err)
{
    char request[REQUEST_MAX];
    size_t len = waiters_ask(u->exchange.port, u->exchange.ticket[UPDATER], u->after,
        request, sizeof(request));
    enum mauth_rc rc = ask(u, UPDATER, request, len, err);

    return rc ? rc : take_file(u, err);
}

static enum mauth_rc
open_verifier(
    struct updater *u, const struct bench_service *service, struct mauth_err *err)
{
    char path[PATH_MAX + 16], vkey[NOTE_VKEY_MAX + 2] = "";
    const struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = u->trust,
        .root_vkey = vkey,
        .audience = "urn:meshauth:service:storage",
        .rules_file = u->rules};
    struct buf file;
    enum mauth_rc rc;

    buf_init(&file);
    snprintf(path, sizeof(path), "%s/root.vkey", service->home);
    rc = file_read(path, sizeof(vkey) - 1, &file, err);
    if (rc == MAUTH_OK) {
        memcpy(vkey, file.data, file.len);
        vkey[strcspn(vkey, "\n")] = '\0';
        rc = file_create(u->rules, rule, sizeof(rule) - 1, FILE_PUBLIC, err);
    }
    if (rc == MAUTH_OK)
        rc = mauth_verifier_open(&o, &u->verifier, err);
    buf_clear(&file);
    return rc;
}

enum mauth_rc
updater_open(struct updater *u, const struct bench_service *service,
    const struct bench_mesh *mesh, const struct bench_tokens *tokens, size_t first,
    struct mauth_err *err)
{
    char ca_file[PATH_MAX + 16];
    enum mauth_rc rc;

    memset(u, 0, sizeof(*u));
    buf_init(&u->file);
    snprintf(ca_file, sizeof(ca_file), "%s/tls.crt", service->home);
    snprintf(u->trust, sizeof(u->trust), "%s/service.trust", service->dir);
    snprintf(u->rules, sizeof(u->rules), "%s/service.rules", service->dir);
    u->exchange = (struct exchange){
        .port = service->port, .mesh = mesh, .tokens = tokens, .next = first};
    u->answer = calloc(1, ANSWER_MAX);
    if (!u->answer)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    rc = bench_load_open(service->port, ca_file, service->pid, BOTH, &u->load, err);
    if (rc == MAUTH_OK)
        rc = exchange_begin(&u->exchange, u->load, err);
    if (rc == MAUTH_OK) {
        u->key_len = bench_load_key(u->load, CLIENT, u->key);
        rc = fetch(u, err);
    }
    return rc ? rc : open_verifier(u, service, err);
}

void
updater_close(struct updater *u)
{
    mauth_verifier_close(u->verifier);
    exchange_clear(&u->exchange);
    bench_load_close(u->load);
    buf_clear(&u->file);
    free(u->answer);
    shown_clear(&u->ticket);
}

/* Asked again and again, until the verifier has noticed by itself what the file is. */
static enum mauth_rc
check(struct updater *u, struct mauth_decision *d, struct mauth_err *err)
{
    struct trust_place held, loaded;
    enum mauth_rc rc;

    if (!trust_place_read(text_of(u->after), &held))
        return mauth_fail(err, MAUTH_INTERNAL, "bench: no place of a file");
    for (int i = 0; i < LOOKS; i++) {
        rc = shown_ask(u->verifier, &u->ticket, u->key, u->key_len, d, err);
        loaded = (struct trust_place){d->epoch, d->sequence};
        if (rc != MAUTH_OK || trust_place_compare(loaded, held) >= 0)
            return rc;
        usleep(LOOK_US);
    }
    return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: the verifier notices no file");
}

enum mauth_rc
updater_new_ticket(struct updater *u, struct mauth_err *err)
{
    char request[REQUEST_MAX];
    size_t len = exchange_rights(&u->exchange, CLIENT, request, sizeof(request));
    enum mauth_rc rc = ask(u, CLIENT, request, len, err);
    struct mauth_decision d;

    if (rc == MAUTH_OK)
        rc = shown_take(&u->ticket, shown_find(u->answer), err);
    if (rc == MAUTH_OK)
        rc = check(u, &d, err);
    if (rc == MAUTH_OK && d.verdict != MAUTH_ALLOW)
        rc = mauth_fail(err, MAUTH_INTERNAL, "bench: a good ticket is refused: %s",
            mauth_reason_name(d.reason));
    return rc;
}

enum mauth_rc
updater_follow(struct updater *u, bool *revoked, struct mauth_err *err)
{
    enum mauth_rc rc = fetch(u, err);
    struct mauth_decision d;

    *revoked = false;
    if (rc == MAUTH_OK)
        rc = check(u, &d, err);
    if (rc != MAUTH_OK)
        return rc;
    *revoked = d.verdict == MAUTH_DENY && d.reason == MAUTH_REASON_REVOKED;
    if (d.verdict == MAUTH_DENY && !*revoked)
        rc = mauth_fail(
            err, MAUTH_INTERNAL, "bench: refused for %s", mauth_reason_name(d.reason));
    return rc;
}
