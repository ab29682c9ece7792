/* tor's events on their way to the client: only those that it asked for and may have, whatever
 * arrives (control-protocol 7.18), each whole or not at all.
 *
 * Under tor-browser-mode tor is asked for STREAM events as long as we are logged in, so that the
 * client's own streams are known before it asks for them; which events it gets is decided here all
 * the same. */
#include "session_parts.h"

#include "command.h"
#include "event.h"
#include "words.h"

/* --- what tor is asked for --- */

/* Whether the profile shows anything that depends on whose a stream is. */
static bool view_shows_streams(const struct policy_view *view)
{
    static const struct span events[] = {SPAN("STREAM"), SPAN("STREAM_BW"), SPAN("CIRC")};

    for (size_t i = 0; i < sizeof events / sizeof *events; i++)
        if (policy_find_event(view, events[i]))
            return true;
    if (view->complain)
        return true;
    /* Which keys a pattern allows, or a replacement asks for, is not foreseen. */
    for (size_t i = 0; i < view->count; i++)
        if (profile_find_command(view->profiles[i], KEYWORD_GETINFO))
            return true;
    return false;
}

void session_init_own_streams(struct session *session, const struct stream_source *client)
{
    if (!client || !policy_is_tor_browser_mode(&session->view))
        return;
    session->own = own_streams_new(client);
    session->follows_streams = view_shows_streams(&session->view);
}

bool session_needs_events(const struct session *session)
{
    /* Before its first command that is for tor, a client is no reason to connect. */
    return (session->events && session->events->count > 0) ||
           (session->follows_streams && session->was_logged_in);
}

void session_write_events(const struct session *session, const struct event_set *set,
                          struct buf *out)
{
    event_set_write(set, out);
    if (!session->follows_streams || event_set_find(set, SPAN("STREAM")))
        return;
    if (out->len > 0)
        buf_append_char(out, ' ');
    buf_append_string(out, "STREAM");
}

/* --- which streams there are --- */

/* The space at the end, which tor ignores, tells it from what a client asks for. */
static const char stream_status[] = "stream-status ";

static struct pending *probe_init(struct pending *pending)
{
    pending->is_probe = true;
    pending->plan = reply_plan_new(pending->keyword);
    return pending;
}

void session_probe_streams(struct session *session, struct span keys)
{
    bool is_needed = false;
    struct span word;

    while (session->own && words_next(&keys, &word))
        is_needed |= span_equals(word, SPAN("circuit-status"));
    if (!is_needed)
        return;
    struct pending *probe = probe_init(
        pending_push(&session->pending, PENDING_WAITING, keyword_find(SPAN("GETINFO"), false)));
    buf_append_string(&probe->text, stream_status);
    session_queue_command(session, probe);
}

void session_probe_first(struct session *session)
{
    const struct keyword *getinfo = keyword_find(SPAN("GETINFO"), false);

    probe_init(pending_push_second(&session->pending, PENDING_RESUBSCRIBE, getinfo));
    command_write(&session->to_tor, getinfo, span_from_string(stream_status), span_make(NULL, 0));
    session->owed++;
}

/* --- messages that are none --- */

static bool tells_of_streams(struct span name)
{
    static const struct span names[] = {SPAN("STREAM"), SPAN("STREAM_BW"), SPAN("CIRC"),
                                        SPAN("CIRC_MINOR"), SPAN("CIRC_BW")};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (span_equals_nocase(name, names[i]))
            return true;
    return false;
}

/* A data line that is what tor would write outside of a block. Circuits have numbers like 650, too:
 * what follows decides. */
static bool looks_like_message(struct span wire)
{
    struct span code = span_first(wire, 3), text = span_from(wire, 4);
    char separator = wire.len > 3 ? wire.data[3] : 'x';

    if (separator != '-' && separator != '+' && separator != ' ')
        return false;
    if (span_equals(code, SPAN("650")))
        return event_find(span_first(text, span_find(text, ' '))) != NULL;
    return span_equals(code, SPAN("250")) && (separator != ' ' || span_equals(text, SPAN("OK")));
}

bool session_is_forged(const struct session *session, const struct reply_line *line)
{
    bool goes_on = session->message != MESSAGE_NONE && session->message != MESSAGE_REPLY;

    if (line->kind == REPLY_DATA_LINE)
        return looks_like_message(line->wire);
    return goes_on && line->kind != REPLY_DATA_END && tells_of_streams(event_name(line));
}

/* --- what the client gets --- */

/* *line becomes what the client may have of it. */
static void begin_event(struct session *session, struct reply_line *line)
{
    const struct event_rule *rule = event_set_find(session->events, event_name(line));
    const char *name = event_find(event_name(line));
    bool is_admitted = !session->own || own_streams_admit(session->own, line);

    session->event = name ? name : "unknown";
    if (!rule || !is_admitted || session->client_gone ||
        (rule->own_onions_only && !session_takes_own_event(session, line))) {
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

/* Where a filter held the event, what it let through waits to be committed. */
static void report_event(const struct session *session)
{
    bool is_passed =
        session->message == MESSAGE_EVENT ||
        (session->message == MESSAGE_EVENT_HELD && outbox_uncommitted(&session->outbox) > 0);

    if (session->observer->event)
        session->observer->event(session->observer->context, session->event, is_passed);
}

void session_feed_event(struct session *session, const struct reply_line *tor_line)
{
    struct reply_line line = *tor_line;

    if (session->message == MESSAGE_NONE)
        begin_event(session, &line);
    if (session->message == MESSAGE_EVENT_HELD) {
        event_filter_feed(&session->filter, &line, &session->variables,
                          outbox_message(&session->outbox));
    } else if (session->message == MESSAGE_EVENT) {
        if (reply_line_is_clean(&line)) {
            reply_write(outbox_message(&session->outbox), line.wire);
            session_commit_piece(session);
        } else {
            withhold_event(session);
        }
    }
    session_watch_own_event(session, &line);
    if (tor_line->kind == REPLY_END && !session->end_reason) {
        report_event(session);
        session_finish_message(session);
        session_pump(session);
    }
}
