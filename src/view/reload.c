/* Messages first, as check has them, then what has changed, and the sum of it in the last line. */
#include "reload.h"

#include "answer_json.h"
#include "message.h"

#define LINE_MAX_BYTES 65536

static const char *no_name(void *context, unsigned long uid)
{
    (void)context;
    (void)uid;
    return NULL;
}

static const struct user_names nobody = {.find = no_name};

bool reload_is_good(const struct answer *answer)
{
    struct span result = answer_find(answer, "reloaded");

    return record_flag(result, "ok") && record_count(result, "errors") == 0;
}

static void write_messages(const struct answer *answer, struct buf *line, struct page *page)
{
    struct span record;
    size_t at = 0;

    while (answer_next(answer, "message", &at, &record)) {
        bool is_error = record_equals(record, "severity", "error");
        buf_reset(line);
        message_append(line, record);
        page_add(page, is_error ? PAGE_PROBLEM : PAGE_WARNING, buf_span(line));
    }
}

/* "added: web, mail" */
static void write_changes(const struct answer *answer, const char *what, unsigned width,
                          struct buf *line, struct page *page)
{
    struct span record;
    size_t at = 0;

    buf_reset(line);
    while (answer_next(answer, "change", &at, &record)) {
        if (!record_equals(record, "what", what))
            continue;
        buf_append_string(line, line->len > 0 ? ", " : "");
        record_shown(record, "profile", line);
    }
    if (line->len > 0)
        page_add_named(page, PAGE_PLAIN, width, what, buf_span(line));
}

/* "14 profiles" */
static void append_counted(struct buf *out, struct span record, const char *name, const char *what)
{
    unsigned long count = record_count(record, name);

    buf_printf(out, "%lu %s%s", count, what, count == 1 ? "" : "s");
}

static void write_result(const struct answer *answer, struct buf *line, struct page *page)
{
    struct span result = answer_find(answer, "reloaded");

    if (!record_flag(result, "ok")) {
        page_add(page, PAGE_PROBLEM, SPAN("not reloaded: the profiles from before stay in use"));
        return;
    }
    buf_reset(line);
    buf_append_string(line, "reloaded: ");
    append_counted(line, result, "profiles", "profile");
    buf_append_string(line, " of ");
    append_counted(line, result, "files", "file");
    buf_append_string(line, ", ");
    append_counted(line, result, "errors", "error");
    buf_append_string(line, ", ");
    append_counted(line, result, "sockets", "socket");
    buf_append_string(line, ", ");
    append_counted(line, result, "sessions_closed", "session");
    buf_append_string(line, " closed");
    page_add(page, reload_is_good(answer) ? PAGE_PLAIN : PAGE_PROBLEM, buf_span(line));
}

void reload_write_text(const struct answer *answer, unsigned width, struct page *page)
{
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    write_messages(answer, &line, page);
    write_changes(answer, "added", width, &line, page);
    write_changes(answer, "removed", width, &line, page);
    write_changes(answer, "altered", width, &line, page);
    write_result(answer, &line, page);
    buf_clear(&line);
}

void reload_write_json(const struct answer *answer, struct buf *out)
{
    struct json json;

    json_init(&json, out);
    json_open_object(&json);
    answer_json_one(&json, answer, "reloaded", "reloaded", &nobody);
    answer_json_all(&json, answer, "message", "messages", &nobody);
    answer_json_all(&json, answer, "change", "changes", &nobody);
    json_close_object(&json);
    buf_append_char(out, '\n');
}
