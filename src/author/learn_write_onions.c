/* The onion services of a draft (design 3.9). */
#include <string.h>

#include "event.h"
#include "learn_parts.h"
#include "onion_request.h"
#include "yaml_writer.h"

#define NOTE_MAX 4096
#define SEEN_MAX 300

static void write_virtual_ports(const struct learn_create *create, struct buf *out)
{
    const char *separator = "";

    buf_append_string(out, "virtual-ports: [");
    for (size_t i = 0; i < create->port_count; i++) {
        if (i > 0 && create->ports[i].virtual_port == create->ports[i - 1].virtual_port)
            continue;
        buf_printf(out, "%s%u", separator, create->ports[i].virtual_port);
        separator = ", ";
    }
    buf_append_string(out, "]\n");
}

static void append_target(const struct learn_port *port, struct buf *out)
{
    switch (port->target) {
    case LEARN_TARGET_LOOPBACK:
        break;
    case LEARN_TARGET_CLIENT:
        buf_append_string(out, "{client-address}:");
        break;
    case LEARN_TARGET_ADDRESS:
        buf_append_string(out, port->address);
        buf_append_char(out, ':');
        break;
    case LEARN_TARGET_UNIX:
        buf_append_string(out, port->address);
        return;
    }
    buf_printf(out, "%u", port->first);
    if (port->last > port->first)
        buf_printf(out, "-%u", port->last);
}

static void write_targets(const struct learn_create *create, struct buf *out)
{
    struct buf target, former;

    buf_init(&target, 512);
    buf_init(&former, 512);
    buf_append_string(out, "        targets: [");
    for (size_t i = 0; i < create->port_count; i++) {
        buf_reset(&target);
        append_target(&create->ports[i], &target);
        /* Ports of one kind are neighbours; the same twice is no more than once. */
        if (span_equals(buf_span(&target), buf_span(&former)))
            continue;
        buf_append_string(out, former.len > 0 ? ", " : "");
        yaml_write_text(out, buf_span(&target));
        buf_reset(&former);
        buf_append(&former, buf_span(&target));
    }
    buf_append_string(out, "]\n");
    buf_clear(&target);
    buf_clear(&former);
}

/* V3Auth goes with client-auth. */
static void write_flags(const struct learn_create *create, struct buf *out)
{
    const char *separator = "        flags: [";
    unsigned flags = create->flags;

    if (create->has_client_auth)
        flags &= ~(unsigned)ADD_ONION_V3_AUTH;
    if (!flags)
        return;
    for (size_t i = 0; onion_flag_at(i); i++) {
        if (!(flags & (1u << i)))
            continue;
        buf_printf(out, "%s%s", separator, onion_flag_at(i));
        separator = ", ";
    }
    buf_append_string(out, "]\n");
}

static bool is_ranged(const struct learn_create *create)
{
    for (size_t i = 0; i < create->port_count; i++)
        if (create->ports[i].last > create->ports[i].first)
            return true;
    return false;
}

static void write_seen(const struct learn_create *create, struct buf *out)
{
    struct span seen = span_from_string(create->seen);
    struct buf note;

    buf_init(&note, NOTE_MAX);
    buf_append_string(&note, "seen ");
    learn_append_times(&note, create->count);
    buf_append_string(&note, ": ");
    buf_append(&note, span_first(seen, SEEN_MAX));
    buf_append_string(&note, seen.len > SEEN_MAX ? "..." : "");
    if (create->has_stored)
        buf_append_string(&note, "; generalised: the key");
    if (is_ranged(create))
        buf_append_string(&note, create->has_stored ? ", " : "; generalised: ");
    if (is_ranged(create))
        buf_append_string(&note, "the port on which it listens, from the lowest to the highest "
                                 "that was seen: put those here that it may choose");
    yaml_write_comment(out, 6, buf_span(&note));
    buf_clear(&note);
}

static void write_create(const struct learn_create *create, struct buf *out)
{
    write_seen(create, out);
    buf_append_string(out, "      - ");
    write_virtual_ports(create, out);
    write_targets(create, out);
    buf_printf(out, "        keys: [%s%s%s]\n", create->has_new ? "new" : "",
               create->has_new && create->has_stored ? ", " : "",
               create->has_stored ? "stored" : "");
    write_flags(create, out);
    if (create->has_client_auth)
        buf_append_string(out, "        client-auth: true\n");
    if (create->has_pow)
        buf_append_string(out, "        proof-of-work: true\n");
    if (create->has_max_streams)
        buf_append_string(out, "        max-streams: any\n");
}

static void write_key(struct buf *out, unsigned long count, const char *line)
{
    struct buf note;

    if (count == 0)
        return;
    buf_init(&note, NOTE_MAX);
    buf_append_string(&note, "seen ");
    learn_append_times(&note, count);
    yaml_write_comment(out, 4, buf_span(&note));
    buf_printf(out, "    %s\n", line);
    buf_clear(&note);
}

static unsigned long count_events(const struct learn_client *client)
{
    unsigned long count = 0;

    for (size_t i = 0; i < client->event_count; i++)
        if (strcmp(client->events[i].name, "HS_DESC") == 0 ||
            strcmp(client->events[i].name, "HS_DESC_CONTENT") == 0)
            count += client->events[i].count;
    return count;
}

void learn_write_onions(const struct learn_client *client, struct buf *out)
{
    const struct learn_onions *onions = &client->onions;
    unsigned long events = count_events(client);

    if (onions->left_out > 0)
        learn_write_note(out, 2,
                         "ADD_ONION that is left out, since no profile can allow it or the "
                         "log does not show enough of it: %s",
                         onions->left_out_seen);
    if (onions->create_count == 0 && onions->deletes == 0 && onions->fetches == 0 &&
        onions->key_commands == 0 && events == 0)
        return;
    buf_append_string(out, "  onions:\n");
    if (onions->create_count > 0)
        buf_append_string(out, "    create:\n");
    for (size_t i = 0; i < onions->create_count; i++)
        write_create(&onions->creates[i], out);
    write_key(out, onions->deletes, "delete: own");
    write_key(out, events, "events: own");
    write_key(out, onions->fetches, "fetch: true");
    write_key(out, onions->key_commands, "client-auth-keys: own");
}
