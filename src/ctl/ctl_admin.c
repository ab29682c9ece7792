/* A line is waited for with poll(2), so that a daemon that hangs, a reader of ours that is gone, or
 * a key end the wait. The daemon closes behind its last line; a connection that ends without one
 * was cut, and what was read of it is not all. */
#include "ctl_admin.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"
#include "ctl_signals.h"
#include "mem.h"
#include "quoted.h"

#define ADMIN_SOCKET "admin.sock"
#define PROTOCOL_VERSION "1"
#define REQUEST_MAX 4096 /* bytes that the daemon reads */
#define LINE_MAX_BYTES (4 * 1024 * 1024)
#define PIECE 65536
#define LOG_HINT "its log says why: journalctl -u onion-grater"

void ctl_admin_init(struct ctl_admin *admin, const char *verb)
{
    *admin =
        (struct ctl_admin){.verb = verb, .timeout = CTL_ADMIN_TIMEOUT, .interrupter = -1, .fd = -1};
    ctl_setup_init(&admin->setup);
    buf_init(&admin->request, REQUEST_MAX);
    buf_init(&admin->input, LINE_MAX_BYTES);
}

static void hang_up(struct ctl_admin *admin)
{
    if (admin->fd >= 0)
        close(admin->fd);
    admin->fd = -1;
    admin->handed = 0;
    admin->scanned = 0;
    admin->is_begun = false;
    buf_reset(&admin->input);
}

void ctl_admin_clear(struct ctl_admin *admin)
{
    hang_up(admin);
    ctl_setup_clear(&admin->setup);
    buf_wipe(&admin->request);
    buf_wipe(&admin->input);
    free(admin->path);
    free(admin->error);
}

/* --- what is wrong --- */

/* Keeps the text, which it takes over. */
static void set_error(struct ctl_admin *admin, int status, char *text)
{
    free(admin->error);
    admin->error = text;
    admin->status = status;
    admin->is_absent = false;
    admin->is_denied = false;
}

int ctl_admin_complain(const struct ctl_admin *admin)
{
    fprintf(stderr, "onion-graterctl %s: %s\n", admin->verb, admin->error);
    return admin->status;
}

static char *connect_error_text(const char *path, int error)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return mem_printf("%s: the daemon is not running, or has its sockets elsewhere "
                          "(--runtime-dir); start it: systemctl start onion-grater",
                          path);
    case EACCES:
    case EPERM:
        return mem_printf("%s: permission denied: do this as root", path);
    case EAGAIN:
        return mem_printf("%s: the daemon is busy, or hangs; try again, or restart it: systemctl "
                          "restart onion-grater",
                          path);
    default:
        return mem_printf("%s: %s", path, strerror(error));
    }
}

/* What the daemon's own error is followed by. */
static const char *advice_of(struct span record)
{
    static const struct {
        const char *code;
        const char *advice;
    } rows[] = {
        {"denied", "; do this as root"},
        {"version", "; the daemon that runs is of another version than this onion-graterctl "
                    "(" PACKAGE_VERSION "): systemctl restart onion-grater"},
        {"request", "; this is onion-graterctl " PACKAGE_VERSION
                    ": if the daemon is older, restart it: systemctl restart onion-grater"},
        {"busy", "; try again in a moment"},
        {"failed", "; " LOG_HINT},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (record_equals(record, "code", rows[i].code))
            return rows[i].advice;
    return "";
}

static void take_error(struct ctl_admin *admin, struct span record)
{
    struct buf text;

    buf_init(&text, LINE_MAX_BYTES);
    if (!record_said(record, "text", &text))
        buf_append_string(&text, "the daemon refused, and does not say why");
    buf_append_string(&text, advice_of(record));
    set_error(admin, CTL_FAILED, mem_copy_string(buf_span(&text)));
    admin->is_denied = record_equals(record, "code", "denied");
    buf_clear(&text);
}

/* --- where it is --- */

bool ctl_admin_set(struct ctl_admin *admin, const char *name, const char *value)
{
    if (strcmp(name, "socket") != 0)
        return ctl_setup_set(&admin->setup, admin->verb, name, value);
    free(admin->path);
    admin->path = mem_copy_string(span_from_string(value));
    return true;
}

/* False: the configuration that was named cannot be read. The default one may be for others to
 * read, or broken since the daemon has read it: the daemon is looked for at its usual place then.
 */
static bool find_path(struct ctl_admin *admin)
{
    bool is_named = admin->setup.options.config != NULL;

    if (admin->path)
        return true;
    if (!admin->setup.options.runtime_dir && !ctl_setup_load_config(&admin->setup) && is_named) {
        set_error(admin, CTL_USAGE, mem_printf("the daemon is not looked for"));
        return false;
    }
    if (!admin->setup.options.runtime_dir)
        options_complete(&admin->setup.options);
    admin->path = mem_printf("%s/" ADMIN_SOCKET, admin->setup.options.runtime_dir);
    return true;
}

/* --- the question --- */

void ctl_admin_begin(struct ctl_admin *admin, const char *question)
{
    buf_reset(&admin->request);
    buf_printf(&admin->request, PROTOCOL_VERSION " %s", question);
}

void ctl_admin_add(struct ctl_admin *admin, const char *name, const char *value)
{
    buf_printf(&admin->request, " %s=", name);
    quoted_encode(span_from_string(value), &admin->request);
}

static bool connect_to(struct ctl_admin *admin)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = admin->timeout > 0 ? admin->timeout : CTL_ADMIN_TIMEOUT};

    if (strlen(admin->path) >= sizeof address.sun_path) {
        set_error(admin, CTL_USAGE,
                  mem_printf("%s: too long for the path of a socket", admin->path));
        return false;
    }
    memcpy(address.sun_path, admin->path, strlen(admin->path) + 1);
    admin->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* Connecting and sending wait no longer than reading does. */
    if (admin->fd >= 0 &&
        setsockopt(admin->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
        connect(admin->fd, (struct sockaddr *)&address, sizeof address) == 0)
        return true;
    int error = errno;
    set_error(admin, CTL_FAILED, connect_error_text(admin->path, error));
    admin->is_absent = error == ENOENT || error == ECONNREFUSED;
    admin->is_denied = error == EACCES || error == EPERM;
    return false;
}

bool ctl_admin_send(struct ctl_admin *admin)
{
    hang_up(admin);
    if (!buf_append_char(&admin->request, '\n') || admin->request.overflow) {
        set_error(admin, CTL_USAGE, mem_printf("this is too long to ask"));
        return false;
    }
    if (!find_path(admin) || !connect_to(admin))
        return false;
    struct span text = buf_span(&admin->request);
    /* One that refuses us may have closed already: then its reason is there to be read. */
    ssize_t sent = send(admin->fd, text.data, text.len, MSG_NOSIGNAL);
    if (sent == (ssize_t)text.len || (sent < 0 && (errno == EPIPE || errno == ECONNRESET)))
        return true;
    set_error(admin, CTL_FAILED,
              mem_printf("%s: %s", admin->path, sent < 0 ? strerror(errno) : "not all was sent"));
    return false;
}

/* --- the answer --- */

static enum ctl_admin_result fail(struct ctl_admin *admin, const char *text)
{
    set_error(admin, CTL_FAILED, mem_printf("%s: %s", admin->path, text));
    return CTL_ADMIN_FAILED;
}

/* CTL_ADMIN_RECORD: there is something to be read. */
static enum ctl_admin_result wait_for_input(struct ctl_admin *admin)
{
    struct pollfd polled[3] = {
        {.fd = admin->fd, .events = POLLIN},
        {.fd = admin->interrupter, .events = admin->interruption},
        {.fd = ctl_signals_fd(), .events = POLLIN},
    };

    for (;;) {
        int ready = poll(polled, 3, admin->timeout < 0 ? -1 : admin->timeout * 1000);
        if (ready < 0 && errno != EINTR)
            return fail(admin, strerror(errno));
        if (ready == 0)
            return fail(admin, "the daemon does not answer; " LOG_HINT);
        if (ready > 0 && (polled[2].revents || (polled[1].revents && !polled[0].revents)))
            return CTL_ADMIN_INTERRUPTED;
        if (ready > 0)
            return CTL_ADMIN_RECORD;
    }
}

/* CTL_ADMIN_RECORD: there is more input. */
static enum ctl_admin_result read_more(struct ctl_admin *admin)
{
    char piece[PIECE];
    enum ctl_admin_result result = wait_for_input(admin);

    if (result != CTL_ADMIN_RECORD)
        return result;
    ssize_t len = recv(admin->fd, piece, sizeof piece, 0);
    if (len < 0 && errno != ECONNRESET)
        return fail(admin, strerror(errno));
    if (len <= 0)
        return fail(admin, admin->is_begun || admin->input.len > 0
                               ? "the answer was cut: the daemon has stopped; " LOG_HINT
                               : "the daemon has hung up; " LOG_HINT);
    if (!buf_append(&admin->input, span_make(piece, (size_t)len)))
        return fail(admin, "a line of the answer is too long; is this onion-grater's?");
    return CTL_ADMIN_RECORD;
}

/* The length of the first line of the input with its end; 0: it is not complete. */
static size_t line_length(struct ctl_admin *admin)
{
    struct span fresh = span_from(buf_span(&admin->input), admin->scanned);
    size_t end = span_find(fresh, '\n');

    if (end < fresh.len)
        return admin->scanned + end + 1;
    admin->scanned = admin->input.len;
    return 0;
}

static enum ctl_admin_result judge(struct ctl_admin *admin, struct span record)
{
    admin->is_begun = true;
    if (!record_is_sound(record) || record_value(record, "type").len == 0)
        return fail(admin, "a line of the answer cannot be read; is this onion-grater's?");
    if (record_equals(record, "type", "end"))
        return CTL_ADMIN_END;
    if (!record_equals(record, "type", "error"))
        return CTL_ADMIN_RECORD;
    take_error(admin, record);
    return CTL_ADMIN_FAILED;
}

enum ctl_admin_result ctl_admin_next(struct ctl_admin *admin, struct span *record_out)
{
    size_t len;

    buf_consume(&admin->input, admin->handed);
    admin->handed = 0;
    while ((len = line_length(admin)) == 0) {
        enum ctl_admin_result result = read_more(admin);
        if (result != CTL_ADMIN_RECORD)
            return result;
    }
    admin->handed = len;
    admin->scanned = 0;
    *record_out = span_first(buf_span(&admin->input), len - 1);
    return judge(admin, *record_out);
}

enum ctl_admin_result ctl_admin_ask(struct ctl_admin *admin, struct answer *answer)
{
    enum ctl_admin_result result = CTL_ADMIN_FAILED;
    struct span record;

    if (ctl_admin_send(admin))
        while ((result = ctl_admin_next(admin, &record)) == CTL_ADMIN_RECORD)
            if (!answer_add(answer, record))
                return fail(admin, "the answer is longer than can be shown");
    hang_up(admin);
    return result;
}

bool ctl_admin_ask_once(struct ctl_admin *admin, struct answer *answer)
{
    enum ctl_admin_result result = ctl_admin_ask(admin, answer);

    if (result == CTL_ADMIN_FAILED)
        ctl_admin_complain(admin);
    else if (result != CTL_ADMIN_END)
        admin->status = CTL_FAILED;
    return result == CTL_ADMIN_END;
}
