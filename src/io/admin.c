/* Connections of the admin socket.
 *
 * A request is one short line; the reply is collected and written as the reader takes it. Whoever
 * watches and reads too slowly loses lines, which are counted, and keeps nobody waiting. */
#include "admin.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "admin_json.h"
#include "clock.h"
#include "json.h"
#include "log.h"
#include "mem.h"
#include "peer.h"
#include "upstream.h"

#define ADMIN_MODE 0660
#define ADMIN_REQUEST_MS 10000
#define ADMIN_WRITE_MS 60000
#define ADMIN_PAUSE_MS 1000 /* no descriptor is left */
#define ADMIN_TEXT_MAX 1024

/* --- the end of a connection --- */

static void admin_close(struct admin_connection *connection)
{
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    connection->admin->count--;
    watch_remove(&connection->watcher);
    watch_filter_clear(&connection->watcher.filter);
    event_del(&connection->readable);
    event_del(&connection->writable);
    event_del(&connection->timer);
    close(connection->fd);
    buf_wipe(&connection->input);
    buf_wipe(&connection->output);
    free(connection);
}

static void admin_on_timer(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    admin_close(context);
}

static void admin_set_timer(struct admin_connection *connection, unsigned ms)
{
    struct timeval delay = clock_interval_ms(ms);

    event_add(&connection->timer, &delay);
}

/* --- writing --- */

static void admin_write_left_out(struct admin_connection *connection)
{
    struct json json;

    if (connection->left_out == 0 || connection->output.len > ADMIN_WATCH_MAX / 2)
        return;
    admin_json_begin(&json, &connection->output, "left-out");
    json_member_number(&json, "count", connection->left_out);
    admin_json_end(&json);
    connection->left_out = 0;
}

/* Writes what can be written now. The connection may be gone afterwards. */
static void admin_flush(struct admin_connection *connection)
{
    struct span output = buf_span(&connection->output);
    ssize_t len = output.len > 0 ? send(connection->fd, output.data, output.len, MSG_NOSIGNAL) : 0;

    if (len < 0 && errno != EAGAIN && errno != EINTR) {
        admin_close(connection);
        return;
    }
    buf_consume_wiped(&connection->output, len > 0 ? (size_t)len : 0);
    admin_write_left_out(connection);
    if (connection->output.len > 0) {
        event_add(&connection->writable, NULL);
        if (len > 0 || !event_pending(&connection->timer, EV_TIMEOUT, NULL))
            admin_set_timer(connection, ADMIN_WRITE_MS);
    } else if (connection->is_watching) {
        event_del(&connection->timer);
    } else if (connection->is_answered) {
        admin_close(connection);
    }
}

static void admin_on_writable(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    admin_flush(context);
}

/* Written when the loop turns: whoever calls may hold the connection. */
static void admin_flush_soon(struct admin_connection *connection)
{
    event_active(&connection->writable, EV_WRITE, 0);
}

struct buf *admin_output(struct admin_connection *connection)
{
    return &connection->output;
}

void admin_end(struct admin_connection *connection)
{
    struct json json;

    if (connection->output.overflow) {
        admin_fail(connection, "failed", "the reply is too long");
        return;
    }
    admin_json_begin(&json, &connection->output, "end");
    admin_json_end(&json);
    connection->is_answered = true;
}

void admin_fail(struct admin_connection *connection, const char *code, const char *format, ...)
{
    char text[ADMIN_TEXT_MAX];
    va_list arguments;
    struct json json;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (connection->output.overflow)
        buf_reset(&connection->output);
    admin_json_begin(&json, &connection->output, "error");
    json_member_text(&json, "code", code);
    json_member_text(&json, "text", text);
    admin_json_end(&json);
    connection->is_answered = true;
}

/* --- watching --- */

static void admin_on_line(void *context, struct span line)
{
    struct admin_connection *connection = context;

    if (connection->left_out > 0 || connection->output.len + line.len > ADMIN_WATCH_MAX)
        connection->left_out++;
    else
        buf_append(&connection->output, line);
    admin_flush_soon(connection);
}

void admin_watch(struct admin_connection *connection, struct watch *watch,
                 const struct watch_filter *filter)
{
    connection->is_answered = true;
    connection->is_watching = true;
    connection->watcher.filter = *filter;
    connection->watcher.line = admin_on_line;
    connection->watcher.context = connection;
    watch_add(watch, &connection->watcher);
}

/* --- the request --- */

/* Whoever may not ask is told so when it asks: before, it would not be reading. */
static void admin_turn_away(struct admin_connection *connection)
{
    if (connection->is_allowed)
        admin_fail(connection, "busy", "%d connections are open, which is the limit; try again",
                   ADMIN_CONNECTIONS_MAX);
    else
        admin_fail(connection, "denied",
                   "only root and the group of onion-grater's own user may use the admin socket");
}

static void admin_answer(struct admin_connection *connection, struct span line)
{
    struct admin *admin = connection->admin;
    struct admin_request request;
    const char *reason;

    switch (admin_request_parse(line, &request, &reason)) {
    case ADMIN_REQUEST_OK:
        admin->serve(admin->context, connection, &request);
        break;
    case ADMIN_REQUEST_VERSION:
        admin_fail(connection, "version",
                   "this onion-grater speaks version %d of the protocol; use the onion-graterctl "
                   "that came with it",
                   ADMIN_PROTOCOL);
        break;
    case ADMIN_REQUEST_MALFORMED:
        admin_fail(connection, "request", "%s", reason);
        break;
    }
    admin_request_clear(&request);
}

static void admin_serve(struct admin_connection *connection, struct span line)
{
    connection->is_answered = true;
    if (connection->is_allowed && !connection->is_one_too_many)
        admin_answer(connection, line);
    else
        admin_turn_away(connection);
    event_del(&connection->timer);
    admin_flush(connection);
}

static void admin_take(struct admin_connection *connection, struct span bytes)
{
    bool fits = buf_append(&connection->input, bytes);
    struct span input = buf_span(&connection->input);
    size_t len = span_find(input, '\n');

    if (fits && len == input.len)
        return;
    if (!fits) {
        admin_fail(connection, "request", "a request has at most %d bytes", ADMIN_LINE_MAX);
        admin_flush(connection);
        return;
    }
    struct span line = span_first(input, len);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    admin_serve(connection, line);
}

/* Behind the request nothing is wanted but the end: of a reply that is under way it means nothing,
 * as a shell's client may close its half, but whoever watches has gone. */
static void admin_drain(struct admin_connection *connection, ssize_t len)
{
    if (len > 0)
        return;
    if (len < 0 || connection->is_watching || !connection->is_answered)
        admin_close(connection);
    else
        event_del(&connection->readable);
}

static void admin_on_readable(evutil_socket_t fd, short what, void *context)
{
    struct admin_connection *connection = context;
    char bytes[ADMIN_LINE_MAX];

    (void)what;
    ssize_t len = recv(fd, bytes, sizeof bytes, 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len > 0 && !connection->is_answered)
        admin_take(connection, span_make(bytes, (size_t)len));
    else
        admin_drain(connection, len);
}

/* --- its beginning --- */

static bool admin_is_in_group(const struct identity *identity, gid_t group)
{
    for (size_t i = 0; i < identity->group_count; i++)
        if (identity->groups[i] == group)
            return true;
    return identity->gid == group;
}

bool admin_is_allowed(const struct identity *identity)
{
    return identity->has_credentials && (identity->uid == 0 || identity->uid == geteuid() ||
                                         admin_is_in_group(identity, getegid()));
}

static struct admin_connection *admin_add(struct admin *admin, int fd)
{
    struct admin_connection *connection = mem_zalloc(1, sizeof *connection);

    connection->admin = admin;
    connection->fd = fd;
    connection->next = admin->first;
    connection->link = &admin->first;
    if (connection->next)
        connection->next->link = &connection->next;
    admin->first = connection;
    admin->count++;
    buf_init(&connection->input, ADMIN_LINE_MAX);
    buf_init(&connection->output, ADMIN_OUTPUT_MAX);
    event_assign(&connection->readable, admin->base, fd, EV_READ | EV_PERSIST, admin_on_readable,
                 connection);
    event_assign(&connection->writable, admin->base, fd, EV_WRITE, admin_on_writable, connection);
    event_assign(&connection->timer, admin->base, -1, 0, admin_on_timer, connection);
    event_add(&connection->readable, NULL);
    admin_set_timer(connection, ADMIN_REQUEST_MS);
    return connection;
}

static bool admin_accept(void *context, struct listener *listener, int fd)
{
    struct admin *admin = context;
    struct peer peer;

    if (fd < 0) {
        listener_pause(listener, &admin->paused, ADMIN_PAUSE_MS);
        return false;
    }
    peer_identify(fd, &peer);
    if (admin->count < 2 * ADMIN_CONNECTIONS_MAX) {
        struct admin_connection *connection = admin_add(admin, fd);
        connection->is_allowed = admin_is_allowed(&peer.identity);
        connection->is_one_too_many = admin->count > ADMIN_CONNECTIONS_MAX;
        connection->is_root = peer.identity.has_credentials && peer.identity.uid == 0;
    } else {
        close(fd);
    }
    peer_clear(&peer);
    return true;
}

bool admin_start(struct admin *admin, struct event_base *base, const char *runtime_dir,
                 struct buf *reason)
{
    struct listener_spec spec = {
        .path = mem_printf("%s/%s", runtime_dir, ADMIN_SOCKET),
        .user = (uid_t)-1,
        .group = (gid_t)-1,
        .mode = ADMIN_MODE,
    };

    admin->base = base;
    admin->listener = listener_new(base, &spec, admin_accept, admin, reason);
    return admin->listener != NULL;
}

void admin_stop(struct admin *admin)
{
    listener_free(admin->listener);
    admin->listener = NULL;
    while (admin->first) {
        struct admin_connection *connection = admin->first;
        if (connection->is_watching) {
            connection->is_watching = false;
            admin_end(connection);
        }
        struct span rest = buf_span(&connection->output);
        if (rest.len > 0)
            (void)!send(connection->fd, rest.data, rest.len, MSG_NOSIGNAL);
        admin_close(connection);
    }
}
