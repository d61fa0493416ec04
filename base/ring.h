/*
 * A journal between processes: a file of slots in which one process writes entries and
 * others read them. The newest entry takes the place of the oldest; a writer waits for
 * no reader, and nothing grows.
 *
 * Those of a kind lie in a folder as KIND.0, KIND.1, ... A process takes the first that no
 * other one holds (flock), and goes on where its owner of before has ended; what that one
 * wrote is there to be read until then. So there are never more files than processes ran
 * at a time, and nobody need clean up.
 *
 * The file, integers big-endian: "meshauth-ring 1\n", an id of 16 random bytes, u32 bytes
 * of a slot, u32 slots, zeros up to byte 64; then the slots. Entry N, from 1, lies in slot
 * N modulo their number: u64 check, u64 N, u16 length, bytes. The check is the SipHash of
 * what is behind it under the id; an entry that is half written is none. Who goes on in a
 * file puts an empty one wherever one has been lost between others.
 */
#ifndef BASE_RING_H
#define BASE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <meshauth/err.h>

enum {
    RING_ID = 16,
    RING_HEADER = 64,
    RING_OVERHEAD = 18, /* bytes of a slot that are not the entry's */
    RING_SLOT_MAX = 4096,
    RING_SLOTS_MAX = 16384,
    RING_FILES = 128 /* of a kind in a folder; more processes do without */
};

struct ring_kind {
    const char *name;
    uint32_t slot; /* bytes */
    uint32_t slots;
};

struct ring;

/*
 * For writing. Both are kept: dir is copied, kind borrowed. A folder that is not there or
 * cannot be written is no failure: it is tried again, once a second at most, by
 * ring_put(). Nothing that lies there is followed elsewhere.
 */
MAUTH_MUST_USE enum mauth_rc ring_open(const char *dir, const struct ring_kind *kind,
    struct ring **out, struct mauth_err *err);
void ring_close(struct ring *r); /* NULL is fine */

/*
 * Write one entry, which is not empty: one system call. Safe from any thread, and behind
 * a fork(): the child takes a file of its own.
 *
 * MAUTH_TOO_LARGE    it does not fit into a slot
 * MAUTH_UNAVAILABLE  it is not written: there is no file, or no room on the disk
 */
MAUTH_MUST_USE enum mauth_rc ring_put(
    struct ring *r, const void *data, size_t len, struct mauth_err *err);

/* For reading. What is read may be anything, and change meanwhile. */
struct ring_view {
    int fd;
    uint8_t id[RING_ID];
    uint32_t slot;
    uint32_t slots;
};

/* Is it the name of a file of this kind? */
MAUTH_MUST_USE bool ring_is_name(const char *kind, const char *name);

/*
 * MAUTH_NOT_FOUND    no such file
 * MAUTH_MALFORMED    it is no ring, or has not become one yet
 * MAUTH_UNAVAILABLE  it cannot be read
 */
MAUTH_MUST_USE enum mauth_rc ring_view_open(
    const char *path, struct ring_view *out, struct mauth_err *err);
void ring_view_close(struct ring_view *v);

/*
 * The entry of this number, from 1, or, when it has gone, the oldest there is: *number
 * then says which. data has room for v->slot bytes. An empty one: it was lost. False:
 * there is none yet.
 */
MAUTH_MUST_USE bool ring_view_read(
    const struct ring_view *v, uint64_t *number, void *data, size_t *len);

#endif
