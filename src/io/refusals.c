/* A handful of refusals in memory, so that an admin who has just seen an application fail can ask
 * what it was. */
#include "refusals.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "describe.h"
#include "mem.h"
#include "relay_complain.h"

#define REFUSAL_TEXT_MAX 8192

static void refusal_clear(struct refusal *refusal)
{
    for (size_t i = 0; i < refusal->profile_count; i++)
        free(refusal->profiles[i]);
    free(refusal->profiles);
    free(refusal->label);
    free(refusal->executable);
    free(refusal->rule_file);
    free(refusal->command);
    free(refusal->complaint);
    *refusal = (struct refusal){0};
}

void refusals_clear(struct refusals *refusals)
{
    for (size_t i = 0; i < refusals->count; i++)
        refusal_clear(&refusals->items[i]);
    refusals->count = 0;
}

/* --- room for one more --- */

static bool is_same_user(const struct refusal *a, const struct refusal *b)
{
    return a->has_uid == b->has_uid && (!a->has_uid || a->uid == b->uid);
}

static size_t count_of_user(const struct refusals *refusals, size_t position)
{
    size_t count = 0;

    for (size_t i = 0; i < refusals->count; i++)
        count += is_same_user(&refusals->items[i], &refusals->items[position]);
    return count;
}

static void drop_one(struct refusals *refusals)
{
    size_t worst = 0, most = 0;

    for (size_t i = 0; i < refusals->count; i++) {
        size_t count = count_of_user(refusals, i);
        if (count > most) {
            most = count;
            worst = i;
        }
    }
    refusal_clear(&refusals->items[worst]);
    refusals->count--;
    memmove(&refusals->items[worst], &refusals->items[worst + 1],
            (refusals->count - worst) * sizeof refusals->items[0]);
}

/* --- one of them --- */

static char *copy_string(const char *text)
{
    return text ? mem_copy_string(span_from_string(text)) : NULL;
}

static char *take_text(struct buf *text)
{
    char *copy = mem_copy_string(buf_span(text));

    buf_clear(text);
    return copy;
}

static char *command_text(const struct command *command)
{
    struct buf text;

    buf_init(&text, REFUSAL_TEXT_MAX);
    describe_command(&text, command);
    return take_text(&text);
}

static char *complaint_text(const struct identity *identity, const struct policy_view *view,
                            const struct command *command)
{
    struct buf text;

    if (command->defect != COMMAND_SOUND)
        return NULL;
    buf_init(&text, REFUSAL_TEXT_MAX);
    complaint_write(&text, identity, view, command);
    return take_text(&text);
}

static void take_profiles(struct refusal *refusal, const struct policy_view *view)
{
    refusal->profiles = mem_zalloc(view->count, sizeof *refusal->profiles);
    for (size_t i = 0; i < view->count; i++)
        refusal->profiles[i] = copy_string(view->profiles[i]->name);
    refusal->profile_count = view->count;
}

void refusals_note(struct refusals *refusals, unsigned long long session,
                   const struct identity *identity, const struct policy_view *view,
                   const struct session_report *report)
{
    if (refusals->count == REFUSALS_MAX)
        drop_one(refusals);
    struct refusal *refusal = &refusals->items[refusals->count++];
    *refusal = (struct refusal){
        .time_ms = clock_wall_ms(),
        .session = session,
        .has_uid = identity->has_credentials,
        .uid = identity->uid,
        .label = copy_string(identity_label_name(identity)),
        .executable = copy_string(identity->executable),
        .reason = report->reason,
        .rule_file = copy_string(report->rule.file),
        .rule_line = report->rule.line,
        .rule_column = report->rule.column,
        .command = command_text(report->command),
        .complaint = complaint_text(identity, view, report->command),
    };
    take_profiles(refusal, view);
}
