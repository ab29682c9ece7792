/* AppArmor labels as the kernel notes them for Unix sockets. */
#ifndef OG_PEER_LABEL_H
#define OG_PEER_LABEL_H

#include <stdbool.h>

#include "buf.h"

/* Longer ones are not taken. */
#define PEER_LABEL_MAX 65536

/* Whether AppArmor is switched on. Without it no other call here means anything. */
bool peer_label_is_enabled(void);

/* Appends what SO_PEERSEC says of a connected Unix socket: "NAME (MODE)". False: no answer. */
bool peer_label_ask(int fd, struct buf *label);

/* Whether this kernel answers (Linux 6.17 and later): tried with a connection to ourselves. */
bool peer_label_is_answered(void);

#endif
