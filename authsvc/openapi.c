#include "authsvc/openapi.h"

/* The file, which cmake/embed.cmake makes a library of. */
extern const unsigned char openapi_json[];
extern const unsigned long openapi_json_len;

void
openapi_start(struct http_exchange *x)
{
    struct text body = {(const char *)openapi_json, openapi_json_len};

    http_answer(x, 200, "application/json", body, NULL);
}
