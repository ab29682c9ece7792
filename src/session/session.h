/* One client: bytes in from both sides in any cuts, bytes out. No descriptor, no clock, no log.
 *
 * The shell feeds bytes, writes what it is given, connects to tor when asked, and closes when told.
 * Replies keep the order of commands; events pass between messages; nothing reaches tor but through
 * command_write, nothing reaches the client but parsed lines and our own replies. */
#ifndef OG_SESSION_H
#define OG_SESSION_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "command.h"
#include "decide.h"
#include "onion_registry.h"
#include "policy.h"
#include "session_limits.h"
#include "span.h"
#include "stream_event.h"
#include "template.h"
#include "tor_facts.h"
#include "torauth.h"

#define SESSION_REPLY_HOLD (64 * 1024) /* a longer reply is passed on in pieces */
#define SESSION_COMMANDS_A_TURN 16     /* then others have their turn */
#define SESSION_MAX_SERVICES 64        /* alive at once, where no max-services says otherwise */

/* tor buffers its answers without a limit (control-protocol 3), so it is not asked for everything
 * at once: keys and commands that it owes an answer to. The next wait here for their turn. */
#define SESSION_TOR_WINDOW 32
/* Nor for more bytes than this, if its answers are as large as the last ones: it works on all that it
 * was asked by one client before it looks at another. One command may always be on its way. */
#define SESSION_TOR_BYTES (64 * 1024)

/* What was done with one command: for the log and the counters. Borrowed during the call. */
struct session_report {
    const struct command *command; /* where `onions` had to wait for tor: with tor's arguments */
    enum verdict verdict;
    bool is_local; /* answered by us without any rule: PROTOCOLINFO and its like */
    bool is_rewritten;
    struct source rule;    /* file NULL: none */
    const char *reason;    /* refused: why; else NULL */
    struct span sent;      /* forwarded: the arguments that tor gets */
    bool is_complaint;     /* complain mode let it pass */
    struct span complaint; /* of that: the arguments that no profile allows */
};

struct session_observer {
    void (*command)(void *context, const struct session_report *report);
    /* An event was withheld, a reply did not fit, tor refused a login: one sentence without secrets
     * or peer bytes. */
    void (*problem)(void *context, const char *text);
    void *context;
    /* An event of tor's, by tor's name or "unknown", reached the client or did not: it was not
     * asked for, is not the client's, or a rule withheld it. NULL: not wanted. */
    void (*event)(void *context, const char *name, bool is_passed);
    /* A limit of those that refuse something was passed. NULL: not wanted. */
    void (*limit)(void *context, enum session_limit limit);
    /* Each line from tor but for data lines, before any rule: for a debug log, which has to mask it
     * (describe_reply_line). NULL: not wanted. */
    void (*tor_line)(void *context, const struct reply_line *line);
};

/* The file by which a client may log in to us: what PROTOCOLINFO names, and what is in it. */
struct session_cookie {
    const char *path;
    uint8_t bytes[TORAUTH_COOKIE_SIZE];
};

/* Everything is borrowed and must outlive the session, but for `policy`, which is referenced, and
 * what is copied. */
struct session_setup {
    struct policy *policy;
    const struct policy_view *view; /* copied */
    struct template_variables variables;
    struct tor_facts *facts;
    struct onion_registry *registry;
    const struct session_cookie *cookie; /* copied; NULL: the client has none */
    const struct torauth_secrets *secrets;
    const struct session_observer *observer;
    const struct session_limits *limits; /* copied; NULL: the defaults */
    /* Where the client's streams come from, for tor-browser-mode; copied. NULL: its address cannot
     * tell them from others' (a client of this machine), and the mode is off. */
    const struct stream_source *stream_source;
};

struct session;

struct session *session_new(const struct session_setup *setup);
void session_free(struct session *session);

/* --- the client's side --- */

/* Takes client bytes; returns how many were taken. Fewer than given: the session is full (see
 * session_reads_client), or has taken enough commands for one turn; offer the rest again when it
 * reads, after others had their turn. */
size_t session_client_input(struct session *session, struct span bytes);

/* The client will send no more. Commands already received are still carried out. */
void session_client_eof(struct session *session);

/* The client cannot be written to any more: replies are discarded from now on. */
void session_client_gone(struct session *session);

/* What is to be written to the client now; session_client_sent says how much was. */
struct span session_client_output(const struct session *session);
void session_client_sent(struct session *session, size_t len);

/* Whether client bytes are wanted now. */
bool session_reads_client(const struct session *session);

/* Whether it is for this limit, one of the first three, that the client or tor is not read now. */
bool session_is_at_limit(const struct session *session, enum session_limit limit);

/* Whether commands of the client's have no answer yet; and how many. */
bool session_has_pending(const struct session *session);
size_t session_pending_count(const struct session *session);

/* Bytes of memory that it takes for what client and tor have said; the session itself is not
 * counted. */
size_t session_held(const struct session *session);

/* --- tor's side --- */

/* A connection to tor is needed and there is none: connect, then session_tor_connected or
 * session_tor_lost. */
bool session_wants_tor(const struct session *session);

/* A command waits for that connection, so a pause between attempts does not apply. */
bool session_wants_tor_now(const struct session *session);

void session_tor_connected(struct session *session);
void session_tor_input(struct session *session, struct span bytes);

/* The connection could not be made or is gone. `reason`: for clients and log, without paths or
 * addresses, such as "Connection refused". The shell has closed its end, or closes it now. */
void session_tor_lost(struct session *session, const char *reason);

/* tor owes a reply and has been silent for the time limit (design 4.2): ends the session. */
void session_tor_silent(struct session *session);

struct span session_tor_output(const struct session *session);
void session_tor_sent(struct session *session, size_t len);

/* Whether tor's last bytes may have held a key. */
bool session_holds_secret(const struct session *session);

/* Whether tor owes us a reply: the shell's timer runs. */
bool session_awaits_tor(const struct session *session);

/* Whether bytes from tor are wanted now. */
bool session_reads_tor(const struct session *session);

/* The connection to tor must be dropped now (login failed, nonsense); answered by
 * session_tor_lost. */
bool session_drops_tor(const struct session *session);

/* The login on this connection is done. */
bool session_is_logged_in(const struct session *session);

/* --- the end --- */

/* The session is over: write what session_client_output has, and what session_tor_output has, then
 * close both. NULL while it goes on, else why. */
const char *session_end_reason(const struct session *session);

/* Ends it from outside (shutdown, profile gone, time limit): nothing more is read. */
void session_end(struct session *session, const char *reason);

/* The generation whose rules it follows. */
const struct policy *session_policy(const struct session *session);
const struct policy_view *session_view(const struct session *session);

#endif
