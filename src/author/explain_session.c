/* A real session between the commands of a dialogue and a tor that repeats what the dialogue gives.
 *
 * Each command, reply and event is handed over whole, and the session comes to rest in between. A
 * command that the session has ended before is not read, as in a real one. */
#include "explain_session.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "words.h"

/* --- secrets of a tor that has none --- */

static bool no_cookie(void *context, const char *path, uint8_t cookie_out[TORAUTH_COOKIE_SIZE],
                      const char **reason_out)
{
    (void)context;
    (void)path;
    memset(cookie_out, 0, TORAUTH_COOKIE_SIZE);
    *reason_out = "there is no tor here";
    return false;
}

static bool no_password(void *context, struct buf *out, const char **reason_out)
{
    (void)context;
    (void)out;
    *reason_out = NULL;
    return false;
}

static void no_nonce(void *context, uint8_t nonce_out[TORAUTH_NONCE_SIZE])
{
    (void)context;
    memset(nonce_out, 0, TORAUTH_NONCE_SIZE);
}

static const struct torauth_secrets no_secrets = {no_cookie, no_password, no_nonce, NULL};

/* --- life --- */

static void on_problem(void *context, const char *text)
{
    struct explain_session *session = context;

    free(session->problem);
    session->problem = mem_copy_string(span_from_string(text));
}

/* The cookie that a profile has for its clients lies there; what is in it, nobody asks here. */
static void find_cookie(struct explain_session *session)
{
    const struct profile *profile = NULL;

    for (size_t i = 0; i < session->view->count && !profile; i++)
        if (session->view->profiles[i]->auth.cookie)
            profile = session->view->profiles[i];
    if (profile)
        session->cookie.path = mem_printf("/run/onion-grater/%s.cookie", profile->name);
}

struct explain_session *explain_session_new(const struct explain_setup *setup,
                                            const struct policy_view *view,
                                            struct onion_registry *registry, enum explain_form form)
{
    struct explain_session *session = mem_zalloc(1, sizeof *session);

    session->setup = setup;
    session->view = view;
    session->form = form;
    session->observer = (struct session_observer){
        .command = explain_observe_report, .problem = on_problem, .context = session};
    tor_facts_init(&session->facts);
    buf_init(&session->held, EXPLAIN_MAX_TEXT * 2);
    buf_init(&session->to_tor, EXPLAIN_MAX_TEXT);
    buf_init(&session->to_client, EXPLAIN_MAX_OUT);
    session->has_source = identity_stream_source(setup->client->identity, &session->source);
    find_cookie(session);
    const struct session_setup parts = {
        .policy = setup->policy,
        .view = view,
        .variables = setup->client->variables,
        .facts = &session->facts,
        .registry = registry,
        .cookie = session->cookie.path ? &session->cookie : NULL,
        .stream_source = session->has_source ? &session->source : NULL,
        .secrets = &no_secrets,
        .observer = &session->observer,
    };
    session->session = session_new(&parts);
    return session;
}

void explain_session_free(struct explain_session *session)
{
    if (!session)
        return;
    session_free(session->session);
    event_set_free(session->events);
    tor_facts_clear(&session->facts);
    buf_wipe(&session->held);
    buf_wipe(&session->to_tor);
    buf_wipe(&session->to_client);
    free(session->owed.items);
    free(session->items);
    free((char *)session->cookie.path);
    free(session->problem);
    free(session->end_reason);
    free(session);
}

/* --- after each step --- */

static void set_not_read(const struct explain_session *session, struct explain_item *item)
{
    item->verdict = EXPLAIN_NOT_READ;
    item->is_done = true;
    item->condition = NULL;
    item->rule = (struct source){0};
    explain_item_set_reason(item, session->end_reason);
}

/* The session is over: what was answered is explained, of the others that it is too late. */
static void note_end(const struct explain_session *session, struct explain_item *item)
{
    bool is_refused = item->verdict == EXPLAIN_REFUSED;

    if (!item->is_answered && !item->is_sent) {
        set_not_read(session, item);
        return;
    }
    char *note = mem_printf("the session ends here: %s", session->end_reason);
    explain_item_note(item, note);
    free(note);
    if (is_refused && !item->reason)
        explain_item_set_reason(item, session->end_reason);
    item->is_done = true;
}

static void after_step(struct explain_session *session)
{
    explain_settle(session);
    for (size_t i = session->done; session->end_reason && i < session->count; i++)
        if (!session->items[i]->is_done)
            note_end(session, session->items[i]);
    for (; session->done < session->answered; session->done++)
        session->items[session->done]->is_done = true;
    if (session->end_reason)
        session->done = session->count;
}

/* --- commands --- */

void explain_session_command(struct explain_session *session, struct explain_item *item)
{
    if (session->end_reason) {
        set_not_read(session, item);
        return;
    }
    if (session->count == session->room) {
        session->room = session->room ? session->room * 2 : 16;
        session->items = mem_resize(session->items, session->room, sizeof(struct explain_item *));
    }
    session->items[session->count++] = item;
    explain_observe_item(session, item);
    buf_append(&session->held, buf_span(&item->unit->lines));
    after_step(session);
}

/* --- replies --- */

static bool has_word(struct span text, struct span wanted)
{
    struct span word;

    while (words_next(&text, &word))
        if (span_equals(word, wanted))
            return true;
    return false;
}

/* Whether the line is of a key that the client asked for and tor was not asked for, as the profile
 * answers it: the dialogue may have been recorded without the profile. */
static bool is_of_local_key(const struct explain_item *item, const struct reply_line *line)
{
    struct span sent = buf_span(&item->to_tor), key = line->text;

    if (item->command.keyword->id != KEYWORD_GETINFO || line->code != 250 ||
        line->kind == REPLY_END)
        return false;
    key = span_first(key, span_find(key, '='));
    return has_word(item->command.arguments, key) &&
           !has_word(span_first(sent, span_find(sent, '\r')), key);
}

static void note_line(struct explain_session *session, struct explain_item *item,
                      const struct reply_line *line)
{
    if (item->line_count < EXPLAIN_MAX_LINES) {
        explain_reply_line(item, line, &session->setup->client->variables);
        return;
    }
    if (!item->is_cut)
        explain_item_note(item, "the further lines of the reply are left out here");
    item->is_cut = true;
}

static void take_line(struct explain_session *session, struct explain_item *item,
                      const struct reply_line *line, bool *skips)
{
    if (line->kind != REPLY_DATA_LINE && line->kind != REPLY_DATA_END)
        *skips = item && !item->is_supplied && is_of_local_key(item, line);
    if (*skips)
        return;
    if (item && !item->is_supplied)
        note_line(session, item, line);
    explain_feed_tor(session, line->wire);
    explain_feed_tor(session, SPAN("\r\n"));
    explain_settle(session);
}

static void feed_reply(struct explain_session *session, struct explain_item *item, struct span text)
{
    struct reply_reader reader;
    struct reply_line line;
    enum reply_result result;
    bool skips = false;

    reply_reader_init(&reader);
    while ((result = reply_reader_next(&reader, &text, &line)) == REPLY_LINE)
        take_line(session, item, &line, &skips);
    if (result == REPLY_MALFORMED) {
        if (item)
            explain_unfit_line(item, SPAN("(this and what follows)"));
        explain_feed_tor(session, SPAN("?\r\n"));
    }
    reply_reader_clear(&reader);
}

static void supply(struct explain_session *session, struct explain_item *item)
{
    enum keyword_reply shape = item->command.keyword->reply;
    bool is_ok = shape == REPLY_SHAPE_STATUS || shape == REPLY_SHAPE_GETCONF;

    item->is_supplied = true;
    explain_owed_pop(&session->owed);
    feed_reply(session, item, is_ok ? SPAN("250 OK\r\n") : SPAN("551 No reply was given\r\n"));
}

void explain_session_supply(struct explain_session *session)
{
    struct explain_item *item;

    while (!session->end_reason && (item = explain_owed_first(&session->owed)) &&
           item->unit->counterpart == EXPLAIN_NO_UNIT) {
        supply(session, item);
        after_step(session);
    }
}

void explain_session_reply(struct explain_session *session, struct explain_item *item,
                           const struct explain_unit *reply)
{
    if (session->end_reason)
        return;
    if (session->owed.count > 0 && !explain_owed_first(&session->owed)) {
        explain_owed_pop(&session->owed);
        feed_reply(session, NULL, buf_span(&reply->lines));
        after_step(session);
        return;
    }
    if (!item)
        item = explain_owed_first(&session->owed);
    if (item && (!item->is_sent || item != explain_owed_first(&session->owed)))
        return;
    if (item) {
        item->is_given = true;
        explain_owed_pop(&session->owed);
    }
    feed_reply(session, item, buf_span(&reply->lines));
    after_step(session);
    if (item)
        explain_lines_settle(item);
}

/* --- events --- */

static const char *withheld_reason(const struct explain_session *session,
                                   const struct event_rule *rule, struct span name)
{
    if (!rule)
        return "no profile lists it in events";
    if (rule->suppress)
        return "the profile says suppress: true";
    if (session->has_source && policy_withholds_event(session->view, name))
        return "tor-browser-mode keeps such events from the client";
    if (!event_set_find(session->events, name))
        return "the client has not asked for it with SETEVENTS";
    if (rule->own_onions_only)
        return "it is not of an onion service of the client's own, or its lines are withheld";
    if (rule->response.count > 0 || rule->response.drop_unmatched)
        return "its response rules withhold it";
    if (session->has_source && policy_is_tor_browser_mode(session->view))
        return "tor-browser-mode: it is not of a stream or circuit of the client's own";
    return "it is not whole, or holds a control character";
}

static void event_lines(struct explain_session *session, struct explain_item *item,
                        const struct event_rule *rule)
{
    struct span text = buf_span(&item->unit->lines);
    struct reply_reader reader;
    struct reply_line line;
    enum reply_result result;

    reply_reader_init(&reader);
    while ((result = reply_reader_next(&reader, &text, &line)) == REPLY_LINE &&
           item->line_count < EXPLAIN_MAX_LINES)
        explain_event_line(item, rule, &line, &session->setup->client->variables);
    item->is_cut = result == REPLY_LINE;
    if (item->is_cut)
        explain_item_note(item, "the further lines of the event are left out here");
    if (result == REPLY_MALFORMED)
        explain_unfit_line(item, SPAN("(this and what follows)"));
    reply_reader_clear(&reader);
}

static void name_event(struct explain_item *item)
{
    struct span rest = span_from(buf_span(&item->unit->lines), 4);
    size_t len = 0;

    while (len < rest.len && rest.data[len] > ' ')
        len++;
    buf_append(&item->name, span_first(rest, len));
}

void explain_session_event(struct explain_session *session, struct explain_item *item)
{
    name_event(item);
    if (session->end_reason) {
        set_not_read(session, item);
        return;
    }
    struct span name = buf_span(&item->name);
    const struct event_rule *rule = policy_find_event(session->view, name);
    if (rule)
        item->rule = rule->where;
    event_lines(session, item, event_set_find(session->events, name));
    session->event = item;
    if (session_is_logged_in(session->session))
        explain_feed_tor(session, buf_span(&item->unit->lines));
    after_step(session);
    session->event = NULL;
    item->is_done = true;
    item->verdict = item->client.len > 0 ? EXPLAIN_ALLOWED : EXPLAIN_REFUSED;
    if (item->client.len == 0)
        explain_item_set_reason(item, withheld_reason(session, rule, name));
    explain_lines_settle(item);
}

void explain_session_close(struct explain_session *session)
{
    for (size_t i = session->done; i < session->count; i++) {
        struct explain_item *item = session->items[i];
        if (!item->is_read && !item->is_answered)
            explain_item_set_reason(item, "the command is not complete");
        if (!item->is_answered)
            item->condition = NULL;
        item->is_done = true;
    }
}
