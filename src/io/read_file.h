/* A whole regular file of bounded size: profiles, configuration, cookie, password. */
#ifndef OG_READ_FILE_H
#define OG_READ_FILE_H

#include <stddef.h>
#include <sys/stat.h>

#include "buf.h"

enum read_file_result {
    READ_FILE_OK,
    READ_FILE_MISSING,     /* no such file, or a link to nothing */
    READ_FILE_DENIED,      /* no permission */
    READ_FILE_NOT_REGULAR, /* a directory, FIFO, socket or device */
    READ_FILE_TOO_LARGE,
    READ_FILE_SHORTAGE, /* we have no descriptor or no memory left */
    READ_FILE_FAILED,   /* anything else */
};

/* Reads `path` into `content`, which is initialised by this with `max` as its maximum; the caller
 * clears or wipes it whatever the result. *status_out, if not NULL, is what fstat or stat said, and
 * zeroed if neither was reached. Other than READ_FILE_OK: why is appended to `reason`, as text that
 * follows the path and a colon. Never waits: a FIFO is not opened. */
enum read_file_result read_file(const char *path, size_t max, struct buf *content,
                                struct stat *status_out, struct buf *reason);

#endif
