/* What a log may say of a command: its name and its keywords, never its values (design 5).
 *
 * Names of commands, GETINFO keys, options, signals and events are printed if tor knows them;
 * prefix keys of GETINFO without what follows their last slash; keyword arguments as
 * "Port= Flags=". Everything else is "...", and an unknown command is "(unknown command)": no byte
 * of a client's is copied. */
#ifndef OG_DESCRIBE_H
#define OG_DESCRIBE_H

#include <stddef.h>

#include "buf.h"
#include "command.h"

/* Appends the description; never more than about 200 bytes. */
void describe_command(struct buf *out, const struct command *command);

/* Appends a reply or event line with its values masked: code, separator and key names only. */
void describe_reply_line(struct buf *out, struct span wire);

/* The known GETINFO key or prefix key (ends in "/") that `key` belongs to; NULL if none. */
const char *describe_info_key(struct span key);

/* Those keys by position; NULL behind the last one. */
const char *describe_info_key_at(size_t index);

/* tor's spelling of a signal given in any case; NULL if it knows none of that name. */
const char *describe_signal(struct span name);

#endif
