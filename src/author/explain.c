/* Commands and dialogues in, explanations out, in the order of the text.
 *
 * All of a dialogue is cut into units first, so that the reply to a command is known before the
 * command is handed over. An item is written as soon as nothing more can come to it and to those
 * before it. */
#include "explain.h"

#include <stdlib.h>

#include "explain_parts.h"
#include "mem.h"
#include "onion_registry.h"

/* What all searches for near rules of one run may cost. */
#define MAX_PATTERNS 200000
#define MAX_DECISIONS 100000

struct explain {
    struct explain_setup setup;
    struct policy_view view;
    struct explain_budget budget;
    struct explain_counts counts;
    struct buf out;
    struct json json;
};

/* One dialogue. */
struct run {
    struct explain *explain;
    struct explain_units units;
    enum explain_form form;
    struct onion_registry registry;
    struct explain_session **sessions; /* one for each connection, NULL: not begun; owned */
    struct explain_item **items;       /* one for each unit, or NULL; owned */
    size_t written;                    /* units before this one are written */
};

static void flush(struct explain *explain)
{
    explain->counts.is_cut = explain->counts.is_cut || explain->out.overflow;
    explain->setup.write(explain->setup.context, buf_span(&explain->out));
    buf_reset(&explain->out);
}

struct explain *explain_new(const struct explain_setup *setup)
{
    struct explain *explain = mem_zalloc(1, sizeof *explain);
    const struct explain_client *client = setup->client;

    explain->setup = *setup;
    explain->budget = (struct explain_budget){{.left = MAX_PATTERNS}, MAX_DECISIONS};
    buf_init(&explain->out, EXPLAIN_MAX_OUT);
    json_init(&explain->json, &explain->out);
    if (client->forced) {
        explain->view.profiles = mem_zalloc(1, sizeof *explain->view.profiles);
        explain->view.profiles[0] = client->forced;
        explain->view.count = 1;
    } else {
        policy_match(setup->policy, client->identity, client->socket_profile, &explain->view);
    }
    if (setup->is_json)
        explain_json_client(&explain->json, &explain->setup, &explain->view);
    else
        explain_text_client(&explain->out, &explain->setup, &explain->view);
    flush(explain);
    return explain;
}

/* --- writing --- */

static void count_item(struct explain *explain, const struct explain_item *item)
{
    if (item->is_event)
        return;
    explain->counts.commands++;
    explain->counts.refused +=
        item->verdict == EXPLAIN_REFUSED || item->verdict == EXPLAIN_NOT_READ;
}

static void write_report(struct explain *explain, const struct explain_report *report)
{
    if (explain->setup.is_json)
        explain_json_item(&explain->json, report);
    else
        explain_text_item(&explain->out, report);
    flush(explain);
}

/* Whether one rule allows the command as a whole, so that its keys say nothing. */
static bool is_allowed_whole(const struct explain_item *item, const struct explain_keys *keys)
{
    for (size_t i = 0; i < keys->count; i++)
        if (!keys->items[i].is_allowed)
            return item->verdict != EXPLAIN_REFUSED;
    return false;
}

/* A reply that is in the dialogue, but was not for the session. */
static void note_unused_reply(struct explain_item *item)
{
    bool is_expected = item->verdict == EXPLAIN_LOCAL || item->verdict == EXPLAIN_NOT_READ;

    if (!item->is_event && item->unit->counterpart != EXPLAIN_NO_UNIT && !item->is_given &&
        !is_expected)
        explain_item_note(item, "tor is not asked, so the reply that is given is not used");
}

static void write_item(struct run *run, const struct explain_item *item)
{
    struct explain *explain = run->explain;
    bool is_refused = item->verdict == EXPLAIN_REFUSED && !item->is_event && item->is_read;
    struct explain_keys keys = {.items = NULL};
    struct explain_hints hints;
    const struct explain_report report = {
        .item = item,
        .keys = &keys,
        .hints = is_refused ? &hints : NULL,
        .view = &explain->view,
        .connection = run->units.connections[item->unit->connection],
        .has_connections = run->units.connection_count > 1,
        .has_place = run->form != EXPLAIN_SINGLE,
    };

    if (item->is_read && !item->is_event)
        explain_keys_of(&explain->view, &item->command, &explain->setup.client->variables, &keys);
    if (is_allowed_whole(item, &keys))
        explain_keys_clear(&keys);
    if (is_refused)
        explain_hints_of(&explain->setup, &explain->view, &item->command, &explain->budget, &hints);
    write_report(explain, &report);
    if (is_refused)
        explain_hints_clear(&hints);
    explain_keys_clear(&keys);
}

/* Writes what is complete, from the front. */
static void write_items(struct run *run)
{
    for (; run->written < run->units.count; run->written++) {
        struct explain_item *item = run->items[run->written];
        if (!item && run->units.items[run->written].kind != EXPLAIN_UNIT_REPLY)
            return;
        if (item && !item->is_done)
            return;
        if (item) {
            count_item(run->explain, item);
            note_unused_reply(item);
            write_item(run, item);
        }
    }
}

/* --- units --- */

static struct explain_session *session_of(struct run *run, size_t connection)
{
    if (!run->sessions[connection])
        run->sessions[connection] = explain_session_new(&run->explain->setup, &run->explain->view,
                                                        &run->registry, run->form);
    return run->sessions[connection];
}

/* The command that a reply is given to, NULL: none. */
static struct explain_item *asked_by(const struct run *run, const struct explain_unit *reply)
{
    return reply->counterpart == EXPLAIN_NO_UNIT ? NULL : run->items[reply->counterpart];
}

static void take_unit(struct run *run, size_t index)
{
    const struct explain_unit *unit = &run->units.items[index];
    struct explain_session *session = session_of(run, unit->connection);
    bool is_assigned = unit->counterpart != EXPLAIN_NO_UNIT;

    if (unit->kind != EXPLAIN_UNIT_REPLY)
        run->items[index] = explain_item_new(unit);
    switch (unit->kind) {
    case EXPLAIN_UNIT_COMMAND:
        explain_session_command(session, run->items[index]);
        break;
    case EXPLAIN_UNIT_EVENT:
        explain_session_event(session, run->items[index]);
        break;
    case EXPLAIN_UNIT_REPLY:
        if (is_assigned || run->form == EXPLAIN_CONVERSATION)
            explain_session_reply(session, asked_by(run, unit), unit);
        else
            run->explain->counts.unread++;
        break;
    }
    if (run->form != EXPLAIN_CONVERSATION)
        explain_session_supply(session);
}

/* The items that are written are needed by nobody but the sessions, which end first. */
static void end_run(struct run *run)
{
    for (size_t i = 0; i < run->units.connection_count; i++)
        if (run->sessions[i])
            explain_session_close(run->sessions[i]);
    write_items(run);
    for (size_t i = 0; i < run->units.connection_count; i++)
        explain_session_free(run->sessions[i]);
    for (size_t i = 0; i < run->units.count; i++)
        if (run->items[i])
            explain_item_free(run->items[i]);
    onion_registry_clear(&run->registry);
    free(run->sessions);
    free(run->items);
}

/* Carries out the units, and gives them up. */
static void run_units(struct explain *explain, struct explain_units *units, enum explain_form form)
{
    struct run run = {.explain = explain, .units = *units, .form = form};

    run.sessions = mem_zalloc(units->connection_count + 1, sizeof(struct explain_session *));
    run.items = mem_zalloc(units->count + 1, sizeof(struct explain_item *));
    onion_registry_init(&run.registry);
    for (size_t i = 0; i < units->count; i++) {
        take_unit(&run, i);
        write_items(&run);
    }
    end_run(&run);
    explain->counts.unread += units->unread;
    explain->counts.is_cut = explain->counts.is_cut || units->is_too_much;
    explain_units_clear(units);
}

void explain_command(struct explain *explain, struct span text)
{
    struct explain_units units;

    explain_units_of_client(&units, text);
    run_units(explain, &units, EXPLAIN_SINGLE);
}

void explain_dialogue(struct explain *explain, struct span text)
{
    struct explain_units units;

    explain_units_read(&units, text);
    run_units(explain, &units, units.is_conversation ? EXPLAIN_CONVERSATION : EXPLAIN_RECORDED);
}

struct explain_counts explain_finish(struct explain *explain)
{
    struct explain_counts counts = explain->counts;

    if (explain->setup.is_json)
        explain_json_end(&explain->json, &counts);
    else
        explain_text_end(&explain->out, &counts);
    flush(explain);
    policy_view_clear(&explain->view);
    buf_clear(&explain->out);
    free(explain);
    return counts;
}
