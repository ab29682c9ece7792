/* Conversations as lines with their sender.
 *
 * The bytes of each side are put together before they are cut at LF, as a command may be spread
 * over several lines of the text. */
#include "conversation.h"

#include "buf.h"
#include "hex.h"
#include "line.h"

#define SIDES 2
#define MAX_BYTES ((size_t)16 * 1024 * 1024) /* of the dialogue: a count may stand for many */

struct conversation {
    void (*take)(void *context, const struct recording_line *line);
    void *context;
    bool has_ends; /* some line has a \n */
    size_t left;   /* bytes that may still be written out */
    struct line_reader lines[SIDES];
    unsigned long at;
    unsigned long unread;
};

/* Takes the next line of the text, without its end. */
static bool next_line(struct span *rest, struct span *line)
{
    if (rest->len == 0)
        return false;
    size_t len = span_find(*rest, '\n');
    *line = line_without_cr(span_first(*rest, len));
    *rest = span_from(*rest, len + 1);
    return true;
}

static bool is_tor_mark(struct span line)
{
    return span_starts_with(line, SPAN("T> ")) || span_starts_with(line, SPAN("T< "));
}

bool conversation_is_one(struct span text)
{
    struct span line;

    while (next_line(&text, &line))
        if (is_tor_mark(line) || span_equals(line, SPAN("dialogue:")))
            return true;
    return false;
}

/* --- bytes --- */

/* Behind "\{": "COUNT}c". */
static bool take_repeat(struct span *rest, struct buf *out)
{
    size_t digits = span_find(*rest, '}');
    unsigned long count;

    if (digits + 1 >= rest->len ||
        !span_to_number(span_first(*rest, digits), RECORDING_MAX_LINE, &count))
        return false;
    for (unsigned long i = 0; i < count; i++)
        if (!buf_append_char(out, rest->data[digits + 1]))
            return false;
    *rest = span_from(*rest, digits + 2);
    return true;
}

static bool take_hex(struct span *rest, struct buf *out)
{
    int high = rest->len >= 2 ? hex_digit(rest->data[0]) : -1;
    int low = rest->len >= 2 ? hex_digit(rest->data[1]) : -1;

    if (high < 0 || low < 0)
        return false;
    *rest = span_from(*rest, 2);
    return buf_append_char(out, (char)(unsigned char)(high * 16 + low));
}

/* Behind a backslash. */
static bool take_escape(struct span *rest, struct buf *out)
{
    char letter = rest->len ? rest->data[0] : '\0';

    *rest = span_from(*rest, 1);
    switch (letter) {
    case 'r':
        return buf_append_char(out, '\r');
    case 'n':
        return buf_append_char(out, '\n');
    case 't':
        return buf_append_char(out, '\t');
    case '\\':
        return buf_append_char(out, '\\');
    case 'x':
        return take_hex(rest, out);
    case '{':
        return take_repeat(rest, out);
    default:
        return false;
    }
}

static bool decode(struct span rest, struct buf *out)
{
    while (rest.len > 0) {
        size_t len = span_find(rest, '\\');
        if (!buf_append(out, span_first(rest, len)))
            return false;
        if (len == rest.len)
            return true;
        rest = span_from(rest, len + 1);
        if (!take_escape(&rest, out))
            return false;
    }
    return true;
}

/* --- lines --- */

static bool emit(struct conversation *conversation, enum recording_side side, struct span bytes)
{
    struct line_reader *reader = &conversation->lines[side];
    enum line_result result;
    struct span line;

    while ((result = line_reader_next(reader, &bytes, &line)) == LINE_READY) {
        const struct recording_line row = {side, 0, line_without_cr(line), conversation->at};
        conversation->take(conversation->context, &row);
    }
    return result != LINE_TOO_LONG;
}

static bool take_bytes(struct conversation *conversation, enum recording_side side,
                       struct span text)
{
    struct buf bytes;

    buf_init(&bytes, conversation->left);
    bool done = decode(text, &bytes);
    if (done && !conversation->has_ends)
        done = buf_append_char(&bytes, '\n');
    conversation->left -= bytes.len;
    done = done && emit(conversation, side, buf_span(&bytes));
    buf_wipe(&bytes);
    return done;
}

static bool is_expectation(struct span line)
{
    return line.len == 0 || line.data[0] == '#' || span_starts_with(line, SPAN("T<")) ||
           span_starts_with(line, SPAN("S:")) || span_starts_with(line, SPAN("S!"));
}

static void take_row(struct conversation *conversation, struct span line)
{
    bool done = is_expectation(line);

    if (span_starts_with(line, SPAN("C: ")))
        done = take_bytes(conversation, RECORDING_CLIENT, span_from(line, 3));
    else if (span_starts_with(line, SPAN("T> ")))
        done = take_bytes(conversation, RECORDING_TOR, span_from(line, 3));
    conversation->unread += !done;
}

/* Whether a line that says what is sent has a line's end in it. */
static bool has_ends(struct span text)
{
    struct span line;

    while (next_line(&text, &line)) {
        bool is_sent = span_starts_with(line, SPAN("C: ")) || span_starts_with(line, SPAN("T> "));
        for (size_t i = 0; is_sent && i + 1 < line.len; i++)
            if (line.data[i] == '\\' && line.data[++i] == 'n')
                return true;
    }
    return false;
}

/* What follows the line "dialogue:", or everything; counts the lines before it. */
static struct span skip_profile(struct span text, unsigned long *at)
{
    struct span rest = text, line;
    unsigned long lines = 0;

    while (next_line(&rest, &line)) {
        lines++;
        if (span_equals(line, SPAN("dialogue:"))) {
            *at = lines;
            return rest;
        }
    }
    return text;
}

unsigned long conversation_read(struct span text,
                                void (*take)(void *context, const struct recording_line *line),
                                void *context)
{
    struct conversation conversation = {.take = take, .context = context, .left = MAX_BYTES};
    struct span line;

    text = skip_profile(text, &conversation.at);
    conversation.has_ends = has_ends(text);
    for (size_t i = 0; i < SIDES; i++)
        line_reader_init(&conversation.lines[i], RECORDING_MAX_LINE);
    while (next_line(&text, &line)) {
        conversation.at++;
        take_row(&conversation, line);
    }
    for (size_t i = 0; i < SIDES; i++) {
        const struct line_reader *reader = &conversation.lines[i];
        conversation.unread += reader->partial.len > 0 && !reader->taken;
        line_reader_clear(&conversation.lines[i]);
    }
    return conversation.unread;
}
