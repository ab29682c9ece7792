/* Reading small files that others may have put in our way.
 *
 * The path is looked at before it is opened, because opening a device can act on it, and again
 * through the descriptor, because it may have been exchanged. O_NONBLOCK keeps a FIFO that took the
 * place from holding the daemon. */
#include "read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#define READ_FILE_CHUNK 16384

static enum read_file_result read_file_error(int error, struct buf *reason)
{
    buf_append_string(reason, strerror(error));
    if (error == ENOENT || error == ENOTDIR)
        return READ_FILE_MISSING;
    if (error == EACCES || error == EPERM)
        return READ_FILE_DENIED;
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
        return READ_FILE_SHORTAGE;
    return READ_FILE_FAILED;
}

static const char *read_file_type(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory";
    if (S_ISFIFO(mode))
        return "a FIFO";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

static enum read_file_result read_file_check(const struct stat *status, size_t max,
                                             struct buf *reason)
{
    if (!S_ISREG(status->st_mode)) {
        buf_printf(reason, "this is %s; a regular file belongs here",
                   read_file_type(status->st_mode));
        return READ_FILE_NOT_REGULAR;
    }
    if (status->st_size > 0 && (uintmax_t)status->st_size > max) {
        buf_printf(reason, "the file has %ju bytes; at most %zu are read",
                   (uintmax_t)status->st_size, max);
        return READ_FILE_TOO_LARGE;
    }
    return READ_FILE_OK;
}

/* Until the end; the file may grow meanwhile, the maximum holds all the same. */
static enum read_file_result read_file_content(int fd, struct buf *content, struct buf *reason)
{
    char chunk[READ_FILE_CHUNK];
    ssize_t len;

    do {
        len = read(fd, chunk, sizeof chunk);
        if (len > 0 && !buf_append(content, span_make(chunk, (size_t)len))) {
            buf_printf(reason, "the file has more than the %zu bytes that are read", content->max);
            explicit_bzero(chunk, sizeof chunk);
            return READ_FILE_TOO_LARGE;
        }
    } while (len > 0 || (len < 0 && errno == EINTR));
    int error = errno;
    explicit_bzero(chunk, sizeof chunk);
    return len < 0 ? read_file_error(error, reason) : READ_FILE_OK;
}

enum read_file_result read_file(const char *path, size_t max, struct buf *content,
                                struct stat *status_out, struct buf *reason)
{
    struct stat status;

    buf_init(content, max);
    memset(&status, 0, sizeof status);
    if (status_out)
        *status_out = status;
    if (stat(path, &status) < 0)
        return read_file_error(errno, reason);
    if (status_out)
        *status_out = status;
    enum read_file_result result = read_file_check(&status, max, reason);
    if (result != READ_FILE_OK)
        return result;

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return read_file_error(errno, reason);
    if (fstat(fd, &status) < 0)
        result = read_file_error(errno, reason);
    else
        result = read_file_check(&status, max, reason);
    if (result == READ_FILE_OK)
        result = read_file_content(fd, content, reason);
    if (status_out)
        *status_out = status;
    close(fd);
    return result;
}
