#include "cli/ticket_view.h"

#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/output.h"
#include "cli/when.h"
#include "keys/der.h"
#include <meshauth/credential.h>

/* Reading. */

static enum mauth_rc
unpack(struct text file, char *xml, size_t *len, struct mauth_err *err)
{
    if (file.len && file.p[file.len - 1] == '\n')
        file.len--;
    if (!text_starts(file, "<"))
        return mauth_credential_decode(file.p, file.len, xml, len, err);
    if (file.len > MAUTH_TICKET_MAX)
        return mauth_refuse(err, MAUTH_REASON_SIZE,
            "ticket: %zu bytes of XML, %d are the most", file.len, MAUTH_TICKET_MAX);
    memcpy(xml, file.p, file.len);
    *len = file.len;
    return MAUTH_OK;
}

enum mauth_rc
ticket_view_read(
    const char *path, char xml[MAUTH_TICKET_MAX], size_t *len, struct mauth_err *err)
{
    struct mauth_err trouble = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct buf file;

    *len = 0;
    buf_init(&file);
    rc = file_read(path, MAUTH_CREDENTIAL_MAX + 1, &file, &trouble);
    if (rc == MAUTH_OK)
        rc = unpack(buf_slice(&file), xml, len, err);
    else if (rc == MAUTH_TOO_LARGE)
        rc = mauth_refuse(err, MAUTH_REASON_SIZE,
            "credential: over %d characters, which is the most", MAUTH_CREDENTIAL_MAX);
    else if (err)
        *err = trouble;
    buf_clear(&file);
    return rc;
}

/* The key that it is bound to. */

static bool
key_id_of(const uint8_t *spki, size_t len, char out[MAUTH_KEY_ID_LEN + 1])
{
    uint8_t hash[HASH_LEN];

    if (hash_bytes(spki, len, hash, NULL) != MAUTH_OK)
        return false;
    str_hex(hash, MAUTH_KEY_ID_LEN / 2, out);
    return true;
}

static void
row(struct table *t, const char *label, const char *value)
{
    table_cell(t, STYLE_DIM, "%s", label);
    table_cell(t, STYLE_PLAIN, "%s", value ? value : "");
}

static void
row_holder(struct table *t, const struct mauth_ticket *ticket)
{
    size_t len, modulus;
    const uint8_t *spki = mauth_ticket_holder_spki(ticket, &len);
    char id[MAUTH_KEY_ID_LEN + 1] = "?";

    if (!spki) {
        row(t, "bound to", "nobody: whoever bears it may use it");
        return;
    }
    key_id_of(spki, len, id);
    table_cell(t, STYLE_DIM, "bound to");
    if (der_is_rsa(spki, len, &modulus))
        table_cell(t, STYLE_PLAIN, "key %s (RSA, %zu bits)", id, modulus * 8);
    else
        table_cell(t, STYLE_PLAIN, "key %s (P-256)", id);
}

static void
row_time(struct table *t, const char *label, int64_t t_s, int64_t now_s)
{
    char stamp[TIME_LEN + 1], when[WHEN_LEN];

    time_format(t_s, stamp);
    when_format(t_s, now_s, when);
    table_cell(t, STYLE_DIM, "%s", label);
    table_cell(t, STYLE_PLAIN, "%s, %s", stamp, when);
}

char *
ticket_view_actions(const struct mauth_ticket *t, size_t i)
{
    struct buf b;

    buf_init(&b);
    for (size_t j = 0; j < mauth_ticket_permit_action_count(t, i); j++)
        buf_printf(&b, "%s%s", j ? ", " : "", mauth_ticket_permit_action(t, i, j));
    return buf_detach(&b, NULL);
}

static void
rows_permits(struct table *t, const struct mauth_ticket *ticket)
{
    for (size_t i = 0; i < mauth_ticket_permit_count(ticket); i++) {
        char *actions = ticket_view_actions(ticket, i);

        table_cell(t, STYLE_DIM, "%s", i ? "" : "permits");
        table_cell(t, STYLE_PLAIN, "%s on %s", actions ? actions : "?",
            mauth_ticket_permit_resource(ticket, i));
        free(actions);
    }
}

static void
rows_facts(struct table *t, const struct mauth_ticket *ticket)
{
    for (size_t i = 0; i < mauth_ticket_fact_count(ticket); i++) {
        size_t arity = mauth_ticket_fact_arity(ticket, i);
        const char *text;
        struct buf b;

        buf_init(&b);
        buf_printf(&b, "%s(", mauth_ticket_fact_relation(ticket, i));
        for (size_t j = 0; j < arity; j++)
            buf_printf(&b, "%s%s", j ? ", " : "", mauth_ticket_fact_arg(ticket, i, j));
        buf_str(&b, ")");
        text = buf_cstr(&b);
        row(t, i ? "" : "facts", text ? text : "?");
        buf_clear(&b);
    }
}

static void
rows_times(struct table *t, const struct mauth_ticket *ticket, int64_t now_s)
{
    int64_t issued_s = mauth_ticket_issued_s(ticket);
    int64_t opens_s = mauth_ticket_not_before_s(ticket);

    if (mauth_ticket_is_identity(ticket))
        row_time(t, "logged in", mauth_ticket_authn_instant_s(ticket), now_s);
    row_time(t, "issued", issued_s, now_s);
    if (opens_s != issued_s)
        row_time(t, "opens", opens_s, now_s);
    row_time(t, "closes", mauth_ticket_not_on_or_after_s(ticket), now_s);
}

const char *
ticket_view_kind(const struct mauth_ticket *t)
{
    return mauth_ticket_is_identity(t) ? "identity" : "rights";
}

bool
ticket_view_print(const struct mauth_ticket *ticket, int64_t now_s)
{
    struct table *t = table_new(2, NULL);

    table_cell(t, STYLE_DIM, "kind");
    table_cell(t, STYLE_BOLD, "%s ticket", ticket_view_kind(ticket));
    row(t, "id", mauth_ticket_id(ticket));
    row(t, "issuer", mauth_ticket_issuer(ticket));
    row(t, "subject", mauth_ticket_subject(ticket));
    row(t, "session", mauth_ticket_session(ticket));
    row_holder(t, ticket);
    for (size_t i = 0; i < mauth_ticket_audience_count(ticket); i++)
        row(t, i ? "" : "audience", mauth_ticket_audience(ticket, i));
    rows_permits(t, ticket);
    rows_facts(t, ticket);
    rows_times(t, ticket, now_s);
    row(t, "signed by", mauth_ticket_key_id(ticket));
    return table_end(t);
}

/* For machines. Each returns NULL, or an object, without memory. */

static json_t *
json_time(int64_t t_s)
{
    char stamp[TIME_LEN + 1];

    time_format(t_s, stamp);
    return json_string(stamp);
}

/* The longer list; NULL, and nothing left, when either was NULL or memory is out. */
static json_t *
append(json_t *list, json_t *item)
{
    if (json_array_append_new(list, item) == 0)
        return list;
    json_decref(list);
    return NULL;
}

static json_t *
json_audiences(const struct mauth_ticket *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_ticket_audience_count(t); i++)
        list = append(list, json_string(mauth_ticket_audience(t, i)));
    return list;
}

static json_t *
json_actions(const struct mauth_ticket *t, size_t i)
{
    json_t *list = json_array();

    for (size_t j = 0; j < mauth_ticket_permit_action_count(t, i); j++)
        list = append(list, json_string(mauth_ticket_permit_action(t, i, j)));
    return list;
}

static json_t *
json_permits(const struct mauth_ticket *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_ticket_permit_count(t); i++)
        list = append(list,
            json_pack("{s:s, s:o}", "resource", mauth_ticket_permit_resource(t, i),
                "actions", json_actions(t, i)));
    return list;
}

static json_t *
json_fact(const struct mauth_ticket *t, size_t i)
{
    json_t *fact = append(json_array(), json_string(mauth_ticket_fact_relation(t, i)));

    for (size_t j = 0; j < mauth_ticket_fact_arity(t, i); j++)
        fact = append(fact, json_string(mauth_ticket_fact_arg(t, i, j)));
    return fact;
}

static json_t *
json_facts(const struct mauth_ticket *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < mauth_ticket_fact_count(t); i++)
        list = append(list, json_fact(t, i));
    return list;
}

json_t *
ticket_view_json_core(const struct mauth_ticket *t)
{
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id", mauth_ticket_id(t),
        "subject", mauth_ticket_subject(t), "session", mauth_ticket_session(t),
        "audiences", json_audiences(t), "permits", json_permits(t), "facts",
        json_facts(t), "not_on_or_after", json_time(mauth_ticket_not_on_or_after_s(t)));
}

static bool
add_holder(json_t *o, const struct mauth_ticket *t)
{
    char id[MAUTH_KEY_ID_LEN + 1];
    const uint8_t *spki;
    size_t len;

    spki = mauth_ticket_holder_spki(t, &len);
    if (!spki)
        return json_object_set_new(o, "holder_key", json_null()) == 0;
    return key_id_of(spki, len, id) &&
           json_object_set_new(o, "holder_key", json_string(id)) == 0;
}

static bool
add_authn(json_t *o, const struct mauth_ticket *t)
{
    if (!mauth_ticket_is_identity(t))
        return true;
    return json_object_set_new(
               o, "authn_instant", json_time(mauth_ticket_authn_instant_s(t))) == 0 &&
           json_object_set_new(
               o, "authn_class", json_string(mauth_ticket_authn_class(t))) == 0;
}

json_t *
ticket_view_json(const struct mauth_ticket *t)
{
    char digest[48] = "";
    json_t *o = ticket_view_json_core(t), *rest;

    b64_encode(B64_STD, mauth_ticket_digest(t), HASH_LEN, digest);
    rest = json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "kind", ticket_view_kind(t),
        "issuer", mauth_ticket_issuer(t), "issued", json_time(mauth_ticket_issued_s(t)),
        "not_before", json_time(mauth_ticket_not_before_s(t)), "key",
        mauth_ticket_key_id(t), "digest", digest);
    if (json_object_update(o, rest) != 0 || !add_holder(o, t) || !add_authn(o, t)) {
        json_decref(o);
        o = NULL;
    }
    json_decref(rest);
    return o;
}
