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
    size_t weight = session->owed_weight + pending->weight;

    return session->owed == 0 ||
           (weight <= SESSION_TOR_WINDOW && weight * session->key_bytes <= SESSION_TOR_BYTES &&
            session->outbox.buf.len < SESSION_REPLY_HOLD);
}

/* A reply is complete. What large ones had is forgotten step by step. */
static void note_size(struct session *session, const struct pending *head)
{
    size_t bytes = head->weight > 0 ? session->reply_bytes / head->weight : 0;
    size_t former = session->key_bytes / 2;

    session->key_bytes = bytes > former ? bytes : former;
    session->reply_bytes = 0;
}

/* The command waits no longer. */
static void leave_waiting(struct session *session, const struct pending *pending)
{
    session->waiting--;
    session->waiting_bytes -= pending->text.len + pending->data.len;
}

/* Refuses what was allowed when the client sent it. */
static void refuse_pending(struct session *session, struct pending *pending, const char *reason)
{
    leave_waiting(session, pending);
    if (pending->claim.is_unreported)
        session_claim_report(session, pending, reason);
    else
        session->observer->problem(session->observer->context, reason);
    pending->kind = PENDING_LOCAL;
    buf_wipe(&pending->text);
    buf_wipe(&pending->data);
    buf_append_string(&pending->text, "510 Command filtered\r\n");
}

/* The one place where a client's command goes to tor. */
static void send_pending(struct session *session, struct pending *pending)
{
    leave_waiting(session, pending);
    if (!command_write(&session->to_tor, pending->keyword, buf_span(&pending->text),
                       buf_span(&pending->data))) {
        session_give_up(session, pending, "tor takes no more commands now");
        return;
    }
    session_claim_report(session, pending, NULL);
    session_claim_reserve(session, pending);
    pending->kind = PENDING_SENT;
    buf_wipe(&pending->text);
    buf_wipe(&pending->data);
    session->owed++;
    session->owed_weight += pending->weight;
}

/* Sends or refuses the command. False: its turn has not come. */
static bool take_turn(struct session *session, struct pending *pending)
{
    enum session_claim claim = SESSION_CLAIM_FAILS;
    const char *reason = session_forbidden_target;

    if (!may_send(session, pending))
        return false;
    /* It may have been judged before tor had named its listeners. */
    if (pending->keyword->id != KEYWORD_ADD_ONION ||
        !session_forbids_targets(session, buf_span(&pending->text)))
        claim = session_claim_judge(session, pending, &reason);
    if (claim == SESSION_CLAIM_STANDS)
        send_pending(session, pending);
    else if (claim == SESSION_CLAIM_FAILS)
        refuse_pending(session, pending, reason);
    return claim != SESSION_CLAIM_WAITS;
}

void session_queue_command(struct session *session, struct pending *pending)
{
    pending->weight = weigh(pending);
    session->waiting++;
    session->waiting_bytes += pending->text.len + pending->data.len;
    if (session->tor_state == SESSION_TOR_READY && session->waiting == 1)
        take_turn(session, pending);
}

void session_send_waiting(struct session *session)
{
    for (struct pending *p = session->pending.head; p; p = p->next) {
        if (p->kind == PENDING_GREETING)
            session_greet(session, p);
        if (p->kind == PENDING_WAITING && !take_turn(session, p))
            return;
    }
}

/* --- login --- */

bool session_wants_tor(const struct session *session)
{
    if (session->tor_state != SESSION_TOR_ABSENT || session->end_reason)
        return false;
    return session_wants_tor_now(session) || session_needs_events(session);
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

/* The client's events, asked for again on a new connection, and those that we need ourselves. */
static void resubscribe(struct session *session)
{
    const struct keyword *setevents = keyword_find(SPAN("SETEVENTS"), false);
    struct buf arguments;

    if (!session_needs_events(session))
        return;
    struct pending *pending = pending_push_front(&session->pending, PENDING_RESUBSCRIBE, setevents);
    pending->plan = reply_plan_new(setevents);
    reply_plan_add(pending->plan, span_make(NULL, 0), NULL);
    buf_init(&arguments, COMMAND_MAX_LINE);
    session_write_events(session, session->events, &arguments);
    command_write(&session->to_tor, setevents, buf_span(&arguments), span_make(NULL, 0));
    buf_clear(&arguments);
    session->owed++;
    if (session->follows_streams)
        session_probe_first(session);
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
        session->was_logged_in = true;
        resubscribe(session);
        session_send_waiting(session);
        session_pump(session);
    }
}

/* --- replies --- */

static const char misfit[] = "tor sent a reply that does not fit the command";

static void finish_reply(struct session *session, bool is_success)
{
    struct pending *head = session->pending.head;

    if (head->kind == PENDING_RESUBSCRIBE || head->is_probe) {
        outbox_rollback(&session->outbox);
        if (!is_success) {
            session_fail(session, "tor refused the events that it gave before it was lost, or what "
                                  "tor-browser-mode needs");
            return;
        }
    } else {
        session_claim_end(session, head, is_success);
        if (is_success)
            session_take_effect(session, head);
    }
    session_finish_message(session);
    note_size(session, head);
    session->owed--;
    session->owed_weight -= head->weight;
    pending_pop(&session->pending);
    if (session->waiting > 0)
        session_send_waiting(session);
    session_pump(session);
}

/* One line that tor wrote, or would have written, to the rules of the command. */
static void feed_plan(struct session *session, const struct reply_line *line)
{
    struct pending *head = session->pending.head;
    struct buf *message = outbox_message(&session->outbox);
    size_t len = message->len;
    bool is_success = false;

    if (head->keyword->flags & KEYWORD_IS_SECRET)
        session->outbox.is_secret = true;
    switch (reply_plan_feed(head->plan, line, &session->variables, message, &is_success)) {
    case REPLY_PLAN_MORE:
        if (session_hides_line(session, head, line))
            buf_truncate(message, len);
        session_commit_piece(session);
        break;
    case REPLY_PLAN_DONE:
        finish_reply(session, is_success);
        break;
    case REPLY_PLAN_MISFIT:
        session_fail(session, misfit);
        break;
    }
}

static void feed_reply(struct session *session, const struct reply_line *line)
{
    struct pending *head = session->pending.head;
    struct reply_line lines[OWN_STATUS_MAX_LINES] = {*line};
    size_t count = 1;

    if (!head || (head->kind != PENDING_SENT && head->kind != PENDING_RESUBSCRIBE)) {
        session_fail(session, "tor sent a reply that no command waits for");
        return;
    }
    session->message = MESSAGE_REPLY;
    session->reply_bytes += line->wire.len;
    if (head->is_probe && line->kind != REPLY_END) {
        if (!own_streams_take_status(session->own, line, head->kind == PENDING_RESUBSCRIBE))
            session_fail(session, misfit);
        return;
    }
    session_note_reply(head, line);
    if (session->own)
        count = own_status_feed(&session->own_status, session->own, line, lines);
    /* Only the reply's last line ends it, and stands alone. */
    for (size_t i = 0; i < count && !session->end_reason; i++)
        feed_plan(session, &lines[i]);
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
        else if (session->own && session_is_forged(session, &line))
            session_fail(session, "tor sent a message inside another one: somebody has put line "
                                  "breaks into a name");
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
           !session->drops_tor && !session_is_at_limit(session, SESSION_LIMIT_REPLY_BUFFER);
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
    session_fail(session, "tor did not answer in time; see limits: reply-timeout");
}

/* Every command that was on its way, or waited to be, is answered; none is sent again. */
static void answer_lost(struct session *session, bool was_ready, const char *reason)
{
    static const char lost[] = "tor connection lost";
    char *unreachable = mem_printf("tor is not reachable: %s", reason);

    for (struct pending *p = session->pending.head; p; p = p->next) {
        if (p->kind == PENDING_SENT)
            session_give_up(session, p, lost);
        else if (p->kind == PENDING_WAITING)
            session_give_up(session, p, was_ready ? lost : unreachable);
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
    session->reply_bytes = 0;
    session->message = MESSAGE_NONE;
    session->message_passed = false;
    outbox_rollback(&session->outbox);
    buf_wipe(&session->to_tor);
    torauth_clear(&session->auth);
    reply_reader_clear(&session->tor_reader);
    reply_reader_init(&session->tor_reader);
    event_filter_clear(&session->filter);
    event_filter_init(&session->filter);
    own_status_clear(&session->own_status);
    if (session->own)
        own_streams_reset(session->own);
    session->content = (struct onion_address){0};
    onion_fetches_clear(&session->fetches);
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
    if (session_count_services(session) > 0)
        session_end(session, "tor connection lost, and the client's onion services with it");
    else if (session->owns_tor)
        session_end(session, "tor connection lost, and the client's ownership with it");
}
