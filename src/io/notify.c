/* The service manager, over its socket.
 *
 * The protocol is lines NAME=VALUE in one datagram to the socket that NOTIFY_SOCKET names, of which
 * a leading "@" stands for the NUL of an abstract one (sd_notify(3)). That is less than what
 * linking a library for it would take, and holds without one, too. Nothing here may wait, and
 * nothing depends on what becomes of a datagram: the address is given with each, as a manager that
 * was started anew listens at the same place. */
#include "notify.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"
#include "log.h"
#include "span.h"

#define NOTIFY_MAX 2048
#define NOTIFY_WATCHDOG_LEAST 1000 /* microseconds between two signs of life */

bool notify_address(const char *text, struct sockaddr_un *address_out, socklen_t *len_out)
{
    size_t len = text ? strlen(text) : 0;

    *address_out = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (len < 2 || len >= sizeof address_out->sun_path || (text[0] != '/' && text[0] != '@'))
        return false;
    memcpy(address_out->sun_path, text, len);
    if (text[0] == '@')
        address_out->sun_path[0] = '\0';
    /* An abstract name is all the bytes there are; a path ends in a NUL. */
    *len_out = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (text[0] == '/'));
    return true;
}

uint64_t notify_watchdog_us(const char *usec, const char *watchdog_pid, pid_t pid)
{
    unsigned long number, time;

    if (watchdog_pid &&
        (!span_to_number(span_from_string(watchdog_pid), INT_MAX, &number) || (pid_t)number != pid))
        return 0;
    if (!usec || !span_to_number(span_from_string(usec), ULONG_MAX, &time))
        return 0;
    return time;
}

void notify_init(struct notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");

    *notify = (struct notify){.fd = -1};
    if (path && !notify_address(path, &notify->address, &notify->address_len))
        log_at(LOG_LEVEL_WARNING, "NOTIFY_SOCKET is no socket's path: the service manager is not "
                                  "told when this service is ready");
    else if (path)
        notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (notify->fd >= 0)
        notify->watchdog_us =
            notify_watchdog_us(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), getpid());
    unsetenv("NOTIFY_SOCKET");
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

static void notify_send(const struct notify *notify, struct span message)
{
    if (notify->fd >= 0)
        (void)!sendto(notify->fd, message.data, message.len, MSG_DONTWAIT | MSG_NOSIGNAL,
                      (const struct sockaddr *)&notify->address, notify->address_len);
}

static void notify_on_watchdog(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    notify_send(context, SPAN("WATCHDOG=1"));
}

void notify_watch(struct notify *notify, struct event_base *base)
{
    uint64_t interval = notify->watchdog_us / 2;

    if (interval < NOTIFY_WATCHDOG_LEAST)
        return;
    struct timeval time = clock_interval_us(interval);
    notify->watchdog = event_new(base, -1, EV_PERSIST, notify_on_watchdog, notify);
    if (!notify->watchdog || event_add(notify->watchdog, &time) < 0)
        log_at(LOG_LEVEL_WARNING, "no timer for the service manager's watchdog");
    notify_send(notify, SPAN("WATCHDOG=1"));
}

void notify_ready(const struct notify *notify, const char *status)
{
    struct buf message;

    buf_init(&message, NOTIFY_MAX);
    buf_append_string(&message, "READY=1\nSTATUS=");
    buf_append_escaped(&message, span_from_string(status), NOTIFY_MAX / 8);
    notify_send(notify, buf_span(&message));
    buf_clear(&message);
}

/* The time lets the manager tell this reload from one before it (Type=notify-reload). */
void notify_reloading(const struct notify *notify)
{
    struct buf message;

    buf_init(&message, NOTIFY_MAX);
    buf_printf(&message, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64 "\nSTATUS=Reading the profiles",
               clock_monotonic_us());
    notify_send(notify, buf_span(&message));
    buf_clear(&message);
}

void notify_stopping(const struct notify *notify)
{
    notify_send(notify, SPAN("STOPPING=1\nSTATUS=Ending the sessions"));
}

void notify_clear(struct notify *notify)
{
    if (notify->watchdog)
        event_free(notify->watchdog);
    if (notify->fd >= 0)
        close(notify->fd);
    notify->watchdog = NULL;
    notify->fd = -1;
}
