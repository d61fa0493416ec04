#include "tickets/terms.h"

#include <string.h>

#include "tickets/decode.h"

struct ticket_terms
ticket_terms_of(const struct mauth_ticket *t)
{
    const struct ticket *says = &t->says;
    struct ticket_terms terms = {.issued_s = says->issued_s,
        .not_before_s = says->not_before_s,
        .not_on_or_after_s = says->not_on_or_after_s,
        .issuer = says->issuer,
        .key_id = says->key_id,
        .holder = {(const char *)says->holder_spki, says->holder_spki_len},
        .audiences = says->audiences};

    memcpy(terms.audience, says->audience, sizeof(terms.audience));
    return terms;
}

size_t
ticket_terms_room(const struct mauth_ticket *t)
{
    const struct ticket *says = &t->says;
    size_t room = sizeof(struct ticket_terms) + says->issuer.len + says->key_id.len +
                  says->holder_spki_len + 3;

    for (size_t i = 0; i < says->audiences; i++)
        room += says->audience[i].len + 1;
    return room;
}

/* Terminated, as it was. */
static void
move(struct text *t, char **to)
{
    if (!t->p)
        return;
    memcpy(*to, t->p, t->len);
    (*to)[t->len] = '\0';
    t->p = *to;
    *to += t->len + 1;
}

struct ticket_terms *
ticket_terms_keep(const struct mauth_ticket *t, void *room)
{
    struct ticket_terms *kept = room;
    char *to = (char *)(kept + 1);

    *kept = ticket_terms_of(t);
    move(&kept->issuer, &to);
    move(&kept->key_id, &to);
    move(&kept->holder, &to);
    for (size_t i = 0; i < kept->audiences; i++)
        move(&kept->audience[i], &to);
    return kept;
}
