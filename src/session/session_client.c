/* Every complete command of the client's is judged once, here, and becomes one entry of the queue:
 * an answer of ours, or a command for tor. A refused one leaves nothing behind but its answer. */
#include "session_parts.h"

#include "add_onion.h"
#include "kvline.h"
#include "mem.h"
#include "words.h"

#define ANSWER_OK "250 OK\r\n"
#define ANSWER_REFUSED "510 Command filtered\r\n" /* applications compare it word for word */

static void report(struct session *session, const struct command *command,
                   const struct decision *decision, bool is_local)
{
    struct session_report facts = {.command = command, .is_local = is_local};

    if (decision) {
        facts.verdict = decision->verdict;
        facts.is_rewritten = decision->is_rewritten;
        facts.rule = decision->rule;
        facts.reason = decision->reason;
        if (decision->verdict == VERDICT_FORWARD)
            facts.sent = buf_span(&decision->arguments);
        facts.is_complaint = decision->is_complaint && decision->verdict != VERDICT_REFUSE;
        facts.complaint = buf_span(&decision->complaint);
    } else {
        facts.verdict = VERDICT_ANSWER;
    }
    session->observer->command(session->observer->context, &facts);
}

static struct pending *answer(struct session *session, const struct keyword *keyword,
                              const char *text)
{
    struct pending *pending = pending_push(&session->pending, PENDING_LOCAL, keyword);

    buf_append_string(&pending->text, text);
    return pending;
}

static void refuse(struct session *session, const struct command *command, const char *reason)
{
    struct decision decision = {.verdict = VERDICT_REFUSE, .reason = reason};

    report(session, command, &decision, false);
    answer(session, command->keyword, ANSWER_REFUSED);
}

/* --- commands that never reach tor (design 4.1) --- */

static bool is_version_list(struct span arguments)
{
    struct span word;
    unsigned long number;

    while (words_next(&arguments, &word))
        if (!span_to_number(word, 1000000, &number))
            return false;
    return true;
}

static void take_protocolinfo(struct session *session, const struct command *command)
{
    if (!is_version_list(command->arguments)) {
        answer(session, command->keyword, "513 No such version\r\n");
        return;
    }
    struct pending *pending = pending_push(&session->pending, PENDING_GREETING, command->keyword);
    /* Somebody whom no profile serves is no reason to connect to tor. */
    if (policy_view_is_empty(&session->view) || session->facts->version[0] ||
        session->tor_state == SESSION_TOR_READY)
        session_greet(session, pending);
}

static void take_local(struct session *session, const struct command *command)
{
    if (command->keyword->id == KEYWORD_AUTHCHALLENGE && !session->cookie) {
        refuse(session, command,
               "there is no cookie to be challenged for: clients are known by "
               "their credentials");
        return;
    }
    report(session, command, NULL, true);
    if (command->keyword->id == KEYWORD_PROTOCOLINFO) {
        take_protocolinfo(session, command);
    } else if (command->keyword->id == KEYWORD_AUTHCHALLENGE) {
        session_answer_challenge(session, command->arguments,
                                 &answer(session, command->keyword, "")->text);
    } else if (command->keyword->id == KEYWORD_QUIT) {
        answer(session, command->keyword, "250 closing connection\r\n")->ends = "client quit";
        session->input_closed = true;
    } else {
        answer(session, command->keyword, ANSWER_OK);
    }
}

/* --- commands that a rule allows --- */

static void forward(struct session *session, const struct command *command,
                    struct decision *decision)
{
    if (command->keyword->id == KEYWORD_GETINFO)
        session_probe_streams(session, buf_span(&decision->arguments));
    struct pending *pending = pending_push(&session->pending, PENDING_WAITING, command->keyword);
    pending->text = decision->arguments;
    buf_init(&decision->arguments, COMMAND_MAX_LINE);
    buf_append(&pending->data, command->data);
    pending->plan = decision->plan;
    decision->plan = NULL;
    session_claim_begin(session, pending, decision);
    session_queue_command(session, pending);
}

static bool subscription_is_pending(const struct session *session)
{
    for (const struct pending *p = session->pending.head; p; p = p->next)
        if (p->events || p->kind == PENDING_RESUBSCRIBE)
            return true;
    return false;
}

static void subscribe(struct session *session, const struct command *command)
{
    struct event_set *events = event_set_from_arguments(&session->view, command->arguments);

    if (session->own)
        event_set_remove_withheld(events, &session->view);
    /* Nothing changes for tor, as where all events are suppressed: it need not be asked. */
    if (event_set_equals(events, session->events) && !subscription_is_pending(session)) {
        event_set_free(events);
        answer(session, command->keyword, ANSWER_OK);
        return;
    }
    struct pending *pending = pending_push(&session->pending, PENDING_WAITING, command->keyword);
    session_write_events(session, events, &pending->text);
    pending->events = events;
    pending->plan = reply_plan_new(command->keyword);
    reply_plan_add(pending->plan, span_make(NULL, 0), NULL);
    session_queue_command(session, pending);
}

static void carry_out(struct session *session, const struct command *command,
                      struct decision *decision)
{
    switch (decision->verdict) {
    case VERDICT_REFUSE:
        answer(session, command->keyword, ANSWER_REFUSED);
        break;
    case VERDICT_FORWARD:
        forward(session, command, decision);
        break;
    case VERDICT_ANSWER:
        reply_plan_answer(decision->plan,
                          &pending_push(&session->pending, PENDING_LOCAL, command->keyword)->text);
        break;
    case VERDICT_SUBSCRIBE:
        subscribe(session, command);
        break;
    }
}

static void pass_limit(const struct session *session, enum session_limit limit)
{
    if (session->observer->limit)
        session->observer->limit(session->observer->context, limit);
}

/* Whether a command of options or of keys has more of them than the limit. */
static bool has_too_many_keys(const struct session *session, const struct command *command)
{
    const struct keyword *keyword = command->keyword;
    struct span rest = command->arguments, word;
    struct kv_pair pair;
    size_t count = 0;

    if (!(keyword->flags & KEYWORD_HAS_KEYS) && keyword->id != KEYWORD_SETCONF)
        return false;
    while (count <= session->limits.keys &&
           (keyword->grammar == GRAMMAR_QUOTED ? kv_next(GRAMMAR_QUOTED, &rest, &pair) == KV_PAIR
                                               : words_next(&rest, &word)))
        count++;
    return count > session->limits.keys;
}

/* The session ends with a line or a data block that is too long. */
static void take_too_long(struct session *session)
{
    bool is_block = session->client_reader.data.overflow;

    pass_limit(session, is_block ? SESSION_LIMIT_BLOCK : SESSION_LIMIT_LINE);
    answer(session, NULL, "500 line too long\r\n")->ends =
        is_block ? "client sent a data block over the limit (limits: block-length)"
                 : "client sent a line over the limit (limits: line-length)";
    session->input_closed = true;
}

static void take_command(struct session *session, const struct command *command)
{
    struct decision decision;

    switch (command->defect) {
    case COMMAND_SOUND:
        break;
    case COMMAND_BAD_BYTES:
        refuse(session, command, "a byte that is not printable ASCII");
        return;
    case COMMAND_NO_KEYWORD:
        refuse(session, command, "the line does not begin with a command");
        return;
    case COMMAND_UNKNOWN:
        refuse(session, command, "tor has no such command");
        return;
    }
    if (command->keyword->flags & KEYWORD_IS_LOCAL) {
        take_local(session, command);
        return;
    }
    if (has_too_many_keys(session, command)) {
        pass_limit(session, SESSION_LIMIT_KEYS);
        refuse(session, command, "too many keys in one command (limits: keys-per-command)");
        return;
    }
    policy_decide(&session->view, command, &session->variables, &decision);
    if (decision.verdict == VERDICT_FORWARD && command->keyword->id == KEYWORD_ADD_ONION &&
        session_forbids_targets(session, buf_span(&decision.arguments))) {
        decision.verdict = VERDICT_REFUSE;
        decision.reason = session_forbidden_target;
    }
    /* What depends on replies to come is reported when it is decided (session_claims.c). */
    if (decision.verdict != VERDICT_FORWARD || decision.claim == ONION_CLAIM_NONE)
        report(session, command, &decision, false);
    carry_out(session, command, &decision);
    decision_clear(&decision);
}

size_t session_client_input(struct session *session, struct span bytes)
{
    struct span rest = bytes;
    struct command command;
    unsigned commands = 0;

    while (!session->input_closed && session_reads_client(session) &&
           commands++ < SESSION_COMMANDS_A_TURN) {
        enum command_result result = command_reader_next(&session->client_reader, &rest, &command);
        if (result == COMMAND_NONE)
            break;
        if (result == COMMAND_TOO_LONG)
            take_too_long(session);
        else
            take_command(session, &command);
        session_pump(session);
    }
    return session->input_closed ? bytes.len : bytes.len - rest.len;
}
