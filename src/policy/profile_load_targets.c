/* Ports and targets of `onions: create`: text to numbers, once (design 3.9).
 *
 * What could never be asked for is an error: tor's side of a target is a literal address or an
 * exact path (control-protocol 6.2), and target_parse refuses all else whatever a profile says. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "onion_text.h"
#include "profile_load_parts.h"

#define MAX_PORTS 256
#define MAX_TARGETS 256

#define CLIENT_PREFIX "{client-address}:"
#define UNIX_PREFIX "unix:"

static bool read_port(struct span text, uint16_t *port_out)
{
    unsigned long number;

    if (!onion_text_to_number(text, UINT16_MAX, &number) || number == 0)
        return false;
    *port_out = (uint16_t)number;
    return true;
}

/* "80" or "17600-17659"; reports what is none. */
static bool load_range(struct load *load, const struct yaml_node *item, struct span text,
                       struct port_range *range)
{
    size_t dash = span_find(text, '-');
    struct span last = dash < text.len ? span_from(text, dash + 1) : text;
    const char *shown = load_quote(load, item->text);

    if (!read_port(span_first(text, dash), &range->first) || !read_port(last, &range->last)) {
        load_error(load, item,
                   "'%s' has no port that can be read; a port is 1 to 65535 in plain digits, a "
                   "range is two of them, such as 17600-17659",
                   shown);
        return false;
    }
    if (range->first <= range->last)
        return true;
    load_error(load, item, "the range of '%s' runs backwards; write its smaller port first", shown);
    return false;
}

/* Whether the node is a list with entries, and not too many. */
static bool expect_entries(struct load *load, const struct yaml_node *key,
                           const struct yaml_node *value, const char *hint, size_t most)
{
    if (!load_expect(load, value, YAML_LIST, key->text, hint) ||
        !load_expect_count(load, key, value, most))
        return false;
    if (value->count == 0)
        load_error(load, key, "'%s' is an empty list, so nothing can be created; %s", key->text,
                   hint);
    return value->count > 0;
}

void load_virtual_ports(struct load *load, void *target, const struct yaml_node *key,
                        const struct yaml_node *value)
{
    static const char *const hint = "write the ports as a list: [80, 17600-17659]";
    struct onion_create *create = target;

    if (!expect_entries(load, key, value, hint, MAX_PORTS))
        return;
    create->virtual_ports = mem_zalloc(value->count, sizeof *create->virtual_ports);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = &value->items[i];
        struct port_range *range = &create->virtual_ports[create->virtual_port_count];
        if (load_expect(load, item, YAML_SCALAR, key->text, hint) &&
            load_range(load, item, span_from_string(item->text), range))
            create->virtual_port_count++;
    }
}

static bool load_unix_target(struct load *load, const struct yaml_node *item,
                             struct onion_target *target)
{
    enum target_result result = target_parse(span_from_string(item->text), 1, &target->address);

    if (result != TARGET_OK) {
        load_error(load, item, "'%s' is %s; no onion service may point there",
                   load_quote(load, item->text), target_result_text(result));
        return false;
    }
    target->path = mem_copy_string(target->address.path);
    target->address.path = span_make(NULL, 0);
    return true;
}

/* "ADDRESS:PORTS"; IPv6 has brackets, or nobody could tell its last part from a port. */
static bool load_address_target(struct load *load, const struct yaml_node *item,
                                struct onion_target *target)
{
    struct span text = span_from_string(item->text);
    const char *colon = strrchr(item->text, ':');
    size_t len = colon ? (size_t)(colon - item->text) : 0;
    bool is_bare_v6 = span_find(text, ':') < len && text.data[0] != '[';

    if (is_bare_v6 || !target_parse_address(span_first(text, len), &target->address)) {
        load_error(load, item,
                   "'%s' is no target; write a port, a range of ports, ADDRESS:PORT with a literal "
                   "address (IPv6 in brackets), unix:/PATH, or '{client-address}:PORT'",
                   load_quote(load, item->text));
        return false;
    }
    return load_range(load, item, span_from(text, len + 1), &target->ports);
}

static bool is_port_like(struct span text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '-' && (text.data[i] < '0' || text.data[i] > '9'))
            return false;
    return text.len > 0;
}

static bool load_target(struct load *load, const struct yaml_node *item,
                        struct onion_target *target)
{
    struct span text = span_from_string(item->text);
    struct span client = SPAN(CLIENT_PREFIX);

    target->where = item->where;
    target->is_port_only = is_port_like(text);
    target->is_client = span_starts_with(text, client);
    if (span_starts_with(text, SPAN(UNIX_PREFIX)))
        return load_unix_target(load, item, target);
    if (target->is_port_only)
        return load_range(load, item, text, &target->ports);
    if (target->is_client)
        return load_range(load, item, span_from(text, client.len), &target->ports);
    return load_address_target(load, item, target);
}

void load_targets(struct load *load, void *create_target, const struct yaml_node *key,
                  const struct yaml_node *value)
{
    static const char *const hint =
        "write the targets as a list: [17600-17659, 127.0.0.1:8080], with quotes around one that "
        "begins with [ or {";
    struct onion_create *create = create_target;

    if (!expect_entries(load, key, value, hint, MAX_TARGETS))
        return;
    create->targets = mem_zalloc(value->count, sizeof *create->targets);
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *item = &value->items[i];
        if (load_expect(load, item, YAML_SCALAR, key->text, hint) &&
            load_target(load, item, &create->targets[create->target_count]))
            create->target_count++;
    }
}

/* Whether the template stands for an address where all that it names is one. */
static bool stands_for_address(const struct template *template)
{
    static const struct template_variables example = {
        .client_address = {"127.0.0.1", 9},
        .client_port = {"0", 1},
        .server_address = {"127.0.0.1", 9},
        .server_port = {"0", 1},
    };
    struct target address;
    struct buf text;

    buf_init(&text, 256);
    bool is_address = template_expand(template, NULL, &example, &text) &&
                      target_parse_address(buf_span(&text), &address);
    buf_clear(&text);
    return is_address;
}

void load_target_address(struct load *load, void *target, const struct yaml_node *key,
                         const struct yaml_node *value)
{
    static const char *const hint = "write '{client-address}', in quotes, or a literal address";
    struct onion_create *create = target;
    struct buf error;
    size_t column;

    if (!load_expect(load, value, YAML_SCALAR, key->text, hint))
        return;
    buf_init(&error, SIZE_MAX / 2);
    create->target_address = template_compile(value->text, 0, &column, &error);
    buf_clear(&error);
    if (create->target_address && stands_for_address(create->target_address))
        return;
    load_error(load, value,
               "'%s' does not stand for an address without a port; write '{client-address}', "
               "'{server-address}' or a literal address",
               load_quote(load, value->text));
}
