/* tor's events on their way to the client: only those that it asked for and may have, whatever
 * arrives (control-protocol 7.18), each whole or not at all. */
#include "session_parts.h"

#include "event.h"

static void begin_event(struct session *session, const struct reply_line *line)
{
    const struct event_rule *rule = event_set_find(session->events, event_name(line));

    if (!rule || session->client_gone) {
        session->message = MESSAGE_EVENT_DROPPED;
    } else if (rule->response.count > 0 || rule->response.drop_unmatched) {
        session->message = MESSAGE_EVENT_HELD;
        event_filter_begin(&session->filter, rule);
    } else {
        session->message = MESSAGE_EVENT;
    }
}

/* A control character outside a data block: text chosen by others that a client could misread. */
static void withhold_event(struct session *session)
{
    if (session->message_passed) {
        session_fail(session, "tor sent an event with control characters");
        return;
    }
    session->observer->problem(session->observer->context,
                               "an event with control characters was withheld");
    outbox_rollback(&session->outbox);
    session->message = MESSAGE_EVENT_DROPPED;
}

void session_feed_event(struct session *session, const struct reply_line *line)
{
    if (session->message == MESSAGE_NONE)
        begin_event(session, line);
    if (session->message == MESSAGE_EVENT_HELD) {
        event_filter_feed(&session->filter, line, &session->variables,
                          outbox_message(&session->outbox));
    } else if (session->message == MESSAGE_EVENT) {
        if (reply_line_is_clean(line)) {
            reply_write(outbox_message(&session->outbox), line->wire);
            session_commit_piece(session);
        } else {
            withhold_event(session);
        }
    }
    if (line->kind == REPLY_END && !session->end_reason) {
        session_finish_message(session);
        session_pump(session);
    }
}
