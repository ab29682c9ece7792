/* What another program prints. */
#ifndef OG_CTL_COMMAND_H
#define OG_CTL_COMMAND_H

#include <stdbool.h>

#include "buf.h"

/* Runs the program, without a shell and without input, for some seconds at most, and appends what
 * it prints. False: there is none, it failed, or took too long. */
bool ctl_command_output(const char *const *arguments, struct buf *out);

#endif
