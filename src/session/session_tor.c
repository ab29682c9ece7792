/* The connection to tor: login, commands out, replies in, and what happens when it goes.
 *
 * Replies belong to the head of the queue; events stand between messages only. A reply without a
 * command, or of another shape than the command's, means that we no longer know what answers what:
 * the session ends (control-protocol 7.6). */
#include "session_parts.h"

#include <stdlib.h>

#include "add_onion.h"
#include "command.h"
#include "mem.h"
#include "words.h"

const char session_forbidden_target[] =
    "an onion-service target is tor's control port or a socket of onion-grater";

/* --- sending --- */

static bool target_is_allowed(const struct target *target, void *facts)
{
    return !tor_facts_forbid(facts, target);
}

bool session_forbids_targets(const struct session *session, struct span arguments)
{
    return !add_onion_each_target(arguments, target_is_allowed, session->facts);
}

/* A key of GETINFO or GETCONF is a reply of its own size. */
static size_t weigh(const struct pending *pending)
{
    size_t keys =
        pending->keyword->flags & KEYWORD_HAS_KEYS ? words_count(buf_span(&pending->text)) : 0;

    return keys > 0 ? keys : 1;
}

/* Whether tor may be asked for one more. Where it owes nothing a command of any size may go. */
static bool may_send(const struct session *session, const struct pending *pending)
{
    return session->owed == 0 || (session->owed_weight + pending->weight <= SESSION_TOR_WINDOW &&
                                  session->outbox.buf.len < SESSION_REPLY_HOLD);
}

/* The one place where a client's command goes to tor. */
static void send_pending(struct session *session, struct pending *pending)
{
    session->waiting--;
    session->waiting_bytes -= pending->text.len + pending->data.len;
    if (pending->keyword->id == KEYWORD_ADD_ONION &&
        session_forbids_targets(session, buf_span(&pending->text))) {
        /* It was judged before tor had named its listeners. */
        session->observer->problem(session->observer->context, session_forbidden_target);
        pending->kind = PENDING_LOCAL;
        buf_wipe(&pending->text);
        buf_append_string(&pending->text, "510 Command filtered\r\n");
        return;
    }
    if (!command_write(&session->to_tor, pending->keyword, buf_span(&pending->text),
                       buf_span(&pending->data))) {
        session_answer_551(pending, "tor takes no more commands now");
        return;
    }
    session_note_sent(pending);
    pending->kind = PENDING_SENT;
    buf_wipe(&pending->text);
    buf_wipe(&pending->data);
    session->owed++;
    session->owed_weight += pending->weight;
}

void session_queue_command(struct session *session, struct pending *pending)
{
    pending->weight = weigh(pending);
    session->waiting++;
    session->waiting_bytes += pending->text.len + pending->data.len;
    if (session->tor_state == SESSION_TOR_READY && session->waiting == 1 &&
        may_send(session, pending))
        send_pending(session, pending);
}

void session_send_waiting(struct session *session)
{
    for (struct pending *p = session->pending.head; p; p = p->next) {
        if (p->kind == PENDING_GREETING)
            session_greet(session, p);
        if (p->kind != PENDING_WAITING)
            continue;
        if (!may_send(session, p))
            return;
        send_pending(session, p);
    }
}

/* --- login --- */

bool session_wants_tor(const struct session *session)
{
    if (session->tor_state != SESSION_TOR_ABSENT || session->end_reason)
        return false;
    return session_wants_tor_now(session) || (session->events && session->events->count > 0);
}

bool session_wants_tor_now(const struct session *session)
{
    /* Without tor, answers that are ready have left the queue: what is in it waits for tor. */
    return session->tor_state == SESSION_TOR_ABSENT && !session->end_reason &&
           session->pending.head != NULL;
}

void session_tor_connected(struct session *session)
{
    session->tor_state = SESSION_TOR_LOGIN;
    session->tor_reason = NULL;
    torauth_start(&session->auth, &session->to_tor);
}

/* The client's events, asked for again on a new connection. */
static void resubscribe(struct session *session)
{
    const struct keyword *setevents = keyword_find(SPAN("SETEVENTS"), false);
    struct buf arguments;

    if (!session->events || session->events->count == 0)
        return;
    struct pending *pending = pending_push_front(&session->pending, PENDING_RESUBSCRIBE, setevents);
    pending->plan = reply_plan_new(setevents);
    reply_plan_add(pending->plan, span_make(NULL, 0), NULL);
    buf_init(&arguments, COMMAND_MAX_LINE);
    event_set_write(session->events, &arguments);
    command_write(&session->to_tor, setevents, buf_span(&arguments), span_make(NULL, 0));
    buf_clear(&arguments);
    session->owed++;
}

static void feed_login(struct session *session, const struct reply_line *line)
{
    enum torauth_state state = torauth_feed(&session->auth, line, &session->to_tor);

    if (state == TORAUTH_FAILED) {
        session->observer->problem(session->observer->context, session->auth.reason);
        session->tor_reason = "onion-grater could not log in to tor";
        session->drops_tor = true;
    } else if (state == TORAUTH_DONE) {
        torauth_clear(&session->auth);
        session->tor_state = SESSION_TOR_READY;
        resubscribe(session);
        session_send_waiting(session);
        session_pump(session);
    }
}

/* --- replies --- */

static void finish_reply(struct session *session, bool is_success)
{
    struct pending *head = session->pending.head;

    if (head->kind == PENDING_RESUBSCRIBE) {
        outbox_rollback(&session->outbox);
        if (!is_success) {
            session_fail(session, "tor refused the events that it gave before it was lost");
            return;
        }
    } else if (is_success) {
        session_take_effect(session, head);
    }
    session_finish_message(session);
    session->owed--;
    session->owed_weight -= head->weight;
    pending_pop(&session->pending);
    if (session->waiting > 0)
        session_send_waiting(session);
    session_pump(session);
}

static void feed_reply(struct session *session, const struct reply_line *line)
{
    struct pending *head = session->pending.head;
    bool is_success = false;

    if (!head || (head->kind != PENDING_SENT && head->kind != PENDING_RESUBSCRIBE)) {
        session_fail(session, "tor sent a reply that no command waits for");
        return;
    }
    session->message = MESSAGE_REPLY;
    session_note_reply(head, line);
    switch (reply_plan_feed(head->plan, line, &session->variables, outbox_message(&session->outbox),
                            &is_success)) {
    case REPLY_PLAN_MORE:
        session_commit_piece(session);
        break;
    case REPLY_PLAN_DONE:
        finish_reply(session, is_success);
        break;
    case REPLY_PLAN_MISFIT:
        session_fail(session, "tor sent a reply that does not fit the command");
        break;
    }
}

void session_tor_input(struct session *session, struct span bytes)
{
    struct reply_line line;

    while (!session->end_reason && !session->drops_tor) {
        enum reply_result result = reply_reader_next(&session->tor_reader, &bytes, &line);
        if (result == REPLY_NONE)
            break;
        if (result == REPLY_LINE && session->observer->tor_line && line.kind != REPLY_DATA_LINE)
            session->observer->tor_line(session->observer->context, &line);
        if (result == REPLY_MALFORMED)
            session_fail(session, "tor sent something that is not the control protocol");
        else if (session->tor_state == SESSION_TOR_LOGIN)
            feed_login(session, &line);
        else if (line.code == REPLY_EVENT_CODE)
            session_feed_event(session, &line);
        else
            feed_reply(session, &line);
        if (session->outbox.buf.overflow)
            session_fail(session, "more reply data than may be buffered");
    }
}

/* --- waiting and loss --- */

bool session_awaits_tor(const struct session *session)
{
    return !session->end_reason && (session->tor_state == SESSION_TOR_LOGIN || session->owed > 0);
}

bool session_reads_tor(const struct session *session)
{
    return session->tor_state != SESSION_TOR_ABSENT && !session->end_reason &&
           !session->drops_tor && session->outbox.buf.len < SESSION_REPLY_BUFFER;
}

bool session_drops_tor(const struct session *session)
{
    return session->drops_tor;
}

bool session_is_logged_in(const struct session *session)
{
    return session->tor_state == SESSION_TOR_READY;
}

void session_tor_silent(struct session *session)
{
    session_fail(session, "tor did not answer in time");
}

/* Every command that was on its way, or waited to be, is answered; none is sent again. */
static void answer_lost(struct session *session, bool was_ready, const char *reason)
{
    static const char lost[] = "tor connection lost";
    char *unreachable = mem_printf("tor is not reachable: %s", reason);

    for (struct pending *p = session->pending.head; p; p = p->next) {
        if (p->kind == PENDING_SENT)
            session_answer_551(p, lost);
        else if (p->kind == PENDING_WAITING)
            session_answer_551(p, was_ready ? lost : unreachable);
        else if (p->kind == PENDING_GREETING)
            session_greet(session, p);
        else if (p->kind == PENDING_RESUBSCRIBE)
            p->kind = PENDING_LOCAL; /* an empty answer: the client is owed nothing */
    }
    session->waiting = 0;
    session->waiting_bytes = 0;
    free(unreachable);
}

static void reset_connection(struct session *session)
{
    session->tor_state = SESSION_TOR_ABSENT;
    session->drops_tor = false;
    session->owed = 0;
    session->owed_weight = 0;
    session->message = MESSAGE_NONE;
    session->message_passed = false;
    outbox_rollback(&session->outbox);
    buf_wipe(&session->to_tor);
    torauth_clear(&session->auth);
    reply_reader_clear(&session->tor_reader);
    reply_reader_init(&session->tor_reader);
    event_filter_clear(&session->filter);
    event_filter_init(&session->filter);
}

void session_tor_lost(struct session *session, const char *reason)
{
    bool in_pieces = session->message != MESSAGE_NONE && session->message_passed;
    bool was_ready = session->tor_state == SESSION_TOR_READY;

    if (session->end_reason)
        return;
    reset_connection(session);
    if (in_pieces) {
        session_end(session, "tor connection lost in the middle of a message");
        return;
    }
    answer_lost(session, was_ready, session->tor_reason ? session->tor_reason : reason);
    session->tor_reason = NULL;
    session_pump(session);
    if (session->service_count > 0)
        session_end(session, "tor connection lost, and the client's onion services with it");
    else if (session->owns_tor)
        session_end(session, "tor connection lost, and the client's ownership with it");
}
