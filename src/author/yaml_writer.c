/* Writing YAML.
 *
 * Single quotes need one rule only: the quote itself is doubled. They cannot hold control
 * characters, and a line break in them is folded, so text with such bytes goes into double quotes
 * (YAML 1.2, 7.3). What was plain stays plain where it is safe: to other readers of a profile
 * "true" is a boolean and "'true'" is not. */
#include "yaml_writer.h"

#include "ascii.h"

#define INDENT 2

void yaml_write_indent(struct buf *out, unsigned indent)
{
    for (unsigned i = 0; i < indent; i++)
        buf_append_char(out, ' ');
}

/* The character at the front of UTF-8 text, and its length. */
static unsigned long character_at(struct span text, size_t *len_out)
{
    unsigned char first = (unsigned char)text.data[0];
    size_t len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    unsigned long character = len == 1 ? first : first & (0x7fu >> len);

    *len_out = 1;
    for (size_t i = 1; i < len && i < text.len; i++, (*len_out)++)
        character = character << 6 | ((unsigned char)text.data[i] & 0x3f);
    return character;
}

/* Controls, and what YAML takes for the end of a line or of nothing at all. */
static bool needs_escape(unsigned long character)
{
    return character < 0x20 || (character >= 0x7f && character < 0xa0) || character == 0x2028 ||
           character == 0x2029 || character == 0xfeff || character == 0xfffe || character == 0xffff;
}

static bool has_escapes(struct span text)
{
    size_t len;

    for (; text.len > 0; text = span_from(text, len))
        if (needs_escape(character_at(text, &len)))
            return true;
    return false;
}

static void write_double_quoted(struct buf *out, struct span text)
{
    size_t len;

    buf_append_char(out, '"');
    for (; text.len > 0; text = span_from(text, len)) {
        unsigned long character = character_at(text, &len);
        if (needs_escape(character)) {
            buf_printf(out, "\\u%04lX", character);
            continue;
        }
        if (character == '"' || character == '\\')
            buf_append_char(out, '\\');
        buf_append(out, span_first(text, len));
    }
    buf_append_char(out, '"');
}

void yaml_write_text(struct buf *out, struct span text)
{
    if (has_escapes(text)) {
        write_double_quoted(out, text);
        return;
    }
    buf_append_char(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\'')
            buf_append_char(out, '\'');
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '\'');
}

bool yaml_is_plain(struct span text)
{
    static const struct span also = {"_./-+", 5};

    for (size_t i = 0; i < text.len; i++) {
        bool is_word = ascii_is_alpha(text.data[i]) || ascii_is_digit(text.data[i]);
        if (!is_word && (i == 0 || span_find(also, text.data[i]) == also.len) &&
            !(i == 0 && (text.data[i] == '_' || text.data[i] == '/')))
            return false;
    }
    return text.len > 0;
}

/* --- comments --- */

void yaml_write_comment(struct buf *out, unsigned indent, struct span text)
{
    size_t column = 0;

    while (text.len > 0) {
        size_t len = span_find(text, ' ');
        if (column > 0 && column + 1 + len > YAML_WRITER_WIDTH) {
            buf_append_char(out, '\n');
            column = 0;
        }
        if (column == 0) {
            yaml_write_indent(out, indent);
            buf_append_char(out, '#');
            column = indent + 1;
        }
        buf_append_char(out, ' ');
        buf_append_escaped(out, span_first(text, len), 0);
        column += 1 + len;
        text = span_from(text, len + 1);
    }
    buf_append_char(out, '\n');
}

/* --- trees --- */

static void write_scalar(struct buf *out, const struct yaml_node *node)
{
    struct span text = span_from_string(node->text);

    if (node->is_plain && yaml_is_plain(text))
        buf_append(out, text);
    else
        yaml_write_text(out, text);
}

static bool is_nested(const struct yaml_node *node)
{
    return (node->kind == YAML_LIST || node->kind == YAML_MAPPING) && node->count > 0;
}

/* What fits behind a key or a dash, with the end of the line. */
static void write_inline(struct buf *out, const struct yaml_node *node)
{
    switch (node->kind) {
    case YAML_NULL:
        break;
    case YAML_SCALAR:
        buf_append_char(out, ' ');
        write_scalar(out, node);
        break;
    case YAML_LIST:
        buf_append_string(out, " []");
        break;
    case YAML_MAPPING:
        buf_append_string(out, " {}");
        break;
    }
    buf_append_char(out, '\n');
}

/* The loader bounds the depth of a tree (YAML_MAX_DEPTH), and so this recursion. */
static void write_list(struct buf *out, const struct yaml_node *list, unsigned indent)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct yaml_node *item = &list->items[i];
        if (i > 0)
            yaml_write_indent(out, indent);
        buf_append_char(out, '-');
        if (is_nested(item)) {
            buf_append_char(out, ' ');
            yaml_write_node(out, item, indent + INDENT);
        } else {
            write_inline(out, item);
        }
    }
}

static void write_mapping(struct buf *out, const struct yaml_node *mapping, unsigned indent)
{
    for (size_t i = 0; i < mapping->count; i++) {
        const struct yaml_node *key = &mapping->items[2 * i];
        if (i > 0)
            yaml_write_indent(out, indent);
        write_scalar(out, key);
        buf_append_char(out, ':');
        if (is_nested(key + 1)) {
            buf_append_char(out, '\n');
            yaml_write_indent(out, indent + INDENT);
            yaml_write_node(out, key + 1, indent + INDENT);
        } else {
            write_inline(out, key + 1);
        }
    }
}

void yaml_write_node(struct buf *out, const struct yaml_node *node, unsigned indent)
{
    if (!is_nested(node))
        write_inline(out, node);
    else if (node->kind == YAML_LIST)
        write_list(out, node, indent);
    else
        write_mapping(out, node, indent);
}
