/* What the files of the session share; nobody else includes this.
 *
 *   session.c         life, outputs, the end
 *   session_client.c  the client's commands: judged, answered, queued
 *   session_tor.c     tor's connection: login, sending, replies, loss
 *   session_events.c  tor's events
 *   session_services.c  what of tor's belongs to the client
 *   session_claims.c    approvals that depend on that
 *   session_cookie.c    PROTOCOLINFO, and the login with a cookie of ours
 */
#ifndef OG_SESSION_PARTS_H
#define OG_SESSION_PARTS_H

#include "event_filter.h"
#include "onion_fetches.h"
#include "outbox.h"
#include "own_status.h"
#include "own_streams.h"
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

/* Services whose addresses a session remembers; of more it knows that they exist. */
#define SESSION_KNOWN_SERVICES 1024

/* What became of a claim when the command's turn came. */
enum session_claim {
    SESSION_CLAIM_FAILS = 0,
    SESSION_CLAIM_WAITS, /* until a reply has come that is owed */
    SESSION_CLAIM_STANDS,
};

struct session {
    struct policy *policy;
    struct policy_view view; /* own array */
    struct template_variables variables;
    struct tor_facts *facts;
    struct onion_registry *registry;
    struct session_cookie *cookie; /* owned; NULL: none */
    const struct session_observer *observer;
    struct session_limits limits;

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
    size_t reply_bytes; /* of the reply that has begun */
    size_t key_bytes;   /* what tor's replies had for each key or command of late */
    bool drops_tor;
    const char *tor_reason; /* why we dropped it, for the client; NULL: ask the shell */
    enum session_message message;
    bool message_passed; /* a piece of this message was committed already */
    const char *event;   /* its name, while the message is an event; static */
    struct event_filter filter;

    struct own_streams *own; /* owned; NULL: tor-browser-mode is off */
    struct own_status own_status;
    bool follows_streams; /* that needs STREAM events, whether or not the client wants them */
    bool was_logged_in;

    struct event_set *events;  /* what the client gets; owned */
    struct onion_set services; /* onion services that end with this connection */
    size_t unnamed_services;   /* others of that kind, whose addresses are not remembered */
    struct onion_fetches fetches;
    struct onion_address content; /* of the HS_DESC_CONTENT that is passed on; empty: none */
    bool content_is_blank;        /* no line of its block had anything in it so far */
    bool owns_tor;                /* TAKEOWNERSHIP was granted */

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

/* Turns tor-browser-mode on, if a profile says so and the client's address allows it. */
void session_init_own_streams(struct session *session, const struct stream_source *client);

/* Whether tor has to send events to us, asked for or not. */
bool session_needs_events(const struct session *session);

/* Appends the arguments of the SETEVENTS that asks tor for the set, and for what we need. */
void session_write_events(const struct session *session, const struct event_set *set,
                          struct buf *out);

/* Asks tor which circuits the client's streams are on, if a GETINFO of these keys needs it. */
void session_probe_streams(struct session *session, struct span keys);

/* Asks tor right after the login which streams are there already; the command is in `to_tor`. */
void session_probe_first(struct session *session);

/* Under tor-browser-mode: whether the line cannot stand where it does unless somebody has put line
 * breaks into an event. */
bool session_is_forged(const struct session *session, const struct reply_line *line);

/* Takes one line of an event. */
void session_feed_event(struct session *session, const struct reply_line *line);

/* Remembers of a command what its reply will have to be read for. */
void session_note_command(struct pending *pending);

/* Keeps the address that tor gave to a new service, before any rule rewrites the line. */
void session_note_reply(struct pending *pending, const struct reply_line *line);

/* The head's command succeeded. */
void session_take_effect(struct session *session, struct pending *head);

/* The client's onion services that end with the connection. */
size_t session_count_services(const struct session *session);

/* Whether the service is of this session, or was detached by a profile of the client's that has the
 * right. */
bool session_owns_service(const struct session *session, const struct onion_address *address,
                          bool (*has_right)(const struct onion_rules *rules));

/* Whether a profile of the client's that may has added a key for it. */
bool session_owns_key(const struct session *session, const struct onion_address *address);

/* Whether an event whose rule says own_onions_only may be delivered, by its first line. */
bool session_takes_own_event(struct session *session, const struct reply_line *line);

/* To be called with each line of such an event that is delivered. */
void session_watch_own_event(struct session *session, const struct reply_line *line);

/* Whether the line of a reply is about the keys of others. */
bool session_hides_line(const struct session *session, const struct pending *head,
                        const struct reply_line *line);

/* Keeps of the decision what is needed later, before the command is queued. */
void session_claim_begin(struct session *session, struct pending *pending,
                         const struct decision *decision);

/* Whether the command may be sent now. If it fails, *reason_out is why; static text. */
enum session_claim session_claim_judge(struct session *session, struct pending *pending,
                                       const char **reason_out);

/* Tells the observer of a command with a claim, if it has not heard of it; `refusal`: why it was
 * refused, or NULL. */
void session_claim_report(struct session *session, struct pending *pending, const char *refusal);

/* The command is on its way: takes a place in the registry if it needs one. */
void session_claim_reserve(struct session *session, struct pending *pending);

/* It has its answer: gives the place back. */
void session_claim_end(struct session *session, struct pending *pending, bool is_success);

/* It gets none: keeps the place if tor may have carried it out. */
void session_claim_lose(struct session *session, struct pending *pending);

/* Answers with "551 TEXT" a command that was sent or waits, and lets go of what it holds. */
void session_give_up(struct session *session, struct pending *pending, const char *text);

/* A copy of its own, and its end; NULL allowed. */
struct session_cookie *session_cookie_copy(const struct session_cookie *cookie);
void session_cookie_free(struct session_cookie *cookie);

/* The reply to AUTHCHALLENGE, where the client has a cookie. */
void session_answer_challenge(const struct session *session, struct span arguments,
                              struct buf *out);

/* Why ADD_ONION with such a target is refused. */
extern const char session_forbidden_target[];

#endif
