/* What is collected of one command or event. */
#include "explain_parts.h"

#include <stdlib.h>

#include "mem.h"

struct explain_item *explain_item_new(const struct explain_unit *unit)
{
    struct explain_item *item = mem_zalloc(1, sizeof *item);

    item->unit = unit;
    item->is_event = unit->kind == EXPLAIN_UNIT_EVENT;
    buf_init(&item->name, EXPLAIN_MAX_TEXT);
    buf_init(&item->arguments, EXPLAIN_MAX_TEXT);
    buf_init(&item->data, EXPLAIN_MAX_TEXT);
    buf_init(&item->expected, EXPLAIN_MAX_TEXT);
    buf_init(&item->to_tor, EXPLAIN_MAX_TEXT);
    buf_init(&item->client, EXPLAIN_MAX_OUT);
    return item;
}

void explain_item_free(struct explain_item *item)
{
    for (size_t i = 0; i < item->line_count; i++) {
        buf_wipe(&item->lines[i].wire);
        buf_wipe(&item->lines[i].becomes);
    }
    for (size_t i = 0; i < item->note_count; i++)
        free(item->notes[i]);
    free(item->lines);
    free(item->reason);
    reply_plan_free(item->plan);
    buf_wipe(&item->name);
    buf_wipe(&item->arguments);
    buf_wipe(&item->data);
    buf_wipe(&item->expected);
    buf_wipe(&item->to_tor);
    buf_wipe(&item->client);
    free(item);
}

void explain_item_note(struct explain_item *item, const char *note)
{
    if (item->note_count < EXPLAIN_MAX_NOTES)
        item->notes[item->note_count++] = mem_copy_string(span_from_string(note));
}

void explain_item_set_reason(struct explain_item *item, const char *reason)
{
    free(item->reason);
    item->reason = reason ? mem_copy_string(span_from_string(reason)) : NULL;
}

struct explain_line *explain_item_add_line(struct explain_item *item, struct span wire)
{
    if (item->line_count == item->line_room) {
        item->line_room = item->line_room ? item->line_room * 2 : 4;
        item->lines = mem_resize(item->lines, item->line_room, sizeof *item->lines);
    }
    struct explain_line *line = &item->lines[item->line_count++];
    *line = (struct explain_line){.fate = EXPLAIN_PASSED};
    buf_init(&line->wire, EXPLAIN_MAX_TEXT);
    buf_init(&line->becomes, EXPLAIN_MAX_OUT);
    buf_append(&line->wire, wire);
    return line;
}
