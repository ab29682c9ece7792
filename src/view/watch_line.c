/* A row for each type; what is not known here is from a newer daemon, and for programs only. */
#include "watch_line.h"

#include "message.h"
#include "record.h"
#include "session_cells.h"
#include "units.h"

#define LINE_MAX_BYTES (1024 * 1024)

/* "session 7 (web, alice) " */
static void append_session(struct buf *line, struct span record, const struct user_names *names)
{
    buf_printf(line, "session %lu (", record_count(record, "session"));
    if (!session_append_profiles(line, record))
        buf_append_string(line, "no profile");
    if (record_has(record, "uid")) {
        buf_append_string(line, ", ");
        session_append_user(line, record, names);
    }
    buf_append_string(line, ") ");
}

/* A name that somebody has chosen. */
static void append_name(struct buf *line, struct span record, const char *name, const char *before)
{
    if (!record_has(record, name))
        return;
    buf_append_string(line, before);
    record_shown(record, name, line);
}

/* A text, or a command. */
static void append_text(struct buf *line, struct span record, const char *name, const char *before)
{
    if (!record_has(record, name))
        return;
    buf_append_string(line, before);
    record_said(record, name, line);
}

static enum page_tone verdict_tone(struct span record)
{
    if (record_equals(record, "verdict", "rejected"))
        return PAGE_PROBLEM;
    if (record_equals(record, "verdict", "complained"))
        return PAGE_WARNING;
    return PAGE_PLAIN;
}

static enum page_tone append_decision(struct buf *line, struct span record)
{
    struct span rule = record_value(record, "rule");

    record_shown(record, "verdict", line);
    append_text(line, record, "command", " ");
    append_text(line, record, "sent", " -> ");
    append_text(line, record, "reason", ": ");
    if (record_has(record, "rule")) {
        buf_append_string(line, " (");
        message_append_place(line, rule);
        buf_append_char(line, ')');
    }
    return verdict_tone(record);
}

static enum page_tone append_event(struct buf *line, struct span record)
{
    buf_append_string(line, record_flag(record, "passed") ? "gets event" : "event withheld:");
    append_text(line, record, "name", " ");
    return PAGE_PLAIN;
}

static enum page_tone append_began(struct buf *line, struct span record)
{
    unsigned long pid;

    buf_append_string(line, "began: ");
    if (record_number(record, "pid", &pid))
        buf_printf(line, "pid %lu, ", pid);
    if (record_has(record, "label")) {
        append_name(line, record, "label", "label ");
        append_text(line, record, "evidence", " by evidence: ");
    } else {
        buf_append_string(line, "no label");
    }
    append_text(line, record, "no_match", "; no profile matches: ");
    return session_tone(record);
}

static enum page_tone append_ended(struct buf *line, struct span record)
{
    buf_append_string(line, "ended");
    append_text(line, record, "reason", ": ");
    return PAGE_PLAIN;
}

static const struct {
    const char *type;
    enum page_tone (*append)(struct buf *line, struct span record);
} rows[] = {
    {"decision", append_decision},
    {"event", append_event},
    {"session-began", append_began},
    {"session-ended", append_ended},
};

/* False: another type. */
static bool append_record(struct buf *line, struct span record, const struct user_names *names,
                          enum page_tone *tone_out)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!record_equals(record, "type", rows[i].type))
            continue;
        append_session(line, record, names);
        *tone_out = rows[i].append(line, record);
        return true;
    }
    if (!record_equals(record, "type", "left-out"))
        return false;
    buf_printf(line, "%lu lines left out: they were not read fast enough",
               record_count(record, "count"));
    *tone_out = PAGE_WARNING;
    return true;
}

bool watch_line_write(struct span record, const char *clock, const struct user_names *names,
                      struct page *page)
{
    enum page_tone tone;
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    buf_printf(&line, "%s%s", clock, clock[0] ? " " : "");
    bool is_known = append_record(&line, record, names, &tone);
    if (is_known)
        page_add(page, tone, buf_span(&line));
    buf_wipe(&line);
    return is_known;
}
