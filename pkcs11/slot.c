#include "pkcs11/slot.h"

#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

enum {
    SLOTS_MAX = 256
};

/* A field of blanks behind the text; "" is satisfied with any. */
static bool
fits(const char *want, const CK_UTF8CHAR *field, size_t size)
{
    size_t len = strlen(want);

    if (!len)
        return true;
    if (len > size || memcmp(field, want, len) != 0)
        return false;
    for (size_t i = len; i < size; i++)
        if (field[i] != ' ')
            return false;
    return true;
}

static bool
is_meant(const struct pkcs11_uri *uri, const CK_TOKEN_INFO *t)
{
    return (t->flags & CKF_TOKEN_INITIALIZED) &&
           fits(uri->token, t->label, sizeof(t->label)) &&
           fits(uri->serial, t->serialNumber, sizeof(t->serialNumber)) &&
           fits(uri->manufacturer, t->manufacturerID, sizeof(t->manufacturerID)) &&
           fits(uri->model, t->model, sizeof(t->model));
}

static enum mauth_rc
search(const CK_FUNCTION_LIST *f, const struct pkcs11_uri *uri, const CK_SLOT_ID *slot,
    size_t count, CK_SLOT_ID *out, CK_TOKEN_INFO *token, struct mauth_err *err)
{
    char name[80];
    size_t found = 0;

    for (size_t i = 0; i < count; i++) {
        CK_TOKEN_INFO info;

        memset(&info, 0, sizeof(info));
        /* A slot that fails is one without a token that we could use. */
        if (f->C_GetTokenInfo(slot[i], &info) != CKR_OK || !is_meant(uri, &info))
            continue;
        *out = slot[i];
        *token = info;
        found++;
    }
    if (found == 1)
        return MAUTH_OK;
    mauth_quote(uri->token[0] ? uri->token : uri->serial,
        strlen(uri->token[0] ? uri->token : uri->serial), name, sizeof(name));
    if (found == 0)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: \"%s\" is not present", name);
    return mauth_fail(err, MAUTH_UNAVAILABLE,
        "token: \"%s\" is the name of %zu tokens; add the serial number", name, found);
}

enum mauth_rc
pkcs11_slot_find(const CK_FUNCTION_LIST *f, const struct pkcs11_uri *uri,
    CK_SLOT_ID *out, CK_TOKEN_INFO *token, struct mauth_err *err)
{
    CK_SLOT_ID slot[SLOTS_MAX];
    CK_ULONG count = 0;
    CK_RV rv;

    /* Asked without room first: some modules look for new tokens only then. */
    rv = f->C_GetSlotList(CK_TRUE, NULL, &count);
    if (rv == CKR_OK && count > SLOTS_MAX)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: %lu slots", count);
    count = SLOTS_MAX;
    if (rv == CKR_OK)
        rv = f->C_GetSlotList(CK_TRUE, slot, &count);
    if (rv != CKR_OK)
        return pkcs11_failed("C_GetSlotList", rv, err);
    return search(f, uri, slot, count, out, token, err);
}
