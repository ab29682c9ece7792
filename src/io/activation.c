/* Sockets from the service manager, so that they exist before we do and while we restart.
 *
 * The protocol is environment variables and descriptor numbers (sd_listen_fds(3)): LISTEN_PID must
 * be us, LISTEN_FDS descriptors begin at 3, LISTEN_FDNAMES names them, separated by colons. The
 * variables are removed, so that nobody takes the descriptors twice. */
#include "activation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "mem.h"
#include "tcp_end.h"

#define ACTIVATION_MPTCP 262 /* IPPROTO_MPTCP */

/* --- the variables --- */

size_t activation_count(const char *listen_pid, const char *listen_fds, pid_t pid)
{
    unsigned long number, count;

    if (!listen_pid || !listen_fds ||
        !span_to_number(span_from_string(listen_pid), INT_MAX, &number) || (pid_t)number != pid ||
        !span_to_number(span_from_string(listen_fds), ACTIVATION_MAX, &count))
        return 0;
    return count;
}

struct span activation_name(const char *names, size_t index)
{
    struct span rest = span_from_string(names ? names : "");

    for (; index > 0 && rest.len > 0; index--) {
        size_t end = span_find(rest, ':');
        rest = span_from(rest, end < rest.len ? end + 1 : end);
    }
    struct span name = span_first(rest, span_find(rest, ':'));
    return name.len > 0 ? name : SPAN(ACTIVATION_UNNAMED);
}

bool activation_is_shared(struct span name)
{
    return span_equals(name, SPAN(ACTIVATION_SHARED)) || span_equals(name, SPAN(ACTIVATION_UNIT)) ||
           span_equals(name, SPAN(ACTIVATION_UNNAMED));
}

/* --- the descriptors --- */

static int socket_number(int fd, int option)
{
    int value = -1;
    socklen_t len = sizeof value;

    return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 ? value : -1;
}

static char *unix_path(const struct sockaddr_storage *storage, socklen_t len)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)storage;
    size_t size = len > offsetof(struct sockaddr_un, sun_path)
                      ? len - offsetof(struct sockaddr_un, sun_path)
                      : 0;

    if (size > 0 && un->sun_path[0] == '/')
        return mem_copy_string(span_make(un->sun_path, strnlen(un->sun_path, size)));
    return mem_printf("@%.*s", size > 1 ? (int)size - 1 : 0, un->sun_path + 1);
}

/* NULL, or why the descriptor is of no use. */
static const char *activation_look(struct activation_socket *passed)
{
    struct sockaddr_storage storage = {0};
    struct tcp_end end;
    socklen_t len = sizeof storage;

    if (socket_number(passed->fd, SO_TYPE) != SOCK_STREAM ||
        getsockname(passed->fd, (struct sockaddr *)&storage, &len) < 0)
        return "it is no stream socket";
    if (socket_number(passed->fd, SO_ACCEPTCONN) != 1)
        return "it does not listen (Accept=yes is not for this service)";
    if (storage.ss_family == AF_UNIX) {
        passed->path = unix_path(&storage, len);
        return NULL;
    }
    int protocol = socket_number(passed->fd, SO_PROTOCOL);
    if (!tcp_end_from(&storage, &end) || (protocol != IPPROTO_TCP && protocol != ACTIVATION_MPTCP))
        return "it is neither a Unix nor a TCP socket";
    passed->is_tcp = true;
    passed->port = end.port;
    return NULL;
}

static void activation_add(struct activation *activation, int fd, struct span name)
{
    struct activation_socket passed = {.fd = fd};
    int flags = fcntl(fd, F_GETFL);

    const char *fault = flags < 0 ? "it is not open" : activation_look(&passed);
    if (!fault &&
        (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
        fault = strerror(errno);
    if (fault) {
        log_at(LOG_LEVEL_ERROR,
               "descriptor %d (\"%.*s\") was passed to this service and cannot be "
               "used: %s",
               fd, (int)name.len, name.data, fault);
        if (flags >= 0)
            close(fd);
        free(passed.path);
        return;
    }
    if (!activation_is_shared(name))
        passed.profile = mem_copy_string(name);
    activation->items =
        mem_resize(activation->items, activation->count + 1, sizeof *activation->items);
    activation->items[activation->count++] = passed;
}

void activation_take(struct activation *activation_out)
{
    const char *names = getenv("LISTEN_FDNAMES");
    size_t count = activation_count(getenv("LISTEN_PID"), getenv("LISTEN_FDS"), getpid());

    *activation_out = (struct activation){0};
    for (size_t i = 0; i < count; i++)
        activation_add(activation_out, ACTIVATION_FIRST_FD + (int)i, activation_name(names, i));
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
}

void activation_clear(struct activation *activation)
{
    for (size_t i = 0; i < activation->count; i++) {
        if (activation->items[i].fd >= 0)
            close(activation->items[i].fd);
        free(activation->items[i].profile);
        free(activation->items[i].path);
    }
    free(activation->items);
    *activation = (struct activation){0};
}
