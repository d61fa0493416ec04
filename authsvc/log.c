#include "authsvc/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "authsvc/http.h"
#include "base/buf.h"
#include "base/fail.h"
#include "base/str.h"
#include "base/time.h"

enum {
    ERROR = 3, /* syslog's numbers */
    INFO = 6,
    MESSAGE_MAX = 640, /* six times as much, escaped, still goes out in one piece */
    PATH_SHOWN = 256,
    STRAY_SHOWN = 48, /* of a path that is none of ours: there may be a token in it */
    METHOD_SHOWN = 32
};

/* One line with one write(2). NULL: there was no memory for it. */
static void
write_line(int level, const char *text)
{
    struct buf line;

    buf_init(&line);
    if (getenv("JOURNAL_STREAM"))
        buf_printf(&line, "<%d>", level);
    buf_str(&line, text ? text : "{\"message\":\"no memory for a line of log\"}");
    buf_u8(&line, '\n');
    if (buf_ok(&line) && write(STDERR_FILENO, line.data, line.len) < 0) {
        /* Nowhere left to say so. */
    }
    buf_clear(&line);
}

/* Takes the object over. */
static void
emit(int level, json_t *object)
{
    char now[TIME_LEN + 1];
    char *text;

    time_format(time_now_s(), now);
    if (object)
        json_object_set_new(object, "time", json_string(now));
    text = object
               ? json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII)
               : NULL;
    write_line(level, text);
    free(text);
    json_decref(object);
}

/* What is no UTF-8 could not be written at all. */
static json_t *
message_of(char *text)
{
    json_t *message = json_string(text);

    if (message)
        return message;
    for (char *p = text; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    return json_string(text);
}

__attribute__((format(printf, 2, 0))) static void
say(int level, const char *format, va_list ap)
{
    char text[MESSAGE_MAX];

    vsnprintf(text, sizeof(text), format, ap);
    emit(level, json_pack("{s:s, s:o}", "level", level == ERROR ? "error" : "info",
                    "message", message_of(text)));
}

void
log_info(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(INFO, format, ap);
    va_end(ap);
}

void
log_error(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    say(ERROR, format, ap);
    va_end(ap);
}

void
log_failure(const char *request_id, const struct mauth_err *err)
{
    emit(ERROR,
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "level", "error", "request", request_id,
            "code", mauth_rc_name(err->rc), "message", err->text, "where", err->where));
}

static void
put_member(struct buf *b, const char *name, const char *value)
{
    buf_str(b, b->len ? ",\"" : "{\"");
    buf_str(b, name);
    buf_str(b, "\":");
    buf_json(b, text_of(value));
}

/* There is one for each request: written as text, not built as a tree. All values are
 * ASCII, names in their order as emit() has them. */
void
log_request(const struct http_exchange *x, int status, const char *reason)
{
    const char *path = http_path(x), *method = http_method(x);
    char shown[PATH_SHOWN], now[TIME_LEN + 1];
    struct buf line;

    buf_init(&line);
    put_member(&line, "client", http_client(x));
    put_member(&line, "level", "info");
    if (method) {
        mauth_quote(method, strlen(method), shown, METHOD_SHOWN);
        put_member(&line, "method", shown);
    }
    mauth_quote(path ? path : "", path ? strlen(path) : 0, shown,
        status == 404 ? STRAY_SHOWN : sizeof(shown));
    put_member(&line, "path", shown);
    if (reason)
        put_member(&line, "reason", reason);
    put_member(&line, "request", http_request_id(x));
    time_format(time_now_s(), now);
    buf_printf(&line, ",\"status\":%d", status);
    put_member(&line, "time", now);
    buf_u8(&line, '}');
    write_line(INFO, buf_ok(&line) ? buf_cstr(&line) : NULL);
    buf_clear(&line);
}
