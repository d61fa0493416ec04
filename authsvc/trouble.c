#include "authsvc/trouble.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"

static const char *const says[TROUBLES] = {
    [TROUBLE_CERTIFICATE] = "The TLS certificate stays as it was",
    [TROUBLE_RULES] = "The rules stay as they were",
    [TROUBLE_KEYS] = "The keys stay as they were",
    [TROUBLE_TRUST_FILE] = "The trust file was not replaced",
    [TROUBLE_NEXT_KEY] = "The next key is due",
};

struct troubles {
    pthread_mutex_t lock;
    struct mauth_err last[TROUBLES];
};

enum mauth_rc
troubles_new(struct troubles **out, struct mauth_err *err)
{
    struct troubles *t = calloc(1, sizeof(*t));

    *out = t;
    if (!t)
        return mauth_fail(err, MAUTH_NO_MEMORY, "trouble: no memory");
    pthread_mutex_init(&t->lock, NULL);
    return MAUTH_OK;
}

void
troubles_free(struct troubles *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

bool
trouble_note(struct troubles *t, enum trouble which, const struct mauth_err *err)
{
    struct mauth_err *last = &t->last[which];
    bool news;

    pthread_mutex_lock(&t->lock);
    news = err->rc != MAUTH_OK && strcmp(err->text, last->text) != 0;
    *last = *err;
    pthread_mutex_unlock(&t->lock);
    return news;
}

void
troubles_complain(struct troubles *t, struct buf *lines)
{
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < TROUBLES; i++)
        if (t->last[i].rc != MAUTH_OK)
            buf_printf(lines, "%s: %s.\n", says[i], t->last[i].text);
    pthread_mutex_unlock(&t->lock);
}
