/* Processes of this machine, as far as /proc shows them. */
#ifndef OG_CTL_PROCESS_H
#define OG_CTL_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"

struct ctl_process {
    pid_t pid;
    char name[32];   /* comm */
    char *arguments; /* owned; each ends in NUL, and another one behind the last */
    bool is_python;  /* its first argument is an interpreter of Python */
};

/* Calls `visit` for each process; false from it ends that. False: /proc does not show all. */
bool ctl_process_each(bool (*visit)(void *context, const struct ctl_process *process),
                      void *context);

/* Reads a file of /proc or /sys, whose size says nothing, up to `max` bytes; without the white
 * space at its end. False: it may not, or there is none. The caller clears `content` in any case.
 */
bool ctl_process_read_path(const char *path, size_t max, struct buf *content);

/* The same for a file of a process, such as "status". */
bool ctl_process_read(pid_t pid, const char *name, struct buf *content);

/* The numbers behind "NAME:" in the text of a process's "status"; returns how many. */
size_t ctl_process_numbers(struct span status, const char *name, unsigned long *numbers,
                           size_t max);

/* Whether it is an interpreter of Python that runs a script of that name. */
bool ctl_process_is_script(const struct ctl_process *process, const char *name);

#endif
