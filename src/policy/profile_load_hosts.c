/* `hosts`: addresses and networks to numbers, once, so that a match is a comparison of bits.
 *
 * An address of another machine may reach us as IPv4 or, on a socket for both, as IPv6 with ::ffff:
 * in front (RFC 4291, 2.5.5.2): both are written and kept as IPv4. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "profile_load_parts.h"

#define BITS_V4 32
#define BITS_V6 128
#define BITS_MAPPED 96

static unsigned network_bits(const struct host_network *network)
{
    return network->is_ipv6 ? BITS_V6 : BITS_V4;
}

static bool read_address(struct span text, struct host_network *network)
{
    if (text.len >= INET6_ADDRSTRLEN)
        return false;
    char *address = mem_copy_string(text);
    bool is_ipv4 = inet_pton(AF_INET, address, network->address) == 1;
    network->is_ipv6 = !is_ipv4 && inet_pton(AF_INET6, address, network->address) == 1;
    free(address);
    return is_ipv4 || network->is_ipv6;
}

static void unmap(struct host_network *network)
{
    static const uint8_t mapped[BITS_MAPPED / 8] = {[10] = 0xff, [11] = 0xff};

    if (!network->is_ipv6 || network->prefix < BITS_MAPPED ||
        memcmp(network->address, mapped, sizeof mapped) != 0)
        return;
    memmove(network->address, network->address + sizeof mapped, BITS_V4 / 8);
    memset(network->address + BITS_V4 / 8, 0, sizeof network->address - BITS_V4 / 8);
    network->is_ipv6 = false;
    network->prefix -= BITS_MAPPED;
}

/* "ADDRESS" or "ADDRESS/BITS". */
static bool read_network(const char *text, struct host_network *network)
{
    struct span span = span_from_string(text);
    size_t slash = span_find(span, '/');
    unsigned long bits = 0;

    *network = (struct host_network){0};
    if (!read_address(span_first(span, slash), network))
        return false;
    bits = network_bits(network);
    if (slash < span.len && !span_to_number(span_from(span, slash + 1), bits, &bits))
        return false;
    network->prefix = (unsigned)bits;
    unmap(network);
    return true;
}

/* Clears the bits behind the prefix; whether there were any. */
static bool mask_network(struct host_network *network)
{
    bool had_any = false;

    for (unsigned bit = network->prefix; bit < network_bits(network); bit++) {
        uint8_t mask = (uint8_t)(0x80u >> (bit % 8));
        had_any = had_any || (network->address[bit / 8] & mask) != 0;
        network->address[bit / 8] &= (uint8_t)~mask;
    }
    return had_any;
}

static void warn_of_host_bits(struct load *load, const struct yaml_node *item,
                              const struct host_network *network)
{
    char text[INET6_ADDRSTRLEN] = "";

    (void)inet_ntop(network->is_ipv6 ? AF_INET6 : AF_INET, network->address, text, sizeof text);
    load_warning(load, item, "'%s' has bits set behind its prefix; it is the network %s/%u",
                 load_quote(load, item->text), text, network->prefix);
}

static void load_host(struct load *load, const struct yaml_node *item, struct host_qualifier *hosts)
{
    struct host_network *network = &hosts->networks[hosts->count];

    if (strcmp(item->text, "*") == 0) {
        hosts->is_any = true;
        return;
    }
    if (!read_network(item->text, network)) {
        load_error(load, item,
                   "'%s' is no address; write an IPv4 or IPv6 address, a network such "
                   "as 10.152.152.0/24, or '*'",
                   load_quote(load, item->text));
        return;
    }
    if (mask_network(network))
        warn_of_host_bits(load, item, network);
    hosts->count++;
}

void load_hosts(struct load *load, void *target, const struct yaml_node *key,
                const struct yaml_node *value)
{
    struct host_qualifier *hosts = &((struct profile *)target)->hosts;

    if (!load_begin_list(load, key, value, &hosts->is_present, &hosts->where))
        return;
    hosts->networks = mem_zalloc(value->count, sizeof *hosts->networks);
    for (size_t i = 0; i < value->count; i++)
        if (load_expect_item(load, key, &value->items[i]))
            load_host(load, &value->items[i], hosts);
}
