/* Log lines.
 *
 * Callers hand in any bytes; a line that could end early, colour a terminal or forge another line
 * cannot leave this file. The level and where stderr leads to are the only process-wide state of
 * the program beside the daemon object. Under systemd lines carry the "<N>" of sd-daemon(3). */
#include "log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ascii.h"
#include "buf.h"

#define LOG_LINE_MAX 4096

static enum log_level log_maximum = LOG_LEVEL_INFO;
static bool log_to_journal;

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

static void log_from_libevent(int severity, const char *message)
{
    enum log_level level = LOG_LEVEL_DEBUG;

    if (severity == EVENT_LOG_ERR)
        level = LOG_LEVEL_ERROR;
    else if (severity == EVENT_LOG_WARN)
        level = LOG_LEVEL_WARNING;
    log_at(level, "libevent: %s", message);
}

void log_open(enum log_level level)
{
    log_maximum = level;
    log_to_journal = log_stderr_is_journal();
    event_set_log_callback(log_from_libevent);
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

static void log_write(struct buf *line)
{
    buf_append_char(line, '\n');
    struct span text = buf_span(line);
    while (write(STDERR_FILENO, text.data, text.len) < 0 && errno == EINTR)
        ;
    buf_clear(line);
}

void log_at_v(enum log_level level, const char *format, va_list arguments)
{
    struct buf line;
    char *text = NULL;

    if (!log_is_enabled(level) || vasprintf(&text, format, arguments) < 0)
        return;
    buf_init(&line, LOG_LINE_MAX);
    if (log_to_journal)
        buf_printf(&line, "<%c>", log_levels[level].journal);
    else
        buf_printf(&line, "onion-grater: %s: ", log_levels[level].name);
    log_append(&line, text);
    free(text);
    log_write(&line);
}

void log_at(enum log_level level, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    log_at_v(level, format, arguments);
    va_end(arguments);
}

void log_plain(const char *text)
{
    struct buf line;

    buf_init(&line, LOG_LINE_MAX);
    log_append(&line, text);
    log_write(&line);
}

static void log_diag(const struct diag *diag)
{
    enum log_level level = diag->severity == DIAG_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING;

    if (diag->line > 0)
        log_at(level, "%s:%u:%u: %s", diag->file, diag->line, diag->column, diag->text);
    else
        log_at(level, "%s: %s", diag->file, diag->text);
}

void log_diags(const struct diag_list *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        log_diag(&diags->items[i]);
    if (diags->count >= DIAG_MAX)
        log_at(LOG_LEVEL_WARNING, "further messages are not shown");
}

static void log_limit_fill(struct log_limit *limit, uint64_t now_ms)
{
    uint64_t earned = (now_ms - limit->filled_ms) * LOG_LIMIT_PER_SECOND;
    unsigned room = LOG_LIMIT_BURST * 1000 - limit->milli_tokens;

    limit->milli_tokens += earned < room ? (unsigned)earned : room;
    limit->filled_ms = now_ms;
}

void log_limit_init(struct log_limit *limit, uint64_t now_ms)
{
    *limit = (struct log_limit){.filled_ms = now_ms, .milli_tokens = LOG_LIMIT_BURST * 1000};
}

bool log_limit_pass(struct log_limit *limit, uint64_t now_ms)
{
    log_limit_fill(limit, now_ms);
    if (limit->milli_tokens < 1000) {
        limit->left_out++;
        return false;
    }
    limit->milli_tokens -= 1000;
    return true;
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
    return limit->left_out == 0 && limit->milli_tokens == LOG_LIMIT_BURST * 1000;
}
