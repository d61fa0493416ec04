#include "net/fetch.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/fail.h"

enum {
    MAX_BYTES = 1 << 20,
    TIMEOUT_MS = 10000,
    CONNECT_MS = 3000
};

struct fetch {
    CURL *easy;
    bool unix_socket;
    bool http_loopback;
    size_t max_bytes;
    atomic_bool cancelled;
    bool (*gives_up)(void *arg);
    void *arg;

    /* Of the request under way. */
    struct buf *body;
    size_t before; /* bytes in body that were there already */
    bool too_large;
    char why[CURL_ERROR_SIZE];
};

enum mauth_rc
net_init(struct mauth_err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return mauth_fail(err, MAUTH_INTERNAL, "fetch: libcurl does not start");
    return MAUTH_OK;
}

/* The cap is ours: libcurl's own holds only where the length is announced. */
static size_t
take_body(char *data, size_t size, size_t count, void *arg)
{
    struct fetch *f = arg;
    size_t len = size * count;

    if (len > f->max_bytes - (f->body->len - f->before)) {
        f->too_large = true;
        return 0;
    }
    buf_put(f->body, data, len);
    return buf_ok(f->body) ? len : 0;
}

static int
look_up(void *arg, curl_off_t dltotal, curl_off_t dlnow, curl_off_t ultotal,
    curl_off_t ulnow)
{
    const struct fetch *f = arg;

    (void)dltotal, (void)dlnow, (void)ultotal, (void)ulnow;
    return atomic_load(&f->cancelled) || (f->gives_up && f->gives_up(f->arg));
}

/* Stops at the first option that libcurl does not take. */
#define SET(code, easy, option, value)                      \
    do {                                                    \
        if ((code) == CURLE_OK)                             \
            (code) = curl_easy_setopt(easy, option, value); \
    } while (0)

static CURLcode
set_tls(CURL *easy, const struct fetch_options *o)
{
    CURLcode code = CURLE_OK;

    SET(code, easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(code, easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(code, easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (o->ca_file) {
        SET(code, easy, CURLOPT_CAINFO, o->ca_file);
        /* Else the system's folder of authorities would be trusted as well. */
        SET(code, easy, CURLOPT_CAPATH, NULL);
    }
    if (o->cert_file) {
        SET(code, easy, CURLOPT_SSLCERT, o->cert_file);
        SET(code, easy, CURLOPT_SSLKEY, o->key_file);
        SET(code, easy, CURLOPT_KEYPASSWD, ""); /* nobody is asked on a terminal */
    }
    return code;
}

static CURLcode
set_up(struct fetch *f, const struct fetch_options *o)
{
    const char *protocols = "https";
    CURLcode code = CURLE_OK;
    CURL *easy = f->easy;

    if (o->unix_socket)
        protocols = "http";
    else if (o->allow_http_loopback)
        protocols = "http,https";
    SET(code, easy, CURLOPT_PROTOCOLS_STR, protocols);
    SET(code, easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    SET(code, easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(code, easy, CURLOPT_PROXY, "");
    SET(code, easy, CURLOPT_NOSIGNAL, 1L);
    SET(code, easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(code, easy, CURLOPT_USERAGENT, "meshauth");
    SET(code, easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    SET(code, easy, CURLOPT_TIMEOUT_MS, o->timeout_ms ? o->timeout_ms : TIMEOUT_MS);
    SET(code, easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)f->max_bytes);
    SET(code, easy, CURLOPT_ERRORBUFFER, f->why);
    SET(code, easy, CURLOPT_WRITEFUNCTION, take_body);
    SET(code, easy, CURLOPT_WRITEDATA, f);
    SET(code, easy, CURLOPT_NOPROGRESS, 0L);
    SET(code, easy, CURLOPT_XFERINFOFUNCTION, look_up);
    SET(code, easy, CURLOPT_XFERINFODATA, f);
    if (o->unix_socket)
        SET(code, easy, CURLOPT_UNIX_SOCKET_PATH, o->unix_socket);
    return code == CURLE_OK ? set_tls(easy, o) : code;
}

enum mauth_rc
fetch_open(const struct fetch_options *o, struct fetch **out, struct mauth_err *err)
{
    struct fetch *f;

    *out = NULL;
    if (o->timeout_ms < 0 || !o->cert_file != !o->key_file)
        return mauth_fail(err, MAUTH_INVALID, "fetch: options that contradict");
    f = calloc(1, sizeof(*f));
    if (!f)
        return mauth_fail(err, MAUTH_NO_MEMORY, "fetch: no memory");
    f->unix_socket = o->unix_socket != NULL;
    f->http_loopback = o->allow_http_loopback;
    f->gives_up = o->gives_up;
    f->arg = o->arg;
    f->max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES;
    f->easy = curl_easy_init();
    if (!f->easy || set_up(f, o) != CURLE_OK) {
        fetch_close(f);
        return mauth_fail(err, MAUTH_INTERNAL, "fetch: libcurl cannot be set up");
    }
    *out = f;
    return MAUTH_OK;
}

void
fetch_close(struct fetch *f)
{
    if (!f)
        return;
    curl_easy_cleanup(f->easy);
    free(f);
}

void
fetch_cancel(struct fetch *f)
{
    atomic_store(&f->cancelled, true);
}

long
fetch_retry_after_s(const struct fetch *f)
{
    curl_off_t s = 0;

    if (curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &s) != CURLE_OK || s < 0)
        return 0;
    return s < LONG_MAX ? (long)s : LONG_MAX;
}

const char *
fetch_content_type(const struct fetch *f)
{
    const char *type = NULL;

    if (curl_easy_getinfo(f->easy, CURLINFO_CONTENT_TYPE, &type) != CURLE_OK || !type)
        return "";
    return type;
}

static bool
is_loopback(const char *host)
{
    return strcmp(host, "127.0.0.1") == 0 || strcmp(host, "[::1]") == 0;
}

/* The URL as libcurl will read it, so that what is checked is what is asked. */
static enum mauth_rc
read_url(const struct fetch *f, const char *url, CURLU **out, struct mauth_err *err)
{
    char *scheme = NULL, *host = NULL, quoted[96];
    CURLU *u = curl_url();
    bool ok;

    *out = NULL;
    if (!u)
        return mauth_fail(err, MAUTH_NO_MEMORY, "fetch: no memory");
    ok = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
         curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    if (ok && f->unix_socket)
        ok = strcmp(scheme, "http") == 0;
    else if (ok && strcmp(scheme, "https") != 0)
        ok = f->http_loopback && strcmp(scheme, "http") == 0 && is_loopback(host);
    curl_free(scheme);
    curl_free(host);
    if (!ok) {
        curl_url_cleanup(u);
        return mauth_fail(err, MAUTH_INVALID, "fetch: not a URL to ask: \"%s\"",
            mauth_quote(url, strlen(url), quoted, sizeof(quoted)));
    }
    *out = u;
    return MAUTH_OK;
}

static bool
is_one_line(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static enum mauth_rc
add_header(struct curl_slist **list, const char *line, struct mauth_err *err)
{
    struct curl_slist *longer;

    if (!is_one_line(line))
        return mauth_fail(err, MAUTH_INVALID, "fetch: control bytes in a header");
    longer = curl_slist_append(*list, line);
    if (!longer)
        return mauth_fail(err, MAUTH_NO_MEMORY, "fetch: no memory");
    *list = longer;
    return MAUTH_OK;
}

static enum mauth_rc
make_headers(
    const struct fetch_request *r, struct curl_slist **list, struct mauth_err *err)
{
    enum mauth_rc rc = add_header(list, "Expect:", err); /* no 100-continue */
    struct buf type;

    for (const char *const *h = r->headers; h && *h && rc == MAUTH_OK; h++)
        rc = add_header(list, *h, err);
    if (rc || !r->content_type)
        return rc;
    buf_init(&type);
    buf_printf(&type, "Content-Type: %s", r->content_type);
    if (buf_cstr(&type))
        rc = add_header(list, (const char *)type.data, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "fetch: no memory");
    buf_clear(&type);
    return rc;
}

static CURLcode
set_request(
    CURL *easy, const struct fetch_request *r, CURLU *url, struct curl_slist *headers)
{
    const char *method = r->method ? r->method : "GET";
    CURLcode code = CURLE_OK;

    SET(code, easy, CURLOPT_CURLU, url);
    SET(code, easy, CURLOPT_HTTPHEADER, headers);
    if (r->body.p || strcmp(method, "POST") == 0) {
        SET(code, easy, CURLOPT_POSTFIELDS, r->body.p ? r->body.p : "");
        SET(code, easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
    } else {
        SET(code, easy, CURLOPT_HTTPGET, 1L);
    }
    SET(code, easy, CURLOPT_CUSTOMREQUEST, method);
    return code;
}

/* "after 3 ms": another number each time makes the same trouble look like a new one. */
static void
drop_time(char *why)
{
    static const char after[] = " after ";
    char *from = strstr(why, after), *p;

    if (!from)
        return;
    p = from + sizeof(after) - 1;
    p += strspn(p, "0123456789");
    if (strncmp(p, " milliseconds", 13) == 0)
        p += 13;
    else if (strncmp(p, " ms", 3) == 0)
        p += 3;
    else
        return;
    memmove(from, p, strlen(p) + 1);
}

/* The host is named, the rest of the URL may be nobody's business. */
static enum mauth_rc
explain(struct fetch *f, CURLcode code, CURLU *url, long status, struct mauth_err *err)
{
    char *host = NULL, where[72], why[112];
    const char *text = f->why[0] ? f->why : curl_easy_strerror(code);
    enum mauth_rc rc = MAUTH_UNAVAILABLE;

    drop_time(f->why);
    if (f->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        rc = MAUTH_TOO_LARGE;
        text = "a longer answer than allowed";
    } else if (code == CURLE_OUT_OF_MEMORY || !buf_ok(f->body)) {
        rc = MAUTH_NO_MEMORY;
    } else if (code == CURLE_ABORTED_BY_CALLBACK) {
        text = "cancelled";
    }
    curl_url_get(url, CURLUPART_HOST, &host, 0);
    mauth_quote(host ? host : "", host ? strlen(host) : 0, where, sizeof(where));
    mauth_quote(text, strlen(text), why, sizeof(why));
    curl_free(host);
    if (!status)
        return mauth_fail(err, rc, "fetch: %s: %s", where, why);
    return mauth_fail(err, rc, "fetch: %s: %s (status %ld)", where, why, status);
}

static enum mauth_rc
perform(struct fetch *f, CURLU *url, long *status, struct mauth_err *err)
{
    CURLcode code;

    f->too_large = false;
    f->why[0] = '\0';
    code = curl_easy_perform(f->easy);
    curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, status);
    if (code == CURLE_OK)
        return MAUTH_OK;
    return explain(f, code, url, *status, err);
}

enum mauth_rc
fetch_do(struct fetch *f, const struct fetch_request *r, long *status, struct buf *body,
    struct mauth_err *err)
{
    struct curl_slist *headers = NULL;
    CURLU *url = NULL;
    enum mauth_rc rc;

    *status = 0;
    rc = read_url(f, r->url, &url, err);
    if (rc == MAUTH_OK)
        rc = make_headers(r, &headers, err);
    if (rc)
        goto out;
    if (set_request(f->easy, r, url, headers) != CURLE_OK) {
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "fetch: libcurl takes no request");
        goto out;
    }
    f->body = body;
    f->before = body->len;
    rc = perform(f, url, status, err);
    if (rc) {
        *status = 0;
        body->len = f->before;
    }
    f->body = NULL;
    /* Borrowed for this request only. */
    curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(f->easy, CURLOPT_CURLU, NULL);
    curl_easy_setopt(f->easy, CURLOPT_POSTFIELDS, NULL);
out:
    curl_slist_free_all(headers);
    curl_url_cleanup(url);
    return rc;
}

void
fetch_form_escape(struct buf *out, const char *text, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                     (c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_';

        if (!plain) {
            buf_u8(out, '%');
            buf_u8(out, (uint8_t)hex[c >> 4]);
            c = (unsigned char)hex[c & 15];
        }
        buf_u8(out, c);
    }
}
