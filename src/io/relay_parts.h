/* What the files of the relay share; nobody else includes this.
 *
 *   relay.c      life, the client's side, and relay_update, which follows every step
 *   relay_tor.c  the connection to tor: made, used, lost
 *   relay_log.c  what the log hears of a session
 *   relay_complain.c  and in complain mode
 *   relay_turn.c  whose turn it is
 *   relay_limits.c  memory of one and of all, and reaching limits
 *   relay_scarce.c  where the kernel has no memory for it
 *   relay_status.c  what an admin may know of it
 */
#ifndef OG_RELAY_PARTS_H
#define OG_RELAY_PARTS_H

#include <stdbool.h>

#include "relay.h"
#include "writer.h"

enum relay_tor {
    RELAY_TOR_ABSENT,
    RELAY_TOR_PAUSING,    /* until the next attempt */
    RELAY_TOR_BUSY,       /* tor's queue was full: until the next attempt */
    RELAY_TOR_CONNECTING, /* the connect is in progress */
    RELAY_TOR_LOGIN,
    RELAY_TOR_READY,
    RELAY_TOR_DRAINING, /* the session is over; the rest is written, for a short time */
};

struct relay {
    struct relay *next;
    struct relay *previous;
    struct relay_host *host;
    struct session *session;
    struct session_observer observer;
    struct quota_user *user;
    char *label;          /* "profile demo, uid 1000": for the log */
    char *origin;         /* "pid 42 on /run/...": for the log, until that has it; then NULL */
    char *socket;         /* where it came in */
    const char *no_match; /* no profile serves it: why; static */
    unsigned long long number;
    uint64_t began_ms; /* by the clock that never jumps */
    struct identity identity;
    struct tcp_ends_text *ends; /* owned; NULL on a Unix socket */
    struct writer writer;

    int client_fd;
    bool client_eof;    /* seen, */
    bool eof_delivered; /* and told to the session, behind all input */
    bool client_gone;
    bool is_announced; /* the log has heard of its start */
    bool is_closed;
    bool is_queued; /* among those of its user that wait for their turn */
    struct relay *next_queued;
    struct relay *previous_queued;
    struct buf held; /* input that the session has not taken yet */
    size_t due;      /* bytes to be taken off our output before client_stalled starts anew */
    uint64_t unread_since_us; /* when that was */
    size_t charged;           /* of the host's memory */
    unsigned at_limits;       /* bits of enum session_limit */
    unsigned told_limits;     /* the log has heard of */
    struct event client_readable;
    struct event client_writable;
    struct event client_stalled; /* timer: too little was taken off our output */
    bool is_scarce;              /* memory: until scarcity_over */
    struct event scarcity_over;  /* timer */
    struct event client_again;   /* timer: held input, or a turn that had to wait */

    enum relay_tor tor;
    int tor_fd;
    bool tor_broken;   /* writing failed; what tor has written is still read */
    bool is_asked_for; /* a command waits for the attempt that is made */
    unsigned pause_ms; /* before the next attempt; 0 after a login */
    unsigned busy_count;
    struct event tor_readable;
    struct event tor_writable;
    struct event tor_timer;  /* pause, or limit of connect and login, or of draining */
    struct event tor_silent; /* timer: an answer is due */

    struct tally tally;
    struct complaints *complaints; /* complain mode; else NULL */
};

/* To be called last in every callback: moves what can be moved, connects, sets events and timers,
 * and closes the relay when its session is over. */
void relay_update(struct relay *relay);

/* Closes it now, whatever its session holds. */
void relay_close(struct relay *relay, const char *reason);

/* Counts for the session, and for all together. */
void relay_count(struct relay *relay, enum tally_kind kind, size_t amount);

/* --- relay_tor.c --- */

void relay_tor_init(struct relay *relay);

/* Connects, drops and counts as the session wants it. */
void relay_tor_settle(struct relay *relay);

/* Writes what tor may have; true if something was written. */
bool relay_tor_flush(struct relay *relay);

/* Sets events and timers of this side. */
void relay_tor_arm(struct relay *relay);

/* The session is over: true when nothing is left to be written, with the connection closed. */
bool relay_tor_finish(struct relay *relay);

/* Closes the connection without a word to the session. */
void relay_tor_close(struct relay *relay);

/* --- relay_scarce.c --- */

void relay_scarce_init(struct relay *relay);

/* Whether a call failed for want of memory: the session leaves its connections alone for a moment,
 * and relay_update is called then. */
bool relay_note_scarcity(struct relay *relay, int error);

/* Adds or removes the event of a connection. */
void relay_set_event(struct relay *relay, struct event *event, bool wanted);

/* --- relay_log.c --- */

void relay_log_init(struct relay *relay, const struct relay_setup *setup);
void relay_log_clear(struct relay *relay);

/* The first byte has come: from now on this is a session for the log. */
void relay_log_start(struct relay *relay);
void relay_log_end(struct relay *relay, const char *reason);

/* It has reached a limit: what that means; static text. */
void relay_log_limit(struct relay *relay, const char *text);

/* --- relay_turn.c --- */

/* A turn begins; when, for relay_charge. */
uint64_t relay_begin_turn(struct relay *relay);

/* Charges its user for a turn that began at `began_us` and may take `free_us` of the processor
 * without a rest. */
void relay_charge(struct relay *relay, uint64_t began_us, uint64_t free_us);

/* How long its user still has to rest; 0: not at all. */
uint64_t relay_rest(const struct relay *relay);

/* Whether its input may be looked at now. False: it is queued, and tries again after the rest. */
bool relay_take_turn(struct relay *relay);

/* It has nothing to say after all. */
void relay_leave_queue(struct relay *relay);

/* --- relay_limits.c --- */

/* Takes note of the limits of its session that make it wait. */
void relay_note_limits(struct relay *relay);

/* How much there is memory for to read from tor; and whether from the client. */
size_t relay_tor_read_size(const struct relay *relay);
bool relay_may_read_client(const struct relay *relay);

/* Its buffers take so many bytes now. */
void relay_charge_memory(struct relay *relay, size_t held);

/* Closes sessions until the others have room; the callback of relief. */
void relay_host_relieve(evutil_socket_t fd, short what, void *host);

/* --- relay_log.c --- */

/* Reports log lines that were left out; called by a timer that is set where one is. */
void relay_log_report(evutil_socket_t fd, short what, void *host);

#endif
