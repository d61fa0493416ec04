#include "authsvc/http_tls.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <gnutls/x509.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/file.h"

enum {
    CHAIN_MAX = 8,
    FILE_MAX = 64 * 1024,
    KEY_ID_MAX = 64,
    MESSAGE_MAX = 32 * 1024, /* of a handshake; a client's certificates fit */
    RSA_MODULUS_MAX = 4096 / 8,
    RSA_EXPONENT_MAX = 4
};

struct pair {
    struct pair *older;
    gnutls_pcert_st certs[CHAIN_MAX];
    unsigned count;
    gnutls_privkey_t key;
};

struct http_tls {
    char *certificate_file;
    char *key_file;
    gnutls_datum_t ticket_key; /* GnuTLS derives changing keys from it */
    struct pair *_Atomic pair; /* never NULL once made */
};

static void
free_pair(struct pair *p)
{
    for (unsigned i = 0; i < p->count; i++)
        gnutls_pcert_deinit(&p->certs[i]);
    if (p->key)
        gnutls_privkey_deinit(p->key);
    free(p);
}

static gnutls_datum_t
datum_of(const struct buf *b)
{
    gnutls_datum_t d = {b->data, (unsigned)b->len};

    return d;
}

static enum mauth_rc
read_certificates(struct pair *p, const char *path, struct mauth_err *err)
{
    unsigned count = CHAIN_MAX;
    gnutls_datum_t pem;
    struct buf file;
    enum mauth_rc rc;
    int n;

    buf_init(&file);
    rc = file_read(path, FILE_MAX, &file, err);
    if (rc == MAUTH_OK) {
        pem = datum_of(&file);
        n = gnutls_pcert_list_import_x509_raw(p->certs, &count, &pem,
            GNUTLS_X509_FMT_PEM,
            GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED |
                GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);
        if (n == GNUTLS_E_SHORT_MEMORY_BUFFER)
            rc = mauth_fail(
                err, MAUTH_TOO_LARGE, "%s: more than %d certificates", path, CHAIN_MAX);
        else if (n < 0)
            rc = mauth_fail(err, MAUTH_MALFORMED, "%s: %s", path, gnutls_strerror(n));
        else
            p->count = count;
    }
    buf_clear(&file);
    return rc;
}

static enum mauth_rc
read_key(struct pair *p, const char *path, struct mauth_err *err)
{
    gnutls_datum_t pem;
    struct buf file;
    enum mauth_rc rc;
    int n;

    buf_init_secret(&file);
    rc = file_read_secret(path, FILE_MAX, &file, err);
    if (rc == MAUTH_OK) {
        pem = datum_of(&file);
        n = gnutls_privkey_init(&p->key);
        if (n == GNUTLS_E_SUCCESS)
            n = gnutls_privkey_import_x509_raw(
                p->key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (n != GNUTLS_E_SUCCESS)
            rc = mauth_fail(err, MAUTH_MALFORMED, "%s: %s", path, gnutls_strerror(n));
    }
    buf_clear(&file);
    return rc;
}

/* Nothing else would say so before the first handshake fails. */
static enum mauth_rc
check_match(const struct pair *p, const char *path, struct mauth_err *err)
{
    unsigned char of_key[KEY_ID_MAX], of_cert[KEY_ID_MAX];
    size_t key_len = sizeof(of_key), cert_len = sizeof(of_cert);
    gnutls_pubkey_t pub;
    bool same;

    if (gnutls_pubkey_init(&pub) != GNUTLS_E_SUCCESS)
        return mauth_fail(err, MAUTH_NO_MEMORY, "tls: no memory");
    same = gnutls_pubkey_import_privkey(pub, p->key, 0, 0) == GNUTLS_E_SUCCESS &&
           gnutls_pubkey_get_key_id(pub, GNUTLS_KEYID_USE_SHA256, of_key, &key_len) ==
               GNUTLS_E_SUCCESS &&
           gnutls_pubkey_get_key_id(p->certs[0].pubkey, GNUTLS_KEYID_USE_SHA256,
               of_cert, &cert_len) == GNUTLS_E_SUCCESS &&
           key_len == cert_len && memcmp(of_key, of_cert, key_len) == 0;
    gnutls_pubkey_deinit(pub);
    return same ? MAUTH_OK
                : mauth_fail(err, MAUTH_CONFLICT,
                      "%s: not the key of the first certificate", path);
}

static enum mauth_rc
read_pair(const struct http_tls *t, struct pair **out, struct mauth_err *err)
{
    struct pair *p = calloc(1, sizeof(*p));
    enum mauth_rc rc;

    if (!p)
        return mauth_fail(err, MAUTH_NO_MEMORY, "tls: no memory");
    rc = read_certificates(p, t->certificate_file, err);
    if (rc == MAUTH_OK)
        rc = read_key(p, t->key_file, err);
    if (rc == MAUTH_OK)
        rc = check_match(p, t->key_file, err);
    if (rc == MAUTH_OK)
        *out = p;
    else
        free_pair(p);
    return rc;
}

enum mauth_rc
http_tls_reload(struct http_tls *t, struct mauth_err *err)
{
    struct pair *fresh = NULL;
    enum mauth_rc rc = read_pair(t, &fresh, err);

    if (rc != MAUTH_OK)
        return rc;
    fresh->older = atomic_load(&t->pair);
    while (!atomic_compare_exchange_weak(&t->pair, &fresh->older, fresh))
        continue;
    return MAUTH_OK;
}

static enum mauth_rc
fill(struct http_tls *t, const char *certificate_file, const char *key_file,
    struct mauth_err *err)
{
    t->certificate_file = strdup(certificate_file);
    t->key_file = strdup(key_file);
    if (!t->certificate_file || !t->key_file ||
        gnutls_session_ticket_key_generate(&t->ticket_key) != GNUTLS_E_SUCCESS)
        return mauth_fail(err, MAUTH_NO_MEMORY, "tls: no memory");
    return http_tls_reload(t, err);
}

enum mauth_rc
http_tls_new(const char *certificate_file, const char *key_file, struct http_tls **out,
    struct mauth_err *err)
{
    struct http_tls *t = calloc(1, sizeof(*t));
    enum mauth_rc rc;

    *out = NULL;
    if (!t)
        return mauth_fail(err, MAUTH_NO_MEMORY, "tls: no memory");
    rc = fill(t, certificate_file, key_file, err);
    if (rc == MAUTH_OK)
        *out = t;
    else
        http_tls_free(t);
    return rc;
}

void
http_tls_free(struct http_tls *t)
{
    struct pair *p, *older;

    if (!t)
        return;
    for (p = atomic_load(&t->pair); p; p = older) {
        older = p->older;
        free_pair(p);
    }
    if (t->ticket_key.data)
        gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
    gnutls_free(t->ticket_key.data);
    free(t->certificate_file);
    free(t->key_file);
    free(t);
}

/* Bytes of a number that is written with zeros, or a sign, in front. */
static size_t
width_of(const gnutls_datum_t *number)
{
    size_t zeros = 0;

    while (zeros < number->size && number->data[zeros] == 0)
        zeros++;
    return number->size - zeros;
}

static bool
is_small_rsa(gnutls_x509_crt_t certificate)
{
    gnutls_datum_t modulus, exponent;
    bool small;

    if (gnutls_x509_crt_get_pk_rsa_raw(certificate, &modulus, &exponent) < 0)
        return false;
    small = width_of(&modulus) <= RSA_MODULUS_MAX &&
            width_of(&exponent) <= RSA_EXPONENT_MAX;
    gnutls_free(modulus.data);
    gnutls_free(exponent.data);
    return small;
}

/* Keys on curves are; those of DSA, which only RSA's functions would judge, are not. */
static bool
is_cheap(const gnutls_datum_t *der)
{
    gnutls_x509_crt_t certificate;
    bool cheap = false;

    if (gnutls_x509_crt_init(&certificate) < 0)
        return false;
    if (gnutls_x509_crt_import(certificate, der, GNUTLS_X509_FMT_DER) >= 0) {
        switch (gnutls_x509_crt_get_pk_algorithm(certificate, NULL)) {
        case GNUTLS_PK_ECDSA:
        case GNUTLS_PK_EDDSA_ED25519:
        case GNUTLS_PK_EDDSA_ED448: cheap = true; break;
        default: cheap = is_small_rsa(certificate); break;
        }
    }
    gnutls_x509_crt_deinit(certificate);
    return cheap;
}

/*
 * Before the signature of a client's certificate is checked. GnuTLS takes RSA keys
 * of any length, with an exponent as long: one stranger's handshake could keep a
 * thread busy for minutes, whatever the signature is.
 */
static int
judge_cost(gnutls_session_t session, unsigned message, unsigned when, unsigned incoming,
    const gnutls_datum_t *data)
{
    unsigned count = 0;
    const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &count);

    (void)message;
    (void)when;
    (void)data;
    if (!incoming || (certs && count > 0 && is_cheap(&certs[0])))
        return 0;
    return GNUTLS_E_CERTIFICATE_ERROR;
}

/*
 * The library sends an answer's head and body as two records. Of two that go out by
 * themselves each costs a way through the network and wakes the client.
 */
static ssize_t
push(gnutls_transport_ptr_t to, const giovec_t *iov, int count)
{
    union { /* sendmsg() changes none of them */
        const giovec_t *given;
        giovec_t *taken;
    } vector = {iov};
    struct msghdr m = {.msg_iov = vector.taken, .msg_iovlen = (size_t)count};
    struct http_tls_way *way = to;
    int flags = MSG_NOSIGNAL | (way->more ? MSG_MORE : 0);

    way->more = false;
    return sendmsg(way->fd, &m, flags);
}

/*
 * No list of authorities goes to the client: one that picks its certificate by
 * issuer would find none, and any key will do. Nothing here can fail in a way
 * that matters: without tickets each handshake is a full one, and a client that
 * was not asked for a certificate is refused later for want of a key.
 */
void
http_tls_prepare(
    struct http_tls *t, gnutls_session_t session, int fd, struct http_tls_way *way)
{
    *way = (struct http_tls_way){.fd = fd};
    gnutls_session_set_ptr(session, t);
    gnutls_transport_set_ptr2(session, gnutls_transport_get_ptr(session), way);
    gnutls_transport_set_vec_push_function(session, push);
    gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
    gnutls_certificate_send_x509_rdn_sequence(session, 1);
    gnutls_handshake_set_max_packet_length(session, MESSAGE_MAX);
    gnutls_handshake_set_hook_function(
        session, GNUTLS_HANDSHAKE_CERTIFICATE_VERIFY, GNUTLS_HOOK_PRE, judge_cost);
    if (gnutls_session_ticket_enable_server(session, &t->ticket_key) < 0)
        return;
}

int
http_tls_certificate(gnutls_session_t session,
    const struct gnutls_cert_retr_st *request, gnutls_pcert_st **certs,
    unsigned *cert_count, gnutls_ocsp_data_st **ocsp, unsigned *ocsp_count,
    gnutls_privkey_t *key, unsigned *flags)
{
    struct http_tls *t = gnutls_session_get_ptr(session);
    struct pair *p = atomic_load(&t->pair);

    (void)request;
    *certs = p->certs;
    *cert_count = p->count;
    *ocsp = NULL;
    *ocsp_count = 0;
    *key = p->key;
    *flags = 0; /* GnuTLS frees nothing of it */
    return 0;
}

enum mauth_rc
http_tls_peer_key(
    gnutls_session_t session, struct mauth_key **out, struct mauth_err *err)
{
    unsigned count = 0;
    const gnutls_datum_t *certs = gnutls_certificate_get_peers(session, &count);

    *out = NULL;
    if (!certs || count == 0)
        return MAUTH_OK;
    return mauth_key_from_certificate(certs[0].data, certs[0].size, out, err);
}
