/* One JSON object, member by member (RFC 8259).
 *
 * A nested value is skipped, not understood, by counting brackets outside of strings; whoever needs
 * it looks into it in turn. Nothing recurses, so nesting costs nothing. */
#include "json_line.h"

#include "ascii.h"
#include "hex.h"

void json_line_init(struct json_line *json, struct span text)
{
    *json = (struct json_line){.rest = text};
}

static void skip_space(struct span *rest)
{
    while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = span_from(*rest, 1);
}

static bool take_char(struct span *rest, char c)
{
    skip_space(rest);
    if (rest->len == 0 || rest->data[0] != c)
        return false;
    *rest = span_from(*rest, 1);
    return true;
}

/* Length of the string at the front, both quotes included; 0: there is none. */
static size_t string_length(struct span text)
{
    if (text.len < 2 || text.data[0] != '"')
        return 0;
    for (size_t i = 1; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Length of a nested value at the front; 0: it does not end. */
static size_t nested_length(struct span text)
{
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '"') {
            size_t len = string_length(span_from(text, i));
            if (len == 0)
                return 0;
            i += len - 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return i + 1;
        }
    }
    return 0;
}

static bool is_plain(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '+' || c == '.';
}

static size_t value_length(struct span text)
{
    size_t len = 0;

    if (text.len > 0 && text.data[0] == '"')
        return string_length(text);
    if (text.len > 0 && (text.data[0] == '{' || text.data[0] == '['))
        return nested_length(text);
    while (len < text.len && is_plain(text.data[len]))
        len++;
    return len;
}

static bool take_member(struct span *rest, struct json_member *member)
{
    skip_space(rest);
    size_t len = string_length(*rest);
    if (len == 0)
        return false;
    member->key = span_make(rest->data + 1, len - 2);
    *rest = span_from(*rest, len);
    if (!take_char(rest, ':'))
        return false;
    skip_space(rest);
    len = value_length(*rest);
    member->value = span_first(*rest, len);
    *rest = span_from(*rest, len);
    return len > 0;
}

/* What stands between two members or items, or at either end of them; JSON_MEMBER: one follows. */
static enum json_result take_separator(struct json_line *json, char opening, char closing)
{
    bool is_first = !json->is_begun;

    if (is_first && !take_char(&json->rest, opening))
        return JSON_MALFORMED;
    json->is_begun = true;
    if (take_char(&json->rest, closing)) {
        skip_space(&json->rest);
        return json->rest.len == 0 ? JSON_END : JSON_MALFORMED;
    }
    return is_first || take_char(&json->rest, ',') ? JSON_MEMBER : JSON_MALFORMED;
}

enum json_result json_line_next(struct json_line *json, struct json_member *member_out)
{
    enum json_result result = take_separator(json, '{', '}');

    if (result == JSON_MEMBER && !take_member(&json->rest, member_out))
        return JSON_MALFORMED;
    return result;
}

enum json_result json_list_next(struct json_line *list, struct span *item_out)
{
    enum json_result result = take_separator(list, '[', ']');

    if (result != JSON_MEMBER)
        return result;
    skip_space(&list->rest);
    size_t len = value_length(list->rest);
    *item_out = span_first(list->rest, len);
    list->rest = span_from(list->rest, len);
    return len > 0 ? JSON_MEMBER : JSON_MALFORMED;
}

/* --- strings --- */

/* "\u00e9": the byte, or -1. */
static int unicode_byte(struct span digits)
{
    int value = 0;

    if (digits.len < 4)
        return -1;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit(digits.data[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value <= 0xff ? value : -1;
}

/* The byte of the escape that begins behind the backslash, or -1; how long it is. */
static int escape_byte(struct span text, size_t *len_out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char bytes[] = "\"\\/\b\f\n\r\t";

    *len_out = 1;
    if (text.len == 0)
        return -1;
    if (text.data[0] == 'u') {
        *len_out = 5;
        return unicode_byte(span_from(text, 1));
    }
    for (size_t i = 0; letters[i]; i++)
        if (letters[i] == text.data[0])
            return (unsigned char)bytes[i];
    return -1;
}

/* The byte of the UTF-8 character at the front, or -1. */
static int utf8_byte(struct span text, size_t *len_out)
{
    unsigned char first = (unsigned char)text.data[0];

    *len_out = 1;
    if (first < 0x80)
        return first;
    *len_out = 2;
    if ((first != 0xc2 && first != 0xc3) || text.len < 2)
        return -1;
    unsigned char second = (unsigned char)text.data[1];
    return (second & 0xc0) == 0x80 ? (first & 0x03) << 6 | (second & 0x3f) : -1;
}

bool json_string_bytes(struct span value, struct buf *out)
{
    if (value.len < 2 || string_length(value) != value.len)
        return false;
    struct span rest = span_make(value.data + 1, value.len - 2);
    while (rest.len > 0) {
        size_t len;
        size_t skip = rest.data[0] == '\\' ? 1 : 0;
        int byte = skip ? escape_byte(span_from(rest, 1), &len) : utf8_byte(rest, &len);
        if (byte < 0 || !buf_append_char(out, (char)byte))
            return false;
        rest = span_from(rest, skip + len);
    }
    return true;
}
