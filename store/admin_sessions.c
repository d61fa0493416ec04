/* A user's open sessions, as admins see them. */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"
#include "store/admin_view.h"
#include "store/graph_device.h"
#include "store/graph_session.h"
#include "store/graph_user.h"

static enum mauth_rc
find_user(struct kv_txn *txn, const char *whom, struct id *out, struct mauth_err *err)
{
    struct graph_user user;
    enum mauth_rc rc;

    if (!id_parse(ID_USER, whom, strlen(whom), out))
        return MAUTH_NOT_FOUND;
    rc = graph_user_by_id(txn, out, &user, err);
    return rc == MAUTH_OK && !user.live ? MAUTH_NOT_FOUND : rc;
}

/* Nothing in it needs an escape. */
static enum mauth_rc
put_session(struct kv_txn *txn, const char *issuer, const char *user,
    const struct graph_session *s, struct buf *out, struct mauth_err *err)
{
    char id[ID_LEN + 1], key[MAUTH_KEY_ID_LEN + 1], device[ID_LEN + 1];
    char started[TIME_LEN + 1], ends[TIME_LEN + 1];
    struct graph_device d;
    enum mauth_rc rc = graph_device_by_key(txn, s->key_hash, &d, err);

    if (rc != MAUTH_OK && rc != MAUTH_NOT_FOUND)
        return rc;
    id_format(ID_SESSION, &s->id, id);
    str_hex(s->key_hash, MAUTH_KEY_ID_LEN / 2, key);
    time_format(s->started_s, started);
    time_format(s->ends_s, ends);
    buf_printf(out, "{\"id\":\"%s\",\"url\":\"", id);
    buf_str(out, issuer);
    buf_printf(out, "/v1/admin/sessions/%s\",\"type\":\"session\"", id);
    buf_printf(out, ",\"principal\":\"%s\",\"key\":\"%s\"", user, key);
    if (rc == MAUTH_OK) {
        id_format(ID_DEVICE, &d.id, device);
        buf_printf(out, ",\"device\":\"%s\"", device);
    }
    buf_printf(out, ",\"created\":\"%s\",\"ends\":\"%s\"}", started, ends);
    return MAUTH_OK;
}

static enum mauth_rc
put_page(struct kv_txn *txn, const char *issuer, const char *user,
    const struct graph_sessions *page, struct buf *out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    char last[ID_LEN + 1];

    buf_str(out, "{\"items\":[");
    for (size_t i = 0; i < page->count && rc == MAUTH_OK; i++) {
        buf_str(out, i ? "," : "");
        rc = put_session(txn, issuer, user, &page->items[i], out, err);
    }
    buf_u8(out, ']');
    if (rc == MAUTH_OK && page->more) {
        id_format(ID_SESSION, &page->items[page->count - 1].id, last);
        buf_str(out, ",\"next\":\"");
        buf_str(out, issuer);
        buf_printf(out, "/v1/admin/users/%s/sessions?after=%s\"", user, last);
    }
    buf_u8(out, '}');
    return rc;
}

enum mauth_rc
admin_view_sessions(struct kv_txn *txn, const char *issuer, const char *user,
    const char *after, size_t limit, struct buf *out, struct mauth_err *err)
{
    struct graph_sessions *page = NULL;
    struct id id, at;
    enum mauth_rc rc = find_user(txn, user, &id, err);

    if (rc == MAUTH_OK && after && !id_parse(ID_SESSION, after, strlen(after), &at))
        rc = mauth_fail(err, MAUTH_INVALID, "sessions go on behind ses_...");
    if (rc != MAUTH_OK)
        return rc;
    page = malloc(sizeof(*page)); /* it is large */
    if (!page)
        return mauth_fail(err, MAUTH_NO_MEMORY, "sessions: no memory");
    rc = graph_session_page(txn, ID_USER, &id, after ? &at : NULL, limit, page, err);
    if (rc == MAUTH_OK)
        rc = put_page(txn, issuer, user, page, out, err);
    free(page);
    return rc;
}
