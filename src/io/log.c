/* Log lines.
 *
 * Callers hand in any bytes; a line that could end early, colour a terminal or forge another line
 * cannot leave this file. The level and where stderr leads to are the only process-wide state of
 * the program beside the daemon object. Under systemd lines carry the "<N>" of sd-daemon(3).
 *
 * Nobody has to read what we write, and the loop that writes it serves all clients: a line that
 * would have to wait is left out and counted. stderr is shared with whoever started us, so it is
 * not made nonblocking; a pipe that poll(2) calls writable takes PIPE_BUF bytes at once. */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ascii.h"
#include "buf.h"
#include "mem.h"

#define LOG_LINE_MAX 4096 /* with the end of the line */
#define LOG_FIELDS_MAX 16
#define LOG_FIELD_MAX 512 /* bytes shown of a field's value */
_Static_assert(LOG_LINE_MAX <= PIPE_BUF, "a line goes into a pipe whole");

enum log_sink {
    LOG_SINK_FILE, /* never keeps us waiting for a reader */
    LOG_SINK_SOCKET,
    LOG_SINK_POLLED, /* a pipe, a terminal */
};

static enum log_level log_maximum = LOG_LEVEL_INFO;
static bool log_to_journal;
static int log_journal = -1; /* a socket for entries with fields */
static enum log_sink log_sink = LOG_SINK_FILE;
static int log_fd = STDERR_FILENO;
static unsigned long log_lost; /* lines, since the last one that was written */
static bool log_is_cut;        /* the last one was written in part */

static const struct {
    const char *name;
    char journal; /* syslog's number */
} log_levels[] = {
    [LOG_LEVEL_ERROR] = {"error", '3'},   [LOG_LEVEL_WARNING] = {"warning", '4'},
    [LOG_LEVEL_NOTICE] = {"notice", '5'}, [LOG_LEVEL_INFO] = {"info", '6'},
    [LOG_LEVEL_DEBUG] = {"debug", '7'},
};

static bool log_stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char own[64];

    if (!stream || fstat(STDERR_FILENO, &status) < 0)
        return false;
    snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)status.st_dev, (uintmax_t)status.st_ino);
    return strcmp(stream, own) == 0;
}

/* A description of our own may be nonblocking. Where there can be none poll(2) has to do: then a
 * terminal may still keep us, and a pipe if somebody else fills it in between. */
static void log_open_own(void)
{
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd >= 0)
        log_fd = fd;
}

static void log_find_sink(void)
{
    struct stat status;

    if (log_fd != STDERR_FILENO)
        close(log_fd);
    log_fd = STDERR_FILENO;
    log_sink = LOG_SINK_FILE;
    if (fstat(STDERR_FILENO, &status) < 0 || S_ISREG(status.st_mode))
        return;
    log_sink = S_ISSOCK(status.st_mode) ? LOG_SINK_SOCKET : LOG_SINK_POLLED;
    if (S_ISFIFO(status.st_mode) || isatty(STDERR_FILENO))
        log_open_own();
}

void log_open(enum log_level level)
{
    log_maximum = level;
    log_find_sink();
    log_to_journal = log_stderr_is_journal();
    if (log_to_journal && log_journal < 0)
        log_journal = journal_open();
}

void log_set_level(enum log_level level)
{
    log_maximum = level;
}

bool log_is_enabled(enum log_level level)
{
    return level <= log_maximum;
}

const char *log_level_name(enum log_level level)
{
    return log_levels[level].name;
}

bool log_level_find(const char *name, enum log_level *level_out)
{
    for (size_t i = 0; i < sizeof log_levels / sizeof log_levels[0]; i++) {
        if (strcmp(name, log_levels[i].name) == 0) {
            *level_out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* Appends `text` escaped, cut where the line is full; room for the end of the line is kept. A
 * backslash stays one: texts from peers were escaped once already. */
static void log_append(struct buf *line, const char *text)
{
    for (; *text && line->len < LOG_LINE_MAX - 8; text++) {
        if (ascii_is_printable(*text))
            buf_append_char(line, *text);
        else
            buf_printf(line, "\\x%02X", (unsigned)(unsigned char)*text);
    }
    if (*text)
        buf_append_string(line, "...");
}

static void log_begin(struct buf *line, enum log_level level)
{
    if (log_to_journal)
        buf_printf(line, "<%c>", log_levels[level].journal);
    else
        buf_printf(line, "onion-grater: %s: ", log_levels[level].name);
}

static bool log_is_writable(void)
{
    struct pollfd wanted = {.fd = log_fd, .events = POLLOUT};

    return log_sink != LOG_SINK_POLLED ||
           (poll(&wanted, 1, 0) > 0 && (wanted.revents & POLLOUT) != 0);
}

/* Writes what can be written now; whether that was all. */
static bool log_put(struct span text)
{
    ssize_t len = 0;

    if (!log_is_writable())
        return false;
    do {
        if (log_sink == LOG_SINK_SOCKET)
            len = send(log_fd, text.data, text.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        else
            len = write(log_fd, text.data, text.len);
    } while (len < 0 && errno == EINTR);
    if (len > 0)
        log_is_cut = (size_t)len < text.len;
    return len > 0 && !log_is_cut;
}

static bool log_report_lost(void)
{
    struct buf line;

    if (log_lost == 0)
        return true;
    buf_init(&line, LOG_LINE_MAX);
    if (log_is_cut)
        buf_append_char(&line, '\n');
    log_begin(&line, LOG_LEVEL_WARNING);
    buf_printf(&line, "%lu lines could not be written\n", log_lost);
    bool done = log_put(buf_span(&line));
    buf_clear(&line);
    if (done)
        log_lost = 0;
    return done;
}

static void log_line(enum log_level level, const char *text)
{
    struct buf line;

    buf_init(&line, LOG_LINE_MAX);
    log_begin(&line, level);
    log_append(&line, text);
    buf_append_char(&line, '\n');
    if (!log_report_lost() || !log_put(buf_span(&line)))
        log_lost++;
    buf_clear(&line);
}

void log_at_v(enum log_level level, const char *format, va_list arguments)
{
    char *text = NULL;

    if (!log_is_enabled(level) || vasprintf(&text, format, arguments) < 0)
        return;
    log_line(level, text);
    free(text);
}

void log_at(enum log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at_v(level, format, arguments);
    va_end(arguments);
}

/* --- entries with fields --- */

/* Each value escaped, in storage of its own. */
static bool log_send_entry(enum log_level level, const char *id, const struct journal_field *fields,
                           size_t count, const char *text)
{
    struct journal_field escaped[LOG_FIELDS_MAX];
    struct buf values[LOG_FIELDS_MAX + 1];

    count = count < LOG_FIELDS_MAX ? count : LOG_FIELDS_MAX;
    for (size_t i = 0; i < count; i++) {
        buf_init(&values[i], LOG_LINE_MAX);
        buf_append_escaped(&values[i], fields[i].value, LOG_FIELD_MAX);
        escaped[i] = (struct journal_field){fields[i].name, buf_span(&values[i])};
    }
    buf_init(&values[count], LOG_LINE_MAX);
    log_append(&values[count], text);
    bool done = journal_send(log_journal, JOURNAL_SOCKET, log_levels[level].journal, id,
                             buf_span(&values[count]), escaped, count);
    for (size_t i = 0; i <= count; i++)
        buf_clear(&values[i]);
    return done;
}

void log_entry(enum log_level level, const char *id, const struct journal_field *fields,
               size_t count, const char *text)
{
    if (!log_is_enabled(level))
        return;
    if (!log_to_journal || !log_send_entry(level, id, fields, count, text))
        log_line(level, text);
}

void log_plain(const char *text)
{
    struct buf line;

    buf_init(&line, LOG_LINE_MAX);
    log_append(&line, text);
    buf_append_char(&line, '\n');
    struct span whole = buf_span(&line);
    while (write(STDERR_FILENO, whole.data, whole.len) < 0 && errno == EINTR)
        ;
    buf_clear(&line);
}

static void log_diag(const struct diag *diag)
{
    enum log_level level = diag->severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;
    struct source where = {diag->file, diag->line, diag->column};
    struct buf place;

    buf_init(&place, LOG_LINE_MAX);
    source_format(&place, where);
    const struct journal_field field = {"OG_RULE", buf_span(&place)};
    char *text = mem_printf("%.*s: %s", (int)field.value.len, field.value.data, diag->text);
    log_entry(level, JOURNAL_ID_PROFILE, &field, 1, text);
    free(text);
    buf_clear(&place);
}

void log_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        log_diag(&diags->items[i]);
    if (diags->count >= DIAG_MAX)
        log_at(LOG_LEVEL_WARNING, "further messages are not shown");
}

static void log_bucket_fill(unsigned *filled, uint64_t passed_ms, unsigned per_minute,
                            unsigned burst)
{
    uint64_t earned = passed_ms * per_minute;
    unsigned room = burst * LOG_LIMIT_LINE - *filled;

    *filled += earned < room ? (unsigned)earned : room;
}

static unsigned log_limit_burst(const struct log_limit *limit)
{
    return limit->per_minute < LOG_LIMIT_BURST ? limit->per_minute : LOG_LIMIT_BURST;
}

static void log_limit_fill(struct log_limit *limit, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms - limit->filled_ms;

    if (passed_ms > LOG_LIMIT_LINE) /* a minute fills either bucket */
        passed_ms = LOG_LIMIT_LINE;
    log_bucket_fill(&limit->filled, passed_ms, limit->per_minute, log_limit_burst(limit));
    log_bucket_fill(&limit->filled_debug, passed_ms, LOG_LIMIT_DEBUG_PER_MINUTE,
                    LOG_LIMIT_DEBUG_BURST);
    limit->filled_ms = now_ms;
}

void log_limit_init(struct log_limit *limit, unsigned per_minute, uint64_t now_ms)
{
    *limit = (struct log_limit){
        .per_minute = per_minute,
        .filled_ms = now_ms,
        .filled_debug = LOG_LIMIT_DEBUG_BURST * LOG_LIMIT_LINE,
    };
    limit->filled = log_limit_burst(limit) * LOG_LIMIT_LINE;
}

static bool log_limit_take(struct log_limit *limit, unsigned *filled, uint64_t now_ms)
{
    log_limit_fill(limit, now_ms);
    if (*filled < LOG_LIMIT_LINE) {
        limit->left_out++;
        return false;
    }
    *filled -= LOG_LIMIT_LINE;
    return true;
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ms)
{
    return log_limit_take(limit, &limit->filled, now_ms);
}

bool log_limit_pass_debug(struct log_limit *limit, uint64_t now_ms)
{
    return log_limit_take(limit, &limit->filled_debug, now_ms);
}

unsigned long log_limit_take_left_out(struct log_limit *limit)
{
    unsigned long left_out = limit->left_out;

    limit->left_out = 0;
    return left_out;
}

bool log_limit_is_idle(struct log_limit *limit, uint64_t now_ms)
{
    log_limit_fill(limit, now_ms);
    return limit->left_out == 0 && limit->filled == log_limit_burst(limit) * LOG_LIMIT_LINE &&
           limit->filled_debug == LOG_LIMIT_DEBUG_BURST * LOG_LIMIT_LINE;
}
