/* tor's control port: its address, the connect, and what is known of its health. */
#ifndef OG_UPSTREAM_H
#define OG_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "add_onion.h"
#include "buf.h"

struct upstream_address {
    struct sockaddr_storage storage;
    socklen_t len;
};

/* Reads "unix:PATH" (absolute) or "tcp:HOST:PORT" (HOST a literal IPv4 address, an IPv6 address in
 * brackets, or "localhost", which is 127.0.0.1: no resolver is asked). False: why is appended to
 * `reason`. */
bool upstream_parse(const char *text, struct upstream_address *address_out, struct buf *reason);

/* The same as an onion-service target, so that none may point there. A path is borrowed from
 * `address`. */
struct target upstream_target(const struct upstream_address *address);

#define UPSTREAM_REASON_MAX 160

enum upstream_state {
    UPSTREAM_UNKNOWN,
    UPSTREAM_REACHABLE,   /* the last login succeeded */
    UPSTREAM_UNREACHABLE, /* no connection, or it was lost */
    UPSTREAM_REFUSED,     /* a connection, but no login */
};

struct upstream {
    struct upstream_address address;
    const char *name; /* as configured: for the log */
    enum upstream_state state;
    uint64_t since_ms;                /* of that, by the clock of the wall; 0: since the start */
    char reason[UPSTREAM_REASON_MAX]; /* why it is no better; empty: it is well, or not known */
    uint64_t quiet_until_ms;          /* no line about our own shortage before */
};

enum upstream_progress {
    UPSTREAM_CONNECTED,
    UPSTREAM_CONNECTING, /* writable when done; then upstream_connect_error */
    UPSTREAM_BUSY,       /* tor's queue of connections is full: try again soon */
    UPSTREAM_FAILED,     /* errno says why */
};

/* "unknown", "reachable", "unreachable", "refused"; static. */
const char *upstream_state_text(enum upstream_state state);

/* Begins to connect; *fd_out is a nonblocking, close-on-exec descriptor for the first two results
 * and -1 for the others. */
enum upstream_progress upstream_connect(const struct upstream *upstream, int *fd_out);

/* What became of a connect that was in progress: 0 or an errno. */
int upstream_connect_error(int fd);

/* Whether an errno means that we have no descriptor or no memory left: not tor's fault. */
bool upstream_is_shortage(int error);

/* At the start: says in the log if the way to tor's socket is not there, or closed to us. Nothing
 * is connected. */
void upstream_look(struct upstream *upstream);

/* Note what a session has found out; the log hears of it only if the state changes. */
void upstream_note_reachable(struct upstream *upstream);
void upstream_note_unreachable(struct upstream *upstream, const char *reason, int error);
void upstream_note_refused(struct upstream *upstream, const char *reason);

/* Our own shortage says nothing about tor: the state stays. The log hears of it once a minute, as
 * clients bring it about. */
void upstream_note_shortage(struct upstream *upstream, const char *text);

#endif
