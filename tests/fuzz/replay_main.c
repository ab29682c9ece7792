/* Runs one fuzz target over every file of the folders given: what fuzzing once found stays found.
 *
 * Takes the place of libFuzzer's main in `make check`. One line of TAP a file; a crash ends the
 * output before the plan is fulfilled, which the test harness counts as a failure. */
#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct corpus {
    char **paths;
    size_t count;
};

static void fail(const char *what, const char *path)
{
    printf("Bail out! %s %s\n", what, path);
    exit(1);
}

static void corpus_add(struct corpus *corpus, const char *folder, const char *name)
{
    char **paths = realloc(corpus->paths, (corpus->count + 1) * sizeof *paths);
    char *path = NULL;

    if (!paths || asprintf(&path, "%s/%s", folder, name) < 0)
        fail("no memory for", name);
    corpus->paths = paths;
    corpus->paths[corpus->count++] = path;
}

static void corpus_read_folder(struct corpus *corpus, const char *folder)
{
    DIR *stream = opendir(folder);
    const struct dirent *entry;

    if (!stream)
        fail("cannot open the folder", folder);
    while ((entry = readdir(stream)))
        if (entry->d_name[0] != '.')
            corpus_add(corpus, folder, entry->d_name);
    closedir(stream);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The whole file in memory of exactly its size, so that a sanitizer sees a read behind its end. */
static uint8_t *read_all(const char *path, size_t *size_out)
{
    FILE *file = fopen(path, "rb");
    long size = -1;

    if (file && fseek(file, 0, SEEK_END) == 0)
        size = ftell(file);
    if (size < 0)
        fail("cannot read", path);
    rewind(file);
    uint8_t *data = malloc(size ? (size_t)size : 1);
    if (!data || fread(data, 1, (size_t)size, file) != (size_t)size)
        fail("cannot read", path);
    fclose(file);
    *size_out = (size_t)size;
    return data;
}

static void replay(size_t number, const char *path)
{
    const char *name = strrchr(path, '/');
    size_t size;
    uint8_t *data = read_all(path, &size);

    LLVMFuzzerTestOneInput(data, size);
    free(data);
    printf("ok %zu - %s\n", number, name ? name + 1 : path);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {0};

    for (int i = 1; i < argc; i++)
        corpus_read_folder(&corpus, argv[i]);
    if (corpus.count == 0)
        fail("there is no input in", argc > 1 ? argv[1] : "(no folder given)");
    qsort(corpus.paths, corpus.count, sizeof *corpus.paths, compare_paths);
    printf("1..%zu\n", corpus.count);
    fflush(stdout);
    for (size_t i = 0; i < corpus.count; i++) {
        replay(i + 1, corpus.paths[i]);
        free(corpus.paths[i]);
    }
    free(corpus.paths);
    return 0;
}
