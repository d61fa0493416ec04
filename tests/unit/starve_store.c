/* The store, its audit log and its keys, with each allocation failing in turn. */
#include <jansson.h>

#include "base/fail.h"
#include "store/admin_view.h"
#include "store/audit.h"
#include "store/authority_change.h"
#include "store/backup.h"
#include "store/metadata_key.h"
#include "store/publish.h"
#include "store/reseal.h"
#include "store/revocations.h"
#include "tests/unit/press.h"
#include "tests/unit/starve.h"

/* These are wrapped here; jansson's own are not. */
static void *
json_malloc(size_t size)
{
    return malloc(size);
}

void *__real_malloc(size_t size);

static enum mauth_rc
open_store(void *arg, struct mauth_err *err)
{
    struct store_dir *s = arg;
    enum mauth_rc rc = kv_open(s->url, KV_OPEN, &s->kv, err);

    assert_true((rc == MAUTH_OK) == (s->kv != NULL));
    kv_close(s->kv);
    s->kv = NULL;
    return rc;
}

/* What fails before there is a store leaves nothing that is in the way of one. */
static enum mauth_rc
create_store(void *arg, struct mauth_err *err)
{
    struct store_dir *s = arg;

    return kv_open(s->url, KV_CREATE, &s->kv, err);
}

static void
starves_the_store(void **state)
{
    struct store_dir s = {.dir = "/tmp/meshauth-test.XXXXXX"};

    (void)state;
    assert_non_null(mkdtemp(s.dir));
    snprintf(s.url, sizeof(s.url), "lmdb:%s/store", s.dir);
    starve("create", create_store, &s);
    kv_close(s.kv);
    s.kv = NULL;
    starve("open", open_store, &s);
    store_remove(&s);
}

static const struct audit_record record = {.time_us = 1795341900123456,
    .actor = "usr_0aaaaaaaaaaaaaaaaaaaaaaaaa",
    .action = "login",
    .resources = {"https://a.example", "\xff"},
    .resource_count = 2,
    .outcome = "allow",
    .digest = (const uint8_t *)"0123456789abcdef0123456789abcdef",
    .count = 2};

static enum mauth_rc
make_entry(void *arg, struct mauth_err *err)
{
    struct audit_entry *e = NULL;
    enum mauth_rc rc = audit_entry_new(&record, &e, err);

    (void)arg;
    assert_true((rc == MAUTH_OK) == (e != NULL));
    audit_entry_free(e);
    return rc;
}

struct log {
    struct kv *kv;
    struct audit_entry *entry;
    uint64_t size;
};

static enum mauth_rc
append(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return audit_append(txn, ((struct log *)arg)->entry, err);
}

static enum mauth_rc
head(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct audit_head h;
    enum mauth_rc rc = audit_head(txn, &h, err);

    ((struct log *)arg)->size = h.size;
    return rc;
}

static enum mauth_rc
append_entry(void *arg, struct mauth_err *err)
{
    struct log *l = arg;
    uint64_t before = l->size;
    enum mauth_rc rc = kv_write(l->kv, append, l, err);

    assert_int_equal(kv_read(l->kv, head, l, NULL), MAUTH_OK);
    assert_int_equal(l->size, before + (rc == MAUTH_OK));
    return rc;
}

static void
starves_the_log(void **state)
{
    struct log l = {0};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    l.kv = s.kv;
    assert_int_equal(audit_entry_new(&record, &l.entry, NULL), MAUTH_OK);
    json_set_alloc_funcs(json_malloc, free);
    starve("entry", make_entry, NULL);
    json_set_alloc_funcs(__real_malloc, free);
    starve("append", append_entry, &l);
    audit_entry_free(l.entry);
    store_remove(&s);
}

static enum mauth_rc
load_keys(void *arg, struct mauth_err *err)
{
    struct press *p = arg;
    enum mauth_rc rc;

    keystore_free(p->keys);
    p->keys = NULL;
    rc = kv_read(p->s.kv, press_load, p, err);
    assert_true((rc == MAUTH_OK) == (p->keys != NULL));
    return rc;
}

static enum mauth_rc
put_keys(void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    return kv_write(p->s.kv, press_put, p, err);
}

/* So many that their lines do not fit into the first piece of memory. */
static enum mauth_rc
revoke_some(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct revoked r = {.state = 1, .count = 1};
    enum mauth_rc rc = MAUTH_OK;

    (void)arg;
    for (int i = 0; i < 100 && rc == MAUTH_OK; i++) {
        snprintf(r.id[0], sizeof(r.id[0]), "_%032d", i);
        rc = revocations_add(txn, &r, err);
    }
    return rc;
}

static enum mauth_rc
publish(void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    return publish_trust(p->s.kv, p->keys, &p->o, err);
}

static enum mauth_rc
make_seal(void *arg, struct mauth_err *err)
{
    struct mauth_secret *seal = NULL;
    enum mauth_rc rc = keystore_seal_create(arg, &seal, err);

    mauth_secret_free(seal);
    return rc;
}

static enum mauth_rc
put_metadata_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    static const uint8_t nonce[12] = {9};
    const struct press *p = arg;
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_make(&k, 1000, err);
    if (rc == MAUTH_OK)
        rc = metadata_key_put(txn, p->seal, &k, nonce, err);
    metadata_key_clear(&k);
    return rc;
}

static enum mauth_rc
read_metadata_key(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct press *p = arg;
    struct metadata_key k;
    enum mauth_rc rc;

    metadata_key_init(&k);
    rc = metadata_key_read(txn, p->seal, &k, err);
    metadata_key_clear(&k);
    return rc;
}

static enum mauth_rc
make_metadata_key(void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    return kv_write(p->s.kv, put_metadata_key, p, err);
}

static enum mauth_rc
take_metadata_key(void *arg, struct mauth_err *err)
{
    struct press *p = arg;

    return kv_read(p->s.kv, read_metadata_key, p, err);
}

/* The life of a key: each is one change, as an admin's. */
struct living {
    struct press *p;
    struct admin_change change;
    struct buf pkcs8, shown;
};

static enum mauth_rc
apply(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct admin_change *c = &((struct living *)arg)->change;
    enum mauth_rc rc = admin_change_find(txn, c, err);

    return rc ? rc : admin_change_apply(txn, c, err);
}

static enum mauth_rc
change_key(void *arg, struct mauth_err *err)
{
    struct living *l = arg;
    enum mauth_rc rc;

    l->change.now_s = 1500;
    l->change.key.seal = l->p->seal;
    l->change.key.pkcs8 = &l->pkcs8;
    rc = admin_change_ready(&l->change, err);
    return rc ? rc : kv_write(l->p->s.kv, apply, l, err);
}

static enum mauth_rc
put_view(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct living *l = arg;
    const struct admin_keys_look look = {
        .seal = l->p->seal, .issuer = "https://a.example", .now_s = 1500};

    return admin_view_keys(txn, &look, &l->shown, err);
}

static enum mauth_rc
show_keys(void *arg, struct mauth_err *err)
{
    struct living *l = arg;
    enum mauth_rc rc;

    buf_init(&l->shown);
    rc = kv_read(l->p->s.kv, put_view, l, err);
    if (rc == MAUTH_OK && !buf_ok(&l->shown)) /* it is the caller's to ask */
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "shown: no memory");
    buf_clear(&l->shown);
    return rc;
}

static enum mauth_rc
reseal(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    return reseal_all(txn, arg, err);
}

struct resealing {
    struct kv *kv;
    struct reseal reseal;
};

static enum mauth_rc
seal_anew(void *arg, struct mauth_err *err)
{
    struct resealing *r = arg;
    enum mauth_rc rc = reseal_ready(&r->reseal, err);

    return rc ? rc : kv_write(r->kv, reseal, &r->reseal, err);
}

static void
starves_the_life_of_keys(void **state)
{
    static const uint8_t raw[KEYSTORE_SEAL_BYTES] = {2};
    struct living l = {.change = {.op = ADMIN_KEY_PREPARE}};
    struct mauth_secret *seal = NULL;
    char id[MAUTH_KEY_ID_LEN + 1];
    struct resealing r;
    struct press p;

    (void)state;
    press_set_up(&p);
    l.p = &p;
    buf_init_secret(&l.pkcs8);
    starve("prepare", change_key, &l);
    memcpy(id, l.change.key.view.id, sizeof(id));
    l.change.whom = id;
    l.change.key.force = true;
    l.change.op = ADMIN_KEY_ACTIVATE;
    starve("activate", change_key, &l);
    assert_int_equal(l.change.key.view.state, TRUST_ACTIVE);
    starve("show", show_keys, &l);
    l.change.op = ADMIN_KEY_REVOKE;
    starve("revoke", change_key, &l);
    assert_int_equal(l.change.key.view.state, TRUST_REVOKED);
    assert_int_equal(mauth_secret_new(raw, sizeof(raw), &seal, NULL), MAUTH_OK);
    r = (struct resealing){.kv = p.s.kv, .reseal = {.from = p.seal, .to = seal}};
    starve("reseal", seal_anew, &r);
    mauth_secret_free(seal);
    buf_clear(&l.pkcs8);
    press_tear_down(&p);
}

static void
starves_the_keys(void **state)
{
    struct press p;
    char path[96];

    (void)state;
    press_set_up(&p);
    starve("load", load_keys, &p);
    assert_int_equal(kv_write(p.s.kv, revoke_some, NULL, NULL), MAUTH_OK);
    starve("publish", publish, &p);
    /* The same key again would be a conflict. */
    buf_clear(&p.pkcs8);
    assert_int_equal(signer_generate(SIGNER_P256, &p.pkcs8, NULL), MAUTH_OK);
    starve("put", put_keys, &p);
    starve("metadata key", make_metadata_key, &p);
    starve("take metadata key", take_metadata_key, &p);
    snprintf(path, sizeof(path), "%s/seal.key", p.s.dir);
    starve("seal", make_seal, path);
    unlink(path);
    press_tear_down(&p);
}

static struct authority_change
change_of(const struct press *p, enum authority_op op)
{
    return (struct authority_change){.op = op,
        .seal = p->seal,
        .issuer = "https://a.example",
        .now_s = 1500,
        .who = {.actor = "uid:0"}};
}

static enum mauth_rc
request_authority(void *arg, struct mauth_err *err)
{
    struct press *p = arg;
    struct authority_change c = change_of(p, AUTHORITY_REQUEST);
    enum mauth_rc rc = authority_change_ready(&c, err);

    if (rc == MAUTH_OK)
        rc = kv_write(p->s.kv, authority_change_run, &c, err);
    assert_int_equal(c.refused, MAUTH_OK);
    authority_change_clear(&c);
    return rc;
}

static enum mauth_rc
view_in(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    void **with = arg;
    const struct press *p = with[0];

    return authority_view(txn, p->seal, 1500, 0, with[1], err);
}

static enum mauth_rc
view_authority(void *arg, struct mauth_err *err)
{
    struct press *p = arg;
    struct buf json;
    void *with[] = {p, &json};
    enum mauth_rc rc;

    buf_init(&json);
    rc = kv_read(p->s.kv, view_in, with, err);
    buf_clear(&json);
    return rc;
}

static void
starves_the_authority(void **state)
{
    struct press p;

    (void)state;
    press_set_up(&p);
    starve("request", request_authority, &p);
    starve("view", view_authority, &p);
    press_tear_down(&p);
}

struct copying {
    struct press press;
    char file[96], url[128], dir[96];
};

static enum mauth_rc
back_up(void *arg, struct mauth_err *err)
{
    struct copying *c = arg;
    struct backup_head head;
    enum mauth_rc rc;

    unlink(c->file);
    rc = backup_make(c->press.s.kv, "https://a.example", 1500, c->file, &head, err);
    assert_true((rc == MAUTH_OK) == (access(c->file, F_OK) == 0));
    return rc;
}

static enum mauth_rc
bring_back(void *arg, struct mauth_err *err)
{
    struct copying *c = arg;
    struct restore r = {.store = c->url,
        .backup = c->file,
        .issuer = "https://a.example",
        .seal = c->press.seal,
        .now_s = 1500,
        .who = {.actor = "uid:0"}};
    enum mauth_rc rc = restore_run(&r, err);

    assert_true((rc == MAUTH_OK) == (access(c->dir, F_OK) == 0));
    return rc;
}

static void
starves_the_backup(void **state)
{
    struct copying c;
    struct store_dir made = {.kv = NULL};

    (void)state;
    press_set_up(&c.press);
    snprintf(c.file, sizeof(c.file), "%s/backup", c.press.s.dir);
    snprintf(made.dir, sizeof(made.dir), "/tmp/meshauth-test.XXXXXX");
    assert_non_null(mkdtemp(made.dir));
    snprintf(c.dir, sizeof(c.dir), "%s/store", made.dir);
    snprintf(c.url, sizeof(c.url), "lmdb:%s", c.dir);
    starve("backup", back_up, &c);
    starve("restore", bring_back, &c);
    unlink(c.file);
    store_remove(&made);
    press_tear_down(&c.press);
}

struct admins {
    struct kv *kv;
    struct admin_change change;
    struct buf json;
};

static enum mauth_rc
change_in(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    const struct audit_record who = {.actor = "uid:0"};
    struct admins *a = arg;
    enum mauth_rc rc = admin_change_find(txn, &a->change, err);

    if (rc == MAUTH_OK)
        rc = admin_change_apply(txn, &a->change, err);
    return rc ? rc : admin_change_record(txn, &a->change, &who, NULL, err);
}

static enum mauth_rc
create_service(void *arg, struct mauth_err *err)
{
    struct admins *a = arg;

    return kv_write(a->kv, change_in, a, err);
}

static enum mauth_rc
list_in(struct kv_txn *txn, void *arg, struct mauth_err *err)
{
    struct admins *a = arg;

    return admin_view_list(
        txn, ADMIN_SERVICES, "https://a.example", NULL, 0, &a->json, err);
}

static enum mauth_rc
list_services(void *arg, struct mauth_err *err)
{
    struct admins *a = arg;
    enum mauth_rc rc;

    buf_init(&a->json);
    rc = kv_read(a->kv, list_in, a, err);
    if (rc == MAUTH_OK && !buf_ok(&a->json))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&a->json);
    return rc;
}

/* A change whose record cannot be made has not been made. */
static void
starves_the_admins(void **state)
{
    struct admins a = {.change = {.op = ADMIN_SERVICE_CREATE,
                           .now_s = 5,
                           .service = {.id = {.b = {1}}, .name = "relay"}}};
    struct store_dir s;

    (void)state;
    store_make(&s, "");
    a.kv = s.kv;
    starve("change", create_service, &a);
    assert_int_equal(create_service(&a, NULL), MAUTH_CONFLICT);
    starve("list", list_services, &a);
    store_remove(&s);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(starves_the_store),
        cmocka_unit_test(starves_the_log),
        cmocka_unit_test(starves_the_keys),
        cmocka_unit_test(starves_the_life_of_keys),
        cmocka_unit_test(starves_the_authority),
        cmocka_unit_test(starves_the_backup),
        cmocka_unit_test(starves_the_admins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
