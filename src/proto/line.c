/* Bytes to lines.
 *
 * Each call looks only at bytes that it then takes off the input, so a line that arrives in many
 * pieces costs no more than one that arrives whole. What is looked at is bounded by the maximum as
 * well: tor itself buffers an unfinished line without end (control-protocol 1.1), we do not. */
#include "line.h"

#include "ascii.h"
#include "mem.h"

void line_reader_init(struct line_reader *reader, size_t max)
{
    *reader = (struct line_reader){.max = max};
    buf_init(&reader->partial, max);
}

void line_reader_clear(struct line_reader *reader)
{
    buf_wipe(&reader->partial);
    line_reader_init(reader, reader->max);
}

/* Forgets a line that was handed out; it may have been a password. */
static void drop_taken(struct line_reader *reader)
{
    if (!reader->taken)
        return;
    mem_wipe(reader->partial.data, reader->partial.start + reader->partial.len);
    buf_reset(&reader->partial);
    reader->taken = false;
}

/* Takes the first `len` bytes of the input, and `end` bytes of line end behind them. */
static struct span take(struct span *input, size_t len, size_t end)
{
    struct span taken = span_first(*input, len);

    *input = span_from(*input, len + end);
    return taken;
}

enum line_result line_reader_next(struct line_reader *reader, struct span *input,
                                  struct span *line_out)
{
    *line_out = span_make("", 0);
    drop_taken(reader);
    if (reader->too_long)
        return LINE_TOO_LONG;
    size_t room = reader->max - reader->partial.len;
    struct span seen = span_first(*input, room);
    size_t len = span_find(seen, '\n');

    if (len == room) {
        reader->too_long = true;
        return LINE_TOO_LONG;
    }
    if (len == seen.len) {
        buf_append(&reader->partial, take(input, len, 0));
        return LINE_NONE;
    }
    if (reader->partial.len == 0) {
        *line_out = take(input, len, 1);
        return LINE_READY;
    }
    buf_append(&reader->partial, take(input, len, 1));
    *line_out = buf_span(&reader->partial);
    reader->taken = true;
    return LINE_READY;
}

struct span line_without_cr(struct span line)
{
    bool has_cr = line.len > 0 && line.data[line.len - 1] == '\r';

    return span_first(line, has_cr ? line.len - 1 : line.len);
}

bool line_is_printable(struct span line)
{
    for (size_t i = 0; i < line.len; i++)
        if (!ascii_is_printable(line.data[i]))
            return false;
    return true;
}
