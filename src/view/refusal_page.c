/* First what happened, then the lines to add, then what they would earn, then what to do. */
#include "refusal_page.h"

#include <stdlib.h>

#include "answer_json.h"
#include "message.h"
#include "record.h"
#include "session_cells.h"
#include "shell_word.h"

#define LINE_MAX_BYTES 65536

struct writer {
    const struct refusal *refusal;
    const struct user_names *names;
    unsigned width;
    struct page *page;
    struct buf line;
};

static void end_line(struct writer *writer, enum page_tone tone, const char *name)
{
    page_add_named(writer->page, tone, writer->width, name, buf_span(&writer->line));
    buf_reset(&writer->line);
}

/* --- what happened --- */

/* A name that somebody has chosen. */
static void append_name(struct writer *writer, const char *name, const char *before)
{
    if (!record_has(writer->refusal->record, name))
        return;
    buf_append_string(&writer->line, before);
    record_shown(writer->refusal->record, name, &writer->line);
}

static void write_client(struct writer *writer)
{
    struct span record = writer->refusal->record;
    struct buf *line = &writer->line;

    if (record_has(record, "uid")) {
        buf_append_string(line, "user ");
        session_append_user(line, record, writer->names);
    } else {
        buf_append_string(line, "no user is known");
    }
    append_name(writer, "label", ", label ");
    append_name(writer, "executable", ", executable ");
    buf_append_string(line, ", profile ");
    if (!session_append_profiles(line, record))
        buf_append_string(line, "none");
    buf_printf(line, "; session %lu", record_count(record, "session"));
    end_line(writer, PAGE_PLAIN, "client");
}

static void write_what_happened(struct writer *writer)
{
    const struct refusal *refusal = writer->refusal;
    struct span rule = record_value(refusal->record, "rule");

    record_said(refusal->record, "command", &writer->line);
    end_line(writer, PAGE_PROBLEM, "refused");
    record_said(refusal->record, "reason", &writer->line);
    if (record_has(refusal->record, "rule")) {
        buf_append_string(&writer->line, " (");
        message_append_place(&writer->line, rule);
        buf_append_char(&writer->line, ')');
    }
    end_line(writer, PAGE_PLAIN, "because");
    write_client(writer);
    buf_append_string(&writer->line, refusal->clock);
    end_line(writer, PAGE_PLAIN, "when");
}

/* --- what to do --- */

static void write_lines(struct page *page, struct span text)
{
    while (text.len > 0) {
        size_t len = span_find(text, '\n');
        page_add(page, PAGE_PLAIN, span_first(text, len));
        text = span_from(text, len + 1);
    }
}

static const char *severity_name(enum diag_severity severity)
{
    switch (severity) {
    case DIAG_NOTE:
        return "note";
    case DIAG_WARNING:
        return "warning";
    case DIAG_ERROR:
        break;
    }
    return "error";
}

static void write_messages(struct writer *writer)
{
    const struct diag_list *messages = &writer->refusal->allowance->messages;

    if (messages->count == 0)
        return;
    page_add(writer->page, PAGE_PLAIN, SPAN(""));
    page_add(writer->page, PAGE_PLAIN, SPAN("What onion-graterctl check says of these lines:"));
    for (size_t i = 0; i < messages->count; i++) {
        const struct diag *message = &messages->items[i];
        buf_append_string(&writer->line, message->text);
        if (message->code)
            buf_printf(&writer->line, " [%s]", message->code);
        end_line(writer, message->severity == DIAG_NOTE ? PAGE_PLAIN : PAGE_WARNING,
                 severity_name(message->severity));
    }
}

static void write_heading(struct writer *writer)
{
    const struct refusal *refusal = writer->refusal;

    page_add(writer->page, PAGE_PLAIN, SPAN(""));
    if (refusal->profile)
        page_printf(writer->page, PAGE_PLAIN,
                    "To allow it, add this to profile %s in %s:", refusal->profile, refusal->file);
    else
        page_printf(
            writer->page, PAGE_PLAIN,
            "To give the client a profile of its own, begin with this, as %s:", refusal->file);
    page_add(writer->page, PAGE_PLAIN, SPAN(""));
}

static void write_next_steps(struct writer *writer)
{
    const struct refusal *refusal = writer->refusal;
    struct page *page = writer->page;

    page_add(page, PAGE_PLAIN, SPAN(""));
    if (!refusal->allowance->is_granted)
        page_add(page, PAGE_WARNING,
                 SPAN("The lines are comments on purpose: think of what they say first."));
    page_add(page, PAGE_PLAIN,
             SPAN("Whether the application should have it is yours to say. Then:"));
    char *file = shell_word(refusal->file);
    char *shipped = refusal->shipped ? shell_word(refusal->shipped) : NULL;
    if (shipped)
        page_printf(page, PAGE_PLAIN, "  cp --remove-destination %s %s", shipped, file);
    page_printf(page, PAGE_PLAIN, "  editor %s", file);
    page_printf(page, PAGE_PLAIN, "  onion-graterctl check %s", file);
    free(file);
    free(shipped);
    page_add(page, PAGE_PLAIN, SPAN("  onion-graterctl reload"));
}

void refusal_page_write(const struct refusal *refusal, const struct user_names *names,
                        unsigned width, struct page *page)
{
    struct writer writer = {refusal, names, width, page, {0}};
    const struct allowance *allowance = refusal->allowance;

    buf_init(&writer.line, LINE_MAX_BYTES);
    write_what_happened(&writer);
    if (!allowance) {
        page_add(page, PAGE_PLAIN, SPAN(""));
        page_add(page, PAGE_PLAIN, SPAN("No rule of a profile can allow it."));
    } else {
        write_heading(&writer);
        write_lines(page, buf_span(refusal->profile ? &allowance->rules : &allowance->profile));
        write_messages(&writer);
        write_next_steps(&writer);
    }
    buf_clear(&writer.line);
}

/* --- for programs --- */

static void write_message_list(struct json *json, const struct diag_list *messages)
{
    json_key(json, "messages");
    json_open_array(json);
    for (size_t i = 0; messages && i < messages->count; i++) {
        json_open_object(json);
        json_member_text(json, "severity", severity_name(messages->items[i].severity));
        json_member_text(json, "code", messages->items[i].code);
        json_member_text(json, "text", messages->items[i].text);
        json_close_object(json);
    }
    json_close_array(json);
}

static void write_member_text(struct json *json, const char *name, const struct buf *text)
{
    if (text)
        json_member_string(json, name, buf_span(text));
    else
        json_member_text(json, name, NULL);
}

void refusal_page_write_json(const struct refusal *refusal, const struct user_names *names,
                             struct buf *out)
{
    const struct allowance *allowance = refusal ? refusal->allowance : NULL;
    struct json json;

    json_init(&json, out);
    json_open_object(&json);
    json_key(&json, "refusal");
    if (refusal)
        answer_json_record(&json, refusal->record, names);
    else
        json_null(&json);
    json_member_text(&json, "profile", refusal ? refusal->profile : NULL);
    json_member_text(&json, "file", allowance ? refusal->file : NULL);
    json_member_text(&json, "shipped", allowance ? refusal->shipped : NULL);
    json_member_bool(&json, "granted", allowance && allowance->is_granted);
    write_member_text(&json, "rules", allowance ? &allowance->rules : NULL);
    write_member_text(&json, "draft", allowance ? &allowance->profile : NULL);
    write_message_list(&json, allowance ? &allowance->messages : NULL);
    json_close_object(&json);
    buf_append_char(out, '\n');
}
