#include "tests/unit/faulty_token.h"

#include <dlfcn.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <time.h>

struct faulty_token faulty_token;

static CK_FUNCTION_LIST ours;
static CK_FUNCTION_LIST *theirs;

static bool
is_due(atomic_int *left)
{
    int n = atomic_load(left);

    while (n > 0)
        if (atomic_compare_exchange_weak(left, &n, n - 1))
            return true;
    return false;
}

static CK_RV
initialize(void *args)
{
    atomic_fetch_add(&faulty_token.initializes, 1);
    if (is_due(&faulty_token.initialize))
        return atomic_load(&faulty_token.code);
    return theirs->C_Initialize(args);
}

static CK_RV
finalize(void *reserved)
{
    atomic_fetch_add(&faulty_token.finalizes, 1);
    return theirs->C_Finalize(reserved);
}

static CK_RV
get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = theirs->C_GetTokenInfo(slot, info);

    info->flags |= atomic_load(&faulty_token.token_flags);
    return rv;
}

static CK_RV
open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *app, CK_NOTIFY notify,
    CK_SESSION_HANDLE *session)
{
    if (is_due(&faulty_token.open_session))
        return atomic_load(&faulty_token.code);
    return theirs->C_OpenSession(slot, flags, app, notify, session);
}

static CK_RV
login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_BYTE *pin, CK_ULONG len)
{
    atomic_fetch_add(&faulty_token.logins, 1);
    if (is_due(&faulty_token.login))
        return atomic_load(&faulty_token.code);
    return theirs->C_Login(session, user, pin, len);
}

static CK_RV
sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    if (is_due(&faulty_token.sign_init))
        return atomic_load(&faulty_token.code);
    return theirs->C_SignInit(session, mechanism, key);
}

static CK_RV
sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG len, CK_BYTE *out, CK_ULONG *n)
{
    int ms = atomic_exchange(&faulty_token.hang_ms, 0);
    const struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};

    atomic_fetch_add(&faulty_token.signs, 1);
    if (ms)
        nanosleep(&pause, NULL);
    if (is_due(&faulty_token.sign))
        return atomic_load(&faulty_token.code);
    if (is_due(&faulty_token.swaps))
        data[len - 1] ^= 1;
    return theirs->C_Sign(session, data, len, out, n);
}

CK_RV
C_GetFunctionList(CK_FUNCTION_LIST **list)
{
    union {
        void *symbol;
        CK_C_GetFunctionList call;
    } u;
    void *library = dlopen(SOFTHSM_MODULE, RTLD_NOW | RTLD_LOCAL);

    if (!library)
        return CKR_GENERAL_ERROR;
    u.symbol = dlsym(library, "C_GetFunctionList");
    if (!u.symbol || u.call(&theirs) != CKR_OK)
        return CKR_GENERAL_ERROR;
    ours = *theirs;
    ours.C_Initialize = initialize;
    ours.C_Finalize = finalize;
    ours.C_GetTokenInfo = get_token_info;
    ours.C_OpenSession = open_session;
    ours.C_Login = login;
    ours.C_SignInit = sign_init;
    ours.C_Sign = sign;
    *list = &ours;
    return CKR_OK;
}
