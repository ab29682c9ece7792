/* What of tor's belongs to the client, as commands and replies tell: onion services and ownership,
 * which end with the connection (control-protocol 3), and what the registry keeps beyond it. */
#include "session_parts.h"

#include "add_onion.h"
#include "kvline.h"
#include "mem.h"
#include "words.h"

/* --- what a reply will have to be read for --- */

static unsigned count_servers(struct span arguments)
{
    struct kv_pair pair;
    unsigned count = 0;

    while (kv_next(GRAMMAR_KV, &arguments, &pair) == KV_PAIR)
        count += span_equals_nocase(pair.key, SPAN("SERVER"));
    return count;
}

static bool adds_detached(struct span arguments)
{
    struct add_onion_facts facts = {false};
    struct buf unused;

    buf_init(&unused, COMMAND_MAX_LINE);
    add_onion_canonical(arguments, &unused, &facts);
    buf_wipe(&unused);
    return facts.is_detached;
}

void session_note_command(struct pending *pending)
{
    struct span arguments = buf_span(&pending->text), word = {NULL, 0};
    enum keyword_id id = pending->keyword->id;

    if (id == KEYWORD_ADD_ONION) {
        pending->is_detached = adds_detached(arguments);
    } else if (id == KEYWORD_DEL_ONION || id == KEYWORD_HSFETCH ||
               id == KEYWORD_ONION_CLIENT_AUTH_ADD || id == KEYWORD_ONION_CLIENT_AUTH_REMOVE ||
               id == KEYWORD_ONION_CLIENT_AUTH_VIEW) {
        words_next(&arguments, &word);
        onion_address_read(word, &pending->address);
    }
    if (id == KEYWORD_HSFETCH)
        pending->servers = count_servers(arguments);
}

void session_note_reply(struct pending *pending, const struct reply_line *line)
{
    static const struct span prefix = {"ServiceID=", 10};

    if (pending->keyword->id == KEYWORD_ADD_ONION && line->kind == REPLY_MID &&
        !pending->address.text[0] && line->code == 250 && span_starts_with(line->text, prefix))
        onion_address_read(span_from(line->text, prefix.len), &pending->address);
}

/* --- what a success means --- */

/* A service that cannot be remembered by its address is remembered all the same: it goes with the
 * connection, and the client has to notice. */
static void own_service(struct session *session, const struct onion_address *address)
{
    if (!address->text[0] || !onion_set_add(&session->services, address))
        session->unnamed_services++;
}

static void take_new_service(struct session *session, const struct pending *head)
{
    const struct profile *claimant = head->claim.claimant;

    if (!head->is_detached) {
        onion_registry_remove(session->registry, &head->address);
        own_service(session, &head->address);
    } else if (head->address.text[0] && claimant) {
        onion_registry_add(session->registry, claimant->name, &head->address);
    }
}

/* Of a foreign address that tor has deleted by a rule of `commands`, too. */
static void take_deletion(struct session *session, const struct onion_address *address)
{
    if (!onion_set_remove(&session->services, address))
        onion_registry_remove(session->registry, address);
}

static bool set_has(const struct event_set *events, struct span name)
{
    return event_set_find(events, name) != NULL;
}

static void take_events(struct session *session, struct pending *head)
{
    event_set_free(session->events);
    session->events = head->events;
    head->events = NULL;
    onion_fetches_forget(&session->fetches, set_has(session->events, SPAN("HS_DESC")),
                         set_has(session->events, SPAN("HS_DESC_CONTENT")));
}

void session_take_effect(struct session *session, struct pending *head)
{
    enum keyword_id id = head->keyword->id;

    if (head->events)
        take_events(session, head);
    if (id == KEYWORD_ADD_ONION)
        take_new_service(session, head);
    else if (id == KEYWORD_DEL_ONION)
        take_deletion(session, &head->address);
    else if (id == KEYWORD_HSFETCH && head->address.text[0])
        onion_fetches_add(&session->fetches, &head->address, head->servers,
                          set_has(session->events, SPAN("HS_DESC")),
                          set_has(session->events, SPAN("HS_DESC_CONTENT")));
    else if (id == KEYWORD_ONION_CLIENT_AUTH_REMOVE)
        onion_registry_key_remove(session->registry, &head->address);
    else if (id == KEYWORD_TAKEOWNERSHIP)
        session->owns_tor = true;
    else if (id == KEYWORD_DROPOWNERSHIP)
        session->owns_tor = false;
}

/* --- whose is it? --- */

size_t session_count_services(const struct session *session)
{
    return session->services.count + session->unnamed_services;
}

bool session_owns_service(const struct session *session, const struct onion_address *address,
                          bool (*has_right)(const struct onion_rules *rules))
{
    if (onion_set_has(&session->services, address))
        return true;
    for (size_t i = 0; i < session->view.count; i++) {
        const struct profile *profile = session->view.profiles[i];
        if (has_right(&profile->onions) &&
            onion_registry_has(session->registry, profile->name, address))
            return true;
    }
    return false;
}

bool session_owns_key(const struct session *session, const struct onion_address *address)
{
    for (size_t i = 0; i < session->view.count; i++) {
        const struct profile *profile = session->view.profiles[i];
        if (profile->onions.client_auth_keys_own &&
            onion_registry_key_has(session->registry, profile->name, address))
            return true;
    }
    return false;
}

/* --- events of own services only --- */

static bool has_events(const struct onion_rules *rules)
{
    return rules->events_own;
}

/* Failures of visits have the same form, and are what somebody else on this machine did; they have
 * other reasons. */
static bool is_of_upload(struct span fields)
{
    struct span word, reason = {NULL, 0};

    while (words_next(&fields, &word))
        if (span_starts_with(word, SPAN("REASON=")))
            reason = word;
    return span_equals(reason, SPAN("REASON=UPLOAD_REJECTED")) ||
           span_equals(reason, SPAN("REASON=UNEXPECTED"));
}

static bool is_service_event(struct span action, struct span fields)
{
    return span_equals(action, SPAN("CREATED")) || span_equals(action, SPAN("UPLOAD")) ||
           span_equals(action, SPAN("UPLOADED")) ||
           (span_equals(action, SPAN("FAILED")) && is_of_upload(fields));
}

/* HS_DESC ACTION ADDRESS ... */
static bool takes_descriptor_event(struct session *session, struct span fields)
{
    struct span action, word;
    struct onion_address address;

    if (!words_next(&fields, &action) || !words_next(&fields, &word) ||
        !onion_address_read(word, &address))
        return false;
    if (onion_fetches_take_event(&session->fetches, action, &address, fields))
        return true;
    return is_service_event(action, fields) && session_owns_service(session, &address, has_events);
}

/* HS_DESC_CONTENT ADDRESS ..., and a data block. */
static bool takes_content_event(struct session *session, const struct reply_line *line,
                                struct span fields)
{
    struct span word;
    struct onion_address address;

    if (line->kind != REPLY_DATA || !words_next(&fields, &word) ||
        !onion_address_read(word, &address) ||
        !onion_fetches_shows_content(&session->fetches, &address))
        return false;
    session->content = address;
    session->content_is_blank = true;
    return true;
}

bool session_takes_own_event(struct session *session, const struct reply_line *line)
{
    struct span fields = line->text, name;

    session->content = (struct onion_address){0};
    if (!reply_line_is_clean(line) || !words_next(&fields, &name))
        return false;
    if (span_equals(name, SPAN("HS_DESC")))
        return line->kind == REPLY_END && takes_descriptor_event(session, fields);
    if (span_equals(name, SPAN("HS_DESC_CONTENT")))
        return takes_content_event(session, line, fields);
    return false;
}

void session_watch_own_event(struct session *session, const struct reply_line *line)
{
    if (!session->content.text[0])
        return;
    if (line->kind == REPLY_DATA_LINE && line->wire.len > 0)
        session->content_is_blank = false;
    if (line->kind != REPLY_END)
        return;
    onion_fetches_end_content(&session->fetches, &session->content, session->content_is_blank);
    session->content = (struct onion_address){0};
}

/* --- the listing of keys --- */

bool session_hides_line(const struct session *session, const struct pending *head,
                        const struct reply_line *line)
{
    struct span rest = line->text, word;
    struct onion_address address;

    if (head->keyword->id != KEYWORD_ONION_CLIENT_AUTH_VIEW ||
        head->claim.kind == ONION_CLAIM_NONE || line->kind == REPLY_END)
        return false;
    if (line->code != 250 || line->kind != REPLY_MID || !words_next(&rest, &word))
        return true;
    if (span_equals(word, SPAN("ONION_CLIENT_AUTH_VIEW")))
        return false;
    return !span_equals(word, SPAN("CLIENT")) || !words_next(&rest, &word) ||
           !onion_address_read(word, &address) || !session_owns_key(session, &address);
}
