/* The asynchronous events of tor 0.4.9 (control-protocol 4). */
#ifndef OG_EVENT_H
#define OG_EVENT_H

#include <stdbool.h>
#include <stddef.h>

#include "reply.h"
#include "span.h"

/* tor's spelling of an event name given in any case; NULL if tor 0.4.9 cannot subscribe it. */
const char *event_find(struct span name);

/* Name by position, for listings; NULL past the end. */
const char *event_at(size_t index);

/* Names that SETEVENTS takes and ignores: EXTENDED (design 3.7), AUTHDIR_NEWDESCS. */
bool event_is_ignored(struct span name);

/* The event's name in the first line of an event: the first word of its text. */
struct span event_name(const struct reply_line *first_line);

#endif
