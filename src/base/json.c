/* JSON text for programs (RFC 8259).
 *
 * The one state that is needed is whether a comma is due: an opened container and a key clear it,
 * each value sets it. RFC 8259 section 7 forces the escapes of quote, backslash and controls;
 * bytes from 0x80 on are escaped because peers send any bytes and JSON text has to be UTF-8. */
#include "json.h"

void json_init(struct json *json, struct buf *out)
{
    json->out = out;
    json->needs_comma = false;
}

static void begin_value(struct json *json)
{
    if (json->needs_comma)
        buf_append_char(json->out, ',');
    json->needs_comma = true;
}

static void open_container(struct json *json, char opening)
{
    begin_value(json);
    buf_append_char(json->out, opening);
    json->needs_comma = false;
}

static void close_container(struct json *json, char closing)
{
    buf_append_char(json->out, closing);
    json->needs_comma = true;
}

void json_open_object(struct json *json)
{
    open_container(json, '{');
}

void json_close_object(struct json *json)
{
    close_container(json, '}');
}

void json_open_array(struct json *json)
{
    open_container(json, '[');
}

void json_close_array(struct json *json)
{
    close_container(json, ']');
}

static bool is_plain(char c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

static void append_escaped(struct buf *out, char c)
{
    if (c == '"' || c == '\\')
        buf_printf(out, "\\%c", c);
    else
        buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
}

static void append_quoted(struct buf *out, struct span text)
{
    buf_append_char(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && is_plain(text.data[end]))
            end++;
        buf_append(out, span_make(text.data + at, end - at));
        if (end < text.len)
            append_escaped(out, text.data[end++]);
        at = end;
    }
    buf_append_char(out, '"');
}

void json_key(struct json *json, const char *name)
{
    begin_value(json);
    append_quoted(json->out, span_from_string(name));
    buf_append_char(json->out, ':');
    json->needs_comma = false;
}

void json_string(struct json *json, struct span text)
{
    begin_value(json);
    append_quoted(json->out, text);
}

void json_null(struct json *json)
{
    begin_value(json);
    buf_append_string(json->out, "null");
}

void json_text(struct json *json, const char *text)
{
    if (text)
        json_string(json, span_from_string(text));
    else
        json_null(json);
}

void json_number(struct json *json, unsigned long number)
{
    begin_value(json);
    buf_printf(json->out, "%lu", number);
}

void json_bool(struct json *json, bool value)
{
    begin_value(json);
    buf_append_string(json->out, value ? "true" : "false");
}

void json_member_string(struct json *json, const char *name, struct span text)
{
    json_key(json, name);
    json_string(json, text);
}

void json_member_text(struct json *json, const char *name, const char *text)
{
    json_key(json, name);
    json_text(json, text);
}

void json_member_number(struct json *json, const char *name, unsigned long number)
{
    json_key(json, name);
    json_number(json, number);
}

void json_member_bool(struct json *json, const char *name, bool value)
{
    json_key(json, name);
    json_bool(json, value);
}
