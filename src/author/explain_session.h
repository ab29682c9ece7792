/* The session of one connection of a dialogue, and the tor that it speaks to; for the files of
 * explain alone.
 *
 *   explain_session.c  its life; commands, replies and events one after the other
 *   explain_observe.c  what is learnt of a command
 *   explain_wire.c     bytes to tor and to the client
 */
#ifndef OG_EXPLAIN_SESSION_H
#define OG_EXPLAIN_SESSION_H

#include "explain_parts.h"
#include "subscription.h"
#include "tor_facts.h"

/* Commands that tor has got and owes a reply to; NULL is one of the session's own. */
struct explain_owed {
    struct explain_item **items; /* owned array */
    size_t first;
    size_t count;
    size_t room;
};

struct explain_session {
    const struct explain_setup *setup;
    const struct policy_view *view;
    enum explain_form form;
    struct tor_facts facts;
    bool has_source; /* tor-browser-mode knows the client's streams by this: */
    struct stream_source source;
    struct session_cookie cookie; /* of a profile with `auth`; its path is owned, NULL: none */
    struct session_observer observer;
    struct session *session;
    bool is_connected;
    char *problem;    /* what the session complained of last; owned */
    char *end_reason; /* owned; NULL: it goes on */
    bool end_noted;

    struct explain_item **items; /* commands, in order; owned array */
    size_t count;
    size_t room;
    size_t reported; /* before this one the session has told what it decided on all */
    size_t answered; /* so many have their reply */
    size_t done;
    struct explain_item *event; /* that is being fed */

    struct buf held; /* the client's bytes that the session has not taken */
    struct explain_owed owed;
    bool has_asked;       /* tor got a command behind the login */
    struct buf to_tor;    /* an unfinished command */
    struct buf to_client; /* an unfinished message */
    size_t scanned;       /* of it: complete lines */
    bool in_data;
    struct event_set *events; /* what the client gets */
};

/* explain_observe.c */

/* Reads the command of the item's unit, and decides on it as the session will. */
void explain_observe_item(struct explain_session *session, struct explain_item *item);

/* The observer of the session: what it has decided. */
void explain_observe_report(void *context, const struct session_report *report);

/* The client has the item's whole reply. */
void explain_observe_reply(struct explain_session *session, struct explain_item *item);

/* explain_wire.c */

void explain_feed_tor(struct explain_session *session, struct span bytes);

/* Carries bytes until nobody has anything to say. */
void explain_settle(struct explain_session *session);

/* The oldest command that tor owes a reply to, or NULL. */
struct explain_item *explain_owed_first(const struct explain_owed *owed);
void explain_owed_push(struct explain_owed *owed, struct explain_item *item);
void explain_owed_pop(struct explain_owed *owed);

#endif
