/* What a policy means, worked out the slow and plain way: every rule of every profile in order, by
 * PCRE2 alone, without the indexes, budgets, plans and filters of the program. */
#ifndef OG_SESSION_REFERENCE_H
#define OG_SESSION_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "command.h"
#include "policy.h"

#define REFERENCE_MAX_KEYS 512

/* What lets a command go to tor: by one rule, or by one for each key that is sent. */
struct reference {
    bool is_known;             /* else nothing is claimed of its reply */
    bool is_whole;             /* rules[0] is for the whole of it */
    bool must_own;             /* only if the service is the client's own */
    bool hides_key;            /* ADD_ONION: the key is not for the client */
    unsigned max_services;     /* 0: no claim */
    const struct rule **rules; /* owned; NULL elements: no rule has a say */
    size_t count;
};

void reference_clear(struct reference *reference);

/* Whether the policy lets `sent` go to tor for what the client sent, and by what. */
bool reference_allows(const struct policy_view *view, const struct command *command,
                      struct span sent, struct reference *reference_out);

/* Whether a line of tor's reply may be seen by the client as it is, or such that `secret` is still
 * in it. `key`: which of the keys it answers; 0 where there are none. */
bool reference_shows_reply(const struct reference *reference, size_t key, struct span wire,
                           struct span secret);

/* The same of a line of an event; NULL rule: the client may not have it. */
bool reference_shows_event(const struct event_rule *rule, bool is_first, struct span wire,
                           struct span secret);

/* Forgets all patterns: before the profiles that they belong to are freed. */
void reference_forget(void);

#endif
