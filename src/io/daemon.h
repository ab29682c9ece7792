/* The daemon: everything that lives from start to stop, and its event loop. */
#ifndef OG_DAEMON_H
#define OG_DAEMON_H

#include "options.h"

/* Serves until SIGTERM or SIGINT. Returns the exit status. */
int daemon_run(const struct options *options);

/* Loads the profiles as the daemon would, and prints every message. Returns the number of
 * errors. */
size_t daemon_check(const struct options *options);

#endif
