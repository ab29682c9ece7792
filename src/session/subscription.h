/* Which events a client asked for and may have (design 3.7, control-protocol 7.18). */
#ifndef OG_SUBSCRIPTION_H
#define OG_SUBSCRIPTION_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "decide.h"
#include "policy.h"
#include "span.h"

/* A set of event rules: the events that are really delivered. Suppressed ones are not in it. */
struct event_set {
    const struct event_rule **rules;
    size_t count;
};

/* From the arguments of an allowed SETEVENTS. Owned by the caller. */
struct event_set *event_set_from_arguments(const struct policy_view *view, struct span arguments);

/* Takes out what nobody gets where tor-browser-mode is on. */
void event_set_remove_withheld(struct event_set *set, const struct policy_view *view);
void event_set_free(struct event_set *set); /* NULL allowed */

/* Bytes of memory that it takes. NULL allowed. */
size_t event_set_held(const struct event_set *set);

/* The rule by which an event of that name is delivered, or NULL: it is dropped. NULL set allowed.
 */
const struct event_rule *event_set_find(const struct event_set *set, struct span name);

/* Whether both hold the same events. NULL is the empty set. */
bool event_set_equals(const struct event_set *a, const struct event_set *b);

/* Appends the arguments of the SETEVENTS that asks tor for the set. */
bool event_set_write(const struct event_set *set, struct buf *out);

#endif
