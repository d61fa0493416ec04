/*
 * The keys of the store: one byte that says what lies there, then its name. All
 * of them are listed here, so that no two meet; a test does not compile when they do.
 */
#ifndef STORE_KEY_H
#define STORE_KEY_H

#include "base/buf.h"
#include "store/kv.h"

enum store_space {
    SPACE_AUDIT_HEAD = 'H',      /* the tree's frontier */
    SPACE_AUDIT_RECORD = 'R',    /* sequence -> salt, JSON */
    SPACE_AUDIT_NODES = 'T',     /* level, chunk -> up to 16 hashes */
    SPACE_AUDIT_LEFT = 'B',      /* the first record that has not left the store */
    SPACE_AUDIT_SEGMENT = 'g',   /* name of a segment -> SHA-256 of its file, or two */
    SPACE_AUDIT_ERASURE = 'F',   /* user -> how far his records have been erased */
    SPACE_GRAPH_STATE = 'G',     /* the state number */
    SPACE_USER = 'u',            /* id -> user */
    SPACE_IDENTITY = 'i',        /* SHA-256(issuer, subject) -> user id */
    SPACE_SERVICE = 'v',         /* id -> service */
    SPACE_SERVICE_NAME = 'n',    /* name -> service id */
    SPACE_SERVICE_KEY = 'K',     /* SHA-256(SPKI) -> service id */
    SPACE_SERVICE_URL = 'U',     /* URL prefix -> service id */
    SPACE_ROLE = 'r',            /* kind, principal, role name -> when */
    SPACE_SESSION = 's',         /* id -> session */
    SPACE_SESSION_OPEN = 'S',    /* kind, subject, key hash, session id -> nothing */
    SPACE_TOKEN = 't',           /* token hash -> key hash, when it is too old */
    SPACE_TOKEN_END = 'x',       /* when it is too old, token hash -> nothing */
    SPACE_SIGNING_KEY = 'k',     /* key id -> state, window, sealed key */
    SPACE_KEYS_SERIAL = 'q',     /* how often signing keys have changed */
    SPACE_AUTHORITY = 'A',       /* sealed seed, delegation */
    SPACE_AUTHORITY_NEXT = 'a',  /* the same of one that the root has not signed yet */
    SPACE_METADATA_KEY = 'X',    /* of SAML metadata: certificate, sealed key */
    SPACE_TRUST_SEQUENCE = 'Q',  /* of the trust file */
    SPACE_RESTORED = 'E',        /* since it was restored no authority is in force */
    SPACE_DEVICE = 'd',          /* id -> device */
    SPACE_DEVICE_KEY = 'e',      /* SHA-256(SPKI) -> device id */
    SPACE_FOLDER = 'f',          /* id -> folder */
    SPACE_CLAIM_DEVICE = 'c',    /* device, user -> link */
    SPACE_CLAIM_USER = 'C',      /* user, device -> link */
    SPACE_MEMBER_FOLDER = 'm',   /* folder, user -> link with the role */
    SPACE_MEMBER_USER = 'M',     /* user, folder -> link with the role */
    SPACE_MAPPED_DEVICE = 'p',   /* device, folder -> link */
    SPACE_MAPPED_FOLDER = 'P',   /* folder, device -> link */
    SPACE_CHANGE = 'l',          /* state number -> what changed */
    SPACE_CHANGE_GONE = 'L',     /* the number up to which no change is kept */
    SPACE_USER_IDENTITY = 'I',   /* user, SHA-256(issuer, subject) -> nothing */
    SPACE_INVITATION = 'j',      /* id -> invitation */
    SPACE_INVITATION_BY = 'J',   /* folder, inviter, id -> nothing */
    SPACE_PENDING = 'o',         /* the same, of pending ones -> when it expires */
    SPACE_PURGE_AT = 'z',        /* when, kind, id -> nothing */
    SPACE_PURGED = 'Z',          /* kind, id -> nothing: the id was taken */
    SPACE_REVOKED = 'V',         /* count, ids -> state number, when it was listed */
    SPACE_REVOKED_SUMMARY = 'W', /* how many, how often changed, the latest time */
    SPACE_READINESS = 'w',       /* service -> what it has loaded, and since when */
    SPACE_REPORTED = 'D',        /* service -> what it has reported of tickets */
    SPACE_RULES = 'y',           /* SHA-256 of the rules in force */
    SPACE_CONFIG = 'Y',          /* ... of the configuration at the last start */
    /* '.' is store/kv's own: ".schema" */
};

/* A key in the making; the bytes lie in the struct. */
struct store_key {
    uint8_t bytes[KV_KEY_MAX];
    struct buf b;
};

void store_key(
    struct store_key *k, enum store_space space, const void *name, size_t len);
/* All keys of a space: first <= key < end. */
void store_key_bounds(
    struct store_key *first, struct store_key *end, enum store_space space);
/* Empty, which no key may be, when the name was too long. */
struct text store_key_text(const struct store_key *k);

#endif
