/* Input of a verb: a file of any kind, or standard input, whole and bounded. */
#ifndef OG_CTL_INPUT_H
#define OG_CTL_INPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/* Reads `path` (NULL or "-": standard input) into `content`, which is initialised by this with
 * `max` as its maximum. False: it could not be read, or is longer, which is told to standard
 * error in the verb's name. The caller clears `content` in any case. */
bool ctl_read_input(const char *verb, const char *path, size_t max, struct buf *content);

/* What standard output was given reaches it, or `status` becomes CTL_FAILED, which is told to
 * standard error. */
int ctl_finish_output(const char *verb, int status);

/* Writes the text to `path` (NULL: standard output). False: told to standard error. An existing
 * file is replaced only if it is a regular one, and whole or not at all. */
bool ctl_write_output(const char *verb, const char *path, const struct buf *content);

#endif
