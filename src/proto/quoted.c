/* Quoted strings as tor's unescape_string reads them (control-protocol 1.4 Q).
 *
 * One function reads one escape; measuring and decoding both go through it, so they cannot
 * disagree about where a string ends. */
#include "quoted.h"

#include "ascii.h"
#include "hex.h"

static int octal_digit(char c)
{
    return c >= '0' && c <= '7' ? c - '0' : -1;
}

/* \N, \NN or \NNN at the front of `text`; 0 if its value is none that tor takes. */
static size_t read_octal(struct span text, char *byte_out)
{
    int value = 0;
    size_t len = 1;

    while (len < text.len && len < 4 && octal_digit(text.data[len]) >= 0)
        value = value * 8 + octal_digit(text.data[len++]);
    if (value == 0 || value > 255)
        return 0;
    *byte_out = (char)value;
    return len;
}

static size_t read_hex(struct span text, char *byte_out)
{
    uint8_t value;

    if (text.len < 4 || !hex_decode(span_make(text.data + 2, 2), &value, 1) || value == 0)
        return 0;
    *byte_out = (char)value;
    return 4;
}

/* Reads the escape at the front of `text`, which begins with a backslash. Its length; 0 if tor
 * would refuse it. */
static size_t read_escape(struct span text, char *byte_out)
{
    if (text.len < 2)
        return 0;
    *byte_out = text.data[1];
    switch (text.data[1]) {
    case 'n':
        *byte_out = '\n';
        return 2;
    case 'r':
        *byte_out = '\r';
        return 2;
    case 't':
        *byte_out = '\t';
        return 2;
    case '\\':
    case '"':
    case '\'':
        return 2;
    case 'x':
    case 'X':
        return read_hex(text, byte_out);
    default:
        return octal_digit(text.data[1]) < 0 ? 0 : read_octal(text, byte_out);
    }
}

/* Reads one byte of the string's content; the length it has in `text`, 0 if it is not legal. */
static size_t read_content(struct span text, char *byte_out)
{
    *byte_out = text.data[0];
    if (*byte_out == '\\')
        return read_escape(text, byte_out);
    return *byte_out == '\0' || *byte_out == '\n' ? 0 : 1;
}

size_t quoted_length(struct span text)
{
    size_t at = 1;
    char byte;

    if (text.len == 0 || text.data[0] != '"')
        return 0;
    while (at < text.len && text.data[at] != '"') {
        size_t len = read_content(span_from(text, at), &byte);
        if (len == 0)
            return 0;
        at += len;
    }
    return at < text.len ? at + 1 : 0;
}

bool quoted_decode(struct span text, struct buf *out)
{
    if (text.len < 2 || quoted_length(text) != text.len)
        return false;
    size_t before = out->len;
    struct span content = span_make(text.data + 1, text.len - 2);

    while (content.len > 0) {
        char byte;
        size_t len = read_content(content, &byte);
        if (!buf_append_char(out, byte)) {
            buf_truncate(out, before);
            return false;
        }
        content = span_from(content, len);
    }
    return true;
}

static bool encode_byte(char c, struct buf *out)
{
    if (c == '\\' || c == '"') {
        char pair[2] = {'\\', c};
        return buf_append(out, span_make(pair, 2));
    }
    if (ascii_is_printable(c))
        return buf_append_char(out, c);
    unsigned value = (unsigned char)c;
    char escape[4] = {'\\', (char)('0' + value / 64), (char)('0' + value / 8 % 8),
                      (char)('0' + value % 8)};
    return buf_append(out, span_make(escape, 4));
}

bool quoted_encode(struct span text, struct buf *out)
{
    size_t before = out->len;
    bool done = span_find(text, '\0') == text.len && buf_append_char(out, '"');

    for (size_t i = 0; done && i < text.len; i++)
        done = encode_byte(text.data[i], out);
    if (done && buf_append_char(out, '"'))
        return true;
    buf_truncate(out, before);
    return false;
}
