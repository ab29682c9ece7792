/* A listening socket from bind to unlink.
 *
 * It is bound with no rights for anybody, gets owner and mode, and only then listens, so nobody can
 * connect by rights that it will not have. Without descriptors or memory accept(2) would fail again
 * at once and for ever: what happens then is the callback's business (gate.h). */
#include "listener.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"
#include "upstream.h"
#include "writer.h"

#define LISTENER_BACKLOG 4096 /* the kernel lowers it to net.core.somaxconn */
#define LISTENER_AGAIN_MS 1000
#define LISTENER_ACCEPTS 32 /* per wake-up, so that other sockets have their turn */

static bool texts_equal(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

bool listener_spec_equals(const struct listener_spec *a, const struct listener_spec *b)
{
    return texts_equal(a->path, b->path) && texts_equal(a->profile, b->profile) &&
           a->user == b->user && a->group == b->group && a->mode == b->mode;
}

void listener_spec_clear(struct listener_spec *spec)
{
    free(spec->path);
    free(spec->profile);
    *spec = (struct listener_spec){0};
}

/* --- making it --- */

static bool listener_fail(struct buf *reason, const char *what)
{
    buf_printf(reason, "%s: %s", what, strerror(errno));
    return false;
}

static bool listener_bind(const struct listener *listener, struct buf *reason)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    /* socket_path_check has measured it. */
    memcpy(address.sun_path, listener->spec.path, strlen(listener->spec.path) + 1);
    mode_t former = umask(0177);
    int failed = bind(listener->fd, (const struct sockaddr *)&address, sizeof address);
    umask(former);
    return failed ? listener_fail(reason, "the socket cannot be made") : true;
}

static bool listener_set_rights(const struct listener *listener, struct buf *reason)
{
    const struct listener_spec *spec = &listener->spec;
    bool has_owner = spec->user != (uid_t)-1 || spec->group != (gid_t)-1;

    /* In this order it takes no right over another's file. */
    if (chmod(spec->path, spec->mode) < 0)
        return listener_fail(reason, "the socket's mode cannot be set");
    if (has_owner && lchown(spec->path, spec->user, spec->group) < 0)
        return listener_fail(reason, "the socket cannot be given to its user and group (the "
                                     "service must be a member of the group, or be restarted with "
                                     "CAP_CHOWN, which it keeps for profiles that are there at its "
                                     "start)");
    return true;
}

static bool listener_open(struct listener *listener, struct buf *reason)
{
    const char *path = listener->spec.path;

    if (!socket_path_check(path, reason) || !socket_path_clear(path, reason))
        return false;
    listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (listener->fd < 0)
        return listener_fail(reason, "no socket");
    if (!writer_enable(listener->fd))
        return listener_fail(reason, "the kernel does not say who writes");
    if (!listener_bind(listener, reason))
        return false;
    if (socket_path_identify(path, &listener->id) && listener_set_rights(listener, reason) &&
        (listen(listener->fd, LISTENER_BACKLOG) == 0 || listener_fail(reason, "cannot listen")))
        return true;
    unlink(path);
    return false;
}

/* --- accepting --- */

void listener_pause(struct listener *listener, struct listener **paused, unsigned ms)
{
    struct timeval pause = clock_interval_ms(ms);

    event_del(&listener->readable);
    event_add(&listener->resume, &pause);
    if (listener->paused_link)
        return;
    listener->next_paused = *paused;
    if (*paused)
        (*paused)->paused_link = &listener->next_paused;
    *paused = listener;
    listener->paused_link = paused;
}

static void listener_leave_paused(struct listener *listener)
{
    if (!listener->paused_link)
        return;
    *listener->paused_link = listener->next_paused;
    if (listener->next_paused)
        listener->next_paused->paused_link = listener->paused_link;
    listener->paused_link = NULL;
}

/* Begins to accept; without memory for that a little later. */
static void listener_arm(struct listener *listener)
{
    struct timeval pause = clock_interval_ms(LISTENER_AGAIN_MS);

    if (event_add(&listener->readable, NULL) < 0)
        event_add(&listener->resume, &pause);
}

static void listener_on_resume(evutil_socket_t fd, short what, void *context)
{
    struct listener *listener = context;

    (void)fd;
    (void)what;
    listener_leave_paused(listener);
    event_del(&listener->resume);
    listener_arm(listener);
}

void listener_resume_all(struct listener **paused)
{
    while (*paused)
        listener_on_resume(-1, 0, *paused);
}

static void listener_on_readable(evutil_socket_t fd, short what, void *context)
{
    struct listener *listener = context;

    (void)what;
    for (int i = 0; i < LISTENER_ACCEPTS; i++) {
        int client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client >= 0 || upstream_is_shortage(errno)) {
            if (!listener->accepted(listener->context, listener, client))
                return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

static struct listener *listener_alloc(struct listener_spec *spec, listener_callback *accepted,
                                       void *context)
{
    struct listener *listener = mem_zalloc(1, sizeof *listener);

    listener->spec = *spec;
    *spec = (struct listener_spec){0};
    listener->fd = -1;
    listener->accepted = accepted;
    listener->context = context;
    return listener;
}

static void listener_watch(struct listener *listener, struct event_base *base)
{
    event_assign(&listener->readable, base, listener->fd, EV_READ | EV_PERSIST,
                 listener_on_readable, listener);
    event_assign(&listener->resume, base, -1, 0, listener_on_resume, listener);
    listener_arm(listener);
}

struct listener *listener_new(struct event_base *base, struct listener_spec *spec,
                              listener_callback *accepted, void *context, struct buf *reason)
{
    struct listener *listener = listener_alloc(spec, accepted, context);

    if (!listener_open(listener, reason)) {
        if (listener->fd >= 0)
            close(listener->fd);
        listener_spec_clear(&listener->spec);
        free(listener);
        return NULL;
    }
    listener->owns_file = true;
    listener_watch(listener, base);
    return listener;
}

struct listener *listener_adopt(struct event_base *base, int fd, struct listener_spec *spec,
                                listener_callback *accepted, void *context)
{
    struct listener *listener = listener_alloc(spec, accepted, context);

    listener->fd = fd;
    listener_watch(listener, base);
    return listener;
}

void listener_free(struct listener *listener)
{
    if (!listener)
        return;
    event_del(&listener->readable);
    event_del(&listener->resume);
    listener_leave_paused(listener);
    close(listener->fd);
    if (listener->owns_file && listener_is_in_place(listener))
        unlink(listener->spec.path);
    listener_spec_clear(&listener->spec);
    free(listener);
}

bool listener_is_in_place(const struct listener *listener)
{
    return !listener->owns_file || socket_path_is_ours(listener->spec.path, &listener->id);
}

bool listener_target(const struct listener *listener, struct target *target_out)
{
    struct upstream_address address = {.len = sizeof address.storage};

    *target_out = (struct target){
        .kind = TARGET_UNIX,
        .path = span_from_string(listener->spec.path),
    };
    if (!listener->is_tcp)
        return true;
    if (getsockname(listener->fd, (struct sockaddr *)&address.storage, &address.len) < 0)
        return false;
    *target_out = upstream_target(&address);
    return true;
}
