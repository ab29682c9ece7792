/* The client's replies stand in one queue, whoever gives them; tor's messages are passed on between
 * them. What is written to the client is decided in one place, session_pump, and in one order. */
#include "session_parts.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"

/* Beyond what session_reads_tor allows: one read of the shell's, grown by rewriting. */
#define OUTBOX_MAX (16 * 1024 * 1024)
/* Beyond the command buffer: the last command that was accepted before it was full; a login or a
 * SETEVENTS of ours fits too. */
#define TO_TOR_SPARE (2 * (COMMAND_MAX_LINE + COMMAND_MAX_DATA))

static struct policy_view view_copy(const struct policy_view *view)
{
    struct policy_view copy = {NULL, view->count, view->complain};

    if (view->count) {
        copy.profiles = mem_zalloc(view->count, sizeof(const struct profile *));
        memcpy(copy.profiles, view->profiles, view->count * sizeof(const struct profile *));
    }
    return copy;
}

static bool view_adds_onions(const struct policy_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (profile_find_command(view->profiles[i], KEYWORD_ADD_ONION) ||
            onion_rules_place(&view->profiles[i]->onions, KEYWORD_ADD_ONION))
            return true;
    return view->complain != NULL;
}

/* Whether it matters which onion services have been detached. */
static bool view_owns_onions(const struct policy_view *view)
{
    for (size_t i = 0; i < view->count; i++) {
        const struct onion_rules *onions = &view->profiles[i]->onions;
        if (onions->create_count > 0 || onions->delete_own || onions->events_own)
            return true;
    }
    return false;
}

struct session *session_new(const struct session_setup *setup)
{
    static const struct session_limits defaults = SESSION_LIMITS_DEFAULT;
    struct session *session = mem_zalloc(1, sizeof *session);

    session->policy = policy_ref(setup->policy);
    session->view = view_copy(setup->view);
    session->variables = setup->variables;
    session->facts = setup->facts;
    session->registry = setup->registry;
    session->cookie = session_cookie_copy(setup->cookie);
    onion_set_init(&session->services, SESSION_KNOWN_SERVICES);
    session->observer = setup->observer;
    session->limits = setup->limits ? *setup->limits : defaults;
    command_reader_init(&session->client_reader);
    command_reader_set_limits(&session->client_reader, session->limits.line, session->limits.block);
    reply_reader_init(&session->tor_reader);
    outbox_init(&session->outbox, OUTBOX_MAX);
    buf_init(&session->to_tor, session->limits.command_buffer + TO_TOR_SPARE);
    event_filter_init(&session->filter);
    own_status_init(&session->own_status);
    session_init_own_streams(session, setup->stream_source);
    torauth_init(&session->auth, setup->secrets, setup->facts, view_adds_onions(setup->view));
    if (view_owns_onions(setup->view))
        torauth_ask_detached(&session->auth, setup->registry);
    return session;
}

void session_free(struct session *session)
{
    if (!session)
        return;
    for (struct pending *p = session->pending.head; p; p = p->next)
        session_claim_lose(session, p);
    onion_set_clear(&session->services);
    onion_fetches_clear(&session->fetches);
    session_cookie_free(session->cookie);
    event_set_free(session->events);
    own_streams_free(session->own);
    own_status_clear(&session->own_status);
    event_filter_clear(&session->filter);
    torauth_clear(&session->auth);
    buf_wipe(&session->to_tor);
    outbox_clear(&session->outbox);
    pending_clear(&session->pending);
    reply_reader_clear(&session->tor_reader);
    command_reader_clear(&session->client_reader);
    policy_view_clear(&session->view);
    policy_unref(session->policy);
    free(session);
}

/* --- the queue to the client --- */

void session_answer_551(struct pending *pending, const char *text)
{
    pending->kind = PENDING_LOCAL;
    buf_wipe(&pending->text);
    buf_wipe(&pending->data);
    buf_printf(&pending->text, "551 %s\r\n", text);
}

void session_give_up(struct session *session, struct pending *pending, const char *text)
{
    session_claim_report(session, pending, NULL);
    session_claim_lose(session, pending);
    session_answer_551(pending, text);
}

/* Puts the answer at the head into the outbox. */
static void deliver_head(struct session *session)
{
    struct pending *head = session->pending.head;
    const char *ends = head->ends;

    if (!session->client_gone && !head->is_probe)
        buf_append(outbox_message(&session->outbox), buf_span(&head->text));
    outbox_commit(&session->outbox);
    pending_pop(&session->pending);
    if (ends)
        session_end(session, ends);
}

void session_pump(struct session *session)
{
    while (!session->end_reason && session->message == MESSAGE_NONE && session->pending.head &&
           session->pending.head->kind == PENDING_LOCAL)
        deliver_head(session);
    if (session->outbox.buf.overflow)
        session_end(session, "more reply data than may be buffered");
    if (session->client_eof && !session->pending.head && session->message == MESSAGE_NONE)
        session_end(session, "client closed the connection");
}

void session_commit_piece(struct session *session)
{
    if (session->client_gone) {
        outbox_rollback(&session->outbox);
    } else if (outbox_uncommitted(&session->outbox) > SESSION_REPLY_HOLD) {
        outbox_commit(&session->outbox);
        session->message_passed = true;
    }
}

void session_finish_message(struct session *session)
{
    if (session->client_gone)
        outbox_rollback(&session->outbox);
    outbox_commit(&session->outbox);
    session->message = MESSAGE_NONE;
    session->message_passed = false;
}

void session_fail(struct session *session, const char *reason)
{
    bool in_pieces = session->message != MESSAGE_NONE && session->message_passed;

    session->observer->problem(session->observer->context, reason);
    outbox_rollback(&session->outbox);
    session->message = MESSAGE_NONE;
    /* Half of a message is with the client already: nothing that follows could be understood. */
    for (struct pending *p = session->pending.head; p && !in_pieces; p = p->next)
        if (p->kind != PENDING_LOCAL && p->kind != PENDING_RESUBSCRIBE)
            session_give_up(session, p, "tor connection failed");
        else if (p->kind == PENDING_RESUBSCRIBE)
            p->kind = PENDING_LOCAL;
    session->input_closed = true;
    if (!in_pieces)
        session_pump(session);
    session_end(session, reason);
}

/* --- outputs and the end --- */

struct span session_client_output(const struct session *session)
{
    return session->client_gone ? span_make(NULL, 0) : outbox_ready(&session->outbox);
}

void session_client_sent(struct session *session, size_t len)
{
    outbox_sent(&session->outbox, len);
    if (session->waiting > 0 && session->tor_state == SESSION_TOR_READY && !session->end_reason) {
        session_send_waiting(session);
        session_pump(session);
    }
}

bool session_reads_client(const struct session *session)
{
    if (session->input_closed)
        return !session->client_eof;
    return !session_is_at_limit(session, SESSION_LIMIT_COMMANDS) &&
           !session_is_at_limit(session, SESSION_LIMIT_REPLY_BUFFER) &&
           !session_is_at_limit(session, SESSION_LIMIT_COMMAND_BUFFER);
}

bool session_is_at_limit(const struct session *session, enum session_limit limit)
{
    switch (limit) {
    case SESSION_LIMIT_REPLY_BUFFER:
        return session->outbox.buf.len >= session->limits.reply_buffer;
    case SESSION_LIMIT_COMMAND_BUFFER:
        return session->to_tor.len + session->waiting_bytes >= session->limits.command_buffer;
    case SESSION_LIMIT_COMMANDS:
        return session->pending.count >= session->limits.commands;
    case SESSION_LIMIT_LINE:
    case SESSION_LIMIT_BLOCK:
    case SESSION_LIMIT_KEYS:
        break;
    }
    return false;
}

bool session_has_pending(const struct session *session)
{
    return session->pending.head != NULL;
}

size_t session_pending_count(const struct session *session)
{
    return session->pending.count;
}

size_t session_held(const struct session *session)
{
    const struct command_reader *client = &session->client_reader;

    return session->outbox.buf.cap + session->to_tor.cap + client->lines.partial.cap +
           client->header.cap + client->data.cap + session->tor_reader.lines.partial.cap +
           session->filter.held.cap + session->filter.scratch.cap +
           session->own_status.first.cap + session->own_status.header.cap +
           own_streams_held(session->own) + event_set_held(session->events) +
           session->services.count * sizeof(struct onion_address) +
           session->fetches.count * sizeof(struct onion_fetch) + pending_held(&session->pending);
}

bool session_holds_secret(const struct session *session)
{
    return session->outbox.is_secret;
}

struct span session_tor_output(const struct session *session)
{
    return buf_span(&session->to_tor);
}

void session_tor_sent(struct session *session, size_t len)
{
    buf_consume_wiped(&session->to_tor, len);
}

void session_client_eof(struct session *session)
{
    session->input_closed = true;
    session->client_eof = true;
    session_pump(session);
}

void session_client_gone(struct session *session)
{
    session->client_gone = true;
    outbox_clear(&session->outbox);
    session_client_eof(session);
}

const char *session_end_reason(const struct session *session)
{
    return session->end_reason;
}

void session_end(struct session *session, const char *reason)
{
    if (session->end_reason)
        return;
    for (struct pending *p = session->pending.head; p; p = p->next)
        session_claim_report(session, p, "the session ended before the command's turn came");
    outbox_rollback(&session->outbox);
    session->end_reason = reason;
    session->input_closed = true;
}

const struct policy *session_policy(const struct session *session)
{
    return session->policy;
}

const struct policy_view *session_view(const struct session *session)
{
    return &session->view;
}
