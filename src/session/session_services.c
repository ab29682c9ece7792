/* What of tor's belongs to the client: onion services and ownership, which end with the connection
 * (control-protocol 3), as commands and replies tell. */
#include "session_parts.h"

#include <stdlib.h>

#include "add_onion.h"
#include "mem.h"
#include "words.h"

void session_note_sent(struct pending *pending)
{
    struct span arguments = buf_span(&pending->text), word;

    if (pending->keyword->id == KEYWORD_ADD_ONION) {
        struct add_onion_facts facts = {false};
        struct buf unused;
        buf_init(&unused, COMMAND_MAX_LINE);
        add_onion_canonical(arguments, &unused, &facts);
        buf_wipe(&unused);
        pending->is_detached = facts.is_detached;
    } else if (pending->keyword->id == KEYWORD_DEL_ONION && words_next(&arguments, &word)) {
        pending->service = mem_copy_string(word);
    }
}

static void own_service(struct session *session, const char *service)
{
    session->services = mem_resize(session->services, session->service_count + 1, sizeof(char *));
    session->services[session->service_count++] =
        mem_copy_string(span_from_string(service ? service : ""));
}

static void disown_service(struct session *session, const char *service)
{
    for (size_t i = 0; service && i < session->service_count; i++) {
        if (!span_equals(span_from_string(session->services[i]), span_from_string(service)))
            continue;
        free(session->services[i]);
        session->services[i] = session->services[--session->service_count];
        return;
    }
}

void session_note_reply(struct pending *pending, const struct reply_line *line)
{
    static const struct span prefix = {"ServiceID=", 10};

    if (pending->keyword->id == KEYWORD_ADD_ONION && line->kind == REPLY_MID && !pending->service &&
        line->code == 250 && span_starts_with(line->text, prefix))
        pending->service = mem_copy_string(span_from(line->text, prefix.len));
}

void session_take_effect(struct session *session, struct pending *head)
{
    if (head->events) {
        event_set_free(session->events);
        session->events = head->events;
        head->events = NULL;
    }
    if (head->keyword->id == KEYWORD_ADD_ONION && !head->is_detached)
        own_service(session, head->service);
    else if (head->keyword->id == KEYWORD_DEL_ONION)
        disown_service(session, head->service);
    else if (head->keyword->id == KEYWORD_TAKEOWNERSHIP)
        session->owns_tor = true;
    else if (head->keyword->id == KEYWORD_DROPOWNERSHIP)
        session->owns_tor = false;
}
