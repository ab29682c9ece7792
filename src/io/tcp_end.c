/* Addresses of TCP connections, in the one form that profiles, quotas and netlink are asked with.
 *
 * A socket that listens for both families gives IPv4 clients as IPv6 addresses; to whoever wrote
 * `hosts` they are IPv4. */
#include "tcp_end.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void tcp_end_from_v6(const struct sockaddr_in6 *v6, struct tcp_end *end)
{
    end->port = ntohs(v6->sin6_port);
    if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        memcpy(end->address, v6->sin6_addr.s6_addr + 12, 4);
        return;
    }
    end->is_ipv6 = true;
    memcpy(end->address, v6->sin6_addr.s6_addr, sizeof end->address);
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
        end->scope = v6->sin6_scope_id;
}

bool tcp_end_from(const struct sockaddr_storage *storage, struct tcp_end *end_out)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;

    *end_out = (struct tcp_end){0};
    if (storage->ss_family == AF_INET6) {
        tcp_end_from_v6((const struct sockaddr_in6 *)storage, end_out);
        return true;
    }
    if (storage->ss_family != AF_INET)
        return false;
    memcpy(end_out->address, &v4->sin_addr, 4);
    end_out->port = ntohs(v4->sin_port);
    return true;
}

bool tcp_end_same_address(const struct tcp_end *a, const struct tcp_end *b)
{
    return a->is_ipv6 == b->is_ipv6 && memcmp(a->address, b->address, sizeof a->address) == 0;
}

bool tcp_end_is_loopback(const struct tcp_end *end)
{
    static const uint8_t loopback6[16] = {[15] = 1};

    if (!end->is_ipv6)
        return end->address[0] == 127;
    return memcmp(end->address, loopback6, sizeof loopback6) == 0;
}

void tcp_end_format_address(const struct tcp_end *end, char text[INET6_ADDRSTRLEN])
{
    if (!inet_ntop(end->is_ipv6 ? AF_INET6 : AF_INET, end->address, text, INET6_ADDRSTRLEN))
        text[0] = '\0';
}

void tcp_end_format(const struct tcp_end *end, char text[TCP_END_TEXT_MAX])
{
    char address[INET6_ADDRSTRLEN];

    tcp_end_format_address(end, address);
    snprintf(text, TCP_END_TEXT_MAX, end->is_ipv6 ? "[%s]:%u" : "%s:%u", address,
             (unsigned)end->port);
}

void tcp_ends_describe(const struct tcp_end *far, const struct tcp_end *near,
                       struct tcp_ends_text *text_out)
{
    tcp_end_format_address(far, text_out->far_address);
    snprintf(text_out->far_port, TCP_END_PORT_MAX, "%u", (unsigned)far->port);
    tcp_end_format_address(near, text_out->near_address);
    snprintf(text_out->near_port, TCP_END_PORT_MAX, "%u", (unsigned)near->port);
}
