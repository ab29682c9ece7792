/* One end of a TCP connection: address and port, free of how the kernel writes them. */
#ifndef OG_TCP_END_H
#define OG_TCP_END_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#define TCP_END_PORT_MAX 6
#define TCP_END_TEXT_MAX (INET6_ADDRSTRLEN + 8) /* "[ADDRESS]:65535" and its NUL */

struct tcp_end {
    bool is_ipv6;
    uint8_t address[16]; /* network order; IPv4 uses the first 4, the others are zero */
    uint16_t port;
    uint32_t scope; /* interface of a link-local IPv6 address, else 0 */
};

/* An IPv4 address inside IPv6 (::ffff:a.b.c.d) becomes IPv4. False: neither family. */
bool tcp_end_from(const struct sockaddr_storage *storage, struct tcp_end *end_out);

/* Port and interface are not compared. */
bool tcp_end_same_address(const struct tcp_end *a, const struct tcp_end *b);

bool tcp_end_is_loopback(const struct tcp_end *end);

/* The address alone, and with its port: "10.0.0.1:9051", "[::1]:9051". */
void tcp_end_format_address(const struct tcp_end *end, char text[INET6_ADDRSTRLEN]);
void tcp_end_format(const struct tcp_end *end, char text[TCP_END_TEXT_MAX]);

/* Both ends of a connection as text, for templates. */
struct tcp_ends_text {
    char far_address[INET6_ADDRSTRLEN];
    char far_port[TCP_END_PORT_MAX];
    char near_address[INET6_ADDRSTRLEN];
    char near_port[TCP_END_PORT_MAX];
};

void tcp_ends_describe(const struct tcp_end *far, const struct tcp_end *near,
                       struct tcp_ends_text *text_out);

#endif
