/* What the service manager is told: the datagrams of sd_notify(3), and the watchdog's. */
#ifndef OG_NOTIFY_H
#define OG_NOTIFY_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

struct notify {
    int fd; /* -1: nobody wants to be told */
    struct sockaddr_un address;
    socklen_t address_len;
    uint64_t watchdog_us; /* 0: none */
    struct event *watchdog;
};

/* Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID; the environment is cleaned. Comes before
 * containment: no socket is made later. */
void notify_init(struct notify *notify);

/* From now on the manager hears from the loop, twice in the time that it allows. */
void notify_watch(struct notify *notify, struct event_base *base);

/* `status`: one line for the admin. */
void notify_ready(const struct notify *notify, const char *status);
void notify_reloading(const struct notify *notify);
void notify_stopping(const struct notify *notify);

void notify_clear(struct notify *notify);

/* --- pure parts, for the above and for tests --- */

/* NOTIFY_SOCKET as an address; false: it is none that can be used. */
bool notify_address(const char *text, struct sockaddr_un *address_out, socklen_t *len_out);

/* Microseconds of WATCHDOG_USEC, if WATCHDOG_PID (NULL: not set) is nobody else. */
uint64_t notify_watchdog_us(const char *usec, const char *watchdog_pid, pid_t pid);

#endif
