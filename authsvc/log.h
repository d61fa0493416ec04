/*
 * The service's log: one JSON object a line on standard error, "<N>" first when
 * systemd's journal reads it. Foreign text is quoted and capped; tickets, tokens
 * and keys never go in. The audit log is another thing (store/audit.h).
 */
#ifndef AUTHSVC_LOG_H
#define AUTHSVC_LOG_H

#include <meshauth/err.h>

struct http_exchange;

/* A sentence about the service itself; printf-like. */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Something of ours that failed while a request was served. */
void log_failure(const char *request_id, const struct mauth_err *err);

/* One line for each request: what struct http_options' log is called with. */
void log_request(const struct http_exchange *x, int status, const char *reason);

#endif
