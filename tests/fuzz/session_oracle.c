/* What must follow from the client's bytes, worked out without the session, and what does follow.
 *
 * Each command is judged by itself. tor may get the allowed ones only, in order, each at most once
 * and byte for byte as command_write writes it; the client gets whole messages, one reply a command
 * in order, no event that it did not ask for, and nothing that a rule hides. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "add_onion.h"
#include "arguments.h"
#include "event.h"
#include "mem.h"
#include "session_harness.h"
#include "subscription.h"
#include "words.h"

void oracle_fail(const char *file, int line, const char *text)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, text);
    abort();
}

/* --- the oracle: what the client's bytes mean --- */

static struct expected *expect(struct harness *h, enum verdict verdict, const char *answer)
{
    if ((h->expected_count & (h->expected_count + 1)) == 0)
        h->expected = mem_resize(h->expected, 2 * h->expected_count + 2, sizeof *h->expected);
    struct expected *expected = &h->expected[h->expected_count++];
    *expected = (struct expected){.verdict = verdict, .answer = answer};
    return expected;
}

static const struct event_rule *find_event_in(const struct profile *profile, struct span name)
{
    for (size_t i = 0; i < profile->event_count; i++)
        if (strlen(profile->events[i].name) == name.len &&
            strncasecmp(profile->events[i].name, name.data, name.len) == 0)
            return &profile->events[i];
    return NULL;
}

const struct event_rule *oracle_find_event(const struct harness *h, struct span name)
{
    const struct event_rule *rule = NULL;

    for (size_t i = 0; i < h->view.count && !rule; i++)
        rule = find_event_in(h->view.profiles[i], name);
    return rule || !h->view.complain ? rule : find_event_in(h->view.complain, name);
}

static void note_asked(struct harness *h, struct span names)
{
    struct span name;

    while (words_next(&names, &name)) {
        const struct event_rule *rule = oracle_find_event(h, name);
        bool known = !rule || rule->suppress || h->asked_count == ASKED_MAX;
        for (size_t i = 0; i < h->asked_count; i++)
            known = known || h->asked[i] == rule;
        if (!known)
            h->asked[h->asked_count++] = rule;
    }
}

static void expect_judged(struct harness *h, const struct command *command)
{
    struct decision decision;

    policy_decide(&h->view, command, &harness_variables, &decision);
    struct expected *expected = expect(
        h, decision.verdict, decision.verdict == VERDICT_REFUSE ? "510 Command filtered" : NULL);
    expected->keyword = command->keyword;
    if (decision.verdict == VERDICT_FORWARD) {
        ORACLE(!arguments_refusal(command->keyword, buf_span(&decision.arguments), command->data),
               "a command was allowed that must never be sent");
        ORACLE(reference_allows(&h->view, command, buf_span(&decision.arguments),
                                &expected->reference),
               "a command was allowed that the policy does not allow");
        expected->arguments = mem_copy_string(buf_span(&decision.arguments));
        expected->data = mem_copy_string(command->data);
    } else if (decision.verdict == VERDICT_SUBSCRIBE) {
        struct event_set *events = event_set_from_arguments(&h->view, command->arguments);
        struct buf names;
        buf_init(&names, COMMAND_MAX_LINE);
        if (h->has_own_streams)
            event_set_remove_withheld(events, &h->view);
        event_set_write(events, &names);
        if (h->follows_streams && !event_set_find(events, SPAN("STREAM")))
            buf_append_string(&names, names.len > 0 ? " STREAM" : "STREAM");
        expected->arguments = mem_copy_string(buf_span(&names));
        expected->data = mem_zalloc(1, 1);
        note_asked(h, command->arguments);
        buf_clear(&names);
        event_set_free(events);
    }
    decision_clear(&decision);
}

static void judge_command(struct harness *h, const struct command *command)
{
    bool is_local = command->defect == COMMAND_SOUND && command->keyword->flags & KEYWORD_IS_LOCAL;

    if (command->defect != COMMAND_SOUND ||
        (is_local && command->keyword->id == KEYWORD_AUTHCHALLENGE && !h->has_cookie))
        expect(h, VERDICT_REFUSE, "510 Command filtered");
    else if (!is_local)
        expect_judged(h, command);
    else if (command->keyword->id == KEYWORD_AUTHENTICATE)
        expect(h, VERDICT_ANSWER, "250 OK");
    else if (command->keyword->id == KEYWORD_QUIT)
        expect(h, VERDICT_ANSWER, "250 closing connection");
    else
        expect(h, VERDICT_ANSWER, NULL);
    h->has_quit = is_local && command->keyword->id == KEYWORD_QUIT;
    h->judge_stopped = h->has_quit;
}

void oracle_judge(struct harness *h, struct span bytes)
{
    struct command command;

    while (!h->judge_stopped) {
        enum command_result result = lines_next(&h->judge, &bytes, &command);
        if (result == COMMAND_NONE)
            return;
        if (result == COMMAND_TOO_LONG) {
            expect(h, VERDICT_REFUSE, "500 line too long");
            h->judge_stopped = true;
        } else {
            judge_command(h, &command);
        }
    }
}

/* --- the oracle: what comes out --- */

static void check_first_line(const struct harness *h, const struct expected *expected,
                             const struct reply_line *line)
{
    ORACLE(!expected->answer || (line->kind == REPLY_END &&
                                 span_equals(line->wire, span_from_string(expected->answer))),
           "a command got another's answer, or a refused one an answer");
    ORACLE(h->raw_tor || expected->verdict != VERDICT_FORWARD || expected->is_sent ||
               line->code / 100 != 2,
           "a command that tor never got succeeded");
    if (h->raw_tor || expected->verdict != VERDICT_FORWARD || !expected->keyword ||
        expected->keyword->id != KEYWORD_GETINFO || line->code != 250 || line->kind == REPLY_END)
        return;
    struct span key = span_first(line->text, span_find(line->text, '='));
    ORACLE(key.len < line->text.len, "a GETINFO answered without a key");
}

/* The number of the command that the model answered. */
static void check_tag(const struct harness *h, const struct reply_line *line)
{
    const char *tag = memchr(line->wire.data, '@', line->wire.len);
    unsigned long number;

    if (h->raw_tor || h->names_tag || !tag)
        return;
    struct span text = span_from(line->wire, (size_t)(tag - line->wire.data) + 1);
    size_t digits = 0;
    while (digits < text.len && text.data[digits] >= '0' && text.data[digits] <= '9')
        digits++;
    ORACLE(!span_to_number(span_first(text, digits), 1000000000, &number) || number == h->replied,
           "a command got the answer to another one");
}

static void check_reply_line(struct harness *h, const struct reply_line *line)
{
    ORACLE(h->replied < h->expected_count, "more replies than commands");
    const struct expected *expected = &h->expected[h->replied];
    if (!h->reply_begun) {
        check_first_line(h, expected, line);
        h->reply_class = line->code / 100;
    }
    check_tag(h, line);
    ORACLE(line->code / 100 == h->reply_class ||
               (expected->keyword && expected->keyword->reply == REPLY_SHAPE_LINES),
           "a reply that is made of two");
    h->reply_begun = line->kind != REPLY_END;
    h->replied += line->kind == REPLY_END;
}

static void check_event_line(struct harness *h, const struct reply_line *line)
{
    ORACLE(reply_line_is_clean(line), "an event with control characters");
    if (!h->reply_begun) {
        const struct event_rule *rule = oracle_find_event(h, event_name(line));
        bool is_asked = false;
        for (size_t i = 0; i < h->asked_count; i++)
            is_asked = is_asked || h->asked[i] == rule;
        ORACLE(rule && is_asked, "an event that the client may not have, or did not ask for");
    }
    h->reply_begun = line->kind != REPLY_END;
}

/* Takes up to `len` bytes of what is for the client. */
bool oracle_take_client(struct harness *h, size_t len)
{
    struct span ready = session_client_output(h->session);
    struct span bytes = span_first(ready, len);
    struct reply_line line;

    ORACLE(ready.len <= OUTPUT_MAX, "the client's buffer grows without bound");
    ORACLE(!h->client_gone || ready.len == 0, "output for a client that is gone");
    if (bytes.len == 0)
        return false;
    size_t taken = bytes.len;
    frame_client(&h->client_frame, bytes);
    for (;;) {
        enum reply_result result = reply_reader_next(&h->client_reader, &bytes, &line);
        if (result == REPLY_NONE)
            break;
        ORACLE(result == REPLY_LINE, "the client got something that is not the protocol");
        ORACLE(h->raw_tor || h->names_secret || !memmem(line.wire.data, line.wire.len, "sekrit", 6),
               "the client got what a rule hides");
        if (line.code == REPLY_EVENT_CODE)
            check_event_line(h, &line);
        else
            check_reply_line(h, &line);
    }
    session_client_sent(h->session, taken);
    return true;
}

/* --- the oracle: what tor gets --- */

static bool is_listeners_question(const struct command *command)
{
    return command->keyword->id == KEYWORD_GETINFO &&
           span_equals(command->arguments, SPAN("net/listeners/control"));
}

static bool is_detached_question(const struct command *command)
{
    return command->keyword->id == KEYWORD_GETINFO &&
           span_equals(command->arguments, SPAN("onions/detached"));
}

static bool has_command(const struct profile *profile, enum keyword_id id)
{
    for (size_t i = 0; i < profile->command_count; i++)
        if (profile->commands[i].keyword->id == id)
            return true;
    return false;
}

/* A question behind the login, each at most once and in this order. */
static bool tor_gets_question(struct harness *h, const struct command *command)
{
    bool adds = h->view.complain != NULL, has_onions = false;

    for (size_t i = 0; i < h->view.count; i++) {
        const struct onion_rules *onions = &h->view.profiles[i]->onions;
        adds |= onions->create_count > 0 || has_command(h->view.profiles[i], KEYWORD_ADD_ONION);
        has_onions |= onions->create_count > 0 || onions->delete_own || onions->events_own;
    }
    if (h->login < 100 && adds && is_listeners_question(command)) {
        h->login = 100;
        model_listeners(h);
        return true;
    }
    if (h->login < 101 && has_onions && is_detached_question(command)) {
        h->login = 101;
        model_detached(h);
        return true;
    }
    h->login = 101;
    return false;
}

/* What `onions` promises: only own services are removed, and there are not too many. */
static void check_onions(const struct harness *h, const struct command *command,
                         const struct expected *expected)
{
    int service = model_find_service(command->arguments);
    unsigned count = (unsigned)__builtin_popcount(h->services);
    unsigned limit = expected->reference.max_services;

    if (h->raw_tor)
        return;
    ORACLE(command->keyword->id != KEYWORD_DEL_ONION || !expected->reference.must_own ||
               (service >= 0 && (h->services & 1u << service)),
           "tor was to remove a service that is not the client's");
    ORACLE(command->keyword->id != KEYWORD_ADD_ONION || limit == 0 || h->was_lost ||
               h->view.count > 1 || count < limit,
           "more services than max-services");
}

/* tor is asked for events that a profile shows, and for what tor-browser-mode needs. */
static void check_events(const struct harness *h, const struct command *command)
{
    struct span rest = command->arguments, name;

    while (words_next(&rest, &name)) {
        const struct event_rule *rule = oracle_find_event(h, name);
        ORACLE((h->follows_streams && span_equals(name, SPAN("STREAM"))) ||
                   (rule && !rule->suppress),
               "tor was asked for an event that no profile shows");
    }
}

/* A command of the login; false if the login is over. */
static bool tor_gets_login(struct harness *h, const struct command *command)
{
    if (h->login_done)
        return tor_gets_question(h, command);
    h->login++;
    if (h->login == 1) {
        ORACLE(command->keyword->id == KEYWORD_PROTOCOLINFO, "the login begins otherwise");
        model_protocolinfo(h);
    } else if (command->keyword->id == KEYWORD_AUTHCHALLENGE) {
        ORACLE(h->login == 2, "a challenge out of place");
        model_challenge(h, command);
    } else {
        ORACLE(command->keyword->id == KEYWORD_AUTHENTICATE, "a command before the login");
        h->login_done = true;
        h->first_after_login = true;
        model_authenticate(h, command);
    }
    return true;
}

static bool is_expected(const struct expected *expected, const struct command *command)
{
    return expected->arguments && !expected->is_sent && expected->keyword == command->keyword &&
           span_equals(span_from_string(expected->arguments), command->arguments) &&
           span_equals(span_from_string(expected->data), command->data);
}

/* Whether tor ever got a SETEVENTS of the client's. */
static bool has_sent_events(const struct harness *h)
{
    for (size_t i = 0; i < h->expected_count; i++)
        if (h->expected[i].is_sent && h->expected[i].verdict == VERDICT_SUBSCRIBE)
            return true;
    return false;
}

/* Where the client's last one was lost, its next one may be the first command of a connection, too,
 * with the same events: which of the two it is nobody can tell, nor whose answer is whose. */
static void note_ambiguity(struct harness *h, const struct command *command)
{
    for (size_t i = h->next_sent; i < h->expected_count && !h->follows_streams; i++)
        h->names_tag = h->names_tag || is_expected(&h->expected[i], command);
}

static bool is_resubscription(struct harness *h, const struct command *command)
{
    struct span rest = command->arguments, name;

    if (!h->first_after_login || command->keyword->id != KEYWORD_SETEVENTS ||
        !(h->follows_streams || (h->was_lost && has_sent_events(h))))
        return false;
    while (words_next(&rest, &name)) {
        bool is_asked = h->follows_streams && span_equals(name, SPAN("STREAM"));
        for (size_t i = 0; i < h->asked_count; i++)
            is_asked = is_asked || h->asked[i] == oracle_find_event(h, name);
        ORACLE(is_asked, "subscribed again to what was never asked for");
    }
    note_ambiguity(h, command);
    return true;
}

static bool target_is_free(const struct target *target, void *facts)
{
    return !tor_facts_forbid(facts, target);
}

static bool mentions(struct span text, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= text.len; i++)
        if (strncasecmp(text.data + i, word, strlen(word)) == 0)
            return true;
    return false;
}

/* What tor answers never or twice, or crashes of (control-protocol 2.5, 7.6, 7.20). */
static void check_hazards(const struct command *command)
{
    struct span arguments = command->arguments, rest = command->arguments, word;
    enum keyword_id id = command->keyword->id;

    ORACLE(id != KEYWORD_ADD_ONION || !mentions(arguments, " ClientAuth="), "ClientAuth= at tor");
    ORACLE(id != KEYWORD_HSPOST || mentions(arguments, "HSADDRESS="), "no HSADDRESS= at tor");
    ORACLE(id != KEYWORD_SETCIRCUITPURPOSE || mentions(arguments, "purpose="), "tor crashes");
    while (id == KEYWORD_ONION_CLIENT_AUTH_ADD && words_next(&rest, &word))
        ORACLE(!mentions(span_first(word, 11), "ClientName=") || word.len <= 11 + 16,
               "a long ClientName= at tor");
}

/* The question that tor-browser-mode needs: the space at the end is its mark. */
static bool is_probe(const struct harness *h, const struct command *command)
{
    return h->follows_streams && command->keyword->id == KEYWORD_GETINFO &&
           span_equals(command->arguments, SPAN("stream-status "));
}

/* Finds what allows the command; nothing before it is sent any more. */
static const struct expected *take_expected(struct harness *h, const struct command *command)
{
    ORACLE(!(command->keyword->flags & KEYWORD_IS_LOCAL), "tor got a command that is ours");
    while (h->next_sent < h->expected_count && !is_expected(&h->expected[h->next_sent], command))
        h->next_sent++;
    ORACLE(h->next_sent < h->expected_count, "tor got a command that nobody allowed");
    struct expected *expected = &h->expected[h->next_sent++];
    expected->is_sent = true;
    return expected;
}

static void tor_gets(struct harness *h, const struct command *command)
{
    const struct expected *expected = NULL;

    ORACLE(command->defect == COMMAND_SOUND, "tor got a line that is no command");
    if (tor_gets_login(h, command))
        return;
    if (command->keyword->id == KEYWORD_SETEVENTS)
        check_events(h, command);
    if (!is_resubscription(h, command) && !is_probe(h, command)) {
        expected = take_expected(h, command);
        check_onions(h, command, expected);
    }
    check_hazards(command);
    h->first_after_login = h->first_after_login && is_probe(h, command);
    ORACLE(command->keyword->id != KEYWORD_ADD_ONION ||
               add_onion_each_target(command->arguments, target_is_free, &h->facts),
           "an onion service that points at tor or at us");
    model_answer(h, command, expected);
}

void oracle_take_tor(struct harness *h, size_t len)
{
    struct span output = session_tor_output(h->session);
    struct span bytes = span_first(output, len);
    struct command command;
    struct buf canonical;

    ORACLE(output.len <= TO_TOR_MAX, "tor's buffer grows without bound");
    size_t taken = bytes.len;
    frame_tor(&h->tor_frame, bytes);
    buf_init(&canonical, TO_TOR_MAX);
    for (size_t i = 0; i < taken; i++) {
        struct span byte = {bytes.data + i, 1};
        buf_append(&h->tor_raw, byte);
        enum command_result result = command_reader_next(&h->tor_reader, &byte, &command);
        ORACLE(result != COMMAND_TOO_LONG, "tor got a line over the limit");
        if (result != COMMAND_READY)
            continue;
        tor_gets(h, &command);
        buf_reset(&canonical);
        command_write(&canonical, command.keyword, command.arguments, command.data);
        ORACLE(span_equals(buf_span(&canonical), buf_span(&h->tor_raw)),
               "tor got a command that is not written as command_write does");
        buf_reset(&h->tor_raw);
    }
    buf_clear(&canonical);
    session_tor_sent(h->session, taken);
}
