/* tor's bytes to reply and event lines.
 *
 * A state machine of three facts: are we inside a message, inside its data block, and is it an
 * event. Inside a data block nothing counts but the lone "." (control-protocol 7.15); outside, a
 * line that is not "NNN", a separator and clean text cannot be attributed to anything, so the
 * stream is malformed from there on. Events alone may hold control characters (control-protocol 4:
 * log events carry a CR); those lines are handed out for the caller to withhold. */
#include "reply.h"

#include "ascii.h"

static bool reply_is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool reply_has_control(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (reply_is_control(text.data[i]))
            return true;
    return false;
}

/* Code and separator only; what the text holds is the caller's to judge. */
static bool reply_split(struct span wire, struct reply_line *line_out)
{
    if (wire.len < 4)
        return false;
    unsigned code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (!ascii_is_digit(wire.data[i]))
            return false;
        code = code * 10 + (unsigned)(wire.data[i] - '0');
    }
    enum reply_line_kind kind;
    if (wire.data[3] == '-')
        kind = REPLY_MID;
    else if (wire.data[3] == '+')
        kind = REPLY_DATA;
    else if (wire.data[3] == ' ')
        kind = REPLY_END;
    else
        return false;
    *line_out = (struct reply_line){
        .kind = kind,
        .code = code,
        .wire = wire,
        .text = span_from(wire, 4),
    };
    return true;
}

void reply_reader_init(struct reply_reader *reader)
{
    *reader = (struct reply_reader){0};
    line_reader_init(&reader->lines, REPLY_MAX_LINE);
}

void reply_reader_clear(struct reply_reader *reader)
{
    line_reader_clear(&reader->lines);
    reply_reader_init(reader);
}

static void reply_take_data_line(struct reply_reader *reader, struct span wire,
                                 struct reply_line *line_out)
{
    bool is_end = span_equals(wire, SPAN("."));

    *line_out = (struct reply_line){
        .kind = is_end ? REPLY_DATA_END : REPLY_DATA_LINE,
        .code = reader->code,
        .wire = wire,
        .text = wire,
    };
    if (is_end)
        reader->in_data = false;
}

static bool reply_take_line(struct reply_reader *reader, struct span wire,
                            struct reply_line *line_out)
{
    if (!reply_split(wire, line_out))
        return false;
    bool is_event = line_out->code == REPLY_EVENT_CODE;
    if (reader->in_message && reader->is_event != is_event)
        return false;
    if (!is_event && reply_has_control(line_out->text))
        return false;
    reader->is_event = is_event;
    reader->code = line_out->code;
    reader->in_message = line_out->kind != REPLY_END;
    reader->in_data = line_out->kind == REPLY_DATA;
    return true;
}

enum reply_result reply_reader_next(struct reply_reader *reader, struct span *input,
                                    struct reply_line *line_out)
{
    struct span line;

    if (reader->malformed)
        return REPLY_MALFORMED;
    enum line_result result = line_reader_next(&reader->lines, input, &line);
    if (result == LINE_NONE)
        return REPLY_NONE;
    if (result == LINE_READY) {
        struct span wire = line_without_cr(line);
        if (reader->in_data) {
            reply_take_data_line(reader, wire, line_out);
            return REPLY_LINE;
        }
        if (reply_take_line(reader, wire, line_out))
            return REPLY_LINE;
    }
    reader->malformed = true;
    return REPLY_MALFORMED;
}

bool reply_line_is_clean(const struct reply_line *line)
{
    return line->kind == REPLY_DATA_LINE || !reply_has_control(line->wire);
}

bool reply_parse_line(struct span wire, struct reply_line *line_out)
{
    return !reply_has_control(wire) && reply_split(wire, line_out);
}

bool reply_write(struct buf *out, struct span wire)
{
    size_t before = out->len;

    if (buf_append(out, wire) && buf_append(out, SPAN("\r\n")))
        return true;
    buf_truncate(out, before);
    return false;
}
