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
#include "relay_complain.h"
#include "refusals.h"
#include "relay_parts.h"
#include "secrets.h"
#include "watch.h"

#define RELAY_REPORT_MS 10000
#define RELAY_TEXT_MAX 1024
#define RELAY_ACCOUNT_MAX 64
#define RELAY_NAME_MAX 256 /* bytes shown of a label, a path or a unit */
#define RELAY_ORIGIN_MAX 4096
#define RELAY_COMPLAINT_MAX 4096
#define RELAY_NUMBER_MAX 24 /* of a number in decimal digits */
#define RELAY_FIELDS_OWN 3
#define RELAY_FIELDS_PROFILES 4
#define RELAY_FIELDS_MORE 3

void relay_host_note_left_out(struct relay_host *host)
{
    struct timeval delay = clock_interval_ms(RELAY_REPORT_MS);

    if (!event_pending(&host->report, EV_TIMEOUT, NULL))
        event_add(&host->report, &delay);
}

static bool relay_log_may_say(struct relay *relay, enum log_level level)
{
    uint64_t now_ms = clock_monotonic_ms();

    if (level == LOG_LEVEL_DEBUG)
        return log_limit_pass_debug(&relay->user->log, now_ms);
    return log_limit_pass(&relay->user->log, now_ms);
}

/* What programs may look for in the journal: who it is, and `more`. */
static void relay_write(struct relay *relay, enum log_level level, const char *id,
                        const struct journal_field *more, size_t more_count, const char *text)
{
    struct journal_field fields[RELAY_FIELDS_OWN + RELAY_FIELDS_PROFILES + RELAY_FIELDS_MORE];
    char number[RELAY_NUMBER_MAX], uid[RELAY_NUMBER_MAX];
    const struct identity *identity = &relay->identity;
    const struct policy_view *view = session_view(relay->session);
    size_t count = 0;

    snprintf(number, sizeof number, "%llu", relay->number);
    fields[count++] = (struct journal_field){"OG_SESSION", span_from_string(number)};
    /* A field may be there several times. */
    for (size_t i = 0; i < view->count && i < RELAY_FIELDS_PROFILES; i++)
        fields[count++] =
            (struct journal_field){"OG_PROFILE", span_from_string(view->profiles[i]->name)};
    if (identity->has_credentials) {
        snprintf(uid, sizeof uid, "%ju", (uintmax_t)identity->uid);
        fields[count++] = (struct journal_field){"OG_UID", span_from_string(uid)};
    }
    if (identity->label_state == IDENTITY_CONFINED)
        fields[count++] = (struct journal_field){"OG_LABEL", span_from_string(identity->label)};
    for (size_t i = 0; i < more_count && i < RELAY_FIELDS_MORE; i++)
        fields[count++] = more[i];
    char *line = mem_printf("session %llu (%s): %s", relay->number, relay->label, text);
    log_entry(level, id, fields, count, line);
    free(line);
}

/* The same within the client's limit. */
static void relay_tell(struct relay *relay, enum log_level level, const char *id,
                       const struct journal_field *more, size_t more_count, const char *text)
{
    if (!log_is_enabled(level))
        return;
    if (relay_log_may_say(relay, level))
        relay_write(relay, level, id, more, more_count, text);
    else
        relay_host_note_left_out(relay->host);
}

static void relay_say(struct relay *relay, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void relay_say(struct relay *relay, enum log_level level, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;

    if (!log_is_enabled(level))
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) >= 0) {
        relay_tell(relay, level, NULL, NULL, 0, text);
        free(text);
    }
    va_end(arguments);
}

void relay_log_limit(struct relay *relay, const char *text)
{
    relay_say(relay, LOG_LEVEL_INFO, "%s", text);
}

static void relay_on_limit(void *context, enum session_limit limit)
{
    struct relay *relay = context;

    relay->host->counters->at[limit]++;
}

static void relay_log_left_out(void *context, const struct quota_user *user, unsigned long count)
{
    struct relay_host *host = context;
    char name[RELAY_ACCOUNT_MAX];

    host->counters->log_lines_left_out += count;
    quota_user_describe(user, name, sizeof name);
    log_at(LOG_LEVEL_WARNING,
           "%lu more lines of this client (%s) left out (limits: log-lines-per-minute)", count,
           name);
}

void relay_log_report(evutil_socket_t fd, short what, void *context)
{
    struct relay_host *host = context;

    (void)fd;
    (void)what;
    quota_report_left_out(host->quota, relay_log_left_out, host);
}

/* --- commands --- */

/* "rejected GETINFO address: no rule allows these arguments (/etc/...:3:5)". */
static char *relay_command_line(const struct session_report *report, struct span command,
                                struct span rule)
{
    const char *outcome = tally_name(tally_outcome(report));
    const char *reason = report->reason ? report->reason : "";

    return mem_printf("%s %.*s%s%s%s%.*s%s", outcome, (int)command.len, command.data,
                      report->reason ? ": " : "", reason,
                      rule.len == 0 ? "" : (report->reason ? " (" : ": "), (int)rule.len, rule.data,
                      rule.len > 0 && report->reason ? ")" : "");
}

static void relay_log_command(struct relay *relay, enum log_level level,
                              const struct session_report *report)
{
    bool is_refused = level == LOG_LEVEL_WARNING;
    struct journal_field fields[RELAY_FIELDS_MORE];
    struct buf command, rule;
    size_t count = 0;

    if (!log_is_enabled(level))
        return;
    buf_init(&command, RELAY_TEXT_MAX);
    buf_init(&rule, RELAY_TEXT_MAX);
    describe_command(&command, report->command);
    if (report->rule.file)
        source_format(&rule, report->rule);
    fields[count++] = (struct journal_field){"OG_COMMAND", buf_span(&command)};
    if (report->reason)
        fields[count++] = (struct journal_field){"OG_REASON", span_from_string(report->reason)};
    if (rule.len > 0)
        fields[count++] = (struct journal_field){"OG_RULE", buf_span(&rule)};
    char *line = relay_command_line(report, buf_span(&command), buf_span(&rule));
    relay_tell(relay, level, is_refused ? JOURNAL_ID_REFUSED : NULL, fields, count, line);
    free(line);
    buf_clear(&command);
    buf_clear(&rule);
}

/* Complaints are wanted, and an application begins with hundreds: they have the larger limit, that
 * of the debug lines. */
static void relay_log_complaint(struct relay *relay, const struct session_report *report)
{
    struct buf text;

    buf_init(&text, RELAY_COMPLAINT_MAX);
    if (complaints_describe(relay->complaints, &relay->identity, session_view(relay->session),
                            report, &text)) {
        char *line = mem_copy_string(buf_span(&text));
        if (log_limit_pass_debug(&relay->user->log, clock_monotonic_ms()))
            relay_write(relay, LOG_LEVEL_WARNING, JOURNAL_ID_COMPLAINT, NULL, 0, line);
        else
            relay_host_note_left_out(relay->host);
        free(line);
    }
    buf_clear(&text);
}

static struct watch_subject relay_subject(const struct relay *relay)
{
    return (struct watch_subject){
        .session = relay->number,
        .identity = &relay->identity,
        .view = session_view(relay->session),
        .no_match = relay->no_match,
    };
}

static void relay_on_command(void *context, const struct session_report *report)
{
    struct relay *relay = context;
    struct watch_subject subject = relay_subject(relay);
    enum tally_kind outcome = tally_outcome(report);

    relay_count(relay, outcome, 1);
    watch_command(relay->host->watch, &subject, report);
    if (outcome == TALLY_COMPLAINED && relay->complaints)
        relay_log_complaint(relay, report);
    if (outcome == TALLY_REJECTED)
        refusals_note(relay->host->refusals, relay->number, &relay->identity, subject.view, report);
    relay_log_command(relay, outcome == TALLY_REJECTED ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG,
                      report);
}

static void relay_on_event(void *context, const char *name, bool is_passed)
{
    struct relay *relay = context;
    struct watch_subject subject = relay_subject(relay);

    relay_count(relay, is_passed ? TALLY_EVENTS_PASSED : TALLY_EVENTS_WITHHELD, 1);
    watch_event(relay->host->watch, &subject, name, is_passed);
}

static void relay_on_problem(void *context, const char *text)
{
    struct relay *relay = context;

    relay_count(relay, TALLY_PROBLEMS, 1);
    if (relay->tor == RELAY_TOR_LOGIN && !session_is_logged_in(relay->session)) {
        /* All sessions share this problem. */
        if (secrets_take_shortage(relay->host->secrets))
            upstream_note_shortage(relay->host->upstream, text);
        else
            upstream_note_refused(relay->host->upstream, text);
        relay_say(relay, LOG_LEVEL_DEBUG, "%s", text);
    } else {
        relay_say(relay, LOG_LEVEL_WARNING, "%s", text);
    }
}

/* --- start and end --- */

/* Who it is, at the head of each line. */
static char *relay_log_label(const struct identity *identity, const struct policy_view *view)
{
    struct buf text;

    buf_init(&text, RELAY_TEXT_MAX);
    if (view->count > 0)
        buf_append_string(&text, "profile ");
    else
        buf_append_string(&text, identity->is_tor ? "tor itself" : "no profile matches");
    for (size_t i = 0; i < view->count; i++)
        buf_printf(&text, "%s%s", i > 0 ? ", " : "", view->profiles[i]->name);
    if (identity->transport == IDENTITY_TCP_REMOTE)
        buf_append_string(&text, ", another machine");
    else if (identity->has_credentials)
        buf_printf(&text, ", uid %ju", (uintmax_t)identity->uid);
    else
        buf_append_string(&text, ", uid unknown");
    char *label = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return label;
}

static void relay_log_add_apparmor(struct buf *text, const struct identity *identity)
{
    const char *evidence = identity_evidence_text(identity->label_evidence);

    switch (identity->label_state) {
    case IDENTITY_LABEL_UNKNOWN:
        buf_printf(text, "no label: %s", identity->label_doubt ? identity->label_doubt : "unknown");
        break;
    case IDENTITY_UNCONFINED:
        buf_printf(text, "unconfined by %s evidence", evidence);
        break;
    case IDENTITY_CONFINED:
        buf_append_string(text, "label \"");
        buf_append_escaped(text, span_from_string(identity->label), RELAY_NAME_MAX);
        buf_printf(text, "\" by %s evidence", evidence);
        break;
    }
}

static void relay_log_add_name(struct buf *text, const char *what, const char *name)
{
    if (!name)
        return;
    buf_printf(text, ", %s ", what);
    buf_append_escaped(text, span_from_string(name), RELAY_NAME_MAX);
}

/* What is known of it, for its first line. */
static char *relay_log_origin(const struct identity *identity, const struct relay_setup *setup)
{
    struct buf text;

    buf_init(&text, RELAY_ORIGIN_MAX);
    if (identity->pid > 0 || identity->transport == IDENTITY_UNIX)
        buf_printf(&text, "pid %jd ", (intmax_t)identity->pid);
    buf_printf(&text, "on %s", setup->socket_path);
    if (identity->transport != IDENTITY_TCP_REMOTE) {
        buf_append_string(&text, "; ");
        relay_log_add_apparmor(&text, identity);
    }
    relay_log_add_name(&text, "executable", identity->executable);
    relay_log_add_name(&text, "unit", identity->unit);
    if (setup->no_match)
        buf_printf(&text, "; %s", setup->no_match);
    char *origin = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return origin;
}

/* What tor sends, with all values masked. */
static void relay_on_tor_line(void *context, const struct reply_line *line)
{
    struct relay *relay = context;
    struct buf text;

    buf_init(&text, RELAY_TEXT_MAX);
    describe_reply_line(&text, line->wire);
    struct span masked = buf_span(&text);
    relay_say(relay, LOG_LEVEL_DEBUG, "from tor: %.*s", (int)masked.len, masked.data);
    buf_clear(&text);
}

void relay_log_init(struct relay *relay, const struct relay_setup *setup)
{
    relay->label = relay_log_label(&relay->identity, setup->view);
    relay->socket = mem_copy_string(span_from_string(setup->socket_path));
    relay->no_match = setup->no_match;
    relay->origin = relay_log_origin(&relay->identity, setup);
    relay->complaints = setup->view->complain ? complaints_new() : NULL;
    relay->observer = (struct session_observer){
        .command = relay_on_command,
        .problem = relay_on_problem,
        .context = relay,
        .event = relay_on_event,
        .limit = relay_on_limit,
        .tor_line = log_is_enabled(LOG_LEVEL_DEBUG) ? relay_on_tor_line : NULL,
    };
}

void relay_log_clear(struct relay *relay)
{
    free(relay->label);
    free(relay->origin);
    free(relay->socket);
    complaints_free(relay->complaints);
    relay->complaints = NULL;
    relay->label = NULL;
    relay->origin = NULL;
    relay->socket = NULL;
}

void relay_log_start(struct relay *relay)
{
    struct watch_subject subject = relay_subject(relay);

    if (relay->is_announced)
        return;
    relay->is_announced = true;
    watch_session_began(relay->host->watch, &subject);
    relay_say(relay, LOG_LEVEL_INFO, "began: %s", relay->origin);
    free(relay->origin);
    relay->origin = NULL;
    if (policy_is_tor_browser_mode(session_view(relay->session)) &&
        relay->identity.transport != IDENTITY_TCP_REMOTE)
        relay_say(relay, LOG_LEVEL_INFO,
                  "tor-browser-mode is off: a client of this machine cannot be told from others by "
                  "the address of its streams");
    if (relay->complaints)
        relay_tell(relay, LOG_LEVEL_WARNING, JOURNAL_ID_COMPLAIN_MODE, NULL, 0,
                   "complain mode: what no profile allows is forwarded");
}

void relay_log_end(struct relay *relay, const char *reason)
{
    const unsigned long long *count = relay->tally.count;
    struct watch_subject subject = relay_subject(relay);

    if (!relay->is_announced) {
        relay_say(relay, LOG_LEVEL_DEBUG, "came and went without a byte: %s", relay->origin);
        return;
    }
    watch_session_ended(relay->host->watch, &subject, reason);
    if (count[TALLY_COMPLAINED] > 0)
        relay_say(relay, LOG_LEVEL_WARNING,
                  "complain mode: %llu commands passed that no profile allows",
                  count[TALLY_COMPLAINED]);
    relay_say(relay, LOG_LEVEL_INFO,
              "ended: %s; commands: %llu allowed, %llu rewritten, %llu rejected; %llu problems",
              reason, count[TALLY_ALLOWED] + count[TALLY_ANSWERED] + count[TALLY_COMPLAINED],
              count[TALLY_REWRITTEN], count[TALLY_REJECTED], count[TALLY_PROBLEMS]);
}
