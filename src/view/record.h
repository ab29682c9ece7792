/* One line of the daemon's answer over its admin socket: a JSON object, looked into by the names of
 * its members. A record is the text of that object; everything found in it is borrowed from it. */
#ifndef OG_RECORD_H
#define OG_RECORD_H

#include <stdbool.h>

#include "buf.h"
#include "json_line.h"
#include "span.h"

/* Whether the line is one whole JSON object in printable ASCII, with all that is nested in it. Ask
 * this first: nothing else here reports what is malformed. */
bool record_is_sound(struct span line);

/* The value as it is written; empty: there is no such member. */
struct span record_value(struct span record, const char *name);

/* Whether there is such a member, and it is not null. */
bool record_has(struct span record, const char *name);

/* Whether the member is this word of the protocol. */
bool record_equals(struct span record, const char *name, const char *text);

/* False: there is none, or it is no number; *number_out is 0. */
bool record_number(struct span record, const char *name, unsigned long *number_out);

/* The number, or 0. */
unsigned long record_count(struct span record, const char *name);

/* Whether it is `true`. */
bool record_flag(struct span record, const char *name);

/* Appends the bytes that the text stands for. False: there is none, or it is no text. */
bool record_bytes(struct span record, const char *name, struct buf *out);

/* The same for a person to read: whoever chose the name, no terminal is told anything by it, and it
 * is shown as in the log. */
bool record_shown(struct span record, const char *name, struct buf *out);

/* The same for a text by itself, such as an item of a list. */
bool record_text_shown(struct span value, struct buf *out);

/* The same for what the daemon has written for people: names in it are escaped already, and
 * backslashes stay as they are. */
bool record_said(struct span record, const char *name, struct buf *out);

/* The items of a list, for json_list_next; without any if there is none of that name. */
struct json_line record_items(struct span record, const char *name);

#endif
