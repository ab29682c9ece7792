/* One listening socket. */
#ifndef OG_LISTENER_H
#define OG_LISTENER_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/types.h>

#include "add_onion.h"
#include "buf.h"
#include "socket_path.h"

struct event_base;

/* What a Unix socket is to be. */
struct listener_spec {
    char *path;    /* of others their name for the log; owned */
    char *profile; /* owned; NULL: the shared socket */
    uid_t user;    /* (uid_t)-1: as we are */
    gid_t group;   /* (gid_t)-1: as we are */
    mode_t mode;
};

bool listener_spec_equals(const struct listener_spec *a, const struct listener_spec *b);
void listener_spec_clear(struct listener_spec *spec);

struct listener;

/* Gets each accepted connection: nonblocking, close-on-exec, owned by the callee. Or -1: there is
 * no descriptor or no memory for one, errno says which. False: no further one is accepted now. */
typedef bool listener_callback(void *context, struct listener *listener, int fd);

struct listener {
    struct listener *next;
    struct listener_spec spec;
    struct socket_path_id id;
    bool is_tcp;
    bool owns_file; /* we made it, and remove it */
    bool is_unfit;  /* nobody is served by it */
    int fd;
    struct event readable;
    struct event resume;
    struct listener *next_paused;
    struct listener **paused_link; /* what points to it among those that pause; NULL: it does not */
    listener_callback *accepted;
    void *context;
};

/* Makes the socket and listens. Takes over the contents of `spec`, which is cleared in any case.
 * NULL: why is appended to `reason`. */
struct listener *listener_new(struct event_base *base, struct listener_spec *spec,
                              listener_callback *accepted, void *context, struct buf *reason);

/* The same for a socket that listens already and is not made from a path. Takes over the descriptor
 * and the contents of `spec`. */
struct listener *listener_adopt(struct event_base *base, int fd, struct listener_spec *spec,
                                listener_callback *accepted, void *context);

/* Stops listening; removes the socket's file if we made it and it is still the same. NULL
 * allowed. */
void listener_free(struct listener *listener);

/* Stops accepting for some time, or until listener_resume_all; `paused` is the list of those that
 * do so. */
void listener_pause(struct listener *listener, struct listener **paused, unsigned ms);
void listener_resume_all(struct listener **paused);

/* Where it listens, as the target of an onion service; a path is borrowed. False: not known. */
bool listener_target(const struct listener *listener, struct target *target_out);

/* Whether clients can still find it: its file is in its place. */
bool listener_is_in_place(const struct listener *listener);

#endif
