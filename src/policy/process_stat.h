/* What /proc says of a process's life: /proc/PID/stat and status (proc_pid_stat(5)). */
#ifndef OG_PROCESS_STAT_H
#define OG_PROCESS_STAT_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

struct process_stat {
    char state;     /* 'Z', 'X': it has ended */
    uint64_t start; /* clock ticks from boot to its start */
};

/* False: the text is not what the kernel writes. */
bool process_stat_parse(struct span text, struct process_stat *stat_out);

/* Whether the text of /proc/PID/status is of a process in a pid namespace below that of /proc. */
bool process_status_is_nested(struct span text);

#endif
