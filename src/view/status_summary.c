/* The summary: a line for each question that an admin comes with, and more where the answer is not
 * the usual one. */
#include "status_parts.h"

#include "message.h"
#include "record.h"
#include "session_cells.h"
#include "units.h"

#define LINE_MAX_BYTES 65536
#define LIMIT_IS_NEAR 80 /* per cent */

struct writer {
    const struct answer *answer;
    const struct status_setup *setup;
    struct page *page;
    struct buf line;
};

/* Adds what is in the line, which is empty afterwards. */
static void end_line(struct writer *writer, enum page_tone tone, const char *name)
{
    page_add_named(writer->page, tone, writer->setup->width, name, buf_span(&writer->line));
    buf_reset(&writer->line);
}

/* Appends how long ago that was by the daemon's clock; false: it is not known. */
static bool append_ago(struct writer *writer, struct span record, const char *name)
{
    struct span daemon = answer_find(writer->answer, "daemon");
    unsigned long now = record_count(daemon, "started_ms") + record_count(daemon, "age_ms");
    unsigned long then;

    if (!record_number(record, name, &then) || then > now)
        return false;
    units_append_age(&writer->line, now - then);
    return true;
}

/* --- the daemon --- */

static void write_daemon(struct writer *writer)
{
    struct span record = answer_find(writer->answer, "daemon");
    struct buf *line = &writer->line;

    buf_append_string(line, "version ");
    record_shown(record, "version", line);
    if (!record_equals(record, "version", writer->setup->version))
        buf_printf(line, " (onion-graterctl is %s)", writer->setup->version);
    buf_printf(line, ", process %lu, user ", record_count(record, "pid"));
    session_append_user(line, record, writer->setup->names);
    buf_append_string(line, ", up ");
    units_append_age(line, record_count(record, "age_ms"));
    end_line(writer, PAGE_PLAIN, "onion-grater");
}

static enum page_tone tor_tone(struct span record)
{
    if (record_equals(record, "state", "reachable"))
        return PAGE_GOOD;
    return record_equals(record, "state", "unknown") ? PAGE_PLAIN : PAGE_PROBLEM;
}

static void write_tor(struct writer *writer)
{
    struct span record = answer_find(writer->answer, "tor");
    struct buf *line = &writer->line;

    record_shown(record, "address", line);
    buf_append_string(line, ", ");
    if (record_equals(record, "state", "unknown"))
        buf_append_string(line, "not needed yet");
    else
        record_shown(record, "state", line);
    if (record_has(record, "since_ms")) {
        buf_append_string(line, " for ");
        append_ago(writer, record, "since_ms");
    }
    if (record_has(record, "version")) {
        buf_append_string(line, ", version ");
        record_shown(record, "version", line);
    }
    if (record_has(record, "reason")) {
        buf_append_string(line, ": ");
        record_said(record, "reason", line);
    }
    end_line(writer, tor_tone(record), "tor");
}

/* Names of the profiles for which that is so. */
static void append_profiles(struct writer *writer, const char *flag)
{
    const char *separator = "";
    struct span record;
    size_t at = 0;

    while (answer_next(writer->answer, "profile", &at, &record)) {
        if (!record_flag(record, flag))
            continue;
        buf_append_string(&writer->line, separator);
        record_shown(record, "name", &writer->line);
        separator = ", ";
    }
}

static void write_complain(struct writer *writer)
{
    struct span record = answer_find(writer->answer, "daemon");

    if (record_equals(record, "complain", "off"))
        return;
    buf_append_string(&writer->line, "ON: what profiles refuse is forwarded, to clients of ");
    if (record_equals(record, "complain", "all"))
        buf_append_string(&writer->line, "every profile, and of none");
    else
        append_profiles(writer, "complain");
    end_line(writer, PAGE_WARNING, "complain mode");
}

static void write_evidence(struct writer *writer)
{
    struct span record = answer_find(writer->answer, "daemon");

    if (!record_flag(record, "apparmor"))
        buf_append_string(&writer->line, "AppArmor is off, so no client has a label");
    else if (record_flag(record, "kernel_labels"))
        buf_append_string(&writer->line, "AppArmor is on; the kernel tells the labels of clients");
    else
        buf_append_string(&writer->line,
                          "AppArmor is on; labels of clients are read from /proc (the kernel tells "
                          "them from Linux 6.17 on)");
    end_line(writer, PAGE_PLAIN, "evidence");
    record_said(record, "containment", &writer->line);
    end_line(writer, PAGE_PLAIN, "containment");
}

/* --- the policy --- */

static void append_counted(struct buf *line, unsigned long count, const char *what)
{
    buf_printf(line, "%lu %s%s", count, what, count == 1 ? "" : "s");
}

static void write_messages(struct writer *writer)
{
    struct span record;
    size_t at = 0;

    while (answer_next(writer->answer, "message", &at, &record)) {
        bool is_error = record_equals(record, "severity", "error");
        message_append(&writer->line, record);
        end_line(writer, is_error ? PAGE_PROBLEM : PAGE_WARNING, "");
    }
}

static void write_policy(struct writer *writer)
{
    struct span record = answer_find(writer->answer, "policy");
    unsigned long errors = record_count(record, "errors");
    unsigned long warnings = record_count(record, "warnings");
    struct buf *line = &writer->line;

    append_counted(line, record_count(record, "profiles"), "profile");
    buf_append_string(line, " of ");
    append_counted(line, record_count(record, "files"), "file");
    buf_append_string(line, ", read ");
    append_ago(writer, record, "loaded_ms");
    buf_printf(line, " ago (generation %lu); ", record_count(record, "generation"));
    append_counted(line, errors, "error");
    buf_append_string(line, ", ");
    append_counted(line, warnings, "warning");
    end_line(writer, errors ? PAGE_PROBLEM : warnings ? PAGE_WARNING : PAGE_GOOD, "profiles");
    if (record_flag(record, "failed")) {
        buf_append_string(line, "the last reload failed; the profiles from before it are in use");
        end_line(writer, PAGE_PROBLEM, "");
    }
    write_messages(writer);
    append_profiles(writer, "kept");
    if (line->len == 0)
        return;
    buf_append_string(line, ": the last good version of a file that has become bad is in use");
    end_line(writer, PAGE_WARNING, "");
}

/* --- limits, listeners, counters --- */

/* "sessions 12 of 1024"; returns whether that is near. */
static bool append_limit(struct buf *line, struct span record, unsigned long use)
{
    unsigned long max = record_count(record, "max");
    bool is_bytes = record_equals(record, "name", "all-buffers");
    void (*append)(struct buf * out, unsigned long number) =
        is_bytes ? units_append_bytes : units_append_count;

    buf_append_string(line, line->len > 0 ? ", " : "");
    record_shown(record, "name", line);
    buf_append_char(line, ' ');
    append(line, use);
    buf_append_string(line, " of ");
    append(line, max);
    return max > 0 && use > max / 100 * LIMIT_IS_NEAR;
}

static void write_limits(struct writer *writer)
{
    struct buf *line = &writer->line;
    struct span record;
    unsigned long use;
    bool is_near = false;
    size_t at = 0;

    /* Of a limit of each user or machine it is the most of one. */
    while (answer_next(writer->answer, "limit", &at, &record))
        if (record_number(record, "used", &use))
            is_near |= append_limit(line, record, use);
    end_line(writer, is_near ? PAGE_WARNING : PAGE_PLAIN, "limits");
    for (at = 0; answer_next(writer->answer, "limit", &at, &record);) {
        if (record_count(record, "reached") == 0)
            continue;
        buf_append_string(line, line->len > 0 ? ", " : "reached so far: ");
        record_shown(record, "name", line);
        buf_append_char(line, ' ');
        append_counted(line, record_count(record, "reached"), "time");
    }
    if (line->len > 0)
        end_line(writer, PAGE_WARNING, "");
}

static void write_listeners(struct writer *writer)
{
    const char *name = "listening at";
    struct span record;
    size_t at = 0;

    while (answer_next(writer->answer, "listener", &at, &record)) {
        record_shown(record, "address", &writer->line);
        buf_append_string(&writer->line, record_has(record, "profile") ? " for " : ", shared");
        record_shown(record, "profile", &writer->line);
        if (record_flag(record, "passed"))
            buf_append_string(&writer->line, ", by the service manager");
        end_line(writer, PAGE_PLAIN, name);
        name = "";
    }
}

static void write_counters(struct writer *writer)
{
    struct buf *line = &writer->line;
    struct span record;
    size_t at = 0;

    while (answer_next(writer->answer, "counter", &at, &record)) {
        unsigned long value = record_count(record, "value");
        if (value == 0)
            continue;
        buf_append_string(line, line->len > 0 ? ", " : "");
        size_t begin = line->len;
        record_shown(record, "name", line);
        for (size_t i = begin; i < line->len; i++)
            if (line->data[line->start + i] == '_')
                line->data[line->start + i] = ' ';
        buf_append_char(line, ' ');
        units_append_count(line, value);
    }
    if (line->len == 0)
        buf_append_string(line, "nothing yet");
    end_line(writer, PAGE_PLAIN, "counted");
}

void status_write_summary(const struct answer *answer, const struct status_setup *setup,
                          struct page *page)
{
    struct writer writer = {answer, setup, page, {0}};

    buf_init(&writer.line, LINE_MAX_BYTES);
    write_daemon(&writer);
    write_tor(&writer);
    write_policy(&writer);
    write_complain(&writer);
    write_evidence(&writer);
    write_limits(&writer);
    write_listeners(&writer);
    write_counters(&writer);
    buf_clear(&writer.line);
}
