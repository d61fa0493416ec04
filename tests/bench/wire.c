#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/device.h"

SSL_CTX *
wire_tls(const char *ca_file)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (!tls || SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION) != 1 ||
        SSL_CTX_load_verify_file(tls, ca_file) != 1) {
        SSL_CTX_free(tls);
        return NULL;
    }
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER, NULL);
    return tls;
}

SSL *
wire_dial(SSL_CTX *tls, int port, size_t i)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    SSL *ssl = SSL_new(tls);

    if (fd >= 0 && ssl && SSL_set_fd(ssl, fd) == 1 && device_present(ssl, i) &&
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1") == 1 &&
        connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0 &&
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
        SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
    return NULL;
}

void
wire_hang_up(SSL *ssl)
{
    int fd = ssl ? SSL_get_fd(ssl) : -1;

    SSL_free(ssl);
    if (fd >= 0)
        close(fd);
}

size_t
wire_answer_length(const char *answer, size_t have)
{
    static const char name[] = "\r\nContent-Length:";
    const char *end = memmem(answer, have, "\r\n\r\n", 4);
    struct text head = {answer, end ? (size_t)(end - answer) : 0};

    for (; head.len >= sizeof(name); head.p++, head.len--)
        if (strncasecmp(head.p, name, sizeof(name) - 1) == 0)
            return (size_t)(end - answer) + 4 +
                   strtoul(head.p + sizeof(name) - 1, NULL, 10);
    return 0;
}

size_t
wire_exchange(int port, struct text id_token, char *out, size_t max)
{
    static const char form[] =
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
        "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token"
        "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Asaml2"
        "&subject_token=";

    return (size_t)snprintf(out, max,
        "POST /v1/token HTTP/1.1\r\n"
        "Host: 127.0.0.1:%d\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        "Content-Length: %zu\r\n\r\n%s%.*s",
        port, sizeof(form) - 1 + id_token.len, form, (int)id_token.len, id_token.p);
}

int
wire_ask(SSL *ssl, const char *request, size_t len, char *answer, size_t max)
{
    static const char start[] = "HTTP/1.1 ";
    size_t have = 0, need = 0;

    if (SSL_write(ssl, request, (int)len) != (int)len)
        return 0;
    while (!need || have < need) {
        int n =
            have < max - 1 ? SSL_read(ssl, answer + have, (int)(max - 1 - have)) : 0;

        if (n <= 0)
            return 0;
        have += (size_t)n;
        answer[have] = '\0';
        if (!need)
            need = wire_answer_length(answer, have);
    }
    return strncmp(answer, start, sizeof(start) - 1) == 0
               ? atoi(answer + sizeof(start) - 1)
               : 0;
}
