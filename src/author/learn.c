/* Inputs and clients of learn: which lines are commands, and whose.
 *
 * A log names the client of each command, so programs are told apart by profile, label and
 * executable; the users of one program are collected. A recording names nobody and is one client's.
 * What a command was is learnt from its shape and from the command itself by the same code: a shape
 * is a command whose values are the names of their kinds. */
#include "learn.h"

#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "complaint.h"
#include "learn_parts.h"
#include "line.h"
#include "mem.h"
#include "recording.h"

#define MORE " " DESCRIBE_SHAPE_MORE

struct learn *learn_new(void)
{
    return mem_zalloc(1, sizeof(struct learn));
}

static void rules_clear(struct learn_client *client)
{
    for (size_t i = 0; i < client->rule_count; i++) {
        free(client->rules[i].pattern);
        free(client->rules[i].seen);
    }
    free(client->rules);
}

static void confs_clear(struct learn_client *client)
{
    for (size_t i = 0; i < client->conf_count; i++) {
        for (size_t j = 0; j < client->confs[i].value_count; j++)
            free(client->confs[i].values[j].pattern);
        free(client->confs[i].values);
    }
    free(client->confs);
}

void learn_free(struct learn *learn)
{
    if (!learn)
        return;
    for (size_t i = 0; i < learn->client_count; i++) {
        struct learn_client *client = &learn->clients[i];
        rules_clear(client);
        confs_clear(client);
        learn_onions_clear(&client->onions);
        free(client->events);
        free(client->profile);
        free(client->label);
        free(client->executable);
    }
    free(learn->clients);
    free(learn->blocks);
    free(learn);
}

/* --- clients --- */

static bool is_same(const char *text, struct span other)
{
    return span_equals(span_from_string(text), other);
}

/* The client of that identity, made if it is new; NULL: there are too many. */
static struct learn_client *find_client(struct learn *learn, const struct complaint *who)
{
    for (size_t i = 0; i < learn->client_count; i++) {
        struct learn_client *client = &learn->clients[i];
        if (is_same(client->profile, who->profile) && is_same(client->label, who->label) &&
            is_same(client->executable, who->executable))
            return client;
    }
    if (learn->client_count == LEARN_MAX_CLIENTS)
        return NULL;
    learn->clients =
        mem_resize(learn->clients, learn->client_count + 1, sizeof(struct learn_client));
    struct learn_client *client = &learn->clients[learn->client_count++];
    *client = (struct learn_client){
        .profile = mem_copy_string(who->profile),
        .label = mem_copy_string(who->label),
        .executable = mem_copy_string(who->executable),
        .is_unconfined = who->is_unconfined,
    };
    return client;
}

static void note_user(struct learn_client *client, const struct complaint *who)
{
    size_t at = 0;

    if (!who->has_uid)
        return;
    while (at < client->user_count && client->users[at] < who->uid)
        at++;
    if ((at < client->user_count && client->users[at] == who->uid) ||
        client->user_count == LEARN_MAX_USERS)
        return;
    memmove(&client->users[at + 1], &client->users[at],
            (client->user_count - at) * sizeof client->users[0]);
    client->users[at] = who->uid;
    client->user_count++;
}

/* --- commands --- */

/* Splits a line into a command, also one that begins a block. */
static bool parse_command(struct span line, struct command *command)
{
    bool is_block = line.len > 0 && line.data[0] == '+';

    command_parse_line(is_block ? span_from(line, 1) : line, command);
    if (is_block && line_is_printable(line)) {
        command->keyword = keyword_find(command->name, true);
        command->is_block = true;
        command->defect = command->keyword ? COMMAND_SOUND : COMMAND_UNKNOWN;
    }
    return command->defect == COMMAND_SOUND && command->keyword;
}

static void take_command(struct learn *learn, const struct complaint *who, struct span line)
{
    struct command command;
    struct learn_client *client;

    if (line.len >= strlen(MORE) &&
        span_equals(span_from(line, line.len - strlen(MORE)), SPAN(MORE)))
        line = span_first(line, line.len - strlen(MORE));
    if (!parse_command(line, &command)) {
        learn->ignored++;
        return;
    }
    if (command.keyword->flags & KEYWORD_IS_LOCAL)
        return;
    if (arguments_refusal(command.keyword, command.arguments, span_make(NULL, 0)) ||
        !(client = find_client(learn, who))) {
        learn->ignored++;
        return;
    }
    note_user(client, who);
    client->commands++;
    learn_command(client, &command);
}

/* --- recordings --- */

static size_t block_position(const struct learn *learn, unsigned long connection)
{
    size_t i = 0;

    while (i < learn->block_count && learn->blocks[i] != connection)
        i++;
    return i;
}

/* Whether the line is part of a data block, or its end. */
static bool is_data(struct learn *learn, const struct recording_line *line)
{
    size_t at = block_position(learn, line->connection);

    if (at == learn->block_count)
        return false;
    if (span_equals(line->text, SPAN(".")))
        learn->blocks[at] = learn->blocks[--learn->block_count];
    return true;
}

static void begin_data(struct learn *learn, unsigned long connection)
{
    if (learn->block_count == RECORDING_MAX_CONNECTIONS)
        return;
    learn->blocks = mem_resize(learn->blocks, learn->block_count + 1, sizeof learn->blocks[0]);
    learn->blocks[learn->block_count++] = connection;
}

static void take_recorded(void *context, const struct recording_line *line)
{
    static const struct complaint nobody = {.has_uid = false};
    struct learn *learn = context;

    if (line->side != RECORDING_CLIENT || is_data(learn, line))
        return;
    take_command(learn, &nobody, line->text);
    if (line->text.len > 0 && line->text.data[0] == '+')
        begin_data(learn, line->connection);
}

static void take_recording(struct learn *learn, struct span text)
{
    struct recording *recording = recording_new(take_recorded, learn);

    recording_feed(recording, text);
    recording_end(recording);
    learn->ignored += recording_unread(recording);
    recording_free(recording);
    learn->block_count = 0;
}

/* --- logs --- */

/* Takes the next line off *rest. */
static struct span take_line(struct span *rest)
{
    size_t len = span_find(*rest, '\n');
    struct span line = line_without_cr(span_first(*rest, len));

    *rest = span_from(*rest, len + 1);
    return line;
}

static bool is_log(struct span text)
{
    while (text.len > 0)
        if (complaint_is_in(take_line(&text)))
            return true;
    return false;
}

static void take_log(struct learn *learn, struct span text)
{
    struct complaint complaint;
    struct buf storage;

    buf_init(&storage, COMMAND_MAX_LINE);
    while (text.len > 0) {
        struct span line = take_line(&text);
        if (!complaint_is_in(line))
            continue;
        if (complaint_parse(line, &storage, &complaint))
            take_command(learn, &complaint, complaint.command);
        else
            learn->ignored++;
    }
    buf_clear(&storage);
}

void learn_take(struct learn *learn, struct span text)
{
    if (is_log(text))
        take_log(learn, text);
    else
        take_recording(learn, text);
}

struct learn_counts learn_counts(const struct learn *learn)
{
    struct learn_counts counts = {.ignored = learn->ignored, .clients = learn->client_count};

    for (size_t i = 0; i < learn->client_count; i++)
        counts.commands += learn->clients[i].commands;
    return counts;
}
