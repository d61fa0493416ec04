#include "pkcs11/module.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"

enum {
    REFUSED_MAX = 32 /* PINs, for each module */
};

struct pkcs11_module {
    struct pkcs11_module *next;
    char *path;
    void *library;
    const CK_FUNCTION_LIST *functions;
    pthread_mutex_t lock; /* held while it starts and ends; guards what follows */
    size_t inside;
    size_t refused_count;
    uint8_t refused[REFUSED_MAX][HASH_LEN];
};

/* All that were ever loaded. */
static pthread_mutex_t modules_lock = PTHREAD_MUTEX_INITIALIZER;
static struct pkcs11_module *modules;

static const struct {
    CK_RV rv;
    const char *name;
} names[] = {
    {CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
    {CKR_SLOT_ID_INVALID, "CKR_SLOT_ID_INVALID"},
    {CKR_GENERAL_ERROR, "CKR_GENERAL_ERROR"},
    {CKR_FUNCTION_FAILED, "CKR_FUNCTION_FAILED"},
    {CKR_ARGUMENTS_BAD, "CKR_ARGUMENTS_BAD"},
    {CKR_CANT_LOCK, "CKR_CANT_LOCK"},
    {CKR_DEVICE_ERROR, "CKR_DEVICE_ERROR"},
    {CKR_DEVICE_MEMORY, "CKR_DEVICE_MEMORY"},
    {CKR_DEVICE_REMOVED, "CKR_DEVICE_REMOVED"},
    {CKR_FUNCTION_NOT_SUPPORTED, "CKR_FUNCTION_NOT_SUPPORTED"},
    {CKR_KEY_HANDLE_INVALID, "CKR_KEY_HANDLE_INVALID"},
    {CKR_KEY_TYPE_INCONSISTENT, "CKR_KEY_TYPE_INCONSISTENT"},
    {CKR_KEY_FUNCTION_NOT_PERMITTED, "CKR_KEY_FUNCTION_NOT_PERMITTED"},
    {CKR_MECHANISM_INVALID, "CKR_MECHANISM_INVALID"},
    {CKR_OBJECT_HANDLE_INVALID, "CKR_OBJECT_HANDLE_INVALID"},
    {CKR_PIN_INCORRECT, "CKR_PIN_INCORRECT"},
    {CKR_PIN_INVALID, "CKR_PIN_INVALID"},
    {CKR_PIN_LEN_RANGE, "CKR_PIN_LEN_RANGE"},
    {CKR_PIN_EXPIRED, "CKR_PIN_EXPIRED"},
    {CKR_PIN_LOCKED, "CKR_PIN_LOCKED"},
    {CKR_SESSION_CLOSED, "CKR_SESSION_CLOSED"},
    {CKR_SESSION_COUNT, "CKR_SESSION_COUNT"},
    {CKR_SESSION_HANDLE_INVALID, "CKR_SESSION_HANDLE_INVALID"},
    {CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT"},
    {CKR_TOKEN_NOT_RECOGNIZED, "CKR_TOKEN_NOT_RECOGNIZED"},
    {CKR_USER_NOT_LOGGED_IN, "CKR_USER_NOT_LOGGED_IN"},
    {CKR_USER_PIN_NOT_INITIALIZED, "CKR_USER_PIN_NOT_INITIALIZED"},
    {CKR_USER_TYPE_INVALID, "CKR_USER_TYPE_INVALID"},
    {CKR_USER_ANOTHER_ALREADY_LOGGED_IN, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN"},
    {CKR_CRYPTOKI_NOT_INITIALIZED, "CKR_CRYPTOKI_NOT_INITIALIZED"},
};

enum mauth_rc
pkcs11_failed(const char *call, CK_RV rv, struct mauth_err *err)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (names[i].rv == rv)
            return mauth_fail(
                err, MAUTH_UNAVAILABLE, "token: %s: %s", call, names[i].name);
    return mauth_fail(err, MAUTH_UNAVAILABLE, "token: %s: code 0x%lx", call, rv);
}

static void
module_free(struct pkcs11_module *m)
{
    if (!m)
        return;
    if (m->library)
        dlclose(m->library);
    pthread_mutex_destroy(&m->lock);
    free(m->path);
    free(m);
}

static enum mauth_rc
load(struct pkcs11_module *m, struct mauth_err *err)
{
    union {
        void *symbol;
        CK_C_GetFunctionList call; /* C11 knows no cast between the two */
    } list;
    CK_FUNCTION_LIST *functions = NULL;
    CK_RV rv;

    m->library = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
    if (!m->library)
        return mauth_fail(err, MAUTH_UNAVAILABLE, "token: %s", dlerror());
    list.symbol = dlsym(m->library, "C_GetFunctionList");
    if (!list.symbol)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "token: %s is no PKCS#11 module", m->path);
    rv = list.call(&functions);
    if (rv != CKR_OK)
        return pkcs11_failed("C_GetFunctionList", rv, err);
    if (!functions || functions->version.major != 2)
        return mauth_fail(
            err, MAUTH_UNAVAILABLE, "token: %s is not of PKCS#11 2", m->path);
    m->functions = functions;
    return MAUTH_OK;
}

static enum mauth_rc
module_new(const char *path, struct pkcs11_module **out, struct mauth_err *err)
{
    struct pkcs11_module *m = calloc(1, sizeof(*m));
    enum mauth_rc rc;

    *out = NULL;
    if (!m)
        return mauth_fail(err, MAUTH_NO_MEMORY, "token: no memory");
    pthread_mutex_init(&m->lock, NULL);
    m->path = strdup(path);
    if (m->path)
        rc = load(m, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "token: no memory");
    if (rc != MAUTH_OK) {
        module_free(m);
        return rc;
    }
    *out = m;
    return MAUTH_OK;
}

/* The one of this path, loaded now if it was not before. */
static enum mauth_rc
find(const char *path, struct pkcs11_module **out, struct mauth_err *err)
{
    struct pkcs11_module *m;
    enum mauth_rc rc = MAUTH_OK;

    pthread_mutex_lock(&modules_lock);
    m = modules;
    while (m && strcmp(m->path, path) != 0)
        m = m->next;
    if (!m) {
        rc = module_new(path, &m, err);
        if (rc == MAUTH_OK) {
            m->next = modules;
            modules = m;
        }
    }
    pthread_mutex_unlock(&modules_lock);
    *out = m;
    return rc;
}

enum mauth_rc
pkcs11_module_enter(const char *path, struct pkcs11_module **out, struct mauth_err *err)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    struct pkcs11_module *m;
    enum mauth_rc rc;
    CK_RV rv = CKR_OK;

    *out = NULL;
    rc = find(path, &m, err);
    if (rc != MAUTH_OK)
        return rc;
    pthread_mutex_lock(&m->lock);
    if (m->inside == 0)
        rv = m->functions->C_Initialize(&args);
    if (rv == CKR_CRYPTOKI_ALREADY_INITIALIZED)
        rv = CKR_OK;
    if (rv == CKR_OK)
        m->inside++;
    pthread_mutex_unlock(&m->lock);
    if (rv != CKR_OK)
        return pkcs11_failed("C_Initialize", rv, err);
    *out = m;
    return MAUTH_OK;
}

void
pkcs11_module_leave(struct pkcs11_module *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&m->lock);
    if (--m->inside == 0)
        (void)m->functions->C_Finalize(NULL); /* nothing is left that it could break */
    pthread_mutex_unlock(&m->lock);
}

const CK_FUNCTION_LIST *
pkcs11_module_functions(const struct pkcs11_module *m)
{
    return m->functions;
}

/* What is remembered of a PIN: a hash of it and of whose it is. */
static enum mauth_rc
mark_of(const CK_TOKEN_INFO *token, struct text pin, uint8_t out[HASH_LEN],
    struct mauth_err *err)
{
    const struct text pieces[] = {
        {(const char *)token->label, sizeof(token->label)},
        {(const char *)token->manufacturerID, sizeof(token->manufacturerID)},
        {(const char *)token->model, sizeof(token->model)},
        {(const char *)token->serialNumber, sizeof(token->serialNumber)},
        pin,
    };

    return hash_sha256(pieces, sizeof(pieces) / sizeof(*pieces), out, err);
}

enum mauth_rc
pkcs11_module_check_pin(struct pkcs11_module *m, const CK_TOKEN_INFO *token,
    struct text pin, struct mauth_err *err)
{
    uint8_t mark[HASH_LEN];
    enum mauth_rc rc = mark_of(token, pin, mark, err);
    bool refused;

    if (rc != MAUTH_OK)
        return rc;
    pthread_mutex_lock(&m->lock);
    refused = m->refused_count == REFUSED_MAX;
    for (size_t i = 0; i < m->refused_count && !refused; i++)
        refused = memcmp(m->refused[i], mark, HASH_LEN) == 0;
    pthread_mutex_unlock(&m->lock);
    if (refused)
        return mauth_fail(err, MAUTH_UNAVAILABLE,
            "token: it refused this PIN before, and is not asked again with it");
    return MAUTH_OK;
}

void
pkcs11_module_refused_pin(
    struct pkcs11_module *m, const CK_TOKEN_INFO *token, struct text pin)
{
    uint8_t mark[HASH_LEN];

    if (mark_of(token, pin, mark, NULL) != MAUTH_OK)
        memset(mark, 0, sizeof(mark)); /* a lost place is better than a locked token */
    pthread_mutex_lock(&m->lock);
    if (m->refused_count < REFUSED_MAX)
        memcpy(m->refused[m->refused_count++], mark, HASH_LEN);
    pthread_mutex_unlock(&m->lock);
}
