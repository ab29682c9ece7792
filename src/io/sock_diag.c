/* Netlink questions about single sockets and addresses (sock_diag(7), rtnetlink(7)).
 *
 * The question names both ends of the connection, so the kernel looks into its hash table once; it
 * never lists sockets. It answers inside the send call, so the answer is there when send returns.
 * Cookies are not used: the ends are what identifies a connection to us. */
#include "sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MAX 8192
#define ANSWER_WAIT_MS 100 /* never needed in practice */

static int netlink_open(int protocol)
{
    return socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static void netlink_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void sock_diag_init(struct sock_diag *diag)
{
    diag->diag_fd = netlink_open(NETLINK_SOCK_DIAG);
    diag->route_fd = netlink_open(NETLINK_ROUTE);
    diag->sequence = 0;
}

void sock_diag_clear(struct sock_diag *diag)
{
    netlink_close(&diag->diag_fd);
    netlink_close(&diag->route_fd);
}

/* --- a question and its answer --- */

/* One datagram of the kernel's; -1: none. Other processes may send to us, too. */
static ssize_t netlink_receive(int fd, void *answer, size_t size)
{
    struct sockaddr_nl from;
    struct iovec part = {.iov_base = answer, .iov_len = size};
    struct msghdr message = {
        .msg_name = &from,
        .msg_namelen = sizeof from,
        .msg_iov = &part,
        .msg_iovlen = 1,
    };

    for (;;) {
        ssize_t len = recvmsg(fd, &message, MSG_DONTWAIT);
        bool is_foreign = len >= 0 && (message.msg_namelen != sizeof from || from.nl_pid != 0);
        if (len >= 0 && !is_foreign)
            return message.msg_flags & MSG_TRUNC ? -1 : len;
        if (len < 0 && errno != EINTR)
            return -1;
        message.msg_namelen = sizeof from;
    }
}

/* Whether the message begins with a whole header of that number. */
static bool netlink_is_answer(const void *answer, size_t len, uint32_t sequence)
{
    const struct nlmsghdr *header = answer;

    return len >= sizeof *header && header->nlmsg_len >= sizeof *header &&
           header->nlmsg_len <= len && header->nlmsg_seq == sequence;
}

/* Sends the question and waits for its answer; -1: there was none. */
static ssize_t netlink_ask(int fd, const struct nlmsghdr *question, void *answer, size_t size)
{
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    struct pollfd readable = {.fd = fd, .events = POLLIN};

    if (fd < 0 || sendto(fd, question, question->nlmsg_len, 0, (const struct sockaddr *)&kernel,
                         sizeof kernel) != (ssize_t)question->nlmsg_len)
        return -1;
    do {
        ssize_t len;
        /* What is left of earlier questions has other numbers. */
        while ((len = netlink_receive(fd, answer, size)) >= 0)
            if (netlink_is_answer(answer, (size_t)len, question->nlmsg_seq))
                return len;
    } while (poll(&readable, 1, ANSWER_WAIT_MS) > 0);
    return -1;
}

/* The errno of an error message, 0 if it is none. */
static int netlink_error(const struct nlmsghdr *header)
{
    const struct nlmsgerr *error = (const struct nlmsgerr *)NLMSG_DATA(header);

    if (header->nlmsg_type != NLMSG_ERROR)
        return 0;
    return header->nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error < 0 ? -error->error
                                                                                : EPROTO;
}

/* --- sockets --- */

enum sock_diag_result sock_diag_read_socket(const void *answer, size_t len, uint32_t sequence,
                                            uint16_t source_port, uint16_t destination_port,
                                            struct sock_diag_socket *socket_out)
{
    const struct nlmsghdr *header = answer;
    struct inet_diag_msg found;

    if (!netlink_is_answer(answer, len, sequence))
        return SOCK_DIAG_FAILED;
    if (netlink_error(header))
        return netlink_error(header) == ENOENT ? SOCK_DIAG_NONE : SOCK_DIAG_FAILED;
    if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || header->nlmsg_len < NLMSG_LENGTH(sizeof found))
        return SOCK_DIAG_FAILED;
    memcpy(&found, NLMSG_DATA(header), sizeof found);
    bool is_listener = found.idiag_state == TCP_LISTEN;
    if (found.id.idiag_sport != htons(source_port) ||
        (!is_listener && found.id.idiag_dport != htons(destination_port)))
        return SOCK_DIAG_FAILED;
    *socket_out = (struct sock_diag_socket){
        .state = found.idiag_state,
        .uid = found.idiag_uid,
        .inode = found.idiag_inode,
    };
    return SOCK_DIAG_FOUND;
}

enum sock_diag_result sock_diag_find(struct sock_diag *diag, const struct tcp_end *source,
                                     const struct tcp_end *destination,
                                     struct sock_diag_socket *socket_out)
{
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 body;
    } question = {
        .header = {.nlmsg_len = sizeof question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = ++diag->sequence},
        .body = {.sdiag_family = source->is_ipv6 ? AF_INET6 : AF_INET,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0u,
                 .id = {.idiag_sport = htons(source->port),
                        .idiag_dport = htons(destination->port),
                        .idiag_if = source->scope,
                        .idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}}},
    };
    _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];

    if (source->is_ipv6 != destination->is_ipv6)
        return SOCK_DIAG_FAILED;
    memcpy(question.body.id.idiag_src, source->address, sizeof source->address);
    memcpy(question.body.id.idiag_dst, destination->address, sizeof destination->address);
    ssize_t len = netlink_ask(diag->diag_fd, &question.header, answer, sizeof answer);
    if (len < 0)
        return SOCK_DIAG_FAILED;
    return sock_diag_read_socket(answer, (size_t)len, diag->sequence, source->port,
                                 destination->port, socket_out);
}

static bool listen_on_loopback(int fd, struct tcp_end *end_out)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof bound;

    return bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0 &&
           getsockname(fd, (struct sockaddr *)&bound, &len) == 0 && tcp_end_from(&bound, end_out);
}

bool sock_diag_works(struct sock_diag *diag)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sock_diag_socket found;
    struct tcp_end end;

    if (fd < 0)
        return false;
    bool works =
        listen_on_loopback(fd, &end) && sock_diag_find(diag, &end, &end, &found) == SOCK_DIAG_FOUND;
    close(fd);
    return works;
}

bool sock_diag_is_alive(const struct sock_diag_socket *socket)
{
    return socket->inode != 0 &&
           (socket->state == TCP_ESTABLISHED || socket->state == TCP_FIN_WAIT1 ||
            socket->state == TCP_FIN_WAIT2 || socket->state == TCP_CLOSE_WAIT);
}

/* --- addresses --- */

/* Of an IPv4 address the first 4 bytes are sent, and nothing behind them. */
struct route_question {
    struct nlmsghdr header;
    struct rtmsg body;
    struct rtattr attribute;
    uint8_t address[16];
    struct rtattr interface_attribute;
    uint32_t interface;
};

bool sock_diag_is_own_address(struct sock_diag *diag, const struct tcp_end *end)
{
    size_t size = end->is_ipv6 ? 16 : 4;
    struct route_question question = {
        .header = {.nlmsg_type = RTM_GETROUTE,
                   .nlmsg_flags = NLM_F_REQUEST,
                   .nlmsg_seq = ++diag->sequence},
        .body = {.rtm_family = end->is_ipv6 ? AF_INET6 : AF_INET,
                 .rtm_dst_len = (unsigned char)(size * 8)},
        .attribute = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = RTA_DST},
        .interface_attribute = {.rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF},
        .interface = end->scope,
    };
    _Alignas(struct nlmsghdr) char answer[ANSWER_MAX];
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;

    /* A link-local address has a route only together with its interface. */
    question.header.nlmsg_len =
        (uint32_t)(end->scope ? sizeof question : offsetof(struct route_question, address) + size);
    memcpy(question.address, end->address, size);
    ssize_t len = netlink_ask(diag->route_fd, &question.header, answer, sizeof answer);
    if (len < 0 || header->nlmsg_type != RTM_NEWROUTE ||
        header->nlmsg_len < NLMSG_LENGTH(sizeof(struct rtmsg)))
        return true;
    const struct rtmsg *route = (const struct rtmsg *)NLMSG_DATA(header);
    return route->rtm_type != RTN_UNICAST;
}
