#include "tests/bench/list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>

#include "base/fail.h"
#include "base/file.h"
#include "base/id.h"
#include "base/str.h"
#include "keys/trust_write.h"
#include "tests/bench/bench.h"
#include "tests/bench/ticket.h"

enum {
    MENTIONED = 8, /* ids of a ticket: of a user, devices, folders, a session, itself */
    TICKETS = 4096,
    ASOF = 4711, /* of the golden tickets; every entry is of a later state */
    LINE_ROOM = 96,
    LOADS_MIN = 3,
    LOADS_MAX = 1000
};

struct list {
    struct bench_host host; /* whose trust file it is like */
    char vkey[NOTE_VKEY_MAX + 2];
    struct buf golden, file;
    char (*line)[LINE_ROOM];
    const char **lines;
    struct mauth_trust *trust;
    char (*id)[MENTIONED][ID_LEN + 1]; /* of tickets that nobody has revoked */
    struct text (*mentioned)[MENTIONED];
};

static enum mauth_rc
read_golden(const char *name, size_t max, struct buf *out, struct mauth_err *err)
{
    char path[1024];

    snprintf(path, sizeof(path), "%s/golden/%s", MAUTH_TEST_DATA, name);
    return file_read(path, max, out, err);
}

static void
new_id(enum id_kind kind, char out[ID_LEN + 1])
{
    struct id id = {{0}};

    if (id_new(&id, NULL) == MAUTH_OK)
        id_format(kind, &id, out);
}

static enum mauth_rc
make_lines(struct list *l, size_t entries, struct mauth_err *err)
{
    l->line = calloc(entries, sizeof(*l->line));
    l->lines = calloc(entries, sizeof(*l->lines));
    if (!l->line || !l->lines)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (size_t i = 0; i < entries; i++) {
        char device[ID_LEN + 1] = "", user[ID_LEN + 1] = "";

        new_id(ID_DEVICE, device);
        new_id(ID_USER, user);
        snprintf(l->line[i], LINE_ROOM, "revoke %zu %s %s", ASOF + 1 + i, device, user);
        l->lines[i] = l->line[i];
    }
    return MAUTH_OK;
}

/* Each kind of id in turn, sorted bytewise as a ticket's are. */
static enum mauth_rc
make_tickets(struct list *l, struct mauth_err *err)
{
    static const enum id_kind kinds[MENTIONED] = {ID_DEVICE, ID_DEVICE, ID_FOLDER,
        ID_FOLDER, ID_SESSION, ID_SERVICE, ID_USER, ID_USER};

    l->id = calloc(TICKETS, sizeof(*l->id));
    l->mentioned = calloc(TICKETS, sizeof(*l->mentioned));
    if (!l->id || !l->mentioned)
        return mauth_fail(err, MAUTH_NO_MEMORY, "bench: no memory");
    for (size_t t = 0; t < TICKETS; t++)
        for (size_t i = 0; i < MENTIONED; i++) {
            new_id(kinds[i], l->id[t][i]);
            l->mentioned[t][i] = text_of(l->id[t][i]);
        }
    return MAUTH_OK;
}

/* The authority's seed ends its PKCS#8 form (RFC 8410). */
static enum mauth_rc
read_authority(
    uint8_t seed[NOTE_KEY_BYTES], struct note_verifier *out, struct mauth_err *err)
{
    uint8_t key[NOTE_KEY_BYTES];
    char *name = NULL, *header = NULL;
    unsigned char *der = NULL;
    enum mauth_rc rc;
    struct buf pem;
    BIO *in = NULL;
    long len = 0;

    buf_init_secret(&pem);
    rc = read_golden("authority.pem", 4096, &pem, err);
    if (rc == MAUTH_OK)
        in = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (rc == MAUTH_OK && (!in || PEM_read_bio(in, &name, &header, &der, &len) != 1 ||
                              len < NOTE_KEY_BYTES))
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: no authority's key");
    if (rc == MAUTH_OK) {
        memcpy(seed, der + len - NOTE_KEY_BYTES, NOTE_KEY_BYTES);
        rc = note_public(seed, key, err);
    }
    if (rc == MAUTH_OK)
        rc = note_verifier_make("auth.mesh.example/authority", key, out, err);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    buf_clear(&pem);
    return rc;
}

/* The root's note, with its signature, off the front of the golden file. */
static bool
cut_delegation(const struct list *l, struct text *out)
{
    struct reader r;
    struct text note;

    reader_init(&r, l->golden.data, l->golden.len);
    if (!note_text(&r, &note))
        return false;
    (void)reader_until(&r, '\n');
    *out = (struct text){(const char *)l->golden.data, l->golden.len - r.left};
    return reader_ok(&r);
}

/* The golden file, but with this list. */
static enum mauth_rc
write_file(struct list *l, size_t entries, struct mauth_err *err)
{
    struct trust_key keys[TRUST_KEYS_MAX];
    struct trust_statement s = {.issuer = mauth_trust_issuer(l->host.trust),
        .epoch = mauth_trust_epoch(l->host.trust),
        .sequence = mauth_trust_sequence(l->host.trust) + 1,
        .issued_s = mauth_trust_issued_s(l->host.trust),
        .expires_s = mauth_trust_expires_s(l->host.trust),
        .keys = keys,
        .key_count = trust_key_count(l->host.trust),
        .revocations = l->lines,
        .revocation_count = entries};
    uint8_t seed[NOTE_KEY_BYTES];
    struct note_verifier authority;
    struct text delegation;
    enum mauth_rc rc = read_authority(seed, &authority, err);

    for (size_t i = 0; i < s.key_count; i++)
        keys[i] = *trust_key_at(l->host.trust, i);
    if (rc != MAUTH_OK)
        return rc;
    if (!cut_delegation(l, &delegation))
        return mauth_fail(err, MAUTH_MALFORMED, "bench: no golden trust file");
    return trust_write(delegation, &s, &authority, seed, &l->file, err);
}

static enum mauth_rc
prepare(struct list *l, size_t entries, struct mauth_err *err)
{
    struct buf vkey;
    enum mauth_rc rc;

    buf_init(&vkey);
    rc = bench_host_open(&l->host, err);
    if (rc == MAUTH_OK)
        rc = read_golden("trust", MAUTH_TRUST_MAX, &l->golden, err);
    if (rc == MAUTH_OK)
        rc = read_golden("root.vkey", sizeof(l->vkey) - 1, &vkey, err);
    if (rc == MAUTH_OK) {
        memcpy(l->vkey, vkey.data, vkey.len);
        l->vkey[strcspn(l->vkey, "\n")] = '\0';
        rc = make_lines(l, entries, err);
    }
    if (rc == MAUTH_OK)
        rc = make_tickets(l, err);
    if (rc == MAUTH_OK)
        rc = write_file(l, entries, err);
    buf_clear(&vkey);
    return rc;
}

static enum mauth_rc
measure_load(struct list *l, double seconds, struct mauth_err *err)
{
    int64_t end = bench_now_ns() + (int64_t)(seconds * 1e9), start;
    double ms[LOADS_MAX];
    size_t n = 0;

    while (n < LOADS_MIN || (n < LOADS_MAX && bench_now_ns() < end)) {
        enum mauth_rc rc;

        mauth_trust_free(l->trust);
        start = bench_now_ns();
        rc = mauth_trust_parse(l->file.data, l->file.len, l->vkey, &l->trust, err);
        if (rc != MAUTH_OK)
            return rc;
        ms[n++] = (double)(bench_now_ns() - start) / 1e6;
    }
    bench_line("revocation.list", "load.ms", 1, bench_quantile(ms, n, 0.5), "ms");
    return MAUTH_OK;
}

struct looking {
    const struct list *l;
    const struct mauth_trust *trust;
    size_t next;
};

static bool
finds_nothing(void *state)
{
    struct looking *k = state;
    const struct text *ids = k->l->mentioned[k->next++ % TICKETS];

    return trust_has_revocations_after(k->trust, ASOF) &&
           !trust_revokes(k->trust, ASOF, ids, MENTIONED);
}

/* Over the golden list, which has three entries. */
static enum mauth_rc
measure_look(const struct list *l, double seconds, struct mauth_err *err)
{
    struct looking in_long = {l, l->trust, 0}, in_short = {l, l->host.trust, 0};
    struct bench_racer racers[] = {{.once = finds_nothing, .state = &in_long},
        {.once = finds_nothing, .state = &in_short}};
    size_t rounds;
    enum mauth_rc rc = bench_race(racers, 2, seconds, &rounds, err);

    if (rc == MAUTH_OK) {
        double with = bench_quantile(racers[0].each_us, rounds, 0.5);
        double without = bench_quantile(racers[1].each_us, rounds, 0.5);

        bench_line("revocation.list", "check.us", 3,
            with > without ? with - without : 0, "us");
        bench_line("revocation.list", "short.check.us", 3, without, "us");
    }
    free(racers[0].each_us);
    free(racers[1].each_us);
    return rc;
}

enum mauth_rc
bench_list(size_t entries, double seconds, struct mauth_err *err)
{
    struct list l = {.trust = NULL};
    enum mauth_rc rc;

    buf_init(&l.golden);
    buf_init(&l.file);
    rc = prepare(&l, entries, err);
    if (rc == MAUTH_OK) {
        bench_line("revocation.list", "entries", 0, (double)entries, "lines");
        bench_line("revocation.list", "bytes", 0, (double)l.file.len, "bytes");
        rc = measure_load(&l, seconds / 2, err);
    }
    if (rc == MAUTH_OK)
        rc = measure_look(&l, seconds / 2, err);
    mauth_trust_free(l.trust);
    buf_clear(&l.file);
    buf_clear(&l.golden);
    free(l.line);
    free(l.lines);
    free(l.id);
    free(l.mentioned);
    bench_host_close(&l.host);
    return rc;
}
