/* What onion services an application runs.
 *
 * Requests are grouped by their virtual ports and by how their targets are named: what differs
 * within a group is the key, flags, and the port on which the application listens. */
#include "learn_parts.h"

#include <stdlib.h>
#include <string.h>

#include "add_onion.h"
#include "kvline.h"
#include "mem.h"
#include "onion_request.h"
#include "words.h"

#define SIGNATURE_MAX 8192
#define ADDRESS_MARK "(address):"

/* One ADD_ONION, in the making. */
struct request {
    struct learn_create facts; /* ports, keys, flags; signature and seen not yet */
    bool is_left_out;
};

static void create_clear(struct learn_create *create)
{
    for (size_t i = 0; i < create->port_count; i++)
        free(create->ports[i].address);
    free(create->ports);
    free(create->signature);
    free(create->seen);
}

void learn_onions_clear(struct learn_onions *onions)
{
    for (size_t i = 0; i < onions->create_count; i++)
        create_clear(&onions->creates[i]);
    free(onions->creates);
    free(onions->left_out_seen);
}

/* --- reading --- */

static bool read_port_number(struct span text, uint16_t *port_out)
{
    unsigned long number;

    if (!span_to_number(text, UINT16_MAX, &number) || number == 0)
        return false;
    *port_out = (uint16_t)number;
    return true;
}

/* The target's address as a profile names it, without the port. */
static char *address_text(const struct target *target)
{
    struct buf text;

    buf_init(&text, 512);
    target_write(&text, target);
    if (target->kind != TARGET_UNIX) {
        struct span whole = buf_span(&text);
        size_t len = whole.len;
        while (len > 0 && whole.data[len - 1] != ':')
            len--;
        buf_truncate(&text, len > 0 ? len - 1 : 0);
    }
    char *result = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return result;
}

static bool is_loopback(const struct target *target)
{
    static const uint8_t loopback[4] = {127, 0, 0, 1};

    return target->kind == TARGET_IPV4 && memcmp(target->address, loopback, sizeof loopback) == 0;
}

static bool read_target(struct span text, struct learn_port *port)
{
    struct span mark = SPAN(ADDRESS_MARK);
    struct target target;

    if (span_starts_with(text, mark)) {
        port->target = LEARN_TARGET_CLIENT;
        return read_port_number(span_from(text, mark.len), &port->first);
    }
    if (span_find(text, '(') < text.len ||
        target_parse(text, port->virtual_port, &target) != TARGET_OK)
        return false;
    port->first = target.port;
    if (is_loopback(&target))
        return true;
    port->target = target.kind == TARGET_UNIX ? LEARN_TARGET_UNIX : LEARN_TARGET_ADDRESS;
    port->address = address_text(&target);
    return true;
}

static bool read_port(struct span value, struct learn_port *port)
{
    size_t comma = span_find(value, ',');

    *port = (struct learn_port){.target = LEARN_TARGET_LOOPBACK};
    if (!read_port_number(span_first(value, comma), &port->virtual_port))
        return false;
    if (comma == value.len)
        port->first = port->virtual_port;
    else if (!read_target(span_from(value, comma + 1), port))
        return false;
    port->last = port->first;
    return true;
}

static void take_port(struct request *request, struct span value)
{
    struct learn_create *facts = &request->facts;
    struct learn_port port;

    if (!read_port(value, &port)) {
        request->is_left_out = true;
        return;
    }
    facts->ports = mem_resize(facts->ports, facts->port_count + 1, sizeof *facts->ports);
    facts->ports[facts->port_count++] = port;
}

static void take_flags(struct request *request, struct span value)
{
    while (value.len > 0) {
        size_t len = span_find(value, ',');
        unsigned flag = onion_flag_find(span_first(value, len));
        request->facts.flags |= flag;
        request->is_left_out = request->is_left_out || !flag;
        value = span_from(value, len + 1);
    }
}

static void take_pair(struct request *request, const struct kv_pair *pair)
{
    if (span_equals_nocase(pair->key, SPAN("Port")))
        take_port(request, pair->value);
    else if (span_equals_nocase(pair->key, SPAN("Flags")))
        take_flags(request, pair->value);
    else if (span_equals_nocase(pair->key, SPAN("ClientAuthV3")))
        request->facts.has_client_auth = true;
    else if (span_equals_nocase(pair->key, SPAN("MaxStreams")))
        request->facts.has_max_streams = true;
    else if (span_equals_nocase(span_first(pair->key, 3), SPAN("PoW")))
        request->facts.has_pow = true;
    else
        request->is_left_out = true;
}

static void take_key(struct request *request, struct span word)
{
    bool is_made = span_equals_nocase(word, SPAN("NEW:BEST")) ||
                   span_equals_nocase(word, SPAN("NEW:ED25519-V3"));
    bool is_stored = span_equals_nocase(span_first(word, 11), SPAN("ED25519-V3:"));

    request->facts.has_new = is_made;
    request->facts.has_stored = is_stored;
    request->is_left_out = request->is_left_out || (!is_made && !is_stored);
}

static void request_read(struct request *request, struct span arguments)
{
    struct kv_pair pair;
    struct span key;

    if (words_next(&arguments, &key))
        take_key(request, key);
    while (kv_next(GRAMMAR_KV, &arguments, &pair) == KV_PAIR)
        take_pair(request, &pair);
}

/* --- groups --- */

static int compare_ports(const void *left, const void *right)
{
    const struct learn_port *a = left, *b = right;

    if (a->virtual_port != b->virtual_port)
        return a->virtual_port < b->virtual_port ? -1 : 1;
    if (a->target != b->target)
        return a->target < b->target ? -1 : 1;
    int order = a->address && b->address ? strcmp(a->address, b->address) : 0;
    return order ? order : (a->first > b->first) - (a->first < b->first);
}

static char *make_signature(const struct learn_create *create)
{
    struct buf text;

    buf_init(&text, SIGNATURE_MAX);
    for (size_t i = 0; i < create->port_count; i++)
        buf_printf(&text, "%u %d %s;", create->ports[i].virtual_port, (int)create->ports[i].target,
                   create->ports[i].address ? create->ports[i].address : "");
    char *signature = mem_copy_string(buf_span(&text));
    buf_clear(&text);
    return signature;
}

static void widen(struct learn_create *create, const struct learn_create *more)
{
    for (size_t i = 0; i < create->port_count; i++) {
        struct learn_port *port = &create->ports[i];
        if (more->ports[i].first < port->first)
            port->first = more->ports[i].first;
        if (more->ports[i].last > port->last)
            port->last = more->ports[i].last;
    }
    create->has_new |= more->has_new;
    create->has_stored |= more->has_stored;
    create->flags |= more->flags;
    create->has_client_auth |= more->has_client_auth;
    create->has_pow |= more->has_pow;
    create->has_max_streams |= more->has_max_streams;
    create->count++;
}

static void leave_out(struct learn_onions *onions, const char *seen)
{
    if (!onions->left_out_seen)
        onions->left_out_seen = mem_copy_string(span_from_string(seen));
    onions->left_out++;
}

/* Adds the request to its group; takes it over. */
static void add_request(struct learn_onions *onions, struct learn_create *request)
{
    size_t at = 0;

    while (at < onions->create_count &&
           strcmp(onions->creates[at].signature, request->signature) < 0)
        at++;
    if (at < onions->create_count &&
        strcmp(onions->creates[at].signature, request->signature) == 0) {
        widen(&onions->creates[at], request);
        create_clear(request);
    } else if (onions->create_count == LEARN_MAX_CREATES) {
        leave_out(onions, request->seen);
        create_clear(request);
    } else {
        onions->creates =
            mem_resize(onions->creates, onions->create_count + 1, sizeof *onions->creates);
        memmove(&onions->creates[at + 1], &onions->creates[at],
                (onions->create_count - at) * sizeof *onions->creates);
        onions->creates[at] = *request;
        onions->creates[at].count = 1;
        onions->create_count++;
    }
}

static void learn_add_onion(struct learn_client *client, const struct command *command)
{
    struct request request = {.is_left_out = false};
    struct buf seen;

    buf_init(&seen, COMMAND_MAX_LINE);
    describe_shape(&seen, command);
    request_read(&request, command->arguments);
    request.facts.seen = mem_copy_string(buf_span(&seen));
    buf_clear(&seen);
    if (request.is_left_out || request.facts.port_count == 0) {
        leave_out(&client->onions, request.facts.seen);
        create_clear(&request.facts);
        return;
    }
    qsort(request.facts.ports, request.facts.port_count, sizeof(struct learn_port), compare_ports);
    request.facts.signature = make_signature(&request.facts);
    add_request(&client->onions, &request.facts);
}

bool learn_onion_command(struct learn_client *client, const struct command *command)
{
    enum keyword_id id = command->keyword->id;

    if (id == KEYWORD_ADD_ONION)
        learn_add_onion(client, command);
    else if (id == KEYWORD_DEL_ONION)
        client->onions.deletes++;
    else if (id == KEYWORD_HSFETCH)
        client->onions.fetches++;
    else if (id == KEYWORD_ONION_CLIENT_AUTH_ADD || id == KEYWORD_ONION_CLIENT_AUTH_REMOVE ||
             id == KEYWORD_ONION_CLIENT_AUTH_VIEW)
        client->onions.key_commands++;
    else
        return false;
    return true;
}
