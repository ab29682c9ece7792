/* A recorded dialogue, line by line.
 *
 * A tap logs what one read gave, so the bytes of each direction of each connection are put together
 * again before they are cut into lines, at LF as tor does it. In plain text a line is a line, and
 * only whether it belongs to a data block has to be remembered: of the client's ("+LOADCONF") or of
 * tor's ("250+key="). */
#include "recording.h"

#include <stdlib.h>

#include "ascii.h"
#include "buf.h"
#include "json_line.h"
#include "line.h"
#include "mem.h"

#define SIDES 2

/* One connection of a tap. */
struct stream {
    unsigned long number;
    struct line_reader lines[SIDES]; /* by enum recording_side */
};

struct recording {
    void (*take)(void *context, const struct recording_line *line);
    void *context;
    struct buf partial; /* the line of the text that is not complete yet */
    bool skips;         /* that line is too long: up to its end nothing is kept */
    unsigned long at;
    unsigned long unread;
    struct stream *streams; /* open connections; the last one used is first */
    size_t stream_count;
    bool in_data[SIDES]; /* plain text: this side's data block goes on */
    struct buf data;     /* decoded bytes of one object */
};

struct recording *recording_new(void (*take)(void *context, const struct recording_line *line),
                                void *context)
{
    struct recording *recording = mem_zalloc(1, sizeof *recording);

    recording->take = take;
    recording->context = context;
    buf_init(&recording->partial, RECORDING_MAX_LINE);
    buf_init(&recording->data, RECORDING_MAX_LINE);
    return recording;
}

static void stream_clear(struct stream *stream)
{
    for (size_t i = 0; i < SIDES; i++)
        line_reader_clear(&stream->lines[i]);
}

void recording_free(struct recording *recording)
{
    if (!recording)
        return;
    for (size_t i = 0; i < recording->stream_count; i++)
        stream_clear(&recording->streams[i]);
    free(recording->streams);
    buf_wipe(&recording->partial);
    buf_wipe(&recording->data);
    free(recording);
}

unsigned long recording_unread(const struct recording *recording)
{
    return recording->unread;
}

static void emit(struct recording *recording, enum recording_side side, unsigned long connection,
                 struct span text)
{
    const struct recording_line line = {side, connection, line_without_cr(text), recording->at};

    recording->take(recording->context, &line);
}

/* --- the objects of a tap --- */

static size_t stream_position(const struct recording *recording, unsigned long number)
{
    size_t i = 0;

    while (i < recording->stream_count && recording->streams[i].number != number)
        i++;
    return i;
}

/* The connection of that number, moved to the front, or NULL if there are too many. */
static struct stream *stream_open(struct recording *recording, unsigned long number)
{
    size_t i = stream_position(recording, number);

    if (i == recording->stream_count) {
        if (i == RECORDING_MAX_CONNECTIONS)
            return NULL;
        recording->streams = mem_resize(recording->streams, i + 1, sizeof(struct stream));
        recording->streams[i].number = number;
        for (size_t side = 0; side < SIDES; side++)
            line_reader_init(&recording->streams[i].lines[side], RECORDING_MAX_LINE);
        recording->stream_count++;
    }
    struct stream found = recording->streams[i];
    recording->streams[i] = recording->streams[0];
    recording->streams[0] = found;
    return &recording->streams[0];
}

static void stream_close(struct recording *recording, unsigned long number)
{
    size_t i = stream_position(recording, number);

    if (i == recording->stream_count)
        return;
    stream_clear(&recording->streams[i]);
    recording->streams[i] = recording->streams[--recording->stream_count];
}

/* What of an object is looked at. */
struct tap_event {
    struct span connection;
    struct span direction;
    struct span data;
    struct span event;
};

static bool tap_event_parse(struct span text, struct tap_event *event)
{
    struct json_line json;
    struct json_member member;
    enum json_result result;

    *event = (struct tap_event){.data = {NULL, 0}};
    json_line_init(&json, text);
    while ((result = json_line_next(&json, &member)) == JSON_MEMBER) {
        if (span_equals(member.key, SPAN("c")))
            event->connection = member.value;
        else if (span_equals(member.key, SPAN("dir")))
            event->direction = member.value;
        else if (span_equals(member.key, SPAN("data")))
            event->data = member.value;
        else if (span_equals(member.key, SPAN("ev")))
            event->event = member.value;
    }
    return result == JSON_END;
}

static bool feed_stream(struct recording *recording, enum recording_side side,
                        unsigned long connection)
{
    struct stream *stream = stream_open(recording, connection);
    struct span rest = buf_span(&recording->data);
    struct span line;
    enum line_result result = LINE_NONE;

    if (!stream)
        return false;
    while ((result = line_reader_next(&stream->lines[side], &rest, &line)) == LINE_READY)
        emit(recording, side, connection, line);
    return result != LINE_TOO_LONG;
}

/* False: this is no object of a tap, or one that cannot be followed. */
static bool take_object(struct recording *recording, struct span text)
{
    struct tap_event event;
    unsigned long connection = 0;

    if (!tap_event_parse(text, &event))
        return false;
    span_to_number(event.connection, (unsigned long)-1, &connection);
    if (span_equals(event.event, SPAN("\"close\"")))
        stream_close(recording, connection);
    if (event.direction.len == 0)
        return true;
    bool is_client = span_equals(event.direction, SPAN("\">\""));
    if (!is_client && !span_equals(event.direction, SPAN("\"<\"")))
        return false;
    buf_reset(&recording->data);
    return json_string_bytes(event.data, &recording->data) &&
           feed_stream(recording, is_client ? RECORDING_CLIENT : RECORDING_TOR, connection);
}

/* --- plain text --- */

static struct span skip_digits(struct span text)
{
    while (text.len > 0 && ascii_is_digit(text.data[0]))
        text = span_from(text, 1);
    return text;
}

static struct span skip_spaces(struct span text)
{
    while (text.len > 0 && text.data[0] == ' ')
        text = span_from(text, 1);
    return text;
}

/* "   12.345 " in front of a mark; the text as it was if there is none. */
static struct span skip_time(struct span text)
{
    struct span rest = skip_digits(skip_spaces(text));

    if (rest.len == 0 || rest.data[0] != '.')
        return text;
    struct span behind = skip_digits(span_from(rest, 1));
    return behind.len > 0 && behind.data[0] == ' ' ? skip_spaces(behind) : text;
}

/* Takes the mark off the front of *text. */
static bool take_mark(struct span *text, enum recording_side *side, unsigned long *connection)
{
    struct span rest = skip_time(*text);
    struct span behind = skip_digits(rest);

    if (behind.len > 0 && (behind.data[0] == '>' || behind.data[0] == '<')) {
        *side = behind.data[0] == '>' ? RECORDING_CLIENT : RECORDING_TOR;
        span_to_number(span_first(rest, rest.len - behind.len), (unsigned long)-1, connection);
        rest = span_from(behind, 1);
    } else if (span_starts_with(rest, SPAN("C:")) || span_starts_with(rest, SPAN("S:"))) {
        *side = rest.data[0] == 'C' ? RECORDING_CLIENT : RECORDING_TOR;
        rest = span_from(rest, 2);
    } else {
        return false;
    }
    if (rest.len > 0 && rest.data[0] != ' ')
        return false;
    *text = span_from(rest, 1);
    return true;
}

static bool looks_like_reply(struct span text)
{
    return text.len >= 4 && skip_digits(text).len == text.len - 3 &&
           (text.data[3] == ' ' || text.data[3] == '-' || text.data[3] == '+');
}

/* Whether a block begins, goes on or ends with this line. */
static void follow_data(struct recording *recording, enum recording_side side, struct span text)
{
    bool *in_data = &recording->in_data[side];

    if (*in_data)
        *in_data = !span_equals(text, SPAN("."));
    else if (side == RECORDING_CLIENT)
        *in_data = text.len > 0 && text.data[0] == '+';
    else
        *in_data = looks_like_reply(text) && text.data[3] == '+';
}

static void take_plain(struct recording *recording, struct span text)
{
    enum recording_side side;
    unsigned long connection = 0;

    text = line_without_cr(text);
    if (!take_mark(&text, &side, &connection)) {
        bool in_data = recording->in_data[RECORDING_CLIENT] || recording->in_data[RECORDING_TOR];
        if (!in_data && (text.len == 0 || text.data[0] == '#'))
            return;
        bool is_tor = in_data ? recording->in_data[RECORDING_TOR] : looks_like_reply(text);
        side = is_tor ? RECORDING_TOR : RECORDING_CLIENT;
    }
    follow_data(recording, side, text);
    emit(recording, side, connection, text);
}

/* --- the text --- */

static void take_line(struct recording *recording, struct span text)
{
    bool in_data = recording->in_data[RECORDING_CLIENT] || recording->in_data[RECORDING_TOR];

    if (in_data || text.len == 0 || text.data[0] != '{')
        take_plain(recording, text);
    else if (!take_object(recording, line_without_cr(text)))
        recording->unread++;
}

static void end_line(struct recording *recording)
{
    recording->at++;
    if (recording->skips)
        recording->unread++;
    else
        take_line(recording, buf_span(&recording->partial));
    recording->skips = false;
    buf_reset(&recording->partial);
}

void recording_feed(struct recording *recording, struct span bytes)
{
    while (bytes.len > 0) {
        size_t len = span_find(bytes, '\n');
        if (!recording->skips && !buf_append(&recording->partial, span_first(bytes, len))) {
            recording->skips = true;
            buf_reset(&recording->partial);
        }
        if (len < bytes.len)
            end_line(recording);
        bytes = span_from(bytes, len + 1);
    }
}

void recording_end(struct recording *recording)
{
    if (recording->skips || recording->partial.len > 0)
        end_line(recording);
}
