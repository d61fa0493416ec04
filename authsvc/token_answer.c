#include "authsvc/token_answer.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/fail.h"
#include "base/str.h"
#include <meshauth/credential.h>

/*
 * The answer is written as text, not built as a tree: most of it is base64url,
 * which jansson would look at three times, character by character.
 */

static enum mauth_rc
put_credential(
    struct buf *b, const struct issued *t, bool deflated, struct mauth_err *err)
{
    char *text;
    enum mauth_rc rc =
        mauth_credential_encode(t->xml, t->xml_len, deflated, &text, err);

    if (rc != MAUTH_OK)
        return rc;
    buf_u8(b, '"');
    buf_str(b, text);
    buf_u8(b, '"');
    free(text);
    return MAUTH_OK;
}

static enum mauth_rc
put_ticket(struct buf *b, const struct issued *t, struct mauth_err *err)
{
    enum mauth_rc rc;

    buf_str(b, "{\"audience\":");
    buf_json(b, text_of(t->audience));
    if (t->action) {
        buf_str(b, ",\"resource\":");
        buf_json(b, text_of(t->resource));
    }
    buf_str(b, ",\"actions\":[");
    if (t->action)
        buf_json(b, text_of(t->action));
    buf_printf(b, "],\"expires_in\":%" PRId64 ",\"credential\":", t->expires_in_s);
    rc = put_credential(b, t, true, err);
    buf_u8(b, '}');
    return rc;
}

enum mauth_rc
token_answer_write(struct buf *b, const struct token_answer *a, struct mauth_err *err)
{
    enum mauth_rc rc;

    buf_str(b, "{\"access_token\":");
    rc = put_credential(b, &a->tickets[0], false, err);
    buf_printf(b,
        ",\"issued_token_type\":\"" TOKEN_TYPE_SAML2 "\",\"token_type\":\"%s\""
        ",\"expires_in\":%" PRId64,
        a->by_dpop ? "DPoP" : "Bearer", a->tickets[0].expires_in_s);
    if (a->mesh) {
        buf_str(b, ",\"mesh\":");
        buf_json(b, text_of(a->mesh));
    }
    for (size_t i = 0; i < a->count && rc == MAUTH_OK; i++) {
        buf_str(b, i ? "," : ",\"tickets\":[");
        rc = put_ticket(b, &a->tickets[i], err);
    }
    buf_str(b, "]}");
    return rc;
}
