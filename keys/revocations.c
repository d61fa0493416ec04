#include "keys/revocations.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/id.h"
#include "base/str.h"

enum {
    TICKET_ID_DIGITS = 32,
    LINE_MIN = sizeof("revoke 1 *\n") - 1,
    AT_ONCE = 16 /* ids that are looked for; a ticket seldom mentions more */
};

bool
revocation_takes(struct text id)
{
    if (id.len == 1 + TICKET_ID_DIGITS && id.p[0] == '_') {
        struct text hex = {id.p + 1, TICKET_ID_DIGITS};

        return str_is_hex(hex, TICKET_ID_DIGITS);
    }
    return id_kind_of(id.p, id.len) != ID_KINDS;
}

bool
revocation_parse(struct text line, struct revocation *out)
{
    struct text word, previous = {"", 0};

    memset(out, 0, sizeof(*out));
    if (!text_cut(&line, ' ', &word) || !text_is(word, "revoke") ||
        !text_cut(&line, ' ', &word) || !str_number(word, &out->n))
        return false;
    if (text_is(line, "*"))
        return true;
    for (bool last = false; !last;) {
        last = !text_cut(&line, ' ', &word);
        if (last)
            word = line;
        if (out->count == REVOCATION_IDS || !revocation_takes(word) ||
            text_compare(previous, word) >= 0)
            return false;
        out->id[out->count++] = previous = word;
    }
    return true;
}

/* The table. */

struct revocation_link {
    uint32_t next; /* index + 1; 0: the row ends */
    uint32_t tag;  /* of the hash, so that seldom an id is looked at in vain */
};

/* The finalizer of MurmurHash3: each bit of w changes half of the result's. */
static uint64_t
mix(uint64_t w)
{
    w = (w ^ w >> 33) * UINT64_C(0xff51afd7ed558ccd);
    w = (w ^ w >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return w ^ w >> 33;
}

static uint64_t
hash(uint64_t key, struct text id)
{
    uint64_t h = key;

    for (size_t at = 0; at < id.len; at += sizeof(uint64_t)) {
        size_t left = id.len - at;
        uint64_t word = 0;

        memcpy(&word, id.p + at, left < sizeof(word) ? left : sizeof(word));
        h = mix(h ^ word);
    }
    return h;
}

static uint32_t *
row_of(const struct revocations *list, uint64_t h)
{
    return &list->row[h & (list->rows - 1)];
}

static void
link_entry(struct revocations *list, size_t i)
{
    uint64_t h = hash(list->key, list->entry[i].id[0]);
    uint32_t *row = row_of(list, h);

    list->link[i] = (struct revocation_link){*row, (uint32_t)(h >> 32)};
    *row = (uint32_t)i + 1;
}

/* Room for count entries, in rows of which most are empty. */
static bool
make_table(struct revocations *list, size_t count)
{
    for (list->rows = 1; list->rows < 2 * count;)
        list->rows *= 2;
    list->entry = calloc(count + 1, sizeof(*list->entry));
    list->link = calloc(count + 1, sizeof(*list->link));
    list->row = calloc(list->rows, sizeof(*list->row));
    return list->entry && list->link && list->row;
}

static void
add(struct revocations *list, const struct revocation *e)
{
    if (e->n > list->highest)
        list->highest = e->n;
    if (e->count > 0) {
        list->entry[list->count] = *e;
        link_entry(list, list->count++);
    } else if (e->n > list->all_before) {
        list->all_before = e->n;
    }
}

enum mauth_rc
revocations_read(struct reader *r, uint64_t count, uint64_t key,
    struct revocations *out, struct mauth_err *err)
{
    struct text previous = {"", 0};

    memset(out, 0, sizeof(*out));
    if (count > r->left / LINE_MIN)
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: fewer revocations than counted");
    out->key = key;
    if (!make_table(out, (size_t)count))
        return mauth_fail(err, MAUTH_NO_MEMORY, "trust: no memory");
    for (uint64_t i = 0; i < count; i++) {
        struct text line = reader_until(r, '\n');
        struct revocation e;

        if (!reader_ok(r) || !revocation_parse(line, &e) ||
            text_compare(previous, line) >= 0)
            return mauth_fail(err, MAUTH_MALFORMED,
                "trust: revocation %" PRIu64 " has not the form or order it must have",
                i + 1);
        previous = line;
        add(out, &e);
    }
    if (!reader_done(r))
        return mauth_fail(err, MAUTH_MALFORMED, "trust: more revocations than counted");
    return MAUTH_OK;
}

void
revocations_clear(struct revocations *list)
{
    free(list->entry);
    free(list->link);
    free(list->row);
    memset(list, 0, sizeof(*list));
}

/* Are all ids of the entry among these? Both are sorted. */
static bool
covers(const struct text *ids, size_t count, const struct revocation *e)
{
    size_t found = 0;

    for (size_t i = 0; i < count && found < e->count; i++)
        found += text_equal(ids[i], e->id[found]);
    return found == e->count;
}

/* Does an entry hit that begins with the id of this hash? */
static bool
hits_from(const struct revocations *list, uint64_t asof, const struct text *ids,
    size_t count, uint64_t h)
{
    for (uint32_t at = *row_of(list, h); at; at = list->link[at - 1].next) {
        const struct revocation *e = &list->entry[at - 1];

        if (list->link[at - 1].tag == (uint32_t)(h >> 32) && asof < e->n &&
            covers(ids, count, e))
            return true;
    }
    return false;
}

/* A long list lies in no cache: memory is asked for all ids at once, not one by one. */
static void
fetch_rows(const struct revocations *list, const struct text *ids, size_t count,
    uint64_t h[AT_ONCE])
{
    for (size_t i = 0; i < count; i++) {
        h[i] = hash(list->key, ids[i]);
        __builtin_prefetch(row_of(list, h[i]));
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t at = *row_of(list, h[i]);

        __builtin_prefetch(&list->link[at ? at - 1 : 0]);
    }
}

bool
revocations_hit(
    const struct revocations *list, uint64_t asof, const struct text *ids, size_t count)
{
    uint64_t h[AT_ONCE];

    if (asof < list->all_before)
        return true;
    if (asof >= list->highest)
        return false;
    for (size_t from = 0; from < count; from += AT_ONCE) {
        size_t n = count - from < AT_ONCE ? count - from : AT_ONCE;

        fetch_rows(list, ids + from, n, h);
        for (size_t i = 0; i < n; i++)
            if (hits_from(list, asof, ids, count, h[i]))
                return true;
    }
    return false;
}
