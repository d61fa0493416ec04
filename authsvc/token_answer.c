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
put_plain(struct buf *b, const struct issued *t, struct mauth_err *err)
{
    char *text;
    enum mauth_rc rc = mauth_credential_encode(t->xml, t->xml_len, false, &text, err);

    if (rc != MAUTH_OK)
        return rc;
    buf_u8(b, '"');
    buf_str(b, text);
    buf_u8(b, '"');
    free(text);
    return MAUTH_OK;
}

/* Those of the set, between separators. */
static void
put_actions(struct buf *b, const struct text *action, uint64_t set, bool quoted)
{
    for (size_t i = 0, n = 0; set >> i && i < 64; i++) {
        if (!(set >> i & 1))
            continue;
        if (n++)
            buf_u8(b, quoted ? ',' : ' ');
        if (quoted)
            buf_json(b, action[i]);
        else
            buf_text(b, action[i]); /* names need no escape */
    }
}

static void
put_line(struct buf *b, const struct token_line *l, const char *credential)
{
    buf_str(b, "{\"audience\":");
    buf_json(b, text_of(l->audience));
    if (l->resource) {
        buf_str(b, ",\"resource\":");
        buf_json(b, text_of(l->resource));
    }
    buf_str(b, ",\"actions\":[");
    put_actions(b, l->action, l->actions, true);
    buf_printf(
        b, "],\"expires_in\":%" PRId64 ",\"credential\":\"", l->ticket->expires_in_s);
    buf_str(b, credential);
    buf_str(b, "\"}");
}

/* Of lines that follow each other for one ticket its credential is made once. */
enum mauth_rc
token_lines_write(
    struct buf *b, const struct token_line *line, size_t lines, struct mauth_err *err)
{
    const struct issued *made = NULL;
    enum mauth_rc rc = MAUTH_OK;
    char *text = NULL;

    buf_str(b, "\"tickets\":[");
    for (size_t i = 0; i < lines && rc == MAUTH_OK; i++) {
        const struct issued *t = line[i].ticket;

        if (t != made) {
            free(text);
            text = NULL;
            rc = mauth_credential_encode(t->xml, t->xml_len, true, &text, err);
            made = t;
        }
        buf_str(b, i ? "," : "");
        if (rc == MAUTH_OK)
            put_line(b, &line[i], text);
    }
    buf_u8(b, ']');
    free(text);
    return rc;
}

enum mauth_rc
token_answer_write(struct buf *b, const struct token_answer *a, struct mauth_err *err)
{
    enum mauth_rc rc;

    buf_str(b, "{\"access_token\":");
    rc = put_plain(b, a->line[0].ticket, err);
    buf_printf(b,
        ",\"issued_token_type\":\"" TOKEN_TYPE_SAML2 "\",\"token_type\":\"%s\""
        ",\"expires_in\":%" PRId64,
        a->by_dpop ? "DPoP" : "Bearer", a->line[0].ticket->expires_in_s);
    if (a->mesh) {
        buf_str(b, ",\"mesh\":");
        buf_json(b, text_of(a->mesh));
    }
    if (a->scope) {
        buf_str(b, ",\"scope\":\"");
        put_actions(b, a->action, a->scope, false);
        buf_u8(b, '"');
    }
    if (rc != MAUTH_OK)
        return rc;
    buf_u8(b, ',');
    rc = token_lines_write(b, a->line, a->lines, err);
    buf_u8(b, '}');
    return rc;
}
