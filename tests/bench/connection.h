/* What the load generators share: one blocking connection to a control port on a Unix socket or a TCP
 * port of this machine, and a reader of replies.
 *
 * Every reply is read to its end by the rules of the control protocol ("NNN-", "NNN+" with a data
 * block, "NNN ") and must be a 250: a target that answers wrongly or not at all ends the run with
 * status 1, so no number is ever one of errors. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
#define MAX_LINE 16384
#define MAX_SAMPLES 2000000
#define SILENCE_SECONDS 20

/* Where in a reply the bytes stand. */
struct scan {
    char head[4];   /* first bytes of the line */
    size_t line_len; /* bytes of the line so far */
    bool in_data;
};

static char chunk[CHUNK];

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void die(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "load: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, "\n");
    va_end(arguments);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* ---- replies ---- */

/* A line is complete; true if it ends a reply. */
static bool scan_line(struct scan *scan)
{
    const char *head = scan->head;

    if (scan->in_data) {
        scan->in_data = !(head[0] == '.' && scan->line_len == 2 && head[1] == '\r');
        return false;
    }
    if (scan->line_len < 4 || memcmp(head, "250", 3) != 0)
        die("a reply of 250 belongs here, not \"%.4s\"", scan->line_len < 4 ? "(short)" : head);
    scan->in_data = head[3] == '+';
    return head[3] == ' ';
}

/* How many replies end in these bytes. */
static size_t scan_bytes(struct scan *scan, const char *bytes, size_t len)
{
    size_t replies = 0;

    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t part = end ? (size_t)(end - bytes) : len;

        for (size_t i = 0; i < part && scan->line_len + i < sizeof(scan->head); i++)
            scan->head[scan->line_len + i] = bytes[i];
        scan->line_len += part;
        if (end) {
            replies += scan_line(scan);
            scan->line_len = 0;
            part++;
        }
        bytes += part;
        len -= part;
    }
    return replies;
}

/* ---- one connection, blocking ---- */

static int connect_tcp(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1;

    if (fd < 0)
        die("socket: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        die("socket: %s", strerror(errno));
    if (strlen(path) >= sizeof(address.sun_path))
        die("the socket's path is too long: %s", path);
    strcpy(address.sun_path, path);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

static int try_connect(const char *place)
{
    struct timeval silence = {.tv_sec = SILENCE_SECONDS};
    int fd = strncmp(place, "tcp:", 4) == 0 ? connect_tcp(place + 4) : connect_unix(place);

    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
    return fd;
}

static int connect_now(const char *place)
{
    int fd = try_connect(place);

    if (fd < 0)
        die("%s: %s", place, strerror(errno));
    return fd;
}

static void send_text(int fd, const char *text, size_t len)
{
    if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send: %s", strerror(errno));
}

/* Reads until one reply is complete; how many bytes it had, 0 if the connection ended. */
static size_t read_reply(int fd)
{
    struct scan scan = {.in_data = false};
    size_t total = 0;

    for (;;) {
        ssize_t len = recv(fd, chunk, sizeof(chunk), 0);

        if (len == 0)
            return 0;
        if (len < 0)
            die("no reply: %s", strerror(errno));
        total += (size_t)len;
        if (scan_bytes(&scan, chunk, (size_t)len) > 0)
            return total;
    }
}

static void ask(int fd, const char *text, size_t len)
{
    send_text(fd, text, len);
    if (read_reply(fd) == 0)
        die("the connection was closed before the reply");
}

static void ask_string(int fd, const char *text)
{
    ask(fd, text, strlen(text));
}

static void log_in(int fd, const char *auth)
{
    char line[MAX_LINE];

    snprintf(line, sizeof(line), "AUTHENTICATE%s%s\r\n", auth[0] ? " " : "", auth);
    ask_string(fd, line);
}

/* ---- samples ---- */

static int compare_samples(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static double sample_us(const uint32_t *samples, size_t count, double share)
{
    size_t index = (size_t)(share * (double)(count - 1));

    return (double)samples[index] / 1000.0;
}
