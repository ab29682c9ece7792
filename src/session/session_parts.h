/* What the files of the session share; nobody else includes this.
 *
 *   session.c         life, outputs, the end
 *   session_client.c  the client's commands: judged, answered, queued
 *   session_tor.c     tor's connection: login, sending, replies, loss
 *   session_events.c  tor's events
 *   session_services.c  what of tor's belongs to the client
 */
#ifndef OG_SESSION_PARTS_H
#define OG_SESSION_PARTS_H

#include "event_filter.h"
#include "outbox.h"
#include "pending.h"
#include "reply.h"
#include "session.h"
#include "subscription.h"

enum session_tor_state {
    SESSION_TOR_ABSENT, /* no connection */
    SESSION_TOR_LOGIN,  /* connected, logging in */
    SESSION_TOR_READY,  /* commands may be sent */
};

/* Which message of tor's we stand in. */
enum session_message {
    MESSAGE_NONE,
    MESSAGE_REPLY,
    MESSAGE_EVENT,         /* passed on line by line */
    MESSAGE_EVENT_HELD,    /* collected by the filter */
    MESSAGE_EVENT_DROPPED, /* not for this client */
};

struct session {
    struct policy *policy;
    struct policy_view view; /* own array */
    struct template_variables variables;
    struct tor_facts *facts;
    const struct session_observer *observer;

    struct command_reader client_reader;
    struct outbox outbox;
    bool input_closed; /* nothing the client sends is looked at any more */
    bool client_eof;
    bool client_gone;

    struct pending_queue pending;
    size_t waiting;       /* how many commands wait: for a login, or for their turn at tor */
    size_t waiting_bytes; /* their arguments and data */

    enum session_tor_state tor_state;
    struct torauth auth;
    struct reply_reader tor_reader;
    struct buf to_tor;
    size_t owed;        /* replies that tor owes us: pending of kind SENT and RESUBSCRIBE */
    size_t owed_weight; /* of those that are SENT */
    bool drops_tor;
    const char *tor_reason; /* why we dropped it, for the client; NULL: ask the shell */
    enum session_message message;
    bool message_passed; /* a piece of this message was committed already */
    struct event_filter filter;

    struct event_set *events; /* what the client gets; owned */
    char **services;          /* onion services that end with this connection; owned */
    size_t service_count;
    bool owns_tor; /* TAKEOWNERSHIP was granted */

    const char *end_reason;
};

/* Moves ready answers at the head of the queue to the outbox, unless tor is in the middle of a
 * message; ends the session where an answer or the client's end of input says so. */
void session_pump(struct session *session);

/* Something is wrong with tor's answers: every command that waits gets a 551, then the session
 * ends. `reason` is static and goes to the log. */
void session_fail(struct session *session, const char *reason);

/* Answers the pending command with "551 TEXT" instead of tor's reply. */
void session_answer_551(struct pending *pending, const char *text);

/* The four lines of PROTOCOLINFO, with what is known of tor's version now. */
void session_greet(const struct session *session, struct pending *pending);

/* Takes a new command of kind PENDING_WAITING into account, and sends it if it is its turn. */
void session_queue_command(struct session *session, struct pending *pending);

/* Sends what waits, in order, as far as tor's window and the client's reading allow; greets who
 * waits for a greeting. Only while SESSION_TOR_READY. */
void session_send_waiting(struct session *session);

/* Whether some target of these ADD_ONION arguments is tor's control listener or one of ours. */
bool session_forbids_targets(const struct session *session, struct span arguments);

/* Lets the client have what is there of a message that is too long to wait for its end. */
void session_commit_piece(struct session *session);

/* The message is complete. */
void session_finish_message(struct session *session);

/* Takes one line of an event. */
void session_feed_event(struct session *session, const struct reply_line *line);

/* Remembers of a command that is sent what its reply will have to be read for. */
void session_note_sent(struct pending *pending);

/* Keeps the address that tor gave to a new service, before any rule rewrites the line. */
void session_note_reply(struct pending *pending, const struct reply_line *line);

/* The head's command succeeded. */
void session_take_effect(struct session *session, struct pending *head);

/* Why ADD_ONION with such a target is refused. */
extern const char session_forbidden_target[];

#endif
