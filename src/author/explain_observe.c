/* What is learnt of one command: the decision, its rule, what it depends on.
 *
 * The session tells what it decided, but not the plan of the reply nor what tor would get while the
 * command waits for its turn; so the same decision is taken here as well. It tells in the order of
 * the commands, but for those that have to wait for replies: they are known by their text. */
#include "explain_session.h"

#include "words.h"

static enum explain_verdict verdict_of(enum verdict verdict, bool is_rewritten)
{
    switch (verdict) {
    case VERDICT_REFUSE:
        return EXPLAIN_REFUSED;
    case VERDICT_FORWARD:
        return is_rewritten ? EXPLAIN_REWRITTEN : EXPLAIN_ALLOWED;
    case VERDICT_ANSWER:
        return EXPLAIN_ANSWERED;
    case VERDICT_SUBSCRIBE:
        return EXPLAIN_SUBSCRIBED;
    }
    return EXPLAIN_REFUSED;
}

static const char *condition_of(enum onion_claim claim)
{
    switch (claim) {
    case ONION_CLAIM_NONE:
    case ONION_CLAIM_FETCH:
        return NULL;
    case ONION_CLAIM_CREATE:
        return "if the client has fewer services than max-services says";
    case ONION_CLAIM_SERVICE:
        return "if the service is the client's own: made in the same session, or detached by this "
               "profile";
    case ONION_CLAIM_KEY_ADD:
        return "if no other profile has a key for that service";
    case ONION_CLAIM_KEY:
        return "if this profile has added the key";
    case ONION_CLAIM_KEY_LISTING:
        return "and lists keys that this profile has added, no others";
    }
    return NULL;
}

/* A copy of the command that the item owns. */
static void keep_command(struct explain_item *item, const struct command *command)
{
    buf_append(&item->name, command->name);
    buf_append(&item->arguments, command->arguments);
    buf_append(&item->data, command->data);
    item->command = *command;
    item->command.name = buf_span(&item->name);
    item->command.arguments = buf_span(&item->arguments);
    item->command.data = buf_span(&item->data);
}

static void take_decision(struct explain_item *item, struct decision *decision)
{
    item->verdict = verdict_of(decision->verdict, decision->is_rewritten);
    item->rule = decision->rule;
    explain_item_set_reason(item, decision->reason);
    if (decision->verdict == VERDICT_FORWARD) {
        command_write(&item->expected, item->command.keyword, buf_span(&decision->arguments),
                      item->command.data);
        item->condition = condition_of(decision->claim);
        item->plan = decision->plan;
        decision->plan = NULL;
    } else if (decision->verdict == VERDICT_SUBSCRIBE) {
        item->plan = reply_plan_new(item->command.keyword);
        reply_plan_add(item->plan, span_make(NULL, 0), NULL);
    }
}

static void decide(struct explain_session *session, struct explain_item *item)
{
    struct decision decision;

    policy_decide(session->view, &item->command, &session->setup->client->variables, &decision);
    take_decision(item, &decision);
    decision_clear(&decision);
}

void explain_observe_item(struct explain_session *session, struct explain_item *item)
{
    struct command_reader reader;
    struct span input = buf_span(&item->unit->lines);
    struct command command;

    command_reader_init(&reader);
    if (command_reader_next(&reader, &input, &command) == COMMAND_READY) {
        item->is_read = true;
        keep_command(item, &command);
        if (command.defect == COMMAND_SOUND && !(command.keyword->flags & KEYWORD_IS_LOCAL))
            decide(session, item);
    }
    command_reader_clear(&reader);
}

/* --- what the session says --- */

/* The text of a command that is written for tor, without its keyword. */
static struct span written_arguments(const struct explain_item *item)
{
    struct span line = buf_span(&item->expected), word;

    line = span_first(line, span_find(line, '\r'));
    words_next(&line, &word);
    return span_from(line, line.len > 0 && line.data[0] == ' ');
}

static bool is_about(const struct session_report *report, const struct explain_item *item)
{
    const struct command *command = report->command;

    if (item->is_reported || !item->is_read || item->command.keyword != command->keyword)
        return false;
    return span_equals(command->arguments, item->command.arguments) ||
           (item->plan && span_equals(command->arguments, written_arguments(item)));
}

void explain_observe_report(void *context, const struct session_report *report)
{
    struct explain_session *session = context;
    struct explain_item *item = NULL;

    while (session->reported < session->count && session->items[session->reported]->is_reported)
        session->reported++;
    for (size_t i = session->reported; i < session->count && !item; i++)
        if (is_about(report, session->items[i]))
            item = session->items[i];
    if (!item)
        return;
    item->is_reported = true;
    item->verdict =
        report->is_local ? EXPLAIN_LOCAL : verdict_of(report->verdict, report->is_rewritten);
    item->rule = report->rule;
    explain_item_set_reason(item, report->reason);
}

/* --- what the client got --- */

static bool is_claimed(const struct explain_item *item)
{
    return item->plan && item->condition;
}

/* A command by itself is not refused for want of what came before it. */
static void allow_on_condition(struct explain_item *item)
{
    bool is_same = span_equals(written_arguments(item), item->command.arguments);

    item->verdict = is_same ? EXPLAIN_ALLOWED : EXPLAIN_REWRITTEN;
    explain_item_set_reason(item, NULL);
    buf_append(&item->to_tor, buf_span(&item->expected));
    buf_reset(&item->client);
}

static void note_refusal(struct explain_session *session, struct explain_item *item)
{
    if (session->form == EXPLAIN_SINGLE && is_claimed(item)) {
        allow_on_condition(item);
        return;
    }
    if (!item->reason)
        explain_item_set_reason(item, session->problem);
    item->verdict = EXPLAIN_REFUSED;
}

static void note_subscription(struct explain_session *session, const struct explain_item *item)
{
    if (item->verdict != EXPLAIN_SUBSCRIBED ||
        !span_starts_with(buf_span(&item->client), SPAN("250")))
        return;
    event_set_free(session->events);
    session->events = event_set_from_arguments(session->view, item->command.arguments);
    if (session->has_source)
        event_set_remove_withheld(session->events, session->view);
}

void explain_observe_reply(struct explain_session *session, struct explain_item *item)
{
    bool is_refusal = span_equals(buf_span(&item->client), SPAN("510 Command filtered\r\n"));

    item->is_answered = true;
    if (item->is_sent || !is_claimed(item) || session->form != EXPLAIN_SINGLE)
        item->condition = NULL;
    if (item->plan && !item->is_sent && is_refusal)
        note_refusal(session, item);
    note_subscription(session, item);
}
