/* Reading and writing for verbs that turn text into text.
 *
 * Inputs may be pipes, so they are read to their end and not by their size. An output file appears
 * whole under its name: it may be one that the daemon reads. */
#include "ctl_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "mem.h"

#define PIECE 65536

static bool complain(const char *verb, const char *path, const char *text)
{
    fprintf(stderr, "onion-graterctl %s: %s: %s\n", verb, path, text);
    return false;
}

bool ctl_read_input(const char *verb, const char *path, size_t max, struct buf *content)
{
    bool is_standard = !path || strcmp(path, "-") == 0;
    const char *name = is_standard ? "standard input" : path;
    FILE *file = is_standard ? stdin : fopen(path, "rbe");
    char *piece;
    size_t len;
    bool fits = true;

    buf_init(content, max);
    if (!file)
        return complain(verb, name, strerror(errno));
    piece = mem_zalloc(1, PIECE);
    errno = 0;
    while (fits && (len = fread(piece, 1, PIECE, file)) > 0)
        fits = buf_append(content, span_make(piece, len));
    bool is_read = !ferror(file);
    int reason = errno;
    free(piece);
    if (!is_standard)
        fclose(file);
    if (!is_read)
        return complain(verb, name, strerror(reason));
    if (!fits)
        ctl_usage_error(verb, "%s: larger than %zu KiB, the most that is read", name, max / 1024);
    return fits;
}

int ctl_finish_output(const char *verb, int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    complain(verb, "standard output", strerror(errno));
    return CTL_FAILED;
}

static bool write_all(FILE *file, struct span text)
{
    return fwrite(text.data, 1, text.len, file) == text.len && fflush(file) == 0;
}

static bool write_file(const char *verb, const char *path, struct span text)
{
    char *temporary = mem_printf("%s.XXXXXX", path);
    int fd = mkstemp(temporary);
    FILE *file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    mode_t mask = umask(022);

    umask(mask);
    bool done = file && write_all(file, text) && fchmod(fd, 0666 & ~mask) == 0 &&
                rename(temporary, path) == 0;
    int reason = errno;
    if (!done && fd >= 0)
        unlink(temporary);
    if (file)
        fclose(file);
    free(temporary);
    return done || complain(verb, path, strerror(reason));
}

bool ctl_write_output(const char *verb, const char *path, const struct buf *content)
{
    struct stat status;

    if (!path)
        return write_all(stdout, buf_span(content)) ||
               complain(verb, "standard output", strerror(errno));
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return complain(verb, path, "this is no regular file; it is left alone");
    return write_file(verb, path, buf_span(content));
}
