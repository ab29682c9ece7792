/* One client in the event loop: its socket, its connection to tor, the session between them, and
 * the clocks. */
#ifndef OG_RELAY_H
#define OG_RELAY_H

#include <event2/event_struct.h>
#include <stddef.h>
#include <sys/time.h>

#include "counters.h"
#include "peer.h"
#include "policy.h"
#include "quota.h"
#include "session.h"
#include "tcp_end.h"
#include "upstream.h"

struct cookie_files;
struct event_base;
struct gate;
struct refusals;
struct relay;
struct tcp_clients;
struct watch;

/* One read takes at most this much of tor's answers. */
#define RELAY_TOR_READ 65536
#define RELAY_TOR_READ_LITTLE 4096 /* while memory is short */
/* And of a client's commands; the session takes a few of them in one turn. */
#define RELAY_CLIENT_READ 4096

/* Whoever keeps the loop longer than this in one turn rests, with all sessions of the same user,
 * for a multiple of the time: what is left belongs to the others. */
#define RELAY_TURN_US 1000
#define RELAY_TOR_TURN_US 10000 /* a full read of tor's answers through many patterns */
#define RELAY_TURN_EXACT_US 500 /* so exactly it is known what a turn took of the processor */
#define RELAY_REST_FACTOR 4
#define RELAY_REST_MAX_US 5000000

/* What all relays of a daemon share. */
struct relay_host {
    struct event_base *base;
    struct upstream *upstream;
    struct peer_system *peers;
    struct tcp_clients *tcp_clients;
    struct tor_facts *facts;
    struct onion_registry *registry;
    const struct cookie_files *cookies;
    const struct torauth_secrets *secrets;
    struct quota *quota;
    struct gate *gate;
    struct counters *counters;
    struct watch *watch;
    struct refusals *refusals;
    struct session_limits limits; /* of each session */
    size_t max_held;              /* bytes of memory in the buffers of all */
    struct template_variables variables;
    struct timeval reply_timeout;
    struct timeval write_timeout;
    unsigned long long last_number;
    size_t held;                    /* of max_held */
    uint64_t memory_quiet_until_ms; /* no line in the log before */
    uint64_t marked_us;             /* a moment, */
    uint64_t marked_processor_us;   /* and what of the processor we had had until then */
    struct relay *first;            /* all that are open */
    struct relay *parked;           /* closed, freed when the loop turns */
    struct event reaper;            /* which does that */
    struct event report;            /* tells of log lines left out */
    struct event relief;            /* too much is held */
    char input[RELAY_TOR_READ];     /* what was just read; nobody keeps it */
};

/* The caller has filled the members up to write_timeout. */
void relay_host_start(struct relay_host *host);

/* Closes what is open and frees all. */
void relay_host_stop(struct relay_host *host, const char *reason);

struct relay_setup {
    int fd;                  /* nonblocking; taken over */
    struct peer *peer;       /* its contents are taken over */
    struct quota_user *user; /* a session was taken of it */
    const char *socket_path;
    const struct tcp_ends_text *ends; /* of a TCP connection, copied; else NULL */
    struct policy *policy;
    const struct policy_view *view;
    const char *no_match; /* the view is empty: why; static */
};

/* Begins to serve a client. The relay closes itself. */
void relay_start(struct relay_host *host, const struct relay_setup *setup);

/* A client's log line was left out: the log will hear of it a little later. */
void relay_host_note_left_out(struct relay_host *host);

/* Ends every session for which `is_over` says so. Returns how many that are. */
size_t relay_host_end(struct relay_host *host,
                      bool (*is_over)(const struct session *session, void *context), void *context,
                      const char *reason);

/* Ends the session of that number. False: there is none. */
bool relay_host_close(struct relay_host *host, unsigned long long number, const char *reason);

/* What an admin may know of a session. Borrowed for the call. */
struct relay_status {
    unsigned long long number;
    const struct identity *identity;
    const char *address; /* of a client over TCP; else NULL */
    const char *socket;
    const struct policy_view *view;
    const char *no_match; /* no profile serves it: why; else NULL */
    const char *tor;      /* the state of its connection, in a word */
    uint64_t age_ms;
    const struct tally *tally;
    size_t buffered; /* bytes */
    size_t waiting;  /* commands without an answer yet */
};

/* Calls `visit` for each open session, the oldest first. */
void relay_host_each(const struct relay_host *host,
                     void (*visit)(void *context, const struct relay_status *status),
                     void *context);

#endif
