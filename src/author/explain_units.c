/* A dialogue cut into what is explained one by one.
 *
 * A command is one line, or with "+" in front a block up to "." (control-protocol 1.1); a message
 * of tor's goes to the line with a space behind its code (2.1), data blocks apart. A line that fits
 * nowhere is a unit of its own: the session has to judge it. Several connections may stand in one
 * text, so each has an open unit for each side. */
#include "explain_units.h"

#include <stdlib.h>
#include <string.h>

#include "conversation.h"
#include "line.h"
#include "mem.h"
#include "recording.h"
#include "reply.h"

#define SIDES 2

/* What of one connection is not complete. */
struct open_units {
    size_t unit[SIDES]; /* by enum recording_side; EXPLAIN_NO_UNIT */
    bool in_data;       /* tor's */
};

struct cutter {
    struct explain_units *units;
    struct open_units *open; /* one for each connection; owned */
    unsigned long at;
};

static size_t connection_index(struct cutter *cutter, unsigned long number)
{
    struct explain_units *units = cutter->units;
    size_t i = units->connection_count;

    /* The one that spoke last is asked first. */
    while (i > 0 && units->connections[i - 1] != number)
        i--;
    if (i > 0)
        return i - 1;
    if (units->connection_count == EXPLAIN_MAX_CONNECTIONS)
        return EXPLAIN_NO_UNIT;
    i = units->connection_count++;
    units->connections = mem_resize(units->connections, i + 1, sizeof *units->connections);
    units->connections[i] = number;
    cutter->open = mem_resize(cutter->open, i + 1, sizeof *cutter->open);
    cutter->open[i] = (struct open_units){{EXPLAIN_NO_UNIT, EXPLAIN_NO_UNIT}, false};
    return i;
}

static size_t add_unit(struct explain_units *units, enum explain_unit_kind kind, size_t connection,
                       unsigned long at)
{
    if (units->count == EXPLAIN_MAX_UNITS)
        return EXPLAIN_NO_UNIT;
    if (units->count == units->room) {
        units->room = units->room ? units->room * 2 : 64;
        units->items = mem_resize(units->items, units->room, sizeof *units->items);
    }
    struct explain_unit *unit = &units->items[units->count];
    *unit = (struct explain_unit){
        .kind = kind, .connection = connection, .at = at, .counterpart = EXPLAIN_NO_UNIT};
    buf_init(&unit->lines, EXPLAIN_MAX_TEXT * 2);
    return units->count++;
}

static void add_line(struct explain_unit *unit, struct span text)
{
    buf_append(&unit->lines, text);
    buf_append_string(&unit->lines, "\r\n");
}

/* Whether this line of the client's is the last one of its unit. */
static bool ends_command(const struct explain_unit *unit, struct span text)
{
    bool is_first = unit->lines.len == 0;

    return is_first ? text.len == 0 || text.data[0] != '+' : span_equals(text, SPAN("."));
}

static bool ends_message(struct open_units *open, struct span text)
{
    struct reply_line line;

    if (open->in_data) {
        open->in_data = !span_equals(text, SPAN("."));
        return false;
    }
    if (text.len < 4 || (text.data[3] != '-' && text.data[3] != '+' && text.data[3] != ' '))
        return true;
    /* What it cannot read may still stand in an event (tor's log events). */
    if (!reply_parse_line(text, &line))
        return text.data[3] == ' ';
    open->in_data = line.kind == REPLY_DATA;
    return line.kind == REPLY_END;
}

static enum explain_unit_kind kind_of(enum recording_side side, struct span text)
{
    if (side == RECORDING_CLIENT)
        return EXPLAIN_UNIT_COMMAND;
    return span_starts_with(text, SPAN("650")) ? EXPLAIN_UNIT_EVENT : EXPLAIN_UNIT_REPLY;
}

static void take_line(void *context, const struct recording_line *line)
{
    struct cutter *cutter = context;
    struct explain_units *units = cutter->units;
    size_t connection = connection_index(cutter, line->connection);

    if (connection == EXPLAIN_NO_UNIT) {
        units->is_too_much = true;
        return;
    }
    size_t *open = &cutter->open[connection].unit[line->side];
    if (*open == EXPLAIN_NO_UNIT)
        *open = add_unit(units, kind_of(line->side, line->text), connection, line->at);
    if (*open == EXPLAIN_NO_UNIT) {
        units->is_too_much = true;
        return;
    }
    struct explain_unit *unit = &units->items[*open];
    unit->is_whole = line->side == RECORDING_CLIENT
                         ? ends_command(unit, line->text)
                         : ends_message(&cutter->open[connection], line->text);
    add_line(unit, line->text);
    if (unit->is_whole)
        *open = EXPLAIN_NO_UNIT;
}

/* --- which reply answers which command --- */

/* The units of one connection, in order. */
struct slice {
    const size_t *units;
    size_t count;
};

static void pair(struct explain_units *units, size_t command, size_t reply)
{
    units->items[command].counterpart = reply;
    units->items[reply].counterpart = command;
}

/* The next unit of that kind in the slice, from the position on. */
static size_t next_of_kind(const struct explain_units *units, struct slice slice, size_t from,
                           enum explain_unit_kind kind)
{
    while (from < slice.count && units->items[slice.units[from]].kind != kind)
        from++;
    return from;
}

static void pair_in_order(struct explain_units *units, struct slice slice)
{
    size_t command = 0, reply = 0;

    for (;; command++, reply++) {
        command = next_of_kind(units, slice, command, EXPLAIN_UNIT_COMMAND);
        reply = next_of_kind(units, slice, reply, EXPLAIN_UNIT_REPLY);
        if (command == slice.count || reply == slice.count)
            return;
        pair(units, slice.units[command], slice.units[reply]);
    }
}

/* Commands in a row, and the replies behind them. */
struct burst {
    size_t *commands; /* owned */
    size_t command_count;
    size_t *replies; /* owned */
    size_t reply_count;
};

/* The replies belong to the last of the commands. */
static void pair_burst(struct explain_units *units, struct burst *burst)
{
    bool is_short = burst->command_count < burst->reply_count;
    size_t pairs = is_short ? burst->command_count : burst->reply_count;

    for (size_t i = 0; i < pairs; i++)
        pair(units, burst->commands[burst->command_count - pairs + i], burst->replies[i]);
    burst->command_count = 0;
    burst->reply_count = 0;
}

static void pair_by_place(struct explain_units *units, struct slice slice)
{
    struct burst burst = {.commands = mem_zalloc(slice.count, sizeof(size_t)),
                          .replies = mem_zalloc(slice.count, sizeof(size_t))};

    for (size_t i = 0; i < slice.count; i++) {
        size_t at = slice.units[i];
        enum explain_unit_kind kind = units->items[at].kind;
        if (kind == EXPLAIN_UNIT_COMMAND && burst.reply_count > 0)
            pair_burst(units, &burst);
        if (kind == EXPLAIN_UNIT_COMMAND)
            burst.commands[burst.command_count++] = at;
        else if (kind == EXPLAIN_UNIT_REPLY)
            burst.replies[burst.reply_count++] = at;
    }
    pair_burst(units, &burst);
    free(burst.commands);
    free(burst.replies);
}

/* Pairs the units of each connection. */
static void pair_all(struct explain_units *units, bool is_in_order)
{
    size_t *ends = mem_zalloc(units->connection_count + 1, sizeof *ends);
    size_t *sorted = mem_zalloc(units->count + 1, sizeof *sorted);
    size_t start = 0;

    for (size_t i = 0; i < units->count; i++)
        ends[units->items[i].connection]++;
    for (size_t i = 0; i < units->connection_count; i++) {
        size_t count = ends[i];
        ends[i] = start;
        start += count;
    }
    for (size_t i = 0; i < units->count; i++)
        sorted[ends[units->items[i].connection]++] = i;
    start = 0;
    for (size_t i = 0; i < units->connection_count; i++) {
        const struct slice slice = {sorted + start, ends[i] - start};
        start = ends[i];
        if (is_in_order)
            pair_in_order(units, slice);
        else
            pair_by_place(units, slice);
    }
    free(ends);
    free(sorted);
}

/* --- the forms --- */

static bool is_tap(struct span text)
{
    size_t at = 0;

    while (at < text.len &&
           (text.data[at] == ' ' || text.data[at] == '\n' || text.data[at] == '\r'))
        at++;
    return at < text.len && text.data[at] == '{';
}

static void read_recording(struct cutter *cutter, struct span text)
{
    struct recording *recording = recording_new(take_line, cutter);

    recording_feed(recording, text);
    recording_end(recording);
    cutter->units->unread += recording_unread(recording);
    recording_free(recording);
}

static void read_bytes(struct cutter *cutter, struct span bytes)
{
    struct recording_line line = {.side = RECORDING_CLIENT};

    while (bytes.len > 0) {
        size_t len = span_find(bytes, '\n');
        line.text = line_without_cr(span_first(bytes, len));
        line.at++;
        take_line(cutter, &line);
        bytes = span_from(bytes, len + 1);
    }
}

void explain_units_read(struct explain_units *units, struct span text)
{
    struct cutter cutter = {.units = units};

    *units = (struct explain_units){.is_conversation = conversation_is_one(text)};
    if (units->is_conversation)
        units->unread = conversation_read(text, take_line, &cutter);
    else
        read_recording(&cutter, text);
    if (!units->is_conversation)
        pair_all(units, is_tap(text));
    free(cutter.open);
}

void explain_units_of_client(struct explain_units *units, struct span bytes)
{
    struct cutter cutter = {.units = units};

    *units = (struct explain_units){.is_conversation = false};
    if (bytes.len == 0)
        take_line(&cutter, &(struct recording_line){.side = RECORDING_CLIENT, .at = 1});
    else
        read_bytes(&cutter, bytes);
    free(cutter.open);
}

void explain_units_clear(struct explain_units *units)
{
    for (size_t i = 0; i < units->count; i++)
        buf_wipe(&units->items[i].lines);
    free(units->items);
    free(units->connections);
    *units = (struct explain_units){.count = 0};
}
