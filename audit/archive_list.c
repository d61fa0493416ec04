#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audit/archive.h"
#include "base/fail.h"
#include "base/file.h"

static const char *
base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* path is the list's from now on, NULL: there was no memory for it. */
static enum mauth_rc
add(struct archive_list *l, char *path, struct mauth_err *err)
{
    struct archive_file *grown = NULL;

    if (path)
        grown = realloc(l->file, (l->count + 1) * sizeof(*grown));
    if (!grown) {
        free(path);
        return mauth_fail(err, MAUTH_NO_MEMORY, "audit: no memory");
    }
    l->file = grown;
    grown[l->count].path = path;
    /* A file of another name was named itself: it begins where it says when read. */
    if (!archive_name_parse(base_name(path), &grown[l->count].head))
        grown[l->count].head = (struct archive_head){0};
    l->count++;
    return MAUTH_OK;
}

static int
compare(const void *left, const void *right)
{
    const struct archive_file *a = left, *b = right;

    if (a->head.first != b->head.first)
        return a->head.first < b->head.first ? -1 : 1;
    return strcmp(a->path, b->path);
}

enum mauth_rc
archive_list(const char *path, struct archive_list *out, struct mauth_err *err)
{
    enum mauth_rc rc = MAUTH_OK;
    struct archive_head head;
    struct dirent *entry;
    DIR *dir = opendir(path);

    *out = (struct archive_list){0};
    if (!dir && errno == ENOTDIR)
        return add(out, strdup(path), err);
    if (!dir)
        return mauth_fail(err, errno == ENOENT ? MAUTH_NOT_FOUND : MAUTH_UNAVAILABLE,
            "%s: %s", path, strerror(errno));
    while (rc == MAUTH_OK && (entry = readdir(dir)))
        if (archive_name_parse(entry->d_name, &head))
            rc = add(out, file_join(path, entry->d_name), err);
    closedir(dir);
    if (rc)
        archive_list_clear(out);
    else if (out->count)
        qsort(out->file, out->count, sizeof(*out->file), compare);
    return rc;
}

void
archive_list_clear(struct archive_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->file[i].path);
    free(l->file);
    *l = (struct archive_list){0};
}

void
archive_tidy(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    if (!dir)
        return;
    while ((entry = readdir(dir)))
        if (strncmp(entry->d_name, ARCHIVE_DRAFT ".", sizeof(ARCHIVE_DRAFT)) == 0)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}
