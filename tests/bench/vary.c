#include "tests/bench/vary.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include "base/fail.h"
#include "base/id.h"
#include "base/str.h"
#include "keys/signer.h"
#include "tickets/decode.h"
#include "tickets/encode.h"
#include <meshauth/credential.h>

static enum mauth_rc
read_signer(const struct buf *pem, struct signer **out, struct mauth_err *err)
{
    BIO *in = BIO_new_mem_buf(pem->data, (int)pem->len);
    unsigned char *der = NULL;
    char *name = NULL, *header = NULL;
    enum mauth_rc rc;
    long n = 0;

    *out = NULL;
    if (in && PEM_read_bio(in, &name, &header, &der, &n) == 1)
        rc = signer_from_pkcs8(der, (size_t)n, out, err);
    else
        rc = mauth_fail(err, MAUTH_MALFORMED, "bench: not PEM");
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(in);
    return rc;
}

/* Overwrites every id of this kind in xml, which all are the same one, by a new one. */
static enum mauth_rc
replace_ids(enum id_kind kind, char *xml, size_t len, struct mauth_err *err)
{
    char text[ID_LEN + 1];
    struct id id;
    enum mauth_rc rc = id_new(&id, err);

    if (rc)
        return rc;
    id_format(kind, &id, text);
    for (size_t i = 0; i + ID_LEN <= len; i++)
        if (id_kind_of(xml + i, ID_LEN) == kind)
            memcpy(xml + i, text, ID_LEN);
    return MAUTH_OK;
}

/* What the ticket says, with other ids; *kept is what it says it in. */
static enum mauth_rc
read_varied(struct text credential, struct mauth_ticket **kept, struct mauth_err *err)
{
    char xml[MAUTH_TICKET_MAX];
    enum mauth_rc rc;
    size_t len;

    *kept = NULL;
    rc = mauth_credential_decode(credential.p, credential.len, xml, &len, err);
    for (int kind = 0; kind < ID_KINDS && rc == MAUTH_OK; kind++)
        rc = replace_ids((enum id_kind)kind, xml, len, err);
    return rc ? rc : ticket_decode(xml, len, kept, err);
}

static enum mauth_rc
put_line(struct buf *lines, const struct buf *xml, bool deflated, struct mauth_err *err)
{
    enum mauth_rc rc;
    char *text;

    rc = mauth_credential_encode(
        (const char *)xml->data, xml->len, deflated, &text, err);
    if (rc)
        return rc;
    buf_str(lines, text);
    buf_u8(lines, '\n');
    free(text);
    return MAUTH_OK;
}

enum mauth_rc
bench_vary(struct buf *lines, const struct buf *pem, struct mauth_err *err)
{
    struct text plain, rest = {(const char *)lines->data, lines->len};
    char id[TICKET_ID_LEN + 1];
    struct mauth_ticket *ticket = NULL;
    struct signer *signer = NULL;
    struct buf xml;
    enum mauth_rc rc;

    buf_init(&xml);
    if (!text_cut(&rest, '\n', &plain))
        return mauth_fail(err, MAUTH_MALFORMED, "bench: no line of credential");
    rc = read_signer(pem, &signer, err);
    if (rc == MAUTH_OK)
        rc = read_varied(plain, &ticket, err);
    if (rc == MAUTH_OK)
        rc = ticket_new_id(id, err);
    if (rc == MAUTH_OK) {
        ticket->says.id = text_of(id);
        rc = ticket_sign(&ticket->says, signer, &xml, err);
    }
    buf_rewind(lines);
    if (rc == MAUTH_OK)
        rc = put_line(lines, &xml, false, err);
    if (rc == MAUTH_OK)
        rc = put_line(lines, &xml, true, err);
    buf_clear(&xml);
    mauth_ticket_free(ticket);
    signer_free(signer);
    return rc;
}
