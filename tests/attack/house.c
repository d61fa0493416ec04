#include "tests/attack/house.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/attack/attack.h"
#include <meshauth/credential.h>

/* tangle() takes more steps than a decision may, given many claims. */
static const char rules[] =
    "allow enter if session(_).\n"
    "allow leave if subject(U), role(U, nobody).\n"
    "allow join if subject(U), role(U, first), role(U, second).\n"
    "allow tangle if permit(_, _), claimed(_, U), claimed(_, V), claimed(_, W),\n"
    "    U != V, V != W, role(W, nobody).\n";

#define NOW "2026-11-22T10:05:00Z"

static void
path_in(const struct house *h, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", h->dir, name);
}

static void
write_file(const struct house *h, const char *name, const void *data, size_t len)
{
    char path[128];
    FILE *f;

    path_in(h, name, path);
    f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static struct signer *
new_signer(enum signer_kind kind)
{
    struct signer *s = NULL;
    struct buf pkcs8;

    buf_init_secret(&pkcs8);
    assert_int_equal(signer_generate(kind, &pkcs8, NULL), MAUTH_OK);
    assert_int_equal(signer_from_pkcs8(pkcs8.data, pkcs8.len, &s, NULL), MAUTH_OK);
    buf_clear(&pkcs8);
    return s;
}

void
house_open(struct house *h)
{
    memset(h, 0, sizeof(*h));
    snprintf(h->dir, sizeof(h->dir), "/tmp/meshauth-attack.XXXXXX");
    assert_non_null(mkdtemp(h->dir));
    h->vkey = golden_vkey();
    h->p256 = golden_signer("p256");
    h->rsa = golden_signer("rsa2048");
    h->second = new_signer(SIGNER_P256);
    h->stranger_p256 = new_signer(SIGNER_P256);
    h->stranger_rsa = new_signer(SIGNER_RSA2048);
    h->device = golden_key("device.pub.pem");
    write_file(h, "rules", rules, sizeof(rules) - 1);
}

void
house_close(struct house *h)
{
    static const char *const names[] = {"rules", "trust"};
    char path[128];

    for (size_t i = 0; i < h->services; i++) {
        mauth_verifier_close(h->service[i].verifier);
        mauth_trust_free(h->service[i].trust);
    }
    for (size_t i = 0; i < COUNT(names); i++) {
        path_in(h, names[i], path);
        unlink(path);
    }
    rmdir(h->dir);
    signer_free(h->p256);
    signer_free(h->rsa);
    signer_free(h->second);
    signer_free(h->stranger_p256);
    signer_free(h->stranger_rsa);
    mauth_key_free(h->device);
    free(h->vkey);
}

const struct signer *
house_signer(const struct house *h, const struct base *base, enum house_key key)
{
    bool rsa = base->is & RSA2048;

    switch (key) {
    case KEY_SECOND: return h->second;
    case KEY_OTHER: return rsa ? h->p256 : h->rsa;
    case KEY_STRANGER: return rsa ? h->stranger_rsa : h->stranger_p256;
    case KEY_ITS_OWN: break;
    }
    return rsa ? h->rsa : h->p256;
}

/* Services. */

/* The golden trust file with a third key and without revocations; then as changed. */
static void
write_trust(const struct house *h, house_change *changed, struct buf *out)
{
    struct trust_key key[HOUSE_KEYS];
    struct golden_statement g;
    struct mauth_err err = MAUTH_ERR_INIT;

    golden_statement_init(&g);
    key[0] = g.key[0];
    key[1] = g.key[1];
    key[2] = g.key[0];
    key[2].key = signer_key(h->second);
    g.statement.keys = key;
    g.statement.key_count = HOUSE_KEYS;
    g.statement.revocation_count = 0;
    if (changed)
        changed(&g, key);
    if (golden_write(&g, out, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    golden_statement_clear(&g);
}

static void
open_verifier(const struct house *h, struct service *s, const struct buf *trust)
{
    char trust_file[128], rules_file[128];
    struct mauth_verifier_options o = {.size = sizeof(o),
        .trust_file = trust_file,
        .root_vkey = h->vkey,
        .audience = s->audience,
        .rules_file = rules_file,
        .skew_s = s->skew_s,
        .allow_bearer = s->allow_bearer,
        .look_ms = INT32_MAX, /* the next trust file is another service's */
        .cache_entries = 16};
    struct mauth_err err = MAUTH_ERR_INIT;

    path_in(h, "trust", trust_file);
    path_in(h, "rules", rules_file);
    write_file(h, "trust", trust->data, trust->len);
    if (mauth_verifier_open(&o, &s->verifier, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
}

static struct service *
add_service(struct house *h, const struct service *like)
{
    struct service *s = &h->service[h->services];
    struct mauth_err err = MAUTH_ERR_INIT;
    struct buf trust;

    assert_true(h->services < HOUSE_SERVICES);
    *s = *like;
    buf_init(&trust);
    write_trust(h, s->changed, &trust);
    if (mauth_trust_parse(trust.data, trust.len, h->vkey, &s->trust, &err) != MAUTH_OK)
        fail_msg("%s", err.text);
    open_verifier(h, s, &trust);
    buf_clear(&trust);
    h->services++;
    return s;
}

struct service *
house_service(struct house *h, const struct base *base, const struct situation *at)
{
    struct service like = {.audience = at->audience ? at->audience : base->audience,
        .skew_s = at->skew_s ? at->skew_s : MAUTH_SKEW_DEFAULT_S,
        .allow_bearer = (base->is & BEARER) && !at->no_bearer,
        .changed = at->trust};

    for (size_t i = 0; i < h->services; i++) {
        struct service *s = &h->service[i];

        if (strcmp(s->audience, like.audience) == 0 && s->skew_s == like.skew_s &&
            s->allow_bearer == like.allow_bearer && s->changed == like.changed)
            return s;
    }
    return add_service(h, &like);
}

/* Trying. */

/* The key that the client proves; b keeps a changed copy. */
static struct text
proven_key(
    const struct house *h, const struct forgery *f, enum proof proof, struct buf *b)
{
    struct text key;

    if (f->spki.len)
        key = (struct text){(const char *)f->spki.data, f->spki.len};
    else
        key.p = (const char *)mauth_key_spki(h->device, &key.len);
    buf_text(b, key);
    switch (proof) {
    case PROVEN: break;
    case NO_KEY: return (struct text){NULL, 0};
    case SHORT_KEY: b->len--; break;
    case LONG_KEY: buf_u8(b, 0); break;
    case EMPTY_KEY: b->len = 0; break;
    case OTHER_KEY:
        key.p = (const char *)mauth_key_spki(signer_key(h->stranger_p256), &key.len);
        buf_rewind(b);
        buf_text(b, key);
        break;
    }
    return (struct text){(const char *)b->data, b->len};
}

static int64_t
now_in(const struct situation *at)
{
    return golden_time(at->now ? at->now : NOW);
}

static void
complain(struct outcome *out, const char *trouble)
{
    if (!out->trouble[0])
        snprintf(out->trouble, sizeof(out->trouble), "%s", trouble);
}

void
house_verify(const struct house *h, const struct service *s, const struct forgery *f,
    const struct situation *at, struct outcome *out)
{
    static char xml[MAUTH_TICKET_MAX];
    struct mauth_expect want = {.size = sizeof(want),
        .audience = s->audience,
        .now_s = now_in(at),
        .skew_s = s->skew_s,
        .allow_bearer = s->allow_bearer};
    struct mauth_ticket *t = NULL;
    struct mauth_err err = MAUTH_ERR_INIT;
    size_t len = 1;
    struct text key;
    struct buf b;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    buf_init(&b);
    key = proven_key(h, f, at->proof, &b);
    want.holder_spki = (const uint8_t *)key.p;
    want.holder_spki_len = key.len;
    rc = mauth_credential_decode(
        (const char *)f->credential.data, f->credential.len, xml, &len, &err);
    if (rc != MAUTH_OK && len != 0)
        complain(out, "a refused credential gave XML");
    if (rc == MAUTH_OK)
        rc = mauth_ticket_verify(xml, len, s->trust, &want, &t, &err);
    out->accepted = rc == MAUTH_OK;
    out->reason = err.reason;
    if (out->accepted != (t != NULL) || out->accepted != (err.reason == 0))
        complain(out, "code, reason and ticket do not agree");
    mauth_ticket_free(t);
    buf_clear(&b);
}

/* Does a decision tell more than it may? A ticket that was refused is nobody's. */
static void
check_silence(const struct mauth_decision *d, struct outcome *out)
{
    bool ticket_is_good =
        d->reason == MAUTH_REASON_NONE || d->reason >= MAUTH_REASON_MIXED_SET;

    if (d->verdict == MAUTH_ALLOW)
        return;
    if (d->rule[0] || d->facts[0])
        complain(out, "a denial names a rule");
    if (!ticket_is_good && !out->accepted && d->subject[0])
        complain(out, "a denial names a subject");
    if (d->http_status == 200)
        complain(out, "a denial with status 200");
}

void
house_check(const struct house *h, const struct service *s, const struct forgery *f,
    const struct situation *at, struct outcome *out)
{
    struct mauth_decision d = {.size = sizeof(d)};
    struct mauth_request r = {.size = sizeof(r),
        .action = at->action ? at->action : "enter",
        .now_s = now_in(at)};
    struct buf header, b;
    struct text key;
    enum mauth_rc rc;

    memset(out, 0, sizeof(*out));
    buf_init(&header);
    buf_init(&b);
    buf_str(&header, at->scheme ? at->scheme : "Bearer ");
    buf_put(&header, f->credential.data, f->credential.len);
    key = proven_key(h, f, at->proof, &b);
    r.authorization = (const char *)header.data;
    r.authorization_len = header.len;
    r.key_spki = (const uint8_t *)key.p;
    r.key_spki_len = key.len;
    rc = mauth_verifier_check(s->verifier, &r, &d);
    out->accepted = rc == MAUTH_OK;
    out->reason = d.reason;
    if (out->accepted != (d.verdict == MAUTH_ALLOW) ||
        out->accepted != (d.reason == MAUTH_REASON_NONE))
        complain(out, "code, verdict and reason do not agree");
    if (!f->is_set) /* in a set, a good ticket before the bad one is named */
        check_silence(&d, out);
    buf_clear(&header);
    buf_clear(&b);
}
