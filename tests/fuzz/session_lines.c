/* The client's bytes as commands, read byte by byte without the program's own readers: lines end at
 * LF, a CR before it belongs to the end; a "+" as first byte begins a block that a lone "." ends.
 */
#include "session_harness.h"

void lines_init(struct lines *lines, size_t max_line, size_t max_data)
{
    *lines = (struct lines){.max_line = max_line, .max_data = max_data};
    buf_init(&lines->line, COMMAND_MAX_LINE + 1);
    buf_init(&lines->header, COMMAND_MAX_LINE + 1);
    buf_init(&lines->data, COMMAND_MAX_DATA + COMMAND_MAX_LINE + 2);
}

void lines_clear(struct lines *lines)
{
    buf_clear(&lines->line);
    buf_clear(&lines->header);
    buf_clear(&lines->data);
}

static bool is_plain(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < ' ' || text.data[i] > '~')
            return false;
    return true;
}

static void read_command(struct span text, bool is_block, bool is_plain_text,
                         struct command *command_out)
{
    struct span rest = span_from(text, is_block);
    size_t len = span_find(rest, ' ');

    *command_out = (struct command){.is_block = is_block, .name = span_first(rest, len)};
    rest = span_from(rest, len);
    while (rest.len > 0 && rest.data[0] == ' ')
        rest = span_from(rest, 1);
    command_out->arguments = rest;
    command_out->data = span_make("", 0);
    command_out->keyword = keyword_find(command_out->name, is_block);
    if (!is_plain_text)
        command_out->defect = COMMAND_BAD_BYTES;
    else if (!command_out->keyword)
        command_out->defect =
            is_block || command_out->name.len > 0 ? COMMAND_UNKNOWN : COMMAND_NO_KEYWORD;
}

/* Takes the line that has come to its end. True: it completes a command. */
static bool take_line(struct lines *lines, struct command *command_out)
{
    struct span line = buf_span(&lines->line);

    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    if (!lines->in_block && (line.len == 0 || line.data[0] != '+')) {
        read_command(line, false, is_plain(line), command_out);
        return true;
    }
    if (lines->in_block && span_equals(line, SPAN("."))) {
        lines->in_block = false;
        read_command(buf_span(&lines->header), true, !lines->is_odd, command_out);
        command_out->data = buf_span(&lines->data);
        return true;
    }
    if (!lines->in_block) {
        lines->in_block = true;
        lines->is_odd = false;
        buf_append(&lines->header, line);
    } else {
        buf_append(&lines->data, line);
        buf_append_string(&lines->data, "\r\n");
    }
    lines->is_odd |= !is_plain(line);
    return false;
}

enum command_result lines_next(struct lines *lines, struct span *input, struct command *command_out)
{
    if (!lines->in_block) {
        buf_reset(&lines->header);
        buf_reset(&lines->data);
    }
    if (lines->is_over)
        buf_reset(&lines->line);
    lines->is_over = false;
    while (input->len > 0) {
        char c = input->data[0];
        if (lines->data.len > lines->max_data)
            return COMMAND_TOO_LONG;
        if (c == '\n') {
            *input = span_from(*input, 1);
            lines->is_over = take_line(lines, command_out);
            if (lines->is_over)
                return COMMAND_READY;
            buf_reset(&lines->line);
            continue;
        }
        /* With its end it would be longer than a line may be. */
        if (lines->line.len + 1 >= lines->max_line)
            return COMMAND_TOO_LONG;
        buf_append_char(&lines->line, c);
        *input = span_from(*input, 1);
    }
    return lines->data.len > lines->max_data ? COMMAND_TOO_LONG : COMMAND_NONE;
}
