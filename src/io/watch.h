/* Live decisions for an admin (onion-graterctl watch): what sessions report is written as lines of
 * JSON for those that watch, as far as their filters let it through.
 *
 * Commands stand there as the log has them, without values, unless a watcher may see those. */
#ifndef OG_WATCH_H
#define OG_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "identity.h"
#include "policy.h"
#include "session.h"
#include "span.h"
#include "tally.h"

/* Whom a line is about. Borrowed for the call. */
struct watch_subject {
    unsigned long long session;
    const struct identity *identity;
    const struct policy_view *view;
    const char *no_match; /* no profile serves it: why; else NULL */
};

struct watch_filter {
    char *profile; /* owned; NULL: any */
    bool has_uid;
    uid_t uid;
    bool has_session;
    unsigned long long session;
    bool has_outcome; /* then of that outcome only, and nothing but commands */
    enum tally_kind outcome;
    bool wants_events;
    bool wants_values;
};

void watch_filter_clear(struct watch_filter *filter);

/* One that watches. */
struct watcher {
    struct watcher *next;
    struct watcher **link; /* what points to it; NULL: it is not in a list */
    struct watch_filter filter;
    /* Gets a line, with its end. */
    void (*line)(void *context, struct span line);
    void *context;
};

struct watch {
    struct watcher *first; /* NULL: nobody watches, and nothing is written */
};

void watch_add(struct watch *watch, struct watcher *watcher);

/* Takes it out of its list, if it is in one. */
void watch_remove(struct watcher *watcher);

size_t watch_count(const struct watch *watch);

void watch_command(const struct watch *watch, const struct watch_subject *subject,
                   const struct session_report *report);
void watch_event(const struct watch *watch, const struct watch_subject *subject, const char *name,
                 bool is_passed);
void watch_session_began(const struct watch *watch, const struct watch_subject *subject);
void watch_session_ended(const struct watch *watch, const struct watch_subject *subject,
                         const char *reason);

#endif
