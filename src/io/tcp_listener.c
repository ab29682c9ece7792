/* Listening for TCP, on an interface that may come, go and get its addresses at any time.
 *
 * With an interface the sockets have no address: they are bound to the interface itself
 * (SO_BINDTODEVICE), whatever its addresses are. The kernel binds to its number, so one that was
 * taken out and put in again under the same name needs new sockets; rtnetlink tells when to look.
 * Where an address is given that no interface has yet, the socket is bound to it all the same. */
#include "tcp_listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "mem.h"

#define TCP_BACKLOG 4096 /* the kernel lowers it to net.core.somaxconn */
#define TCP_DEFAULT_ADDRESS "127.0.0.1"
#define TCP_DEFAULT_PORT "9051"
#define TCP_RETRY_MS 1000
#define TCP_NEWS_MAX 8192

/* --- where to listen --- */

static void tcp_listener_add(struct tcp_listener *listener, const char *address, in_port_t port)
{
    struct upstream_address *entry = &listener->addresses[listener->address_count++];
    struct sockaddr_in *v4 = (struct sockaddr_in *)&entry->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&entry->storage;

    memset(entry, 0, sizeof *entry);
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = port;
        entry->len = sizeof *v4;
    } else {
        inet_pton(AF_INET6, address, &v6->sin6_addr);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = port;
        entry->len = sizeof *v6;
    }
}

static bool is_link_local(const struct upstream_address *address)
{
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;

    return v6->sin6_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
}

/* --- one socket --- */

static bool tcp_fail(struct buf *reason, const char *what)
{
    buf_printf(reason, "%s: %s", what, strerror(errno));
    return false;
}

static bool tcp_set(int fd, int level, int option, int value)
{
    return setsockopt(fd, level, option, &value, sizeof value) == 0;
}

static bool tcp_set_up(int fd, int family, const char *interface, struct buf *reason)
{
    if (!tcp_set(fd, SOL_SOCKET, SO_REUSEADDR, 1) ||
        (family == AF_INET6 && !tcp_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)))
        return tcp_fail(reason, "the socket cannot be set up");
    if (interface && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface,
                                (socklen_t)strlen(interface) + 1) < 0)
        return tcp_fail(reason, "the socket cannot be bound to the interface");
    return true;
}

static bool tcp_bind(int fd, const struct upstream_address *address, struct buf *reason)
{
    const struct sockaddr *name = (const struct sockaddr *)&address->storage;
    bool is_v6 = name->sa_family == AF_INET6;

    if (bind(fd, name, address->len) == 0)
        return true;
    /* The address may come later: then connections to it will arrive. */
    if (errno == EADDRNOTAVAIL &&
        tcp_set(fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_FREEBIND : IP_FREEBIND, 1) &&
        bind(fd, name, address->len) == 0) {
        log_at(LOG_LEVEL_WARNING, "no interface has the address of --listen-address yet; clients "
                                  "can connect once one has it");
        return true;
    }
    return tcp_fail(reason, "the address and port cannot be used");
}

static int tcp_open(struct upstream_address address, const char *interface, unsigned index,
                    struct buf *reason)
{
    int family = address.storage.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        tcp_fail(reason, "no socket");
        return -1;
    }
    if (is_link_local(&address))
        ((struct sockaddr_in6 *)&address.storage)->sin6_scope_id = index;
    if (tcp_set_up(fd, family, interface, reason) && tcp_bind(fd, &address, reason) &&
        (listen(fd, TCP_BACKLOG) == 0 || tcp_fail(reason, "cannot listen")))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* --- all sockets --- */

static void tcp_listener_close(struct tcp_listener *listener)
{
    for (size_t i = 0; i < TCP_LISTENER_SOCKETS; i++) {
        listener_free(listener->sockets[i]);
        listener->sockets[i] = NULL;
    }
    listener->interface_index = 0;
}

/* False: errno and `reason` say why. A machine without IPv6 has no second socket. */
static bool tcp_listener_open(struct tcp_listener *listener, unsigned index, struct buf *reason)
{
    for (size_t i = 0; i < listener->address_count; i++) {
        int fd = tcp_open(listener->addresses[i], listener->interface, index, reason);
        if (fd < 0 && i > 0 && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL))
            break;
        if (fd < 0) {
            int error = errno;
            tcp_listener_close(listener);
            errno = error;
            return false;
        }
        struct listener_spec spec = {
            .path = mem_copy_string(span_from_string(listener->name)),
        };
        listener->sockets[i] =
            listener_adopt(listener->base, fd, &spec, listener->accepted, listener->context);
        listener->sockets[i]->is_tcp = true;
    }
    listener->interface_index = index;
    return true;
}

bool tcp_listener_is_open(const struct tcp_listener *listener)
{
    return listener->sockets[0] != NULL;
}

/* --- the interface --- */

static void tcp_listener_wait(struct tcp_listener *listener, const char *why)
{
    if (!listener->is_waiting)
        log_at(LOG_LEVEL_WARNING, "%s: %s; waiting for it", listener->name, why);
    listener->is_waiting = true;
}

static void tcp_listener_try(struct tcp_listener *listener, unsigned index)
{
    struct timeval delay = clock_interval_ms(TCP_RETRY_MS);
    struct buf reason;

    buf_init(&reason, 1024);
    if (tcp_listener_open(listener, index, &reason)) {
        log_at(LOG_LEVEL_NOTICE, "listening on %s", listener->name);
        listener->is_waiting = false;
    } else {
        buf_append_char(&reason, '\0');
        tcp_listener_wait(listener, buf_span(&reason).data);
        event_add(&listener->retry, &delay);
    }
    buf_clear(&reason);
}

/* Compares what there is with what we are bound to. */
static void tcp_listener_follow(struct tcp_listener *listener)
{
    unsigned index = if_nametoindex(listener->interface);

    if (tcp_listener_is_open(listener) && index == listener->interface_index)
        return;
    tcp_listener_close(listener);
    event_del(&listener->retry);
    if (index == 0)
        tcp_listener_wait(listener, "there is no such interface");
    else
        tcp_listener_try(listener, index);
}

static void tcp_listener_on_retry(evutil_socket_t fd, short what, void *context)
{
    struct tcp_listener *listener = context;
    struct timeval delay = clock_interval_ms(TCP_RETRY_MS);

    (void)fd;
    (void)what;
    tcp_listener_follow(listener);
    if (listener->link_fd < 0)
        event_add(&listener->retry, &delay);
}

static void tcp_listener_on_link(evutil_socket_t fd, short what, void *context)
{
    char news[TCP_NEWS_MAX];

    (void)what;
    /* What it says does not matter, nor whether some of it was lost: we look ourselves. */
    while (recv(fd, news, sizeof news, MSG_DONTWAIT) > 0 || errno == ENOBUFS)
        errno = 0;
    tcp_listener_follow(context);
}

static void tcp_listener_subscribe(struct tcp_listener *listener)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    struct timeval delay = clock_interval_ms(TCP_RETRY_MS);
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

    if (fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        listener->link_fd = fd;
        event_assign(&listener->link, listener->base, fd, EV_READ | EV_PERSIST,
                     tcp_listener_on_link, listener);
        event_add(&listener->link, NULL);
        return;
    }
    if (fd >= 0)
        close(fd);
    event_add(&listener->retry, &delay);
}

/* --- life --- */

void tcp_listener_init(struct tcp_listener *listener, struct event_base *base,
                       const struct options *options, listener_callback *accepted, void *context)
{
    const char *port = options->listen_port ? options->listen_port : TCP_DEFAULT_PORT;
    const char *interface = options->listen_interface;
    in_port_t number = htons((uint16_t)strtoul(port, NULL, 10));

    *listener = (struct tcp_listener){
        .base = base,
        .accepted = accepted,
        .context = context,
        .is_wanted = options->listen_address || options->listen_port || interface,
        .interface = interface,
        .link_fd = -1,
    };
    event_assign(&listener->retry, base, -1, 0, tcp_listener_on_retry, listener);
    if (!listener->is_wanted)
        return;
    listener->name =
        mem_printf("TCP port %s%s%s", port, interface ? " on " : "", interface ? interface : "");
    if (options->listen_address) {
        tcp_listener_add(listener, options->listen_address, number);
    } else if (interface) {
        tcp_listener_add(listener, "0.0.0.0", number);
        tcp_listener_add(listener, "::", number);
    } else {
        tcp_listener_add(listener, TCP_DEFAULT_ADDRESS, number);
    }
}

void tcp_listener_clear(struct tcp_listener *listener)
{
    tcp_listener_close(listener);
    event_del(&listener->retry);
    if (listener->link_fd >= 0) {
        event_del(&listener->link);
        close(listener->link_fd);
        listener->link_fd = -1;
    }
    free(listener->name);
    listener->name = NULL;
}

static bool tcp_listener_start_on_interface(struct tcp_listener *listener, struct buf *reason)
{
    unsigned index = if_nametoindex(listener->interface);

    tcp_listener_subscribe(listener);
    if (index == 0) {
        tcp_listener_wait(listener, "there is no such interface");
        return true;
    }
    if (tcp_listener_open(listener, index, reason))
        return true;
    if (errno != ENODEV)
        return false;
    tcp_listener_wait(listener, "the interface went away just now");
    return true;
}

bool tcp_listener_start(struct tcp_listener *listener, struct buf *reason)
{
    if (!listener->is_wanted)
        return true;
    if (listener->interface)
        return tcp_listener_start_on_interface(listener, reason);
    if (is_link_local(&listener->addresses[0])) {
        buf_append_string(reason, "a link-local address needs its interface; give "
                                  "--listen-interface, too");
        return false;
    }
    return tcp_listener_open(listener, 0, reason);
}

size_t tcp_listener_targets(const struct tcp_listener *listener,
                            struct target targets[TCP_LISTENER_SOCKETS])
{
    for (size_t i = 0; i < listener->address_count; i++)
        targets[i] = upstream_target(&listener->addresses[i]);
    return listener->address_count;
}
