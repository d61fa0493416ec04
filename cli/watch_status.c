#include "cli/watch_status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "cli/trust_json.h"
#include <meshauth/ticket.h>

const char *
watch_status_name(const struct watch_status *s, int64_t now_s)
{
    const struct mauth_trust *t = keep_trust(s->keep);

    if (!t)
        return "none";
    if (now_s >= mauth_trust_expires_s(t))
        return "expired";
    if (now_s < mauth_trust_issued_s(t) - MAUTH_SKEW_DEFAULT_S)
        return "future";
    return s->trouble.rc == MAUTH_OK ? "good" : "failing";
}

static json_t *
loaded_json(const struct lowest *l)
{
    if (!l->processes)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:s}", "processes", (json_int_t)l->processes,
        "epoch", (json_int_t)l->epoch, "sequence", (json_int_t)l->sequence, "hash",
        l->hash);
}

static json_t *
held_json(const struct mauth_trust *t)
{
    return t ? trust_json_core(t) : json_null();
}

static json_t *
time_or_null(int64_t t_s)
{
    return t_s ? trust_json_time(t_s) : json_null();
}

json_t *
watch_status_json(const struct watch_status *s, int64_t now_s)
{
    bool trouble = s->trouble.rc != MAUTH_OK;

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:o, s:s?, s:o, s:b, s:o, s:I, s:I, s:I, s:o}",
        "url", s->home->url.text, "service", s->home->service, "file",
        s->home->trust_file, "state", watch_status_name(s, now_s), "trust",
        held_json(keep_trust(s->keep)), "confirmed", time_or_null(s->confirmed_s),
        "trouble", trouble ? s->trouble.text : NULL, "trouble_since",
        time_or_null(trouble ? s->trouble_since_s : 0), "alarm",
        (int)keep_has_alarm(s->keep), "loaded", loaded_json(&s->loaded), "handed_back",
        (json_int_t)s->decisions.handed_back, "lost", (json_int_t)s->decisions.lost,
        "pid", (json_int_t)getpid(), "written", trust_json_time(now_s));
}

enum mauth_rc
watch_status_write(const struct watch_status *s, const char *path, int64_t now_s,
    struct mauth_err *err)
{
    json_t *o = watch_status_json(s, now_s);
    char *text = o ? json_dumps(o, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
    enum mauth_rc rc;

    if (text)
        rc = file_replace(path, text, strlen(text), FILE_PUBLIC, err);
    else
        rc = mauth_fail(err, MAUTH_NO_MEMORY, "no memory");
    free(text);
    json_decref(o);
    return rc;
}
