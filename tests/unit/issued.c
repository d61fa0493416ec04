/*
 * Keeps what a test issues, so that a judge who is not us sees it, too: the linker
 * sends calls of ticket_sign() here (--wrap). Each ticket becomes a line of
 * KEYID.tickets in the folder $MAUTH_ISSUED, beside KEYID.der, the key that signed
 * it; interop.judge_issued verifies them all. Without the variable nothing is kept.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tickets/encode.h"

enum mauth_rc __real_ticket_sign(struct ticket *t, const struct signer *signer,
    struct buf *out, struct mauth_err *err);
enum mauth_rc __wrap_ticket_sign(struct ticket *t, const struct signer *signer,
    struct buf *out, struct mauth_err *err);

static void
must(bool good)
{
    if (!good)
        abort();
}

static void
add_to(const char *name, const char *suffix, int flags, const void *data, size_t len)
{
    char path[1024];
    int fd;

    snprintf(path, sizeof(path), "%s/%s.%s", getenv("MAUTH_ISSUED"), name, suffix);
    fd = open(path, O_WRONLY | O_CREAT | flags, 0600);
    must(fd >= 0);
    must(write(fd, data, len) == (ssize_t)len); /* one write: tests run side by side */
    must(close(fd) == 0);
}

static void
keep(const struct signer *signer, const uint8_t *xml, size_t len)
{
    const struct mauth_key *key = signer_key(signer);
    char line[MAUTH_TICKET_MAX + 1];
    const uint8_t *spki;
    size_t n;

    memcpy(line, xml, len);
    line[len] = '\n';
    add_to(mauth_key_id(key), "tickets", O_APPEND, line, len + 1);
    spki = mauth_key_spki(key, &n);
    add_to(mauth_key_id(key), "der", O_TRUNC, spki, n);
}

enum mauth_rc
__wrap_ticket_sign(struct ticket *t, const struct signer *signer, struct buf *out,
    struct mauth_err *err)
{
    size_t before = out->len;
    enum mauth_rc rc = __real_ticket_sign(t, signer, out, err);

    if (rc == MAUTH_OK && getenv("MAUTH_ISSUED"))
        keep(signer, out->data + before, out->len - before);
    return rc;
}
