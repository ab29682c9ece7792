/* One event on its way to a client whose profile has `response` patterns for it (design 3.7).
 *
 * The event is held until its last line: one bad line withholds it whole. */
#ifndef OG_EVENT_FILTER_H
#define OG_EVENT_FILTER_H

#include <stdbool.h>

#include "buf.h"
#include "profile.h"
#include "reply.h"
#include "template.h"

#define EVENT_FILTER_MAX (1024 * 1024) /* bytes of one event; a longer one is withheld */

struct event_filter {
    const struct event_rule *rule; /* NULL: between events */
    bool withhold;
    bool is_first;
    bool drops_block; /* the "650+" line before was taken out, its data goes with it */
    struct buf held;
    struct buf scratch;
};

void event_filter_init(struct event_filter *filter);
void event_filter_clear(struct event_filter *filter);

/* Begins an event that `rule` (with response patterns) is for. */
void event_filter_begin(struct event_filter *filter, const struct event_rule *rule);

/* Takes the next line of it. At its last line the event, if it passes, is appended to `out` as a
 * whole. True when that was the last line. */
bool event_filter_feed(struct event_filter *filter, const struct reply_line *line,
                       const struct template_variables *variables, struct buf *out);

#endif
