/* Listening sockets that the service manager passes in: LISTEN_FDS of sd_listen_fds(3). */
#ifndef OG_ACTIVATION_H
#define OG_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "buf.h"
#include "span.h"

#define ACTIVATION_FIRST_FD 3
#define ACTIVATION_MAX 512

/* Names of the shared sockets: ours, that of the socket unit (which is systemd's default name), and
 * what systemd calls a descriptor without one. */
#define ACTIVATION_SHARED "control.sock"
#define ACTIVATION_UNIT "onion-grater.socket"
#define ACTIVATION_UNNAMED "unknown"

struct activation_socket {
    int fd;
    bool is_tcp;
    char *profile; /* NULL: shared; owned */
    char *path;    /* of a Unix socket: "@NAME" if it is no file; owned */
    unsigned port; /* of a TCP socket */
};

struct activation {
    struct activation_socket *items;
    size_t count;
};

/* Takes what is there for this process; the environment is cleaned. Descriptors that are no
 * listening stream sockets are closed, with a line in the log. */
void activation_take(struct activation *activation_out);

/* Closes what was not taken over (fd set to -1). */
void activation_clear(struct activation *activation);

/* --- pure parts, for the above and for tests --- */

/* How many descriptors LISTEN_PID and LISTEN_FDS (NULL: not set) announce to process `pid`. */
size_t activation_count(const char *listen_pid, const char *listen_fds, pid_t pid);

/* The name of descriptor `index` in LISTEN_FDNAMES (NULL: not set); "unknown" if it has none. */
struct span activation_name(const char *names, size_t index);

bool activation_is_shared(struct span name);

#endif
