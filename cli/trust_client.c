#include "cli/trust_client.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/b64.h"
#include "base/fail.h"
#include "base/time.h"
#include "cli/trust_login.h"
#include "keys/trust_delta.h"
#include "keys/trust_place.h"
#include "net/fetch.h"

enum {
    TIMEOUT_MS = 75000, /* the service holds a request for up to 55 s */
    STATUS_OK = 200,
    STATUS_NO_CONTENT = 204,
    STATUS_NOT_MODIFIED = 304,
    STATUS_DEAD = 401,
    STATUS_BUSY = 429
};

struct trust_client {
    const struct trust_home *home;
    struct keep_options options;
    struct keep *keep;
    struct fetch *fetch;
    struct trust_login login;
    int64_t retry_after_s;
    bool whole; /* is what is asked for next: a delta did not fit */
    bool takes_delta;
    const struct trust_wish *wish; /* of the question under way */
    pthread_mutex_t lock;
    struct buf shown; /* the credential, for other threads; under lock */
};

static witness_prove prove;

static bool
gives_up(void *arg)
{
    const struct trust_client *c = arg;

    return c->wish && c->wish->gives_up && c->wish->gives_up(c->wish->arg);
}

static enum mauth_rc
open_fetch(struct trust_client *c, struct mauth_err *err)
{
    const struct fetch_options o = {
        .ca_file = c->home->has_ca ? c->home->ca_file : NULL,
        .cert_file = c->home->certificate_file,
        .key_file = c->home->key_file,
        .max_bytes = MAUTH_TRUST_MAX,
        .timeout_ms = TIMEOUT_MS,
        .gives_up = gives_up,
        .arg = c,
    };

    return fetch_open(&o, &c->fetch, err);
}

enum mauth_rc
trust_client_open(const struct trust_home *home, struct trust_client **out,
    struct mauth_err *trouble, struct mauth_err *err)
{
    struct trust_client *c = calloc(1, sizeof(*c));
    enum mauth_rc rc;

    *out = NULL;
    if (!c)
        return mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    pthread_mutex_init(&c->lock, NULL);
    buf_init_secret(&c->shown);
    c->home = home;
    c->options = (struct keep_options){
        .trust_file = home->trust_file,
        .witness_file = home->witness_file,
        .alarm_file = home->alarm_file,
        .root_vkey = home->vkey,
        .issuer = home->url.text,
        .prove = prove,
        .arg = c,
    };
    rc = net_init(err);
    if (rc == MAUTH_OK)
        rc = trust_login_init(&c->login, home, err);
    if (rc == MAUTH_OK)
        rc = open_fetch(c, err);
    if (rc == MAUTH_OK)
        rc = keep_open(&c->options, &c->keep, trouble, err);
    if (rc) {
        trust_client_close(c);
        return rc;
    }
    *out = c;
    return MAUTH_OK;
}

void
trust_client_close(struct trust_client *c)
{
    if (!c)
        return;
    keep_close(c->keep);
    trust_login_clear(&c->login);
    fetch_close(c->fetch);
    buf_clear(&c->shown);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

const struct keep *
trust_client_keep(const struct trust_client *c)
{
    return c->keep;
}

int64_t
trust_client_retry_after_s(const struct trust_client *c)
{
    return c->retry_after_s;
}

struct fetch *
trust_client_fetch(struct trust_client *c)
{
    return c->fetch;
}

enum mauth_rc
trust_client_renew(struct trust_client *c, struct mauth_err *err)
{
    struct fetch *old = c->fetch;
    enum mauth_rc rc = open_fetch(c, err);

    if (rc)
        c->fetch = old;
    else
        fetch_close(old);
    return rc;
}

/* The question. */

static void
write_url(struct buf *url, const struct trust_client *c)
{
    const struct lowest *loaded = c->wish->loaded;
    const struct mauth_trust *held = keep_trust(c->keep);
    char mark = '?', after[TRUST_PLACE_MAX + 1];

    buf_printf(url, "%s/v1/trust", c->home->url.text);
    if (c->wish->wait && held) {
        trust_place_format(trust_place_of(held), after);
        buf_printf(url, "?after=%s", after);
        mark = '&';
    }
    if (loaded && loaded->processes)
        buf_printf(url, "%cloaded=%" PRIu64 ".%" PRIu64 ".%s", mark, loaded->epoch,
            loaded->sequence, loaded->hash);
}

static enum mauth_rc
get(struct trust_client *c, const char *url, long *status, struct buf *body,
    struct mauth_err *err)
{
    const char *headers[] = {NULL, "Accept: " TRUST_DELTA_TYPE, NULL};
    struct fetch_request r = {.url = url, .headers = headers};
    struct buf authorization;
    enum mauth_rc rc;

    if (!c->takes_delta)
        headers[1] = NULL;
    buf_init_secret(&authorization);
    buf_printf(
        &authorization, "Authorization: Bearer %s", trust_login_credential(&c->login));
    headers[0] = buf_cstr(&authorization);
    if (url && headers[0])
        rc = fetch_do(c->fetch, &r, status, body, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    buf_clear(&authorization);
    return rc;
}

/* The answer. */

/* RFC 9457: its sentence, escaped when it is printed. */
static enum mauth_rc
read_problem(long status, const struct buf *body, struct mauth_err *err)
{
    json_t *o =
        json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(o, "title"));
    bool failed = status >= 500 || status == STATUS_BUSY;
    char quoted[128];
    enum mauth_rc rc;

    mauth_quote(text ? text : "", text ? strlen(text) : 0, quoted, sizeof(quoted));
    rc = mauth_fail(err, failed ? MAUTH_UNAVAILABLE : MAUTH_DENIED,
        "the account service answered with status %ld%s%s", status, text ? ": " : "",
        quoted);
    json_decref(o);
    return rc;
}

/* What comes out of a delta is judged like a file that came whole. */
static enum mauth_rc
take_delta(struct trust_client *c, struct text delta, struct keep_news *news,
    struct mauth_err *err)
{
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct buf file;

    buf_init(&file);
    rc = trust_delta_apply(keep_text(c->keep), delta, &file, &why);
    if (rc) /* a conflict of deltas is no forgery */
        rc = mauth_fail(err, rc == MAUTH_CONFLICT ? MAUTH_DENIED : rc,
            "a delta that does not fit: %s", why.text);
    else
        rc = keep_take(c->keep, buf_slice(&file), time_now_s(), news, err);
    buf_clear(&file);
    return rc;
}

static enum mauth_rc
take(struct trust_client *c, long status, const struct buf *body,
    struct keep_news *news, struct mauth_err *err)
{
    const struct text said = buf_slice(body);
    enum mauth_rc rc;

    if (status == STATUS_NO_CONTENT || status == STATUS_NOT_MODIFIED)
        return MAUTH_OK;
    if (status != STATUS_OK)
        return read_problem(status, body, err);
    if (strcmp(fetch_content_type(c->fetch), TRUST_DELTA_TYPE) == 0)
        rc = take_delta(c, said, news, err);
    else
        rc = keep_take(c->keep, said, time_now_s(), news, err);
    c->whole = rc != MAUTH_OK;
    return rc;
}

/* The proof that the audit log has grown, as the account service makes it. */

static bool
read_hashes(const json_t *answer, struct audit_proof *out)
{
    const json_t *hashes = json_object_get(answer, "hashes");

    out->count = json_array_size(hashes);
    if (!json_is_array(hashes) || out->count > PROOF_MAX)
        return false;
    for (size_t i = 0; i < out->count; i++) {
        const char *b64 = json_string_value(json_array_get(hashes, i));
        size_t len;

        if (!b64 ||
            !b64_decode(B64_STD, b64, strlen(b64), out->hash[i], HASH_LEN, &len) ||
            len != HASH_LEN)
            return false;
    }
    return true;
}

static enum mauth_rc
prove(uint64_t from, uint64_t size, struct audit_proof *out, void *arg,
    struct mauth_err *err)
{
    struct trust_client *c = arg;
    json_t *answer = NULL;
    struct buf url, body;
    enum mauth_rc rc;
    long status = 0;

    (void)err; /* what cannot be had is asked for again */
    buf_init(&url);
    buf_init(&body);
    buf_printf(&url, "%s/v1/audit/proof?from=%" PRIu64 "&size=%" PRIu64,
        c->home->url.text, from, size);
    c->takes_delta = false;
    rc = get(c, buf_cstr(&url), &status, &body, NULL);
    if (rc == MAUTH_OK && status == STATUS_OK)
        answer =
            json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
    rc = answer && read_hashes(answer, out) ? MAUTH_OK : MAUTH_UNAVAILABLE;
    json_decref(answer);
    buf_clear(&url);
    buf_clear(&body);
    return rc;
}

static void
show_credential(struct trust_client *c)
{
    pthread_mutex_lock(&c->lock);
    buf_rewind(&c->shown);
    if (c->login.grant)
        buf_str(&c->shown, trust_login_credential(&c->login));
    pthread_mutex_unlock(&c->lock);
}

bool
trust_client_credential(struct trust_client *c, struct buf *out)
{
    bool there;

    pthread_mutex_lock(&c->lock);
    there = c->shown.len > 0 && buf_ok(&c->shown);
    if (there)
        buf_text(out, buf_slice(&c->shown));
    pthread_mutex_unlock(&c->lock);
    return there && buf_ok(out);
}

/* One question with the ticket that there is. */
static enum mauth_rc
ask(struct trust_client *c, const char *url, long *status, struct keep_news *news,
    struct mauth_err *err)
{
    struct buf body;
    enum mauth_rc rc = trust_login_keep_fresh(&c->login, c->fetch, time_now_s(), err);

    show_credential(c);
    buf_init(&body);
    *status = 0;
    if (rc == MAUTH_OK)
        rc = get(c, url, status, &body, err);
    if (rc == MAUTH_OK)
        rc = take(c, *status, &body, news, err);
    if (rc == MAUTH_UNAVAILABLE)
        c->retry_after_s = fetch_retry_after_s(c->fetch);
    buf_clear(&body);
    return rc;
}

enum mauth_rc
trust_client_look(struct trust_client *c, const struct trust_wish *wish,
    struct keep_news *news, struct mauth_err *err)
{
    bool had_ticket = c->login.grant != NULL;
    struct mauth_err why = MAUTH_ERR_INIT;
    enum mauth_rc rc;
    struct buf url;
    long status;

    memset(news, 0, sizeof(*news));
    c->retry_after_s = 0;
    c->wish = wish;
    c->takes_delta = wish->wait && keep_trust(c->keep) && !c->whole;
    buf_init(&url);
    write_url(&url, c);
    rc = ask(c, buf_cstr(&url), &status, news, &why);
    if (rc && status == STATUS_DEAD) {
        trust_login_drop(&c->login);
        show_credential(c);
        if (had_ticket) { /* its session was closed: is that all? */
            mauth_err_reset(&why);
            rc = ask(c, buf_cstr(&url), &status, news, &why);
        }
    }
    c->wish = NULL;
    buf_clear(&url);
    if (rc && err)
        *err = why;
    return rc;
}
