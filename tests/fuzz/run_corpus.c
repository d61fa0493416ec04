/* Stands in for libFuzzer: runs the target over every file of the folders named,
 * and over each of its prefixes, so that a corpus is an ordinary test as well. */
#include <dirent.h>
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

static void
run_file(const char *path)
{
    static uint8_t data[1 << 20];
    FILE *f = fopen(path, "rb");
    size_t n;

    MUST(f);
    n = fread(data, 1, sizeof(data), f);
    fclose(f);
    for (size_t i = 0; i <= n; i += n / 200 + 1)
        LLVMFuzzerTestOneInput(data, i);
    LLVMFuzzerTestOneInput(data, n);
}

int
main(int argc, char **argv)
{
    size_t files = 0;

    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        char path[4096];

        MUST(dir);
        for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
            if (e->d_name[0] == '.')
                continue;
            snprintf(path, sizeof(path), "%s/%s", argv[i], e->d_name);
            run_file(path);
            files++;
        }
        closedir(dir);
    }
    printf("%zu files\n", files);
    return files == 0;
}
