#include "keys/revocations.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/id.h"
#include "base/str.h"

enum {
    TICKET_ID_DIGITS = 32,
    LINE_MIN = sizeof("revoke 1 *\n") - 1
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

static int
by_first_id(const void *a, const void *b)
{
    const struct revocation *x = a, *y = b;

    return text_compare(x->id[0], y->id[0]);
}

static void
add(struct revocations *list, const struct revocation *e)
{
    if (e->n > list->highest)
        list->highest = e->n;
    if (e->count > 0)
        list->entry[list->count++] = *e;
    else if (e->n > list->all_before)
        list->all_before = e->n;
}

enum mauth_rc
revocations_read(
    struct reader *r, uint64_t count, struct revocations *out, struct mauth_err *err)
{
    struct text previous = {"", 0};

    memset(out, 0, sizeof(*out));
    if (count > r->left / LINE_MIN)
        return mauth_fail(
            err, MAUTH_MALFORMED, "trust: fewer revocations than counted");
    out->entry = calloc((size_t)count + 1, sizeof(*out->entry));
    if (!out->entry)
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
    qsort(out->entry, out->count, sizeof(*out->entry), by_first_id);
    return MAUTH_OK;
}

void
revocations_clear(struct revocations *list)
{
    free(list->entry);
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

/* The first entry that begins with this id, or what would follow it. */
static size_t
seek(const struct revocations *list, struct text id)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (text_compare(list->entry[middle].id[0], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool
revocations_hit(
    const struct revocations *list, uint64_t asof, const struct text *ids, size_t count)
{
    if (asof < list->all_before)
        return true;
    if (asof >= list->highest)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t at = seek(list, ids[i]);

        for (; at < list->count && text_equal(list->entry[at].id[0], ids[i]); at++)
            if (asof < list->entry[at].n && covers(ids, count, &list->entry[at]))
                return true;
    }
    return false;
}
