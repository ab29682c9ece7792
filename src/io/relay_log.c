/* Lines about sessions. A client decides how many there are, so they are counted against its
 * user's limit, not its connection's: connecting anew buys nothing. A connection that closes
 * without a byte is a probe, and only seen with --debug. */
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "describe.h"
#include "log.h"
#include "mem.h"
#include "relay_parts.h"

#define RELAY_REPORT_MS 10000
#define RELAY_TEXT_MAX 1024

void relay_host_note_left_out(struct relay_host *host)
{
    struct timeval delay = clock_interval_ms(RELAY_REPORT_MS);

    if (!event_pending(&host->report, EV_TIMEOUT, NULL))
        event_add(&host->report, &delay);
}

static void relay_say(struct relay *relay, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void relay_say(struct relay *relay, enum log_level level, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    if (!log_is_enabled(level))
        return;
    /* Whoever asked for debug lines wants them all. */
    if (level < LOG_LEVEL_DEBUG && !log_limit_pass(&relay->user->log, clock_monotonic_ms())) {
        relay_host_note_left_out(relay->host);
        return;
    }
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0) {
        log_at(level, "session %llu (%s): %s", relay->number, relay->label, text);
        free(text);
    }
    va_end(arguments);
}

static void relay_log_left_out(const struct quota_user *user, unsigned long count)
{
    if (user->is_known)
        log_at(LOG_LEVEL_WARNING, "%lu more lines of this client (uid %ju) left out", count,
               (uintmax_t)user->uid);
    else
        log_at(LOG_LEVEL_WARNING, "%lu more lines of clients without a known uid left out", count);
}

void relay_log_report(evutil_socket_t fd, short what, void *context)
{
    struct relay_host *host = context;

    (void)fd;
    (void)what;
    quota_report_left_out(host->quota, relay_log_left_out);
}

/* --- commands --- */

/* What was done, in one word, for the log. */
static const char *relay_log_verb(const struct session_report *report)
{
    if (report->is_local)
        return "answered";
    switch (report->verdict) {
    case VERDICT_REFUSE:
        return "rejected";
    case VERDICT_ANSWER:
        return "answered";
    case VERDICT_FORWARD:
    case VERDICT_SUBSCRIBE:
        break;
    }
    return report->is_rewritten ? "rewritten" : "allowed";
}

static void relay_log_command(struct relay *relay, enum log_level level,
                              const struct session_report *report)
{
    struct buf text;

    if (!log_is_enabled(level))
        return;
    buf_init(&text, RELAY_TEXT_MAX);
    describe_command(&text, report->command);
    if (report->reason)
        buf_printf(&text, ": %s", report->reason);
    if (report->rule.file) {
        buf_append_string(&text, report->reason ? " (" : ": ");
        source_format(&text, report->rule);
        buf_append_string(&text, report->reason ? ")" : "");
    }
    struct span line = buf_span(&text);
    relay_say(relay, level, "%s %.*s", relay_log_verb(report), (int)line.len, line.data);
    buf_clear(&text);
}

static void relay_on_command(void *context, const struct session_report *report)
{
    struct relay *relay = context;
    bool is_refused = report->verdict == VERDICT_REFUSE && !report->is_local;

    relay->refused += is_refused;
    relay->rewritten += !is_refused && report->is_rewritten;
    relay->allowed += !is_refused && !report->is_rewritten;
    relay_log_command(relay, is_refused ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG, report);
}

static void relay_on_problem(void *context, const char *text)
{
    struct relay *relay = context;

    relay->problems++;
    if (relay->tor == RELAY_TOR_LOGIN && !session_is_logged_in(relay->session)) {
        /* All sessions share this problem. */
        upstream_note_refused(relay->host->upstream, text);
        relay_say(relay, LOG_LEVEL_DEBUG, "%s", text);
    } else {
        relay_say(relay, LOG_LEVEL_WARNING, "%s", text);
    }
}

/* --- start and end --- */

static char *relay_log_label(const struct relay_setup *setup)
{
    struct buf text;

    buf_init(&text, RELAY_TEXT_MAX);
    buf_append_string(&text, setup->view->count == 1  ? "profile "
                             : setup->view->count > 1 ? "profiles "
                                                      : "no profile matches");
    for (size_t i = 0; i < setup->view->count; i++)
        buf_printf(&text, "%s%s", i > 0 ? " " : "", setup->view->profiles[i]->name);
    if (setup->identity->has_credentials)
        buf_printf(&text, ", uid %ju", (uintmax_t)setup->identity->uid);
    else
        buf_append_string(&text, ", uid unknown");
    char *label = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return label;
}

void relay_log_init(struct relay *relay, const struct relay_setup *setup)
{
    relay->label = relay_log_label(setup);
    relay->pid = setup->identity->has_credentials ? setup->identity->pid : 0;
    relay->socket_path = mem_copy_string(span_from_string(setup->socket_path));
    relay->observer = (struct session_observer){
        .command = relay_on_command,
        .problem = relay_on_problem,
        .context = relay,
    };
}

void relay_log_clear(struct relay *relay)
{
    free(relay->label);
    free(relay->socket_path);
    relay->label = NULL;
    relay->socket_path = NULL;
}

void relay_log_start(struct relay *relay)
{
    if (relay->is_announced)
        return;
    relay->is_announced = true;
    relay_say(relay, LOG_LEVEL_INFO, "began: pid %jd on %s", (intmax_t)relay->pid,
              relay->socket_path);
}

void relay_log_end(struct relay *relay, const char *reason)
{
    if (!relay->is_announced) {
        relay_say(relay, LOG_LEVEL_DEBUG, "came and went without a byte: pid %jd on %s",
                  (intmax_t)relay->pid, relay->socket_path);
        return;
    }
    relay_say(relay, LOG_LEVEL_INFO,
              "ended: %s; commands: %lu allowed, %lu rewritten, %lu rejected; %lu problems", reason,
              relay->allowed, relay->rewritten, relay->refused, relay->problems);
}
