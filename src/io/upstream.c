/* Connecting to tor.
 *
 * Every session has a connection of its own (control-protocol 3), so a thousand of them find out at
 * the same moment that tor is gone. What they find out comes together here, and the log gets one
 * line for each change. */
#include "upstream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "span.h"

#define UPSTREAM_QUIET_MS 60000
#define UPSTREAM_TORRC                                                               \
    "In torrc: \"ControlSocket /run/tor/control GroupWritable RelaxDirModeCheck\", " \
    "\"CookieAuthentication 1\", \"CookieAuthFile /run/tor/control.authcookie\", "   \
    "\"CookieAuthFileGroupReadable 1\""

static bool upstream_parse_unix(const char *path, struct upstream_address *address,
                                struct buf *reason)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&address->storage;
    size_t len = strlen(path);

    if (path[0] != '/') {
        buf_append_string(reason, "an absolute path belongs behind unix:, such as "
                                  "unix:/run/tor/control");
        return false;
    }
    if (len >= sizeof un->sun_path) {
        buf_printf(reason, "the path has %zu bytes; a Unix socket's may have %zu", len,
                   sizeof un->sun_path - 1);
        return false;
    }
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, len + 1);
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + 1);
    return true;
}

static bool upstream_set_host(struct span host, uint16_t port, struct upstream_address *address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&address->storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&address->storage;
    bool is_v6 = host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']';
    char text[INET6_ADDRSTRLEN] = "127.0.0.1";

    if (is_v6)
        host = span_make(host.data + 1, host.len - 2);
    if (host.len >= sizeof text)
        return false;
    if (is_v6 || !span_equals(host, SPAN("localhost"))) {
        memcpy(text, host.data, host.len);
        text[host.len] = '\0';
    }
    if (is_v6) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        address->len = sizeof *v6;
        return inet_pton(AF_INET6, text, &v6->sin6_addr) == 1;
    }
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address->len = sizeof *v4;
    return inet_pton(AF_INET, text, &v4->sin_addr) == 1;
}

static bool upstream_parse_tcp(const char *text, struct upstream_address *address,
                               struct buf *reason)
{
    const char *colon = strrchr(text, ':');
    unsigned long port;

    if (!colon || !span_to_number(span_from_string(colon + 1), 65535, &port) || port == 0) {
        buf_append_string(reason, "a port from 1 to 65535 belongs at the end, as in "
                                  "tcp:127.0.0.1:9051");
        return false;
    }
    if (!upstream_set_host(span_make(text, (size_t)(colon - text)), (uint16_t)port, address)) {
        buf_append_string(reason, "the host must be an IPv4 address, an IPv6 address in brackets, "
                                  "or localhost");
        return false;
    }
    return true;
}

bool upstream_parse(const char *text, struct upstream_address *address_out, struct buf *reason)
{
    memset(address_out, 0, sizeof *address_out);
    if (strncmp(text, "unix:", 5) == 0)
        return upstream_parse_unix(text + 5, address_out, reason);
    if (strncmp(text, "tcp:", 4) == 0)
        return upstream_parse_tcp(text + 4, address_out, reason);
    buf_append_string(reason, "unix:PATH or tcp:HOST:PORT belongs here");
    return false;
}

struct target upstream_target(const struct upstream_address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address->storage;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->storage;
    struct target target = {.kind = TARGET_UNIX};

    if (un->sun_family == AF_UNIX) {
        target.path = span_from_string(un->sun_path);
    } else if (v4->sin_family == AF_INET) {
        target.kind = TARGET_IPV4;
        memcpy(target.address, &v4->sin_addr, 4);
        target.port = ntohs(v4->sin_port);
    } else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
        target.kind = TARGET_IPV4;
        memcpy(target.address, v6->sin6_addr.s6_addr + 12, 4);
        target.port = ntohs(v6->sin6_port);
    } else {
        target.kind = TARGET_IPV6;
        memcpy(target.address, &v6->sin6_addr, 16);
        target.port = ntohs(v6->sin6_port);
    }
    return target;
}

enum upstream_progress upstream_connect(const struct upstream *upstream, int *fd_out)
{
    const struct upstream_address *address = &upstream->address;
    int one = 1;

    *fd_out = -1;
    int fd = socket(address->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return UPSTREAM_FAILED;
    /* Commands are short and waited for. */
    if (address->storage.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int failed = connect(fd, (const struct sockaddr *)&address->storage, address->len);
    if (failed && errno != EINPROGRESS) {
        int error = errno;
        close(fd);
        errno = error;
        return error == EAGAIN ? UPSTREAM_BUSY : UPSTREAM_FAILED;
    }
    *fd_out = fd;
    return failed ? UPSTREAM_CONNECTING : UPSTREAM_CONNECTED;
}

int upstream_connect_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof error;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

bool upstream_is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

void upstream_note_shortage(struct upstream *upstream, const char *text)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (now_ms < upstream->quiet_until_ms)
        return;
    upstream->quiet_until_ms = now_ms + UPSTREAM_QUIET_MS;
    log_at(LOG_LEVEL_WARNING, "%s", text);
}

static const char *upstream_shortage_text(int error)
{
    if (error == EMFILE || error == ENFILE)
        return "no descriptor is left for a connection to tor; raise LimitNOFILE or lower limits: "
               "sessions";
    return "no memory is left for a connection to tor; lower limits: sessions";
}

const char *upstream_state_text(enum upstream_state state)
{
    switch (state) {
    case UPSTREAM_UNKNOWN:
        return "unknown";
    case UPSTREAM_REACHABLE:
        return "reachable";
    case UPSTREAM_UNREACHABLE:
        return "unreachable";
    case UPSTREAM_REFUSED:
        return "refused";
    }
    return "unknown";
}

/* False: so it was. */
static bool upstream_enter(struct upstream *upstream, enum upstream_state state, const char *reason)
{
    if (upstream->state == state)
        return false;
    upstream->state = state;
    upstream->since_ms = clock_wall_ms();
    snprintf(upstream->reason, sizeof upstream->reason, "%s", reason);
    return true;
}

/* tor was lost: what the journal can be asked for. */
static void upstream_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void upstream_warn(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0) {
        log_entry(LOG_LEVEL_WARNING, JOURNAL_ID_TOR, NULL, 0, text);
        free(text);
    }
    va_end(arguments);
}

void upstream_note_reachable(struct upstream *upstream)
{
    if (upstream_enter(upstream, UPSTREAM_REACHABLE, ""))
        log_at(LOG_LEVEL_NOTICE, "logged in to tor at %s", upstream->name);
}

static const char *upstream_advice(const struct upstream *upstream, int error)
{
    if (upstream->address.storage.ss_family != AF_UNIX)
        return error == ECONNREFUSED ? "; is tor running, with its control port at this place?"
                                     : "";
    if (error == ENOENT || error == ECONNREFUSED)
        return "; is tor running, with its control port at this place? " UPSTREAM_TORRC;
    if (error == EACCES || error == EPERM)
        return "; onion-grater's own user has to be in the group that owns the socket (debian-tor "
               "on Debian), no application and no person has to. " UPSTREAM_TORRC;
    return "";
}

void upstream_note_unreachable(struct upstream *upstream, const char *reason, int error)
{
    if (upstream_is_shortage(error)) {
        upstream_note_shortage(upstream, upstream_shortage_text(error));
        return;
    }
    if (upstream_enter(upstream, UPSTREAM_UNREACHABLE, reason))
        upstream_warn("tor cannot be reached at %s: %s%s", upstream->name, reason,
                      upstream_advice(upstream, error));
}

void upstream_look(struct upstream *upstream)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&upstream->address.storage;

    if (un->sun_family != AF_UNIX || access(un->sun_path, W_OK) == 0)
        return;
    if (errno == ENOENT)
        log_at(LOG_LEVEL_NOTICE, "tor's control socket %s is not there yet", un->sun_path);
    else
        upstream_note_unreachable(upstream, strerror(errno), errno);
}

void upstream_note_refused(struct upstream *upstream, const char *reason)
{
    if (upstream_enter(upstream, UPSTREAM_REFUSED, reason))
        upstream_warn("no login to tor at %s: %s", upstream->name, reason);
}
