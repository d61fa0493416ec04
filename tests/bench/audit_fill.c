#include "tests/bench/audit_fill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "store/audit.h"
#include "tests/bench/bench.h"
#include "tickets/encode.h"

enum {
    BULK = 4096, /* records in one transaction */
    TELL = 250000
};

#define MESH_URL "https://auth.mesh.example/v1/mesh"

/* What there is, of a hundred records. */
static const struct kind {
    unsigned share;
    const char *action, *outcome, *reason, *rule;
    bool folder, ticket;
} kinds[] = {
    {60, "ticket.issue", "allow", NULL, "read", true, true},
    {20, "ticket.renew", "allow", NULL, NULL, false, true},
    {10, "ticket.issue", "deny", "no-rule", NULL, true, false},
    {5, "mapping.add", "done", NULL, NULL, true, false},
    {5, "user.create", "done", NULL, NULL, false, false},
};

size_t
audit_fill_users(uint64_t records)
{
    size_t users = (size_t)(records / AUDIT_FILL_EACH);

    return users < AUDIT_FILL_SHARED ? AUDIT_FILL_SHARED : users;
}

/* SplitMix64 of i: all that is drawn for a record comes from it. */
static uint64_t
draw(uint64_t i, uint64_t what)
{
    uint64_t z = (i * 16 + what + 1) * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

enum {
    DRAW_KIND,
    DRAW_USER,
    DRAW_FOLDER,
    DRAW_SHARED,
    DRAW_BYTES, /* and those behind it */
};

static const struct kind *
kind_of(uint64_t i)
{
    uint64_t n = draw(i, DRAW_KIND) % 100;
    const struct kind *k = kinds;

    for (; n >= k->share; k++)
        n -= k->share;
    return k;
}

bool
audit_fill_has_ticket(uint64_t i)
{
    return kind_of(i)->ticket;
}

static size_t
user_of(const struct audit_fill *f, uint64_t i)
{
    return (size_t)(draw(i, DRAW_USER) % f->mesh->users);
}

static void
fill_bytes(uint64_t i, uint8_t *out, size_t len)
{
    for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
        uint64_t v = draw(i, DRAW_BYTES + at / sizeof(uint64_t));

        memcpy(out + at, &v, len - at < sizeof(v) ? len - at : sizeof(v));
    }
}

void
audit_fill_user(const struct audit_fill *f, uint64_t i, char out[AUDIT_FILL_NAME])
{
    struct id id = mesh_user(f->mesh, user_of(f, i));

    id_format(ID_USER, &id, out);
}

void
audit_fill_ticket(uint64_t i, char out[AUDIT_FILL_NAME])
{
    uint8_t random[TICKET_ID_RANDOM];

    fill_bytes(i, random, sizeof(random));
    ticket_id_of(random, out);
}

/* Spread over all users. */
void
audit_fill_folder(const struct audit_fill *f, size_t n, char out[AUDIT_FILL_NAME])
{
    struct id id = mesh_folder(
        f->mesh, n * (f->mesh->users / AUDIT_FILL_SHARED), MESH_FOLDERS - 1);

    id_format(ID_FOLDER, &id, out);
}

static void
folder_of(const struct audit_fill *f, uint64_t i, char out[AUDIT_FILL_NAME])
{
    struct id id;

    if (draw(i, DRAW_SHARED) % 4 == 0) {
        audit_fill_folder(f, draw(i, DRAW_FOLDER) % AUDIT_FILL_SHARED, out);
        return;
    }
    id = mesh_folder(f->mesh, user_of(f, i), draw(i, DRAW_FOLDER) % (MESH_FOLDERS - 1));
    id_format(ID_FOLDER, &id, out);
}

enum mauth_rc
audit_fill_entry(const struct audit_fill *f, uint64_t i, struct audit_entry **out,
    struct mauth_err *err)
{
    const struct kind *k = kind_of(i);
    uint64_t user = user_of(f, i);
    struct id device = mesh_device(f->mesh, user, i % MESH_DEVICES), session = device;
    char actor[AUDIT_FILL_NAME], dev[ID_LEN + 1], ses[ID_LEN + 1], url[128], client[32];
    char folder[AUDIT_FILL_NAME], ticket[AUDIT_FILL_NAME], request[20];
    uint8_t salt[AUDIT_SALT];
    struct audit_record r = {.time_us = f->first_us + (int64_t)i * AUDIT_FILL_STEP_US,
        .actor = actor,
        .device = dev,
        .session = ses,
        .action = k->action,
        .outcome = k->outcome,
        .reason = k->reason,
        .rule = k->rule,
        .client = client,
        .request = request};

    fill_bytes(i, salt, sizeof(salt));
    audit_fill_user(f, i, actor);
    id_format(ID_DEVICE, &device, dev);
    session.b[0] ^= (uint8_t)(i / (AUDIT_FILL_EACH * f->mesh->users / 10 + 1));
    id_format(ID_SESSION, &session, ses);
    snprintf(client, sizeof(client), "10.%" PRIu64 ".%" PRIu64 ".%" PRIu64, user >> 16,
        user >> 8 & 255, user & 255);
    snprintf(request, sizeof(request), "%016" PRIx64, draw(i, DRAW_BYTES));
    if (k->folder) {
        folder_of(f, i, folder);
        snprintf(url, sizeof(url), MESH_URL "/folders/%s", folder);
        r.resources[r.resource_count++] = url;
    }
    if (k->ticket) {
        audit_fill_ticket(i, ticket);
        r.resources[r.resource_count++] = k->folder ? "storage" : "meshauth";
        r.ticket = ticket;
        r.digest = salt;
        r.key = "b7XVAGMMyg2ZVWMcSJzbNu";
    }
    return audit_entry_salted(&r, salt, out, err);
}

struct bulk {
    const struct audit_fill *f;
    uint64_t first, end;
};

static enum mauth_rc
put_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct bulk *b = arg;
    enum mauth_rc rc = MAUTH_OK;

    for (uint64_t i = b->first; i < b->end && rc == MAUTH_OK; i++) {
        struct audit_entry *e = NULL;

        rc = audit_fill_entry(b->f, i, &e, err);
        if (rc == MAUTH_OK)
            rc = audit_append(txn, e, err);
        audit_entry_free(e);
    }
    return rc;
}

enum mauth_rc
audit_fill_store(const struct audit_fill *f, struct kv *kv, struct mauth_err *err)
{
    struct bulk b = {.f = f};
    enum mauth_rc rc = MAUTH_OK;

    while (rc == MAUTH_OK && b.first < f->records) {
        b.end = b.first + BULK < f->records ? b.first + BULK : f->records;
        rc = kv_write(kv, put_some, &b, err);
        if (b.end / TELL != b.first / TELL)
            bench_progress("%" PRIu64 " records", b.end);
        b.first = b.end;
    }
    return rc;
}
