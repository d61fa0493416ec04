#include "keys/trust_delta.h"
#include "tests/unit/forge.h"

enum {
    LINES = 40, /* that a list may have */
    LINE = 64,
    ROUNDS = 300
};

/* Files as the golden authority signs them, each with a number of its own. */
struct press {
    struct golden_statement g;
    char line[LINES][LINE];
};

static void
press_init(struct press *p)
{
    golden_statement_init(&p->g);
    for (int i = 0; i < LINES; i++)
        snprintf(p->line[i], LINE, "revoke %d _%032x", 4700 + i % 7, i * 7919);
}

/* A file with the lines whose bit is set. */
static void
press_file(struct press *p, uint64_t bits, struct buf *out)
{
    const char *list[LINES];
    size_t n = 0;

    for (int i = 0; i < LINES; i++)
        if (bits >> i & 1)
            list[n++] = p->line[i];
    p->g.statement.revocations = list;
    p->g.statement.revocation_count = n;
    p->g.statement.sequence++;
    p->g.statement.issued_s += 60;
    p->g.statement.expires_s += 60;
    buf_init(out);
    assert_int_equal(golden_write(&p->g, out, NULL), MAUTH_OK);
}

static void
make(const struct buf *older, const struct buf *newer, struct buf *out)
{
    buf_init(out);
    assert_int_equal(
        trust_delta_make(buf_slice(older), buf_slice(newer), out, NULL), MAUTH_OK);
}

static void
assert_same(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* The golden one, and a later one without its second line and with another. */
struct pair {
    struct buf older, newer, delta;
};

static void
pair_init(struct pair *p)
{
    static const char *const later[] = {
        "revoke 4700 dev_0yyyyyyyyyyyyyyyyyyyyyyyyy usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        "revoke 4713 fld_0fffffffffffffffffffffffff usr_0bbbbbbbbbbbbbbbbbbbbbbbbb",
        "revoke 4714 *"};
    struct golden_statement g;

    golden_statement_init(&g);
    buf_init(&p->older);
    buf_init(&p->newer);
    assert_int_equal(golden_write(&g, &p->older, NULL), MAUTH_OK);
    g.statement.sequence = 43;
    g.statement.revocations = later;
    assert_int_equal(golden_write(&g, &p->newer, NULL), MAUTH_OK);
    make(&p->older, &p->newer, &p->delta);
    golden_statement_clear(&g);
}

static void
pair_clear(struct pair *p)
{
    buf_clear(&p->older);
    buf_clear(&p->newer);
    buf_clear(&p->delta);
}

/* What implementers in other languages are shown. */
static void
makes_the_golden_delta(void **state)
{
    struct pair p;
    size_t len;
    char *golden = golden_file("trust.delta", "", &len);

    (void)state;
    pair_init(&p);
    assert_int_equal(p.delta.len, len);
    assert_memory_equal(p.delta.data, golden, len);
    free(golden);
    pair_clear(&p);
}

/* It is appended, as a whole file that is worth its signatures. */
static void
makes_the_newer_file(void **state)
{
    struct mauth_trust *trust = NULL;
    char *vkey = golden_vkey();
    struct pair p;
    struct buf out;

    (void)state;
    pair_init(&p);
    buf_init(&out);
    buf_str(&out, "before");
    assert_int_equal(
        trust_delta_apply(buf_slice(&p.older), buf_slice(&p.delta), &out, NULL),
        MAUTH_OK);
    assert_int_equal(out.len, 6 + p.newer.len);
    assert_memory_equal(out.data, "before", 6);
    assert_memory_equal(out.data + 6, p.newer.data, p.newer.len);
    assert_int_equal(
        mauth_trust_parse(out.data + 6, out.len - 6, vkey, &trust, NULL), MAUTH_OK);
    assert_int_equal(mauth_trust_sequence(trust), 43);
    mauth_trust_free(trust);
    buf_clear(&out);
    pair_clear(&p);
    free(vkey);
}

static uint64_t
random_bits(uint64_t *seed)
{
    *seed ^= *seed << 13; /* xorshift64 */
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Three lists, of which each is mostly, little or not at all like the one before. */
static void
try_lists(struct press *p, uint64_t a, uint64_t b, uint64_t c)
{
    struct buf file[3], ab, bc, ac, joined, out;

    press_file(p, a, &file[0]);
    press_file(p, b, &file[1]);
    press_file(p, c, &file[2]);
    make(&file[0], &file[1], &ab);
    make(&file[1], &file[2], &bc);
    make(&file[0], &file[2], &ac);
    buf_init(&out);
    assert_int_equal(
        trust_delta_apply(buf_slice(&file[0]), buf_slice(&ab), &out, NULL), MAUTH_OK);
    assert_same(&out, &file[1]);
    buf_init(&joined);
    assert_int_equal(
        trust_delta_join(buf_slice(&ab), buf_slice(&bc), &joined, NULL), MAUTH_OK);
    assert_same(&joined, &ac);
    buf_rewind(&out);
    assert_int_equal(
        trust_delta_apply(buf_slice(&file[0]), buf_slice(&joined), &out, NULL),
        MAUTH_OK);
    assert_same(&out, &file[2]);
    if (bc.len != ab.len) /* one for another file changes nothing */
        assert_int_equal(
            trust_delta_apply(buf_slice(&file[0]), buf_slice(&bc), &out, NULL),
            MAUTH_CONFLICT);
    assert_same(&out, &file[2]);
    for (int i = 0; i < 3; i++)
        buf_clear(&file[i]);
    buf_clear(&ab);
    buf_clear(&bc);
    buf_clear(&ac);
    buf_clear(&joined);
    buf_clear(&out);
}

static void
goes_and_comes_for_any_lists(void **state)
{
    uint64_t seed = 20261125;
    struct press p;

    (void)state;
    press_init(&p);
    try_lists(&p, 0, 0, 0);
    try_lists(&p, 0, UINT64_MAX, 0);
    try_lists(&p, UINT64_MAX, 0, UINT64_MAX);
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t a = random_bits(&seed), b, c;

        b = a ^ (random_bits(&seed) & random_bits(&seed) & random_bits(&seed));
        c = i % 3 ? b ^ (random_bits(&seed) & random_bits(&seed)) : random_bits(&seed);
        try_lists(&p, a, b, c);
    }
    golden_statement_clear(&p.g);
}

/* What of a good delta is replaced; "" stands before all of it, NULL behind. */
static const struct refusal {
    const char *name, *what, *with;
    enum mauth_rc rc;
} refusals[] = {
    {"another title", "delta v1", "delta v2", MAUTH_MALFORMED},
    {"a line before", "", "\n", MAUTH_MALFORMED},
    {"no from", "from ", "form ", MAUTH_MALFORMED},
    {"a short hash", "from ", "from AAAA", MAUTH_MALFORMED},
    {"no empty line before the notes", "\n\nmeshauth-authority", "\nmeshauth-authority",
        MAUTH_MALFORMED},
    {"one note", "\n\nmeshauth-trust", "\nmeshauth-trust", MAUTH_MALFORMED},
    {"a line without sign", "-revoke", "revoke", MAUTH_MALFORMED},
    {"another sign", "-revoke", " revoke", MAUTH_MALFORMED},
    {"a sign alone", "-revoke 4712 dev_0zzzzzzzzzzzzzzzzzzzzzzzzz", "-",
        MAUTH_MALFORMED},
    {"no revocation", "-revoke 4712 dev", "-revoke 4712 DEV", MAUTH_MALFORMED},
    {"out of order", "+revoke 4714", "+revoke 4711", MAUTH_MALFORMED},
    {"twice", NULL, "+revoke 4714 *\n", MAUTH_MALFORMED},
    {"there and back", NULL, "-revoke 4714 *\n", MAUTH_MALFORMED},
    {"an empty line behind", NULL, "\n", MAUTH_MALFORMED},
    {"no newline at the end", NULL, "+revoke 4715 *", MAUTH_MALFORMED},
    {"takes what is not there", "-revoke 4712 dev", "-revoke 4711 dev", MAUTH_CONFLICT},
    {"takes what is not there, at the end", NULL, "-revoke 4715 *\n", MAUTH_CONFLICT},
    {"brings what is there", "-revoke", "+revoke", MAUTH_CONFLICT},
    {"brings too much", NULL, "+revoke 4715 *\n", MAUTH_CONFLICT},
    {"brings another", "+revoke 4714", "+revoke 4715", MAUTH_CONFLICT},
    {"another number in the notes", "sequence 43", "sequence 44", MAUTH_CONFLICT},
};

static void
spoil(const struct refusal *f, struct text delta, struct buf *out)
{
    const char *at = delta.p + delta.len;
    size_t len = 0;

    if (f->what) {
        len = strlen(f->what);
        at = len ? memmem(delta.p, delta.len, f->what, len) : delta.p;
        assert_non_null(at);
    }
    buf_put(out, delta.p, (size_t)(at - delta.p));
    buf_str(out, f->with);
    buf_put(out, at + len, delta.len - (size_t)(at - delta.p) - len);
}

static void
expect(const char *name, struct text older, struct text delta, enum mauth_rc rc)
{
    struct mauth_err err = MAUTH_ERR_INIT;
    enum mauth_rc got;
    struct buf out;

    buf_init(&out);
    got = trust_delta_apply(older, delta, &out, &err);
    if (got != rc || out.len != 0 || !err.text[0])
        fail_msg("%s: %s, %zu bytes", name, mauth_rc_name(got), out.len);
    buf_clear(&out);
}

static void
refuses(void **state)
{
    struct pair p;
    struct buf b;

    (void)state;
    pair_init(&p);
    for (size_t i = 0; i < COUNT(refusals); i++) {
        buf_init(&b);
        spoil(&refusals[i], buf_slice(&p.delta), &b);
        expect(refusals[i].name, buf_slice(&p.older), buf_slice(&b), refusals[i].rc);
        buf_clear(&b);
    }
    expect("nothing", buf_slice(&p.older), text_of(""), MAUTH_MALFORMED);
    expect("a file", buf_slice(&p.older), buf_slice(&p.newer), MAUTH_MALFORMED);
    expect("of another", buf_slice(&p.newer), buf_slice(&p.delta), MAUTH_CONFLICT);
    expect("of nothing", text_of(""), buf_slice(&p.delta), MAUTH_CONFLICT);
    pair_clear(&p);
}

static void
refuses_each_changed_byte_and_each_cut(void **state)
{
    struct pair p;

    (void)state;
    pair_init(&p);
    for (size_t i = 0; i < p.delta.len; i++) {
        struct text cut = {(const char *)p.delta.data, i};
        struct buf out;

        buf_init(&out);
        assert_int_not_equal(
            trust_delta_apply(buf_slice(&p.older), cut, &out, NULL), MAUTH_OK);
        p.delta.data[i] ^= 1;
        assert_int_not_equal(
            trust_delta_apply(buf_slice(&p.older), buf_slice(&p.delta), &out, NULL),
            MAUTH_OK);
        assert_int_equal(out.len, 0);
        p.delta.data[i] ^= 1;
        buf_clear(&out);
    }
    pair_clear(&p);
}

/* Neither is something made for what is no trust file, or joined that does not meet. */
static void
refuses_to_make(void **state)
{
    struct pair p;
    struct buf out;

    (void)state;
    pair_init(&p);
    buf_init(&out);
    assert_int_equal(trust_delta_make(text_of(""), buf_slice(&p.newer), &out, NULL),
        MAUTH_MALFORMED);
    assert_int_equal(
        trust_delta_make(buf_slice(&p.older), buf_slice(&p.delta), &out, NULL),
        MAUTH_MALFORMED);
    assert_int_equal(
        trust_delta_join(buf_slice(&p.delta), buf_slice(&p.newer), &out, NULL),
        MAUTH_MALFORMED);
    assert_int_equal(
        trust_delta_join(buf_slice(&p.delta), buf_slice(&p.delta), &out, NULL),
        MAUTH_CONFLICT);
    assert_int_equal(out.len, 0);
    pair_clear(&p);
}

/* A file of 10 MiB, whose signatures nobody looks at here. */
static void
put_long(struct buf *out, int first)
{
    buf_init(out);
    buf_str(out, "a\n\nb c\n\nd\n\ne f\n\n");
    for (int i = first; out->len < (10 << 20); i++)
        buf_printf(out, "revoke 5000 _%032x\n", i);
    assert_true(buf_ok(out));
}

static void
refuses_too_much(void **state)
{
    struct buf one, two, out;

    (void)state;
    put_long(&one, 0);
    put_long(&two, 1 << 20);
    buf_init(&out);
    assert_int_equal(trust_delta_make(buf_slice(&one), buf_slice(&two), &out, NULL),
        MAUTH_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_text(&one, buf_slice(&two)); /* no file is that long */
    assert_int_equal(trust_delta_make(buf_slice(&one), buf_slice(&two), &out, NULL),
        MAUTH_MALFORMED);
    expect("too long", buf_slice(&two), buf_slice(&one), MAUTH_MALFORMED);
    buf_clear(&out);
    buf_clear(&two);
    buf_clear(&one);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_golden_delta),
        cmocka_unit_test(makes_the_newer_file),
        cmocka_unit_test(goes_and_comes_for_any_lists),
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_each_changed_byte_and_each_cut),
        cmocka_unit_test(refuses_to_make),
        cmocka_unit_test(refuses_too_much),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
