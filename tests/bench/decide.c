#include "tests/bench/decide.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "keys/note.h"

static const char rule[] = "allow read(R) if permit(read, P), within(R, P).\n";

static enum mauth_rc
read_vkey(char *out, size_t size, struct mauth_err *err)
{
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = file_read(MAUTH_TEST_DATA "/golden/root.vkey", size - 1, &file, err);
    if (rc == MAUTH_OK) {
        memcpy(out, file.data, file.len);
        out[file.len] = '\0';
        out[strcspn(out, "\n")] = '\0';
    }
    buf_clear(&file);
    return rc;
}

static enum mauth_rc
write_rule(struct bench_decider *d, char *path, size_t size, struct mauth_err *err)
{
    snprintf(d->dir, sizeof(d->dir), "/tmp/meshauth-bench.XXXXXX");
    if (!mkdtemp(d->dir)) {
        d->dir[0] = '\0';
        return mauth_fail(err, MAUTH_UNAVAILABLE, "bench: no folder in /tmp");
    }
    snprintf(path, size, "%s/one.rules", d->dir);
    return file_create(path, rule, sizeof(rule) - 1, FILE_PUBLIC, err);
}

enum mauth_rc
bench_decider_open(struct bench_decider *d, const struct bench_host *host,
    size_t entries, struct mauth_err *err)
{
    char vkey[NOTE_VKEY_MAX + 2], rules[128];
    struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = MAUTH_TEST_DATA "/golden/trust",
        .root_vkey = vkey,
        .audience = host->want.audience,
        .rules_file = rules,
        .cache_entries = entries,
        .cache_bytes = (size_t)1 << 30};
    enum mauth_rc rc;

    memset(d, 0, sizeof(*d));
    rc = read_vkey(vkey, sizeof(vkey), err);
    if (rc == MAUTH_OK)
        rc = write_rule(d, rules, sizeof(rules), err);
    if (rc == MAUTH_OK)
        rc = mauth_verifier_open(&o, &d->verifier, err);
    d->decision.size = sizeof(d->decision);
    d->request.size = sizeof(d->request);
    d->request.key_spki = host->want.holder_spki;
    d->request.key_spki_len = host->want.holder_spki_len;
    d->request.now_s = host->want.now_s;
    d->request.action = "read";
    d->request.arg_count = 1;
    return rc;
}

void
bench_decider_close(struct bench_decider *d)
{
    char path[128];

    mauth_verifier_close(d->verifier);
    if (!d->dir[0])
        return;
    snprintf(path, sizeof(path), "%s/one.rules", d->dir);
    unlink(path);
    rmdir(d->dir);
}

bool
bench_decide(struct bench_decider *d, struct text header, const char *resource)
{
    d->args[0] = resource;
    d->request.args = d->args;
    d->request.authorization = header.p;
    d->request.authorization_len = header.len;
    return mauth_verifier_check(d->verifier, &d->request, &d->decision) == MAUTH_OK;
}
