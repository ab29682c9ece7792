/* Addresses of connections, and what the kernel answers about their sockets. */
#include "sock_diag.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>

#include "holders.h"

#define SEQUENCE 7
#define SOURCE 40000
#define DESTINATION 9051

/* --- ends --- */

static struct tcp_end end_of(const char *text, uint16_t port, uint32_t scope)
{
    struct sockaddr_storage storage = {0};
    struct sockaddr_in *v4 = (struct sockaddr_in *)&storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&storage;
    struct tcp_end end;

    if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
    } else {
        cr_assert(inet_pton(AF_INET6, text, &v6->sin6_addr) == 1, "%s", text);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        v6->sin6_scope_id = scope;
    }
    cr_assert(tcp_end_from(&storage, &end), "%s", text);
    return end;
}

Test(tcp_end, text)
{
    static const struct {
        const char *address;
        const char *text;
        bool is_ipv6, is_loopback;
    } rows[] = {
        {"10.0.0.1", "10.0.0.1:9051", false, false},
        {"127.0.0.1", "127.0.0.1:9051", false, true},
        {"127.255.0.9", "127.255.0.9:9051", false, true},
        {"128.0.0.1", "128.0.0.1:9051", false, false},
        {"::1", "[::1]:9051", true, true},
        {"::2", "[::2]:9051", true, false},
        {"fd00::1:2", "[fd00::1:2]:9051", true, false},
        {"::ffff:10.0.0.1", "10.0.0.1:9051", false, false},
        {"::ffff:127.0.0.1", "127.0.0.1:9051", false, true},
        {"::127.0.0.1", "[::127.0.0.1]:9051", true, false},
        {"64:ff9b::a00:1", "[64:ff9b::a00:1]:9051", true, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_end end = end_of(rows[i].address, 9051, 3);
        char text[TCP_END_TEXT_MAX];
        tcp_end_format(&end, text);
        cr_expect(strcmp(text, rows[i].text) == 0, "row %zu: %s", i, text);
        cr_expect(end.is_ipv6 == rows[i].is_ipv6, "row %zu", i);
        cr_expect(tcp_end_is_loopback(&end) == rows[i].is_loopback, "row %zu", i);
        cr_expect(end.port == 9051 && end.scope == 0, "row %zu", i);
    }
}

Test(tcp_end, longest_text_fits)
{
    struct tcp_end end = end_of("1111:2222:3333:4444:5555:6666:7777:8888", 65535, 0);
    char text[TCP_END_TEXT_MAX];

    tcp_end_format(&end, text);
    cr_expect(strcmp(text, "[1111:2222:3333:4444:5555:6666:7777:8888]:65535") == 0, "%s", text);
}

Test(tcp_end, scope_of_link_local_only)
{
    cr_expect(end_of("fe80::1", 1, 3).scope == 3);
    cr_expect(end_of("fd00::1", 1, 3).scope == 0);
}

Test(tcp_end, other_families)
{
    struct sockaddr_storage storage = {.ss_family = AF_UNIX};
    struct tcp_end end;

    cr_expect(!tcp_end_from(&storage, &end));
}

Test(tcp_end, same_address)
{
    static const struct {
        const char *a, *b;
        bool is_same;
    } rows[] = {
        {"10.0.0.1", "10.0.0.1", true},          {"10.0.0.1", "10.0.0.2", false},
        {"10.0.0.1", "::ffff:10.0.0.1", true},   {"fd00::1", "fd00::1", true},
        {"fd00::1", "fd00::1:1", false},         {"::", "0.0.0.0", false},
        {"1.2.3.4", "102:304::", false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct tcp_end a = end_of(rows[i].a, 1, 0), b = end_of(rows[i].b, 2, 0);
        cr_expect(tcp_end_same_address(&a, &b) == rows[i].is_same, "row %zu", i);
    }
}

Test(tcp_end, both_ends)
{
    struct tcp_end far = end_of("fd00::2", 65535, 0), near = end_of("fd00::1", 1, 0);
    struct tcp_ends_text text;

    tcp_ends_describe(&far, &near, &text);
    cr_expect(strcmp(text.far_address, "fd00::2") == 0 && strcmp(text.far_port, "65535") == 0);
    cr_expect(strcmp(text.near_address, "fd00::1") == 0 && strcmp(text.near_port, "1") == 0);
}

/* --- answers --- */

struct answer {
    struct nlmsghdr header;
    struct inet_diag_msg body;
};

static struct answer good_answer(void)
{
    return (struct answer){
        .header = {.nlmsg_len = sizeof(struct answer),
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_seq = SEQUENCE},
        .body = {.idiag_state = TCP_ESTABLISHED,
                 .id = {.idiag_sport = htons(SOURCE), .idiag_dport = htons(DESTINATION)},
                 .idiag_uid = 1000,
                 .idiag_inode = 4711},
    };
}

static enum sock_diag_result read_answer(const struct answer *answer, size_t len,
                                         struct sock_diag_socket *found)
{
    return sock_diag_read_socket(answer, len, SEQUENCE, SOURCE, DESTINATION, found);
}

Test(sock_diag, good_answer)
{
    struct answer answer = good_answer();
    struct sock_diag_socket found;

    cr_assert(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FOUND);
    cr_expect(found.uid == 1000 && found.inode == 4711 && found.state == TCP_ESTABLISHED);
}

Test(sock_diag, cut_answer)
{
    struct answer answer = good_answer();
    struct sock_diag_socket found;

    for (size_t len = 0; len < sizeof answer; len++) {
        cr_expect(read_answer(&answer, len, &found) == SOCK_DIAG_FAILED, "length %zu", len);
        answer.header.nlmsg_len = (uint32_t)len;
        cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FAILED,
                  "header says %zu", len);
        answer.header.nlmsg_len = sizeof answer;
    }
    answer.header.nlmsg_len = UINT32_MAX;
    cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FAILED);
}

Test(sock_diag, other_answers)
{
    struct sock_diag_socket found;
    struct answer answer = good_answer();

    answer.header.nlmsg_seq++;
    cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FAILED, "number");
    answer = good_answer();
    answer.header.nlmsg_type = NLMSG_DONE;
    cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FAILED, "type");
    answer = good_answer();
    answer.body.id.idiag_sport++;
    cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FAILED, "source");
    answer = good_answer();
    answer.body.id.idiag_dport++;
    cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FAILED, "destination");
    answer.body.idiag_state = TCP_LISTEN;
    cr_expect(read_answer(&answer, sizeof answer, &found) == SOCK_DIAG_FOUND, "listener");
}

Test(sock_diag, errors)
{
    static const struct {
        int error;
        enum sock_diag_result result;
    } rows[] = {
        {-ENOENT, SOCK_DIAG_NONE},   {-EPERM, SOCK_DIAG_FAILED}, {-EINVAL, SOCK_DIAG_FAILED},
        {0, SOCK_DIAG_FAILED},       {ENOENT, SOCK_DIAG_FAILED},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct {
            struct nlmsghdr header;
            struct nlmsgerr body;
        } answer = {
            .header = {.nlmsg_len = sizeof answer,
                       .nlmsg_type = NLMSG_ERROR,
                       .nlmsg_seq = SEQUENCE},
            .body = {.error = rows[i].error},
        };
        struct sock_diag_socket found;
        cr_expect(sock_diag_read_socket(&answer, sizeof answer, SEQUENCE, SOURCE, DESTINATION,
                                        &found) == rows[i].result,
                  "row %zu", i);
    }
}

Test(sock_diag, alive)
{
    static const struct {
        unsigned state;
        unsigned long inode;
        bool is_alive;
    } rows[] = {
        {TCP_ESTABLISHED, 1, true}, {TCP_FIN_WAIT1, 1, true},  {TCP_FIN_WAIT2, 1, true},
        {TCP_CLOSE_WAIT, 1, true},  {TCP_ESTABLISHED, 0, false}, {TCP_FIN_WAIT2, 0, false},
        {TCP_LISTEN, 1, false},     {TCP_TIME_WAIT, 1, false}, {TCP_SYN_SENT, 1, false},
        {TCP_CLOSE, 1, false},      {TCP_SYN_RECV, 1, false},  {0, 1, false},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sock_diag_socket socket = {.state = rows[i].state, .inode = rows[i].inode};
        cr_expect(sock_diag_is_alive(&socket) == rows[i].is_alive, "row %zu", i);
    }
}

/* --- links of /proc/PID/fd --- */

Test(holders, links)
{
    static const struct {
        const char *target;
        bool is_socket;
        unsigned long inode;
    } rows[] = {
        {"socket:[4711]", true, 4711},   {"socket:[0]", true, 0},
        {"socket:[4294967295]", true, 4294967295},
        {"socket:[99999999999999999999]", false, 0},
        {"socket:[]", false, 0},         {"socket:[", false, 0},
        {"socket:", false, 0},           {"", false, 0},
        {"socket:[47x]", false, 0},      {"socket:[4711] ", false, 0},
        {"socket:[4711](deleted)", false, 0},
        {"/tmp/socket:[4711]", false, 0}, {"pipe:[4711]", false, 0},
        {"socket:[-1]", false, 0},       {"socket:[ 1]", false, 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned long inode = 0;
        bool is_socket = holders_read_link(rows[i].target, &inode);
        cr_expect(is_socket == rows[i].is_socket, "row %zu: %s", i, rows[i].target);
        cr_expect(!is_socket || inode == rows[i].inode, "row %zu: %lu", i, inode);
    }
}
