/* replay.c -- runs a fuzz target over its corpus with any compiler, no libFuzzer needed.
 *
 * Each input is given whole and cut short at up to 64 places, for cut files are the
 * commonest of hostile ones. Every run gets a copy of exactly its size, so that a
 * sanitizer sees a read past the end. A folder that is absent is an empty corpus. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { CUTS = 64 };

static void run(const uint8_t *data, size_t n)
{
    uint8_t *exact = calloc(n ? n : 1, 1);
    if (!exact) exit(3);
    if (n) memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static void run_cuts(const uint8_t *data, size_t n)
{
    size_t step = n / CUTS + 1;
    for (size_t cut = n % step; cut < n; cut += step) run(data, cut);
    run(data, n);
}

/* The bytes of a file, malloc'd; NULL for what is no readable regular file. */
static uint8_t *slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    long size = -1;
    if (!f) return NULL;
    if (fseek(f, 0, SEEK_END) == 0) size = ftell(f);
    if (size >= 0 && size < (64 << 20)) data = malloc((size_t)size + 1);
    rewind(f);
    *n = data ? fread(data, 1, (size_t)size, f) : 0;
    if (data && *n != (size_t)size) free(data), data = NULL;
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    size_t inputs = 0;
    run((const uint8_t *)"", 0);
    for (struct dirent *e; folder && (e = readdir(folder));) {
        char path[4096];
        size_t n = 0;
        if (e->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], e->d_name);
        uint8_t *data = slurp(path, &n);
        if (!data) continue;
        run_cuts(data, n);
        free(data);
        inputs++;
    }
    if (folder) closedir(folder);
    printf("%zu inputs, each whole and cut short at up to %d places\n", inputs, CUTS);
    return 0;
}
