/* The admin socket: who may use it, its connections, one request on each. What the requests do is
 * the daemon's business (daemon_admin.c).
 *
 * Only root, the daemon's own user and members of its own group are served; the kernel says who
 * they are. */
#ifndef OG_ADMIN_H
#define OG_ADMIN_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>

#include "admin_request.h"
#include "buf.h"
#include "identity.h"
#include "listener.h"
#include "watch.h"

#define ADMIN_SOCKET "admin.sock" /* in the runtime directory */
#define ADMIN_CONNECTIONS_MAX 16
#define ADMIN_OUTPUT_MAX (16 * 1024 * 1024) /* bytes that wait for a reader */
#define ADMIN_WATCH_MAX (1024 * 1024)       /* the same, of one that watches */

struct admin;

struct admin_connection {
    struct admin_connection *next;
    struct admin_connection **link; /* what points to it */
    struct admin *admin;
    int fd;
    bool is_root;
    bool is_allowed;
    bool is_one_too_many;
    bool is_answered; /* the request was taken */
    bool is_watching; /* the reply goes on until somebody closes */
    struct buf input;
    struct buf output;
    struct event readable;
    struct event writable;
    struct event timer; /* no request, or nothing of the reply was read, for too long */
    struct watcher watcher;
    unsigned long left_out; /* lines of watch, since the last one that there was room for */
};

struct admin {
    struct event_base *base;
    struct listener *listener; /* NULL: there is none */
    struct listener *paused;
    struct admin_connection *first;
    size_t count;
    /* Answers by the functions below; the last of them is admin_end, admin_fail or admin_watch. */
    void (*serve)(void *context, struct admin_connection *connection,
                  const struct admin_request *request);
    void *context;
};

/* Listens in the runtime directory. False: why is appended to `reason`, and there is no admin
 * socket. */
bool admin_start(struct admin *admin, struct event_base *base, const char *runtime_dir,
                 struct buf *reason);
/* Ends the replies that go on, and closes. */
void admin_stop(struct admin *admin);

/* Whether the peer of a Unix socket may ask and order. */
bool admin_is_allowed(const struct identity *identity);

/* --- replies --- */

/* Where the lines of the reply are appended (admin_json.h). */
struct buf *admin_output(struct admin_connection *connection);

/* The reply is complete. */
void admin_end(struct admin_connection *connection);

/* There is none, or no more of it: `code` is a word for programs, `text` for people. */
void admin_fail(struct admin_connection *connection, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The reply goes on with what is watched; takes over the filter. */
void admin_watch(struct admin_connection *connection, struct watch *watch,
                 const struct watch_filter *filter);

#endif
