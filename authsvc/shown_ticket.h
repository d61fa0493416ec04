/*
 * A ticket of ours that somebody shows without using it: to have it revoked, or to ask
 * about it. Any kind, of any audience.
 */
#ifndef AUTHSVC_SHOWN_TICKET_H
#define AUTHSVC_SHOWN_TICKET_H

#include "authsvc/service.h"
#include "base/id.h"
#include "net/form.h"
#include "store/graph.h"
#include <meshauth/key.h>
#include <meshauth/ticket.h>

enum shown_worth {
    SHOWN_FORGED, /* or of a key that we have no more */
    SHOWN_DEAD,   /* expired, or revoked already */
    SHOWN_LIVE,
    SHOWN_UNSURE /* our own clock, trust file or memory */
};

/* As it reads: until its worth is known no more than its bearer's word. */
struct shown_ticket {
    struct mauth_ticket *ticket; /* NULL: none of ours */
    enum shown_worth worth;
    const char *reason; /* why it is not live; static */
    enum id_kind kind;  /* of its subject: a user or a service */
    struct id subject;
    struct id session;
    uint8_t key_hash[GRAPH_KEY_HASH];
    char key[MAUTH_KEY_ID_LEN + 1]; /* "none" of a bearer ticket */
};

/*
 * The parameter `token` of a form where nothing may occur twice: one credential. A name
 * of authsvc/oauth.h, or NULL. Borrowed from f.
 */
const char *shown_ticket_parameter(const struct form *f, struct text *out);

/*
 * Read it and find what it is worth by our own trust file, with the audience and the key
 * that it names itself: its session is for the caller to look at. skew_s, as of struct
 * mauth_expect: of whom the answer is for. MAUTH_OK also when it is no ticket of ours.
 * shown_ticket_clear() it in any case.
 */
MAUTH_MUST_USE enum mauth_rc shown_ticket_read(const struct service *service,
    struct text credential, int64_t now_s, int32_t skew_s, struct shown_ticket *out,
    struct mauth_err *err);
void shown_ticket_clear(struct shown_ticket *t);

#endif
