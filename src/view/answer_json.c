/* Records go out as they came in, member by member, so that what a newer daemon says gets through
 * an older onion-graterctl. What is added is the names of users, which the daemon does not look up.
 */
#include "answer_json.h"

/* A value that was checked when it came in. */
static void write_raw(struct json *json, struct span value)
{
    buf_append(json->out, value);
    json->needs_comma = true;
}

/* A key as it was written, its escapes included. */
static void write_key(struct json *json, struct span key)
{
    if (json->needs_comma)
        buf_append_char(json->out, ',');
    buf_append_char(json->out, '"');
    buf_append(json->out, key);
    buf_append_string(json->out, "\":");
    json->needs_comma = false;
}

/* The name of the user whose number stands before it. */
static void write_user(struct json *json, struct span record, const struct user_names *names)
{
    unsigned long uid;

    json_member_text(json, "user",
                     record_number(record, "uid", &uid) ? names->find(names->context, uid) : NULL);
}

void answer_json_record(struct json *json, struct span record, const struct user_names *names)
{
    bool has_user = record_value(record, "user").len > 0;
    struct json_line line;
    struct json_member member;

    json_open_object(json);
    json_line_init(&line, record);
    while (json_line_next(&line, &member) == JSON_MEMBER) {
        if (span_equals(member.key, SPAN("type")))
            continue;
        write_key(json, member.key);
        write_raw(json, member.value);
        if (span_equals(member.key, SPAN("uid")) && !has_user)
            write_user(json, record, names);
    }
    json_close_object(json);
}

void answer_json_one(struct json *json, const struct answer *answer, const char *type,
                     const char *name, const struct user_names *names)
{
    struct span record = answer_find(answer, type);

    json_key(json, name);
    if (record.len > 0)
        answer_json_record(json, record, names);
    else
        json_null(json);
}

void answer_json_all(struct json *json, const struct answer *answer, const char *type,
                     const char *name, const struct user_names *names)
{
    struct span record;
    size_t at = 0;

    json_key(json, name);
    json_open_array(json);
    while (answer_next(answer, type, &at, &record))
        answer_json_record(json, record, names);
    json_close_array(json);
}
