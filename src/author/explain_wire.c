/* Bytes between the session and its two peers.
 *
 * tor's part of onion-grater's own login is played here: a tor without authentication that listens
 * where tor usually does, so that onion services that point there are refused. Behind the login
 * commands and replies come in one order each (control-protocol 7.14), so what reaches the client
 * belongs to the first command without a reply. */
#include "explain_session.h"

#include <stdlib.h>

#include "mem.h"

#define MAX_TURNS 1000000

/* --- what tor owes --- */

struct explain_item *explain_owed_first(const struct explain_owed *owed)
{
    return owed->count > 0 ? owed->items[owed->first] : NULL;
}

void explain_owed_push(struct explain_owed *owed, struct explain_item *item)
{
    size_t end = owed->first + owed->count++;

    if (end == owed->room) {
        owed->room = owed->room ? owed->room * 2 : 16;
        owed->items = mem_resize(owed->items, owed->room, sizeof(struct explain_item *));
    }
    owed->items[end] = item;
}

void explain_owed_pop(struct explain_owed *owed)
{
    owed->first++;
    owed->count--;
    if (owed->count == 0)
        owed->first = 0;
}

/* --- towards tor --- */

void explain_feed_tor(struct explain_session *session, struct span bytes)
{
    if (session->is_connected && !session_end_reason(session->session))
        session_tor_input(session->session, bytes);
}

static void answer_login(struct explain_session *session, struct span line)
{
    struct span reply = SPAN("250 OK\r\n");

    if (span_starts_with(line, SPAN("PROTOCOLINFO")))
        reply = SPAN("250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n"
                     "250-VERSION Tor=\"" TOR_VERSION_FALLBACK "\"\r\n250 OK\r\n");
    else if (span_starts_with(line, SPAN("GETINFO net/listeners/control")))
        reply = SPAN("250-net/listeners/control=\"127.0.0.1:9051\" \"127.0.0.1:9151\" "
                     "\"unix:/run/tor/control\"\r\n250 OK\r\n");
    else if (span_starts_with(line, SPAN("GETINFO onions/detached")))
        reply = SPAN("250-onions/detached=\r\n250 OK\r\n");
    explain_feed_tor(session, reply);
}

static bool is_command_of(const struct explain_item *item, struct span command)
{
    if (item->is_sent || !item->plan)
        return false;
    if (item->expected.len > 0)
        return span_equals(command, buf_span(&item->expected));
    return span_starts_with(command, SPAN("SETEVENTS"));
}

/* The item whose command this is; NULL: a command of the session's own. */
static struct explain_item *find_sender(const struct explain_session *session, struct span command)
{
    for (size_t i = session->answered; i < session->count; i++)
        if (is_command_of(session->items[i], command))
            return session->items[i];
    return NULL;
}

/* Under tor-browser-mode the session itself asks for STREAM first. */
static bool is_own_command(const struct explain_session *session, struct span command)
{
    return !session->has_asked && session->has_source &&
           policy_is_tor_browser_mode(session->view) &&
           span_equals(command, SPAN("SETEVENTS STREAM\r\n"));
}

static void take_command(struct explain_session *session, struct span command)
{
    struct explain_item *item =
        is_own_command(session, command) ? NULL : find_sender(session, command);

    session->has_asked = true;
    explain_owed_push(&session->owed, item);
    if (!item)
        return;
    item->is_sent = true;
    buf_append(&item->to_tor, command);
}

/* Length of the whole command at the front, 0: it is not complete. */
static size_t command_length(struct span text)
{
    size_t at = span_find(text, '\n') + 1;

    if (at > text.len)
        return 0;
    if (text.data[0] != '+')
        return at;
    while (at < text.len) {
        struct span line = span_from(text, at);
        size_t end = span_find(line, '\n');
        at += end + 1;
        if (end < line.len && span_equals(span_first(line, end), SPAN(".\r")))
            return at;
    }
    return 0;
}

static bool drain_to_tor(struct explain_session *session)
{
    bool is_login = !session_is_logged_in(session->session);
    struct span ready = session_tor_output(session->session);
    size_t len;

    if (ready.len == 0)
        return false;
    buf_append(&session->to_tor, ready);
    session_tor_sent(session->session, ready.len);
    while ((len = command_length(buf_span(&session->to_tor))) > 0) {
        struct span command = span_first(buf_span(&session->to_tor), len);
        if (is_login)
            answer_login(session, command);
        else
            take_command(session, command);
        buf_consume(&session->to_tor, len);
    }
    return true;
}

static bool connect_tor(struct explain_session *session)
{
    if (session->is_connected && session_drops_tor(session->session)) {
        session->is_connected = false;
        session_tor_lost(session->session, "it was dropped");
        return true;
    }
    if (session->is_connected || !session_wants_tor(session->session))
        return false;
    session->is_connected = true;
    session_tor_connected(session->session);
    return true;
}

/* Answers a command of the session's own. */
static bool answer_own(struct explain_session *session)
{
    if (session->form == EXPLAIN_CONVERSATION || session->owed.count == 0 ||
        explain_owed_first(&session->owed))
        return false;
    explain_owed_pop(&session->owed);
    explain_feed_tor(session, SPAN("250 OK\r\n"));
    return true;
}

/* --- towards the client --- */

static void take_message(struct explain_session *session, struct span message)
{
    if (span_starts_with(message, SPAN("650"))) {
        if (session->event)
            buf_append(&session->event->client, message);
        return;
    }
    if (session->answered == session->count)
        return;
    struct explain_item *item = session->items[session->answered++];
    buf_append(&item->client, message);
    explain_observe_reply(session, item);
}

/* Whether a message ends with this line, which comes with CR. */
static bool ends_message(struct explain_session *session, struct span line)
{
    if (session->in_data) {
        session->in_data = !span_equals(line, SPAN(".\r"));
        return false;
    }
    session->in_data = line.len > 3 && line.data[3] == '+';
    return line.len > 3 && line.data[3] == ' ';
}

static void cut_messages(struct explain_session *session)
{
    for (;;) {
        struct span rest = span_from(buf_span(&session->to_client), session->scanned);
        size_t len = span_find(rest, '\n');
        if (len == rest.len)
            return;
        session->scanned += len + 1;
        if (!ends_message(session, span_first(rest, len)))
            continue;
        take_message(session, span_first(buf_span(&session->to_client), session->scanned));
        buf_consume(&session->to_client, session->scanned);
        session->scanned = 0;
    }
}

static bool drain_to_client(struct explain_session *session)
{
    struct span ready = session_client_output(session->session);

    if (ready.len == 0)
        return false;
    buf_append(&session->to_client, ready);
    session_client_sent(session->session, ready.len);
    cut_messages(session);
    return true;
}

static bool offer_held(struct explain_session *session)
{
    if (session->held.len == 0 || session_end_reason(session->session))
        return false;
    size_t taken = session_client_input(session->session, buf_span(&session->held));
    buf_consume(&session->held, taken);
    return taken > 0;
}

void explain_settle(struct explain_session *session)
{
    bool is_busy = true;

    for (unsigned turns = 0; is_busy && turns < MAX_TURNS; turns++) {
        is_busy = connect_tor(session);
        is_busy = drain_to_tor(session) || is_busy;
        is_busy = drain_to_client(session) || is_busy;
        is_busy = answer_own(session) || is_busy;
        is_busy = offer_held(session) || is_busy;
    }
    if (!session->end_reason && session_end_reason(session->session))
        session->end_reason =
            mem_copy_string(span_from_string(session_end_reason(session->session)));
}
