#include "authsvc/audit_tree_api.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "audit/checkpoint.h"
#include "audit/proof.h"
#include "authsvc/audit_tile.h"
#include "authsvc/own_keys.h"
#include "authsvc/principal.h"
#include "authsvc/problem.h"
#include "authsvc/service.h"
#include "base/b64.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"
#include "net/form.h"
#include "store/audit.h"

struct request {
    struct principal principal;
    struct http_exchange *x;
    const struct service *service;
    const struct audit_tree_route *route;
    bool has_index, has_from;
    uint64_t index, from, size; /* size 0: as it is now */
    const char *problem;
    struct audit_head head;
    struct audit_proof proof;
    struct audit_tile tile;
    uint8_t hashes[TILE_WIDTH * HASH_LEN];
};

struct audit_tree_route {
    /* In the transaction. */
    enum mauth_rc (*look)(struct request *r, struct kv_txn *txn, struct mauth_err *err);
    void (*answer)(struct request *r);
    bool proves;
    bool names_tile; /* in its path */
};

static void
request_free(void *state)
{
    struct request *r = state;

    principal_clear(&r->principal);
    free(r);
}

static bool
read_number(const struct form *f, const char *name, bool *has, uint64_t *out)
{
    const char *value = form_value(f, name, 0);

    *has = value != NULL;
    return !value || str_number(text_of(value), out);
}

/* ?index= or ?from=, of the tree with ?size= records. */
static bool
read_query(struct request *r)
{
    static const char *const nothing[] = {NULL};
    static const char *const known[] = {"index", "from", "size", NULL};
    struct form *f = NULL;
    bool good, has_size;

    if (!r->route->proves)
        return !*http_query(r->x);
    good = form_parse(text_of(http_query(r->x)), &f, NULL) == MAUTH_OK &&
           !form_repeated(f, nothing) && !form_unknown(f, known) &&
           read_number(f, "index", &r->has_index, &r->index) &&
           read_number(f, "from", &r->has_from, &r->from) &&
           read_number(f, "size", &has_size, &r->size) && r->has_index != r->has_from;
    form_free(f);
    return good;
}

static enum mauth_rc
get_node(unsigned level, uint64_t index, uint8_t out[HASH_LEN], void *arg,
    struct mauth_err *err)
{
    enum mauth_rc rc = audit_node(arg, level, index, out, err);

    if (rc == MAUTH_NOT_FOUND)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "audit: the tree is damaged");
    return rc;
}

static enum mauth_rc
look_for_head(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    return audit_head(txn, &r->head, err);
}

static enum mauth_rc
look_for_proof(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    enum mauth_rc rc = audit_head(txn, &r->head, err);
    uint64_t size = r->size ? r->size : r->head.size;

    if (rc)
        return rc;
    if (size > r->head.size || (r->has_index && r->index >= size) ||
        (r->has_from && (!r->from || r->from > size))) {
        r->problem = "not-found";
        return MAUTH_OK;
    }
    r->head.size = size;
    if (r->has_index)
        return proof_of_leaf(r->index, size, get_node, txn, &r->proof, err);
    return proof_of_growth(r->from, size, get_node, txn, &r->proof, err);
}

/* What is in the path behind "tile/"; false: that is no tile's name. */
static bool
read_tile(struct request *r)
{
    struct text parts[TILE_PARTS], part;
    size_t n = 0;

    if (!r->route->names_tile)
        return true;
    while (n < TILE_PARTS && (part = http_path_id(r->x, n + 1)).len)
        parts[n++] = part;
    return audit_tile_parse(http_path_id(r->x, 0), parts, n, &r->tile);
}

static enum mauth_rc
look_for_tile(struct request *r, struct kv_txn *txn, struct mauth_err *err)
{
    const struct audit_tile *t = &r->tile;
    enum mauth_rc rc = audit_head(txn, &r->head, err);
    uint64_t there = r->head.size >> (t->level * TILE_SHIFT);

    if (rc == MAUTH_OK && t->index * TILE_WIDTH + t->width > there)
        r->problem = "not-found";
    for (unsigned i = 0; rc == MAUTH_OK && !r->problem && i < t->width; i++)
        rc = get_node(t->level * TILE_SHIFT, t->index * TILE_WIDTH + i,
            r->hashes + (size_t)i * HASH_LEN, txn, err);
    return rc;
}

static enum mauth_rc
run(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct request *r = arg;
    enum mauth_rc rc;

    if (r->principal.local)
        rc = principal_begin(txn, &r->principal, &r->problem, err);
    else
        rc = principal_ask(txn, r->x, &r->principal, "witness", &r->problem, err);
    if (rc != MAUTH_OK || r->problem)
        return rc;
    return r->route->look(r, txn, err);
}

static void
answer_checkpoint(struct request *r)
{
    struct shared_ref *keys = own_keys_take(r->service->keys);
    const struct keystore_authority *a = keystore_authority(own_keys_of(keys));
    struct audit_checkpoint c = {.size = r->head.size};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf note;

    buf_init(&note);
    memcpy(c.root, r->head.root, HASH_LEN);
    if (audit_checkpoint_write(r->service->config->issuer.url, &c, &a->verifier,
            mauth_secret_bytes(a->seed), &note, &err) == MAUTH_OK)
        http_answer(r->x, 200, "text/plain; charset=utf-8", buf_slice(&note), NULL);
    else
        problem_fail(r->x, &err);
    buf_clear(&note);
    shared_drop(keys);
}

static void
answer_proof(struct request *r)
{
    struct buf json;

    buf_init(&json);
    buf_printf(&json, "{\"%s\":%" PRIu64 ",\"size\":%" PRIu64 ",\"hashes\":[",
        r->has_index ? "index" : "from", r->has_index ? r->index : r->from,
        r->head.size);
    for (size_t i = 0; i < r->proof.count; i++) {
        char b64[48];
        size_t len = b64_encode(B64_STD, r->proof.hash[i], HASH_LEN, b64);

        buf_printf(&json, "%s\"%.*s\"", i ? "," : "", (int)len, b64);
    }
    buf_str(&json, "]}");
    if (buf_ok(&json))
        http_answer(r->x, 200, "application/json", buf_slice(&json), NULL);
    else
        problem_answer(r->x, "unavailable", NULL, NULL);
    buf_clear(&json);
}

static void
answer_tile(struct request *r)
{
    struct text hashes = {(const char *)r->hashes, (size_t)r->tile.width * HASH_LEN};

    http_answer(r->x, 200, "application/octet-stream", hashes, NULL);
}

void
audit_tree_api_start(struct http_exchange *x)
{
    struct request *r = calloc(1, sizeof(*r));
    struct mauth_err err = MAUTH_ERR_INIT;

    if (!r) {
        problem_answer(x, "unavailable", NULL, NULL);
        return;
    }
    http_set_state(x, r, request_free);
    r->x = x;
    r->service = http_context(x);
    r->route = http_what(x);
    if (!principal_admit(x, &r->principal))
        return;
    if (!read_query(r))
        principal_refuse(x, &r->principal, "query", NULL, false);
    else if (!read_tile(r))
        principal_refuse(x, &r->principal, "not-found", NULL, false);
    else if (principal_read(x, &r->principal, run, r, &r->problem, &err) != MAUTH_OK)
        problem_fail(x, &err);
    else if (r->problem)
        principal_refuse(x, &r->principal, r->problem, NULL, false);
    else
        r->route->answer(r);
}

const struct audit_tree_route audit_tree_checkpoint = {
    .look = look_for_head, .answer = answer_checkpoint};
const struct audit_tree_route audit_tree_proof = {
    .look = look_for_proof, .answer = answer_proof, .proves = true};
const struct audit_tree_route audit_tree_tile = {
    .look = look_for_tile, .answer = answer_tile, .names_tile = true};
