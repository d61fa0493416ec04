/*
 * GET /readyz, on the admin socket: can the service do its work, and what should somebody
 * see to before it cannot?
 */
#ifndef AUTHSVC_READYZ_H
#define AUTHSVC_READYZ_H

#include "authsvc/http.h"

http_step readyz_start;

#endif
