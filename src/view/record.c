/* Members are searched for anew with each question: a line has some forty of them, and nothing has
 * to be kept. What is nested is looked into by the same means, to a depth that no line has. */
#include "record.h"

#include <limits.h>

#include "ascii.h"

#define RECORD_MAX_DEPTH 8

/* --- whether it is one --- */

static bool is_value(struct span value, unsigned depth);

static bool is_object(struct span text, unsigned depth)
{
    struct json_line json;
    struct json_member member;
    enum json_result result;

    json_line_init(&json, text);
    while ((result = json_line_next(&json, &member)) == JSON_MEMBER)
        if (!is_value(member.value, depth))
            return false;
    return result == JSON_END;
}

static bool is_list(struct span text, unsigned depth)
{
    struct json_line list;
    struct span item;
    enum json_result result;

    json_line_init(&list, text);
    while ((result = json_list_next(&list, &item)) == JSON_MEMBER)
        if (!is_value(item, depth))
            return false;
    return result == JSON_END;
}

static bool is_number(struct span value)
{
    size_t digits = 0;

    if (value.len > 0 && value.data[0] == '-')
        value = span_from(value, 1);
    for (size_t i = 0; i < value.len; i++) {
        if (value.data[i] == '.' && digits > 0 && i + 1 < value.len)
            continue;
        if (!ascii_is_digit(value.data[i]))
            return false;
        digits++;
    }
    return digits > 0;
}

static bool is_text(struct span value)
{
    struct buf bytes;

    buf_init(&bytes, value.len);
    bool done = json_string_bytes(value, &bytes);
    buf_wipe(&bytes);
    return done;
}

static bool is_value(struct span value, unsigned depth)
{
    if (value.len == 0 || depth == RECORD_MAX_DEPTH)
        return false;
    if (value.data[0] == '{')
        return is_object(value, depth + 1);
    if (value.data[0] == '[')
        return is_list(value, depth + 1);
    if (value.data[0] == '"')
        return is_text(value);
    return span_equals(value, SPAN("null")) || span_equals(value, SPAN("true")) ||
           span_equals(value, SPAN("false")) || is_number(value);
}

bool record_is_sound(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!ascii_is_printable(line.data[i]))
            return false;
    return is_object(line, 0);
}

/* --- members --- */

struct span record_value(struct span record, const char *name)
{
    struct json_line json;
    struct json_member member;

    json_line_init(&json, record);
    while (json_line_next(&json, &member) == JSON_MEMBER)
        if (span_equals(member.key, span_from_string(name)))
            return member.value;
    return span_make(NULL, 0);
}

bool record_has(struct span record, const char *name)
{
    struct span value = record_value(record, name);

    return value.len > 0 && !span_equals(value, SPAN("null"));
}

bool record_equals(struct span record, const char *name, const char *text)
{
    struct span value = record_value(record, name);

    /* Words of the protocol have nothing in them that would be escaped. */
    return value.len >= 2 && value.data[0] == '"' &&
           span_equals(span_make(value.data + 1, value.len - 2), span_from_string(text));
}

bool record_number(struct span record, const char *name, unsigned long *number_out)
{
    *number_out = 0;
    return span_to_number(record_value(record, name), ULONG_MAX, number_out);
}

unsigned long record_count(struct span record, const char *name)
{
    unsigned long number;

    record_number(record, name, &number);
    return number;
}

bool record_flag(struct span record, const char *name)
{
    return span_equals(record_value(record, name), SPAN("true"));
}

bool record_bytes(struct span record, const char *name, struct buf *out)
{
    return json_string_bytes(record_value(record, name), out);
}

bool record_text_shown(struct span value, struct buf *out)
{
    struct buf bytes;

    buf_init(&bytes, value.len);
    bool done = json_string_bytes(value, &bytes);
    if (done)
        buf_append_escaped(out, buf_span(&bytes), 0);
    buf_wipe(&bytes);
    return done;
}

bool record_shown(struct span record, const char *name, struct buf *out)
{
    return record_text_shown(record_value(record, name), out);
}

bool record_said(struct span record, const char *name, struct buf *out)
{
    struct buf bytes;

    buf_init(&bytes, record.len);
    bool done = record_bytes(record, name, &bytes);
    struct span text = buf_span(&bytes);
    for (size_t i = 0; done && i < text.len; i++)
        if (text.data[i] == '\\')
            buf_append_char(out, '\\');
        else
            buf_append_escaped(out, span_make(&text.data[i], 1), 0);
    buf_wipe(&bytes);
    return done;
}

struct json_line record_items(struct span record, const char *name)
{
    struct span value = record_value(record, name);
    struct json_line list;

    json_line_init(&list, value.len > 0 && value.data[0] == '[' ? value : SPAN("[]"));
    return list;
}
