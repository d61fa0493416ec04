/*
 * Our own identity ticket as subject token, with the proof of its key: without audience
 * and resource it is renewed, else it is traded for rights.
 */
#ifndef AUTHSVC_TOKEN_TICKET_H
#define AUTHSVC_TOKEN_TICKET_H

#include "authsvc/http.h"
#include "net/form.h"

/* Takes the form over, and the exchange's state. */
void token_ticket_start(struct http_exchange *x, struct form *form);

#endif
