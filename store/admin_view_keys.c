/* Signing keys, as admins see them. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/admin_keys.h"
#include "store/admin_view.h"
#include "store/key.h"
#include "store/metadata_key.h"

void
admin_key_take_view(const struct signing_key *k, struct admin_key_view *out)
{
    const uint8_t *spki;

    memset(out, 0, sizeof(*out));
    spki = mauth_key_spki(k->key, &out->spki_len);
    memcpy(out->spki, spki, out->spki_len);
    snprintf(out->id, sizeof(out->id), "%s", mauth_key_id(k->key));
    snprintf(out->token, sizeof(out->token), "%s", k->token);
    snprintf(out->audiences, sizeof(out->audiences), "%s", k->audiences);
    out->state = k->state;
    out->kind = signer_kind_of(k->key);
    out->created_s = k->created_s;
    out->from_s = k->from_s;
    out->until_s = k->until_s;
    out->active_s = k->active_s;
    out->retires_s = k->retires_s;
    out->listed = k->listed;
}

static void
put_time(struct buf *b, const char *name, int64_t t_s)
{
    char text[TIME_LEN + 1];

    time_format(t_s, text);
    buf_printf(b, ",\"%s\":\"%s\"", name, text);
}

static void
put_audiences(struct buf *b, const char *list)
{
    struct text rest = text_of(list), one;

    if (strcmp(list, "*") == 0)
        return;
    buf_str(b, ",\"audiences\":[");
    while (text_cut(&rest, ',', &one)) {
        buf_json(b, one);
        buf_u8(b, ',');
    }
    buf_json(b, rest);
    buf_u8(b, ']');
}

static void
put_listed(struct buf *b, struct trust_place listed)
{
    char place[TRUST_PLACE_MAX + 1];

    trust_place_format(listed, place);
    if (listed.epoch || listed.sequence)
        buf_printf(b, ",\"listed\":\"%s\"", place);
}

void
admin_view_key(struct buf *out, const char *issuer, const struct admin_key_view *v,
    const struct key_ready *ready)
{
    char pem[ADMIN_PEM_MAX];

    buf_printf(out, "{\"id\":\"%s\",\"url\":\"", v->id);
    buf_str(out, issuer);
    buf_printf(out, "/v1/admin/keys/%s\",\"type\":\"key\",\"state\":\"%s\"", v->id,
        trust_state_name(v->state));
    buf_printf(out, ",\"algorithm\":\"%s\"", signer_kind_name(v->kind));
    put_time(out, "created", v->created_s);
    put_time(out, "from", v->from_s);
    put_time(out, "until", v->until_s);
    if (v->active_s)
        put_time(out, "activated", v->active_s);
    if (v->state == TRUST_RETIRING)
        put_time(out, "retires", v->retires_s);
    put_listed(out, v->listed);
    put_audiences(out, v->audiences);
    if (v->token[0]) {
        buf_str(out, ",\"pkcs11\":");
        buf_json(out, text_of(v->token));
    }
    if (ready)
        key_ready_view(ready, v->listed, issuer, out);
    admin_view_pem(v->spki, v->spki_len, pem);
    buf_str(out, ",\"key\":");
    buf_json(out, text_of(pem));
    buf_u8(out, '}');
}

enum mauth_rc
admin_view_key_of(struct kv_txn *txn, const struct admin_keys_look *look,
    const char *id, struct buf *out, struct mauth_err *err)
{
    struct admin_key_view view;
    struct key_ready ready = {0};
    struct signing_key k;
    enum mauth_rc rc;

    if (!admin_key_is_id(text_of(id)))
        return MAUTH_NOT_FOUND;
    signing_key_init(&k);
    rc = signing_key_find(txn, look->seal, id, &k, err);
    if (rc == MAUTH_OK)
        rc = key_ready_take(txn, &look->reports, look->now_s, &ready, err);
    if (rc == MAUTH_OK) {
        admin_key_take_view(&k, &view);
        admin_view_key(out, look->issuer, &view, &ready);
    }
    key_ready_clear(&ready);
    signing_key_clear(&k);
    return rc;
}

struct listing {
    struct buf *out;
    const char *issuer;
    struct key_ready ready;
    size_t count;
};

static enum mauth_rc
put_one(struct signing_key *k, void *arg, struct mauth_err *err)
{
    struct listing *l = arg;
    struct admin_key_view view;

    (void)err;
    admin_key_take_view(k, &view);
    buf_str(l->out, l->count++ ? "," : "");
    admin_view_key(l->out, l->issuer, &view, &l->ready);
    return MAUTH_OK;
}

enum mauth_rc
admin_view_keys(struct kv_txn *txn, const struct admin_keys_look *look, struct buf *out,
    struct mauth_err *err)
{
    struct listing l = {.out = out, .issuer = look->issuer};
    enum mauth_rc rc = key_ready_take(txn, &look->reports, look->now_s, &l.ready, err);

    buf_str(out, "{\"items\":[");
    if (rc == MAUTH_OK)
        rc = signing_key_each(txn, look->seal, put_one, &l, err);
    buf_str(out, "]}");
    key_ready_clear(&l.ready);
    return rc;
}

enum mauth_rc
admin_view_metadata_key(struct kv_txn *txn, const struct mauth_secret *seal,
    struct buf *out, struct mauth_err *err)
{
    struct metadata_key k;
    enum mauth_rc rc;
    struct buf pem;

    metadata_key_init(&k);
    buf_init(&pem);
    rc = metadata_key_read(txn, seal, &k, err);
    if (rc == MAUTH_OK) {
        admin_view_pem_block(&pem, "CERTIFICATE", buf_slice(&k.certificate));
        buf_printf(out, "{\"type\":\"metadata-key\",\"id\":\"%s\"", k.id);
        buf_str(out, ",\"certificate\":");
        buf_json(out, buf_slice(&pem));
        buf_u8(out, '}');
    }
    if (!buf_ok(&pem))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "metadata key: no memory");
    buf_clear(&pem);
    metadata_key_clear(&k);
    return rc;
}
