/* What tor says of itself before a login: its reply to PROTOCOLINFO. */
#ifndef OG_PROTOCOLINFO_H
#define OG_PROTOCOLINFO_H

#include <stdbool.h>

#include "span.h"

struct protocolinfo {
    bool null, cookie, password; /* the methods that it offers */
    char *version;               /* owned by the caller, like the next one; NULL: it does not say */
    char *cookie_path;
};

/* Whether the reply has its last line, or can have none. */
bool protocolinfo_is_complete(struct span reply);

/* Reads it. False: this is no such reply; nothing is to be freed. */
bool protocolinfo_read(struct span reply, struct protocolinfo *answer_out);

#endif
