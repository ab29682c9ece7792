/* What one client may make us store: the defaults, which a configuration may change, and the names
 * of the limits. What may not be passed by any configuration stands where it is stored
 * (COMMAND_MAX_LINE and its like). */
#ifndef OG_SESSION_LIMITS_H
#define OG_SESSION_LIMITS_H

#include "arguments.h"
#include "command.h"

#define SESSION_MAX_PENDING 64              /* design 4.2: unanswered commands */
#define SESSION_REPLY_BUFFER (1024 * 1024)  /* design 4.4: then tor is not read */
#define SESSION_COMMAND_BUFFER (256 * 1024) /* waits for tor: then the client is not read */

struct session_limits {
    unsigned reply_buffer;   /* bytes for the client */
    unsigned command_buffer; /* bytes for tor */
    unsigned commands;       /* that have no answer yet */
    unsigned line;           /* bytes of a command's line, with its end */
    unsigned block;          /* bytes of a data block */
    unsigned keys;           /* of one command: words or pairs */
};

#define SESSION_LIMITS_DEFAULT                                                                \
    {                                                                                         \
        .reply_buffer = SESSION_REPLY_BUFFER, .command_buffer = SESSION_COMMAND_BUFFER,       \
        .commands = SESSION_MAX_PENDING, .line = COMMAND_MAX_LINE, .block = COMMAND_MAX_DATA, \
        .keys = ARGUMENTS_MAX_WORDS                                                           \
    }

enum session_limit {
    SESSION_LIMIT_REPLY_BUFFER,
    SESSION_LIMIT_COMMAND_BUFFER,
    SESSION_LIMIT_COMMANDS,
    SESSION_LIMIT_LINE,  /* ends the session */
    SESSION_LIMIT_BLOCK, /* ends the session */
    SESSION_LIMIT_KEYS,  /* refuses the command */
};

#define SESSION_LIMIT_COUNT (SESSION_LIMIT_KEYS + 1)

#endif
