/* Who is at the other end of a connected Unix socket. */
#ifndef OG_PEER_H
#define OG_PEER_H

#include "identity.h"

/* Asks the kernel. What it does not say stays unknown. The caller clears the result. */
void peer_identify(int fd, struct identity *identity_out);

#endif
