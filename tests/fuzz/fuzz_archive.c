#include "audit/archive.h"
#include "base/str.h"
#include "tests/fuzz/fuzz.h"

/* A line that is taken is the line that we would have written. */
static void
check_line(struct archive_lines *l, struct text line)
{
    struct archive_record record;
    bool is_record, begun = l->begun;
    struct buf again;

    if (archive_lines_take(l, line, &record, &is_record, NULL) != MAUTH_OK)
        return;
    buf_init(&again);
    if (!begun)
        archive_put_first(&again, l->first);
    else if (is_record)
        MUST(archive_put_record(&again, &record, NULL) == MAUTH_OK);
    else
        MUST(archive_put_last(&again, &l->tree, NULL) == MAUTH_OK);
    MUST(buf_ok(&again) && text_equal(buf_slice(&again), line));
    buf_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text rest = {(const char *)data, size}, line;
    struct archive_lines lines = {0};

    while (text_cut(&rest, '\n', &line))
        check_line(&lines, line);
    return 0;
}
