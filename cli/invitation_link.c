#include "cli/invitation_link.h"

#include <string.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/secret.h"
#include "base/str.h"

#define PATH "/v1/mesh/invitations/"

enum {
    SECRET_BYTES = 32
};

void
invitation_link_clear(struct invitation_link *link)
{
    mauth_wipe(link, sizeof(*link));
}

static bool
take_secret(struct text secret, struct invitation_link *out)
{
    uint8_t bytes[SECRET_BYTES];
    size_t len;
    bool ok = secret.len == INVITATION_SECRET &&
              b64_decode(B64_URL, secret.p, secret.len, bytes, sizeof(bytes), &len);

    if (ok)
        memcpy(out->secret, secret.p, secret.len);
    mauth_wipe(bytes, sizeof(bytes));
    return ok;
}

static bool
take_service(struct text url, struct invitation_link *out)
{
    char text[SERVICE_URL_MAX + 1];

    if (url.len > SERVICE_URL_MAX || memchr(url.p, '\0', url.len))
        return false;
    memcpy(text, url.p, url.len);
    text[url.len] = '\0';
    return service_url_parse(text, &out->service, NULL) == MAUTH_OK;
}

/* Off the end of *rest, behind the last '/' and with it. */
static bool
take_id(struct text *rest, struct invitation_link *out)
{
    struct id id;

    if (rest->len < ID_LEN)
        return false;
    rest->len -= ID_LEN;
    if (!id_parse(ID_INVITATION, rest->p + rest->len, ID_LEN, &id))
        return false;
    id_format(ID_INVITATION, &id, out->id);
    return true;
}

static bool
take_path(struct text *rest)
{
    const size_t len = strlen(PATH);

    if (rest->len < len || memcmp(rest->p + rest->len - len, PATH, len) != 0)
        return false;
    rest->len -= len;
    return true;
}

enum mauth_rc
invitation_link_parse(
    struct text link, struct invitation_link *out, struct mauth_err *err)
{
    struct text rest = link, url;

    memset(out, 0, sizeof(*out));
    if (!text_cut(&rest, '#', &url))
        return mauth_fail(err, MAUTH_INVALID,
            "not all of an invitation's link: the secret behind '#' is missing; does "
            "the shell need quotes around it?");
    if (!take_id(&url, out) || !take_path(&url) || !take_service(url, out))
        return mauth_fail(err, MAUTH_INVALID,
            "not an invitation's link, https://HOST[:PORT]" PATH "inv_...#SECRET");
    if (!take_secret(rest, out))
        return mauth_fail(err, MAUTH_INVALID,
            "the link's secret, behind '#', is not %d characters of base64url",
            (int)INVITATION_SECRET);
    return MAUTH_OK;
}
