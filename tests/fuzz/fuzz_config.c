#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "config/config.h"
#include "tests/fuzz/fuzz.h"

/* libconfig 1.5 loses the text it has just read when the next token is wrong. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
    return "leak:libconfig";
}

/* What is accepted is complete and within its bounds; what is refused is told. */
static void
check_accepted(const struct config *c)
{
    MUST(strncmp(c->issuer.url, "https://", 8) == 0);
    MUST(c->issuer.url[strlen(c->issuer.url) - 1] != '/');
    MUST(c->listen.port >= 1 && c->listen.port <= 65535);
    MUST(strlen(c->listen.admin_socket) <= 107);
    MUST(c->tickets.identity_s >= 60 && c->tickets.identity_s <= 43200);
    MUST(c->limits.threads >= 1 && c->limits.threads <= 64);
    MUST(strncmp(c->store, "lmdb:/", 6) == 0 && c->seal_key_file[0] == '/');
    MUST(c->providers <= CONFIG_PROVIDERS);
    for (size_t i = 0; i < c->providers; i++) {
        const struct config_provider *p = &c->provider[i];

        MUST(p->name[0] && p->issuer[0]);
        MUST(p->client_ids >= 1 && p->client_ids <= CONFIG_CLIENT_IDS);
        MUST(!p->demo || (p->jwks_file && config_is_loopback(c->listen.address)));
    }
}

static void
check_refused(enum mauth_rc rc, const struct mauth_err *err)
{
    MUST(rc == MAUTH_MALFORMED || rc == MAUTH_TOO_LARGE);
    MUST(err->rc == rc && strchr(err->text, ':'));
    for (const char *p = err->text; *p; p++)
        MUST(*p >= 0x20 && *p < 0x7f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    static char path[32];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct config *c = NULL;
    enum mauth_rc rc;

    if (fd < 0) {
        fd = memfd_create("config", MFD_CLOEXEC);
        MUST(fd >= 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    }
    MUST(ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size);
    rc = config_load(path, &c, &err);
    if (rc == MAUTH_OK)
        check_accepted(c);
    else
        check_refused(rc, &err);
    MUST((rc == MAUTH_OK) == (c != NULL));
    config_free(c);
    return 0;
}
