/* Client bytes to commands, and approved commands back to bytes.
 *
 * The framing is tor's own (control-protocol 1.1 to 1.3, 7.5): only "+" as first byte opens a
 * block, for any keyword; only a line that is exactly "." closes it. Each side of a doubt would put
 * us out of step with tor, so bad bytes never change the framing, they only mark the command.
 *
 *     line --+-- first byte "+" --> in block --+-- "."  --> block command
 *            |                        ^        |
 *            +--> command             +--------+-- any other line is data */
#include "command.h"

static const struct span empty = {"", 0};

void command_reader_init(struct command_reader *reader)
{
    *reader = (struct command_reader){.in_block = false};
    line_reader_init(&reader->lines, COMMAND_MAX_LINE);
    buf_init(&reader->header, COMMAND_MAX_LINE);
    buf_init(&reader->data, COMMAND_MAX_DATA);
}

void command_reader_clear(struct command_reader *reader)
{
    line_reader_clear(&reader->lines);
    buf_wipe(&reader->header);
    buf_wipe(&reader->data);
    command_reader_init(reader);
}

void command_reader_set_limits(struct command_reader *reader, size_t line, size_t data)
{
    line_reader_init(&reader->lines, line);
    buf_init(&reader->header, line);
    buf_init(&reader->data, data);
}

/* Splits a line that has lost its end, and its plus if it had one. */
static void split(struct span line, bool is_block, struct command *command_out)
{
    size_t spaces = 0;

    *command_out = (struct command){.is_block = is_block, .data = empty};
    command_out->name = span_first(line, span_find(line, ' '));
    struct span rest = span_from(line, command_out->name.len);
    while (spaces < rest.len && rest.data[spaces] == ' ')
        spaces++;
    command_out->arguments = spaces < rest.len ? span_from(rest, spaces) : empty;
    command_out->keyword = keyword_find(command_out->name, is_block);
}

static enum command_defect find_defect(const struct command *command, bool is_printable)
{
    if (!is_printable)
        return COMMAND_BAD_BYTES;
    if (!command->is_block && command->name.len == 0)
        return COMMAND_NO_KEYWORD;
    return command->keyword ? COMMAND_SOUND : COMMAND_UNKNOWN;
}

static bool begins_block(struct span line)
{
    return line.len > 0 && line.data[0] == '+';
}

void command_parse_line(struct span line, struct command *command_out)
{
    line = line_without_cr(line);
    bool is_block = begins_block(line);

    split(span_from(line, is_block ? 1 : 0), is_block, command_out);
    if (is_block)
        command_out->keyword = NULL;
    command_out->defect = find_defect(command_out, line_is_printable(line));
}

static void begin_block(struct command_reader *reader, struct span line)
{
    reader->in_block = true;
    reader->bad_bytes = !line_is_printable(line);
    buf_append(&reader->header, span_from(line, 1));
}

static void end_block(struct command_reader *reader, struct command *command_out)
{
    reader->in_block = false;
    split(buf_span(&reader->header), true, command_out);
    command_out->data = buf_span(&reader->data);
    command_out->defect = find_defect(command_out, !reader->bad_bytes);
}

/* Takes one line without its end into the block; true if it was the last one. */
static bool feed_block(struct command_reader *reader, struct span line, struct command *command_out)
{
    if (span_equals(line, SPAN("."))) {
        end_block(reader, command_out);
        return true;
    }
    if (!line_is_printable(line))
        reader->bad_bytes = true;
    if (buf_append(&reader->data, line))
        buf_append(&reader->data, SPAN("\r\n"));
    return false;
}

/* Takes one line; true if it completed a command. */
static bool feed_line(struct command_reader *reader, struct span line, struct command *command_out)
{
    if (reader->in_block)
        return feed_block(reader, line_without_cr(line), command_out);
    if (!begins_block(line)) {
        command_parse_line(line, command_out);
        return true;
    }
    begin_block(reader, line_without_cr(line));
    return false;
}

enum command_result command_reader_next(struct command_reader *reader, struct span *input,
                                        struct command *command_out)
{
    struct span line;

    *command_out = (struct command){.defect = COMMAND_NO_KEYWORD};
    if (!reader->in_block) {
        /* What was handed out last; configurations and keys travel in blocks. */
        buf_wipe(&reader->header);
        buf_wipe(&reader->data);
    }
    while (!reader->data.overflow) {
        switch (line_reader_next(&reader->lines, input, &line)) {
        case LINE_NONE:
            return COMMAND_NONE;
        case LINE_TOO_LONG:
            return COMMAND_TOO_LONG;
        case LINE_READY:
            if (feed_line(reader, line, command_out))
                return COMMAND_READY;
        }
    }
    return COMMAND_TOO_LONG;
}

bool command_data_is_sound(struct span data)
{
    while (data.len > 0) {
        size_t end = span_find(data, '\n');
        if (end == data.len || end == 0 || data.data[end - 1] != '\r')
            return false;
        struct span line = span_first(data, end - 1);
        if (!line_is_printable(line) || span_equals(line, SPAN(".")))
            return false;
        data = span_from(data, end + 1);
    }
    return true;
}

bool command_write(struct buf *out, const struct keyword *keyword, struct span arguments,
                   struct span data)
{
    bool is_block = (keyword->flags & KEYWORD_IS_BLOCK) != 0;
    size_t before = out->len;

    if (!line_is_printable(arguments) || !command_data_is_sound(data) || (!is_block && data.len))
        return false;
    bool done = buf_append_string(out, keyword_label(keyword));
    if (done && arguments.len)
        done = buf_append_char(out, ' ') && buf_append(out, arguments);
    done = done && buf_append(out, SPAN("\r\n"));
    if (done && is_block)
        done = buf_append(out, data) && buf_append(out, SPAN(".\r\n"));
    if (!done)
        buf_truncate(out, before);
    return done;
}
