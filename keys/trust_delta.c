#include "keys/trust_delta.h"

#include <string.h>

#include "base/fail.h"
#include "base/hash.h"
#include "base/str.h"
#include "keys/lines.h"
#include "keys/note.h"
#include "keys/revocations.h"

/* A trust file: its notes, up to the empty line before the list, and the list. */
struct sheet {
    struct text head, list;
};

struct delta {
    uint8_t from[HASH_LEN], to[HASH_LEN]; /* of the files */
    struct sheet sheet;                   /* the newer one's head, and the changes */
};

/* Line by line through a list, or through changes, whose lines bear a sign. */
struct cursor {
    struct reader r;
    bool is_signed;
    bool is_over;
    uint8_t sign;
    struct text line; /* without sign and newline */
};

static enum mauth_rc
advance(struct cursor *c, struct mauth_err *err)
{
    struct text previous = c->line;
    struct revocation parsed;

    c->is_over = c->r.left == 0;
    if (c->is_over)
        return MAUTH_OK;
    c->sign = c->is_signed ? reader_u8(&c->r) : '+';
    c->line = reader_until(&c->r, '\n');
    if (!reader_ok(&c->r) || (c->sign != '+' && c->sign != '-') ||
        !revocation_parse(c->line, &parsed) || text_compare(previous, c->line) >= 0)
        return mauth_fail(err, MAUTH_MALFORMED,
            "trust delta: a line has not the form or order it must have");
    return MAUTH_OK;
}

static enum mauth_rc
begin(struct cursor *c, struct text lines, bool is_signed, struct mauth_err *err)
{
    *c = (struct cursor){.is_signed = is_signed, .line = {"", 0}};
    reader_init(&c->r, lines.p, lines.len);
    return advance(c, err);
}

/* Which comes first; the one that is over comes last. */
static int
compare(const struct cursor *a, const struct cursor *b)
{
    if (a->is_over || b->is_over)
        return a->is_over - b->is_over;
    return text_compare(a->line, b->line);
}

static void
put_line(struct buf *out, const char *sign, struct text line)
{
    buf_str(out, sign);
    buf_text(out, line);
    buf_str(out, "\n");
}

/*
 * Two rows of lines become one, in their order: a line that only the first has, that
 * only the second has, or that both have, is put by the rule of what is being made.
 */
enum side {
    FIRST,
    SECOND,
    BOTH
};

typedef bool put_fn(
    struct buf *out, enum side side, const struct cursor *a, const struct cursor *b);

static enum mauth_rc
merge(struct cursor *a, struct cursor *b, put_fn *put, struct buf *out,
    struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;

    while (rc == MAUTH_OK && !(a->is_over && b->is_over)) {
        int order = compare(a, b);

        if (!put(out, order < 0 ? FIRST : order > 0 ? SECOND : BOTH, a, b))
            return mauth_fail(err, MAUTH_CONFLICT,
                "trust delta: it changes lines that are not so in what it is for");
        if (order <= 0)
            rc = advance(a, err);
        if (order >= 0 && rc == MAUTH_OK)
            rc = advance(b, err);
    }
    return rc;
}

/* Two lists: what the second has not went, what only it has came. */
static bool
put_change(
    struct buf *out, enum side side, const struct cursor *a, const struct cursor *b)
{
    if (side == FIRST)
        put_line(out, "-", a->line);
    if (side == SECOND)
        put_line(out, "+", b->line);
    return true;
}

/* Changes and later ones: what went and came back, or came and went, has not changed. */
static bool
put_either(
    struct buf *out, enum side side, const struct cursor *a, const struct cursor *b)
{
    const struct cursor *c = side == FIRST ? a : b;

    if (side == BOTH)
        return a->sign != b->sign;
    put_line(out, c->sign == '+' ? "+" : "-", c->line);
    return true;
}

/* A list and changes: only what is there goes, and only what is not comes. */
static bool
put_result(
    struct buf *out, enum side side, const struct cursor *a, const struct cursor *b)
{
    if (side == BOTH)
        return b->sign == '-';
    if (side == SECOND && b->sign == '-')
        return false;
    put_line(out, "", side == FIRST ? a->line : b->line);
    return true;
}

/* Takes a sheet off r, which has nothing behind it. */
static bool
read_sheet(struct reader *r, struct sheet *out)
{
    struct text note;
    struct reader all = *r;

    for (int i = 0; i < 2; i++) {
        if (!note_text(r, &note))
            return false;
        (void)reader_until(r, '\n'); /* the signature */
        lines_expect(r, "\n");
    }
    out->list = (struct text){(const char *)r->p, r->left};
    out->head = (struct text){(const char *)all.p, all.left - r->left};
    return reader_ok(r);
}

static enum mauth_rc
read_file(struct text file, struct sheet *out, struct mauth_err *err)
{
    struct reader r;

    reader_init(&r, file.p, file.len);
    if (file.len > MAUTH_TRUST_MAX || !read_sheet(&r, out))
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust delta: for what is no trust file");
    return MAUTH_OK;
}

static enum mauth_rc
read_delta(struct text text, struct delta *out, struct mauth_err *err)
{
    struct reader r;

    reader_init(&r, text.p, text.len);
    lines_expect(&r, "meshauth-trust-delta v1\nfrom ");
    lines_hash(&r, '\n', out->from);
    lines_expect(&r, "to ");
    lines_hash(&r, '\n', out->to);
    lines_expect(&r, "\n");
    if (text.len > MAUTH_TRUST_MAX || !reader_ok(&r) || !read_sheet(&r, &out->sheet))
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust delta: it is not meshauth-trust-delta v1");
    return MAUTH_OK;
}

static void
put_title(struct buf *out, const uint8_t from[HASH_LEN], const uint8_t to[HASH_LEN],
    struct text head)
{
    buf_str(out, "meshauth-trust-delta v1\nfrom ");
    lines_put_base64(out, from, HASH_LEN);
    buf_str(out, "\nto ");
    lines_put_base64(out, to, HASH_LEN);
    buf_str(out, "\n\n");
    buf_text(out, head);
}

/* What was put behind start is whole and not too long; else it is taken back. */
static enum mauth_rc
finish(struct buf *out, size_t start, enum mauth_rc rc, struct mauth_err *err)
{
    if (rc == MAUTH_OK && !buf_ok(out))
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "trust delta: no memory");
    if (rc == MAUTH_OK && out->len - start > MAUTH_TRUST_MAX)
        rc = mauth_fail(err, MAUTH_TOO_LARGE, "trust delta: over 16 MiB come out");
    if (rc != MAUTH_OK)
        out->len = start;
    return rc;
}

enum mauth_rc
trust_delta_make(
    struct text older, struct text newer, struct buf *out, struct mauth_err *err)
{
    uint8_t from[HASH_LEN], to[HASH_LEN];
    size_t start = out->len;
    struct sheet before, after;
    struct cursor a, b;
    enum mauth_rc rc;

    rc = read_file(older, &before, err);
    if (rc == MAUTH_OK)
        rc = read_file(newer, &after, err);
    if (rc == MAUTH_OK)
        rc = hash_bytes(older.p, older.len, from, err);
    if (rc == MAUTH_OK)
        rc = hash_bytes(newer.p, newer.len, to, err);
    if (rc == MAUTH_OK)
        rc = begin(&a, before.list, false, err);
    if (rc == MAUTH_OK)
        rc = begin(&b, after.list, false, err);
    if (rc != MAUTH_OK)
        return rc;
    put_title(out, from, to, after.head);
    rc = merge(&a, &b, put_change, out, err);
    return finish(out, start, rc, err);
}

enum mauth_rc
trust_delta_join(
    struct text first, struct text second, struct buf *out, struct mauth_err *err)
{
    size_t start = out->len;
    struct delta one, two;
    struct cursor a, b;
    enum mauth_rc rc;

    rc = read_delta(first, &one, err);
    if (rc == MAUTH_OK)
        rc = read_delta(second, &two, err);
    if (rc == MAUTH_OK)
        rc = begin(&a, one.sheet.list, true, err);
    if (rc == MAUTH_OK)
        rc = begin(&b, two.sheet.list, true, err);
    if (rc != MAUTH_OK)
        return rc;
    if (memcmp(one.to, two.from, HASH_LEN) != 0)
        return mauth_fail(err, MAUTH_CONFLICT,
            "trust delta: the second does not begin where the first ends");
    put_title(out, one.from, two.to, two.sheet.head);
    rc = merge(&a, &b, put_either, out, err);
    return finish(out, start, rc, err);
}

static enum mauth_rc
check_hash(struct text file, const uint8_t want[HASH_LEN], const char *refusal,
    struct mauth_err *err)
{
    uint8_t hash[HASH_LEN];
    enum mauth_rc rc = hash_bytes(file.p, file.len, hash, err);

    if (rc == MAUTH_OK && memcmp(hash, want, HASH_LEN) != 0)
        rc = mauth_fail(err, MAUTH_CONFLICT, "trust delta: %s", refusal);
    return rc;
}

/* The notes and the list behind start; what came out is the file that was meant. */
static enum mauth_rc
put_file(const struct sheet *before, const struct delta *d, struct buf *out,
    struct mauth_err *err)
{
    size_t start = out->len;
    struct cursor a, b;
    enum mauth_rc rc;

    buf_text(out, d->sheet.head);
    rc = begin(&a, before->list, false, err);
    if (rc == MAUTH_OK)
        rc = begin(&b, d->sheet.list, true, err);
    if (rc == MAUTH_OK)
        rc = merge(&a, &b, put_result, out, err);
    rc = finish(out, start, rc, err);
    if (rc == MAUTH_OK)
        rc =
            check_hash((struct text){(const char *)out->data + start, out->len - start},
                d->to, "what it makes is not the file that was meant", err);
    return rc;
}

enum mauth_rc
trust_delta_apply(
    struct text older, struct text delta, struct buf *out, struct mauth_err *err)
{
    size_t start = out->len;
    struct sheet before;
    struct delta d;
    enum mauth_rc rc;

    rc = read_delta(delta, &d, err);
    if (rc == MAUTH_OK)
        rc = check_hash(older, d.from, "it is for another file than this one", err);
    if (rc == MAUTH_OK)
        rc = read_file(older, &before, err);
    if (rc == MAUTH_OK)
        rc = put_file(&before, &d, out, err);
    if (rc != MAUTH_OK)
        out->len = start;
    return rc;
}
