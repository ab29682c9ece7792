/* A line is written once for those that see no values and once for those that do, and only if
 * somebody's filter lets it through: to watch one profile costs the others next to nothing. */
#include "watch.h"

#include <stdlib.h>
#include <string.h>

#include "admin_json.h"
#include "clock.h"
#include "describe.h"
#include "json.h"

#define WATCH_LINE_MAX (256 * 1024) /* the longest command, twice, each byte of it escaped */
#define WATCH_TEXT_MAX 1024

void watch_filter_clear(struct watch_filter *filter)
{
    free(filter->profile);
    *filter = (struct watch_filter){0};
}

void watch_add(struct watch *watch, struct watcher *watcher)
{
    watcher->next = watch->first;
    watcher->link = &watch->first;
    if (watcher->next)
        watcher->next->link = &watcher->next;
    watch->first = watcher;
}

void watch_remove(struct watcher *watcher)
{
    if (!watcher->link)
        return;
    *watcher->link = watcher->next;
    if (watcher->next)
        watcher->next->link = watcher->link;
    watcher->link = NULL;
}

size_t watch_count(const struct watch *watch)
{
    size_t count = 0;

    for (const struct watcher *watcher = watch->first; watcher; watcher = watcher->next)
        count++;
    return count;
}

/* --- filters --- */

static bool serves(const struct policy_view *view, const char *name)
{
    for (size_t i = 0; i < view->count; i++)
        if (strcmp(view->profiles[i]->name, name) == 0)
            return true;
    return false;
}

static bool is_about(const struct watch_filter *filter, const struct watch_subject *subject)
{
    const struct identity *identity = subject->identity;

    return (!filter->profile || serves(subject->view, filter->profile)) &&
           (!filter->has_uid || (identity->has_credentials && identity->uid == filter->uid)) &&
           (!filter->has_session || filter->session == subject->session);
}

/* What a line is, for the filters. */
struct occasion {
    bool is_command;
    enum tally_kind outcome; /* of a command */
    bool has_values;         /* a command with all that the client said */
    bool is_event;
};

static bool wants(const struct watcher *watcher, const struct watch_subject *subject,
                  const struct occasion *occasion)
{
    const struct watch_filter *filter = &watcher->filter;

    if (occasion->is_event && !filter->wants_events)
        return false;
    if (filter->has_outcome && (!occasion->is_command || filter->outcome != occasion->outcome))
        return false;
    if (occasion->is_command && filter->wants_values != occasion->has_values)
        return false;
    return is_about(filter, subject);
}

static bool is_wanted(const struct watch *watch, const struct watch_subject *subject,
                      const struct occasion *occasion)
{
    for (const struct watcher *watcher = watch->first; watcher; watcher = watcher->next)
        if (wants(watcher, subject, occasion))
            return true;
    return false;
}

/* --- lines --- */

static void line_begin(struct buf *line, struct json *json, const char *type,
                       const struct watch_subject *subject)
{
    buf_init(line, WATCH_LINE_MAX);
    admin_json_begin(json, line, type);
    json_member_number(json, "time_ms", clock_wall_ms());
    json_member_number(json, "session", subject->session);
    admin_json_view(json, subject->view);
    admin_json_who(json, subject->identity);
}

/* Ends the line, and gives it to those that want it. */
static void line_give(struct buf *line, struct json *json, const struct watch *watch,
                      const struct watch_subject *subject, const struct occasion *occasion)
{
    admin_json_end(json);
    for (const struct watcher *watcher = watch->first; watcher; watcher = watcher->next)
        if (!line->overflow && wants(watcher, subject, occasion))
            watcher->line(watcher->context, buf_span(line));
    buf_wipe(line);
}

/* --- commands --- */

/* With values: as the client wrote it. */
static void add_command_text(struct json *json, const struct command *command, bool with_values)
{
    struct buf text;

    buf_init(&text, COMMAND_MAX_LINE + WATCH_TEXT_MAX);
    if (with_values) {
        buf_append_string(&text, command->is_block ? "+" : "");
        buf_append(&text, command->name);
        buf_append_string(&text, command->arguments.len > 0 ? " " : "");
        buf_append(&text, command->arguments);
    } else {
        describe_command(&text, command);
    }
    json_member_string(json, "command", buf_span(&text));
    buf_wipe(&text);
}

static void add_decision(struct json *json, const struct session_report *report, bool with_values)
{
    json_member_text(json, "verdict", tally_name(tally_outcome(report)));
    /* A login's proof is nobody's business, whatever it is worth here. */
    add_command_text(json, report->command, with_values && !report->is_local);
    if (with_values && report->is_rewritten)
        json_member_string(json, "sent", report->sent);
    else
        json_member_text(json, "sent", NULL);
    admin_json_rule(json, report->rule);
    json_member_text(json, "reason", report->reason);
}

static void give_command(const struct watch *watch, const struct watch_subject *subject,
                         const struct session_report *report, bool with_values)
{
    const struct occasion occasion = {
        .is_command = true,
        .outcome = tally_outcome(report),
        .has_values = with_values,
    };
    struct buf line;
    struct json json;

    if (!is_wanted(watch, subject, &occasion))
        return;
    line_begin(&line, &json, "decision", subject);
    add_decision(&json, report, with_values);
    line_give(&line, &json, watch, subject, &occasion);
}

void watch_command(const struct watch *watch, const struct watch_subject *subject,
                   const struct session_report *report)
{
    give_command(watch, subject, report, false);
    give_command(watch, subject, report, true);
}

/* --- events and sessions --- */

void watch_event(const struct watch *watch, const struct watch_subject *subject, const char *name,
                 bool is_passed)
{
    static const struct occasion occasion = {.is_event = true};
    struct buf line;
    struct json json;

    if (!is_wanted(watch, subject, &occasion))
        return;
    line_begin(&line, &json, "event", subject);
    json_member_text(&json, "name", name);
    json_member_bool(&json, "passed", is_passed);
    line_give(&line, &json, watch, subject, &occasion);
}

static void give_session(const struct watch *watch, const struct watch_subject *subject,
                         const char *type, const char *member, const char *text)
{
    static const struct occasion occasion = {.is_event = false};
    struct buf line;
    struct json json;

    if (!is_wanted(watch, subject, &occasion))
        return;
    line_begin(&line, &json, type, subject);
    json_member_text(&json, member, text);
    line_give(&line, &json, watch, subject, &occasion);
}

void watch_session_began(const struct watch *watch, const struct watch_subject *subject)
{
    give_session(watch, subject, "session-began", "no_match", subject->no_match);
}

void watch_session_ended(const struct watch *watch, const struct watch_subject *subject,
                         const char *reason)
{
    give_session(watch, subject, "session-ended", "reason", reason);
}
