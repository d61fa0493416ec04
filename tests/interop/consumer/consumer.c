/* consumer TICKET PUBLIC-KEY ISSUER AUDIENCE NOW: prints the ticket's subject. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <meshauth/ticket.h>

static size_t
slurp(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(out, 1, size, f) : 0;

    if (f)
        fclose(f);
    return n;
}

int
main(int argc, char **argv)
{
    static char xml[MAUTH_TICKET_MAX], pem[4096];
    struct mauth_expect want = {.size = sizeof(want), .allow_bearer = true};
    struct mauth_err err = MAUTH_ERR_INIT;
    struct mauth_trust *trust = NULL;
    struct mauth_ticket *ticket = NULL;
    struct mauth_key *key = NULL;
    enum mauth_rc rc;

    if (argc != 6)
        return 2;
    want.audience = argv[4];
    want.now_s = strtoll(argv[5], NULL, 10);
    rc = mauth_key_from_pem(pem, slurp(argv[2], pem, sizeof(pem)), &key, &err);
    if (rc == MAUTH_OK)
        rc = mauth_trust_from_key(argv[3], key, &trust, &err);
    if (rc == MAUTH_OK)
        rc = mauth_ticket_verify(
            xml, slurp(argv[1], xml, sizeof(xml)), trust, &want, &ticket, &err);
    if (rc == MAUTH_OK)
        puts(mauth_ticket_subject(ticket));
    else
        printf("%s: %s\n", mauth_reason_name(err.reason), err.text);
    mauth_ticket_free(ticket);
    mauth_trust_free(trust);
    mauth_key_free(key);
    return rc != MAUTH_OK;
}
