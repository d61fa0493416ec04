/* Signing keys, as admins see them. */
#include <stdio.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/admin_keys.h"
#include "store/admin_view.h"

void
admin_key_take_view(const struct signing_key *k, struct admin_key_view *out)
{
    const uint8_t *spki;

    memset(out, 0, sizeof(*out));
    spki = mauth_key_spki(k->key, &out->spki_len);
    memcpy(out->spki, spki, out->spki_len);
    snprintf(out->id, sizeof(out->id), "%s", mauth_key_id(k->key));
    snprintf(out->audiences, sizeof(out->audiences), "%s", k->audiences);
    out->state = k->state;
    out->kind = signer_kind_of(k->key);
    out->created_s = k->created_s;
    out->from_s = k->from_s;
    out->until_s = k->until_s;
    out->active_s = k->active_s;
    out->retires_s = k->retires_s;
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

void
admin_view_key(struct buf *b, const char *issuer, const struct admin_key_view *v)
{
    char pem[ADMIN_PEM_MAX];

    buf_printf(b, "{\"id\":\"%s\",\"url\":\"", v->id);
    buf_str(b, issuer);
    buf_printf(b, "/v1/admin/keys/%s\",\"type\":\"key\",\"state\":\"%s\"", v->id,
        trust_state_name(v->state));
    buf_printf(b, ",\"algorithm\":\"%s\"", signer_kind_name(v->kind));
    put_time(b, "created", v->created_s);
    put_time(b, "from", v->from_s);
    put_time(b, "until", v->until_s);
    if (v->active_s)
        put_time(b, "activated", v->active_s);
    if (v->state == TRUST_RETIRING)
        put_time(b, "retires", v->retires_s);
    put_audiences(b, v->audiences);
    admin_view_pem(v->spki, v->spki_len, pem);
    buf_str(b, ",\"key\":");
    buf_json(b, text_of(pem));
    buf_u8(b, '}');
}

enum mauth_rc
admin_view_key_of(struct kv_txn *txn, const struct mauth_secret *seal,
    const char *issuer, const char *id, struct buf *out, struct mauth_err *err)
{
    struct admin_key_view view;
    struct signing_key k;
    enum mauth_rc rc;

    if (!admin_key_is_id(text_of(id)))
        return MAUTH_NOT_FOUND;
    signing_key_init(&k);
    rc = signing_key_find(txn, seal, id, &k, err);
    if (rc == MAUTH_OK) {
        admin_key_take_view(&k, &view);
        admin_view_key(out, issuer, &view);
    }
    signing_key_clear(&k);
    return rc;
}

struct listing {
    struct buf *out;
    const char *issuer;
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
    admin_view_key(l->out, l->issuer, &view);
    return MAUTH_OK;
}

enum mauth_rc
admin_view_keys(struct kv_txn *txn, const struct mauth_secret *seal, const char *issuer,
    struct buf *out, struct mauth_err *err)
{
    struct listing l = {.out = out, .issuer = issuer};
    enum mauth_rc rc;

    buf_str(out, "{\"items\":[");
    rc = signing_key_each(txn, seal, put_one, &l, err);
    buf_str(out, "]}");
    return rc;
}
