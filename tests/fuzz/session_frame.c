/* The form of what comes out, byte by byte, without the program's own readers. */
#include <ctype.h>
#include <string.h>

#include "session_harness.h"

static void frame_next_line(struct frame *frame)
{
    frame->at = 0;
    frame->has_cr = false;
}

static void frame_keep(struct frame *frame, char c)
{
    if (frame->at < sizeof frame->head)
        frame->head[frame->at] = c;
    frame->at++;
    frame->has_cr = c == '\r';
}

/* Whether the block ends with the line that has come to its end, CR included. */
static bool frame_is_dot(const struct frame *frame)
{
    return frame->at == 2 && frame->head[0] == '.';
}

static void end_client_line(struct frame *frame)
{
    const char *head = frame->head;

    ORACLE(frame->has_cr, "the client got a line that ends in LF alone");
    if (frame->in_block) {
        frame->in_block = !frame_is_dot(frame);
        return;
    }
    ORACLE(frame->at >= 5 && isdigit((unsigned char)head[0]) && isdigit((unsigned char)head[1]) &&
               isdigit((unsigned char)head[2]) && strchr("-+ ", head[3]),
           "the client got a line without a code");
    bool is_event = memcmp(head, "650", 3) == 0;
    ORACLE(!frame->in_message || frame->is_event == is_event,
           "the client got an event inside a reply, or the reverse");
    frame->is_event = is_event;
    frame->in_message = head[3] != ' ';
    frame->in_block = head[3] == '+';
}

void frame_client(struct frame *frame, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c == '\n') {
            end_client_line(frame);
            frame_next_line(frame);
            continue;
        }
        ORACLE(frame->in_block || !frame->has_cr, "the client got a bare CR");
        ORACLE(frame->in_block || c == '\r' || (c >= 0x20 && c != 0x7f),
               "the client got a control character");
        frame_keep(frame, (char)c);
    }
}

static void end_tor_line(struct frame *frame)
{
    ORACLE(frame->has_cr, "tor got a line that ends in LF alone");
    if (frame->in_block)
        frame->in_block = !frame_is_dot(frame);
    else
        frame->in_block = frame->head[0] == '+';
}

void frame_tor(struct frame *frame, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.data[i];
        if (c == '\n') {
            end_tor_line(frame);
            frame_next_line(frame);
            continue;
        }
        ORACLE(!frame->has_cr || frame->in_block, "tor got a bare CR");
        ORACLE(frame->in_block || c == '\r' || (c >= 0x20 && c < 0x7f),
               "tor got a byte that is not printable");
        ORACLE(c != '\0', "tor got a NUL");
        ORACLE(frame->at > 0 || frame->in_block || isupper(c) || c == '+',
               "tor got a line that does not begin with a command");
        ORACLE(frame->in_block || frame->at <= COMMAND_MAX_LINE, "tor got a line over the limit");
        frame_keep(frame, (char)c);
    }
}
