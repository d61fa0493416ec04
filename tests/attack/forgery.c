#include "tests/attack/forgery.h"

#include <zlib.h>

#include "base/b64.h"
#include "base/hash.h"
#include "base/str.h"
#include "tests/attack/attack.h"
#include "tickets/template.h"

#define OTHER_ID   "_e0e1e2e3e4e5e6e7e8e9eaebecedeeef"
#define SOMEBODY   "usr_0mmmmmmmmmmmmmmmmmmmmmmmmm"
#define NAMEID_END "</saml:NameID>"

/* Finding things. */

static const char *
find_in(struct text t, const char *what, size_t len)
{
    return memmem(t.p, t.len, what, len);
}

static struct text
between(struct text t, const char *from, const char *to)
{
    const char *start = find_in(t, from, strlen(from)), *end;

    if (!start)
        fail_msg("no %s in it", from);
    start += strlen(from);
    end = find_in((struct text){start, (size_t)(t.p + t.len - start)}, to, strlen(to));
    if (!end)
        fail_msg("no %s behind %s", to, from);
    return (struct text){start, (size_t)(end - start)};
}

static struct text
text_in(const struct buf *b)
{
    return (struct text){(const char *)b->data, b->len};
}

void
base_load(struct base *b)
{
    size_t len;

    base_take(b, golden_xml(b->kind, b->alg, &len));
}

void
base_take(struct base *b, char *xml)
{
    struct text all = text_of(xml);

    b->xml = xml;
    b->len = all.len;
    b->id = between(all, " ID=\"", "\"");
    b->signature = between(all, ISSUER_TAG, "<saml:Subject>");
    b->signature_value = between(all, "<ds:SignatureValue>", "<");
    b->key_id = between(all, "<ds:KeyName>", "<");
}

void
base_clear(struct base *b)
{
    free(b->xml);
}

void
forgery_start(struct forgery *f, const struct base *base, const struct house *house)
{
    unsigned step = f->step;

    *f = (struct forgery){.base = base, .house = house, .step = step};
    buf_init(&f->xml);
    buf_init(&f->credential);
    buf_init(&f->spki);
    buf_put(&f->xml, base->xml, base->len);
}

void
forgery_clear(struct forgery *f)
{
    buf_clear(&f->xml);
    buf_clear(&f->credential);
    buf_clear(&f->spki);
}

/* Edits. */

static void
put_unsigned(struct buf *out, const struct base *b)
{
    const char *after = b->signature.p + b->signature.len;

    buf_put(out, b->xml, (size_t)(b->signature.p - b->xml));
    buf_put(out, after, (size_t)(b->xml + b->len - after));
}

/* Without signature, of somebody else. */
static void
put_evil(struct buf *out, const struct base *b, bool other_id)
{
    struct buf plain;
    uint8_t *id, *name;

    buf_init(&plain);
    put_unsigned(&plain, b);
    id = plain.data + (b->id.p - b->xml);
    name = memmem(plain.data, plain.len, NAMEID_END, strlen(NAMEID_END));
    assert_non_null(name);
    memcpy(name - strlen(SOMEBODY), SOMEBODY, strlen(SOMEBODY));
    if (other_id)
        memcpy(id, OTHER_ID, strlen(OTHER_ID));
    buf_text(out, text_in(&plain));
    buf_clear(&plain);
}

static void
put_key_id(struct buf *out, const struct forgery *f, enum house_key key)
{
    buf_str(out, mauth_key_id(signer_key(house_signer(f->house, f->base, key))));
}

static void
put_spki(struct buf *out, const struct forgery *f)
{
    size_t len;
    const uint8_t *spki =
        mauth_key_spki(signer_key(house_signer(f->house, f->base, KEY_ITS_OWN)), &len);
    char *at = buf_space(out, b64_encoded_len(B64_STD, len));

    assert_non_null(at);
    b64_encode(B64_STD, spki, len, at);
}

static void
put_part(struct buf *out, const struct forgery *f, char part, struct text found)
{
    const struct base *b = f->base;

    switch (part) {
    case '0': buf_text(out, found); return;
    case 'I': buf_text(out, b->id); return;
    case 'J': buf_str(out, OTHER_ID); return;
    case 'K': buf_text(out, b->key_id); return;
    case 'L': put_key_id(out, f, KEY_SECOND); return;
    case 'R': put_key_id(out, f, KEY_OTHER); return;
    case 'X': put_key_id(out, f, KEY_STRANGER); return;
    case 'P': put_spki(out, f); return;
    case 'A': buf_put(out, b->xml, b->len); return;
    case 'S': buf_text(out, b->signature); return;
    case 'U': put_unsigned(out, b); return;
    case 'E': put_evil(out, b, true); return;
    case 'F': put_evil(out, b, false); return;
    default: fail_msg("no part $%c", part);
    }
}

static void
expand(struct buf *out, const struct forgery *f, const char *text, struct text found)
{
    for (; *text; text++) {
        if (*text == '$')
            put_part(out, f, *++text, found);
        else
            buf_u8(out, (uint8_t)*text);
    }
}

void
forgery_edit(struct forgery *f, const char *find, const char *put, bool everywhere)
{
    struct text rest = text_in(&f->xml), found = rest;
    struct buf what, out;
    const char *at;
    size_t places = 0;

    buf_init(&what);
    buf_init(&out);
    if (find)
        expand(&what, f, find, found);
    else
        buf_text(&what, rest);
    while ((everywhere || !places) &&
           (at = find_in(rest, (const char *)what.data, what.len)) != NULL) {
        found = (struct text){at, what.len};
        buf_put(&out, rest.p, (size_t)(at - rest.p));
        expand(&out, f, put, found);
        rest.len -= (size_t)(at - rest.p) + what.len;
        rest.p = at + what.len;
        places++;
    }
    f->missed |= !places;
    if (!places && !(f->base->is & LOGIN))
        fail_msg("%s.%s has no \"%s\"", f->base->kind, f->base->alg, find);
    buf_text(&out, rest);
    buf_clear(&f->xml);
    f->xml = out;
    buf_clear(&what);
}

/* Signing. */

/*
 * The next start or end tag of this local name, whatever its prefix, blanks and
 * attributes: from '<' to behind '>'. NULL when there is none.
 */
static const char *
find_tag(struct text in, const char *local, bool closing, const char **behind)
{
    const char *end = in.p + in.len, *at = in.p;

    while ((at = memchr(at, '<', (size_t)(end - at))) != NULL) {
        const char *name = at + 1 + closing, *p = name;

        while (p < end && !strchr(" \t\r\n/>", *p))
            p++;
        for (const char *q = name; q < p; q++)
            if (*q == ':')
                name = q + 1;
        *behind = memchr(at, '>', (size_t)(end - at));
        if (*behind && (!closing || at[1] == '/') &&
            strlen(local) == (size_t)(p - name) &&
            memcmp(name, local, strlen(local)) == 0) {
            ++*behind;
            return at;
        }
        at++;
    }
    return NULL;
}

/* Its first element: what lies before it, in it, and behind it. */
static bool
find_element(struct text in, const char *local, struct text *before,
    struct text *content, struct text *after)
{
    const char *end = in.p + in.len, *open, *close, *p;

    open = find_tag(in, local, false, &p);
    if (!open)
        return false;
    *before = (struct text){in.p, (size_t)(open - in.p)};
    close = find_tag((struct text){p, (size_t)(end - p)}, local, true, &content->p);
    if (!close)
        return false;
    *after = (struct text){content->p, (size_t)(end - content->p)};
    *content = (struct text){p, (size_t)(close - p)};
    return true;
}

bool
forgery_put(struct forgery *f, const char *local, const uint8_t *raw, size_t len)
{
    struct text all = text_in(&f->xml), before, content, after;
    struct buf out;
    char *at;

    if (!find_element(all, local, &before, &content, &after))
        return false;
    buf_init(&out);
    buf_put(&out, all.p, (size_t)(content.p - all.p));
    at = buf_space(&out, b64_encoded_len(B64_STD, len));
    assert_non_null(at);
    b64_encode(B64_STD, raw, len, at);
    after.p = content.p + content.len;
    after.len = (size_t)(all.p + all.len - after.p);
    buf_text(&out, after);
    buf_clear(&f->xml);
    f->xml = out;
    return true;
}

bool
forgery_rehash(struct forgery *f)
{
    struct text pieces[2], content;
    uint8_t digest[HASH_LEN];

    if (!find_element(text_in(&f->xml), "Signature", &pieces[0], &content, &pieces[1]))
        return false;
    assert_int_equal(hash_sha256(pieces, 2, digest, NULL), MAUTH_OK);
    return forgery_put(f, "DigestValue", digest, sizeof(digest));
}

bool
forgery_sign(struct forgery *f, const struct signer *key)
{
    struct text pieces[2] = {text_of(TEMPLATE_SIGNED_INFO)}, before, content, after;
    uint8_t raw[KEY_SIGNATURE_MAX];
    size_t len;

    if (!find_element(text_in(&f->xml), "SignedInfo", &before, &content, &after))
        return false;
    pieces[1] = (struct text){content.p, (size_t)(after.p - content.p)};
    assert_int_equal(signer_sign(key, pieces, 2, raw, &len, NULL), MAUTH_OK);
    return forgery_put(f, "SignatureValue", raw, len);
}

size_t
forgery_signature(const struct forgery *f, uint8_t raw[KEY_SIGNATURE_MAX])
{
    struct text value = between(text_in(&f->xml), "<ds:SignatureValue>", "<");
    size_t len;

    assert_true(b64_decode(B64_STD, value.p, value.len, raw, KEY_SIGNATURE_MAX, &len));
    return len;
}

/* Spelling. */

void
spell(struct buf *out, const void *data, size_t len)
{
    char *at = buf_space(out, b64_encoded_len(B64_URL, len));

    assert_non_null(at);
    b64_encode(B64_URL, data, len, at);
}

void
spell_deflated(struct buf *out, const void *data, size_t len)
{
    z_stream z = {0};
    size_t max = len + len / 8 + 64;
    uint8_t *raw = malloc(max);
    struct buf in;

    assert_non_null(raw);
    buf_init(&in);
    buf_put(&in, data, len); /* zlib does not promise to leave it alone */
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, -15, 8, 0), Z_OK);
    z.next_in = in.data;
    z.avail_in = (uInt)in.len;
    z.next_out = raw;
    z.avail_out = (uInt)max;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    spell(out, raw, (size_t)z.total_out);
    deflateEnd(&z);
    buf_clear(&in);
    free(raw);
}
